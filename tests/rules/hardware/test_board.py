"""Is the card's own record sound?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import Unread
from envcheck.judge import Verdict
from envcheck.testing import Machine, judge_one, machine

RULE, VALID = "inforom-corrupt", "/nvml/gpus/0/inforom_valid"


@pytest.mark.parametrize(
    ("cast", "changes", "outcome"),
    [
        ("h100", {}, "ok"),
        ("h100", {VALID: False}, "problem"),
        ("h100", {VALID: Unread("unsupported")}, "cannot_tell"),
        ("h100", {VALID: None}, "not_applicable"),
        ("container-without-gpu", {}, "not_applicable"),  # the host's card, which nobody can ask here
    ],
)
def test_outcomes(cast: str, changes: dict[str, Any], outcome: str) -> None:
    """Both sides, and both kinds of silence."""
    subject = "gpu:GPU-00000000" if cast == "h100" else ""
    assert judge_one(RULE, machine(cast).but(changes), subject=subject).outcome == outcome


def test_the_warning_of_nvidia_smi_is_heard(heard: Callable[..., Machine]) -> None:
    """Where the fact is not known, the message that nvidia-smi prints leads to a suspicion."""
    silent = machine("h100").but({VALID: Unread("unsupported"), "/nvml/gpus/1/inforom_valid": Unread("unsupported")})
    verdict = judge_one(RULE, heard(silent, RULE, "WARNING: infoROM is corrupted at gpu 0000:0B:00.0"), subject="host")
    assert verdict.outcome == "cannot_tell"
    assert verdict.finding is not None and verdict.finding.confidence == "suggested"


def test_text(text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(RULE, machine("h100").but({VALID: False}))) == snapshot
