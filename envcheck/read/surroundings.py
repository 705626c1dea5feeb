"""What a message is weighed against: the lines around it, the facts of the text, and its other messages."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from typing import NamedTuple

from envcheck.facts import Symptom

from .draft import TORCH, Draft
from .lines import Text

AROUND = 40
"""Lines before and behind a message that belong to the same log."""


class Surroundings(NamedTuple):
    """What a message is weighed against: the whole text, its facts, and the ids of its other messages."""

    lines: Text
    draft: Draft
    ids: frozenset[str]

    def near(self, symptom: Symptom) -> str:
        """The lines around a message."""
        number = int(symptom.source.removeprefix("line ").split(":")[0])
        numbers = self.lines.numbers
        first, last = bisect_left(numbers, number - AROUND), bisect_right(numbers, number + AROUND)
        return "\n".join(self.lines.texts[first:last])


def own(symptom: Symptom) -> str | None:
    """What the table says."""
    return symptom.suggests if isinstance(symptom.suggests, str) else None


def has_cuda(draft: Draft) -> bool:
    return isinstance(draft.get(f"{TORCH}/cuda"), str)


WINDOWS = re.compile(r"\bWindows\b")
MAC = re.compile(r"\bmac ?OS\b|\bMacBook\b|\bApple Silicon\b|\b(?:my|a|an?y?) (?:M[1-5] )?Mac\b", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\b(?:Linux|Ubuntu|Debian|WSL2?)\b", re.IGNORECASE)


def tells_of(text: Surroundings, symptom: Symptom, system: str, words: re.Pattern[str]) -> bool:
    """Does the message come from this system, by a fact, or by the only system that is named around it?"""
    known = text.draft.get("/host/system")
    if known is not None:
        return bool(known == system) and text.draft.get("/host/wsl") is None
    around = text.near(symptom)
    return words.search(around) is not None and _ELSEWHERE.search(around) is None
