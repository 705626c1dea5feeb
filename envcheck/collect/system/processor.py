"""The processor, from /proc/cpuinfo and /sys/devices/system/cpu."""

from __future__ import annotations

import os
from typing import NamedTuple

from envcheck.facts import Fact, Unread

from .root import Root, to_int

FLAGS_OF_INTEREST = frozenset({"sse4_2", "avx", "avx2", "avx512f", "asimd", "sve"})
"""Instruction sets that torch's kernels and wheels depend on."""

# The first processor's block; the kernel makes the text as it is read, so that 256 processors cost no more than one.
_FIRST_BLOCK_BYTES = 16 << 10


class Processor(NamedTuple):
    """What there is to compute on beside the GPU."""

    online: Fact[int]
    model: Fact[str]
    flags: Fact[list[str]]
    hypervisor: bool | Unread  # x86: the CPUID bit by which a hypervisor makes itself known; elsewhere unsupported


def read_processor(root: Root) -> Processor:
    """Count, model and instruction sets of the processors of the machine."""
    lines = root.lines("/proc/cpuinfo", _FIRST_BLOCK_BYTES)
    if lines is None or isinstance(lines, Unread):
        why = lines or Unread("missing", "no /proc/cpuinfo")
        return Processor(_read_online(root), why, why, why)
    model: Fact[str] = None  # ARM kernels name none
    flags: Fact[list[str]] = Unread("missing", "/proc/cpuinfo names no flags")
    hypervisor: bool | Unread = Unread("unsupported", "only x86 processors tell")
    for line in lines:
        key, _, value = line.partition(":")
        key = key.strip()
        if key == "model name" and model is None:
            model = value.strip() or None
        elif key in ("flags", "Features"):
            words = value.split()
            flags = sorted(FLAGS_OF_INTEREST.intersection(words))
            if key == "flags":
                hypervisor = "hypervisor" in words
            break  # it stands behind the model
    return Processor(_read_online(root), model, flags, hypervisor)


def _read_online(root: Root) -> Fact[int]:
    listed = root.text("/sys/devices/system/cpu/online")
    if isinstance(listed, str):
        count = _size_of_list(listed)
        return Unread("garbled", listed[:64]) if count is None else count
    if not root.prefix:
        return os.cpu_count() or Unread("unsupported", "the system does not tell")
    return listed or Unread("missing", "no /sys/devices/system/cpu/online")


def _size_of_list(text: str) -> int | None:
    """3 for ``0-1,4``, the form of the kernel's processor lists."""
    total = 0
    for part in text.split(","):
        first, dash, last = part.partition("-")
        low = to_int(first)
        high = to_int(last) if dash else low
        if low is None or high is None or not 0 <= low <= high < 1 << 20:
            return None
        total += high - low + 1
    return total
