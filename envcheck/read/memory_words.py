"""The numbers in torch's message that memory ran out: who holds the card's memory."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SIZE = r"(\d+(?:\.\d+)?) ?([KMGT]i?B|bytes)"
# As newer and older torch word it.  Each begins with fixed words or a digit, which are found faster than a choice.
_TOTAL = (re.compile(rf"total capacity of {_SIZE}"), re.compile(rf"{_SIZE} total capacity"))
_FREE = (re.compile(rf"of which {_SIZE} is free"), re.compile(rf"{_SIZE} free"))
_OWN = (
    re.compile(rf"this process has {_SIZE} memory in use"),
    re.compile(rf"{_SIZE} reserved in total by PyTorch"),
)
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "b": 1}


def others_hold_most(words: str) -> bool | None:
    """Do other processes hold more than the one that speaks?  ``None`` where the message does not count."""
    total, free, own = _bytes(_TOTAL, words), _bytes(_FREE, words), _bytes(_OWN, words)
    if total is None or free is None or own is None:
        return None
    return total - free - own > own


def _bytes(patterns: Iterable[re.Pattern[str]], text: str) -> float | None:
    found = next((match for pattern in patterns if (match := pattern.search(text))), None)
    if found is None:
        return None
    return float(found[1]) * _UNITS[found[2][0]]
