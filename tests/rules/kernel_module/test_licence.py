"""Does a virtual GPU have its licence?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import Unread
from envcheck.judge import Verdict
from envcheck.testing import judge_one, machine

RULE, GPU = "vgpu-unlicensed", "/nvml/gpus/0"
GUEST = {f"{GPU}/virtualization": "vgpu", f"{GPU}/license_status": "Unlicensed (Unrestricted)"}


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        (GUEST, "problem"),
        ({**GUEST, f"{GPU}/license_status": "Licensed (Expiry: 2026-12-1)"}, "ok"),
        ({**GUEST, f"{GPU}/license_status": Unread("unsupported")}, "cannot_tell"),
        ({f"{GPU}/virtualization": Unread("unsupported")}, "cannot_tell"),
        ({}, "not_applicable"),
        ({f"{GPU}/virtualization": "passthrough", f"{GPU}/license_status": "Unlicensed"}, "not_applicable"),
        ({**GUEST, f"{GPU}/license_status": None}, "not_applicable"),
    ],
)
def test_outcomes(changes: dict[str, Any], outcome: str) -> None:
    """Both sides, and both kinds of silence."""
    assert judge_one(RULE, machine("rtx4090-desktop").but(changes)).outcome == outcome


def test_it_is_an_error_once_cuda_refuses() -> None:
    """Slow is a warning; error 102 is the end of the grace period."""
    assert judge_one(RULE, machine("rtx4090-desktop").but(GUEST)).severity == "warning"
    assert judge_one(RULE, machine("rtx4090-desktop").but({**GUEST, "/cuda/init_code": 102})).severity == "error"


def test_text(text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(RULE, machine("rtx4090-desktop").but(GUEST))) == snapshot
