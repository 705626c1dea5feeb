"""Windows, macOS and others: what can be told there is told, the rest says that it is not supported."""

from __future__ import annotations

import ctypes
import errno
import os
import platform as stdlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from envcheck.collect.system.host import collect_host
from envcheck.collect.system.root import Root
from envcheck.facts import NOT_ASKED, Container, Devices, Driver, Host, Toolkit, Unread, decode, encode
from tests.collect.system.trees import HOST, collect_all, tree
from tests.fakes.tree import File

WINDOWS = {
    "PATH": "C:/tools;/usr/bin",
    "PROCESSOR_ARCHITECTURE": "AMD64",
    "PROCESSOR_IDENTIFIER": "Intel64 Family 6 Model 151 Stepping 2, GenuineIntel",
}


def unread(section: object) -> set[str]:
    assert isinstance(section, Host | Devices | Driver | Container | Toolkit)
    told = {name: getattr(section, name) for name in section.__struct_fields__}
    return {name for name, fact in told.items() if isinstance(fact, Unread) and fact.why == "unsupported"}


@pytest.mark.parametrize(
    ("version", "product", "name"),
    [((10, 0, 22631), 1, "Windows 11"), ((10, 0, 19045), 1, "Windows 10"), ((10, 0, 20348), 3, "Windows Server")],
)
def test_windows(monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], product: int, name: str) -> None:
    """Windows 11 calls itself 10.0: the build number tells.  No WMI is asked, which could block."""
    answer = SimpleNamespace(platform_version=version, product_type=product)
    monkeypatch.setattr(sys, "getwindowsversion", lambda: answer, raising=False)
    monkeypatch.setattr(stdlib, "uname", lambda: pytest.fail("platform.uname() asks WMI on Windows"))
    host = collect_host(Root("/nonexistent"), "win32", WINDOWS)
    assert (host.system, host.machine, host.os_id, host.os_name) == ("Windows", "AMD64", "windows", name)
    assert host.os_version == ".".join(map(str, version))
    assert host.cpus == os.cpu_count()
    assert {"wsl", "jetson", "secure_boot", "uid", "groups", "libc", "memory_limit_bytes"} <= unread(host)


def test_an_emulated_windows_python_names_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A 32-bit or emulated process is told another architecture; the second variable has the machine's."""
    monkeypatch.setattr(sys, "getwindowsversion", lambda: None, raising=False)
    host = collect_host(Root("/nonexistent"), "win32", {**WINDOWS, "PROCESSOR_ARCHITEW6432": "ARM64"})
    assert host.machine == "ARM64"
    nothing = collect_host(Root("/nonexistent"), "win32", {})
    assert isinstance(nothing.machine, Unread)


def test_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Version and machine by the standard library; Linux's facts are unsupported, not absent."""
    monkeypatch.setattr(stdlib, "mac_ver", lambda: ("15.1", ("", "", ""), "arm64"))
    monkeypatch.setattr(stdlib, "machine", lambda: "arm64")
    monkeypatch.setattr(stdlib, "release", lambda: "24.1.0")
    host = collect_host(Root("/nonexistent"), "darwin", {})
    assert (host.system, host.machine, host.kernel_release) == ("Darwin", "arm64", "24.1.0")
    assert (host.os_id, host.os_version, host.os_name) == ("macos", "15.1", "macOS 15.1")
    assert host.uid == os.getuid()
    assert isinstance(host.memory_total_bytes, int)
    assert {"wsl", "jetson", "secure_boot", "boot_time", "selinux", "driver_packages"} <= unread(host)
    assert host.apple_silicon is True


class Kernel:
    """``sysctlbyname`` of a macOS kernel: one number, or ENOENT."""

    def __init__(self, number: int | None) -> None:
        self.number = number

    def sysctlbyname(self, name: bytes, value: Any, size: object, new: object, length: object) -> int:
        assert name == b"hw.optional.arm64"
        if self.number is None:
            ctypes.set_errno(errno.ENOENT)
            return -1
        value._obj.value = self.number
        return 0


@pytest.mark.parametrize(("number", "expected"), [(1, True), (0, False), (None, False)])
def test_an_intel_python_on_apple_silicon(monkeypatch: pytest.MonkeyPatch, number: int | None, expected: bool) -> None:
    """Under Rosetta the machine calls itself x86_64; the kernel knows better, and an Intel Mac has no such name."""
    monkeypatch.setattr(stdlib, "machine", lambda: "x86_64")
    monkeypatch.setattr(ctypes, "CDLL", lambda name, use_errno: Kernel(number))
    host = collect_host(Root("/nonexistent"), "darwin", {})
    assert (host.machine, host.apple_silicon) == ("x86_64", expected)


def test_another_unix_keeps_its_name() -> None:
    """A system that nobody thought of is named as it names itself."""
    host = collect_host(Root("/nonexistent"), "freebsd14", {})
    assert host.system == stdlib.system()
    assert "wsl" in unread(host)


@pytest.mark.parametrize("platform", ["win32", "darwin", "freebsd14"])
def test_other_systems_accuse_nobody(tmp_path: Path, platform: str) -> None:
    """No Linux file is read there, so no absence is reported; other collectors' facts stay unasked."""
    snapshot = collect_all(tree(tmp_path, HOST), platform, WINDOWS)
    assert decode(encode(snapshot)) == snapshot
    assert unread(snapshot.devices) == set(Devices.__struct_fields__)
    assert isinstance(snapshot.driver, Driver)
    asked_elsewhere = {"nvml", "nvidia_smi", "pasted"}
    assert unread(snapshot.driver) == set(Driver.__struct_fields__) - asked_elsewhere
    assert {getattr(snapshot.driver, name) for name in asked_elsewhere} == {NOT_ASKED}
    assert unread(snapshot.container) == set(Container.__struct_fields__) - {"docker", "scheduler"}


def test_toolkits_on_windows(tmp_path: Path) -> None:
    """nvcc.exe below CUDA_PATH, else the newest folder of the default place; cl.exe as the host compiler."""
    base = "Programs/NVIDIA GPU Computing Toolkit/CUDA"
    version = '{"cuda_nvcc": {"name": "CUDA NVCC", "version": "%s.1"}}'
    files: dict[str, File | str] = {"usr/bin/cl.exe": File("", 0o755), "usr/bin/ninja.exe": File("", 0o755)}
    for number in ("12.4", "13.0"):
        files[f"{base}/v{number}/bin/nvcc.exe"] = File("", 0o755)
        files[f"{base}/v{number}/version.json"] = version % number
    root = tree(tmp_path, files)
    environ = {**WINDOWS, "ProgramFiles": "/Programs", "CUDA_PATH": f"/{base}/v12.4"}
    toolkit = collect_all(root, "win32", environ).toolkit
    assert isinstance(toolkit, Toolkit)
    assert isinstance(toolkit.toolkits, list)
    assert [(install.found_by, install.version) for install in toolkit.toolkits] == [
        ("CUDA_PATH", "12.4"),
        (f"/{base}/v13.0", "13.0"),
    ]
    assert (toolkit.host_compiler, toolkit.ninja) == ("/usr/bin/cl.exe", "/usr/bin/ninja.exe")
