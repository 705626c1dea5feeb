"""Blocks of "label: value" lines: found line by line, and inside lines that an archive joined.

A format gives its labels and what to do with each value; they are found in whatever order and number they stand, so
that a cut, shortened or reordered block still tells what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TypeAlias

from .draft import Draft
from .lines import Line

Take: TypeAlias = Callable[[Draft, str, Line], None]
"""What a format does with the value of a label."""

COLON = r"[ \t]{0,60}[:：=]"
LONGEST_VALUE = 4000

_BULLET = re.compile(r"[\s>#*_`+•·|-]*(?:\d{1,2}[.)]\s*)?[*_`]*")
"""What may stand before the first label of a line."""


@cache
def _pattern(labels: tuple[str, ...], separator: str) -> re.Pattern[str]:
    # The longest first: "Python version" before "Python".
    words = "|".join(sorted(labels, key=len, reverse=True))
    return re.compile(rf"(?<![^\s*_`|#>])(?P<label>{words})[*_`]{{0,3}}{separator}[*_`]{{0,3}}")


@cache
def _single(label: str) -> re.Pattern[str]:
    return re.compile(label)


def read_labels(lines: Iterable[Line], draft: Draft, labels: Mapping[str, Take], separator: str = COLON) -> int:
    """Hand every value to its label's function, in the order of the text.  The answer is how many were found.

    Keys of ``labels`` are regular expressions without groups.  One label counts at the beginning of a line only, two
    or more of them anywhere.
    """
    pattern = _pattern(tuple(labels), separator)
    found = 0
    for line in lines:
        if not line.text:
            continue
        spots = list(pattern.finditer(line.text))
        if not spots or (len(spots) == 1 and not _BULLET.fullmatch(line.text, 0, spots[0].start())):
            continue
        for spot, after in zip(spots, [*spots[1:], None], strict=True):
            end = after.start() if after else len(line.text)
            found += 1
            where = Line(line.number, line.text[spot.start() : end].strip())
            _taker(labels, spot["label"])(draft, plain(line.text[spot.end() : end][:LONGEST_VALUE]), where)
    return found


def _taker(labels: Mapping[str, Take], label: str) -> Take:
    for name, take in labels.items():
        if _single(name).fullmatch(label):
            return take
    raise AssertionError(f"{label!r} was found by none of its own patterns")


def plain(value: str) -> str:
    """A value without Markdown's marks around it."""
    return value.strip().strip("*`|").strip()
