"""Can the MIG instances be opened?  Judged only where CUDA finds no device: a host makes the nodes on demand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import MigDevice, Unread
from envcheck.judge import Verdict
from envcheck.testing import judge_one, machine, parts

RULE = "mig-caps-node-missing"
INSTANCES = [
    MigDevice(uuid="MIG-1", gpu_instance=1, compute_instance=0),
    MigDevice(uuid="MIG-2", gpu_instance=2, compute_instance=0),
]
MINORS = ["gpu0/gi1/access 12", "gpu0/gi1/ci0/access 13", "gpu0/gi2/access 21", "gpu0/gi2/ci0/access 22"]
LOST = Unread("missing", "cuInit failed")
BASE = {
    "/cuda/init_code": 100,
    "/cuda/device_count": LOST,
    "/cuda/devices": LOST,
    "/nvml/gpus/0/mig_devices": INSTANCES,
    "/devices/mig_minors": MINORS,
}


def caps(*minors: int, **changes: Any) -> dict[str, Any]:
    """The nodes of a card with those capability nodes beside them."""
    extra = [parts.node(f"/dev/nvidia-caps/nvidia-cap{minor}", minor=minor, **changes) for minor in minors]
    usual = parts.devices(["NVIDIA A100-SXM4-80GB"]).nodes
    assert isinstance(usual, list)
    return {**BASE, "/devices/nodes": [*usual, *extra]}


@pytest.mark.parametrize(
    ("cast", "changes", "outcome"),
    [
        ("mig-a100", BASE, "problem"),
        ("mig-a100", caps(1, 2), "problem"),  # configuration and monitoring, which are root's
        ("mig-a100", caps(12, 21), "problem"),  # half of each pair
        ("mig-a100", caps(12, 13, accessible=False), "problem"),
        ("mig-a100", {**BASE, "/cuda/init_code": 801}, "problem"),
        ("mig-a100", caps(12, 13), "ok"),  # one instance can be opened
        ("mig-a100", {}, "ok"),
        ("mig-a100", {**BASE, "/cuda/init_code": 999}, "ok"),  # another question's code
        ("mig-a100", {**BASE, "/devices/mig_minors": MINORS[:2]}, "cannot_tell"),
        ("mig-a100", {**BASE, "/devices/mig_minors": Unread("refused")}, "cannot_tell"),
        ("mig-a100", {**BASE, "/devices/nodes": Unread("refused")}, "cannot_tell"),
        ("mig-a100", {**BASE, "/nvml/gpus/0/minor": Unread("unsupported")}, "cannot_tell"),
        ("mig-empty", {}, "not_applicable"),
        ("h100", {}, "not_applicable"),
        ("wsl2-rtx3080", {}, "not_applicable"),
    ],
)
def test_outcomes(cast: str, changes: dict[str, Any], outcome: str) -> None:
    """Both sides, and both kinds of silence."""
    assert judge_one(RULE, machine(cast).but(changes)).outcome == outcome


@pytest.mark.parametrize("changes", [BASE, {**BASE, "/container/engine": "docker"}])
def test_text(changes: dict[str, Any], text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole: the files of this machine's own instances, or the container's specification."""
    assert text(judge_one(RULE, machine("mig-a100").but(changes))) == snapshot
