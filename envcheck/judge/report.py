"""The report: every verdict, the causes apart from their consequences, and one answer."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from envcheck.facts import Snapshot

from .finding import Finding
from .policy import Policy
from .rule import Severity

Outcome: TypeAlias = Literal["ok", "problem", "cannot_tell", "not_applicable", "crashed", "ignored"]
RungOutcome: TypeAlias = Literal["ok", "problem", "cannot_tell", "not_reached"]
Answer: TypeAlias = Literal["fit", "unfit", "undetermined"]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One rule on one subject.  ``why`` is set for every outcome but ok and problem.

    A *cannot_tell* with a ``finding`` is a suspicion: a message suggests this cause, the facts to settle it are
    not known.
    """

    rule: str
    code: str
    rung: str
    severity: Severity
    subject: str
    outcome: Outcome
    why: str = ""
    pointer: str = ""
    asked: bool = True  # false: a cannot_tell only because nobody looked (--quick, a pasted text)
    essential: bool = False
    required: bool = False  # the policy asks for it: not to know is never good enough
    of_machine: bool = True  # false: an answer about the policy or envcheck itself
    finding: Finding | None = None


class Consequence(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that another one explains."""

    finding: Finding
    because: str  # rule of the cause
    because_subject: str


class Step(msgspec.Struct, frozen=True):
    """One rung of the ladder."""

    rung: str
    outcome: RungOutcome


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What all renderers are given.  A function of snapshot, tables and policy: same input, same report."""

    verdict: Answer
    ladder: list[Step]
    root_causes: list[Finding]
    consequences: list[Consequence]
    warnings: list[Finding]
    notes: list[Finding]
    cannot_tell: list[Verdict]
    ignored: list[Verdict]
    verdicts: list[Verdict]
    policy: Policy
    snapshot: Snapshot
