"""Versions and answers that a person wrote down: "- PyTorch: 2.3", "CUDA available: True", "驱动：535.104".

The last to be believed: whatever a tool printed elsewhere in the text comes first.  Only what has the form of a fact is
taken (a whole version, yes or no, a card's full name), never a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from .draft import RUNTIME, Draft
from .labels import plain
from .lines import Line, Text
from .torch_words import (
    take_available,
    take_driver,
    take_mps,
    take_platform,
    take_python,
    take_runtime_gpu,
    take_torch_cuda,
    take_torch_version,
)
from .values import maker_of, system_of, yes_or_no

SIGNS = (":", "：", "=", "torch", "Torch", "|", "?")

Taker: TypeAlias = Callable[[Draft, str, Line], None]
"""What is done with the value of a label."""

_LABELLED = re.compile(
    r"^[\s>#*_`+•·-]{0,20}(?P<label>[^\W\d_][^:：=|<>{}\n]{0,50}?)[*_`]{0,3}\s{0,40}(?:\??[:：]|={1,2}|\||\?(?=\s))\s{0,40}(?P<value>[^\n]{1,300}?)\|?\s*$"
)
_SEPARATOR = re.compile(r"[:：=|?]")
# A build that names itself can only come from a tool: "PyTorch 2.13.0+cpu" in a sentence is a printed version.
_NAMED_BUILD = re.compile(
    r"\b(?:[Pp]y)?[Tt]orch(?:[ _-]?version)?[\s:=`'\"(*-]{1,6}"
    r"v?(\d+\.\d+\.\d+(?:\.?\w{2,20})?\+(?:cpu|cu\d{2,3}|rocm[\d.]{1,8}))\b"
)
_BARE_BUILD = re.compile(r"^\s*['\"`]?(\d\.\d{1,2}\.\d\+(?:cpu|cu\d{2,3}|rocm[\d.]{1,8}))['\"`]?\s*$")


_REQUIREMENT = re.compile(r"\s*(?!pytorch)[\w.-]+==")
"""``torch==2.1`` alone is a wish; the lists of pip are read with their headings.  (pip knows no "pytorch".)"""


_TARGETS = re.compile(r"\[\s{0,4}'(?:sm|compute)_\d{2,3}[af]?'(?:,\s{0,4}'(?:sm|compute)_\d{2,3}[af]?'){0,30}\s{0,4}\]")
"""What ``torch.cuda.get_arch_list()`` returns, as Python prints it; no other list has this form."""


def read(lines: Text, draft: Draft) -> None:
    """Read labelled lines, builds that are named in prose, and the printed list of a build's targets."""
    for line in lines.holding("'sm_", once=True):
        listed = _TARGETS.search(line.text)
        if listed is not None:
            draft.note(f"{RUNTIME}/arch_list", re.findall(r"\w+_\d{2,3}[af]?", listed[0]), line, by_hand=True)
    takers: dict[str, Taker | None] = {}
    for line in lines.holding(*_WORDS, any_case=True, once=True):
        found = _LABELLED.match(line.text) if len(line.text) < 400 and _SEPARATOR.search(line.text) else None
        if found is not None and not _REQUIREMENT.match(line.text):
            label = found["label"].strip().lower()
            if label not in takers:
                takers[label] = _taker(label)
            take = takers[label]
            if take is not None:
                take(draft, plain(found["value"]), line)
        if "+c" in line.text or "+rocm" in line.text:
            build = _NAMED_BUILD.search(line.text) or _BARE_BUILD.match(line.text)
            if build is not None and "you have" not in line.text:
                take_torch_version(draft, build[1], line, by_hand=True)


def _torch(draft: Draft, value: str, line: Line) -> None:
    if re.match(r"v?\d{1,2}\.\d{1,3}(?:\.\d{1,3})?[\w.+]{0,40}(?=$|[\s,;(`|])", value):
        take_torch_version(draft, value, line, by_hand=True)


def _cuda(draft: Draft, value: str, line: Line) -> None:
    """``True (12.6)`` tells both; a bare number may be the driver's, the toolkit's or torch's, and tells nothing."""
    both = re.match(r"(True|False|Yes|No)\b\s*(?:[(,]\s*(\d{1,2}\.\d{1,2}))?", value)
    if both is not None:
        take_available(draft, both[1], line, by_hand=True)
        if both[2]:
            take_torch_cuda(draft, both[2], line, by_hand=True)


def _built_with(draft: Draft, value: str, line: Line) -> None:
    if re.match(r"(?:\d{1,2}\.\d{1,2}(?:\.\d+)?|None|N/A)$", value):
        take_torch_cuda(draft, value, line, by_hand=True)


def _available(draft: Draft, value: str, line: Line) -> None:
    if yes_or_no(value) is not None and len(value) < 40:
        take_available(draft, value, line, by_hand=True)


def _mps(draft: Draft, value: str, line: Line) -> None:
    if yes_or_no(value) is not None and len(value) < 40:
        take_mps(draft, value, line, by_hand=True)


def _python(draft: Draft, value: str, line: Line) -> None:
    if re.match(r"v?\d\.\d{1,2}(?:\.\d{1,2})?(?=$|[\s,;(`|])", value):
        take_python(draft, value, line, by_hand=True)


def _driver(draft: Draft, value: str, line: Line) -> None:
    if re.match(r"(?:NVIDIA |nvidia[-/]|v)?\d{3}\.\d{2}", value):
        take_driver(draft, value, line, by_hand=True)


def _gpu(draft: Draft, value: str, line: Line) -> None:
    if _has_cards(draft):
        return
    name = re.split(r"[，,;；(（]|\s[x×]\s?\d|\s-\s", value)[0].strip().strip("`*")
    many = re.match(r"(\d{1,2})\s?[x×*]\s+(\S.{2,60})$", name)
    if many is not None:
        name = many[2]
    known = maker_of(name) is not None or "设备" in line.text or "device" in line.text.lower()
    if known and 2 < len(name) < 60 and yes_or_no(name) is None:
        take_runtime_gpu(draft, name, line)


def _has_cards(draft: Draft) -> bool:
    return draft.has("/smi/gpus") or draft.has(f"{RUNTIME}/devices")


def _system(draft: Draft, value: str, line: Line) -> None:
    if not take_platform(draft, value, line) and system_of(value) is not None and len(value) < 80:
        draft.note("/host/system", system_of(value), line, by_hand=True)
        draft.note("/host/os_name", value, line, by_hand=True)


def _package(name: str) -> Taker:
    def take(draft: Draft, value: str, line: Line) -> None:
        found = re.match(r"v?(\d{1,4}\.\d[\w.+]{0,30})(?=$|[\s,;(`|])", value)
        if found is not None:
            draft.package(name, found[1], line)

    return take


_VERSION = r"(?:[ ._-]*(?:version|__version__|版本|バージョン|버전))?"
_AVAILABLE = (
    r".{0,20}(?:cuda|gpu)[ _]*(?:is )?[ _]*(?:available|可用|disponible|disponível|verfügbar).{0,12}"
    r"|torch\.cuda\.is_available(?:\(\))?|is cuda available\??"
)
_MPS = r".{0,20}\bmps (?:\([^()]{1,40}\) )?(?:is )?available|torch\.backends\.mps\.is_available(?:\(\))?"
_BUILT_WITH = r"cuda used to build pytorch|torch\.version\.cuda|(?:py)?torch cuda(?: version)?|cuda \(torch\)"
_GPU = (
    r"(?:nvidia )?(?:gpu|显卡|gpu型号|graphics card|video card|graphics|cuda 设备|cuda device|device name|card)s?"
    r"(?: ?(?:model|name|type|型号|\d))?"
)
_TAKERS: tuple[tuple[re.Pattern[str], Taker], ...] = tuple(
    (re.compile(pattern), take)
    for pattern, take in (
        (rf"(?:py)?torch{_VERSION}", _torch),
        (rf"python{_VERSION}", _python),
        (r"cuda(?: enabled)?", _cuda),
        (_AVAILABLE, _available),
        (_MPS, _mps),
        (_BUILT_WITH, _built_with),
        (rf"(?:nvidia[ -]*)?(?:gpu )?(?:driver|驱动|ドライバ|드라이버){_VERSION}", _driver),
        (_GPU, _gpu),
        (r"os|operating system|platform|系统|操作系统|平台|system", _system),
        (r"torchvision", _package("torchvision")),
        (r"torchaudio", _package("torchaudio")),
        (r"numpy(?: version)?", _package("numpy")),
        (r"triton", _package("triton")),
        (r"transformers(?: version)?", _package("transformers")),
    )
)


# Of these one stands in every label, or in a build that names itself.
_WORDS: tuple[str, ...] = (
    "torch",
    "python",
    "cuda",
    "mps",
    "gpu",
    "card",
    "graphics",
    "device name",
    "numpy",
    "triton",
)
_WORDS += ("transformers", "os", "operating system", "platform", "system", "系统", "平台", "显卡")
_WORDS += ("driver", "驱动", "ドライバ", "드라이버", "+c", "+rocm")


def _taker(label: str) -> Taker | None:
    label = label.strip("*_` ")
    return next((take for pattern, take in _TAKERS if pattern.fullmatch(label)), None)
