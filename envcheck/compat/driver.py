"""Drivers: which CUDA they run, which CUDA they report, and which GPUs they still or already drive.

A driver runs every CUDA minor of a major version whose first driver it reaches (minor-version compatibility, CUDA 11
on), and every older major.  The number that nvidia-smi prints as "CUDA Version" is only the newest API it carries.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

from envcheck.facts import Fact, Unread

from . import table
from .rows import DriverBranch, DriverPair, ForwardCompat, Gpu, Toolkit
from .sm import architecture, first_toolkit
from .version import at_least, key, spoken

GENERATIONS = ("Kepler", "Maxwell", "Pascal", "Volta", "Turing", "Ampere", "Ada", "Hopper", "Blackwell")
"""Oldest first: a driver branch drives its oldest generation and all later ones that it knows."""

WINDOWS_SPREAD = 4
"""Windows numbers run up to this far above their branch: 528.33 and 529.19 are branch 525, 537.13 is 535."""

OPEN_MODULE_FROM = 75
"""Open kernel modules need the GSP of Turing and later (open-gpu-kernel-modules README)."""

OPEN_MODULE_ONLY_FROM = 100
"""From Blackwell on only the open kernel modules drive a card (NVIDIA driver README, "Open Linux Kernel Modules")."""


def driver_branch(version: str, system: str = "Linux") -> Fact[int]:
    """The release branch of a driver: 535 for ``535.104.05`` (Linux) and for ``537.13`` (Windows).

    ``system`` is "Linux" or "Windows"; under WSL the driver is the Windows one.
    """
    major = key(version)[0]
    branches = sorted(_branches())
    if major in branches:
        return major
    if major < branches[0]:
        return Unread("missing", f"driver {version} is older than the table, which begins at branch {branches[0]}")
    if system == "Windows":
        nearest = max(b for b in branches if b <= major)
        if major - nearest <= WINDOWS_SPREAD:
            return nearest
    if major > branches[-1]:
        return Unread("newer_than_table", f"driver {version}; the table ends at branch {branches[-1]}")
    return Unread("missing", f"driver branch {major} is not in the table")


def cuda_level_of_driver(version: str, system: str = "Linux") -> Fact[str]:
    """The CUDA version that the driver reports (cuDriverGetVersion, nvidia-smi): ``"12.2"`` for 535.104.05."""
    branch = driver_branch(version, system)
    if isinstance(branch, Unread) or branch is None:
        return branch
    return _branches()[branch].cuda


def driver_floor(cuda_version: str, system: str = "Linux") -> Fact[str]:
    """The lowest driver that runs programs built with this CUDA: ``"525.60.13"`` for 12.8 on Linux.

    ``cuda_version`` is "12.8" or "12.8.1".  macOS has none (``None``): no NVIDIA driver is made for it.
    """
    if system == "Darwin":
        return None
    wanted = key(cuda_version)[:2]
    rows = _toolkits()
    row = rows.get(wanted)
    if row is not None:
        return row.driver_windows if system == "Windows" else row.driver_linux
    if wanted > max(rows):
        return Unread("newer_than_table", f"CUDA {cuda_version}; the table ends at {max(rows)[0]}.{max(rows)[1]}")
    return Unread("missing", f"CUDA {cuda_version} is not in the table")


def driver_supports_cuda_major(driver: str, cuda_major: int, system: str = "Linux") -> Fact[bool]:
    """Does the driver run builds of this CUDA major version at all (minor-version compatibility)?"""
    floors = [row for minor, row in _toolkits().items() if minor[0] == cuda_major]
    if not floors:
        newest = max(_toolkits())[0]
        if cuda_major > newest:
            return Unread("newer_than_table", f"CUDA {cuda_major}; the table ends at CUDA {newest}")
        return Unread("missing", f"CUDA {cuda_major} is not in the table")
    floor = floors[0].driver_windows if system == "Windows" else floors[0].driver_linux
    return at_least(driver, floor)


def paired_driver(cuda_version: str, system: str = "Linux") -> Fact[str]:
    """The driver that a CUDA release was shipped with.  Not the lowest one that runs it: see driver_floor."""
    for row in table.rows("driver_pairs", DriverPair):
        if row.toolkit == cuda_version:
            value = row.driver_windows if system == "Windows" else row.driver_linux
            return value or (str(row.branch) if row.branch else None)
    return Unread("missing", f"CUDA {cuda_version} is not in the table")


def driver_dropped(branch: int, compute_capability: int) -> Fact[bool]:
    """Has this driver branch ceased to drive devices of this compute capability?  580 is the last with Volta."""
    generation = architecture(compute_capability)
    if isinstance(generation, Unread) or generation is None:
        return generation
    branches = _branches()
    if branch > max(branches):
        newest = branches[max(branches)]
        if GENERATIONS.index(generation) < GENERATIONS.index(newest.oldest_arch):
            return True  # what was dropped does not come back
        return Unread("newer_than_table", f"driver branch {branch}; the table ends at {newest.branch}")
    older = [b for b in branches if b <= branch]
    newer = [b for b in branches if b >= branch]
    rank = GENERATIONS.index(generation)
    if older and rank < GENERATIONS.index(branches[max(older)].oldest_arch):
        return True
    if rank >= GENERATIONS.index(branches[min(newer)].oldest_arch):
        return False
    return Unread("missing", f"driver branch {branch} is not in the table")


def last_branch(compute_capability: int) -> Fact[int]:
    """The last driver branch for devices of this compute capability; ``None``: none has dropped it."""
    generation = architecture(compute_capability)
    if isinstance(generation, Unread) or generation is None:
        return generation
    rank = GENERATIONS.index(generation)
    driving = [b for b, row in _branches().items() if GENERATIONS.index(row.oldest_arch) <= rank]
    return None if max(_branches()) in driving else max(driving)


def gpu_driver_floor(gpu: Gpu | int, system: str = "Linux") -> Fact[str]:
    """The driver below which this card cannot work, whatever CUDA is wanted.

    For Blackwell and later the first release of the open kernel modules that lists the device (these cards run with
    no other).  Before that the branch of the first CUDA that knows the device: necessary, not always sufficient.
    A compute capability alone gets the lowest floor of its cards.
    """
    cards = [gpu] if isinstance(gpu, Gpu) else [g for g in table.rows("gpus", Gpu) if g.cc == gpu]
    cc = gpu.cc if isinstance(gpu, Gpu) else gpu
    if cc >= OPEN_MODULE_ONLY_FROM:
        listed = sorted((g.first_open_driver for g in cards if g.first_open_driver), key=key)
        if listed:
            return str(key(listed[0])[0]) if system == "Windows" else listed[0]
    toolkit = first_toolkit(cc)
    if isinstance(toolkit, Unread) or toolkit is None:
        return toolkit
    for number in sorted(_branches()):
        if key(_branches()[number].cuda) >= key(toolkit):
            return str(number)
    return Unread("newer_than_table", f"no driver branch of the table knows compute capability {spoken(cc)}")


def supports_open_module(compute_capability: int) -> bool:
    """Can the open kernel modules drive this device (Turing and later)?"""
    return compute_capability >= OPEN_MODULE_FROM


def requires_open_module(compute_capability: int) -> bool:
    """Does this device work with the open kernel modules only (Blackwell and later)?"""
    return compute_capability >= OPEN_MODULE_ONLY_FROM


def forward_compat(package: str, branch: int) -> Fact[Literal["yes", "no", "same branch"]]:
    """Does a cuda-compat package ("cuda-compat-13-0") work over this kernel driver branch?

    ``None``: the branch is no supported base (end of life, or a new-feature branch).  Data-centre cards only.
    """
    for row in table.rows("forward_compat", ForwardCompat):
        if row.package == package:
            if branch > max(int(base) for base in row.base):
                return Unread("newer_than_table", f"driver branch {branch}")
            return row.base.get(str(branch))
    return Unread("missing", f"{package} is not in the table")


@cache
def _branches() -> dict[int, DriverBranch]:
    return {row.branch: row for row in table.rows("driver_branches", DriverBranch)}


@cache
def _toolkits() -> dict[tuple[int, ...], Toolkit]:
    return {key(row.toolkit): row for row in table.rows("toolkits", Toolkit)}
