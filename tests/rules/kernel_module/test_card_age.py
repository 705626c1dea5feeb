"""A card that is newer than the driver is told from one that failed, and a card that works is left alone."""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import Unread
from envcheck.judge import judge
from envcheck.rules import QUESTIONS
from envcheck.testing import judge_one, machine

RULE = "driver-too-old-for-gpu"


def with_driver(version: str, **more: Any) -> dict[str, Any]:
    """An RTX 5090 that this driver does not list."""
    return {
        "/driver/sys_module": version,
        "/driver/proc": version,
        "/driver/nvml": version,
        "/nvml/gpus": [],
        "/nvml/device_count": 0,
        "/smi/gpus": [],
        "/cuda/devices": [],
        "/cuda/device_count": 0,
        "/cuda/init_code": 100,
        **more,
    }


@pytest.mark.parametrize(
    ("cast", "changes", "outcome"),
    [
        ("rtx5090", with_driver("550.120"), "problem"),
        ("rtx5090", with_driver("570.86.15"), "problem"),
        ("rtx5090", with_driver("570.86.16"), "ok"),  # the first that lists it: it failed for another reason
        ("rtx5090", {}, "ok"),
        ("rtx5090", with_driver("550.120", **{"/devices/pci/0/device": 0x9999}), "cannot_tell"),  # not in the table
        ("rtx5090", with_driver("550.120", **{"/devices/pci": Unread("refused")}), "cannot_tell"),
        (
            "rtx5090",
            with_driver("550.120", **{"/driver/sys_module": Unread("refused"), "/driver/proc": Unread("refused")}),
            "cannot_tell",
        ),
        ("rtx5090", with_driver("550.120", **{"/nvml/gpus": Unread("timeout")}), "cannot_tell"),
        ("cpu-only", {}, "not_applicable"),
        ("docker-a100", {}, "not_applicable"),
        ("module-not-loaded", {}, "not_applicable"),
    ],
)
def test_by_the_lowest_driver_that_lists_the_card(cast: str, changes: dict[str, Any], outcome: str) -> None:
    """The table's floor against the loaded module, for cards that NVML does not list."""
    assert judge_one(RULE, machine(cast).but(changes)).outcome == outcome


def test_it_is_the_root_of_what_the_missing_card_makes_fail() -> None:
    """One cause: the count, the initialisation and torch follow from it."""
    report = judge(machine("rtx5090").but(with_driver("550.120")).snapshot, QUESTIONS)
    assert [cause.rule for cause in report.root_causes if cause.severity == "error"] == [RULE]
