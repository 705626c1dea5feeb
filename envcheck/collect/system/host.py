"""The machine itself: operating system, firmware, processor, limits.  Files only, no program is started."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from envcheck.facts import Fact, Host, Unread

from .cgroup import Cgroups
from .other_systems import SYSTEMS, tell_posix, tell_windows
from .packages import find_package_managers, read_driver_packages
from .processor import read_processor
from .root import Root, printable, to_int
from .virtual import has_dxg, read_jetson, read_l4t, read_virtualization, read_wsl

SECURE_BOOT = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
"""Four bytes of attributes, then 0 or 1 (UEFI specification, section "Global Variables")."""

_LIBC_FOLDERS = (
    "/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
)
_LIBC_BYTES = 4 << 20


def collect_host(root: Root, platform: str, environ: Mapping[str, str]) -> Host:
    """What the operating system says of itself.

    ``platform`` is ``sys.platform`` of the machine looked at.  Outside Linux only what Python's standard library
    can tell is filled; the rest says ``unsupported``.
    """
    if platform == "linux":
        return _collect_linux(root, environ)
    known = tell_windows(environ) if platform == "win32" else tell_posix(platform)
    known["package_managers"] = find_package_managers(root, platform, environ)
    why = Unread("unsupported", f"not told by {SYSTEMS.get(platform, platform)}")
    return Host(**{**dict.fromkeys(Host.__struct_fields__, why), **known})


def _collect_linux(root: Root, environ: Mapping[str, str]) -> Host:
    release = root.text("/proc/sys/kernel/osrelease")
    machine = read_machine(root)
    processor = read_processor(root)
    groups = sorted({*os.getgroups(), os.getegid()})
    cgroups = Cgroups(root)
    shm_total, shm_free = _read_shm(root)
    memory = _read_meminfo(root)
    jetson = read_jetson(root, machine)
    return Host(
        system="Linux",
        machine=machine,
        kernel_release=release,
        **_read_os_release(root),
        libc=_read_libc(root),
        wsl=read_wsl(root, release),
        dxg=has_dxg(root),
        jetson=jetson,
        l4t=read_l4t(root, jetson),
        apple_silicon=None,
        virtualization=read_virtualization(root, machine, processor.hypervisor),
        product=root.text("/sys/class/dmi/id/product_name"),
        chassis=root.number("/sys/class/dmi/id/chassis_type"),
        secure_boot=_read_secure_boot(root),
        kernel_cmdline=root.text("/proc/cmdline"),
        boot_time=_read_boot_time(root),
        suspends=_or_missing(root.number("/sys/power/suspend_stats/success"), "kernel without suspend statistics"),
        uid=os.getuid(),
        groups=groups,
        group_names=_name_groups(root, groups),
        cpus=processor.online,
        cpus_allowed=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else Unread("unsupported"),
        cpu_quota=cgroups.cpu_quota(),
        cpu_model=processor.model,
        cpu_flags=processor.flags,
        memory_total_bytes=memory("MemTotal"),
        memory_available_bytes=memory("MemAvailable"),
        memory_limit_bytes=cgroups.memory_limit(),
        oom_kills=cgroups.oom_kills(),
        shm_total_bytes=shm_total,
        shm_free_bytes=shm_free,
        memlock_limit_bytes=_read_memlock(),
        cpu_governor=root.text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        cpu_energy_preference=root.text("/sys/devices/system/cpu/cpu0/cpufreq/energy_performance_preference"),
        on_battery=_read_battery(root),
        selinux=_read_selinux(root),
        dmesg_restricted=root.flag("/proc/sys/kernel/dmesg_restrict"),
        infiniband=_read_infiniband(root),
        package_managers=find_package_managers(root, "linux", environ),
        driver_packages=read_driver_packages(root),
    )


# --- Linux -------------------------------------------------------------------------------------------------


def read_machine(root: Root) -> Fact[str]:
    """The kernel's architecture: ``x86_64``, ``aarch64``."""
    told = root.text("/proc/sys/kernel/arch")  # since Linux 6.1
    return told if isinstance(told, str) else os.uname().machine


def _read_os_release(root: Root) -> dict[str, Any]:
    lines = root.lines("/etc/os-release")
    if lines is None:
        lines = root.lines("/usr/lib/os-release")
    names = {"os_id": "ID", "os_like": "ID_LIKE", "os_version": "VERSION_ID", "os_name": "PRETTY_NAME"}
    if lines is None or isinstance(lines, Unread):
        why = lines or Unread("missing", "no os-release file")
        return dict.fromkeys(names, why)
    values: dict[str, str] = {}
    for line in lines:
        key, sign, value = line.strip().partition("=")
        if sign and not key.startswith("#"):
            values[key] = re.sub(r"\\(.)", r"\1", value.strip("\"'"))
    facts: dict[str, Any] = {field: values.get(key) or None for field, key in names.items()}
    facts["os_like"] = values.get("ID_LIKE", "").split()
    return facts


def _read_libc(root: Root) -> Fact[str]:
    if not root.prefix:
        try:
            return os.confstr("CS_GNU_LIBC_VERSION")  # "glibc 2.36"
        except (ValueError, OSError):
            pass  # not glibc
    for folder in _LIBC_FOLDERS:
        raw = root.read(f"{folder}/libc.so.6", _LIBC_BYTES)
        if isinstance(raw, bytes):
            found = re.search(rb"GNU C Library [^\n]{0,80}?version (\d+\.\d+)", raw)
            return f"glibc {found[1].decode()}" if found else Unread("garbled", f"{folder}/libc.so.6: no version text")
    names = root.names("/lib")
    if names is None or isinstance(names, Unread):
        return names or Unread("missing", "no C library found")
    for name in names:
        if name.startswith("ld-musl-"):
            raw = root.read(f"/lib/{name}", _LIBC_BYTES)
            # The version is a string of its own: the loader prints it with "Version %s".
            found = re.search(rb"\0(\d+\.\d+\.\d+)(?:-[\w-]+)?\0", raw) if isinstance(raw, bytes) else None
            return f"musl {found[1].decode()}" if found else Unread("garbled", f"/lib/{printable(name)}: no version")
    return Unread("missing", "no C library found")


def _read_secure_boot(root: Root) -> Fact[bool]:
    raw = root.read(SECURE_BOOT, 64)
    if isinstance(raw, Unread):
        return raw
    if raw is not None:
        if len(raw) == 5 and raw[4] in (0, 1):
            return raw[4] == 1
        return Unread("garbled", f"the SecureBoot variable holds {raw!r}")
    variables = root.names("/sys/firmware/efi/efivars")
    if variables:
        return variables if isinstance(variables, Unread) else None  # a firmware without Secure Boot
    firmware = root.names("/sys/firmware")
    if isinstance(firmware, Unread):
        return firmware
    # Engines hide /sys/firmware behind an empty folder; a machine that started without EFI shows acpi or others.
    if firmware and "efi" not in firmware:
        return None
    return Unread("missing", "the EFI variables are not visible here")


def _read_boot_time(root: Root) -> Fact[int]:
    lines = root.lines("/proc/stat", 4 << 20)  # a line for every processor, and interrupts, stand before it
    if lines is None or isinstance(lines, Unread):
        return lines or Unread("missing", "no /proc/stat")
    for line in lines:
        if line.startswith("btime "):
            seconds = to_int(line[6:].strip())
            return Unread("garbled", line[:64]) if seconds is None else seconds
    return Unread("missing", "/proc/stat has no btime")


def _name_groups(root: Root, groups: list[int]) -> Fact[list[str]]:
    # The file, not getgrgid(): that one may ask a directory server which does not answer.
    lines = root.lines("/etc/group")
    if lines is None or isinstance(lines, Unread):
        return lines or Unread("missing", "no /etc/group")
    wanted = {str(number) for number in groups}
    entries = [line.split(":") for line in lines]
    return [entry[0] for entry in entries if len(entry) >= 3 and entry[2] in wanted and entry[0]]


def _read_meminfo(root: Root) -> Any:
    lines = root.lines("/proc/meminfo")

    def look(key: str) -> Fact[int]:
        if lines is None or isinstance(lines, Unread):
            return lines or Unread("missing", "no /proc/meminfo")
        for line in lines:
            name, _, rest = line.partition(":")
            if name == key:
                amount = to_int(rest.strip().removesuffix(" kB"))
                return Unread("garbled", line[:64]) if amount is None or amount >= 1 << 53 else amount * 1024
        return Unread("missing", f"/proc/meminfo has no {key}")

    return look


def _read_shm(root: Root) -> tuple[Fact[int], Fact[int]]:
    folder = "/dev/shm"  # noqa: S108 -- its size is asked, nothing is written
    try:
        found = os.statvfs(root.place(folder))
    except OSError as error:
        why = Unread("refused" if isinstance(error, PermissionError) else "missing", f"{folder}: {error.strerror}")
        return why, why
    return found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize


def _read_memlock() -> Fact[int]:
    try:
        import resource
    except ImportError:
        return Unread("unsupported", "no resource limits on this system")
    soft = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0]
    return None if soft == resource.RLIM_INFINITY or soft < 0 else min(soft, (1 << 63) - 1)


def _read_battery(root: Root) -> Fact[bool]:
    """Running on battery: a system battery discharges, or all mains supplies are off line."""
    folder = "/sys/class/power_supply"
    names = root.names(folder)
    if names is None or isinstance(names, Unread):
        return names or False
    mains: list[bool] = []
    batteries = []
    for name in names:
        kind = root.text(f"{folder}/{name}/type")
        if root.text(f"{folder}/{name}/scope") == "Device":  # the battery of a mouse
            continue
        online = root.number(f"{folder}/{name}/online")  # 2: a charger that may set its voltage
        if kind in ("Mains", "USB") and isinstance(online, int):
            mains.append(online > 0)
        elif kind == "Battery":
            batteries.append(root.text(f"{folder}/{name}/status"))
    if any(mains) or not batteries:
        return False
    if "Discharging" in batteries or mains:
        return True
    return next((status for status in batteries if isinstance(status, Unread)), False)


def _read_selinux(root: Root) -> Fact[str]:
    enforcing = root.flag("/sys/fs/selinux/enforce")
    if isinstance(enforcing, bool):
        return "enforcing" if enforcing else "permissive"
    if enforcing is None and root.is_folder("/sys/fs/selinux"):
        # The mount point is there and nothing is mounted on it: a container does not see the host's policy.
        return Unread("missing", "/sys/fs/selinux is empty here")
    return enforcing


def _read_infiniband(root: Root) -> Fact[list[str]]:
    folder = "/sys/class/infiniband"
    cards = root.names(folder)
    if cards is None or isinstance(cards, Unread):
        return cards or []
    ports = []
    for card in cards:
        for port in root.listing(f"{folder}/{card}/ports"):
            state = root.text(f"{folder}/{card}/ports/{port}/state")
            rate = root.text(f"{folder}/{card}/ports/{port}/rate")
            words = [word.partition(" (")[0] for word in (state, rate) if isinstance(word, str)]
            ports.append(printable(" ".join([f"{card}/{port}", *words])))
    return ports


def _or_missing(fact: Fact[int], why: str) -> Fact[int]:
    return Unread("missing", why) if fact is None else fact
