"""``python -m torch.utils.collect_env`` of every generation, and vLLM's and other projects' copies of it.

Labels are those of torch/utils/collect_env.py from 0.4 to 2.14 and of vllm/collect_env.py in both of its layouts
("label: value", and "label      : value" below headings).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .draft import PYTHON, Draft
from .labels import Take, plain, read_labels
from .lines import Line, Text
from .packages import take_conda_row
from .torch_words import (
    cannot_list_gpus,
    take_available,
    take_cudnn,
    take_driver,
    take_gcc,
    take_libc,
    take_listed_gpu,
    take_nvcc,
    take_os,
    take_platform,
    take_python,
    take_torch_cuda,
    take_torch_hip,
    take_torch_version,
)
from .values import is_nothing, maker_of

SIGNS = (
    "Is CUDA available",
    "CUDA used to build PyTorch",
    "GPU models and configuration",
    "Nvidia driver version",
    "Is debug build",
    "CUDA runtime version",
    "[pip3]",
    "[pip]",
    "[conda]",
)


def _skip(draft: Draft, value: str, line: Line) -> None:
    """A label that ends the value before it and tells nothing that is wanted."""


def _torch(draft: Draft, value: str, line: Line) -> None:
    if value.strip() == "N/A":  # torch could not be imported by the tool
        draft.note("/interpreters/0/runtime/imported", False, line)
    else:
        take_torch_version(draft, value, line)


def _cuda(draft: Draft, value: str, line: Line) -> None:
    # "Could not collect" is what the tool prints for torch.version.cuda = None beside a GPU or driver that it found.
    take_torch_cuda(draft, value, line)


def _nvcc(draft: Draft, value: str, line: Line) -> None:
    if not is_nothing(value):
        take_nvcc(draft, value, line)


def _platform(draft: Draft, value: str, line: Line) -> None:
    take_platform(draft, value, line)
    # On a Mac the platform is the interpreter's own: under Rosetta it is another one than the processor's.
    built_for = re.match(r"macOS-[\d.]{2,10}-(arm64|x86_64)\b", value)
    if built_for is not None:
        draft.note(f"{PYTHON}/machine", built_for[1], line)


def _models(draft: Draft, value: str, line: Line) -> None:
    """The value of "GPU models and configuration" where it is one name, or none at all."""
    if is_nothing(value):
        if value:
            cannot_list_gpus(draft, value, line)
        return
    if not value.startswith("GPU "):
        take_listed_gpu(draft, value, line)


def _gpu(draft: Draft, value: str, line: Line) -> None:
    number = re.match(r"GPU (\d+)", line.text)
    if maker_of(value) is not None or "GPU models" not in line.text:
        take_listed_gpu(draft, value, line, int(number[1]) if number else None)


def _allocator(draft: Draft, value: str, line: Line) -> None:
    if not is_nothing(value) and ":" in value:
        draft.variable("PYTORCH_CUDA_ALLOC_CONF", value, line)


LABELS: Mapping[str, Take] = {
    "PyTorch version": _torch,
    "Is debug build": _skip,
    "CUDA used to build PyTorch": _cuda,
    "ROCM used to build PyTorch": take_torch_hip,
    "XPU used to build PyTorch": _skip,
    "OS": take_os,
    "GCC version": take_gcc,
    "Clang version": _skip,
    "CMake version": _skip,
    "Libc version": take_libc,
    "Python version": take_python,
    "Python platform": _platform,
    "Is CUDA available": take_available,
    "CUDA runtime version": _nvcc,
    "CUDA_MODULE_LOADING set to": _skip,
    "GPU models and configuration": _models,
    r"GPU \d{1,3}": _gpu,
    "Nvidia driver version": take_driver,
    "cuDNN version": take_cudnn,
    "Is XPU available": _skip,
    "HIP runtime version": _skip,
    "MIOpen runtime version": _skip,
    "Is XNNPACK available": _skip,
    "Caching allocator config": _allocator,
    "CPU": _skip,
    "Architecture": _skip,
    "Versions of relevant libraries": _skip,
    "Intel GPU driver version": _skip,
    "Intel GPU models onboard": _skip,
    "Intel GPU models detected": _skip,
    "vLLM Version": _skip,
    "ROCM Version": _skip,
    "Neuron SDK Version": _skip,
    "GPU Topology": _skip,
}

_PIP = re.compile(r"\[pip3?\][ \t]{1,4}([A-Za-z0-9][\w.-]{0,80}?)[ =]=([^\s,;]{1,60})")
_CONDA = re.compile(
    r"\[conda\][ \t]{1,4}([a-z0-9_][\w.-]{0,80})[ \t]+(\d[^\s]{0,40})(?:[ \t]+(\S{1,60}))?(?:[ \t]+(\S{1,80}))?"
)
_APPLE = re.compile(r"\s{0,8}(?:CPU:\s{1,8})?(Apple M\d{1,2}(?: (?:Pro|Max|Ultra))?)\s{0,8}")
_LIBRARY = re.compile(r"\s*/\S{1,300}/libcudnn\w*\.so\.\d+\.\d+\.\d+")


def read(lines: Text, draft: Draft) -> None:
    """Read every such block of the text."""
    if read_labels(lines, draft, LABELS):
        _processor(lines, draft)
    for line in lines.holding("[pip", "[conda]", "/libcudnn"):
        if "[pip" in line.text:
            for name, version in _PIP.findall(line.text):
                if not version.endswith(".."):
                    draft.package(name, plain(version), line)
        elif "[conda]" in line.text:
            for name, version, build, channel in _CONDA.findall(line.text):
                take_conda_row(draft, name, version, build or None, channel or None, line)
        elif "/libcudnn" in line.text and _LIBRARY.match(line.text):
            take_cudnn(draft, line.text, line)


def _processor(lines: Text, draft: Draft) -> None:
    """On a Mac the line below "CPU:" is the name that the processor gives itself, under Rosetta as well."""
    for line in lines.holding("Apple M", once=True):
        named = _APPLE.fullmatch(line.text)
        if named is not None:
            draft.note("/host/cpu_model", named[1], line)
            draft.note("/host/apple_silicon", True, line)
            return
