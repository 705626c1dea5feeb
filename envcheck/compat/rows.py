"""The rows of the tables, strictly typed.  What a cell means stands in the table's own ``about``.

An absent cell is unknown and reads as ``None`` here; an empty list is "none, and checked".  The questions turn
the first into :class:`~envcheck.facts.Unread`.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Platform: TypeAlias = Literal["linux_x86_64", "linux_aarch64", "windows_x86_64", "macos_arm64", "macos_x86_64"]
PLATFORMS: tuple[Platform, ...] = ("linux_x86_64", "linux_aarch64", "windows_x86_64", "macos_arm64", "macos_x86_64")


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Every row says where it comes from (a key of the table's ``sources``) and when that was looked up."""

    source: str
    retrieved: str


class TorchRelease(Row, frozen=True, kw_only=True):
    """A torch release on the default index."""

    version: str
    date: str
    requires_python: str
    python: dict[Platform, list[str]]
    default: dict[Platform, str]
    glibc: dict[Platform, str]
    cxx11_abi: bool
    numpy2: dict[str, bool]
    torchvision: str
    torchaudio: str | None = None
    cudnn: str | None = None
    nccl: str | None = None
    triton: str | None = None
    experimental: list[str] | None = None
    git: str
    wheel: str


class TorchBuild(Row, frozen=True, kw_only=True):
    """One release built for one CUDA variant on one platform."""

    version: str
    variant: str
    platform: Platform
    archs: list[int] | None = None
    ptx: list[int] | None = None
    evidence: Literal["wheel", "wheel_table", "third_party_wheel", "build_script", "docs", "none"]
    published: Literal["yes", "unverified", "no"]
    published_source: str | None = None
    default: bool = False
    cudnn: str | None = None
    nccl: str | None = None
    glibc: str | None = None
    cxx11_abi: bool | None = None
    torchvision: str | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """The build as version.py writes it: ``2.9.1+cu128``."""
        return f"{self.version}+{self.variant}"


class RocmRelease(Row, frozen=True, kw_only=True):
    """The ROCm variants of a torch release."""

    version: str
    rocm: list[str]
    note: str = ""


class JetsonRelease(Row, frozen=True, kw_only=True):
    """A release of Jetson Linux (L4T), by its first numbers, and the CUDA of the driver in it."""

    l4t: str
    jetpack: list[str]
    cuda: str


class Companion(Row, frozen=True, kw_only=True):
    """A torchvision or torchaudio release."""

    package: Literal["torchvision", "torchaudio"]
    version: str
    date: str | None = None
    requires_torch: str | None = None
    default: str | None = None
    note: str = ""


class Toolkit(Row, frozen=True, kw_only=True):
    """A CUDA toolkit minor release."""

    toolkit: str
    driver_linux: str
    driver_windows: str
    paired_linux: str | None = None
    sm: list[int] | None = None
    specific: list[str] | None = None
    gcc_max: int | None = None
    clang_max: int | None = None
    ptxas: str | None = None
    note: str = ""


class DriverPair(Row, frozen=True, kw_only=True):
    """The driver that a CUDA release shipped with."""

    toolkit: str
    driver_linux: str | None = None
    driver_windows: str | None = None
    branch: int | None = None
    note: str = ""


class DriverBranch(Row, frozen=True, kw_only=True):
    """A driver branch."""

    branch: int
    cuda: str
    oldest_arch: str
    forward_compat_base: bool | None = None
    note: str = ""


class ForwardCompat(Row, frozen=True, kw_only=True):
    """A cuda-compat package and the kernel driver branches under it."""

    package: str
    base: dict[str, Literal["yes", "no", "same branch"]]


class SmRule(Row, frozen=True, kw_only=True):
    """A cubin target and the devices that run it."""

    sm: int
    arch: str
    devices: list[int] | None = None
    first: int | None = None
    below: int | None = None
    without: list[int] = []
    unified_from: str | None = None
    first_toolkit: str | None = None


class Gpu(Row, frozen=True, kw_only=True):
    """A GPU product."""

    name: str
    chip: str
    cc: int
    arch: str
    pci_ids: list[str]
    driver_names: list[str] = []
    first_open_driver: str | None = None


class Peak(Row, frozen=True, kw_only=True):
    """Datasheet peaks of a card: GB/s are 10^9 bytes per second, TFLOPS are dense."""

    name: str
    names: list[str]
    cc: int
    memory_gb: int
    bandwidth_gb_s: int | None = None
    fp32_tflops: float
    bf16_dense_tflops: int | None = None
    evidence: Literal["vendor", "secondary"]
    note: str = ""


class CondaBuild(Row, frozen=True, kw_only=True):
    """A CUDA build of pytorch on conda-forge."""

    version: str
    platform: Platform
    cuda: str
    archs: list[int]
    ptx: list[int]
    python: list[str]


XidAction: TypeAlias = Literal[
    "ignore",
    "watch",
    "follow",
    "restart_app",
    "debug_app",
    "reset_gpu",
    "reset_later",
    "reboot",
    "restart_vm",
    "restart_bare_metal",
    "check_mechanics",
    "rma",
    "nvlink5",
    "do_what_it_says",
    "contact_support",
]


class Xid(Row, frozen=True, kw_only=True):
    """One Xid number of NVRM kernel messages: what happened, what the catalogue asks for."""

    xid: int
    meaning: str
    action: XidAction
    severity: Literal["error", "warning", "note"]
