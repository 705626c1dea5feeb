"""The numbers in torch's message that memory ran out: who holds the card's memory."""

from __future__ import annotations

import re

_SIZE = r"(\d+(?:\.\d+)?) ?([KMGT]i?B|bytes)"
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40, "b": 1}


def others_hold_most(words: str) -> bool | None:
    """Do other processes hold more than the one that speaks?  ``None`` where the message does not count."""
    total = _bytes(rf"(?:total capacity of {_SIZE}|{_SIZE} total capacity)", words)
    free = _bytes(rf"(?:of which {_SIZE} is free|{_SIZE} free)", words)
    own = _bytes(rf"(?:this process has {_SIZE} memory in use|{_SIZE} reserved in total by PyTorch)", words)
    if total is None or free is None or own is None:
        return None
    return total - free - own > own


def _bytes(pattern: str, text: str) -> float | None:
    found = re.search(pattern, text)
    if found is None:
        return None
    number, unit = [group for group in found.groups() if group is not None][:2]
    return float(number) * _UNITS[unit[0]]
