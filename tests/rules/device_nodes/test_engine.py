"""What the container engine says: no fact of a machine shows it, a message does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import Unread
from envcheck.judge import Verdict
from envcheck.rules.device_nodes.engine import what_did_the_container_engine_say
from envcheck.testing import Machine, judge_one, machine

WORDS = {
    "docker-toolkit-missing": 'could not select device driver "" with capabilities: [[gpu]]',
    "docker-cdi-vendor-missing": "failed to discover GPU vendor from CDI: no known GPU vendor found",
    "nvidia-runtime-not-registered": "unknown or invalid runtime name: nvidia",
    "container-cuda-requirement-unsatisfied": "requirement error: unsatisfied condition: cuda>=12.8",
    "rootless-cgroups-denied": "nvidia-container-cli: mount error: failed to add device rules",
    "podman-cdi-unresolvable": "setting up CDI devices: unresolvable CDI devices nvidia.com/gpu=all",
    "k8s-insufficient-gpu": "0/5 nodes are available: 5 Insufficient nvidia.com/gpu.",
}


def test_every_rule_of_the_question_is_tested() -> None:
    """A rule without its words here would go untested."""
    assert {rule.name for rule in what_did_the_container_engine_say.rules} == set(WORDS)


@pytest.mark.parametrize("rule", WORDS)
def test_outcomes(rule: str, heard: Callable[..., Machine]) -> None:
    """Its own message leads to it, proven or suggested; another's does not; without one there is nothing to say."""
    box = machine("rtx4090-desktop")
    assert judge_one(rule, heard(box, rule, WORDS[rule], proves=True)).outcome == "problem"
    suspected = judge_one(rule, heard(box, rule, WORDS[rule]))
    assert suspected.outcome == "cannot_tell" and suspected.finding is not None
    other = next(name for name in WORDS if name != rule)
    assert judge_one(rule, heard(box, other, WORDS[other], proves=True)).outcome == "ok"
    assert judge_one(rule, box).outcome == "not_applicable"
    assert judge_one(rule, box.but({"/symptoms": Unread("refused")})).outcome == "not_applicable"


@pytest.mark.parametrize("rule", WORDS)
def test_text(rule: str, heard: Callable[..., Machine], text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, heard(machine("rtx4090-desktop"), rule, WORDS[rule], proves=True))) == snapshot
