"""What nvidia-smi prints line by line while it watches: ``dmon`` (GPUs) and ``pmon`` (the programs on them)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from envcheck.facts import Gpu, GpuProcess, Smi

from .lines import Line, Text
from .nvidia_smi_fields import Note, as_word, read_field, read_value

_HEAD = re.compile(r"# *gpu +\w")
_FIELDS = {
    "pwr": "power_w",
    "temp": "temperature_c",
    "gtemp": "temperature_c",
    "mtemp": "temperature_memory_c",
    "sm": "utilization_percent",
    "mem": "memory_utilization_percent",
    "mclk": "clock_memory_mhz",
    "pclk": "clock_sm_mhz",
}
_KINDS = {"C": "compute", "G": "graphics", "C+G": "compute", "M": "mps", "M+C": "mps"}
_LONGEST_ROW = 300


def parse_monitor(lines: Sequence[Line], note: Note = lambda pointer, line: None) -> Smi | None:
    """Read the samples that stand in these lines, or ``None`` where there are none.

    The newest sample of each GPU counts; of the programs every one that was seen.
    """
    columns: list[str] = []
    gpus: dict[int, dict[str, Any]] = {}
    newest: dict[tuple[int, str], tuple[str, Line]] = {}  # GPU and field → cell and line
    place: dict[int, int] = {}
    lines = Text.of(lines)
    start = next((at for at in lines.where("#") if _HEAD.match(lines.texts[at].strip())), len(lines))
    for line in lines[start:]:
        text = line.text.strip()
        if _HEAD.match(text) and len(text) <= _LONGEST_ROW:
            columns = text.lstrip("# ").split()
            continue
        if not text[:1].isdigit() or len(text) > _LONGEST_ROW:
            continue
        cells = text.split(None, len(columns) - 1)
        if not cells or len(cells) != len(columns) or not re.fullmatch(r"\d{1,3}", cells[0]):
            continue
        index = int(cells[0])
        gpu = gpus.setdefault(index, {"index": index, "error_code": None, "error_text": None})
        at = place.setdefault(index, len(place))
        told = dict(zip(columns, cells, strict=True))
        if "pid" in told:
            _add_process(gpu, f"gpus/{at}", told, line, note)
            continue
        for column, name in _FIELDS.items():
            if column in told:
                newest[index, name] = told[column], line
    for (index, name), (cell, line) in newest.items():
        gpus[index][name] = read_field(name, "N/A" if cell == "-" else cell)
        note(f"gpus/{place[index]}/{name}", line)
    if not gpus:
        return None
    return Smi(form="monitor", error=None, gpus=[Gpu(**gpu) for gpu in gpus.values()])


def _add_process(gpu: dict[str, Any], at: str, told: dict[str, str], line: Line, note: Note) -> None:
    """A line of ``pmon``; one of dashes says that no program is there."""
    known = gpu.setdefault("processes", [])
    pid = told["pid"]
    if not re.fullmatch(r"\d{1,10}", pid) or any(process.pid == int(pid) for process in known):
        note(f"{at}/processes", line)
        return
    note(f"{at}/processes/{len(known)}", line)
    known.append(
        GpuProcess(
            pid=int(pid),
            kind=_KINDS.get(told.get("type", ""), "compute"),
            name=read_value(told.get("command", ""), as_word, False),
        )
    )
