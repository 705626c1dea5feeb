"""The page for a person: complete, in order, within its width, in characters that the page can hold."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from syrupy.assertion import SnapshotAssertion

from envcheck.judge import RUNGS, Finding, Report
from envcheck.report import Page, render
from envcheck.report.paint import width_of
from envcheck.report.phrases import RUNG_NAMES

pytestmark = pytest.mark.wheel
Reports = Callable[[str], Report]
MACHINES = ["healthy", "sick", "silent", "hostile"]
LEAD = 26  # the widest thing that may stand before a text's first word: mark and name of a rung
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def commands(report: Report) -> set[str]:
    found: list[Finding] = [*report.root_causes, *report.warnings]
    fixes = [finding.fix for finding in found if finding.fix is not None]
    return {step.command for fix in fixes for step in fix.steps} | {fix.verify for fix in fixes} - {""}


@pytest.mark.parametrize("machine", ["healthy", "sick", "silent"])
@pytest.mark.parametrize(
    "page", [Page(80), Page(40), Page(80, unicode=False), Page(80, colour=True)], ids=["80", "40", "ascii", "colour"]
)
def test_the_page_as_a_whole(report_of: Reports, machine: str, page: Page, snapshot: SnapshotAssertion) -> None:
    """A change of how a report looks is a change that somebody looks at."""
    assert render("terminal", report_of(machine), page) == snapshot


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("width", [40, 59, 60, 80, 100])
@pytest.mark.parametrize("unicode", [True, False])
def test_no_line_is_wider_than_the_page(report_of: Reports, machine: str, width: int, unicode: bool) -> None:
    """Only a command, which has to survive being copied, and a single word (a path) may pass the margin."""
    report = report_of(machine)
    for line in render("terminal", report, Page(width, unicode=unicode)).split("\n"):
        copied = any(command in line for command in commands(report) if command)
        long_word = width_of((line.split() or [""])[-1]) > width - LEAD
        assert width_of(line) <= width or copied or long_word, line


@pytest.mark.parametrize("machine", ["healthy", "sick", "silent"])
def test_an_ascii_page_holds_ascii(report_of: Reports, machine: str) -> None:
    """Marks, arrows, ellipses and degree signs are folded; nothing is left to the stream's error handler."""
    text = render("terminal", report_of(machine), Page(80, unicode=False))
    assert text.isascii()
    assert "[ok]" in text or machine == "silent"


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("width", [40, 80])
def test_colour_changes_nothing_but_colour(report_of: Reports, machine: str, width: int) -> None:
    """Without its escape sequences a coloured page is the plain one; the plain one has none."""
    plain = render("terminal", report_of(machine), Page(width))
    assert "\x1b" not in plain
    coloured = render("terminal", report_of(machine), Page(width, colour=True))
    assert coloured != plain
    assert [line.rstrip() for line in ANSI.sub("", coloured).split("\n")] == plain.split("\n")


def test_the_order_of_the_page(report_of: Reports) -> None:
    """Environment, ladder, GPUs, root causes, warnings, notes, what is unknown, what is ignored, the verdict."""
    text = render("terminal", report_of("sick"), Page(80))
    parts = [
        "Judged: /home/student/study/.venv/bin/python",
        "the shell also means python on PATH: /opt/conda",
        "hardware",
        "speed",
        "GeForce RTX 4090  1.5/24.0",
        "1. driver-too-old (TST101)",
        "cause",
        "evidence",
        "fix",
        "verify",
        "follows",
        "2. suspected-cause",
        "Warnings",
        "Notes",
        "Cannot tell",
        "Ignored",
        "unfit: driver-too-old (TST101)",
    ]
    at = -1
    for part in parts:
        found = text.find(part, at + 1)
        assert found > at, f"{part!r} is missing or out of order"
        at = found
    assert text.rstrip().split("\n")[-1].startswith("✗ unfit")


def test_every_rung_is_shown_in_order(report_of: Reports) -> None:
    """The ladder has its eleven rungs, bottom first, whatever was seen."""
    for machine in MACHINES:
        lines = render("terminal", report_of(machine), Page(100)).split("\n")
        marked = [line[4:].strip() for line in lines if line[2:3] in ("✓", "✗", "?", "·") and line[:2] == "  "]
        ladder = [name for line in marked for name in RUNG_NAMES.values() if line.startswith(name)]
        assert ladder[: len(RUNGS)] == [RUNG_NAMES[rung] for rung in RUNGS]


def test_a_consequence_stands_under_its_cause_only(report_of: Reports) -> None:
    """One cause, not twenty symptoms: what follows has no block of its own."""
    text = render("terminal", report_of("sick"), Page(80))
    assert "follows   torch-unavailable: torch.cuda.is_available() is False" in text
    assert not re.search(r"^✗ .*torch-unavailable", text, re.MULTILINE)


def test_a_healthy_machine_gets_a_clean_page(report_of: Reports) -> None:
    """No finding, no warning, one verdict."""
    text = render("terminal", report_of("healthy"), Page(80))
    assert "✗" not in text
    assert "Warnings" not in text
    assert text.endswith("✓ fit: no problem found (7 checks)\n")


def test_questions_that_nobody_asked_are_a_number(report_of: Reports) -> None:
    """What was not asked is counted, not listed; what was asked in vain is listed with its reason."""
    text = render("terminal", report_of("sick"), Page(100))
    assert "1 rule not asked" in text
    assert "unasked-question" not in text
    assert "no answer in time: nvidia-smi: no answer in 30 s (silent-question)" in text
    assert "does_the_rule_break crashed: ZeroDivisionError: planted" in text


def test_what_is_ignored_stays_visible(report_of: Reports) -> None:
    """Nothing vanishes: an ignored finding is shown with the reason that was given."""
    text = " ".join(render("terminal", report_of("sick"), Page(80)).split())
    assert "accepted-finding: the user site is on sys.path (reason given: our lab wants it so)" in text


def test_no_control_character_reaches_the_page(report_of: Reports) -> None:
    """Collected text can neither colour, move, retitle nor reverse the reader's terminal, nor forge a line."""
    for width in (40, 80):
        text = render("terminal", report_of("hostile"), Page(width))
        assert [c for c in text if not c.isprintable() and c != "\n"] == []
        assert not re.search(r"^\s*(::|##\[)", text, re.MULTILINE)
        assert "\\xff\\xe9" in text  # bytes that were no UTF-8 are spelt out, not dropped
        assert "title" not in text  # the inside of an escape sequence goes with it
