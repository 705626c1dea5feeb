"""The symptom table: every message is recognised as itself and as nothing else."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.read.symptoms import LONGEST_LINE, Row, find_symptoms, table
from envcheck.rules import RULES

from .wordings import UNHEARD, WORDINGS


def line(number: int) -> str:
    return f"line {number}"


@pytest.mark.parametrize("row", table(), ids=lambda row: row.id)
def test_each_row_matches_its_own_example_and_no_other(row: Row) -> None:
    """One message, one row: no example is ambiguous."""
    assert [r.id for r in table() if re.search(r.pattern, row.example, re.MULTILINE)] == [row.id]
    found = find_symptoms(f"before\n{row.example}\nafter", line)
    assert [(s.id, s.source, s.suggests, s.proves) for s in found] == [(row.id, "line 2", row.suggests, row.proves)]


@pytest.mark.parametrize(("row", "text"), WORDINGS)
def test_every_version_of_a_message_is_heard_as_the_same(row: str, text: str) -> None:
    """What a program printed years ago, prints today, or prints on another system, points at the same row."""
    assert [s.id for s in find_symptoms(f"before\n{text}\nafter", line)] == [row]


@pytest.mark.parametrize("text", UNHEARD)
def test_words_that_are_no_message_are_not_heard(text: str) -> None:
    """A row rests on what a program prints, not on words that such a message has as well."""
    assert [s.id for s in find_symptoms(f"before\n{text}\nafter", line)] == []


def test_every_row_is_sourced_and_named_once() -> None:
    """Facts carry their source; an id stands for one message."""
    assert len({row.id for row in table()}) == len(table())
    assert all(row.source and row.retrieved and row.anchors for row in table())
    assert [row.id for row in table() if "not checked" in row.source or "not opened" in row.source] == []


def test_what_a_message_suggests_is_a_rule_of_the_house() -> None:
    """A message that points at no rule would be heard by nobody."""
    names = {rule.name for rule in RULES}
    assert {row.suggests for row in table() if row.suggests} - names == set()


def test_an_anchor_stands_in_every_match() -> None:
    """The anchors only save time: without them the same rows match."""
    text = "\n".join(row.example for row in table())
    with_anchors = {s.id for s in find_symptoms(text, line)}
    assert with_anchors == {row.id for row in table()}


def test_a_repeated_message_is_reported_once_with_its_first_place() -> None:
    """A log repeats itself a thousand times."""
    text = "x\n" + "RuntimeError: No CUDA GPUs are available\n" * 1000
    assert [s.source for s in find_symptoms(text, line)] == ["line 2"]


def test_an_xid_is_kept_beside_the_message_of_its_line() -> None:
    """The number is a fact of its own."""
    text = "NVRM: Xid (PCI:0000:05:00): 79, pid=1, GPU has fallen off the bus."
    assert [(s.id, s.values) for s in find_symptoms(text, line)] == [
        ("gpu-has-fallen-off-the-bus", []),
        ("xid", ["79", "0000:05:00"]),
    ]


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    """No text makes the reader fail, and every symptom quotes the text."""
    for symptom in find_symptoms(text, line):
        assert symptom.text in text


def test_a_megabyte_is_read_quickly_and_time_grows_linearly() -> None:
    """Neither long logs nor endless lines nor bait for backtracking cost more than their length."""
    log = "2026-11-24 12:00:00 INFO step 123 loss 0.123 lr 1e-4 undefined symbol of nothing\n"
    bait = "undefined symbol: _Z" + "a" * 200 + "\n"
    for piece in (log, bait, "Unexpected error from cudaGetDeviceCount() " * 40):
        small, large = (_cost(piece * (size // len(piece))) for size in (250_000, 1_000_000))
        assert large < 1.5
        assert large < 12 * max(small, 0.005)


def _cost(text: str) -> float:
    """Processor seconds, the least of three: what else the machine does is not what is measured."""
    costs = []
    for _ in range(3):
        started = time.process_time()
        find_symptoms(text, line)
        costs.append(time.process_time() - started)
    return min(costs)


def test_a_message_in_an_endless_line_is_found_and_quoted_in_part() -> None:
    """An archive may join a whole report into one line; its messages count all the same."""
    found = find_symptoms("x " * LONGEST_LINE + "No CUDA GPUs are available" + " y" * LONGEST_LINE, line)
    assert [s.id for s in found] == ["no-cuda-gpus-are-available"]
    assert len(found[0].text) < 1000


def test_a_message_wrapped_by_hand_is_found() -> None:
    """A line break in a message, with indentation behind it, hides nothing."""
    text = "RuntimeError:\n  The detected CUDA version (11.8) mismatches the version that was used to\n  compile PyTorch (12.1)"
    assert [(s.id, s.source) for s in find_symptoms(text, line)] == [
        ("the-detected-cuda-version-11-8-mismatches", "line 2")
    ]


def test_two_messages_on_neighbouring_lines_stay_two() -> None:
    """What joins a wrapped message does not join two whole ones."""
    text = "RuntimeError: No CUDA GPUs are available\nAssertionError: Torch not compiled with CUDA enabled"
    assert [s.source for s in find_symptoms(text, line)] == ["line 1", "line 2"]
