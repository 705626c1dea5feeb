"""How each finding stands in a report: root cause or consequence, counted or excused, and where it can be pointed at.

What CI formats have in common: they know files and lines, and a machine has neither.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

import msgspec

from envcheck.facts import PointerError, Snapshot, resolve
from envcheck.judge import SEVERITIES, Finding, Policy, Report, Verdict, weigh

from . import fixes, phrases
from .words import clean, dotted, quoted

Role: TypeAlias = Literal["root", "warning", "note", "consequence", "ignored"]

NO_FILE = "pyproject.toml"
"""The file that formats which cannot do without one are given where no policy was read: the place to put it."""

_FILE_AND_LINE = re.compile(r"([^\s:][^:]{0,400}):(\d{1,7})(?=$|:|\s)")


@dataclass(frozen=True)
class Told:
    """One finding.  ``because`` names the rule that explains it, ``reason`` why it is ignored."""

    finding: Finding
    role: Role
    grave: bool  # it makes the machine unfit
    because: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Place:
    """A line of a file of the project."""

    path: str
    line: int = 1


def told(report: Report) -> list[Told]:
    """Every finding: root causes, warnings, notes, consequences, and what is ignored."""
    policy = report.policy
    found = [Told(finding, "root", _grave(finding, policy)) for finding in report.root_causes]
    found += [Told(finding, "warning", _grave(finding, policy)) for finding in report.warnings]
    found += [Told(finding, "note", _grave(finding, policy)) for finding in report.notes]
    found += [
        Told(effect.finding, "consequence", _grave(effect.finding, policy), because=effect.because)
        for effect in report.consequences
    ]
    found += [
        Told(verdict.finding, "ignored", False, reason=clean(verdict.why))
        for verdict in report.ignored
        if verdict.finding is not None
    ]
    return found


def _grave(finding: Finding, policy: Policy) -> bool:
    return SEVERITIES.index(finding.severity) <= SEVERITIES.index(policy.fail_on)


def doubts(report: Report) -> list[Verdict]:
    """The questions whose missing answers make a report undetermined."""
    return [verdict for verdict in report.cannot_tell if weigh(verdict, report.policy) == "undetermined"]


def place(report: Report, finding: Finding | None = None) -> Place | None:
    """Where to point at: the line that declares it (``lint``), else the policy that was judged by."""
    if finding is not None:
        for evidence in finding.evidence:
            declared = _declared(report.snapshot, evidence.pointer)
            if declared is not None:
                return declared
    source = report.policy.source
    return Place(source, max(report.policy.source_line, 1)) if source and _is_inside(source) else None


def _declared(snapshot: Snapshot, pointer: str) -> Place | None:
    """The file and line of a fact that was read from a project's files."""
    for origin in snapshot.origins if snapshot.source == "declared" else ():
        if pointer == origin.pointer or pointer.startswith(f"{origin.pointer}/"):
            named = _FILE_AND_LINE.match(origin.source)
            if named is not None and _is_inside(named[1]):
                return Place(named[1], int(named[2]))
    parts = pointer.split("/")
    while parts[:2] == ["", "declared"] and len(parts) > 2:
        try:
            record = resolve(snapshot, "/".join(parts))
        except PointerError:
            return None
        file, line = getattr(record, "file", ""), getattr(record, "line", 0)
        if isinstance(record, msgspec.Struct) and isinstance(file, str) and file and _is_inside(file):
            return Place(file, max(int(line), 1))
        parts.pop()
    return None


def _is_inside(path: str) -> bool:
    """A path below the repository, as CI formats want it."""
    return not path.startswith(("/", "\\", "..", "-")) and not re.match(r"[A-Za-z]:", path)


def title(one: Told) -> str:
    """The finding's summary on one line, with what it follows from or why it is ignored."""
    about = "" if one.finding.confidence == "established" else "suspected: "
    tail = f" (follows from {one.because})" if one.because else f" (ignored: {one.reason})" if one.reason else ""
    return f"{about}{clean(one.finding.summary)}{tail}"


def lines(report: Report, finding: Finding, *, evidence: bool = True) -> Iterator[str]:
    """Cause, evidence and fix as plain lines."""
    label = phrases.labels(report).get(finding.subject, "")
    if label and label not in finding.summary:
        yield f"On: {clean(label)}"
    if finding.cause:
        yield f"Cause: {clean(finding.cause)}"
    if evidence:
        for fact in finding.evidence:
            yield f"Evidence: {dotted(fact.pointer)} = {quoted(fact.pointer, fact.value)} ({clean(fact.witness)})"
    if finding.fix is None:
        return
    safety = {"safe": "", "careful": " (with care)", "disruptive": " (disruptive)"}[finding.fix.safety]
    yield f"Fix: {clean(finding.fix.title)}{safety}"
    for step in fixes.ways(finding.fix, report.snapshot)[0].steps:
        about = clean(fixes.marks(step))
        command = clean(step.command)
        yield f"  $ {command}{f'   # {about}' if about else ''}" if command else f"  {about}"
    if finding.fix.verify:
        yield f"Verify: {clean(finding.fix.verify)}"
