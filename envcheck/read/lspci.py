"""``lspci`` in any of its details (plain, -k, -n, -nn, -v, -vvv) as functions of the PCI bus."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from envcheck.facts import PciDevice, Unread

from .lines import Line, Text

NVIDIA = 0x10DE
_BRIDGE_OTHER = 0x0680

_ADDRESS = re.compile(r"\s*(?:[0-9a-f]{4,5}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] ")
_FUNCTION = re.compile(
    r"(?P<address>(?:[0-9a-f]{4,5}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) "
    r"(?P<words>[\w /-]{2,60}?)(?: \[(?P<class>[0-9a-f]{4})\])?: (?P<rest>.+)$"
)
_IDS = re.compile(r"\[([0-9a-f]{4}):([0-9a-f]{4})\]|^([0-9a-f]{4}):([0-9a-f]{4})\b")
_CLASSES = {
    "VGA compatible controller": 0x0300,
    "XGA compatible controller": 0x0301,
    "3D controller": 0x0302,
    "Display controller": 0x0380,
    "Bridge": _BRIDGE_OTHER,
    "Host bridge": 0x0600,
}
_MAKERS = (("NVIDIA Corporation", NVIDIA), ("Advanced Micro Devices", 0x1002), ("Intel Corporation", 0x8086))
_LINK = re.compile(r"Speed ([\d.]{1,6})GT/s(?: \(\w+\))?, Width x(\d{1,2})")
_SPEEDS = re.compile(r"Supported Link Speeds: [\d.]{1,6}-([\d.]{1,6})GT/s")
_REGION = re.compile(r"Region ([01]): Memory at (<unassigned>|\S+).*?(?:\[size=(\d{1,5})([KMGT]?)\])?$")
_SIZES = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_POWER = re.compile(r"Status: (D[0-3](?:hot|cold)?)\b")
_HELPERS = frozenset({"modules", "fastest"})
_LONGEST_LINE = 400
_MOST_FUNCTIONS = 512  # no machine has as many graphics cards, and a text may be hostile


def parse_lspci(
    lines: Sequence[Line], note: Callable[[str, Line], None] = lambda pointer, line: None
) -> list[PciDevice] | None:
    """The display functions and NVSwitches that are listed, or ``None`` where the lines do not tell them.

    A listing that shows no NVIDIA function counts only where it is whole (it has the host bridge): ``lspci | grep VGA``
    leaves out cards of the class "3D controller".  ``note`` is told of lines by pointers below /devices/pci.
    """
    found: list[dict[str, Any]] = []
    here: dict[str, Any] | None = None
    at = ""
    whole = False

    def state(name: str, fact: object, line: Line) -> None:
        if here is not None and name not in here:
            here[name] = fact
            if name not in _HELPERS:
                note(f"{at}/{name}", line)

    for line in lines[_first_function(lines) :]:
        if len(line.text) > _LONGEST_LINE:
            continue
        text = line.text.strip()
        function = _FUNCTION.match(text)
        if function:
            read = _read_function(function)
            whole = whole or (read is not None and read["class_code"] >> 8 == 0x0600)
            here = read if read is not None and _is_wanted(read) and len(found) < _MOST_FUNCTIONS else None
            if here is not None:
                at = str(len(found))
                found.append(here)
                note(at, line)
        elif here is not None and text:
            _read_detail(text, line, state)
    if not any(device.get("vendor") == NVIDIA for device in found) and not whole:
        return None
    for device in found:
        if device.pop("modules", None):
            device.setdefault("driver", None)  # lspci -k tells the driver before the modules, where there is one
        fastest = device.pop("fastest", None)
        if fastest is not None:  # as the kernel: the list of speeds comes before the single one
            device["link_speed_max_gts"] = fastest
    return [PciDevice(**device) for device in found]


def _first_function(lines: Sequence[Line]) -> int:
    found = (places[0] for text, places in Text.of(lines).places.items() if _ADDRESS.match(text))
    return next(found, len(lines))


def _is_wanted(device: dict[str, Any]) -> bool:
    code = device["class_code"]
    return code >> 16 == 0x03 or (code >> 8 == _BRIDGE_OTHER and device.get("vendor") == NVIDIA)


def _read_function(match: re.Match[str]) -> dict[str, Any] | None:
    words, rest = match["words"], match["rest"]
    text = match["class"] or (words if re.fullmatch(r"[0-9a-f]{4}", words) else "")
    code = int(text, 16) if text else _CLASSES.get(words)
    if code is None:
        return None
    device: dict[str, Any] = {"class_code": code << 8}
    address = match["address"]
    device["address"] = address if address.count(":") == 2 else f"0000:{address}"
    ids = _ids_in(rest)
    if ids:
        device["vendor"], device["device"] = int(ids[0], 16), int(ids[1], 16)
    else:
        vendor = next((number for maker, number in _MAKERS if rest.startswith(maker)), None)
        if vendor is not None:
            device["vendor"] = vendor
    if "(rev ff)" in rest:  # its configuration space reads all ones: the device no longer answers
        gone = Unread("garbled", "(rev ff)")
        device |= {"link_width": gone, "link_speed_gts": gone}
    return device


def _ids_in(text: str) -> tuple[str, str] | None:
    """Vendor and device: the last pair in brackets (-nn), or the pair at the beginning (-n)."""
    pairs = _IDS.findall(text)
    return (pairs[-1][0] or pairs[-1][2], pairs[-1][1] or pairs[-1][3]) if pairs else None


def _read_detail(text: str, line: Line, state: Callable[[str, object, Line], None]) -> None:
    """One indented line below a function."""
    label, _, value = text.partition(":")
    value = value.strip()
    if label == "Kernel driver in use":
        state("driver", value or None, line)
    elif label == "Kernel modules":
        state("modules", value, line)
    elif label == "Subsystem":
        ids = _ids_in(value)
        if ids:
            state("subsystem", ":".join(ids), line)
    elif label == "NUMA node" and re.fullmatch(r"\d{1,4}", value):
        state("numa_node", int(value), line)
    elif label in ("LnkCap", "LnkSta", "LnkCap2"):
        _read_link(label, value, line, state)
    elif region := _REGION.match(text):
        size = 0 if region[2] == "<unassigned>" else int(region[3]) * _SIZES[region[4]] if region[3] else None
        if size is not None:
            state(f"bar{region[1]}_bytes", size, line)
    elif power := _POWER.match(text):
        state("power_state", power[1], line)


def _read_link(label: str, value: str, line: Line, state: Callable[[str, object, Line], None]) -> None:
    if label == "LnkCap2":
        if speeds := _SPEEDS.search(value):
            state("fastest", float(speeds[1]), line)
        return
    if link := _LINK.search(value):
        suffix = "_max" if label == "LnkCap" else ""
        state("link_speed" + suffix + "_gts", float(link[1]), line)
        state("link_width" + suffix, int(link[2]), line)
