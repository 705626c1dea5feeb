"""A court of one rule."""

from __future__ import annotations

from envcheck.facts import Snapshot
from envcheck.judge import Policy, Question, Verdict, try_all

from .change import Machine


def judge_one(
    rule: str,
    machine: Machine | Snapshot,
    policy: Policy | None = None,
    subject: str = "",
    *,
    questions: tuple[Question, ...] = (),
) -> Verdict:
    """The verdict of one rule on one machine.

    With several subjects, the worst outcome is returned (problem before cannot tell before ok), or that of the
    subject whose key begins with ``subject``.  Raises ``LookupError`` where the rule was not tried at all.
    """
    found = [v for v in _try(rule, machine, policy, questions) if v.rule == rule and v.subject.startswith(subject)]
    if not found:
        raise LookupError(f"{rule} was not tried on any subject")
    order = ("crashed", "problem", "ignored", "cannot_tell", "ok", "not_applicable")
    return min(found, key=lambda v: order.index(v.outcome))


def outcomes(machine: Machine | Snapshot, policy: Policy | None = None) -> dict[tuple[str, str], str]:
    """(rule, subject) → outcome of every rule of the house."""
    from envcheck.rules import QUESTIONS

    snapshot = machine.snapshot if isinstance(machine, Machine) else machine
    return {(v.rule, v.subject): v.outcome for v in try_all(snapshot, QUESTIONS, policy or Policy())}


def _try(
    rule: str, machine: Machine | Snapshot, policy: Policy | None, questions: tuple[Question, ...]
) -> list[Verdict]:
    if not questions:
        from envcheck.rules import QUESTIONS

        questions = QUESTIONS
    snapshot = machine.snapshot if isinstance(machine, Machine) else machine
    asked = [q for q in questions if any(r.name == rule for r in q.rules)]
    return try_all(snapshot, asked, policy or Policy(pedantic=True))
