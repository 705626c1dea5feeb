"""Are all GPUs there?  The first count that drops names the layer; masks, MIG and jobs lower it on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import Unread, Variable
from envcheck.judge import Policy, Verdict
from envcheck.testing import judge_one, machine, parts

RULE = "gpu-count-below-expected"
H100 = "NVIDIA H100 80GB HBM3"
ONE_IN_NVML = {"/nvml/gpus": [parts.gpu(H100, 0)], "/nvml/device_count": 1, "/cuda/device_count": 1}


@pytest.mark.parametrize(
    ("cast", "changes", "gpus", "outcome"),
    [
        ("h100", {}, 0, "ok"),
        ("h100", {}, 2, "ok"),
        ("h100", {}, 8, "problem"),
        ("h100", ONE_IN_NVML, 0, "problem"),  # the bus lists two
        ("h100", {"/cuda/device_count": 1}, 0, "problem"),
        ("gpu-lost", {}, 0, "ok"),  # NVML lists both; that one is lost is another rule's
        ("gpu-lost", {}, 2, "problem"),
        # lower on purpose
        (
            "h100",
            {"/environment/variables": [Variable(name="CUDA_VISIBLE_DEVICES", value="0")], "/cuda/device_count": 1},
            0,
            "ok",
        ),
        ("mig-a100", {"/cuda/device_count": 0}, 0, "ok"),
        ("h100", {"/nvml/gpus/1/compute_mode": "prohibited", "/cuda/device_count": 1}, 0, "ok"),
        ("h100", {**ONE_IN_NVML, "/devices/pci/1/driver": "vfio-pci"}, 0, "ok"),
        ("h100", {**ONE_IN_NVML, "/devices/pci/1/power_state": "D3cold"}, 0, "ok"),
        ("h100", {**ONE_IN_NVML, "/driver/gpus/1/excluded": True}, 0, "ok"),
        ("h100", {**ONE_IN_NVML, "/devices/pci/1/virtual_function": True}, 0, "ok"),
        ("slurm-h100", {}, 0, "ok"),  # the bus shows the whole node
        ("h100", {**ONE_IN_NVML, "/container/engine": "docker"}, 0, "ok"),
        ("wsl2-rtx3080", {}, 1, "ok"),
        ("windows-rtx4090", {}, 1, "ok"),
        ("cu-init-802", {}, 0, "ok"),  # CUDA does not start at all: its own question
        # silence
        ("h100", {"/nvml/init_code": Unread("timeout")}, 0, "cannot_tell"),
        ("h100", {"/cuda/device_count": Unread("crashed")}, 0, "cannot_tell"),
        ("h100", {"/devices/pci": Unread("refused")}, 0, "cannot_tell"),
        ("cpu-only", {}, 8, "not_applicable"),  # gpu-absent-from-pci-bus answers there
        ("version-mismatch", {}, 0, "not_applicable"),
    ],
)
def test_outcomes(cast: str, changes: dict[str, Any], gpus: int, outcome: str) -> None:
    """Both sides, what lowers a count on purpose, and both kinds of silence."""
    assert judge_one(RULE, machine(cast).but(changes), Policy(gpus=gpus)).outcome == outcome


@pytest.mark.parametrize(
    ("cast", "changes", "gpus"), [("h100", ONE_IN_NVML, 0), ("h100", {}, 8), ("h100", {"/cuda/device_count": 1}, 0)]
)
def test_text(cast: str, changes: dict[str, Any], gpus: int, text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole: the layer at which the count drops."""
    assert text(judge_one(RULE, machine(cast).but(changes), Policy(gpus=gpus))) == snapshot
