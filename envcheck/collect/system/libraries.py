"""Every user-mode driver library that the loader could find, in the order in which it looks.

See ld.so(8).  The run-path of the program that loads them, which stands before LD_LIBRARY_PATH, is not known here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping

from envcheck.facts import DriverLibrary, Fact, Unread

from .ld_cache import find_in_cache
from .root import Root, printable

SONAMES = ("libcuda.so.1", "libnvidia-ml.so.1")

TRUSTED = {
    "x86_64": ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"),
    "aarch64": ("/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib"),
}
"""Folders that the loader searches without being told, by architecture (Debian's and Red Hat's)."""

KNOWN = (
    "/usr/lib/wsl/lib",
    "/run/opengl-driver/lib",  # NixOS
    "/usr/local/nvidia/lib64",  # Google's clusters, old nvidia-docker
    "/usr/local/nvidia/lib",
    "/.singularity.d/libs",
    "/usr/lib/aarch64-linux-gnu/nvidia",  # JetPack 6
    "/usr/lib/aarch64-linux-gnu/tegra",  # JetPack 5 and older
    "/usr/lib/nvidia/current",
    "/usr/lib64/nvidia",
    "/usr/local/cuda/compat",
)
"""Folders where drivers put these libraries, and where the loader does not look unless it is told."""

# The suffix is the driver's version; Tegra's libcuda.so.1.1 has none.
_VERSION = r"\.so\.(\d{2,}\.\d+(?:\.\d+)*)$"
_ELF_MACHINES = {"x86_64": 62, "aarch64": 183, "ppc64le": 21}  # e_machine of elf.h
_ENTRIES_MAX = 256


def find_libraries(root: Root, machine: Fact[str], environ: Mapping[str, str]) -> Fact[list[DriverLibrary]]:
    """libcuda and libnvidia-ml wherever they are; the first of a name is the one that a program gets.

    Those found in a "known folder" only, the loader does not find.
    """
    found: list[DriverLibrary] = []
    seen: set[tuple[str, str]] = set()
    refused: list[Unread] = []
    for soname, path, found_in in _candidates(root, machine, environ, refused):
        status = root.status(path)
        if status is None:
            continue
        if isinstance(status, Unread):
            refused.append(status)
            continue
        real = root.real_path(path)
        if (soname, real) in seen or _is_foreign(root, path, machine):
            continue
        seen.add((soname, real))
        found.append(_describe(soname, path, real, found_in))
    # What could not be looked at might have been one: then "none" would be a guess.
    return refused[0] if refused and not found else found


def _candidates(
    root: Root, machine: Fact[str], environ: Mapping[str, str], refused: list[Unread]
) -> Iterator[tuple[str, str, str]]:
    for entry in re.split("[ :]", environ.get("LD_PRELOAD", "")):
        name = entry.rpartition("/")[2]
        for soname in SONAMES:
            if "/" in entry and name.startswith(soname.removesuffix(".1")):
                yield soname, _absolute(root, entry), "LD_PRELOAD"
    path = environ.get("LD_LIBRARY_PATH", "")
    # An empty entry is the working directory.
    for folder in re.split("[:;]", path)[:_ENTRIES_MAX] if path else ():
        for soname in SONAMES:
            yield soname, f"{_absolute(root, folder).rstrip('/')}/{soname}", "LD_LIBRARY_PATH"
    cached = find_in_cache(root, SONAMES, machine)
    if isinstance(cached, Unread):
        refused.append(cached)
    elif cached is not None:
        for soname, cached_path in cached:
            yield soname, cached_path, "ld cache"
    for folder in TRUSTED.get(machine, TRUSTED["x86_64"]) if isinstance(machine, str) else TRUSTED["x86_64"]:
        for soname in SONAMES:
            yield soname, f"{folder}/{soname}", "default folder"
    configured = [] if isinstance(cached, list) else _read_configuration(root)
    for folder in (*configured, *KNOWN):
        for soname in SONAMES:
            yield soname, f"{folder}/{soname}", "known folder"


def _absolute(root: Root, path: str) -> str:
    if path.startswith("/") or root.prefix:
        return path if path.startswith("/") else f"/{path}"
    try:
        return f"{os.getcwd()}/{path}"  # noqa: PTH109
    except OSError:  # the working directory was removed
        return f"/{path}"


def _read_configuration(root: Root) -> list[str]:
    """Folders of /etc/ld.so.conf, for systems without a cache: there the loader does not know them."""
    folders: list[str] = []
    texts = ["/etc/ld.so.conf"]
    texts += [f"/etc/ld.so.conf.d/{name}" for name in root.listing("/etc/ld.so.conf.d") if name.endswith(".conf")]
    for text in texts:
        lines = root.lines(text)
        for line in lines if isinstance(lines, list) else ():
            folder = line.partition("#")[0].strip()
            if folder.startswith("/"):
                folders.append(folder.rstrip("/"))
    return folders[:_ENTRIES_MAX]


def _is_foreign(root: Root, path: str, machine: Fact[str]) -> bool:
    """True for a library of another architecture, which the loader passes over (the i386 copy of a driver)."""
    head = root.read(path, 20)
    if not isinstance(head, bytes) or not head.startswith(b"\x7fELF") or len(head) < 20:
        return False
    expected = _ELF_MACHINES.get(machine) if isinstance(machine, str) else None
    order = "big" if head[5] == 2 else "little"
    return expected is not None and int.from_bytes(head[18:20], order) != expected  # type: ignore[arg-type,unused-ignore]


def _describe(soname: str, path: str, real: str, found_in: str) -> DriverLibrary:
    version = re.search(_VERSION, real)
    places = f"{path}/{real}".split("/")
    return DriverLibrary(
        soname=soname,
        path=printable(path),
        realpath=printable(real),
        version=version[1] if version else None,
        found_in=found_in,
        stub="stubs" in places,
        compat="compat" in places or "cuda-compat" in places,
    )
