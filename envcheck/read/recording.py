"""A recorded output as a snapshot: what one command or a driver's report printed, judged by the same rules.

Recognised are all forms of nvidia-smi, the driver's files in /proc, lspci, deviceQuery, ``ldconfig -p``,
``nvcc --version``, kernel logs, and every message of the symptom table.  Several may stand in one text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec

from envcheck.facts import (
    CollectorRun,
    Cuda,
    Devices,
    Driver,
    Host,
    Origin,
    ProcGpu,
    Smi,
    Snapshot,
    Symptom,
    Toolkit,
    ToolkitInstall,
    make,
    resolve,
)
from envcheck.judge import normal_bus_id, subjects

from .device_query import parse_device_query
from .draft import not_read
from .kernel_log import WORDS, find_xids, select_records
from .ld_cache import parse_ld_cache
from .lines import Line, Text, clean_lines
from .lspci import parse_lspci
from .nvidia_smi import read_smi
from .nvidia_smi_fields import MOST_GPUS
from .proc_driver import parse_proc_driver
from .symptoms import find_in_text

_KERNEL = re.compile(
    r"(?:<\d{1,2}>)?(?:\[ *\d{1,9}\.\d{4,9}\]|\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4}\]|NVRM: "
    r"|nvidia-(?:nvlink|nvswitch\d*|uvm|modeset|gpu): |nouveau |(?:\S{1,40} ){1,5}kernel: )"
)
_NVCC = re.compile(r"Cuda compilation tools, release (\d{1,3}\.\d{1,2}), V")
_BUS = re.compile(
    r"(?:(?<=PCI:)|(?<![0-9a-f:.]))[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}(?:\.[0-7])?(?![0-9a-f:])", re.IGNORECASE
)
_CARD = re.compile(r"NVRM: GPU at (?:PCI:)?([0-9a-f:.]{7,16}): (GPU-[0-9a-f-]{36})", re.IGNORECASE)
_REFUSED = re.compile(r"NVRM: GPU ([0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]): ", re.IGNORECASE)
_WINDOWS_MODELS = ("WDDM", "TCC", "MCDM")


def read_recording(text: str, name: str = "", cleaned: Text | None = None) -> Snapshot | None:
    """What a recorded text says of its machine, or ``None`` where nothing in it is recognised.

    ``cleaned`` is the text by :func:`~envcheck.read.lines.clean_lines`, where somebody has it already.  ``name`` (of
    the file) stands before the line in the origin of every fact.  What the text does not say was not
    asked; a list of GPUs is that of the text, which may be an excerpt.
    """
    reading = _Reading(name)
    lines = (clean_lines(text) if cleaned is None else cleaned).without_blanks()
    reading.read(text, lines)
    symptoms = find_in_text(lines, "line {}".format)
    if not reading.sections and not symptoms:
        return None
    snapshot = make(source="recorded", runs=reading.unread, **reading.sections)
    for i, symptom in enumerate(symptoms):
        reading.origins[f"/symptoms/{i}"] = f"{name}: {symptom.source}" if name else symptom.source
    return msgspec.structs.replace(
        snapshot,
        symptoms=_with_subjects(snapshot, symptoms),
        origins=[Origin(pointer=pointer, source=source) for pointer, source in sorted(reading.origins.items())],
    )


class _Reading:
    """The sections while they are being read, and where their facts stand in the text."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sections: dict[str, Any] = {}
        self.origins: dict[str, str] = {}
        self.unread: list[CollectorRun] = []

    def read(self, text: str, lines: Text) -> None:
        smi = read_smi(text, lines, self.below("/smi"))
        driver = parse_proc_driver(lines, self.below("/driver"))
        facts: dict[str, Any] = {} if driver is None else {n: getattr(driver, n) for n in driver.__struct_fields__}
        if smi is not None:
            self.sections["smi"] = smi
            if isinstance(smi.gpus, list) and len(smi.gpus) == MOST_GPUS:
                self.unread.append(not_read("GPUs", MOST_GPUS))
            if isinstance(smi.driver_version, str):
                facts["nvidia_smi"] = smi.driver_version
                self.copy("/smi/driver_version", "/driver/nvidia_smi")
            self.host(smi)
        libraries = parse_ld_cache(lines, self.below("/driver/libraries"))
        if libraries is not None:
            facts["libraries"] = libraries
        facts |= self.kernel_log(lines, smi, facts.get("gpus"))
        if facts:
            self.sections["driver"] = Driver(**facts)
        functions = parse_lspci(lines, self.below("/devices/pci"))
        if functions is not None:
            self.sections["devices"] = Devices(pci=functions)
        cuda = parse_device_query(lines, self.below("/cuda"))
        if isinstance(cuda, Cuda):
            self.sections["cuda"] = cuda
        self.toolkit(lines)

    def below(self, section: str) -> Callable[[str, Line], None]:
        return partial(self.note, section)

    def note(self, section: str, pointer: str, line: Line) -> None:
        self.origins[f"{section}/{pointer}"] = f"{self.name}: {line.origin}" if self.name else line.origin

    def copy(self, pointer: str, to: str) -> None:
        if pointer in self.origins:
            self.origins[to] = self.origins[pointer]

    def host(self, smi: Smi) -> None:
        """Driver models exist on Windows only."""
        for i, gpu in enumerate(smi.gpus if isinstance(smi.gpus, list) else []):
            if gpu.driver_model in _WINDOWS_MODELS:
                self.sections["host"] = Host(system="Windows")
                self.copy(f"/smi/gpus/{i}/driver_model", "/host/system")
                return

    def toolkit(self, lines: Text) -> None:
        for line in lines.holding("Cuda compilation tools", once=True):
            if found := _NVCC.match(line.text.strip()):
                self.sections["toolkit"] = Toolkit(
                    toolkits=[ToolkitInstall(nvcc="nvcc", version=found[1], found_by="PATH")]
                )
                self.note("/toolkit", "toolkits/0", line)
                return

    def kernel_log(self, lines: Text, smi: Smi | None, listed: object) -> dict[str, Any]:
        """The kernel's records about the driver, and the cards that they speak of and nobody else lists."""
        if not lines.says(*WORDS):
            return {}
        kernel = [line for line in lines if _KERNEL.match(line.text.lstrip())]
        records = select_records("\n".join(line.text for line in kernel))
        if not records:
            return {}
        self.origins["/driver/recovery_log"] = f"kernel log, from line {kernel[0].number}"
        known = [gpu for gpu in listed if isinstance(gpu, ProcGpu)] if isinstance(listed, list) else []
        others = smi.gpus if smi is not None and isinstance(smi.gpus, list) else []
        buses = [*(gpu.bus_id for gpu in others), *(gpu.bus_id for gpu in known)]
        taken = {normal_bus_id(bus) for bus in buses if isinstance(bus, str)}
        for bus, uuid in _cards_in(kernel, records).items():
            if bus not in taken:
                self.origins[f"/driver/gpus/{len(known)}"] = "kernel log"
                known.append(ProcGpu(bus_id=bus) if uuid is None else ProcGpu(bus_id=bus, uuid=uuid))
        return {"recovery_log": records} | ({"gpus": known} if known else {})


def _cards_in(kernel: Sequence[Line], records: list[str]) -> dict[str, str | None]:
    """Bus ids of the GPUs that the driver's records name, and their UUIDs where it tells them."""
    found: dict[str, str | None] = {}
    for line in kernel:
        if card := _CARD.search(line.text):
            found[normal_bus_id(card[1])] = card[2]
        elif refused := _REFUSED.search(line.text):
            found.setdefault(normal_bus_id(refused[1]), None)
    for xid in find_xids(records):
        if xid.bus_id is not None and not xid.switch:
            found.setdefault(xid.bus_id, None)
    return found


def _with_subjects(snapshot: Snapshot, symptoms: list[Symptom]) -> list[Symptom]:
    """The messages, each about the GPU that it names by its place on the bus."""
    keys: dict[str, str] = {}
    for subject in subjects(snapshot):
        for witness, pointer in subject.places.items():
            bus = getattr(resolve(snapshot, pointer), "address" if witness == "pci" else "bus_id", None)
            if isinstance(bus, str):
                keys[normal_bus_id(bus)] = subject.key
    found = []
    for symptom in symptoms:
        named = _BUS.search(symptom.text) if keys and symptom.id != "sxid" else None
        key = keys.get(normal_bus_id(named[0])) if named else None
        found.append(symptom if key is None else msgspec.structs.replace(symptom, subject=key))
    return found
