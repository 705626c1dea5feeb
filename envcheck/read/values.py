"""What tools print, as values: versions, yes and no, names of systems and platforms, makers of GPUs."""

from __future__ import annotations

import re
from typing import NamedTuple

from envcheck.compat.version import cuda_of, split_local

VERSION = re.compile(r"v?(\d{1,6}(?:\.\d{1,12}){1,4}(?:[-.]?(?:a|b|rc|dev|post|pre)\d{0,9}){0,3}[\w.+]{0,40})")
"""A version with at least two numbers, its suffix included: ``2.5.0.dev20240821+rocm6.2``, ``1.14.0a0+410ce96``."""

_RELEASE = re.compile(r"\d{1,6}(?:\.\d{1,12}){0,4}")
_DRIVER = re.compile(r"\b(\d{3}\.\d{1,3}(?:\.\d{1,3})?)\b")

NOTHING = frozenset(
    {
        "could not collect",
        "no cuda",
        "n/a",
        "na",
        "none",
        "not installed",
        "not found",
        "not available",
        "unknown",
        "?",
        "<not set>",
        "",
    }
)
"""Words that stand in place of a value."""

_YES = frozenset({"true", "yes", "available", "是", "可用"})
_NO = frozenset({"false", "no", "not available", "否", "不可用"})

# Makers of GPUs by the names that torch and the drivers give their cards.
_AMD = re.compile(r"\b(?:AMD|Radeon|Instinct|gfx\d{3,4}[a-z]?|MI\d{2,3}[AX]?)\b")
_INTEL = re.compile(r"\bIntel\b|\bArc\b|\bIris\b")
_OTHERS = re.compile(r"\bMTT\b|\bAscend|\bApple\b|\bMLU\d|\bMUSA\b|\bllvmpipe\b|\bHygon\b|\bDCU\b")
_NVIDIA = re.compile(
    r"\bNVIDIA\b|\bGeForce\b|\bQuadro\b|\bTesla\b|\bTITAN\b|\b[GR]TX ?[A-Z]?\d{3,4}|\bGRID\b|\bOrin\b|\bXavier\b"
    r"|\b(?:A10G?|A16|A2|A30|A40|A100|A800|H20|H100|H200|H800|B200|B300|GB200|GH200|L4|L20|L40S?|P4|P40|P100|T4|V100"
    r"|K80|K40c?|M40|M60|PH402|RTX A\d000|MX\d{3}|GT \d{3,4}M?|\d{3}M)\b"
)


class Platform(NamedTuple):
    """``platform.platform()`` taken apart."""

    system: str  # "Linux", "Windows", "Darwin"
    release: str | None  # kernel release on Linux
    version: str | None  # of Windows or macOS
    machine: str | None
    libc: str | None  # "glibc 2.35"
    wsl: int | None


def version_in(text: str) -> str | None:
    """The first version that stands in the text, with its suffix."""
    found = VERSION.search(text)
    return found[1].rstrip(".+") if found else None


def release_in(text: str) -> str | None:
    """The first plain number with dots: ``11.4.0`` of ``gcc (Ubuntu 11.4.0-1ubuntu1) 11.4.0``."""
    found = _RELEASE.search(text)
    return found[0] if found else None


def driver_in(text: str) -> str | None:
    """An NVIDIA driver version: ``535.104.05``, also the ``31.0.15.5222`` that Windows shows (552.22)."""
    windows = re.search(r"\b3\d\.0\.1(\d)\.(\d{4})\b", text)
    if windows is not None:
        digits = windows[1] + windows[2]
        return f"{digits[:3]}.{digits[3:]}"
    found = _DRIVER.search(text)
    return found[1] if found else None


def yes_or_no(text: str) -> bool | None:
    """True, Yes and their like; ``None`` for anything else."""
    word = text.strip().strip("`*.,;|").lower()
    if word in _YES or re.match(r"(?:true|yes)\b", word):
        return True
    if word in _NO or re.match(r"(?:false|no)\b(?! cuda)", word):
        return False
    return None


def is_nothing(text: str) -> bool:
    """Does the text say that there is no value?"""
    return text.strip().strip("`*").lower() in NOTHING


def maker_of(name: str) -> str | None:
    """Who makes a GPU of this name: "NVIDIA", "AMD", "Intel", "other"; ``None`` where the name does not show it."""
    if re.search(r"\bNVIDIA\b|\bGeForce\b|\bQuadro\b|\bTesla\b", name):
        return "NVIDIA"
    for maker, pattern in (("AMD", _AMD), ("Intel", _INTEL), ("other", _OTHERS), ("NVIDIA", _NVIDIA)):
        if pattern.search(name):
            return maker
    return None


class Build(NamedTuple):
    """What torch's version says of its build; ``None`` where it says nothing."""

    kind: str | None  # "cuda", "cpu", "rocm", "xpu"
    number: str | None  # "12.1" of +cu121, "6.2" of +rocm6.2


def build_of(version: str) -> Build:
    """The build that the local part of a version names.

    >>> build_of("2.3.0+cu121")
    Build(kind='cuda', number='12.1')
    """
    local = split_local(version)[1]
    if local is None:
        return Build(None, None)
    if re.match(r"cpu(?:\.|$)", local):
        return Build("cpu", None)
    tag = re.match(r"cu\d{2,4}", local)
    cuda = cuda_of(tag[0]) if tag else None
    if cuda is not None:
        return Build("cuda", cuda)
    rocm = re.match(r"rocm(\d+(?:\.\d+)*)", local)
    if rocm is not None:
        return Build("rocm", rocm[1])
    return Build("xpu", None) if local.startswith("xpu") else Build(None, None)


_LINUX = re.compile(r"\bLinux-(\S{1,120}?)-(x86_64|aarch64|ppc64le|armv7l|s390x|i686)\b(?:-with-(\S{1,60}))?")
_WINDOWS = re.compile(r"\bWindows-(\d{1,4}(?:Server|\w{0,12})?)-(\d+\.\d+\.\d+)(?:-(SP\d))?")
_MAC = re.compile(r"\b(?:macOS|Darwin)-(\d+(?:\.\d+)*)-(arm64|x86_64)\b")


def platform_in(text: str) -> Platform | None:
    """``platform.platform()`` where it stands in the text: ``Linux-6.8.0-60-generic-x86_64-with-glibc2.35``."""
    linux = _LINUX.search(text)
    if linux is not None:
        release = linux[1]
        libc = re.match(r"(?:\w+-[\d.]+-\w+-)?(glibc|musl|libc)-?(\d+(?:\.\d+)*)", linux[3] or "")
        name = f"{libc[1]} {libc[2]}" if libc and libc[1] != "libc" else None
        return Platform("Linux", release, None, linux[2], name, wsl_of(release))
    windows = _WINDOWS.search(text)
    if windows is not None:
        return Platform("Windows", None, windows[2], None, None, None)
    mac = _MAC.search(text)
    if mac is not None:
        return Platform("Darwin", None, mac[1], mac[2], None, None)
    return None


def wsl_of(release: str) -> int | None:
    """1 or 2 where the kernel release is that of WSL."""
    low = release.lower()
    if "microsoft" not in low:
        return None
    return 2 if "wsl2" in low or "microsoft-standard" in low else 1


_SYSTEMS: tuple[tuple[str, str], ...] = (
    (r"\bWindows\b|^win(?:32|64)$", "Windows"),
    (r"\bmac ?os\b|\bDarwin\b|^darwin$", "Darwin"),
    (
        (
            r"\b(?:Ubuntu|Debian|CentOS|Red Hat|RHEL|Fedora|Rocky|AlmaLinux|SUSE|openSUSE|Arch|Manjaro|Amazon Linux"
            r"|Linux|Mint|Pop!_OS|Oracle|Alpine|NixOS|Kylin|openEuler|Anolis|CBL-Mariner|Gentoo|EndeavourOS|Garuda"
            r"|Scientific)\b|^linux\d?$"
        ),
        "Linux",
    ),
)
_IDS: tuple[tuple[str, str], ...] = tuple(
    (word, name)
    for name, words in {
        "ubuntu": ("Ubuntu",),
        "debian": ("Debian",),
        "centos": ("CentOS",),
        "rhel": ("Red Hat", "RHEL"),
        "fedora": ("Fedora",),
        "rocky": ("Rocky",),
        "almalinux": ("AlmaLinux",),
        "sles": ("SUSE Linux Enterprise",),
        "opensuse-leap": ("openSUSE",),
        "arch": ("Arch Linux",),
        "amzn": ("Amazon Linux",),
        "linuxmint": ("Linux Mint",),
        "pop": ("Pop!_OS",),
        "ol": ("Oracle Linux",),
        "alpine": ("Alpine",),
    }.items()
    for word in words
)


def system_of(text: str) -> str | None:
    """The operating system that a name belongs to: "Linux", "Windows", "Darwin"."""
    for pattern, system in _SYSTEMS:
        if re.search(pattern, text, re.IGNORECASE):
            return system
    return None


def distribution_of(text: str) -> str | None:
    """The ID of /etc/os-release for a distribution's pretty name."""
    return next((ident for word, ident in _IDS if word.lower() in text.lower()), None)


def cudnn_number(version: str) -> int | None:
    """cuDNN's version as torch counts it: 8.9.2 → 8902, 9.1.0 → 90100."""
    parts = [int(part) for part in version.split(".")[:3] if part.isdigit()]
    if len(parts) < 3:
        return None
    major, minor, patch = parts
    return major * 10000 + minor * 100 + patch if major >= 9 else major * 1000 + minor * 100 + patch
