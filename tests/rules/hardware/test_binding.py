"""Which driver holds the card?  Another one is a fault where the card is wanted, and a remark where it is meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import Unread
from envcheck.judge import Verdict
from envcheck.testing import judge_one, machine

RULE, DRIVER = "gpu-bound-to-other-driver", "/devices/pci/0/driver"


@pytest.mark.parametrize(
    ("cast", "changes", "outcome"),
    [
        ("module-not-loaded", {DRIVER: "vfio-pci"}, "problem"),
        ("module-not-loaded", {DRIVER: "nova_core"}, "problem"),
        ("h100", {DRIVER: "vfio-pci"}, "problem"),
        ("h100", {}, "ok"),
        ("driver-not-installed", {}, "ok"),  # no driver at all: the kernel module's question
        ("nouveau", {}, "ok"),  # nouveau has a rule of its own
        ("module-not-loaded", {DRIVER: Unread("refused")}, "cannot_tell"),
        ("module-not-loaded", {"/container/engine": Unread("refused")}, "cannot_tell"),
        ("container-without-gpu", {DRIVER: "vfio-pci"}, "not_applicable"),
        ("wsl2-rtx3080", {}, "not_applicable"),
        ("windows-rtx4090", {}, "not_applicable"),
    ],
)
def test_outcomes(cast: str, changes: dict[str, Any], outcome: str) -> None:
    """Both sides, and both kinds of silence."""
    assert judge_one(RULE, machine(cast).but(changes)).outcome == outcome


def test_a_card_for_a_virtual_machine_beside_one_that_computes_is_meant() -> None:
    """A hypervisor hands cards over on purpose."""
    assert judge_one(RULE, machine("h100").but({DRIVER: "vfio-pci"})).severity == "note"
    assert judge_one(RULE, machine("module-not-loaded").but({DRIVER: "vfio-pci"})).severity == "error"
    idle = machine("module-not-loaded").but({DRIVER: "vfio-pci", "/interpreters/0/torch/cuda": None})
    assert judge_one(RULE, idle).severity == "note"


@pytest.mark.parametrize("driver", ["vfio-pci", "nova_core", "odd; rm -rf"])
def test_text(driver: str, text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole; a name that the kernel gave is quoted in commands."""
    assert text(judge_one(RULE, machine("module-not-loaded").but({DRIVER: driver}))) == snapshot
