"""Messages in a text: which ones are there, and what each points at.

The table is data (``tables/symptoms.json``); a row's pattern is searched only where one of its anchors stands in
the text, so that a text without messages costs little more than reading it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import msgspec

from envcheck.facts import Symptom

LONGEST_LINE = 4000
"""Characters of a line that are looked at: no message is longer, and no pattern meets more to backtrack over."""

ALWAYS = ("xid", "sxid")
"""Rows that are reported beside another match of the same line: the number is a fact of its own."""


class Row(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One message: how it is recognised, what it suggests, and whether it leaves no other reading."""

    id: str
    pattern: str
    anchors: list[str]
    example: str
    source: str
    retrieved: str
    suggests: str | None = None
    proves: bool = False


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The symptom table as it is shipped."""

    about: str
    rows: list[Row]


@cache
def table() -> list[Row]:
    """All rows, in the order in which they are tried."""
    raw = (Path(__file__).parent / "tables" / "symptoms.json").read_bytes()
    return msgspec.json.decode(raw, type=Table).rows


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def find_symptoms(text: str, source: Callable[[int], str]) -> list[Symptom]:
    """Every message of ``text``, each once, in the order of the text.

    ``source`` names the place of a line (by its number, from 1).  In one line the first row of the table that
    matches is taken; a message that is repeated keeps its first place.
    """
    rows = [row for row in table() if any(anchor in text for anchor in row.anchors)]
    if not rows:
        return []
    found: dict[tuple[str, tuple[str, ...]], Symptom] = {}
    for number, line in _lines(text):
        taken = False
        for row in rows:
            if taken and row.id not in ALWAYS:
                continue
            if not any(anchor in line for anchor in row.anchors):
                continue
            match = _compiled(row.pattern).search(line)
            if match is None:
                continue
            taken = True
            values = tuple(group for group in match.groups() if group is not None)
            key = (row.id, values)
            if key not in found:
                found[key] = Symptom(
                    id=row.id,
                    text=line.strip(),
                    source=source(number),
                    values=_ordered(row.id, values),
                    suggests=row.suggests,
                    proves=row.proves,
                )
    return list(found.values())


def _ordered(row: str, values: tuple[str, ...]) -> list[str]:
    """An Xid's values are its number, then its bus id, whatever their order in the message."""
    if row in ALWAYS and len(values) == 2:
        return [values[1], values[0].removeprefix("PCI:")]
    return list(values)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Numbered lines; a line break before "NVRM: " that continues a message is a blank (the kernel wraps them)."""
    for number, line in enumerate(text.split("\n"), start=1):
        yield number, line[:LONGEST_LINE]
