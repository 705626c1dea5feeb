"""The report as GitLab's Code Quality JSON: one issue for each finding, and one for each doubt that counts.

``critical`` is what makes the machine unfit, ``major`` what leaves it undetermined.  GitLab wants a file for each:
the line that declares it, else the policy, else pyproject.toml.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from envcheck.judge import Finding, Report

from . import phrases, standing
from .json_report import to_text
from .page import Page
from .standing import NO_FILE, Place, Told
from .words import clean


def render(report: Report, page: Page) -> str:
    """The list of issues.  ``page`` changes nothing."""
    issues = [_issue(report, one) for one in standing.told(report)]
    if report.verdict == "undetermined":
        doubts = standing.doubts(report)
        issues += [_doubt(report, v.rule, v.subject, f"cannot tell: {clean(v.why)}") for v in doubts]
        if not doubts:
            issues.append(_doubt(report, "undetermined", "host", phrases.answer(report)))
    return to_text(issues)


def severity(one: Told) -> str:
    """GitLab's word: critical, minor, info."""
    if one.grave:
        return "critical"
    return "minor" if one.finding.severity != "note" and one.role != "ignored" else "info"


def _issue(report: Report, one: Told) -> dict[str, Any]:
    finding = one.finding
    return {
        "description": standing.title(one),
        "check_name": finding.rule,
        "fingerprint": fingerprint(finding),
        "severity": severity(one),
        "location": _location(standing.place(report, finding)),
        "content": {"body": "\n".join(standing.lines(report, finding))},
    }


def _doubt(report: Report, rule: str, subject: str, why: str) -> dict[str, Any]:
    return {
        "description": why,
        "check_name": rule,
        "fingerprint": sha256(f"unknown/{rule}/{subject}".encode("utf-8", "backslashreplace")).hexdigest(),
        "severity": "major",
        "location": _location(standing.place(report)),
    }


def _location(place: Place | None) -> dict[str, Any]:
    place = place or Place(NO_FILE)
    return {"path": clean(place.path), "lines": {"begin": place.line}}


def fingerprint(finding: Finding) -> str:
    """The same for the same rule on the same subject, in every run."""
    return sha256(f"{finding.rule}/{finding.subject}".encode("utf-8", "backslashreplace")).hexdigest()
