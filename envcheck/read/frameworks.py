"""What JAX, TensorFlow, llama.cpp and CUDA's deviceQuery print of the devices that they found."""

from __future__ import annotations

import re

from .draft import Draft
from .lines import Line, Text
from .torch_words import take_listed_gpu, take_os, take_python
from .values import is_nothing, maker_of, version_in

SIGNS: tuple[str, ...] = (
    "jaxlib:",
    "uname_result(",
    "Created device /device:GPU",
    "pciBusID",
    "CUDA devices:",
    "CUDA Capable device",
)
SIGNS += ("does not appear to be running on this host", "compute capability")

_JAX = re.compile(r"^\s*(jax|jaxlib|numpy|python|device info):\s+(\S.{0,200})$")
_JAX_WORDS = ("jax:", "jaxlib:", "numpy:", "python:", "device info:")
_WORDS = ("uname_result(", "compute capability", "Device ", "/proc/driver/nvidia/version does not exist")
_UNAME = re.compile(r"uname_result\(system='(\w+)'.{0,200}?release='([^']{1,80})'(?:.{0,300}?machine='(\w{1,20})')?")
_TENSORFLOW = re.compile(
    r"device: (\d{1,3}), name: ([^,\n]{2,80}), pci bus id: ([0-9a-fA-F:.]{7,16}), compute capability: (\d{1,2})\.(\d)"
)
_LLAMA = re.compile(r"^\s*Device (\d{1,3}): ([^,\n]{2,80}), compute capability (\d{1,2})\.(\d)")
_QUERY = re.compile(r'^\s*Device (\d{1,3}): "([^"\n]{2,80})"')


def read(lines: Text, draft: Draft) -> None:
    """Read the devices, and JAX's ``print_environment_info()``."""
    jax = any(line.text.lstrip().startswith("jaxlib:") for line in lines.holding("jaxlib:"))
    for line in lines.holding(*_WORDS, *(_JAX_WORDS if jax else ())):
        if jax:
            _jax(draft, line)
        uname = _UNAME.search(line.text)
        if uname is not None:
            _uname(draft, uname, line)
        for pattern in (_TENSORFLOW, _LLAMA, _QUERY):
            device = pattern.search(line.text)
            if device is not None:
                _device(draft, device, line, pattern is _TENSORFLOW)
        if "/proc/driver/nvidia/version does not exist" in line.text:  # TensorFlow's diagnosis
            draft.note("/driver/proc", None, line)


def _jax(draft: Draft, line: Line) -> None:
    found = _JAX.match(line.text)
    if found is None:
        return
    name, value = found.groups()
    if name == "python":
        take_python(draft, value, line)
    elif name == "device info":
        # "NVIDIA H100 80GB HBM3-8, 8 local devices": kind, number of devices.
        device = re.match(r"(.{2,80}?)-(\d{1,5}), \d+ local devices", value)
        if device is not None and maker_of(device[1]) is not None:
            draft.note("/cuda/reported", True, line)
            for _ in range(min(int(device[2]), 64)):
                take_listed_gpu(draft, device[1], line)
    elif not is_nothing(value):
        version = version_in(value)
        if version is not None:
            draft.package(name, version, line)


def _uname(draft: Draft, uname: re.Match[str], line: Line) -> None:
    take_os(draft, uname[1], line)
    draft.note("/host/kernel_release", uname[2], line)
    if uname[3]:
        draft.note("/host/machine", uname[3], line)


def _device(draft: Draft, found: re.Match[str], line: Line, tensorflow: bool) -> None:
    parts = found.groups()
    more: dict[str, object] = {}
    if tensorflow:
        more["bus_id"] = parts[2].lower()
        draft.note("/cuda/reported", True, line)
    if len(parts) > 2:
        more["compute_capability"] = int(parts[-2]) * 10 + int(parts[-1])
    take_listed_gpu(draft, parts[1].strip(), line, int(parts[0]), **more)
