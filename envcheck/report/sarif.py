"""The report as SARIF 2.1.0 (OASIS standard, errata 01), for code scanning.

One run; a rule for each one that found something, with its manual page as help; a result for each finding, the
ignored ones suppressed with their reason; what could not be told is a notification of the run.  A machine has no
file: a result points at the line that declares it, else at the policy, else at pyproject.toml.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from envcheck import __version__
from envcheck.judge import Finding, Report, RuleType, manual

from . import phrases, standing
from .gitlab import fingerprint
from .json_report import to_text
from .manual import render_page, summary
from .page import Page
from .standing import NO_FILE, Place, Told
from .words import clean

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {"error": "error", "warning": "warning", "note": "note"}
MOST_RESULTS = 5000
"""Code scanning shows no more of a run (GitHub docs, SARIF support)."""

_WEB = re.compile(r"https?://[^\s<>\"]+")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")


def render(report: Report, page: Page) -> str:
    """The log.  ``page`` changes nothing."""
    found = standing.told(report)[:MOST_RESULTS]
    names = list(dict.fromkeys(one.finding.rule for one in found))
    first = {one.finding.rule: one.finding for one in reversed(found)}
    index = {name: i for i, name in enumerate(names)}
    driver = {
        "name": "envcheck",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(first[name]) for name in names],
    }
    run = {
        "tool": {"driver": driver},
        "automationDetails": {"id": "envcheck/"},
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation(report)],
        "results": [_result(report, one, index) for one in found],
        "properties": {
            "verdict": report.verdict,
            "ladder": {step.rung: step.outcome for step in report.ladder},
            "judged": phrases.judged(report.snapshot),
        },
    }
    return to_text({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(finding: Finding) -> dict[str, Any]:
    """The descriptor of a finding's rule; of a plugin's rule that is not at hand, what the finding says."""
    from envcheck.rules import find

    rule: RuleType | None = find(finding.rule)
    descriptor: dict[str, Any] = {
        "id": finding.rule,
        "properties": {"code": finding.code, "rung": finding.rung, "tags": ["gpu", finding.rung]},
    }
    if rule is not None and rule.name == finding.rule:
        descriptor |= {
            "shortDescription": {"text": summary(rule)},
            "fullDescription": {"text": summary(rule)},
            "help": {"text": manual(rule), "markdown": render_page("markdown", rule, Page())},
            "defaultConfiguration": {"level": LEVELS[rule.severity]},
        }
    link = next((link for link in finding.links if _WEB.fullmatch(link)), None)
    return descriptor | ({"helpUri": link} if link is not None else {})


def _result(report: Report, one: Told, index: dict[str, int]) -> dict[str, Any]:
    finding = one.finding
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index[finding.rule],
        "level": LEVELS[finding.severity],
        "message": {"text": "\n".join([standing.title(one), *standing.lines(report, finding)])},
        "locations": [_location(standing.place(report, finding), finding)],
        "partialFingerprints": {"envcheckSubject/v1": fingerprint(finding)},
        "properties": {
            "subject": clean(finding.subject),
            "role": one.role,
            "confidence": finding.confidence,
            "evidence": [{"pointer": e.pointer, "value": e.value, "witness": e.witness} for e in finding.evidence],
            **({"because": one.because} if one.because else {}),
        },
    }
    if one.role == "ignored":
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": one.reason}]
    return result


def _location(place: Place | None, finding: Finding) -> dict[str, Any]:
    place = place or Place(NO_FILE)
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(place.path.replace("\\", "/"), errors="backslashreplace")},
            "region": {"startLine": place.line},
        },
        "logicalLocations": [{"fullyQualifiedName": clean(finding.subject) or "host", "kind": "resource"}],
    }


def _invocation(report: Report) -> dict[str, Any]:
    taken = report.snapshot.taken_at
    notifications = [
        {
            "level": "error" if verdict.outcome == "crashed" else "warning" if verdict.essential else "note",
            "message": {"text": f"{verdict.rule}: cannot tell: {clean(verdict.why)}"},
            "properties": {"rule": verdict.rule, "subject": clean(verdict.subject), "asked": verdict.asked},
        }
        for verdict in report.cannot_tell
        if verdict.finding is None
    ]
    return {
        "executionSuccessful": True,
        "toolExecutionNotifications": notifications,
        **({"endTimeUtc": taken} if isinstance(taken, str) and _TIME.fullmatch(taken) else {}),
    }
