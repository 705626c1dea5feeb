"""Is the driver's branch still supported?  A remark, by dated rows and the snapshot's own day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import Unread
from envcheck.judge import Verdict
from envcheck.rules.kernel_module.branch import END_OF_LIFE
from envcheck.testing import judge_one, machine

RULE = "driver-branch-eol"


def driver(version: str, day: str = "2026-11-24T12:00:00Z") -> dict[str, Any]:
    return {"/driver/sys_module": version, "/driver/proc": version, "/taken_at": day}


@pytest.mark.parametrize(
    ("cast", "changes", "outcome"),
    [
        ("h100", driver("580.95.05"), "ok"),
        ("h100", driver("580.95.05", "2028-07-01T00:00:00Z"), "problem"),
        ("h100", driver("580.95.05", "2028-06-30T23:59:59Z"), "ok"),  # the last day
        ("h100", driver("535.183.06"), "problem"),
        ("h100", driver("535.183.06", "2026-06-30T12:00:00+00:00"), "ok"),
        ("h100", driver("550.120"), "problem"),  # no row: all below 580 without one are past their end
        ("h100", driver("470.256.02"), "problem"),
        ("h100", driver("590.48.01"), "not_applicable"),  # a new-feature branch, which has no date
        ("h100", driver("620.10"), "ok"),
        ("h100", driver("700.10"), "cannot_tell"),  # newer than the rows
        ("h100", driver("unknown"), "cannot_tell"),
        ("h100", {**driver("535.183.06"), "/taken_at": Unread("not_asked")}, "cannot_tell"),
        ("h100", {"/driver/sys_module": Unread("refused"), "/driver/proc": Unread("refused")}, "cannot_tell"),
        ("version-mismatch", {}, "problem"),  # the module's branch counts: 575
        ("module-not-loaded", {}, "not_applicable"),
        ("wsl2-rtx3080", {}, "not_applicable"),
        ("windows-rtx4090", {}, "not_applicable"),
    ],
)
def test_outcomes(cast: str, changes: dict[str, Any], outcome: str) -> None:
    """Both sides, the days around an end, and both kinds of silence."""
    verdict = judge_one(RULE, machine(cast).but(changes))
    assert verdict.outcome == outcome
    assert verdict.severity == "note"


def test_rows_are_in_order_and_sourced() -> None:
    """Each branch once, rising, with the edition that gives its date."""
    branches = [branch for branch, _, _ in END_OF_LIFE]
    assert branches == sorted(set(branches))
    assert all("edition" in source for _, _, source in END_OF_LIFE)


@pytest.mark.parametrize("cast", ["h100", "gtx1080ti-cu126"])
def test_text(cast: str, text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole: no upgrade beyond the last branch that drives the card."""
    assert text(judge_one(RULE, machine(cast).but(driver("535.183.06")))) == snapshot
