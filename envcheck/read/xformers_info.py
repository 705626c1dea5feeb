"""``python -m xformers.info``, and xFormers' own warning about the torch that it was built for.

Labels are those of xformers/info.py from 0.0.14 to 0.0.32.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .draft import Draft
from .labels import Take, read_labels
from .lines import Line, Text
from .torch_words import take_available, take_python, take_runtime_gpu, take_torch_version

SIGNS = ("pytorch.version:", "pytorch.cuda:", "xFormers was built for", "(you have ", "build.torch_version")

_BUILT_FOR = re.compile(r"PyTorch (\S{1,60}) with CUDA (\S{1,20}) \(you have (\S{1,60})\)")
_PYTHON = re.compile(r"Python\s+\d\S{1,20} \(you have (\d\S{1,20})\)")


def _skip(draft: Draft, value: str, line: Line) -> None:
    """A label whose value is not wanted."""


def _build_python(draft: Draft, value: str, line: Line) -> None:
    # The wheel's own build; the same Python for every build from source, and of the same minor version else.
    take_python(draft, value, line, by_hand=True)


LABELS: Mapping[str, Take] = {
    "is_triton_available": _skip,
    "pytorch\\.version": take_torch_version,
    "pytorch\\.cuda": take_available,
    "gpu\\.compute_capability": _skip,
    "gpu\\.name": _skip,
    "build\\.info": _skip,
    "build\\.cuda_version": _skip,
    "build\\.hip_version": _skip,
    "build\\.nvcc_version": _skip,
    "build\\.python_version": _build_python,
    "build\\.torch_version": _skip,
}


def read(lines: Text, draft: Draft) -> None:
    """Read every such list, and the warning's "you have"."""
    read_labels(lines, draft, LABELS)
    _card(lines, draft)
    _itself(lines, draft)
    for line in lines.holding("(you have "):
        found = _BUILT_FOR.search(line.text)
        if found is not None:
            take_torch_version(draft, found[3], line)
        python = _PYTHON.search(line.text)
        if python is not None:
            take_python(draft, python[1], line)


def _card(lines: Text, draft: Draft) -> None:
    """The card's name and compute capability stand on two lines, in this order or the other."""
    name = _value(lines, "gpu.name:", r"gpu\.name:\s+(\S.{0,80})$")
    cc = _value(lines, "gpu.compute_capability:", r"gpu\.compute_capability:\s+(\d{1,2}\.\d)\s*$")
    if name is not None:
        number = int(cc[0].replace(".", "")) if cc is not None else None
        take_runtime_gpu(draft, name[0], name[1], 0, number)


def _itself(lines: Text, draft: Draft) -> None:
    version = _value(lines, "xFormers ", r"^\s*xFormers (\d+\.\d+\S{0,40})\s*$")
    if version is not None:
        nvcc = _value(lines, "build.nvcc_version:", r"build\.nvcc_version:\s+(\d+\.\d\S{0,20})\s*$")
        more = {} if nvcc is None else {"cuda_compiler": nvcc[0]}
        draft.package("xformers", version[0], version[1], **more)


def _value(lines: Text, word: str, pattern: str) -> tuple[str, Line] | None:
    compiled = re.compile(pattern)
    for line in lines.holding(word, once=True):
        found = compiled.search(line.text)
        if found is not None:
            return found[1].strip(), line
    return None
