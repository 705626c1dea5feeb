"""What Python's standard library tells of a system that is not Linux, without starting a program."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Mapping
from typing import Any

from envcheck.facts import Fact, Unread

from .root import printable

SYSTEMS = {"linux": "Linux", "win32": "Windows", "darwin": "Darwin"}
"""Names by ``sys.platform``; others keep their own."""


def tell_windows(environ: Mapping[str, str]) -> dict[str, Any]:
    """Facts of :class:`~envcheck.facts.Host` on Windows."""
    # Not platform.uname(): from Python 3.12 on it asks WMI, which can block for minutes.
    machine = environ.get("PROCESSOR_ARCHITEW6432") or environ.get("PROCESSOR_ARCHITECTURE")
    model = environ.get("PROCESSOR_IDENTIFIER")
    facts: dict[str, Any] = {
        "system": "Windows",
        "machine": printable(machine) if machine else Unread("missing", "PROCESSOR_ARCHITECTURE is not set"),
        "cpu_model": printable(model) if model else Unread("missing", "PROCESSOR_IDENTIFIER is not set"),
        "cpus": os.cpu_count() or Unread("unsupported"),
        "apple_silicon": None,
    }
    version = getattr(sys, "getwindowsversion", lambda: None)()
    if version is not None:
        major, minor, build = version.platform_version
        facts["os_version"] = facts["kernel_release"] = f"{major}.{minor}.{build}"
        # Windows 11 still says 10.0; client builds from 22000 on are 11, servers carry product type 2 or 3.
        client = version.product_type == 1
        facts["os_name"] = f"Windows {11 if major == 10 and build >= 22000 else major}" if client else "Windows Server"
        facts["os_id"] = "windows"
    return facts


def tell_posix(platform: str) -> dict[str, Any]:
    """Facts of :class:`~envcheck.facts.Host` on macOS and other systems of the Unix kind."""
    import platform as stdlib

    facts: dict[str, Any] = {
        "system": SYSTEMS.get(platform, stdlib.system() or platform),
        "machine": stdlib.machine() or Unread("unsupported"),
        "kernel_release": stdlib.release() or Unread("unsupported"),
        "cpus": os.cpu_count() or Unread("unsupported"),
        "uid": os.getuid(),
        "groups": sorted({*os.getgroups(), os.getegid()}),
        "apple_silicon": None,
    }
    if platform == "darwin":
        # Pythons built against an old SDK say 10.16 for every newer macOS.
        version = stdlib.mac_ver()[0]
        facts["os_id"] = "macos"
        facts["os_version"] = version or Unread("missing", "no SystemVersion.plist")
        facts["os_name"] = f"macOS {version}" if version else Unread("missing", "no SystemVersion.plist")
        facts["memory_total_bytes"] = _tell_memory()
        facts["apple_silicon"] = facts["machine"] == "arm64" or _ask_sysctl("hw.optional.arm64")
    return facts


def _ask_sysctl(name: str) -> Fact[bool]:
    """A number of the macOS kernel; a name that this machine does not have is false."""
    import ctypes

    try:
        ask = ctypes.CDLL(None, use_errno=True).sysctlbyname
    except (OSError, AttributeError) as error:
        return Unread("unsupported", f"sysctl: {error}")
    value, size = ctypes.c_int(0), ctypes.c_size_t(ctypes.sizeof(ctypes.c_int))
    if ask(name.encode(), ctypes.byref(value), ctypes.byref(size), None, ctypes.c_size_t(0)) == 0:
        return value.value != 0
    code = ctypes.get_errno()
    return False if code == errno.ENOENT else Unread("unsupported", f"sysctl {name}: {os.strerror(code)}")


def _tell_memory() -> Fact[int]:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError) as error:
        return Unread("unsupported", str(error))
