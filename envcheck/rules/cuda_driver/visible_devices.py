"""How CUDA reads CUDA_VISIBLE_DEVICES (torch's own reader agrees; each form below was tried on it).

Sources: CUDA programming guide, environment variables; torch/cuda/__init__.py (2.14); failure-modes §14.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

Ending: TypeAlias = Literal["complete", "empty", "unparsable", "negative", "duplicate", "mixed"]

_INTEGER = re.compile(r"\s*([+-]?\d+)")
_UUID_PREFIXES = ("GPU-", "MIG-")


@dataclass(frozen=True)
class Mask:
    """A parsed mask: the items that count, and why the list ends where it does.

    ``items`` are device indices or UUID (prefixes), never both.  ``at`` is the position of the item that ended
    the list early, -1 for a complete one.
    """

    items: tuple[int, ...] | tuple[str, ...]
    ending: Ending
    at: int = -1

    @property
    def by_uuid(self) -> bool:
        return bool(self.items) and isinstance(self.items[0], str)


def parse(value: str) -> Mask:
    """Read a mask the way the driver does: never an error, only a shorter list.

    An integer is read like C's strtoul (``1gpu2`` is 1); a negative or unreadable item ends the list; an item that
    occurs twice empties it; UUIDs may be shortened, and do not mix with indices.
    """
    if value == "":
        return Mask((), "empty")
    if value.startswith(_UUID_PREFIXES):
        return _uuids(value)
    items: list[int] = []
    for at, text in enumerate(value.split(",")):
        number = _INTEGER.match(text)
        if number is None:
            ending: Ending = "mixed" if text.strip().startswith(_UUID_PREFIXES) else "unparsable"
            return Mask(tuple(items), ending, at)
        index = int(number[1])
        if index < 0:
            return Mask(tuple(items), "negative", at)
        if index in items:
            return Mask((), "duplicate", at)
        items.append(index)
    return Mask(tuple(items), "complete")


def _uuids(value: str) -> Mask:
    prefix = value[:4]
    items: list[str] = []
    for at, text in enumerate(value.split(",")):
        if text in items:
            return Mask((), "duplicate", at)
        if not text.startswith(prefix):  # a blank before the item counts as another form, too
            return Mask(tuple(items), "mixed", at)
        items.append(text)
    return Mask(tuple(items), "complete")


def matching(prefix: str, uuids: list[str]) -> list[str]:
    """The UUIDs that a (shortened) item of a mask names: one is right, none or several are not.

    The comparison is case-sensitive: ``gpu-`` names nothing.
    """
    return [uuid for uuid in uuids if uuid.startswith(prefix)]
