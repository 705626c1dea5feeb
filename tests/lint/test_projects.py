"""The planted mismatch of every broken project is found at its line, and the sound ones get a clean page."""

from __future__ import annotations

import pytest

from envcheck.facts import decode, encode
from envcheck.judge import Finding, Report
from envcheck.report import standing

from .judging import lint, read
from .projects import BROKEN, SOUND, Project


def _findings(report: Report) -> list[Finding]:
    return [*report.root_causes, *report.warnings, *report.notes, *(c.finding for c in report.consequences)]


def test_there_are_enough_projects() -> None:
    """Forty with a mismatch, twenty without, no name twice."""
    assert len(BROKEN) >= 40
    assert len(SOUND) >= 20
    names = [project.name for project in (*BROKEN, *SOUND)]
    assert len(set(names)) == len(names)


@pytest.mark.wheel
@pytest.mark.parametrize("project", BROKEN, ids=lambda project: project.name)
def test_the_planted_mismatch_is_found_at_its_line(project: Project) -> None:
    """Its rule is among the findings, points at the file and line that declare it, and nothing else is accused."""
    report = lint(project)
    found = {finding.rule: finding for finding in _findings(report)}
    assert project.rule in found, f"found only {sorted(found)}"
    place = standing.place(report, found[project.rule])
    assert place is not None
    assert f"{place.path}:{place.line}" == project.place
    others = [f.rule for f in (*report.root_causes, *report.warnings, *report.notes) if f.rule != project.rule]
    assert others == []


@pytest.mark.wheel
@pytest.mark.parametrize("project", SOUND, ids=lambda project: project.name)
def test_a_sound_project_gets_a_clean_page(project: Project) -> None:
    """No finding of any severity, and never the verdict unfit."""
    report = lint(project)
    assert [(finding.rule, finding.summary) for finding in _findings(report)] == []
    assert report.verdict != "unfit"


@pytest.mark.parametrize("project", [*BROKEN, *SOUND], ids=lambda project: project.name)
def test_no_rule_crashes_and_every_fix_names_a_step(project: Project) -> None:
    """One crash costs one verdict, and there is none; whoever accuses says what to do, if it is more than a look."""
    report = lint(project)
    assert [verdict.why for verdict in report.verdicts if verdict.outcome == "crashed"] == []
    for finding in _findings(report):
        assert finding.rule == "declaration-unreadable" or (finding.fix is not None and finding.fix.steps), finding.rule
        assert finding.evidence


@pytest.mark.parametrize("project", [*BROKEN, *SOUND], ids=lambda project: project.name)
def test_a_declared_snapshot_survives_its_own_form(project: Project) -> None:
    """decode is the inverse of encode for what files declare, too."""
    snapshot = read(project)
    assert decode(encode(snapshot)) == snapshot
