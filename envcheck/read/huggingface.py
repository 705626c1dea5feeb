"""``transformers env``, ``diffusers-cli env``, ``accelerate env`` and what copies them (PEFT, TRL, LLaMA-Factory).

Labels are those of the env commands of transformers 4.0 to 5, diffusers, accelerate 0.10 to 1.12, trl and
llamafactory: Markdown lists of "- label: value".
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from .draft import Draft
from .labels import Take, read_labels
from .lines import Line, Text
from .torch_words import (
    take_available,
    take_listed_gpu,
    take_platform,
    take_python,
    take_runtime_gpu,
    take_torch_version,
    take_version_and_available,
)
from .values import is_nothing, version_in

SIGNS = (
    "version (GPU?)",
    "version (accelerator?)",
    "Accelerate` version",
    "transformers` version",
    "diffusers` version",
    "llamafactory` version",
    "PyTorch accelerator",
    "Huggingface_hub version",
)


def _skip(draft: Draft, value: str, line: Line) -> None:
    """A label whose value is not wanted."""


def _package(name: str) -> Take:
    def take(draft: Draft, value: str, line: Line) -> None:
        version = version_in(value)
        if version is not None and not is_nothing(value):
            draft.package(name, version, line)

    return take


def _platform(draft: Draft, value: str, line: Line) -> None:
    take_platform(draft, value, line)


def _torch(draft: Draft, value: str, line: Line) -> None:
    if re.search(r"\((?:GPU|NPU|MPS)\)\s*$", value):  # LLaMA-Factory names the kind of device
        take_torch_version(draft, value, line)
        if "(GPU)" in value:
            take_available(draft, "True", line)
        return
    take_version_and_available(draft, value, line)


def _accelerator(draft: Draft, value: str, line: Line) -> None:
    if value.split(" ")[0] in ("CUDA", "cuda"):
        take_available(draft, "True", line)


def _cards(draft: Draft, value: str, line: Line) -> None:
    """diffusers: nvidia-smi's CSV of name and memory, ``NVIDIA A100-SXM4-80GB, 81920 MiB VRAM``."""
    for name, mib in re.findall(r"([^,\n]{3,80}?), (\d{3,7}) MiB(?: VRAM)?", value):
        take_listed_gpu(draft, name.strip(), line, memory_total_bytes=int(mib) << 20)


def _kind(draft: Draft, value: str, line: Line) -> None:
    if not is_nothing(value):
        take_runtime_gpu(draft, value, line)


LABELS: Mapping[str, Take] = {
    "`?[Tt]ransformers`? version": _package("transformers"),
    "`?[Aa]ccelerate`? version": _package("accelerate"),
    "`?[Dd]iffusers`? version": _package("diffusers"),
    "`?[Ll]lamafactory`? version": _package("llamafactory"),
    "Platform": _platform,
    "`accelerate` bash location": _skip,
    "Running on a notebook\\?": _skip,
    "Running on Google Colab\\?": _skip,
    "Python version": take_python,
    "[Nn]umpy version": _package("numpy"),
    "PyTorch version \\(GPU\\?\\)": take_version_and_available,
    "PyTorch version \\(accelerator\\?\\)": take_version_and_available,
    "PyTorch version": _torch,
    "PyTorch accelerator": _accelerator,
    "PyTorch (?:XPU|NPU|MLU|MUSA|SDAA|HPU) available": _skip,
    "System RAM": _skip,
    "GPU type": _kind,
    "GPU number": _skip,
    "Accelerator": _cards,
    "CUDA device\\(s\\)": _kind,
    "Huggingface_hub version": _package("huggingface-hub"),
    "Safetensors version": _package("safetensors"),
    "Accelerate config": _skip,
    "DeepSpeed version": _package("deepspeed"),
    "PEFT version": _package("peft"),
    "xFormers version": _package("xformers"),
    "[Bb]itsandbytes version": _package("bitsandbytes"),
    "Tensorflow version \\(GPU\\?\\)": _package("tensorflow"),
    "Flax version \\(CPU\\?/GPU\\?/TPU\\?\\)": _package("flax"),
    "Jax version": _package("jax"),
    "JaxLib version": _package("jaxlib"),
    "Using GPU in script\\?": _skip,
    "Using distributed or parallel set-up in script\\?": _skip,
    "`Accelerate` default config": _skip,
    "`Accelerate` config passed": _skip,
}


def read(lines: Text, draft: Draft) -> None:
    """Read every such list of the text."""
    read_labels(lines, draft, LABELS)
