"""Package managers, and the driver packages that the package database knows, read without asking a program."""

from __future__ import annotations

import re
from collections.abc import Mapping

from envcheck.facts import Fact, PackageManager, Unread

from .root import Root, printable

_MANAGERS = {
    "linux": ("apt-get", "dnf", "yum", "zypper", "pacman", "apk", "emerge", "xbps-install", "rpm-ostree", "nix-env"),
    "darwin": ("brew", "port"),
    "win32": ("winget.exe", "choco.exe", "scoop.cmd"),
}
_NAMES = {"apt-get": "apt", "xbps-install": "xbps", "nix-env": "nix"}
# A PATH that lost these is itself a finding; the command of a fix is still there.
_STANDARD_FOLDERS = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin", "/run/current-system/sw/bin")

_DPKG_STATUS = "/var/lib/dpkg/status"
_DPKG_BYTES = 64 << 20  # some 5 MB on a full desktop
_PACMAN_FOLDER = "/var/lib/pacman/local"
_RPM_FOLDERS = ("/var/lib/rpm", "/usr/lib/sysimage/rpm", "/usr/share/rpm")
# libcuda1 and libnvidia-ml1 are Debian's names; linux-modules-nvidia-… are Ubuntu's ready-built kernel modules.
_DRIVER_PACKAGE = (
    r"(?:lib)?nvidia-|nvidia\b|cuda-drivers|cuda-compat|libcuda1\b|linux-(?:modules|objects|signatures)-nvidia-"
)
# Compiled when they are used: that is not free, and most machines need one of the two.
_DPKG_ENTRY = rb"\nPackage: ((?:" + _DRIVER_PACKAGE.encode() + rb")[^\n]*)\n"
_PACMAN_ENTRY = rf"((?:{_DRIVER_PACKAGE})[\w.+-]*?)-([^-]+-[^-]+)$"


def path_folders(platform: str, environ: Mapping[str, str]) -> list[str]:
    """The entries of PATH, in order; an empty one (the working directory) is left out."""
    separator = ";" if platform == "win32" else ":"
    return [entry for entry in environ.get("PATH", "").split(separator) if entry]


def find_package_managers(root: Root, platform: str, environ: Mapping[str, str]) -> list[PackageManager]:
    """The system's package managers, on PATH or in the standard folders."""
    folders = path_folders(platform, environ)
    if platform != "win32":
        folders += [folder for folder in _STANDARD_FOLDERS if folder not in folders]
    found = []
    for program in _MANAGERS.get(platform, ()):
        path = root.which(program, folders)
        if path is not None:
            name = _NAMES.get(program, program.partition(".")[0])
            found.append(PackageManager(name=name, path=printable(path)))
    return found


def read_driver_packages(root: Root) -> Fact[list[str]]:
    """``name=version`` of every installed package of the NVIDIA driver, of dpkg or pacman."""
    raw = root.read(_DPKG_STATUS, _DPKG_BYTES)
    if isinstance(raw, Unread):
        return raw
    if raw is not None:
        return _scan_dpkg(b"\n" + raw)
    names = root.names(_PACMAN_FOLDER)
    if isinstance(names, Unread):
        return names
    if names is not None:
        entries = [re.match(_PACMAN_ENTRY, name) for name in names]
        return [printable(f"{entry[1]}={entry[2]}") for entry in entries if entry]
    if any(root.exists(folder) is True for folder in _RPM_FOLDERS):
        return Unread("unsupported", "the rpm database can only be read by rpm")
    return Unread("missing", "no package database that can be read as a file")


def _scan_dpkg(status: bytes) -> list[str]:
    found: dict[str, None] = {}  # the same package of two architectures counts once
    for entry in re.finditer(_DPKG_ENTRY, status):
        end = status.find(b"\n\n", entry.start() + 1)
        block = status[entry.start() : end if end >= 0 else len(status)]
        # A removed package stays in the list as "deinstall ok config-files".
        state = re.search(rb"\nStatus: ([^\n]*)", block)
        version = re.search(rb"\nVersion: ([^\n]+)", block)
        if state and state[1].split()[-1:] == [b"installed"] and version:
            found[b"=".join((entry[1].strip(), version[1].strip())).decode("utf-8", "backslashreplace")] = None
    return list(found)
