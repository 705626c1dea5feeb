"""Bounds on a number, as a policy writes them: ``>=16``, ``>=1,<=8``, ``==8``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}
_ONE = re.compile(r"(>=|<=|==|!=|>|<)\s*(\d{1,9}(?:\.\d{1,9})?)", re.ASCII)


@dataclass(frozen=True)
class Bounds:
    """All of these comparisons hold."""

    comparisons: tuple[tuple[str, float], ...]

    @staticmethod
    def parse(text: str) -> Bounds:
        """Read ``>=1,<=8``.  Raises :class:`ValueError` with what may be written instead."""
        found = []
        for part in text.split(","):
            one = _ONE.fullmatch(part.strip())
            if one is None:
                raise ValueError(f"{text!r} is no bound; write '>=8', '==8' or '>=1,<=8'")
            found.append((one[1], float(one[2])))
        return Bounds(tuple(found))

    def meets(self, value: float) -> bool:
        """Does the number lie within?"""
        return all(_COMPARE[sign](value, limit) for sign, limit in self.comparisons)

    @property
    def least(self) -> int:
        """The smallest whole number that no comparison calls too small."""
        floors = [ceil(limit) for sign, limit in self.comparisons if sign in (">=", "==")]
        floors += [floor(limit) + 1 for sign, limit in self.comparisons if sign == ">"]
        return max(floors, default=0)
