"""GitLab code quality: the five fields that GitLab wants of every issue, unique fingerprints, paths of the project."""

from __future__ import annotations

from collections.abc import Callable

import jsonschema
import pytest

from envcheck.judge import Policy, Report, judge
from envcheck.report import Page, render
from envcheck.rules import QUESTIONS
from envcheck.testing import CAST, machine
from tests.report.readers import issues

ISSUE = {
    "type": "object",
    "required": ["description", "check_name", "fingerprint", "severity", "location"],
    "properties": {
        "description": {"type": "string", "minLength": 1},
        "check_name": {"type": "string", "pattern": "^[a-z0-9-]+$"},
        "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
        "location": {
            "type": "object",
            "required": ["path", "lines"],
            "properties": {
                "path": {"type": "string", "pattern": "^[^./\\\\]"},
                "lines": {"type": "object", "required": ["begin"], "properties": {"begin": {"minimum": 1}}},
            },
        },
    },
}
"""GitLab documentation, code quality, "implement a custom tool"."""


@pytest.mark.parametrize("name", CAST)
def test_every_issue_is_complete(name: str) -> None:
    """GitLab drops a whole report for one issue that lacks a field or repeats a fingerprint."""
    report = judge(machine(name).snapshot, QUESTIONS, Policy(pedantic=True, require_gpu=True, unknown="fail"))
    found = issues(render("gitlab", report, Page()))
    jsonschema.Draft202012Validator({"type": "array", "items": ISSUE}).validate(found)
    assert len({issue["fingerprint"] for issue in found}) == len(found)


def test_severities(report_of: Callable[[str], Report]) -> None:
    """critical makes unfit, minor warns, info remarks; an ignored finding is told with its reason."""
    found = {issue["check_name"]: issue for issue in issues(render("gitlab", report_of("sick"), Page()))}
    assert found["driver-too-old"]["severity"] == "critical"
    assert found["clock-held-down"]["severity"] == "minor"
    assert found["a-remark"]["severity"] == found["accepted-finding"]["severity"] == "info"
    assert found["accepted-finding"]["description"].endswith("(ignored: our lab wants it so)")
