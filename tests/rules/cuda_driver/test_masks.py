"""A mask that hides cards is named by its form, and a mask that hides none is no finding."""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import MigDevice, Unread, Variable
from envcheck.judge import Policy
from envcheck.rules import QUESTIONS
from envcheck.testing import judge_one, machine

ONE = "GPU-00000000-aaaa-bbbb-cccc-000000000000"
MIG = "MIG-11111111-2222-3333-4444-555555555555"
NAMES = ("cvd-empty", "cvd-index-out-of-range", "cvd-bad-uuid", "cvd-mig-form", "cvd-duplicate")
VARIABLES = "/environment/variables"


def masked(value: str | None) -> dict[str, Any]:
    return {VARIABLES: [] if value is None else [Variable(name="CUDA_VISIBLE_DEVICES", value=value)]}


@pytest.mark.parametrize(
    ("cast", "value", "guilty"),
    [
        ("h100", "", "cvd-empty"),
        ("h100", "-1", "cvd-empty"),
        ("h100", "none", "cvd-empty"),
        ("h100", "NoDevFiles", "cvd-empty"),
        ("h100", "cuda:0", "cvd-empty"),
        ("h100", "gpu-00000000", "cvd-empty"),
        ("h100", "2", "cvd-index-out-of-range"),
        ("h100", "3,0", "cvd-index-out-of-range"),
        ("h100", "0,1,2", "cvd-index-out-of-range"),
        ("h100", "0,0", "cvd-duplicate"),
        ("h100", "GPU-deadbeef", "cvd-bad-uuid"),
        ("h100", "GPU-0000000", "cvd-bad-uuid"),  # fits both cards
        ("mig-a100", "MIG-GPU-00000000-aaaa/1/0", "cvd-mig-form"),
        ("mig-a100", "MIG-99999999", "cvd-mig-form"),
        ("h100", "0", None),
        ("h100", "1,0", None),
        ("h100", ONE, None),
        ("h100", "GPU-00000000", None),
        ("mig-a100", MIG, None),
        ("mig-a100", "5", None),  # CUDA counts instances there
    ],
)
def test_each_form(cast: str, value: str, guilty: str | None) -> None:
    """Exactly one rule fires, and the others of the question are ok."""
    now = machine(cast).but(masked(value))
    assert {name: judge_one(name, now).outcome for name in NAMES} == {
        name: "problem" if name == guilty else "ok" for name in NAMES
    }


def test_two_mig_instances_in_one_mask() -> None:
    """A process can use one instance: naming two is a finding."""
    other = MigDevice(uuid="MIG-22222222-2222-3333-4444-555555555555", gpu_instance=2, compute_instance=0)
    both = machine("mig-a100").but(
        {"/nvml/gpus/0/mig_devices": [MigDevice(uuid=MIG), other], **masked(f"{MIG},MIG-22222222")}
    )
    assert judge_one("cvd-mig-form", both).outcome == "problem"


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        (masked(None), "not_applicable"),
        ({**masked("-1"), "/nvml/init_code": 9}, "not_applicable"),
        ({**masked("-1"), "/nvml/gpus": []}, "not_applicable"),
        ({VARIABLES: Unread("refused")}, "cannot_tell"),
        ({**masked("7"), "/nvml/gpus": Unread("timeout")}, "cannot_tell"),
        ({**masked("7"), "/nvml/init_code": Unread("timeout")}, "cannot_tell"),
        ({**masked("GPU-1"), "/nvml/gpus/0/uuid": Unread("unsupported")}, "cannot_tell"),
        ({**masked("1"), "/nvml/gpus/0/mig_mode": Unread("unsupported")}, "cannot_tell"),
    ],
)
def test_when_there_is_nothing_to_say(changes: dict[str, Any], outcome: str) -> None:
    """No mask, no GPU to hide, or a fact that nobody could read."""
    for name in NAMES:
        assert judge_one(name, machine("h100").but(changes)).outcome == outcome


def test_a_mask_over_a_cpu_build_is_only_a_remark() -> None:
    """A mask set on purpose for a CPU job is named and does not fail the machine, unless a GPU is required."""
    quiet = machine("cpu-build-on-gpu-box").but(masked("-1"))
    assert judge_one("cvd-empty", quiet).severity == "note"
    assert judge_one("cvd-empty", quiet, Policy(require_gpu=True)).severity == "error"


def test_under_slurm_nobody_is_told_to_unset_it() -> None:
    """Unsetting a scheduler's mask may open other jobs' cards."""
    finding = judge_one("cvd-empty", machine("slurm-h100").but(masked(""))).finding
    assert finding is not None and finding.fix is not None
    commands = [step.command for step in finding.fix.steps]
    assert "srun --gres=gpu:1 …" in commands
    assert not any("unset" in command for command in commands)


def test_set_too_late_is_known_from_a_message_only() -> None:
    """No fact shows the order of events in a program."""
    assert judge_one("cvd-set-too-late", machine("h100")).outcome == "not_applicable"
    assert any(rule.name == "cvd-set-too-late" for question in QUESTIONS for rule in question.rules)
