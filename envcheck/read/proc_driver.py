"""The driver's files in /proc, as people paste them and as nvidia-bug-report.sh prints them.

/proc/driver/nvidia/version, gpus/*/information and params, and the nvidia lines of /proc/modules or ``lsmod``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from envcheck.facts import Driver, Fact, ProcGpu, Unread

from .lines import Line, Text
from .nvidia_smi_fields import as_bus_id

_BANNER = re.compile(r"NVRM version: +(NVIDIA UNIX .{1,200})$")
_VERSION = re.compile(r"(?:Kernel Module(?: for \S{1,20})?) +(\d{3}\.[\d.]{2,20})")
_INFORMATION = re.compile(
    r"(Model|GPU UUID|Video BIOS|Bus Location|Device Minor|GPU Excluded|Blacklisted): +(.{1,100})$"
)
_FIELDS = {"GPU UUID": "uuid", "Video BIOS": "video_bios", "Model": "model"}
_MODULE = re.compile(r"(nvidia|nvidia_uvm|nvidia_peermem|nouveau) +\d{3,12} +\d{1,6}\b")
_MODULE_FIELDS = {
    "nvidia": "module_loaded",
    "nvidia_uvm": "uvm_loaded",
    "nvidia_peermem": "peermem_loaded",
    "nouveau": "nouveau_loaded",
}
_WORDS: tuple[str, ...] = ("NVRM version: ", "nvidia", "nouveau", "DeviceFileMode: ", "Model:", "GPU UUID:")
_WORDS += ("Video BIOS:", "Bus Location:", "Device Minor:", "GPU Excluded:", "Blacklisted:")
_FILE_MODE = re.compile(r"DeviceFileMode: (\d{1,4})$")


def parse_proc_driver(
    lines: Sequence[Line], note: Callable[[str, Line], None] = lambda pointer, line: None
) -> Driver | None:
    """Read these files where they stand in the lines, or ``None`` where none does.

    ``note`` is told of the line of every fact, by its pointer below /driver.  A module that is not listed may have
    been cut away: only those that are there are facts.
    """
    facts: dict[str, Any] = {}
    gpus: list[dict[str, Any]] = []

    def put(name: str, value: object, line: Line) -> None:
        if name not in facts:
            facts[name] = value
            note(name, line)

    for line in Text.of(lines).holding(*_WORDS):
        text = line.text.strip()
        if found := _BANNER.search(text):
            _read_banner(found[1], line, put)
        elif found := _MODULE.match(text):
            put(_MODULE_FIELDS[found[1]], True, line)
        elif found := _FILE_MODE.match(text):
            put("device_file_mode", int(found[1]), line)
        elif found := _INFORMATION.match(text):
            _read_information(gpus, found[1], found[2].strip(), line, note)
    known = [ProcGpu(**gpu) for gpu in gpus if "bus_id" in gpu]
    if known and len(known) == len(gpus):
        facts["gpus"] = known
    return Driver(**facts) if facts else None


def version_in_banner(banner: str) -> Fact[str]:
    """The driver's version in the first line of /proc/driver/nvidia/version, of both flavours of the module."""
    found = _VERSION.search(banner)
    return found[1] if found else Unread("garbled", banner)


def _read_banner(banner: str, line: Line, put: Callable[[str, object, Line], None]) -> None:
    banner = " ".join(banner.split())
    put("proc_banner", f"NVRM version: {banner}", line)
    put("proc", version_in_banner(banner), line)
    put("open_module", "Open Kernel Module" in banner, line)
    put("module_loaded", True, line)


def _read_information(
    gpus: list[dict[str, Any]], label: str, value: str, line: Line, note: Callable[[str, Line], None]
) -> None:
    if label == "Model":
        gpus.append({})
    if not gpus:
        return
    gpu, at = gpus[-1], len(gpus) - 1
    if label == "Bus Location":
        try:
            gpu["bus_id"] = as_bus_id(value)
        except ValueError:
            return
        note(f"gpus/{at}/bus_id", line)
    elif label == "Device Minor":
        if re.fullmatch(r"\d{1,4}", value):
            gpu["minor"] = int(value)
            note(f"gpus/{at}/minor", line)
    elif label in ("GPU Excluded", "Blacklisted"):
        gpu["excluded"] = value == "Yes"
        note(f"gpus/{at}/excluded", line)
    else:
        unknown = set(value) <= set("?.- ")  # before a card is initialised its UUID is "GPU-????????-…"
        gpu[_FIELDS[label]] = Unread("unsupported", value) if unknown or "?" in value else value
        note(f"gpus/{at}/{_FIELDS[label]}", line)
