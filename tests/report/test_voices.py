"""All voices say the same about every machine of the cast."""

from __future__ import annotations

import inspect
import json
from importlib import import_module

import pytest

from envcheck.judge import RUNGS, Policy, Report, judge
from envcheck.report import FORMATS, Page, render
from envcheck.report.ladder import rungs
from envcheck.report.manual import FORMATS as MANUAL_FORMATS
from envcheck.report.manual import render_list, render_page, sections, summary
from envcheck.report.paint import width_of
from envcheck.report.phrases import RUNG_NAMES, answer
from envcheck.rules import QUESTIONS, RULES
from envcheck.testing import CAST, machine

PAGES = [Page(40), Page(80, unicode=False), Page(100, colour=True)]


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    policy = Policy(require_gpu=True, pedantic=True)
    return {name: judge(machine(name).snapshot, QUESTIONS, policy) for name in CAST}


@pytest.mark.parametrize("name", CAST)
def test_the_verdict_is_the_same_in_all_formats(reports: dict[str, Report], name: str) -> None:
    """Every voice states the report's verdict and names its first root cause."""
    report = reports[name]
    texts = {voice: render(voice, report, Page(100)) for voice in FORMATS}
    assert json.loads(texts["json"])["verdict"] == report.verdict
    mark = {"fit": "✓", "unfit": "✗", "undetermined": "?"}[report.verdict]
    assert texts["terminal"].rstrip().split("\n\n")[-1].startswith(f"{mark} {report.verdict}: ")
    assert texts["markdown"].startswith(f"**{report.verdict}")
    for finding in report.root_causes[:1]:
        assert all(finding.rule in text for text in texts.values())


@pytest.mark.parametrize("name", CAST)
def test_every_finding_is_told_in_every_format(reports: dict[str, Report], name: str) -> None:
    """Nothing vanishes: root causes, consequences, warnings and notes are named by every voice."""
    report = reports[name]
    findings = [*report.root_causes, *report.warnings, *report.notes, *(c.finding for c in report.consequences)]
    for voice in FORMATS:
        text = render(voice, report, Page(100))
        assert {finding.rule for finding in findings if finding.rule not in text} == set()


@pytest.mark.parametrize("name", CAST)
@pytest.mark.parametrize("page", PAGES, ids=["40", "ascii", "colour"])
def test_every_machine_of_the_cast_can_be_shown(reports: dict[str, Report], name: str, page: Page) -> None:
    """Every page carries every report, in characters that it can hold, the same on every call."""
    for voice in FORMATS:
        text = render(voice, reports[name], page)
        assert text == render(voice, reports[name], page)
        assert text.endswith("\n") and not text.endswith("\n\n")
        assert page.unicode or text.isascii()


@pytest.mark.parametrize("name", CAST)
def test_the_ladder_in_words(reports: dict[str, Report], name: str) -> None:
    """Eleven rungs in order; a rung with a problem names the rule that found it."""
    shown = rungs(reports[name])
    assert [label for _, label, _ in shown] == [RUNG_NAMES[rung] for rung in RUNGS]
    assert all(words for outcome, _, words in shown if outcome != "ok")


def test_the_answer_is_one_line(reports: dict[str, Report]) -> None:
    """The verdict begins with its own word and fits in a log line."""
    for report in reports.values():
        assert answer(report).startswith(report.verdict)
        assert "\n" not in answer(report)


def test_every_format_has_a_voice() -> None:
    """The registry names modules that exist, and each can speak."""
    for name, voice in FORMATS.items():
        assert voice.name == name
        assert list(inspect.signature(import_module(voice.module).render).parameters) == ["report", "page"]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_manual_page_can_be_shown(rule: type) -> None:
    """Name, code, first sentence and all five headings are on the page, which stays within its width."""
    for voice in MANUAL_FORMATS:
        text = render_page(voice, rule, Page(60, unicode=False))
        assert rule.name in text and rule.code in text
        assert len(sections(rule)) == 5
        if voice == "terminal":
            assert text.isascii()
            assert all(width_of(line) <= 60 or " " not in line.strip() for line in text.split("\n"))


def test_the_list_of_rules_is_complete() -> None:
    """Every rule is in the list, rung by rung, in every format."""
    for voice in MANUAL_FORMATS:
        text = render_list(voice, RULES, Page(100))
        assert [rule.code for rule in RULES if rule.code not in text] == []
    listed = [rule["rule"] for rule in json.loads(render_list("json", RULES, Page()))["rules"]]
    assert sorted(listed) == sorted(rule.name for rule in RULES)
    assert summary(RULES[0]).endswith(".")
