"""``numba -s``: numba's system information.

Labels are those of numba/misc/numba_sysinfo.py from 0.39 to 0.62.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .draft import Draft
from .labels import Take, read_labels
from .lines import Line, Text
from .openmmlab import package
from .torch_words import take_listed_gpu, take_os, take_platform, take_python
from .values import yes_or_no

SIGNS = ("__CUDA Information__", "CUDA Device Initialized", "__Hardware Information__", "__Python Information__")

_DEVICE = re.compile(r"^\s*id (\d{1,3})\s+b?['\"]([^'\"]{2,80})['\"]\s+\[(SUPPORTED|NOT SUPPORTED)")
_CAPABILITY = re.compile(r"compute capability:\s*\(?(\d{1,2})[.,]\s?(\d)")


def _skip(draft: Draft, value: str, line: Line) -> None:
    """A label whose value is not wanted."""


def _machine(draft: Draft, value: str, line: Line) -> None:
    if re.fullmatch(r"[\w-]{2,20}", value):
        draft.note("/host/machine", value, line)


def _platform(draft: Draft, value: str, line: Line) -> None:
    take_platform(draft, value, line)


def _initialised(draft: Draft, value: str, line: Line) -> None:
    answer = yes_or_no(value)
    if answer is not None:
        draft.note("/cuda/reported", answer, line)


def _driver_level(draft: Draft, value: str, line: Line) -> None:
    """The newest CUDA that the driver runs: ``12.2``, ``(11, 4)`` or ``11040``."""
    number = re.match(r"\(?(\d{1,2})[.,]\s?(\d)\)?$", value)
    if number is not None:
        draft.note("/cuda/driver_version", int(number[1]) * 1000 + int(number[2]) * 10, line)
    elif re.fullmatch(r"\d{4,5}", value):
        draft.note("/cuda/driver_version", int(value), line)


LABELS: Mapping[str, Take] = {
    "Machine": _machine,
    "CPU Name": _skip,
    "Platform Name": _platform,
    "Platform": _platform,
    "Platform Release": _skip,
    "OS Name": take_os,
    "System Name": take_os,
    "Python Compiler": _skip,
    "Python Implementation": _skip,
    "Python Version": take_python,
    "CUDA Device Initialized": _initialised,
    "CUDA Driver Version": _driver_level,
    "CUDA Runtime Version": _skip,
    "Numba Version": package("numba"),
    "NumPy Version": package("numpy"),
}


def read(lines: Text, draft: Draft) -> None:
    """Read every such report of the text."""
    read_labels(lines, draft, LABELS)
    for at in lines.where("CUDA driver library cannot be found", "[SUPPORTED", "[NOT SUPPORTED"):
        line = lines[at]
        if "CUDA driver library cannot be found or no CUDA enabled devices" in line.text:
            draft.note("/cuda/reported", False, line)
        device = _DEVICE.match(line.text)
        if device is not None:
            found = next((m for near in lines[at + 1 : at + 5] if (m := _CAPABILITY.search(near.text))), None)
            more = {} if found is None else {"compute_capability": int(found[1]) * 10 + int(found[2])}
            take_listed_gpu(draft, device[2], line, int(device[1]), **more)
