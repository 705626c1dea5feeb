"""A message that was seen, live or in a pasted text: both take the same road through the rules."""

from __future__ import annotations

from .fact import NOT_ASKED, Fact, Record


class Symptom(Record, frozen=True, kw_only=True):
    """One recognised message.

    ``id`` is the name of its row in the symptom table; ``text`` the words seen; ``source`` where
    they came from ("torch probe", "NVML", "kernel log", "line 12").  ``suggests`` is the rule that the table
    names for it; ``proves`` is true only for messages that leave no other reading.
    """

    id: str
    text: str
    source: str
    subject: Fact[str] = NOT_ASKED  # "gpu:0000:17:00.0", "env:/path"
    values: Fact[list[str]] = NOT_ASKED  # what the pattern captured, e.g. the Xid number
    suggests: Fact[str] = NOT_ASKED  # None: recognised, but it points at no single rule
    proves: bool = False


class CollectorRun(Record, frozen=True, kw_only=True):
    """How one collector fared."""

    name: str
    seconds: float
    outcome: str = "ok"  # ok, timeout, crashed, skipped
    detail: str = ""


class Origin(Record, frozen=True, kw_only=True):
    """For pasted or recorded input: the place that a fact was read from."""

    pointer: str  # JSON pointer into the snapshot
    source: str  # "line 12: PyTorch version: 2.3.0+cu121"
