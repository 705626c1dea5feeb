"""What a text tells of in passing: the only card and the only torch that it names, and the versions of the driver's two
halves.

A sentence is no measurement, so this is asked last, and it counts only where it is unambiguous: one card, one version.
"""

from __future__ import annotations

import re

from envcheck.compat.gpus import gpu_by_name
from envcheck.compat.rows import Gpu
from envcheck.facts import Symptom

from .circumstances import NO_GPU
from .draft import PYTHON, RUNTIME, TORCH, Draft
from .lines import Line, Text
from .python_session import ASKED_AND_FALSE
from .torch_words import take_available, take_runtime_gpu, take_torch_cuda, take_torch_version

SIGNS = (
    "RTX",
    "GTX",
    "GeForce",
    "Tesla",
    "Quadro",
    "NVIDIA ",
    "nvidia-",
    "torch",
    "Torch",
    "module",
    "librar",
    "userspace",
    "user-space",
)

_CARD = re.compile(
    r"\b(?:NVIDIA )?(?:(?:GeForce )?[RG]TX ?(?:PRO )?[A-Z]?\d{3,4}(?: ?(?:Ti|SUPER|Super|D|Ada))?(?: SUPER)?"
    r"(?: Laptop GPU)?|(?:Tesla )?(?:V100|P100|P40|P4|T4|K80|M40|M60)\b"
    r"|(?:NVIDIA )?(?:A100|A800|H100|H800|H200|B200|L40S?|L4|A10G?|A40|A30|A6000)\b"
    r"|TITAN (?:V|RTX|Xp|X)\b|Quadro [A-Z]{1,3}\d{3,4})"
)
_MODELS: tuple[str, ...] = ("RTX", "GTX", "TITAN ", "Quadro ", "V100", "P100", "P40", "P4", "T4", "K80", "M40", "M60")
_MODELS += ("A100", "A800", "H100", "H800", "H200", "B200", "L4", "A10", "A40", "A30", "A6000")
_TORCH = re.compile(
    r"\b(?:[Pp]y[Tt]orch|torch)(?: version|:| |\s?v| \()?\s?[`'\"*]{0,2}(\d\.\d{1,2}\.\d)(?:\+(cpu|cu\d{2,3}))?"
    r"(?!\.?\d)"
)
_WISH = re.compile(
    r"\b(?:requires?|required|requirement|install|need(?:s|ed)?|want(?:s|ed)?|recommend(?:s|ed)?|supports?|built for"
    r"|compiled)\b|you have|[<>]="
)
"""A line that asks for a version, or tells another one's, does not say which one is there."""
_IMAGE = re.compile(r"\bpytorch/pytorch:(\d\.\d{1,2}\.\d)-cuda(\d{1,2}\.\d)-cudnn\d")
_WHEEL = re.compile(
    r"\b(nvidia-[a-z]{3,12}(?:-[a-z]{3,10})?-cu1[1-3])[ =@`'\"v*]{1,6}(\d{1,2}(?:\.\d{1,4}){2,3})(?!\.?\d)"
)
_SAID_FALSE = re.compile(
    r"is_available\(\)[`'\")]{0,4}[^\n`]{0,24}?(?:\b(?:gives|returns?|returned|returning|is|was|prints?|printed)\b|==?|->|→|:)"
    r"\s{0,3}[`'\"*]{0,2}(?:False|FALSE|false)\b"
    r"|is_available\(\)[`'\")]{0,4}[^\n`]{0,12}?(?:是|为|返回|输出|显示|が|は)\s{0,3}[`'\"*]{0,2}(?:False|FALSE|false)\b"
)
_CONDITION = re.compile(r"\b(?:if|when|whether|unless|assert|check)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d{3}\.\d")
_VERSION = r"(?P<{0}>\d{{3}}\.\d{{2,3}}(?:\.\d{{2}})?)(?!\.?\d)"
_MODULE = re.compile(r"\b(?:kernel )?module\b[^.;\n]{0,60}?[\s`'\"*|(]" + _VERSION.format("version"))
_LIBRARY = re.compile(
    r"\b(?:user-?space|user-?land|librar(?:y|ies)|libs)\b[^.;\n]{0,60}?[\s`'\"*|(]" + _VERSION.format("version")
)


def read(lines: Text, draft: Draft) -> None:
    """Read what is told in passing."""
    _wheels(lines, draft)
    _halves(lines, draft)
    _answer(lines, draft)
    if not draft.has(f"{TORCH}/version"):
        _torch(lines, draft)
    if not draft.has("/smi/gpus") and not draft.has(f"{PYTHON}/runtime/devices"):
        _card(lines, draft)


def _answer(lines: Text, draft: Draft) -> None:
    """ "`torch.cuda.is_available()` returns `False`": the answer of somebody who wants CUDA, told in a sentence."""
    if draft.has(f"{RUNTIME}/available"):
        return
    for line in lines.holding("is_available()", once=True):
        found = _SAID_FALSE.search(line.text)
        if found is not None and not _CONDITION.search(line.text[: found.start()]):
            if any(NO_GPU.search(text) for text in lines.texts):
                return  # and so it should be
            take_available(draft, "False", line, by_hand=True)
            draft.symptoms.append(Symptom(id=ASKED_AND_FALSE, text=found[0], source=f"line {line.number}", values=[]))
            return


def _card(lines: Text, draft: Draft) -> None:
    named: dict[str, tuple[str, Line]] = {}
    looked_up: set[str] = set()  # a log names its card on every line
    for line in lines.holding(*_MODELS, once=True):
        for found in _CARD.finditer(line.text):
            if found[0] in looked_up:
                continue
            looked_up.add(found[0])
            row = gpu_by_name(found[0])
            if isinstance(row, Gpu):
                named.setdefault(row.name, (found[0].strip(), line))
            if len(named) > 1:
                return
    for name, line in named.values():
        take_runtime_gpu(draft, name, line)


def _torch(lines: Text, draft: Draft) -> None:
    named: dict[str, tuple[str | None, Line]] = {}
    for line in lines.holding("torch", "Torch", once=True):
        for version, cuda in _IMAGE.findall(line.text):
            named.setdefault(version, (cuda, line))
        told = _TORCH.findall(line.text)
        for version, build in told if told and not _WISH.search(line.text) else ():
            named.setdefault(f"{version}+{build}" if build else version, (None, line))
        if len({version.partition("+")[0] for version in named}) > 1:
            return
    for version, (cuda, line) in sorted(named.items(), key=lambda item: "+" not in item[0]):
        take_torch_version(draft, version, line, by_hand=True)
        if cuda is not None:
            take_torch_cuda(draft, cuda, line, by_hand=True)


def _wheels(lines: Text, draft: Draft) -> None:
    for line in lines.holding("nvidia-", once=True):
        for name, version in _WHEEL.findall(line.text):
            draft.package(name, version, line)


def _halves(lines: Text, draft: Draft) -> None:
    """The kernel module and the user libraries, each with its version; a sentence may go over two lines."""
    for at in lines.where("module", "librar", "user", "libs"):
        line = lines[at]
        after = lines.texts[at + 1] if at + 1 < len(lines) else ""
        sentence = f"{line.text[-400:]} {after.strip()[:200]}"
        if not _NUMBER.search(sentence):
            continue
        module, library = _MODULE.search(sentence), _LIBRARY.search(sentence)
        if module is not None:
            draft.note("/driver/sys_module", module["version"], line, by_hand=True)
        if library is not None:
            draft.driver_library(library["version"], line)
