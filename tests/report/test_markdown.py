"""The report for issues and forums: complete, and safe to paste."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from envcheck.judge import Report
from envcheck.report import Page, render
from envcheck.report.markdown import cell, code, fence, prose

pytestmark = pytest.mark.wheel
Reports = Callable[[str], Report]
NASTY = st.text(st.sampled_from("ab `|\\*_<>[]()#@~$&\n\r\x1b\x00!\udcff日"))


@pytest.mark.parametrize("machine", ["healthy", "sick", "silent", "hostile"])
def test_the_whole_text(report_of: Reports, machine: str, snapshot: SnapshotAssertion) -> None:
    """A change of the text is a change that somebody looks at."""
    assert render("markdown", report_of(machine), Page()) == snapshot


def test_it_holds_what_a_helper_asks_for(report_of: Reports) -> None:
    """Verdict, cause, evidence table, fix in a fence, ladder, versions folded away."""
    text = render("markdown", report_of("sick"), Page())
    assert text.startswith("**unfit: driver-too-old (TST101)")
    assert "| `driver.nvml` | `535.183.01` | `NVML` |" in text
    assert "```sh\n# as root\nsudo apt-get install nvidia-driver-580\n" in text
    assert "Ladder: hardware - → kernel module -" in text
    assert text.index("<details>") < text.index("| torch | `2.14.1+cu130` |") < text.index("</details>")


def test_hostile_text_cannot_leave_its_place(report_of: Reports) -> None:
    """No tag, no mention, no heading, no row and no escape sequence comes out of a collected text."""
    text = render("markdown", report_of("hostile"), Page())
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)  # code spans hold anything, harmlessly
    assert not re.search(r"(?<!\\)<(?!/?details|/?summary|https://docs\.nvidia\.com)", outside)
    assert not re.search(r"(?<!&)[@#]\w", re.sub(r"^#+ ", "", outside, flags=re.MULTILINE))
    assert [c for c in text if not c.isprintable() and c != "\n"] == []
    for row in re.findall(r"^\| .*$", text, re.MULTILINE):
        cells = re.findall(r"(?<!\\)\|", row)
        assert len(cells) in (3, 4, 10), row


@given(NASTY)
def test_code_is_closed_by_its_own_ticks_only(text: str) -> None:
    """The span's fence is longer than any run of backticks inside, and the span is one line."""
    span = code(text)
    if span:
        ticks = re.match("`+", span)
        assert ticks is not None
        assert "\n" not in span
        inside = span[len(ticks[0]) : -len(ticks[0])]
        assert ticks[0] not in inside
        assert not inside.startswith("`") and not inside.endswith("`")


@given(NASTY)
def test_a_cell_is_one_cell(text: str) -> None:
    """Every pipe in a cell is escaped, and no backslash of the text escapes the escape."""
    escaped = cell(text)
    pairs_gone = re.sub(r"\\.", "", escaped)  # how GFM's row scanner reads: a backslash takes the next character
    assert "|" not in pairs_gone


@given(st.lists(NASTY, min_size=1))
def test_a_fence_ends_where_it_should(lines: list[str]) -> None:
    """No line inside a fenced block can close it."""
    block = fence(lines).split("\n")
    ticks = block[-1]
    assert set(ticks) == {"`"}
    assert len(block) == len(lines) + 2
    assert all(not line.startswith(ticks) for line in block[1:-1])


@given(NASTY)
def test_prose_has_no_live_markup(text: str) -> None:
    """Every special character is behind a backslash or an entity."""
    shown = prose(text)
    left = re.sub(r"\\[\\`*\[\]<>|~$_]|&amp;|&#8203;", "", shown)
    assert not set("`*[]<>|~$&\n") & set(left)
    assert not re.search(r"(?<!&)[@#]\w", shown)
