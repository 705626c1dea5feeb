"""All that a text holds of nvidia-smi, in whatever forms it was recorded, as one witness.

A text often shows the program several times (the table, then ``-q``).  They are joined field by field: the form that
tells most exactly comes first, and a later one only adds what is not known yet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, TypeVar

import msgspec

from envcheck.facts import NOT_ASKED, Gpu, Smi, Unread

from .lines import Line, Text
from .nvidia_smi_csv import parse_csv
from .nvidia_smi_errors import parse_errors
from .nvidia_smi_fields import MOST_GPUS, Note
from .nvidia_smi_list import parse_list, parse_version
from .nvidia_smi_monitor import parse_monitor
from .nvidia_smi_query import parse_query
from .nvidia_smi_table import parse_table
from .nvidia_smi_topology import parse_topology
from .nvidia_smi_xml import parse_xml

Form = Callable[[Sequence[Line], Note], "Smi | None"]
S = TypeVar("S", bound=msgspec.Struct)

_FORMS: tuple[Form, ...] = (
    parse_query,
    parse_csv,
    parse_table,
    parse_list,
    parse_version,
    parse_topology,
    parse_monitor,
    parse_errors,
)
# Of these words one stands in every text that a form is found in: what they cost is the search for them.
_SIGNS: tuple[str, ...] = (
    "NVSMI",
    "nvidia-smi",
    "NVIDIA-SMI",
    "GPU ",
    "GPU0",
    "GPU\t",
    "# gpu",
    "NVML",
    "No devices were found",
    "infoROM",
    "compute_cap",
    "driver_version",
    ",",
)
_XML, _XML_END = "<nvidia_smi_log", "</nvidia_smi_log>"


class _Part(NamedTuple):
    """One form that was found, and the line of each of its facts."""

    smi: Smi
    notes: dict[str, Line]


def read_smi(text: str, lines: Sequence[Line], note: Note = lambda pointer, line: None) -> Smi | None:
    """What the text holds of nvidia-smi, or ``None`` where it holds nothing.

    ``lines`` are the same text cleaned; ``note`` is told of the line of every fact, by its pointer below /smi.
    """
    lines = Text.of(lines)
    parts = [_Part(_cut(xml), {})] if (xml := _read_xml(text, lines)) else []
    for form in _FORMS if any(sign in text for sign in _SIGNS) else ():
        notes: dict[str, Line] = {}
        smi = form(lines, partial(_keep, notes))
        if smi is not None:
            parts.append(_Part(_cut(smi), notes))
    if not parts:
        return None
    whole = parts[0]
    for part in parts[1:]:
        whole = _join(whole, part)
    count = len(whole.smi.gpus) if isinstance(whole.smi.gpus, list) else 0
    for pointer, line in whole.notes.items():
        parts_of = pointer.split("/")
        if parts_of[0] != "gpus" or len(parts_of) == 1 or int(parts_of[1]) < count:
            note(pointer, line)
    return whole.smi


def _cut(smi: Smi) -> Smi:
    if not isinstance(smi.gpus, list) or len(smi.gpus) <= MOST_GPUS:
        return smi
    return msgspec.structs.replace(smi, gpus=smi.gpus[:MOST_GPUS])


def _keep(notes: dict[str, Line], pointer: str, line: Line) -> None:
    notes[pointer] = line


def _read_xml(text: str, lines: Text) -> Smi | None:
    """The first XML report; where the text as it stands does not parse, without what a paste went through."""
    found = None
    for attempt in range(2):
        whole = text if attempt == 0 else lines.body if lines.says(_XML) else ""
        start = whole.find(_XML)
        if start < 0:
            continue
        end = whole.find(_XML_END, start)
        found = parse_xml(whole[start : end + len(_XML_END)] if end >= 0 else whole[start:])
        if isinstance(found.gpus, list):
            return found
    return found


def _join(first: _Part, second: _Part) -> _Part:
    """The first with what only the second tells."""
    notes = dict(first.notes)
    smi, taken = _fill(first.smi, second.smi, leave=("gpus", "form", "error"))
    if smi.error is None and isinstance(second.smi.error, str):
        smi = msgspec.structs.replace(smi, error=second.smi.error)
        taken.add("error")
    notes |= {pointer: line for pointer, line in second.notes.items() if pointer.split("/")[0] in taken}
    if not isinstance(smi.gpus, list) or not isinstance(second.smi.gpus, list):
        if isinstance(smi.gpus, Unread) and isinstance(second.smi.gpus, list):
            smi = msgspec.structs.replace(smi, gpus=second.smi.gpus)
            notes |= {pointer: line for pointer, line in second.notes.items() if pointer.startswith("gpus")}
        return _Part(smi, notes)
    gpus = list(smi.gpus)
    of_gpu: dict[str, list[tuple[list[str], Line]]] = {}
    for pointer, line in second.notes.items():
        section, *rest = pointer.split("/")
        if section == "gpus" and rest:
            of_gpu.setdefault(rest[0], []).append((rest[1:], line))
    for i, other in enumerate(second.smi.gpus):
        at = next((k for k, gpu in enumerate(gpus) if _same(gpu, other)), None)
        if at is None:
            at = len(gpus)
            gpus.append(other)
            told = set(other.__struct_fields__)
        else:
            gpus[at], told = _fill(gpus[at], other, leave=("index",))
        for rest, line in of_gpu.get(str(i), ()):
            if not rest or rest[0] in told:
                notes.setdefault("/".join(["gpus", str(at), *rest]), line)
    return _Part(msgspec.structs.replace(smi, gpus=gpus), notes)


def _fill(mine: S, other: S, leave: tuple[str, ...]) -> tuple[S, set[str]]:
    """``mine`` with the facts that only ``other`` knows, and their names."""
    taken = {}
    for name in mine.__struct_fields__:
        here, there = getattr(mine, name), getattr(other, name)
        if name in leave or not isinstance(here, Unread) or there == NOT_ASKED:
            continue
        if here == NOT_ASKED or not isinstance(there, Unread):
            taken[name] = there
    return msgspec.structs.replace(mine, **taken), set(taken)


def _same(one: Gpu, other: Gpu) -> bool:
    """One card in two forms: by its place on the bus, else by its UUID, else by its number."""
    for name in ("bus_id", "uuid"):
        here, there = getattr(one, name), getattr(other, name)
        if isinstance(here, str) and isinstance(there, str):
            return here == there
    return one.index == other.index
