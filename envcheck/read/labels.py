"""Blocks of "label: value" lines: found line by line, and inside lines that an archive joined.

A format gives its labels and what to do with each value; they are found in whatever order and number they stand, so
that a cut, shortened or reordered block still tells what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TypeAlias

from .draft import Draft
from .text import Line, Text

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


_NO_WORDS = re.compile(
    r"\(\?:(?:\\.|[^()])*\)[?*]?"  # a group: alternatives, or what may be missing
    r"|\[[^]]*\](?:[?*+]|\{[^}]*\})?"  # a set of characters
    r"|(?:\\.|[^\\])(?:[?*]|\{[^}]*\})"  # what may be missing, or is repeated
    r"|\\\w|(?<!\\)[+^$.]"
)


@cache
def words_of(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Words of which one stands wherever one of the labels does: the longest plain part of each.

    >>> words_of(("Is CUDA available", r"GPU \\d{1,3}", "`?[Tt]ransformers`? version"))
    ('Is CUDA available', 'GPU ', 'ransformers')
    """
    plain_parts = ([re.sub(r"\\(.)", r"\1", part) for part in _NO_WORDS.split(label)] for label in labels)
    words = dict.fromkeys(max(parts, key=len) for parts in plain_parts)
    return tuple(word for word in words if not any(other != word and other in word for other in words))


def read_labels(lines: Sequence[Line], draft: Draft, labels: Mapping[str, Take], separator: str = COLON) -> int:
    """Hand every value to its label's function, in the order of the text.  The answer is how many were found.

    Keys of ``labels`` are regular expressions without capturing groups.  One label counts at the beginning of a line
    only, two or more of them anywhere.
    """
    pattern = _pattern(tuple(labels), separator)
    takers: dict[str, Take] = {}
    found = 0
    for line in Text.of(lines).holding(*words_of(tuple(labels))):
        spots = list(pattern.finditer(line.text))
        if not spots or (len(spots) == 1 and not _BULLET.fullmatch(line.text, 0, spots[0].start())):
            continue
        for spot, after in zip(spots, [*spots[1:], None], strict=True):
            end = after.start() if after else len(line.text)
            found += 1
            label = spot["label"]
            take = takers.get(label) or takers.setdefault(label, _taker(labels, label))
            where = Line(line.number, line.text[spot.start() : end].strip())
            take(draft, plain(line.text[spot.end() : end][:LONGEST_VALUE]), where)
    return found


def _taker(labels: Mapping[str, Take], label: str) -> Take:
    for name, take in labels.items():
        if _single(name).fullmatch(label):
            return take
    raise AssertionError(f"{label!r} was found by none of its own patterns")


def plain(value: str) -> str:
    """A value without Markdown's marks around it."""
    return value.strip().strip("*`|").strip()
