"""From verdicts to one answer, and from the answer to the exit code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .policy import Policy
from .report import Answer, RungOutcome, Step, Verdict
from .rule import RUNGS, SEVERITIES

EXIT_FIT = 0
EXIT_UNFIT = 1
EXIT_USAGE = 2
EXIT_UNDETERMINED = 3
EXIT_BROKEN = 70
EXIT_INTERRUPTED = 130


MEASURED = ("numerics", "speed")
"""Rungs that only a benchmark climbs: settings that are in order do not make them ok."""


def answer(verdicts: Iterable[Verdict], policy: Policy) -> Answer:
    """fit, unfit or undetermined.

    Unfit: a problem at or above ``policy.fail_on``, or a suspicion of one (a failure message was seen).
    Undetermined: a question that counts could not be answered, or nothing of the machine was judged at all.
    """
    doubt, anything = False, False
    for verdict in verdicts:
        weight = weigh(verdict, policy)
        if weight == "unfit":
            return "unfit"
        doubt = doubt or weight == "undetermined"
        anything = anything or (verdict.of_machine and (verdict.outcome in JUDGED or verdict.finding is not None))
    return "undetermined" if doubt or not anything else "fit"


JUDGED = ("ok", "problem", "ignored")
"""What a question that was really put can come to; questions that do not apply alone make nothing fit."""

UNANSWERED = ("cannot_tell", "crashed")
"""A crashed rule counts as one that could not be answered."""


def weigh(verdict: Verdict, policy: Policy) -> Answer:
    """What this verdict alone makes of the answer; the worst of all is the answer.

    A question that could not be answered counts where the policy requires it; where it is essential and was asked;
    and, if unknowns fail, at error level.  A suspicion below ``fail_on`` is such a question still.
    """
    accused = verdict.outcome == "problem" or (verdict.outcome == "cannot_tell" and verdict.finding is not None)
    if accused and SEVERITIES.index(verdict.severity) <= SEVERITIES.index(policy.fail_on):
        return "unfit"
    return "undetermined" if verdict.outcome in UNANSWERED and _counts(verdict, policy) else "fit"


def _counts(verdict: Verdict, policy: Policy) -> bool:
    if verdict.required:
        return True
    if policy.strict or policy.unknown == "fail":
        return verdict.essential or verdict.severity == "error"
    return policy.unknown == "warn" and verdict.essential and verdict.asked


def exit_code(verdict: Answer, *, undetermined_counts: bool) -> int:
    """The exit code of an answer.  ``undetermined_counts``: preflight, bench, fleet and ``--strict`` give 3 for it."""
    if verdict == "unfit":
        return EXIT_UNFIT
    if verdict == "undetermined" and undetermined_counts:
        return EXIT_UNDETERMINED
    return EXIT_FIT


def ladder(verdicts: Sequence[Verdict]) -> list[Step]:
    """Each rung: ok, problem, cannot tell, or not reached (nothing was judged there, or a rung below broke)."""
    steps: list[Step] = []
    broken = False
    for rung in RUNGS:
        here = [verdict for verdict in verdicts if verdict.rung == rung]
        outcome: RungOutcome
        if any(v.outcome == "problem" and v.severity == "error" for v in here):
            outcome = "problem"
        elif any(v.outcome in ("cannot_tell", "crashed") and v.essential and v.asked for v in here):
            outcome = "not_reached" if broken else "cannot_tell"
        elif any(v.outcome in ("ok", "problem", "ignored") and (v.essential or rung not in MEASURED) for v in here):
            outcome = "ok"
        else:
            outcome = "not_reached"
        broken = broken or outcome == "problem"
        steps.append(Step(rung, outcome))
    return steps
