"""The message of an exception: the first root cause and its fix, in lines that any log can hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from syrupy.assertion import SnapshotAssertion

from envcheck.facts import Snapshot
from envcheck.judge import Policy, Question, Report, judge
from envcheck.report.brief import complaint

Reports = Callable[[str], Report]


@pytest.mark.parametrize("machine", ["sick", "hostile"])
def test_unfit(report_of: Reports, machine: str, snapshot: SnapshotAssertion) -> None:
    """What was seen, why, the commands of the way that fits this machine, and what else there is."""
    text = complaint(report_of(machine))
    assert text == snapshot
    assert not any(ord(mark) < 32 and mark != "\n" for mark in text)


def test_undetermined(
    snapshot_of: Callable[[str], Snapshot], questions: tuple[Question, ...], snapshot: SnapshotAssertion
) -> None:
    """What could not be told, and why not: a driver that gave no answer."""
    settled = [question for question in questions if question.name != "is_it_suspected"]
    silent = judge(snapshot_of("silent"), settled, Policy())
    assert silent.verdict == "undetermined"
    assert complaint(silent) == snapshot
