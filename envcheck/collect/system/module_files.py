"""The nvidia.ko files of all installed kernels, found by a bounded walk and read without decompressing them."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from envcheck.facts import Fact, ModuleFile, Unread

from .root import Root, printable

FOLDERS = ("/lib/modules", "/run/booted-system/kernel-modules/lib/modules")
"""Where kernels keep their modules; the second is NixOS's."""

# "current", "tesla-470", "legacy-390xx" are Debian's; nvidia-drm, -uvm and the others are not asked for.
_MODULE = r"nvidia(?:-(?:current|tesla|legacy)[\w-]*)?\.ko(?:\.gz|\.xz|\.zst)?$"
_OTHER_PART = r"nvidia-.*(?:drm|modeset|uvm|peermem|fs)\.ko"
# DKMS, akmods, weak-updates of Red Hat and SUSE, NixOS, older Arch; kernel/nvidia-NNN is Ubuntu's; the .run
# installer writes to kernel/drivers/video.
_ROOTS = (
    ("updates", 4),
    ("extra", 4),
    ("weak-updates", 4),
    ("misc", 1),
    ("extramodules", 1),
    ("kernel/drivers/video", 1),
)
_KERNELS_MAX = 100
_FOLDERS_MAX = 200
_DEP_BYTES = 8 << 20

_SIGNATURE = b"~Module signature appended~\n"  # MODULE_SIG_STRING of the kernel's include/linux/module_signature.h
_SECTION_BYTES = 4 << 20
_FILE_BYTES_MAX = 1 << 32


def find_module_files(root: Root) -> Fact[list[ModuleFile]]:
    """Every nvidia.ko below /lib/modules, by the kernel's name."""
    # By kernel: weak-updates of one kernel link to the file of another.
    found: dict[tuple[str, str], ModuleFile] = {}
    refused: list[Unread] = []
    for base in FOLDERS:
        kernels = root.names(base)
        if isinstance(kernels, Unread):
            refused.append(kernels)
            continue
        for kernel in (kernels or [])[:_KERNELS_MAX]:
            for path in _search(root, f"{base}/{kernel}", refused):
                place = (kernel, root.real_path(path))
                if place not in found and root.exists(path) is True:
                    found[place] = _describe(root, path, kernel)
    return refused[0] if refused and not found else list(found.values())


def _search(root: Root, kernel: str, refused: list[Unread]) -> Iterator[str]:
    todo = [(f"{kernel}/{name}", depth) for name, depth in _ROOTS]
    inner = root.folders(f"{kernel}/kernel")
    if isinstance(inner, Unread):
        refused.append(inner)
    elif inner:
        todo += [(f"{kernel}/kernel/{name}", 1) for name, _ in inner if name.startswith("nvidia")]
    visited = 0
    while todo and visited < _FOLDERS_MAX:
        folder, depth = todo.pop()
        visited += 1
        entries = root.folders(folder)
        if isinstance(entries, Unread):
            refused.append(entries)
            continue
        for name, is_folder in entries or ():
            if is_folder and depth > 1:
                todo.append((f"{folder}/{name}", depth - 1))
            elif _is_wanted(name):
                yield f"{folder}/{name}"
    # Whatever depmod knows beside these places.
    index = root.read(f"{kernel}/modules.dep", _DEP_BYTES)
    for path in _indexed(index) if isinstance(index, bytes) else ():
        yield path if path.startswith("/") else f"{kernel}/{path}"


def _indexed(index: bytes) -> Iterator[str]:
    """Paths of nvidia.ko in modules.dep, whose lines are ``path: paths of what it needs``."""
    hit = index.find(b"/nvidia")
    while hit >= 0:
        end = index.find(b"\n", hit)
        line = index[index.rfind(b"\n", 0, hit) + 1 : end if end >= 0 else len(index)]
        path = line.partition(b":")[0].decode("utf-8", "surrogateescape")
        if _is_wanted(path.rpartition("/")[2]):
            yield path
        hit = index.find(b"/nvidia", end) if end >= 0 else -1


def _is_wanted(name: str) -> bool:
    if not name.startswith("nvidia"):
        return False
    return re.match(_MODULE, name) is not None and re.match(_OTHER_PART, name) is None


def _describe(root: Root, path: str, kernel: str) -> ModuleFile:
    shown = printable(path)
    if not path.endswith(".ko"):
        why = Unread("unsupported", "compressed module, not decompressed")
        return ModuleFile(path=shown, kernel_release=printable(kernel), version=why, license=why, signed=why)
    version, licence = _read_modinfo(root, path)
    return ModuleFile(
        path=shown,
        kernel_release=printable(kernel),
        version=version,
        license=licence,
        signed=_is_signed(root, path),
    )


def _is_signed(root: Root, path: str) -> Fact[bool]:
    status = root.status(path)
    if status is None or isinstance(status, Unread):
        return status
    tail = root.read(path, len(_SIGNATURE), max(0, status.st_size - len(_SIGNATURE)))
    return tail == _SIGNATURE if isinstance(tail, bytes) else tail


def _read_modinfo(root: Root, path: str) -> tuple[Fact[str], Fact[str]]:
    """``version=`` and ``license=`` of the section .modinfo; of a 100 MB file only that section is read."""
    section = _modinfo_section(root, path)
    if section is None or isinstance(section, Unread):
        why = section or Unread("garbled", f"{printable(path)}: no .modinfo section")
        return why, why
    values: list[Fact[str]] = []
    for key in (b"version=", b"license="):
        entries = [entry[len(key) :] for entry in section.split(b"\0") if entry.startswith(key)]
        values.append(entries[0].decode("utf-8", "backslashreplace") or None if entries else None)
    return values[0], values[1]


def _modinfo_section(root: Root, path: str) -> Fact[bytes]:
    head = root.read(path, 64)
    if head is None or isinstance(head, Unread):
        return head
    if len(head) < 64 or head[:6] != b"\x7fELF\x02\x01":  # 64 bits, little-endian: all that the driver exists for
        return None
    # ELF-64 header and section header, fields as in elf.h.
    offset, size, count, names_at = struct.unpack_from("<Q10xHHH", head, 40)
    if size != 64 or not 0 < count <= 65_535 or names_at >= count:
        return None
    table = _read_span(root, path, offset, size * count)
    if not isinstance(table, bytes) or len(table) < size * count:
        return table if isinstance(table, Unread) else None
    sections = list(struct.iter_unpack("<IIQQQQIIQQ", table))
    names = _read_span(root, path, *sections[names_at][4:6])
    if not isinstance(names, bytes):
        return names
    for section in sections:
        if names[section[0] : section[0] + 9] == b".modinfo\0":
            return _read_span(root, path, *section[4:6])
    return None


def _read_span(root: Root, path: str, offset: int, size: int) -> Fact[bytes]:
    """Part of the file; ``None`` where no file could be that long."""
    return root.read(path, min(size, _SECTION_BYTES), offset) if offset < _FILE_BYTES_MAX else None
