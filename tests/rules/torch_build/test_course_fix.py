"""The course's fix: another build of its own torch where there is one, a newer torch without its pins where not."""

from __future__ import annotations

import pytest

from envcheck.facts import Distribution
from envcheck.testing import judge_one, machine

ENV = "/interpreters/0"
COURSE = {
    f"{ENV}/torch/version": "2.0.0+cu117",
    f"{ENV}/runtime/version": "2.0.0+cu117",
    f"{ENV}/torch/cuda": "11.7",
    f"{ENV}/runtime/cuda": "11.7",
    f"{ENV}/torch/arch_list": ["sm_80", "sm_86"],
    f"{ENV}/distributions": [Distribution(name="d2l", version="1.0.3"), Distribution(name="torch", version="2.0.0")],
}


@pytest.mark.parametrize(("cast", "pins_stay"), [("h100-driver-535-cu126", True), ("rtx5090", False)])
def test_the_pins_stay_where_the_courses_torch_has_a_build_for_the_card(cast: str, pins_stay: bool) -> None:
    """torch 2.0.0+cu118 runs on an H100; nothing of that age runs on an RTX 50."""
    finding = judge_one("course-pins-too-old", machine(cast).but(COURSE)).finding
    assert finding is not None and finding.fix is not None
    told = " ".join(step.command for step in finding.fix.steps)
    assert ("torch==2.0.0" in told and "whl/cu118" in told) is pins_stay
    assert ("--no-deps" in told) is not pins_stay
