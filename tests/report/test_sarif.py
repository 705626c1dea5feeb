"""SARIF 2.1.0: valid, with a rule for every result, stable fingerprints, and suppressions for what is ignored."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from msgspec.structs import replace

from envcheck.judge import Policy, Report, judge
from envcheck.report import Page, render
from envcheck.rules import QUESTIONS
from envcheck.testing import CAST, machine
from tests.report.sarif_subset import SCHEMA


def sarif(report: Report) -> dict[str, Any]:
    text = render("sarif", report, Page())
    assert text.isascii()
    log: dict[str, Any] = json.loads(text)
    return log


def reports() -> dict[str, Report]:
    policy = Policy(pedantic=True, require_gpu=True)
    return {name: judge(machine(name).snapshot, QUESTIONS, policy) for name in CAST}


@pytest.mark.parametrize("name", CAST)
def test_the_log_is_valid(name: str) -> None:
    """By a strict schema of what is written here: no key that the standard does not know, none of the wrong kind."""
    log = sarif(judge(machine(name).snapshot, QUESTIONS, Policy(pedantic=True, require_gpu=True)))
    jsonschema.Draft202012Validator(SCHEMA).validate(log)


@pytest.mark.skipif(
    not os.environ.get("ENVCHECK_SARIF_SCHEMA"),
    reason="needs ENVCHECK_SARIF_SCHEMA: the path of OASIS's sarif-schema-2.1.0.json",
)
def test_the_official_schema_accepts_it(report_of: Callable[[str], Report]) -> None:
    """Not our own idea of SARIF, but the one of the standard."""
    official = jsonschema.Draft4Validator(json.loads(Path(os.environ["ENVCHECK_SARIF_SCHEMA"]).read_text()))
    for report in (*reports().values(), report_of("sick"), report_of("hostile")):
        assert list(official.iter_errors(sarif(report))) == []


@pytest.mark.parametrize("name", ["sick", "hostile"])
def test_every_result_has_its_rule_and_place(name: str, report_of: Callable[[str], Report]) -> None:
    """Indexes lead to the rule of that name; a place is a path inside the repository."""
    log = sarif(report_of(name))
    jsonschema.Draft202012Validator(SCHEMA).validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]


def test_what_is_ignored_is_suppressed_with_its_reason(report_of: Callable[[str], Report]) -> None:
    """Ignored is told, and not counted by whoever reads the log."""
    (run,) = sarif(report_of("sick"))["runs"]
    suppressed = {r["ruleId"]: r["suppressions"][0] for r in run["results"] if "suppressions" in r}
    assert suppressed == {
        "accepted-finding": {"kind": "external", "status": "accepted", "justification": "our lab wants it so"}
    }


def test_what_could_not_be_told_is_a_notification(report_of: Callable[[str], Report]) -> None:
    """A crashed rule is an error of the tool, an essential doubt a warning."""
    (run,) = sarif(report_of("sick"))["runs"]
    told = {n["properties"]["rule"]: n["level"] for n in run["invocations"][0]["toolExecutionNotifications"]}
    assert told["broken-question"] == "error" and told["silent-question"] == "note"
    (run,) = sarif(report_of("silent"))["runs"]
    told = {n["properties"]["rule"]: n["level"] for n in run["invocations"][0]["toolExecutionNotifications"]}
    assert told["driver-too-old"] == "warning"


def test_a_rule_of_the_house_brings_its_manual() -> None:
    """The alert's page shows what the rule looks at and how to mend it."""
    (run,) = sarif(reports()["driver-too-old"])["runs"]
    (rule,) = [rule for rule in run["tool"]["driver"]["rules"] if rule["id"] == "driver-too-old-for-torch"]
    assert "How to mend it" in rule["help"]["text"]
    assert rule["help"]["markdown"].startswith("## `driver-too-old-for-torch`")
    assert rule["properties"]["code"] == "DRV102"


def test_fingerprints_are_those_of_rule_and_subject() -> None:
    """The same finding is the same alert tomorrow, whatever its wording; another subject is another alert."""
    report = reports()["gpu-lost"]
    prints = [r["partialFingerprints"]["envcheckSubject/v1"] for r in sarif(report)["runs"][0]["results"]]
    assert len(set(prints)) == len(prints) > 0
    reworded = replace(report, root_causes=[replace(f, summary="other words") for f in report.root_causes])
    assert [r["partialFingerprints"]["envcheckSubject/v1"] for r in sarif(reworded)["runs"][0]["results"]] == prints


@pytest.mark.parametrize(
    ("source", "line", "uri"),
    [
        ("pyproject.toml", 12, "pyproject.toml"),
        ("ci/my policy.toml", 1, "ci/my%20policy.toml"),
        ("", 1, "pyproject.toml"),
        ("/etc/envcheck.toml", 1, "pyproject.toml"),
        ("C:\\policy.toml", 1, "pyproject.toml"),
        ("../policy.toml", 1, "pyproject.toml"),
    ],
)
def test_machine_facts_point_at_the_policy(source: str, line: int, uri: str) -> None:
    """A machine has no file: the policy stands in, as long as it is one of the repository's."""
    policy = Policy(source=source, source_line=line)
    log = sarif(judge(machine("driver-too-old").snapshot, QUESTIONS, policy))
    places = {json.dumps(r["locations"][0]["physicalLocation"], sort_keys=True) for r in log["runs"][0]["results"]}
    want = {"artifactLocation": {"uri": uri}, "region": {"startLine": line if source else 1}}
    assert places == {json.dumps(want, sort_keys=True)}
