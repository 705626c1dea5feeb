"""Theoretical peaks of an NVIDIA card from its attributes: bus width, memory clock, multiprocessors, SM clock."""

from __future__ import annotations

CORES_PER_SM: dict[int, int] = {
    30: 192, 32: 192, 35: 192, 37: 192,
    50: 128, 52: 128, 53: 128,
    60: 64, 61: 128, 62: 128,
    70: 64, 72: 64, 75: 64,
    80: 64, 86: 128, 87: 128, 89: 128,
    90: 128, 100: 128, 103: 128, 110: 128, 120: 128, 121: 128,
}  # fmt: skip
"""FP32 cores of a multiprocessor by compute capability (CUDA C++ programming guide, throughput of native arithmetic
instructions; checked against the core counts that NVML gives for 22 boards)."""

HALF_FMA_PER_SM: dict[int, int] = {70: 512, 75: 512, 80: 1024, 90: 2048, 100: 4096}
"""Dense half-precision tensor FMA a clock and multiprocessor (torch, cuda/_device_limits.py; NVIDIA white papers of
Volta and Turing).  What has no entry is not guessed."""
TF32_FMA_PER_SM: dict[int, int] = {80: 512, 90: 1024, 100: 2048}


def bandwidth(memory_clock_max_mhz: int, bus_width_bits: int) -> float:
    """Bytes a second: double data rate of the *highest* memory clock, since an idle card shows a lower one.

    Within 0.2 % of the datasheet for 19 of 22 boards, at most 3.1 % above it (H100 NVL).
    """
    return 2.0 * memory_clock_max_mhz * 1e6 * bus_width_bits / 8.0


def fp32(cores: int, clock_mhz: int) -> float:
    """Operations a second: a fused multiply-add a core and clock."""
    return 2.0 * cores * clock_mhz * 1e6


def cores(multiprocessors: int, compute_capability: int) -> int | None:
    """FP32 cores; ``None`` for a compute capability newer than the table."""
    per_sm = CORES_PER_SM.get(compute_capability)
    return multiprocessors * per_sm if per_sm else None


def tensor(dtype: str, multiprocessors: int, compute_capability: int, clock_mhz: int) -> float | None:
    """Dense operations a second of the tensor cores for ``bfloat16``, ``float16`` or ``tf32``; ``None``: not known."""
    per_sm = (TF32_FMA_PER_SM if dtype == "tf32" else HALF_FMA_PER_SM).get(compute_capability)
    if per_sm is None or (dtype == "bfloat16" and compute_capability < 80):
        return None
    return 2.0 * per_sm * multiprocessors * clock_mhz * 1e6
