"""A server's file system on disk, and the collectors that read it."""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from envcheck.collect.process import ProcessResult
from envcheck.collect.system.container import collect_container
from envcheck.collect.system.devices import collect_devices
from envcheck.collect.system.driver import collect_driver
from envcheck.collect.system.host import collect_host
from envcheck.collect.system.kernel_log import collect_kernel_log
from envcheck.collect.system.root import Root
from envcheck.collect.system.toolkit import collect_toolkit
from envcheck.facts import Snapshot, make
from tests.fakes.tree import Files, Folder, Link, Node, PciCard, kernel_module, write_tree

if sys.platform == "win32":
    pytest.skip("trees of Linux have names that Windows forbids", allow_module_level=True)

KERNEL = "6.8.0-51-generic"
VERSION = "580.105.08"
LIB = "usr/lib/x86_64-linux-gnu"
BANNER = f"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {VERSION}  Release Build  (dvs-builder@U22)\n"
MIB, GIB = 1 << 20, 1 << 30

# Flags as sysfs shows them: a 32-bit region, a 64-bit prefetchable one, and one that the kernel could not place.
MEM_32, MEM_64, UNSET = 0x00040200, 0x0014220C, 0x20000000


def resource(*regions: tuple[int, int] | None) -> str:
    """The file ``resource``: (bytes, flags) a line, ``None`` for a line of zeros."""
    lines, start = [], 0xA0000000
    for region in (*regions, *[None] * 13)[:13]:
        size, flags = region or (0, 0)
        first, last = (start, start + size - 1) if size else (0, 0)
        lines.append(f"0x{first:016x} 0x{last:016x} 0x{flags:016x}")
        start += size
    return "\n".join(lines) + "\n"


def h100(address: str = "0000:17:00.0", **changes: object) -> PciCard:
    return PciCard(address, 0x2330, iommu_group=20, iommu_type="identity", numa_node=1, **changes)  # type: ignore[arg-type]


def card_files(card: PciCard, **files: Node) -> dict[str, Node]:
    """A card's entries with some of its files changed; ``__`` in a name stands for ``/``."""
    return {**card.files(), **{f"{card.folder}/{name.replace('__', '/')}": node for name, node in files.items()}}


H100_RESOURCE = resource((16 * MIB, MEM_64), None, (128 * GIB, MEM_64), None, (32 * MIB, MEM_64))

HOST: Files = {
    "etc/os-release": 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nVERSION_ID="24.04"\nID=ubuntu\nID_LIKE="debian"\n',
    "etc/group": "root:x:0:\nvideo:x:44:student\nrender:x:993:\nstudent:x:1000:\n",
    "proc/sys/kernel/osrelease": f"{KERNEL}\n",
    "proc/sys/kernel/arch": "x86_64\n",
    "proc/sys/kernel/dmesg_restrict": "1\n",
    "proc/version": f"Linux version {KERNEL} (buildd@lcy02-amd64-059) #52-Ubuntu SMP PREEMPT_DYNAMIC\n",
    "proc/cmdline": f"BOOT_IMAGE=/boot/vmlinuz-{KERNEL} ro quiet\n",
    "proc/stat": "cpu  1 2 3 4\ncpu0 1 2 3 4\nintr 12 0 0\nbtime 1764000000\nprocesses 42\n",
    "proc/meminfo": "MemTotal:       1056482304 kB\nMemFree:        998244352 kB\nMemAvailable:   1012334592 kB\n",
    "proc/cpuinfo": "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Platinum 8480+\n"
    "flags\t\t: fpu sse4_2 avx avx2 avx512f amx_tile\n\nprocessor\t: 1\nmodel name\t: other\nflags\t\t: fpu\n",
    "proc/devices": "Character devices:\n  1 mem\n195 nvidia\n195 nvidiactl\n234 nvidia-caps\n508 nvidia-uvm\n\n"
    "Block devices:\n  7 nvidia-block\n",
    "proc/self/cgroup": "0::/user.slice/user-1000.slice/session-1.scope\n",
    "proc/1/cgroup": "0::/init.scope\n",
    "proc/self/mountinfo": "22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n"
    "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n",
    "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n",
    "sys/fs/cgroup/user.slice/memory.max": "max\n",
    "sys/fs/cgroup/user.slice/user-1000.slice/memory.max": "max\n",
    "sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope/memory.max": "max\n",
    "sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope/memory.events": "low 0\noom 3\noom_kill 2\n",
    "sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope/cpu.max": "max 100000\n",
    "sys/class/dmi/id/product_name": "PowerEdge XE9680\n",
    "sys/class/dmi/id/sys_vendor": "Dell Inc.\n",
    "sys/class/dmi/id/chassis_type": "23\n",
    "sys/devices/system/cpu/online": "0-111,114-223\n",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
    "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": b"\x06\0\0\0\0",
    "sys/firmware/acpi/pm_profile": "4\n",
    "sys/power/suspend_stats/success": "0\n",
    "sys/module/ext4/refcnt": "1\n",
    "sys/bus/pci/drivers/mlx5_core": Folder(),
    "sys/class/infiniband/mlx5_0/ports/1/state": "4: ACTIVE\n",
    "sys/class/infiniband/mlx5_0/ports/1/rate": "400 Gb/sec (4X NDR)\n",
    "dev/shm": Folder(),
    "dev/null": "",
}

DRIVER: Files = {
    "proc/driver/nvidia/version": BANNER + "GCC version:  gcc version 13.3.0 (Ubuntu 13.3.0-6ubuntu2~24.04)\n",
    "proc/driver/nvidia/params": 'ModifyDeviceFiles: 1\nDeviceFileUID: 0\nDeviceFileMode: 438\nRmMsg: ""\n',
    "proc/driver/nvidia/gpus/0000:17:00.0/information": "Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 107\n"
    "GPU UUID: \t GPU-2809c740-845e-0975-2849-bf7bc20f2bfe\nVideo BIOS: \t 96.00.99.00.01\n"
    "Bus Location: \t 0000:17:00.0\nDevice Minor: \t 0\nGPU Excluded:\t No\n",
    "sys/module/nvidia/version": f"{VERSION}\n",
    "sys/module/nvidia_uvm/refcnt": "2\n",
    f"lib/modules/{KERNEL}/updates/dkms/nvidia.ko": kernel_module(VERSION, "Dual MIT/GPL", KERNEL),
    f"lib/modules/{KERNEL}/updates/dkms/nvidia-uvm.ko": kernel_module(VERSION, "Dual MIT/GPL", KERNEL),
    f"lib/modules/{KERNEL}/build": Link(f"usr/src/linux-headers-{KERNEL}"),
    f"usr/src/linux-headers-{KERNEL}/Makefile": "",
    f"var/lib/dkms/nvidia/{VERSION}/source": "",
    f"var/lib/dkms/nvidia/kernel-{KERNEL}-x86_64": Link(f"var/lib/dkms/nvidia/{VERSION}"),
    f"lib/firmware/nvidia/{VERSION}/gsp_ga10x.bin": "",
    f"lib/firmware/nvidia/{VERSION}/gsp_tu10x.bin": "",
    f"{LIB}/libcuda.so.{VERSION}": "",
    f"{LIB}/libcuda.so.1": Link(f"{LIB}/libcuda.so.{VERSION}"),
    f"{LIB}/libnvidia-ml.so.{VERSION}": "",
    f"{LIB}/libnvidia-ml.so.1": Link(f"{LIB}/libnvidia-ml.so.{VERSION}"),
    "run/nvidia-persistenced/socket": "",
    "usr/bin/nv-fabricmanager": "",
    "dev/nvidia0": "",
    "dev/nvidiactl": "",
    "dev/nvidia-uvm": "",
    "dev/nvidia-caps/nvidia-cap1": "",
}

SERVER: Files = {**HOST, **DRIVER, **card_files(h100(), resource=H100_RESOURCE, power__runtime_status="active\n")}


def tree(place: Path, *parts: Files) -> Root:
    """Write the files below ``place``; a later part replaces what an earlier one has at the same path."""
    files = {path: node for part in parts for path, node in part.items()}
    write_tree(place, files)
    return Root(str(place))


def ld_cache(
    entries: Iterable[tuple[str, str]], *, flags: int = 0x0303, old_head: bool = False, big: bool = False
) -> bytes:
    """A cache as ``ldconfig`` writes it: (soname, path) in order; strings are shared where they can be."""
    order = ">" if big else "<"
    listed = list(entries)
    start = 48 + 24 * len(listed)
    strings = b"".join(path.encode() + b"\0" for _, path in listed)
    table = b""
    for soname, path in listed:
        place = start + strings.find(path.encode() + b"\0")
        # glibc lets a name that ends a path point into that path.
        inner = place + len(path.encode()) - len(soname.encode()) if path.endswith(f"/{soname}") else None
        if inner is None:
            inner = start + len(strings)
            strings += soname.encode() + b"\0"
        table += struct.pack(f"{order}iIIIQ", flags, inner, place, 0, 0)
    head = b"glibc-ld.so.cache1.1" + struct.pack(f"{order}IIB3xI12x", len(listed), len(strings), 3 if big else 2, 0)
    old = b"ld.so-1.7.0\0" + struct.pack("<I", 2) + bytes(2 * 12) if old_head else b""
    return old + head + table + strings


def collect_all(
    root: Root,
    platform: str = "linux",
    environ: Mapping[str, str] | None = None,
    run: Callable[[Sequence[str]], ProcessResult] | None = None,
) -> Snapshot:
    """What all collectors of this room make of a tree.  No program is started unless ``run`` does."""
    env = environ or {}
    run = run or (lambda argv: ProcessResult(start_error="not started in this test"))
    log = collect_kernel_log(root, platform, env, run=run)
    return make(
        host=collect_host(root, platform, env),
        devices=collect_devices(root, platform, env),
        driver=msgspec.structs.replace(collect_driver(root, platform, env, run=run), recovery_log=log),
        container=collect_container(root, platform, env),
        toolkit=collect_toolkit(root, platform, env, run=run),
    )


def refuse(monkeypatch: pytest.MonkeyPatch, root: Root, *paths: str) -> None:
    """Let the system refuse these paths, and what lies below them, to this user.

    Mode bits would not do: the tests may run as root.
    """
    places = [root.prefix + path for path in paths]

    def guard(name: str) -> None:
        real = getattr(os, name)

        def guarded(path: object, *args: object, **kwargs: object) -> object:
            if isinstance(path, str) and any(path == place or path.startswith(place + "/") for place in places):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
            return real(path, *args, **kwargs)

        monkeypatch.setattr(os, name, guarded)

    for name in ("open", "listdir", "scandir", "stat", "lstat", "statvfs"):
        guard(name)
