"""Graphics cards and NVSwitches on the PCI bus, from /sys/bus/pci/devices.

The files are described in the kernel's Documentation/ABI/testing/sysfs-bus-pci; the flags of ``resource`` in
include/linux/ioport.h.
"""

from __future__ import annotations

from typing import NamedTuple

from envcheck.facts import Fact, PciDevice, Unread

from .root import Root, printable, to_int

BUS = "/sys/bus/pci/devices"
NVIDIA = 0x10DE

_DISPLAY = 0x03
_BRIDGE_OTHER = 0x0680
_WIDTHS = frozenset({1, 2, 4, 8, 12, 16, 32})  # PCI Express Base Specification, Negotiated Link Width
_IORESOURCE_MEM_64 = 0x00100000
_IORESOURCE_UNSET = 0x20000000


def read_pci(root: Root) -> Fact[list[PciDevice]]:
    """All functions of a display class, of any vendor, and NVIDIA's NVSwitches, by address."""
    names = root.names(BUS)
    if names is None or isinstance(names, Unread):
        return names or Unread("missing", f"no {BUS}: this kernel shows no PCI bus")
    found = []
    unreadable = None
    for name in names:
        code = root.number(f"{BUS}/{name}/class", 16)
        if isinstance(code, Unread):
            unreadable = code
        if isinstance(code, int):
            vendor = root.number(f"{BUS}/{name}/vendor", 16)
            if code >> 16 == _DISPLAY or (code >> 8 == _BRIDGE_OTHER and vendor == NVIDIA):
                found.append(_read_function(root, name, code, vendor))
    # Without a class nobody knows whether it is a GPU; an empty list would say that there is none.
    return unreadable if unreadable is not None and not found else found


def _read_function(root: Root, name: str, code: int, vendor: Fact[int]) -> PciDevice:
    here = f"{BUS}/{name}"
    override = root.text(f"{here}/driver_override")
    power_state = root.text(f"{here}/power_state")
    link = _read_link(root, here, power_state)
    port = _read_port(root, here)
    bar0, bar1 = _read_bars(root, here)
    node = root.number(f"{here}/numa_node")
    return PciDevice(
        address=printable(name),
        vendor=vendor,
        device=root.number(f"{here}/device", 16),
        class_code=code,
        subsystem=_read_subsystem(root, here),
        driver=root.link(f"{here}/driver"),
        driver_override=None if override == "(null)" else override,
        virtual_function=root.has_entry(f"{here}/physfn"),
        power_state=power_state,
        power_control=root.text(f"{here}/power/control"),
        link_speed_gts=link.speed,
        link_width=link.width,
        link_speed_max_gts=link.speed_max,
        link_width_max=link.width_max,
        port_speed_max_gts=port.speed_max,
        port_width_max=port.width_max,
        bar0_bytes=bar0,
        bar1_bytes=bar1 if code >> 16 == _DISPLAY else None,  # an NVSwitch has one region only
        aer_correctable=_read_aer(root, here),
        numa_node=None if node == -1 else node,
        iommu_group_type=root.text(f"{here}/iommu_group/type"),
    )


def _read_subsystem(root: Root, here: str) -> Fact[str]:
    vendor = root.number(f"{here}/subsystem_vendor", 16)
    device = root.number(f"{here}/subsystem_device", 16)
    for part in (vendor, device):
        if part is None or isinstance(part, Unread):
            return part
    return f"{vendor:04x}:{device:04x}"


# --- the link ----------------------------------------------------------------------------------------------


class _Link(NamedTuple):
    speed: Fact[float]
    width: Fact[int]
    speed_max: Fact[float]
    width_max: Fact[int]


def _read_link(root: Root, here: str, power_state: Fact[str]) -> _Link:
    # Reading the link of a sleeping device gives nonsense or, on newer kernels, wakes it: neither is wanted.
    asleep = power_state == "D3cold" or root.text(f"{here}/power/runtime_status") == "suspended"
    if asleep:
        state = power_state if isinstance(power_state, str) else "suspended"
        why = Unread("unsupported", f"device sleeps ({state})")
        return _Link(why, why, why, why)
    return _Link(
        _read_speed(root, f"{here}/current_link_speed"),
        _read_width(root, f"{here}/current_link_width"),
        _read_speed(root, f"{here}/max_link_speed"),
        _read_width(root, f"{here}/max_link_width"),
    )


def _read_port(root: Root, here: str) -> _Link:
    """The same of the bridge above; all ``None`` for a device that sits on the root bus."""
    above = root.real_path(here).rpartition("/")[0]
    none = _Link(None, None, None, None)
    if not root.exists(f"{above}/class"):  # a root bus (pci0000:00) is no device
        return none
    return _read_link(root, above, root.text(f"{above}/power_state"))


def _read_speed(root: Root, path: str) -> Fact[float]:
    text = root.text(path)  # "16.0 GT/s PCIe", "8 GT/s" on older kernels, "Unknown" for a device that is gone
    if text is None or isinstance(text, Unread):
        return text
    number, _, unit = text.partition(" ")
    whole, _, fraction = number.partition(".")
    if unit.startswith("GT/s") and to_int(whole) is not None and (not fraction or to_int(fraction) is not None):
        speed = float(number)
        if 0 < speed < 1024:
            return speed
    return Unread("garbled", f"{path}: {text[:64]!r}")


def _read_width(root: Root, path: str) -> Fact[int]:
    width = root.number(path)
    if width is None or isinstance(width, Unread):
        return width
    if width == 0:
        return Unread("unsupported", f"{path}: 0, the link is hidden or down")
    if width in _WIDTHS:
        return width
    return Unread("garbled", f"{path}: {width}")  # 63: config space reads all ones; 255: the kernel does not know


# --- memory regions and errors -----------------------------------------------------------------------------


def _read_bars(root: Root, here: str) -> tuple[Fact[int], Fact[int]]:
    """Sizes of the first two memory regions.  0: not assigned.

    A 64-bit region takes two lines: an H100's BAR1 is the third one, a GeForce's the second.
    """
    path = f"{here}/resource"
    lines = root.lines(path, 8192)
    if lines is None or isinstance(lines, Unread):
        return lines, lines
    regions = [_parse_region(line) for line in lines[:6]]
    garbled = Unread("garbled", f"{path}: {lines[0][:80]!r}")
    if len(regions) < 4 or regions[0] is None:
        return garbled, garbled
    size, wide = regions[0]
    following = regions[1]
    if following == (0, False) and (wide or size == 0):
        following = regions[2]  # line 2 was the upper half; an unassigned region may have lost its width
    if following is None:
        return size, garbled
    return size, following[0]


def _parse_region(line: str) -> tuple[int, bool] | None:
    """(bytes, takes two lines) of ``start end flags``."""
    words = line.split()
    if len(words) != 3 or not all(word.startswith("0x") and len(word) <= 18 for word in words):
        return None
    try:
        start, end, flags = (int(word, 16) for word in words)
    except ValueError:
        return None
    size = end - start + 1 if end > start and not flags & _IORESOURCE_UNSET else 0
    return min(size, (1 << 63) - 1), bool(flags & _IORESOURCE_MEM_64)


def _read_aer(root: Root, here: str) -> Fact[int]:
    path = f"{here}/aer_dev_correctable"
    lines = root.lines(path, 4096)
    if lines is None:
        return Unread("missing", "no AER counters: the firmware keeps them, or the device has none")
    if isinstance(lines, Unread):
        return lines
    for line in lines:
        if line.startswith("TOTAL_ERR_COR "):
            total = to_int(line[14:].strip())
            return Unread("garbled", f"{path}: {line[:64]!r}") if total is None else total
    return Unread("garbled", f"{path}: no TOTAL_ERR_COR")
