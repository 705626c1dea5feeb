"""``ds_report``: DeepSpeed's general environment info, "label ....... value".

Labels are those of deepspeed/env_report.py from 0.3 to 0.17.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .draft import PYTHON, RUNTIME, Draft
from .labels import Take, read_labels
from .lines import Line, Text
from .torch_words import take_nvcc, take_torch_cuda, take_torch_hip, take_torch_version

SIGNS = (
    "DeepSpeed general environment info",
    "deepspeed wheel compiled",
    "torch cuda version ....",
    "torch install path",
)

DOTS = r"[ \t]*\.{2,60}[ \t]*"
_UNITS = {"KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


def _skip(draft: Draft, value: str, line: Line) -> None:
    """A label whose value is not wanted."""


def _path(draft: Draft, value: str, line: Line) -> None:
    found = re.search(r"['\"]([^'\"]{1,400})['\"]", value)
    if found is not None:
        draft.note(f"{RUNTIME}/origin", found[1], line)
        python = re.search(r"/python(\d\.\d{1,2})/", found[1])
        if python is not None:
            draft.note(f"{PYTHON}/version", python[1], line, by_hand=True)


def _version(draft: Draft, value: str, line: Line) -> None:
    take_torch_version(draft, value, line)
    draft.note(f"{RUNTIME}/imported", True, line)


def _memory(draft: Draft, value: str, line: Line) -> None:
    found = re.match(r"(\d+(?:\.\d+)?) ([KMGT]B)", value)
    if found is not None:
        draft.note("/host/shm_total_bytes", int(float(found[1]) * _UNITS[found[2]]), line)


LABELS: Mapping[str, Take] = {
    "torch install path": _path,
    "torch version": _version,
    "torch cuda version": take_torch_cuda,
    "torch hip version": take_torch_hip,
    "nvcc version": take_nvcc,
    "deepspeed install path": _skip,
    "deepspeed info": _skip,
    "deepspeed wheel compiled w\\.": _skip,
    "shared memory \\(/dev/shm\\) size": _memory,
}


def read(lines: Text, draft: Draft) -> None:
    """Read every such report of the text."""
    read_labels(lines, draft, LABELS, DOTS)
