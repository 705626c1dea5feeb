"""``collect_env`` of MMCV, MMEngine and the OpenMMLab projects.

Labels are those of mmcv/utils/env.py and mmengine/utils/dl_utils/collect_env.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .draft import Draft
from .labels import Take, read_labels
from .lines import Line, Text
from .torch_words import (
    take_available,
    take_gcc,
    take_nvcc,
    take_python,
    take_runtime_gpu,
    take_sys_platform,
    take_torch_version,
)
from .values import is_nothing, version_in

SIGNS = ("sys.platform", "PyTorch compiling details", "MMCV CUDA Compiler")


def _skip(draft: Draft, value: str, line: Line) -> None:
    """A label whose value is not wanted."""


def _gpus(draft: Draft, value: str, line: Line) -> None:
    """``GPU 0,1,2: Tesla V100``: cards of one name stand on one line."""
    numbers = re.match(r"GPU ([\d,]+)", line.text)
    for index in (numbers[1].split(",") if numbers else [])[:256]:
        if index.isdigit():
            take_runtime_gpu(draft, value, line, int(index))


def _nvcc(draft: Draft, value: str, line: Line) -> None:
    take_nvcc(draft, value, line)


def _cuda_home(draft: Draft, value: str, line: Line) -> None:
    draft.note("/toolkit/cuda_home", None if is_nothing(value) else value, line)


def package(name: str) -> Take:
    """A label whose value is a package's version."""

    def take(draft: Draft, value: str, line: Line) -> None:
        version = version_in(value)
        if version is not None:
            draft.package(name, version, line)

    return take


LABELS: Mapping[str, Take] = {
    "sys\\.platform": take_sys_platform,
    "Python": take_python,
    "CUDA available": take_available,
    "(?:MUSA|SUPA|MLU|NPU) available": _skip,
    "numpy_random_seed": _skip,
    "GPU [\\d,]+": _gpus,
    "CUDA_HOME": _cuda_home,
    "NVCC": _nvcc,
    "GCC": take_gcc,
    "MSVC": _skip,
    "PyTorch": take_torch_version,
    "PyTorch compiling details": _skip,
    "TorchVision": package("torchvision"),
    "OpenCV": _skip,
    "MMEngine": package("mmengine"),
    "MMCV": package("mmcv"),
    "MMCV Compiler": _skip,
    "MMCV CUDA Compiler": _skip,
    "MMDetection": package("mmdet"),
}


def read(lines: Text, draft: Draft) -> None:
    """Read every such block of the text."""
    read_labels(lines, draft, LABELS)
