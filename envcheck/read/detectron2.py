"""``python -m detectron2.utils.collect_env``: a table of two columns, printed by ``tabulate``.

Labels are those of detectron2/utils/collect_env.py from 0.1 to 0.6 and of the projects that copied it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .draft import Draft
from .labels import Take, read_labels
from .lines import JOINED_FROM, Line, Text
from .openmmlab import package
from .torch_words import (
    take_available,
    take_driver,
    take_python,
    take_runtime_gpu,
    take_sys_platform,
    take_torch_version,
)
from .values import is_nothing

SIGNS = ("DETECTRON2_ENV_MODULE", "detectron2._C", "detectron2 arch flags", "PyTorch debug build", "sys.platform")

COLUMNS = r"[ \t]{2,120}"
_ONE_BLANK = r"[ \t]{1,120}"


def _skip(draft: Draft, value: str, line: Line) -> None:
    """A label whose value is not wanted."""


def _gpus(draft: Draft, value: str, line: Line) -> None:
    """``GPU 0,1   Tesla V100-SXM2-32GB (arch=7.0)``."""
    numbers = re.match(r"GPU ([\d,]+)", line.text)
    found = re.match(r"(?P<name>.+?)(?:\s*\(arch=(?P<major>\d{1,2})\.(?P<minor>\d)\))?\s*$", value)
    if numbers is None or found is None:
        return
    cc = int(found["major"]) * 10 + int(found["minor"]) if found["major"] else None
    for index in numbers[1].split(",")[:256]:
        if index.isdigit():
            take_runtime_gpu(draft, found["name"], line, int(index), cc)


def _cuda_home(draft: Draft, value: str, line: Line) -> None:
    path = value.removesuffix(" - invalid!")
    draft.note("/toolkit/cuda_home", None if is_nothing(path) else path, line)
    if path != value:
        draft.note("/toolkit/cuda_home_exists", False, line)


def _arch_list(draft: Draft, value: str, line: Line) -> None:
    draft.variable("TORCH_CUDA_ARCH_LIST", value, line)


LABELS: Mapping[str, Take] = {
    "sys\\.platform": take_sys_platform,
    "Python": take_python,
    "numpy": package("numpy"),
    "detectron2": package("detectron2"),
    "detectron2\\._C": _skip,
    "Compiler(?: \\(\\$CXX\\))?": _skip,
    "CUDA compiler": _skip,
    "detectron2 arch flags": _skip,
    "DETECTRON2_ENV_MODULE": _skip,
    "PyTorch": take_torch_version,
    "PyTorch debug build": _skip,
    "torch\\._C\\._GLIBCXX_USE_CXX11_ABI": _skip,
    "(?:GPU|CUDA) available": take_available,
    "GPU [\\d,]+": _gpus,
    "Driver version": take_driver,
    "CUDA_HOME": _cuda_home,
    "ROCM_HOME": _skip,
    "TORCH_CUDA_ARCH_LIST": _arch_list,
    "Pillow": _skip,
    "torchvision": package("torchvision"),
    "torchvision arch flags": _skip,
    "torchvision\\._C": _skip,
    "fvcore": package("fvcore"),
    "iopath": package("iopath"),
    "cv2": _skip,
}


def read(lines: Text, draft: Draft) -> None:
    """Read every such table of the text; where an archive joined its lines, one blank parts the columns."""
    tables = lines.holding("  ")
    read_labels(tables, draft, LABELS, COLUMNS)
    joined = [line for line in lines.holding("PyTorch debug build") if len(line.text) > JOINED_FROM]
    read_labels(joined, draft, LABELS, _ONE_BLANK)
