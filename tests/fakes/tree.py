"""A pretended file system: paths without the leading slash, and what stands there.

Device nodes cannot be made without root, so plain files stand in for those of ``/dev``.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Link:
    """A symbolic link.  ``target`` is a path of the same tree, from its root."""

    target: str


@dataclass(frozen=True)
class File:
    """A file with permission bits of its own."""

    content: str | bytes = ""
    mode: int = 0o644


@dataclass(frozen=True)
class Folder:
    """A folder, empty unless other paths lie in it."""


Node = str | bytes | Link | File | Folder
Files = Mapping[str, Node]


def write_tree(root: Path, files: Files) -> None:
    """Make ``files`` below ``root``."""
    for path, node in sorted(files.items()):
        place = root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(node, Folder):
            place.mkdir(parents=True, exist_ok=True)
        elif isinstance(node, Link):
            place.symlink_to(os.path.relpath(node.target, PurePosixPath(path).parent))
        else:
            file = node if isinstance(node, File) else File(node)
            place.write_bytes(file.content.encode() if isinstance(file.content, str) else file.content)
            place.chmod(file.mode)


def without(files: Files, *prefixes: str) -> dict[str, Node]:
    """The tree without these paths and everything below them."""
    return {
        path: node
        for path, node in files.items()
        if not any(path == prefix or path.startswith(prefix + "/") for prefix in prefixes)
    }


@dataclass(frozen=True)
class PciCard:
    """One function on the PCI bus with the port above it, as sysfs shows them.

    ``bars`` are sizes in bytes by line of ``resource``; of a 64-bit region the next line is the upper half, which
    shows zeros.  BAR0 is a 32-bit one unless ``wide_bar0`` (Hopper).  Speeds are in GT/s.  ``driver`` is ``None`` where
    no driver is bound.
    """

    address: str
    device: int
    vendor: int = 0x10DE
    class_code: int = 0x030200
    subsystem: tuple[int, int] = (0x10DE, 0)
    driver: str | None = "nvidia"
    driver_override: str = "(null)"
    speed: str = "32.0 GT/s PCIe"
    speed_max: str = "32.0 GT/s PCIe"
    width: int = 16
    width_max: int = 16
    port_speed_max: str = "32.0 GT/s PCIe"
    port_width_max: int = 16
    bars: tuple[int, ...] = ()
    wide_bar0: bool = False
    power_state: str = "D0"
    power_control: str = "on"
    numa_node: int = 0
    iommu_group: int | None = None
    iommu_type: str = "DMA-FQ"
    correctable_errors: int = 0
    virtual_function: bool = False

    @property
    def folder(self) -> str:
        """Where the device lies in ``sys/devices``: behind its port."""
        root = f"sys/devices/pci{self.address[:5]}00"
        return f"{root}/{self.port}/{self.address}" if self.port else f"{root}/{self.address}"

    @property
    def port(self) -> str | None:
        """Address of the port above; bus 00, as in many virtual machines, has none."""
        domain, bus, _ = self.address.split(":")
        return f"{domain}:00:{int(bus, 16) & 0x1F:02x}.{int(bus, 16) >> 5}" if int(bus, 16) else None

    def files(self) -> dict[str, Node]:
        """The device's and its port's entries in ``/sys``."""
        here = self.folder
        files: dict[str, Node] = {
            f"{here}/vendor": f"0x{self.vendor:04x}\n",
            f"{here}/device": f"0x{self.device:04x}\n",
            f"{here}/class": f"0x{self.class_code:06x}\n",
            f"{here}/subsystem_vendor": f"0x{self.subsystem[0]:04x}\n",
            f"{here}/subsystem_device": f"0x{self.subsystem[1]:04x}\n",
            f"{here}/current_link_speed": f"{self.speed}\n",
            f"{here}/current_link_width": f"{self.width}\n",
            f"{here}/max_link_speed": f"{self.speed_max}\n",
            f"{here}/max_link_width": f"{self.width_max}\n",
            f"{here}/resource": _resource(self.bars, self.wide_bar0),
            f"{here}/power_state": f"{self.power_state}\n",
            f"{here}/power/control": f"{self.power_control}\n",
            f"{here}/numa_node": f"{self.numa_node}\n",
            f"{here}/driver_override": f"{self.driver_override}\n",
            f"{here}/enable": "1\n",
            f"{here}/aer_dev_correctable": _aer(self.correctable_errors),
            f"sys/bus/pci/devices/{self.address}": Link(here),
        }
        if self.port:
            files |= self._port_files(str(PurePosixPath(here).parent))
        if self.driver:
            files[f"sys/bus/pci/drivers/{self.driver}"] = Folder()
            files[f"sys/bus/pci/drivers/{self.driver}/{self.address}"] = Link(here)
            files[f"{here}/driver"] = Link(f"sys/bus/pci/drivers/{self.driver}")
        if self.iommu_group is not None:
            group = f"sys/kernel/iommu_groups/{self.iommu_group}"
            files[f"{group}/type"] = f"{self.iommu_type}\n"
            files[f"{group}/devices/{self.address}"] = Link(here)
            files[f"{here}/iommu_group"] = Link(group)
        if self.virtual_function:
            files[f"{here}/physfn"] = Link(str(PurePosixPath(here).parent))
        return files

    def _port_files(self, port: str) -> dict[str, Node]:
        return {
            f"{port}/vendor": "0x8086\n",
            f"{port}/device": "0x352a\n",
            f"{port}/class": "0x060400\n",
            f"{port}/max_link_speed": f"{self.port_speed_max}\n",
            f"{port}/max_link_width": f"{self.port_width_max}\n",
            f"{port}/current_link_speed": f"{self.speed}\n",
            f"{port}/current_link_width": f"{self.width}\n",
            f"sys/bus/pci/devices/{self.port}": Link(port),
        }


# Flags of include/linux/ioport.h, as a 32-bit region and a prefetchable 64-bit one show them.
NARROW, WIDE = 0x40200, 0x14220C


def _resource(bars: tuple[int, ...], wide_bar0: bool) -> str:
    """Seven lines of first address, last address and flags; zeros where nothing is assigned."""
    lines, low, high = [], 0xB0000000, 0x5C000000000
    for line, size in enumerate((*bars, *[0] * 7)[:7]):
        if not size:
            lines.append(f"0x{0:016x} 0x{0:016x} 0x{0:016x}")
        elif line == 0 and not wide_bar0:
            lines.append(f"0x{low:016x} 0x{low + size - 1:016x} 0x{NARROW:016x}")
        else:
            start = (high + size - 1) // size * size
            high = start + size
            lines.append(f"0x{start:016x} 0x{high - 1:016x} 0x{WIDE:016x}")
    return "\n".join(lines) + "\n"


def _aer(total: int) -> str:
    return f"RxErr {total}\nBadTLP 0\nBadDLLP 0\nRollover 0\nTimeout 0\nNonFatalErr 0\nTOTAL_ERR_COR {total}\n"


def kernel_module(version: str, licence: str, release: str, *, signed: bool = True) -> bytes:
    """An ELF file with the ``.modinfo`` section that ``modinfo`` reads, and the signature marker of a signed module."""
    fields = (f"version={version}", f"license={licence}", "name=nvidia", f"vermagic={release} SMP preempt mod_unload ")
    modinfo = b"".join(field.encode() + b"\0" for field in fields)
    names = b"\0.modinfo\0.shstrtab\0"
    header, section = 64, 64
    table = header + len(modinfo) + len(names)
    elf = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01" + bytes(9),
        *(1, 62, 1, 0, 0, table, 0, header, 0, 0, section, 3, 2),
    )
    sections = bytes(section)
    sections += struct.pack("<IIQQQQIIQQ", 1, 1, 2, 0, header, len(modinfo), 0, 0, 1, 0)
    sections += struct.pack("<IIQQQQIIQQ", 10, 3, 0, 0, header + len(modinfo), len(names), 0, 0, 1, 0)
    signature = b"\x30\x82" + bytes(38) + b"~Module signature appended~\n" if signed else b""
    return elf + modinfo + names + sections + signature
