"""The table that plain ``nvidia-smi`` prints, in every layout from driver 295 to 610, and that of ``nvidia-smi vgpu``.

Cells are told apart by the bars between them and never by their columns: a pasted table has often lost its blanks.
Windows shows the driver model (WDDM, TCC, MCDM) where Linux shows persistence mode; drivers from 610 on say "KMD
Version" and "CUDA UMD Version" in the headline.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from envcheck.facts import NOT_ASKED, Fact, Gpu, GpuProcess, MigDevice, Smi, Unread

from .lines import Line, Text
from .nvidia_smi_fields import Note, as_bytes, as_whole, as_word, read_field, read_value

_HEADLINE = re.compile(r"NVIDIA-SMI +([\d.]{3,20})\b(.{0,200})")
_DRIVER = re.compile(r"(?:Driver|KMD) Version: *([\w.!/]{1,20})")
_CUDA = re.compile(r"CUDA (?:UMD )?Version: *([\w.!/]{1,20})")
_BUS = r"[0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7]"

_NAMED = re.compile(r"(\d{1,3})\.? +(\S.*?)(?: +(On|Off|N/A|WDDM|TCC|MCDM|ERR!))?$")
_PLACED = re.compile(rf"({_BUS}|N/A)(?: +(\S+))?$")
_GAUGES = re.compile(r"(\d+ ?%|N/A|ERR!) +(\d+ ?C|N/A|ERR!) +(P\d+|N/A|ERR!) +(\S+(?: W)?) ?/ *(\S.*)$")
_PAIR = re.compile(r"(\S+(?: [KMG]i?B)?) */ *(\S+(?: [KMG]i?B)?)$")
_LOAD = re.compile(r"(\d+ ?%|N/A|ERR!)(?: +(\S.*))?$")
_MIG = re.compile(r"(Enabled|Disabled|N/A|ERR!)(\*?)$")
_MIG_DEVICE = re.compile(r"(\d{1,3}) +(\d{1,3}) +(\d{1,3}) +(\d{1,3})$")
_PROCESS = re.compile(
    r"(?P<gpu>\d{1,3}) +(?:(?:\d{1,3}|N/A) +(?:\d{1,3}|N/A) +)?(?P<pid>\d{1,10}) +(?:(?P<type>C\+G|M\+C|[CGM]) +)?"
    r"(?P<name>\S.*?)? +(?P<memory>\d+ ?[KMG]i?B|N/A|Not Supported|ERR!|Insufficient Permissions)$"
)
_NO_PROCESSES = re.compile(r"(\d{1,3})\.? +(?:ERROR: )?Not Supported$")

_LONGEST_ROW = 300
"""Characters; the widest layout has 91."""

_KINDS = {"C": "compute", "G": "graphics", "C+G": "compute", "M": "mps", "M+C": "mps"}
_COMPUTE_MODES = {"E. Process": "Exclusive_Process", "E. Thread": "Exclusive_Thread"}
_MODELS = frozenset({"WDDM", "TCC", "MCDM"})


def parse_table(lines: Sequence[Line], note: Note = lambda pointer, line: None) -> Smi | None:
    """Read the first table that stands in these lines, or ``None`` where there is none."""
    lines = Text.of(lines)
    starts = [at for at in lines.where("NVIDIA-SMI ") if _HEADLINE.search(lines.texts[at])]
    if not starts:
        return None
    start, end = [*starts, len(lines)][:2]  # up to another table
    table = _Table(note)
    table.headline(lines[start])
    for line in lines[start + 1 : end]:
        table.take(line)
    return table.finish()


class _Table:
    """One table while it is being read."""

    def __init__(self, note: Note) -> None:
        self.note = note
        self.head: dict[str, Any] = {}
        self.gpus: list[dict[str, Any]] = []
        self.place: dict[int, int] = {}  # index of a GPU → its place in the list
        self.part = "gpus"
        self.row = 0  # rows of the GPU at hand
        self.of_vgpus = False

    def headline(self, line: Line) -> None:
        for name, pattern in (("driver_version", _DRIVER), ("cuda_version", _CUDA)):
            found = pattern.search(line.text)
            if found:
                self.head[name] = read_value(found[1], as_word, True)
                self.note(name, line)

    def take(self, line: Line) -> None:
        text = line.text.strip()
        if text.startswith("+"):
            self.row = 0
            return
        if not text.startswith("|") or text.startswith(("|-", "|=")) or len(text) > _LONGEST_ROW:
            return
        cells = [cell.strip() for cell in text.strip("|").split("|")]
        if re.match(r"(?:Compute )?[Pp]rocesses:", cells[0]):
            self.part = "processes"
            self.expect("processes", line)
        elif cells[0] == "MIG devices:":
            self.part = "mig"
        elif self.part == "processes":
            self.process(cells[0], line)
        elif self.part == "mig":
            self.mig(cells, line)
        elif "vGPU ID" in cells[0]:
            self.of_vgpus = True
        elif len(cells) == 3:
            self.gpu(cells, line)

    # -- one GPU: two or three rows ------------------------------------------------------------------

    def gpu(self, cells: list[str], line: Line) -> None:
        named, placed = _NAMED.match(cells[0]), _PLACED.match(cells[1])
        if named and placed:
            self.row = 0 if self.of_vgpus else 1  # there the rows below are virtual GPUs
            self.place[int(named[1])] = len(self.gpus)
            self.gpus.append({"index": int(named[1]), "error_code": None, "error_text": None})
            self.identity(named[2], named[3], placed[1], placed[2], line)
            self.put("utilization_percent", cells[2], line) if self.of_vgpus else self.ecc(cells[2], line)
        elif self.row == 1:
            self.row = 2
            self.gauges(cells, line)
        elif self.row == 2 and (found := _MIG.match(cells[2])):
            self.put("mig_mode", found[1], line)
            mode = self.gpus[-1]["mig_mode"]
            # The star marks a mode that changes with the next reset.
            self.state("mig_pending", (not mode if found[2] else mode) if isinstance(mode, bool) else mode, line)

    def identity(self, name: str, model: str | None, bus: str, display: str | None, line: Line) -> None:
        self.put("name", name, line)
        if name.endswith("..."):
            self.state("name", Unread("garbled", f"cut off in the table: {name}"), line)
        if name == "ERR!":
            self.gpus[-1]["error_code"] = self.gpus[-1]["error_text"] = Unread("garbled", name)
        if model in _MODELS:
            self.put("driver_model", model or "", line)
        elif model is not None:
            self.put("persistence", model, line)
        self.put("bus_id", bus, line)
        if display is not None:
            self.put("display_active", display, line)
        if self.of_vgpus:
            self.state("virtualization", "host-vgpu", line)

    def ecc(self, text: str, line: Line) -> None:
        """A count of uncorrectable errors where ECC is on; "On" where it is on and the count is not told (MIG)."""
        text = text.split(" ")[-1]
        if text.isdigit():
            self.state("ecc_enabled", True, line)
            self.state("ecc_volatile_uncorrected", read_value(text, as_whole, True), line)
            return
        self.put("ecc_enabled", text, line)
        if text in ("N/A", "ERR!"):
            self.state("ecc_volatile_uncorrected", self.gpus[-1]["ecc_enabled"], line)

    def gauges(self, cells: list[str], line: Line) -> None:
        if found := _GAUGES.match(cells[0]):
            names = ("fan_percent", "temperature_c", "performance_state", "power_w", "power_limit_w")
            for name, text in zip(names, found.groups(), strict=True):
                self.put(name, text, line)
        if found := _PAIR.search(cells[1]):
            self.put("memory_used_bytes", found[1], line)
            self.put("memory_total_bytes", found[2], line)
        elif cells[1]:
            self.put("memory_used_bytes", cells[1], line)
            self.put("memory_total_bytes", cells[1], line)
        if found := _LOAD.match(cells[2]):
            self.put("utilization_percent", found[1], line)
            if found[2]:
                self.put("compute_mode", _COMPUTE_MODES.get(found[2], found[2]), line)

    def put(self, name: str, text: str, line: Line) -> None:
        self.state(name, read_field(name, text), line)

    def state(self, name: str, fact: Any, line: Line) -> None:
        self.gpus[-1][name] = fact
        self.note(f"gpus/{len(self.gpus) - 1}/{name}", line)

    # -- the lists below the GPUs --------------------------------------------------------------------

    def expect(self, name: str, line: Line) -> None:
        """A list of all GPUs begins: one that is not named in it has none."""
        for at, gpu in enumerate(self.gpus):
            gpu[name] = []
            self.note(f"gpus/{at}/{name}", line)

    def mig(self, cells: list[str], line: Line) -> None:
        if cells[0].startswith("No MIG devices found"):
            self.expect("mig_devices", line)
            return
        found = _MIG_DEVICE.match(cells[0])
        if not found or len(cells) < 3 or int(found[1]) not in self.place:
            return
        at = self.place[int(found[1])]
        memory, share = _PAIR.search(cells[1]), re.match(r"\d+", cells[2])
        devices = self.gpus[at].setdefault("mig_devices", [])
        self.note(f"gpus/{at}/mig_devices/{len(devices)}", line)
        devices.append(
            MigDevice(
                gpu_instance=int(found[2]),
                compute_instance=int(found[3]),
                memory_bytes=read_value(memory[2], as_bytes, False) if memory else NOT_ASKED,
                multiprocessors=read_value(share[0], as_whole, True) if share else NOT_ASKED,
            )
        )

    def process(self, text: str, line: Line) -> None:
        if found := _NO_PROCESSES.match(text):
            at = self.place.get(int(found[1]))
            if at is not None:
                self.gpus[at]["processes"] = Unread("unsupported", "Not Supported")
            return
        found = _PROCESS.match(text)
        at = self.place.get(int(found["gpu"])) if found else None
        if found is None or at is None:
            return
        known = self.gpus[at].get("processes")
        if isinstance(known, list):
            self.note(f"gpus/{at}/processes/{len(known)}", line)
            known.append(
                GpuProcess(
                    pid=int(found["pid"]),
                    kind=_KINDS.get(found["type"] or "C", "compute"),
                    name=read_value(found["name"] or "N/A", as_word, False),
                    memory_bytes=read_value(found["memory"], as_bytes, False),
                )
            )

    def finish(self) -> Smi:
        gpus: Fact[list[Gpu]] = [Gpu(**gpu) for gpu in self.gpus] if self.gpus else NOT_ASKED
        return Smi(form="table", error=None, gpus=gpus, **self.head)
