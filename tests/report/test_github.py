"""GitHub's log: annotations within its limits, root causes first, and nothing in them that a runner would obey."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from envcheck.judge import Policy, Report, judge
from envcheck.report import Page, render
from envcheck.report.github import LIMIT, command, escape_data, escape_property
from envcheck.report.standing import Place
from envcheck.rules import QUESTIONS
from envcheck.testing import CAST, machine

COMMAND = re.compile(r"^::([a-z-]+)(?: ([^\n]*?))?::(.*)$")


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Every workflow command, as actions/runner parses it: at the start of a line."""
    found = []
    for line in text.splitlines():
        match = COMMAND.match(line.strip())
        if match:
            pairs = [pair.partition("=") for pair in (match[2] or "").split(",") if pair]
            found.append((match[1], {key: undo(value) for key, _, value in pairs}, undo(match[3])))
    return found


def undo(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text


def crowd(report: Report, number: int) -> Report:
    """The report with its first root cause so many times over, by other names."""
    root = report.root_causes[0]
    return replace(report, root_causes=[replace(root, rule=f"cause-{i}", subject=f"gpu:{i}") for i in range(number)])


@pytest.mark.parametrize("name", CAST)
def test_no_level_goes_over_its_limit(name: str) -> None:
    """Ten errors, ten warnings, ten notices a step; what a runner would drop is never written."""
    report = judge(machine(name).snapshot, QUESTIONS, Policy(pedantic=True, require_gpu=True))
    levels = [level for level, _, _ in commands(render("github", report, Page()))]
    assert all(levels.count(level) <= LIMIT for level in ("error", "warning", "notice"))
    assert set(levels) <= {"error", "warning", "notice", "group", "endgroup"}


def test_the_tenth_says_what_else_there_is(report_of: Callable[[str], Report]) -> None:
    """Roots first, "and N more" with their names; exactly ten are all shown."""
    report = report_of("sick")
    errors = [c for c in commands(render("github", crowd(report, 25), Page())) if c[0] == "error"]
    assert [properties["title"] for _, properties, _ in errors[:9]] == [f"envcheck cause-{i}" for i in range(9)]
    assert errors[9][2] == "and 16 more errors: " + ", ".join(f"cause-{i}" for i in range(9, 25))
    errors = [c for c in commands(render("github", crowd(report, 10), Page())) if c[0] == "error"]
    assert [message for _, _, message in errors if message.startswith("and ")] == []


def test_levels(report_of: Callable[[str], Report]) -> None:
    """Errors and warnings are what they are; a consequence and an ignored finding shout at nobody."""
    found = commands(render("github", report_of("sick"), Page()))
    told = {properties["title"]: level for level, properties, _ in found if "title" in properties}
    assert told["envcheck driver-too-old"] == "error"
    assert told["envcheck clock-held-down"] == "warning"
    assert told["envcheck torch-unavailable"] == "notice"
    assert told["envcheck accepted-finding"] == "notice"


def test_an_undetermined_machine_is_an_error(report_of: Callable[[str], Report]) -> None:
    """The step fails with 3, and the pull request shows why."""
    level, properties, message = commands(render("github", report_of("silent"), Page()))[0]
    assert (level, properties["title"]) == ("error", "envcheck undetermined")
    assert message.startswith("undetermined: driver.nvml: no answer in time")


def test_a_policy_is_pointed_at() -> None:
    """The annotation stands on the policy's table in its file."""
    policy = Policy(source="pyproject.toml", source_line=12)
    report = judge(machine("driver-too-old").snapshot, QUESTIONS, policy)
    _, properties, _ = commands(render("github", report, Page()))[0]
    assert (properties["file"], properties["line"]) == ("pyproject.toml", "12")


PAGES = {"wide": Page(), "ascii": Page(40, unicode=False), "colour": Page(80, colour=True)}


@pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
def test_hostile_texts_start_no_command(page: Page, report_of: Callable[[str], Report]) -> None:
    """All commands in the log are ours: every line that begins with ``::`` or ``##[``."""
    text = render("github", report_of("hostile"), page)
    ours = ("error", "warning", "notice", "group", "endgroup")
    bare = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in text.splitlines()]
    assert all(line.startswith(tuple(f"::{name}" for name in ours)) for line in bare if line.startswith("::"))
    assert [line for line in bare if line.startswith("##[")] == []
    titles = [properties["title"] for level, properties, _ in commands(text) if level not in ("group", "endgroup")]
    assert all(title.startswith("envcheck") for title in titles)


@given(st.text(), st.text(min_size=1))
def test_what_is_escaped_comes_back(message: str, value: str) -> None:
    """One line, whatever the texts hold; the runner reads back what was meant."""
    assert undo(escape_data(message)) == message if "%" not in message else True
    for escaped in (escape_data(message), escape_property(value)):
        assert "\n" not in escaped and "\r" not in escaped
    assert ":" not in escape_property(value) and "," not in escape_property(value)
    assert "%" not in escape_data(message).replace("%25", "").replace("%0A", "").replace("%0D", "")


def test_a_command_line() -> None:
    """The form that actions/toolkit writes."""
    line = command("error", Place("a,b:c.toml", 3), "envcheck x", "50% off\nnow")
    assert line == "::error file=a%2Cb%3Ac.toml,line=3,title=envcheck x::50%25 off%0Anow"
