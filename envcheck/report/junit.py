"""The report as JUnit XML: one test case for each rule on each subject.

A failure is what makes the machine unfit, an error what makes it undetermined; everything else that is not ok is
skipped with its reason, or passes with its text in the suite's output.  So a reader of this file comes to the same
verdict.  Valid against the schema of Windy Road (Ant's JUnit) and the one of Jenkins' xunit plugin; pure ASCII.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from envcheck import __version__
from envcheck.judge import RUNGS, Report, Verdict, weigh

from . import phrases, standing
from .page import Page
from .words import clean

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TIMESTAMP = re.compile(r"(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:Z|\+00:00)?")
_REASONS = {"not_applicable": "not applicable", "cannot_tell": "unknown", "crashed": "crashed", "ignored": "ignored"}


def render(report: Report, page: Page) -> str:
    """The whole report.  ``page`` changes nothing."""
    verdicts = sorted(report.verdicts, key=lambda v: (RUNGS.index(v.rung), v.code, v.subject))
    because = {(c.finding.rule, c.finding.subject): c.because for c in report.consequences}
    cases = [_case(report, verdict, because) for verdict in verdicts]
    if report.verdict == "undetermined" and not any(kind == "error" for kind, _ in cases):
        cases.append(_nothing_judged(report))
    count = {kind: sum(1 for found, _ in cases if found == kind) for kind in ("failure", "error", "skipped")}
    attributes = {
        "name": "envcheck",
        "package": "envcheck",
        "id": "0",
        "hostname": "localhost",
        **_timestamp(report),
        "tests": str(len(cases)),
        "failures": str(count["failure"]),
        "errors": str(count["error"]),
        "skipped": str(count["skipped"]),
        "time": "0",
    }
    lines = [
        '<?xml version="1.0" encoding="US-ASCII"?>',
        "<testsuites>",
        f"<testsuite{_attributes(attributes)}>",
        "<properties>",
        *(f"<property{_attributes({'name': name, 'value': value})}/>" for name, value in _properties(report)),
        "</properties>",
        *(text for _, text in cases),
        f"<system-out>{_text(_output(report))}</system-out>",
        "<system-err></system-err>",
        "</testsuite>",
        "</testsuites>",
    ]
    return "\n".join(lines) + "\n"


def _case(report: Report, verdict: Verdict, because: dict[tuple[str, str], str]) -> tuple[str, str]:
    """(kind, element) of one verdict; the kind of a passed one is "passed"."""
    where = "" if verdict.subject == "host" else f" [{verdict.subject}]"
    attributes = {"name": f"{verdict.rule}{where}", "classname": f"envcheck.{verdict.rung}", "time": "0"}
    weight = weigh(verdict, report.policy)
    if weight == "unfit" and verdict.finding is not None:
        cause = because.get((verdict.rule, verdict.subject), "")
        one = standing.Told(verdict.finding, "consequence" if cause else "root", True, because=cause)
        body = _text(standing.lines(report, verdict.finding))
        kind, inner = "failure", _child("failure", verdict.rule, standing.title(one), body)
    elif weight == "undetermined":
        kind, inner = "error", _child("error", "undetermined", f"unknown: {clean(verdict.why)}")
    elif (verdict.outcome in _REASONS and verdict.finding is None) or verdict.outcome == "ignored":
        why = f"{_REASONS[verdict.outcome]}: {clean(verdict.why)}"
        kind, inner = "skipped", _child("skipped", "", why)
    else:
        kind, inner = "passed", ""
    return kind, f"<testcase{_attributes(attributes)}>{inner}</testcase>"


def _nothing_judged(report: Report) -> tuple[str, str]:
    attributes = {"name": "verdict", "classname": "envcheck", "time": "0"}
    inner = _child("error", "undetermined", phrases.answer(report))
    return "error", f"<testcase{_attributes(attributes)}>{inner}</testcase>"


def _child(name: str, kind: str, message: str, body: str = "") -> str:
    about = {"message": message, **({"type": kind} if kind else {})}
    return f"<{name}{_attributes(about)}>{body}</{name}>"


def _properties(report: Report) -> Iterable[tuple[str, str]]:
    yield "envcheck", __version__
    yield "verdict", report.verdict
    yield "judged", phrases.judged(report.snapshot)
    if report.policy.source:
        yield "policy", report.policy.source
    for step in report.ladder:
        yield f"ladder.{step.rung}", step.outcome


def _output(report: Report) -> Iterable[str]:
    """The answer, and the findings that no test case fails for."""
    yield phrases.answer(report)
    for one in standing.told(report):
        if not one.grave:
            yield f"{one.finding.severity}: {one.finding.rule}: {standing.title(one)}"


def _timestamp(report: Report) -> dict[str, str]:
    """When the machine was looked at, without a zone as the schema wants it; nothing where that is not known."""
    taken = report.snapshot.taken_at
    found = _TIMESTAMP.fullmatch(taken) if isinstance(taken, str) else None
    return {"timestamp": found[1]} if found else {}


def _attributes(values: dict[str, str]) -> str:
    return "".join(f' {name}="{_escaped(" ".join(value.split()))}"' for name, value in values.items())


def _text(lines: Iterable[str]) -> str:
    return _escaped("\n".join(lines))


def _escaped(text: str) -> str:
    """ASCII that any XML parser reads back as the text, less what XML cannot hold."""
    text = _NO_XML.sub("", text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    return text.encode("ascii", "xmlcharrefreplace").decode()
