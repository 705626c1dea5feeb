"""``torch.__config__.show()``, as MMCV, detectron2 and people print it: how torch itself was built.

PyTorch built with:
  - CUDA Runtime 11.8
  - NVCC architecture flags: -gencode;arch=compute_37,code=sm_37;...
  - CuDNN 8.7
  - Build settings: BLAS_INFO=mkl, ..., USE_CUDA=ON, ...
"""

from __future__ import annotations

import re

from .draft import TORCH, Draft
from .lines import Line, Text
from .torch_words import take_torch_cuda, take_torch_version

SIGNS = ("PyTorch built with", "NVCC architecture flags", "CUDA Runtime ", "Build settings:")

_TARGET = re.compile(r"code=((?:sm|compute)_\d{2,3}[af]?)")
_RUNTIME = re.compile(r"- CUDA Runtime (\d+\.\d+)")
_CUDNN = re.compile(r"- CuDNN (\d+)\.(\d+)(?:\.(\d+))?")
_HIP = re.compile(r"- HIP Runtime (\d+\.\d+(?:\.\d+)?)")


def read(lines: Text, draft: Draft) -> None:
    """Read what torch was compiled with."""
    for line in lines.holding(*SIGNS, "- CuDNN ", "- HIP Runtime ", once=True):
        text = line.text
        runtime = _RUNTIME.search(text)
        if runtime is not None:
            take_torch_cuda(draft, runtime[1], line)
        if "NVCC architecture flags" in text:
            targets = list(dict.fromkeys(_TARGET.findall(text)))
            # A line that was cut may have lost targets; an empty rest of one is no list at all.
            if targets and not text.rstrip().endswith(("...", "[...]")):
                draft.note(f"{TORCH}/arch_list", targets, line)
        _cudnn(draft, line)
        hip = _HIP.search(text)
        if hip is not None:
            draft.note(f"{TORCH}/hip", hip[1], line)
        if "Build settings:" in text:
            _settings(draft, line)


def _cudnn(draft: Draft, line: Line) -> None:
    found = _CUDNN.search(line.text)
    if found is None:
        return
    major, minor = int(found[1]), int(found[2])
    if major >= 90:  # cuDNN 9 counts in ten-thousands, which this line of torch does not know: 90100 shows as 90.1
        major //= 10
    draft.note(f"{TORCH}/cudnn", f"{major}.{minor}", line, by_hand=True)


def _settings(draft: Draft, line: Line) -> None:
    settings = dict(re.findall(r"\b([A-Z][A-Z0-9_]{2,40})=([^,\s]{1,60})", line.text))
    if settings.get("USE_CUDA", "").upper() in ("0", "OFF") and settings.get("USE_ROCM", "OFF").upper() in ("0", "OFF"):
        take_torch_cuda(draft, "None", line)
    if "CUDA_VERSION" in settings:
        take_torch_cuda(draft, settings["CUDA_VERSION"], line, by_hand=True)
    if "CUDNN_VERSION" in settings:
        draft.note(f"{TORCH}/cudnn", settings["CUDNN_VERSION"], line)
    if "TORCH_VERSION" in settings:
        take_torch_version(draft, settings["TORCH_VERSION"], line, by_hand=True)
