"""The first root cause and its fix as a few plain lines: the message of an exception."""

from __future__ import annotations

from envcheck.judge import Fix, Report

from . import fixes, phrases
from .ignorance import unknown
from .words import clean, count, fold

SHOWN_DOUBTS = 3


def complaint(report: Report) -> str:
    """Why this machine is not fit, in plain signs: what was seen, why, what to do, and what else there is.

    Where something required could not be read: what, and why not.
    """
    lines = [phrases.answer(report), f"  {phrases.judged(report.snapshot)}"]
    grave = [f for f in report.root_causes if f.severity == "error"] or report.root_causes or report.warnings
    for finding in grave[:1]:
        lines.append(f"  {clean(finding.summary)}")
        lines += [f"  cause: {clean(finding.cause)}"] if finding.cause else []
        lines += _fix(report, finding.fix) if finding.fix is not None else []
    lines += [f"  also: {finding.rule}: {clean(finding.summary)}" for finding in grave[1:]]
    if report.verdict == "undetermined":
        lines += _doubts(report)
    return fold("\n".join(lines))


def _fix(report: Report, fix: Fix) -> list[str]:
    lines = [f"  fix: {clean(fix.title)}"]
    for number, step in enumerate(fixes.ways(fix, report.snapshot)[0].steps, 1):
        about = clean(fixes.marks(step))
        note = f"   # {about}" if about and step.command else about
        lines.append(f"    {number}. {clean(step.command)}{note}")
    return lines + ([f"  verify: {clean(fix.verify)}"] if fix.verify else [])


def _doubts(report: Report) -> list[str]:
    doubts = [v for v in unknown(report) if v.required or (v.essential and v.asked)]
    lines = [f"  cannot tell {v.rule}: {clean(v.why)}" for v in doubts[:SHOWN_DOUBTS]]
    more = len(doubts) - SHOWN_DOUBTS
    return lines + ([f"  and {count(more, 'more question')}"] if more > 0 else [])
