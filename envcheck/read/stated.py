"""Versions and answers that a person wrote down: "- PyTorch: 2.3", "CUDA available: True", "驱动：535.104".

The last to be believed: whatever a tool printed elsewhere in the text comes first.  Only what has the form of a fact is
taken (a whole version, yes or no, a card's full name), never a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from .draft import RUNTIME, Draft
from .labels import plain
from .lines import Line
from .torch_words import (
    take_available,
    take_driver,
    take_platform,
    take_python,
    take_runtime_gpu,
    take_torch_cuda,
    take_torch_version,
)
from .values import maker_of, system_of, yes_or_no

SIGNS = (":", "：", "=", "torch", "Torch", "|")

_LABELLED = re.compile(
    r"^[\s>#*_`+•·-]{0,20}(?P<label>[^\W\d_][^:：=|<>{}\n]{0,50}?)[*_`]{0,3}\s{0,40}(?:[:：]|={1,2}|\|)\s{0,40}(?P<value>[^\n]{1,300}?)\|?\s*$"
)
# A build that names itself can only come from a tool: "PyTorch 2.13.0+cpu" in a sentence is a printed version.
_NAMED_BUILD = re.compile(
    r"\b(?:[Pp]y)?[Tt]orch(?:[ _-]?version)?[\s:=`'\"(*-]{1,6}"
    r"v?(\d+\.\d+\.\d+(?:\.?\w{2,20})?\+(?:cpu|cu\d{2,3}|rocm[\d.]{1,8}))\b"
)
_BARE_BUILD = re.compile(r"^\s*['\"`]?(\d\.\d{1,2}\.\d\+(?:cpu|cu\d{2,3}|rocm[\d.]{1,8}))['\"`]?\s*$")


_REQUIREMENT = re.compile(r"\s*(?!pytorch)[\w.-]+==")
"""``torch==2.1`` alone is a wish; the lists of pip are read with their headings.  (pip knows no "pytorch".)"""


def read(lines: Sequence[Line], draft: Draft) -> None:
    """Read labelled lines, then builds that are named in prose."""
    for line in lines:
        found = _LABELLED.match(line.text) if len(line.text) < 400 else None
        if found is not None and not _REQUIREMENT.match(line.text):
            take = _taker(found["label"].strip().lower())
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


def _python(draft: Draft, value: str, line: Line) -> None:
    if re.match(r"v?\d\.\d{1,2}(?:\.\d{1,2})?(?=$|[\s,;(`|])", value):
        take_python(draft, value, line, by_hand=True)


def _driver(draft: Draft, value: str, line: Line) -> None:
    if re.match(r"(?:NVIDIA |nvidia[-/]|v)?\d{3}\.\d{2}", value):
        take_driver(draft, value, line, by_hand=True)


def _gpu(draft: Draft, value: str, line: Line) -> None:
    name = re.split(r"[，,;；(（]|\s[x×]\s?\d|\s-\s", value)[0].strip().strip("`*")
    many = re.match(r"(\d{1,2})\s?[x×*]\s+(\S.{2,60})$", name)
    if many is not None:
        name = many[2]
    known = maker_of(name) is not None or "设备" in line.text or "device" in line.text.lower()
    if known and 2 < len(name) < 60 and yes_or_no(name) is None and not _has_cards(draft):
        take_runtime_gpu(draft, name, line)


def _has_cards(draft: Draft) -> bool:
    return draft.has("/smi/gpus") or draft.has(f"{RUNTIME}/devices")


def _system(draft: Draft, value: str, line: Line) -> None:
    if not take_platform(draft, value, line) and system_of(value) is not None and len(value) < 80:
        draft.note("/host/system", system_of(value), line, by_hand=True)
        draft.note("/host/os_name", value, line, by_hand=True)


def _package(name: str) -> Callable[[Draft, str, Line], None]:
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
_BUILT_WITH = r"cuda used to build pytorch|torch\.version\.cuda|(?:py)?torch cuda(?: version)?|cuda \(torch\)"
_GPU = (
    r"(?:nvidia )?(?:gpu|显卡|gpu型号|graphics card|video card|graphics|cuda 设备|cuda device|device name|card)s?"
    r"(?: ?(?:model|name|type|型号|\d))?"
)
_TAKERS: tuple[tuple[re.Pattern[str], Callable[[Draft, str, Line], None]], ...] = tuple(
    (re.compile(pattern), take)
    for pattern, take in (
        (rf"(?:py)?torch{_VERSION}", _torch),
        (rf"python{_VERSION}", _python),
        (r"cuda(?: enabled)?", _cuda),
        (_AVAILABLE, _available),
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


def _taker(label: str) -> Callable[[Draft, str, Line], None] | None:
    label = label.strip("*_` ")
    return next((take for pattern, take in _TAKERS if pattern.fullmatch(label)), None)
