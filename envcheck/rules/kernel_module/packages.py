"""The commands that install, rebuild or hold the driver on this distribution.

Commands and package names: NVIDIA driver installation guide; Ubuntu ubuntu-drivers; RPM Fusion; Arch packages.
"""

from __future__ import annotations

import re
from shlex import quote

from envcheck.facts import PackageManager
from envcheck.judge import CannotTell, Case, Step

GUIDE = "https://docs.nvidia.com/datacenter/tesla/driver-installation-guide/"
SERVER_CHASSIS = frozenset({17, 23, 25, 28, 29})
"""DMI chassis types of servers, racks, multi-system, blade and blade enclosures (SMBIOS, table 17)."""

_TOOLS = {
    "ubuntu": "apt",
    "debian": "apt",
    "fedora": "dnf",
    "rhel": "dnf",
    "centos": "dnf",
    "arch": "pacman",
    "suse": "zypper",
    "opensuse": "zypper",
}
_PREBUILT = re.compile(r"linux-(?:modules|objects|signatures)-nvidia-(\d+(?:-server)?(?:-open)?)-")


def families(case: Case) -> list[str]:
    """The distribution and those that it descends from, nearest first; empty where it is not known."""
    name = case.maybe(lambda: case.known("/host/os_id", str))
    like = case.maybe(lambda: case.known("/host/os_like", list))
    return [*([name] if isinstance(name, str) else []), *(like if isinstance(like, list) else [])]


def package_tool(case: Case) -> str:
    """ "apt", "dnf", "pacman", "zypper", or "" where nothing tells."""
    for family in families(case):
        if family in _TOOLS:
            return _TOOLS[family]
    managers = [item.name for _, item in case.maybe_records("/host/package_managers", PackageManager)]
    return next((name for name in managers if name in _TOOLS.values()), "")


def install_driver(case: Case, *, flavour: str = "open") -> list[Step]:
    """Steps that install a driver: ``flavour`` is "open" (Turing and newer) or "580" (Maxwell, Pascal, Volta)."""
    known = families(case)
    steps = _legacy(known) if flavour == "580" else _current(case, known)
    return [*steps, Step(where="host", command="sudo reboot", root=True, reboot=True)]


def _current(case: Case, known: list[str]) -> list[Step]:
    ubuntu = Step(where="host", tool="apt", command="sudo ubuntu-drivers install", root=True)
    chassis = case.maybe(lambda: case.known("/host/chassis", int))
    if not isinstance(chassis, CannotTell) and chassis in SERVER_CHASSIS:
        ubuntu = Step(
            where="host",
            tool="apt",
            command="sudo ubuntu-drivers install --gpgpu",
            root=True,
            note="a server; add the nvidia-utils-…-server package of the branch that it installs",
        )
    debian = Step(
        where="host",
        tool="apt",
        command="sudo apt-get install nvidia-driver",
        root=True,
        note="Debian: from the components contrib and non-free",
    )
    nvidia_dnf = Step(
        where="host",
        tool="dnf",
        command="sudo dnf install nvidia-open",
        root=True,
        note="from NVIDIA's repository; on EL 8 and 9 first: sudo dnf module enable nvidia-driver:open-dkms",
    )
    fusion = Step(
        where="host",
        tool="dnf",
        command="sudo dnf install akmod-nvidia xorg-x11-drv-nvidia-cuda",
        root=True,
        note="from RPM Fusion, never mixed with NVIDIA's repository; let akmods finish its build before the restart",
    )
    arch = Step(where="host", tool="pacman", command="sudo pacman -S nvidia-open nvidia-utils", root=True)
    by_family = {
        "ubuntu": ubuntu,
        "debian": debian,
        "amzn": nvidia_dnf,
        "fedora": fusion,
        "rhel": nvidia_dnf,
        "arch": arch,
    }
    return _first(known, by_family, [ubuntu, nvidia_dnf])


def _legacy(known: list[str]) -> list[Step]:
    ubuntu = Step(where="host", tool="apt", command="sudo apt-get install nvidia-driver-580", root=True)
    debian = Step(
        where="host",
        tool="apt",
        command="sudo apt-get install nvidia-driver-pinning-580 && sudo apt-get install cuda-drivers-580",
        root=True,
        note="from NVIDIA's repository; the pinning package first",
    )
    rhel = Step(
        where="host",
        tool="dnf",
        command="sudo dnf module enable nvidia-driver:580-dkms && sudo dnf install cuda-drivers",
        root=True,
        note="EL 8 and 9, NVIDIA's repository; on EL 10 and Fedora hold the branch: dnf versionlock add '*nvidia*580*'",
    )
    arch = Step(where="host", tool="pacman", note="build nvidia-580xx-dkms and nvidia-580xx-utils from the AUR")
    by_family = {"ubuntu": ubuntu, "debian": debian, "fedora": rhel, "rhel": rhel, "arch": arch}
    return _first(known, by_family, [ubuntu, rhel])


def _first(known: list[str], by_family: dict[str, Step], otherwise: list[Step]) -> list[Step]:
    for family in known:
        if family in by_family:
            return [by_family[family]]
    if known:
        return [Step(where="browser", command=GUIDE, note=f"the steps for {known[0]}")]
    return otherwise


def build_module(case: Case) -> list[Step]:
    """Steps that make the module for the running kernel: the distribution's own build, else DKMS or akmods."""
    release = case.maybe(lambda: case.known("/host/kernel_release", str))
    kernel = quote(release) if isinstance(release, str) else '"$(uname -r)"'
    packages = case.maybe(lambda: case.known("/host/driver_packages", list))
    prebuilt = _prebuilt(packages if isinstance(packages, list) else [])
    apt = Step(
        where="host",
        tool="apt",
        command=f"sudo apt-get install linux-headers-{kernel} && sudo dkms autoinstall",
        root=True,
    )
    if prebuilt:
        apt = Step(
            where="host",
            tool="apt",
            command=f"sudo apt-get install linux-modules-nvidia-{prebuilt}-{kernel}",
            root=True,
            note="and its meta package (-generic, or the cloud's flavour), so that the next kernel brings its own",
        )
    dnf = Step(
        where="host",
        tool="dnf",
        command="sudo dnf install kernel-devel-matched && sudo dkms autoinstall",
        root=True,
        note="NVIDIA's repository; with RPM Fusion: sudo akmods --force",
    )
    arch = Step(where="host", tool="pacman", command="sudo pacman -S linux-headers && sudo dkms autoinstall", root=True)
    by_tool = {"apt": apt, "dnf": dnf, "pacman": arch}
    tool = package_tool(case)
    chosen = [by_tool[tool]] if tool in by_tool else [apt, dnf]
    return [*chosen, Step(where="host", command="sudo modprobe nvidia", root=True)]


def _prebuilt(packages: list[str]) -> str:
    """ "580-open" where Ubuntu's ready-built modules are installed for another kernel, else ""."""
    for package in packages:
        found = _PREBUILT.match(package)
        if found:
            return found[1]
    return ""


def hold(case: Case, package: str) -> Step:
    """Keeps an upgrade from replacing a driver package."""
    if package_tool(case) == "dnf":
        return Step(where="host", tool="dnf", command=f"sudo dnf versionlock add {quote(package + '*')}", root=True)
    return Step(where="host", tool="apt", command=f"sudo apt-mark hold {quote(package)}", root=True)
