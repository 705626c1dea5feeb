"""nvidia-smi's CSV as facts, whatever its columns: GPUs, the programs on them, retired pages.

The header names the fields.  Where a pasted command says ``noheader``, the command names them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from envcheck.facts import NOT_ASKED, Fact, Gpu, GpuProcess, Smi, Unread

from .lines import Line, Text
from .nvidia_smi_columns import KNOWN, READINGS
from .nvidia_smi_fields import MOST_GPUS, Note, as_bytes, as_whole, as_word, read_value

_CELL = re.compile(r"[A-Za-z][\w.]{1,79}(?: \[[\w%]{1,8}\])?$")
_FIRST_CELL = re.compile(r"\s*[A-Za-z][\w.]{1,79}(?: \[[\w%]{1,8}\])?\s*(?:,|$)")
_UNIT = re.compile(r" \[[\w%]{1,8}\]$")
_COMMAND = re.compile(r"nvidia-smi\b.{0,200}?--query-(gpu|compute-apps|apps)[= ]([\w.,]{2,4000})(.{0,200})")

_SUBJECTS = ("gpu_uuid", "gpu_bus_id", "gpu_serial", "gpu_name")


class _Row(NamedTuple):
    line: Line
    cells: dict[str, str]

    def at(self, column: str) -> Line:
        """The place of one cell, in words that name its column."""
        return Line(self.line.number, f"{column}: {self.cells[column]}")


def parse_csv(lines: Sequence[Line], note: Note = lambda pointer, line: None) -> Smi | None:
    """Read the first CSV that stands in these lines, or ``None`` where there is none."""
    lines = Text.of(lines)
    for text, places in lines.places.items():
        columns = _header(text) if _FIRST_CELL.match(text) else None
        if columns is None and "noheader" in text:
            columns = _command(text)
        if columns:
            return _read(columns, _rows(columns, lines, places[0] + 1), note)
    return None


def _header(text: str) -> list[str] | None:
    """Column names without their units, where the line is a header."""
    if "," not in text and "[" not in text and text.strip() not in ("compute_cap", "driver_version"):
        return None
    cells = [cell.strip() for cell in text.split(",")]
    if not all(len(cell) < 100 and _CELL.match(cell) for cell in cells):
        return None
    names = [_UNIT.sub("", cell) for cell in cells]
    known = [name for name in names if name in KNOWN]
    telling = [n for n, cell in zip(names, cells, strict=True) if n in KNOWN and ("." in n or "_" in n or "[" in cell)]
    return names if telling or (len(known) == len(names) and len(names) > 1) else None


def _command(text: str) -> list[str] | None:
    """The columns that a command asks for, where it asks for no header."""
    found = _COMMAND.search(text)
    if found is None or "noheader" not in text:
        return None
    names = found[2].strip(",").split(",")
    if found[1] != "gpu":
        names = ["process_name" if name == "name" else name for name in names]
    return names


def _rows(columns: list[str], lines: Text, start: int) -> Iterator[_Row]:
    surplus_at = columns.index("process_name") if "process_name" in columns else None
    for at in range(start, len(lines)):
        line = lines[at]
        cells = [cell.strip() for cell in line.text.split(",")]
        extra = len(cells) - len(columns)
        if extra > 0 and surplus_at is not None:  # a comma in a program's name
            cells[surplus_at : surplus_at + extra + 1] = [", ".join(cells[surplus_at : surplus_at + extra + 1])]
        if len(cells) != len(columns) or not any(cells):
            return
        yield _Row(line, dict(zip(columns, cells, strict=True)))


def _read(columns: list[str], rows: Iterator[_Row], note: Note) -> Smi:
    gpus: list[dict[str, Any]] = []
    place: dict[str, int] = {}
    head: dict[str, Any] = {}
    for row in rows:
        head = head or _head(row, note)
        # Each row of --query-gpu is a GPU of its own; of the other queries each is one process or page.
        key = "" if "pid" not in columns and "retired_pages.cause" not in columns else _subject(row)
        if key is None:
            continue
        if key and key in place:
            gpu = gpus[place[key]]
        else:
            if len(gpus) == MOST_GPUS:
                continue
            place[key] = len(gpus)
            gpu = _gpu(row, len(gpus), note)
            gpus.append(gpu)
        at = place[key]
        if "retired_pages.cause" in columns:
            _add_page(gpu, at, row, note)
        elif "pid" in columns and "max_memory_usage" not in columns:  # that column is of programs that have ended
            _add_process(gpu, at, row, note)
    return Smi(form="csv", error=None, gpus=[Gpu(**gpu) for gpu in gpus] if gpus else NOT_ASKED, **head)


def _subject(row: _Row) -> str | None:
    """Which GPU a process or a page is of; ``None`` where the columns do not tell."""
    return next((row.cells[name] for name in _SUBJECTS if row.cells.get(name)), None)


def _head(row: _Row, note: Note) -> dict[str, Any]:
    head: dict[str, Any] = {}
    for name, columns, read in (
        ("driver_version", ("driver_version", "kmd_version"), as_word),
        ("attached_gpus", ("count",), as_whole),
    ):
        column = next((column for column in columns if column in row.cells), None)
        if column is not None:
            head[name] = read_value(row.cells[column], read, False)
            note(name, row.at(column))
    return head


def _gpu(row: _Row, at: int, note: Note) -> dict[str, Any]:
    index = row.cells.get("index", "")
    gpu: dict[str, Any] = {"index": int(index) if re.fullmatch(r"\d{1,3}", index) else at}
    gpu |= {"error_code": None, "error_text": None}
    for name, (columns, read) in READINGS.items():
        fact, column = _best(row, columns, read)
        if column is not None:
            gpu[name] = fact
            note(f"gpus/{at}/{name}", row.at(column))
    if gpu.get("mig_mode") is True:  # there "N/A" does not say that the board remaps no rows
        told = {name for name in gpu if name.startswith("remapped_") and gpu[name] is None}
        gpu |= dict.fromkeys(told, Unread("unsupported", "N/A in MIG mode"))
    return gpu


def _best(row: _Row, columns: tuple[str, ...], read: Callable[[str], Any]) -> tuple[Any, str | None]:
    """The first column that has a value; else what the first one that is there says instead of a value."""
    answer: tuple[Any, str | None] = (NOT_ASKED, None)
    for column in columns:
        if column in row.cells:
            # Driver 530 repeats the column's last word: "state  N/A".
            fact = read(re.sub(r"^(?:state|status)  +", "", row.cells[column]))
            if fact is not None and not isinstance(fact, Unread):
                return fact, column
            if answer[1] is None:
                answer = fact, column
    return answer


def _add_process(gpu: dict[str, Any], at: int, row: _Row, note: Note) -> None:
    pid = row.cells["pid"]
    if not re.fullmatch(r"\d{1,10}", pid):
        return
    name = row.cells.get("process_name")
    memory = row.cells.get("used_gpu_memory", row.cells.get("used_memory"))
    known = gpu.setdefault("processes", [])
    note(f"gpus/{at}/processes/{len(known)}", row.line)
    known.append(
        GpuProcess(
            pid=int(pid),
            name=NOT_ASKED if name is None else read_value(name, as_word, False),
            memory_bytes=NOT_ASKED if memory is None else read_value(memory, as_bytes, False),
        )
    )


def _add_page(gpu: dict[str, Any], at: int, row: _Row, note: Note) -> None:
    """One retired page, or a line without an address that says that the board retires none."""
    cause = row.cells["retired_pages.cause"].lower()
    name = next((f"retired_pages_{sort}_bit" for sort in ("single", "double") if cause.startswith(sort)), None)
    if name is None:
        return
    address: Fact[str] = read_value(row.cells.get("retired_pages.address", ""), as_word, True)
    if isinstance(address, str):
        before = gpu.get(name)
        gpu[name] = (before if isinstance(before, int) else 0) + 1
    else:
        gpu.setdefault(name, address)
    note(f"gpus/{at}/{name}", row.line)
