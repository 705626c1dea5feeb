"""Messages in a text: which ones are there, and what each points at.

The table is data (``tables/symptoms.json``); a row's pattern is searched only where one of its anchors stands in
the text, so that a text without messages costs little more than reading it.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import cache
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from envcheck.facts import Symptom

from .text import Text

LONGEST_LINE = 4000
"""Characters that are looked at in one go: no message is longer, and no pattern meets more to backtrack over."""

_QUOTED_WHOLE = 1000
"""A line up to this length is quoted whole; of a longer one the message and what stands around it."""

_WRAPPED = 400
"""Characters of a message before and behind a line break."""

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
    texts = text.split("\n")
    return find_in_text(Text(texts, range(1, len(texts) + 1)), source)


def find_in_lines(lines: Sequence[tuple[int, str]], source: Callable[[int], str]) -> list[Symptom]:
    """:func:`find_symptoms` for lines that are already parted and numbered."""
    return find_in_text(Text([text for _, text in lines], [number for number, _ in lines]), source)


def find_in_text(text: Text, source: Callable[[int], str]) -> list[Symptom]:
    """:func:`find_symptoms` for a text that is already parted into lines.

    A message that was wrapped by hand over two lines is found as well, where neither line holds one of its own.
    """
    anchors = _anchors_in(text)
    joined = _across(text.texts, anchors)
    # Whatever stands in a line stands in the joined text as well, but for an anchor's blanks at its ends.
    present = {row.id for rows in joined.values() for row in rows}
    rows = [row for row in table() if row.id in present or any(a != a.strip() for a in row.anchors)]
    taken: set[int] = set()
    hits: list[tuple[int, list[_Hit]]] = []
    for line, candidates in _within(text, rows, anchors).items():
        here = [hit for window in _windows(line) for hit in _matches(window, candidates)]
        if here:
            places = text.places[line]
            taken.update(places)
            hits.append((places[0], here))
    hits += _over_two_lines(text.texts, joined, taken)
    found: dict[tuple[str, tuple[str, ...]], Symptom] = {}
    for at, here in sorted(hits, key=lambda hit: hit[0]):
        for row, values, words in here:
            key = (row.id, values)
            if key not in found:
                found[key] = Symptom(
                    id=row.id,
                    text=words.strip(),
                    source=source(text.numbers[at]),
                    values=_ordered(row.id, values),
                    suggests=row.suggests,
                    proves=row.proves,
                )
    return list(found.values())


class _Hit(NamedTuple):
    """A message in a line: its row, what the pattern captured, and the words to quote."""

    row: Row
    values: tuple[str, ...]
    words: str


def _anchors_in(text: Text) -> frozenset[str]:
    """The anchors whose words stand in the text; most anchors end here."""
    return frozenset(anchor for row in table() for anchor in row.anchors if text.may_say(anchor))


def _across(texts: Sequence[str], anchors: Set[str]) -> dict[int, list[Row]]:
    """Line → the rows of which an anchor begins in it, in the table's order; it may end in the next line."""
    if not anchors:
        return {}
    texts = [text.strip() for text in texts]
    whole = " ".join(texts)
    starts = list(accumulate((len(text) + 1 for text in texts), initial=0))
    places: dict[str, set[int]] = {}
    for anchor in anchors:
        found: set[int] = set()
        at = whole.find(anchor)
        while at >= 0:
            after = bisect_right(starts, at)
            found.add(after - 1)
            at = whole.find(anchor, max(at + 1, starts[after] - len(anchor)))
        if found:
            places[anchor] = found
    return _by_line(places, table())


def _within(text: Text, rows: Sequence[Row], anchors: Set[str]) -> dict[str, list[Row]]:
    """Line → the rows of which an anchor stands in it, in the table's order."""
    wanted = {anchor for row in rows for anchor in row.anchors} & anchors
    return _by_line({anchor: text.saying(anchor) for anchor in wanted}, rows)


L = TypeVar("L", int, str)


def _by_line(places: Mapping[str, Iterable[L]], rows: Sequence[Row]) -> dict[L, list[Row]]:
    found: dict[L, list[Row]] = {}
    for row in rows:
        for line in {line for anchor in row.anchors for line in places.get(anchor, ())}:
            found.setdefault(line, []).append(row)
    return found


def _over_two_lines(
    texts: Sequence[str], joined: Mapping[int, list[Row]], taken: Set[int]
) -> Iterator[tuple[int, list[_Hit]]]:
    """The messages that begin on one line and end on the next, of lines that are not taken."""
    taken = set(taken)
    without: set[tuple[str, str, tuple[str, ...]]] = set()  # pairs of lines that hold none
    for at, rows in sorted(joined.items()):
        for first in (at - 1, at):
            if first < 0 or first + 1 >= len(texts) or first in taken or first + 1 in taken:
                continue
            pair = (texts[first], texts[first + 1], tuple(row.id for row in rows))
            wrapped = _wrapped(pair[0], pair[1], rows) if pair not in without else []
            if wrapped:
                taken.update((first, first + 1))
                yield first, wrapped
            else:
                without.add(pair)


def _matches(line: str, rows: Sequence[Row]) -> list[_Hit]:
    """The messages in one line: of the first row that matches, and of the rows of :data:`ALWAYS`."""
    hits: list[_Hit] = []
    for row in rows:
        if (hits and row.id not in ALWAYS) or not any(anchor in line for anchor in row.anchors):
            continue
        match = _compiled(row.pattern).search(line)
        if match is not None:
            words = line
            if len(line) > _QUOTED_WHOLE:
                words = line[max(0, match.start() - _WRAPPED) : match.end() + _WRAPPED]
            hits.append(_Hit(row, _captured(match), words))
    return hits


def _wrapped(before: str, line: str, rows: Sequence[Row]) -> list[_Hit]:
    """A message that begins on one line and ends on the next."""
    first, second = before.strip()[-_WRAPPED:], line.strip()[:_WRAPPED]
    if not first or not second:
        return []
    whole = f"{first} {second}"
    for row in rows:
        match = _compiled(row.pattern).search(whole)
        if match is not None and match.start() < len(first) and match.end() > len(first) + 1:
            return [_Hit(row, _captured(match), whole)]
    return []


def _captured(match: re.Match[str]) -> tuple[str, ...]:
    return tuple(group for group in match.groups() if group is not None)


def _ordered(row: str, values: tuple[str, ...]) -> list[str]:
    """An Xid's values are its number, then its bus id, whatever their order in the message."""
    if row in ALWAYS and len(values) == 2:
        return [values[1], values[0].removeprefix("PCI:")]
    return list(values)


def _windows(line: str) -> Iterator[str]:
    """A line in pieces that no message outgrows; the pieces overlap by the length of a message."""
    if len(line) <= LONGEST_LINE:
        yield line
        return
    for start in range(0, len(line), LONGEST_LINE - _WRAPPED):
        yield line[start : start + LONGEST_LINE]
