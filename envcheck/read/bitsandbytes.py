"""``python -m bitsandbytes`` and the report that bitsandbytes prints when it is imported.

Lines are those of bitsandbytes/diagnostics/main.py from 0.43 on, and of cuda_setup/main.py before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .draft import RUNTIME, Draft
from .labels import Take, read_labels
from .lines import Line, Text
from .openmmlab import package
from .torch_words import (
    take_available,
    take_libc,
    take_platform,
    take_python,
    take_torch_cuda,
    take_torch_hip,
    take_torch_version,
)

SIGNS = ("bitsandbytes v", "CUDA SETUP", "PyTorch settings found", "Highest Compute Capability")

_SETTINGS = re.compile(r"PyTorch settings found: CUDA_VERSION=(\d{2,3})\b")
_CAPABILITY = re.compile(r"[Hh]ighest [Cc]ompute [Cc]apability(?: among GPUs detected)?: \(?(\d{1,2})(?:\.|, )(\d)\)?")
_HEADING = re.compile(r"=+ bitsandbytes v(\d+\.\d+\S{0,20}) =+")


def _skip(draft: Draft, value: str, line: Line) -> None:
    """A label whose value is not wanted."""


def _platform(draft: Draft, value: str, line: Line) -> None:
    take_platform(draft, value, line)


def _cuda(draft: Draft, value: str, line: Line) -> None:
    if re.fullmatch(r"\d{1,2}\.\d|N/A", value):
        take_torch_cuda(draft, value, line)


def _hip(draft: Draft, value: str, line: Line) -> None:
    if re.match(r"\d|N/A", value):
        take_torch_hip(draft, value, line)


LABELS: Mapping[str, Take] = {
    "Platform": _platform,
    "libc": take_libc,
    "Python": take_python,
    "PyTorch": take_torch_version,
    "CUDA": _cuda,
    "HIP": _hip,
    "XPU": _skip,
    "Related packages": _skip,
    "accelerate": package("accelerate"),
    "numpy": package("numpy"),
    "triton": package("triton"),
    "transformers": package("transformers"),
    "peft": package("peft"),
}


def read(lines: Text, draft: Draft) -> None:
    """Read every such report of the text."""
    for at in lines.where(*SIGNS, "PyTorch says CUDA is not available", "ighest "):
        line = lines[at]
        heading = _HEADING.search(line.text)
        if heading is not None:
            draft.package("bitsandbytes", heading[1], line)
            read_labels(_block(lines, at + 1), draft, LABELS)
        settings = _SETTINGS.search(line.text)
        if settings is not None:
            take_torch_cuda(draft, f"{settings[1][:-1]}.{settings[1][-1]}", line)
        capability = _CAPABILITY.search(line.text)
        if capability is not None:
            _take_capability(draft, int(capability[1]) * 10 + int(capability[2]), line)
        if "PyTorch says CUDA is not available" in line.text:
            take_available(draft, "False", line)


def _block(lines: Text, start: int) -> Sequence[Line]:
    """The lines up to the rule that ends the environment's part."""
    for end in range(start, min(start + 60, len(lines))):
        if re.fullmatch(r"={20,}", lines[end].text.strip()):
            return lines[start:end]
    return lines[start : start + 25]


def _take_capability(draft: Draft, cc: int, line: Line) -> None:
    """The newest card's compute capability; its name is not told."""
    if draft.count(f"{RUNTIME}/devices") == 0 and draft.count("/smi/gpus") == 0:
        draft.unnamed_gpu(cc, line)
