"""A frozen policy is fulfilled by the machine that it was made from, and by no lesser one."""

from __future__ import annotations

import pytest

from envcheck.facts import Unread
from envcheck.judge import Policy, judge
from envcheck.judge.policy_settings import Layer, settle
from envcheck.rules import QUESTIONS, RULES
from envcheck.rules.policy.freeze import frozen
from envcheck.testing import CAST, Machine, machine

ENV = "/interpreters/0"
NAMES = {rule.name: rule.name for rule in RULES}


def policy_of(now: Machine) -> Policy:
    form, _ = frozen(now.snapshot)
    return settle([Layer(form, "frozen")], NAMES).policy


@pytest.mark.parametrize("name", [name for name, cause in CAST.items() if cause is None])
def test_a_healthy_machine_fulfils_its_own_policy(name: str) -> None:
    """Whatever can be frozen is met at once."""
    report = judge(machine(name).snapshot, QUESTIONS, policy_of(machine(name)))
    assert report.verdict == "fit"


@pytest.mark.parametrize("name", CAST)
def test_no_requirement_is_made_that_its_own_machine_breaks(name: str) -> None:
    """On a broken machine too, what is frozen was read."""
    report = judge(machine(name).snapshot, QUESTIONS, policy_of(machine(name)))
    wrong = [
        v.rule for v in report.verdicts if v.rule.startswith("policy-") and v.outcome not in ("ok", "not_applicable")
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"/cuda/device_count": 1}, "policy-gpus"),
        ({"/cuda/devices/1/compute_capability": 80}, "policy-compute-capability"),
        ({"/cuda/devices/1/memory_total_bytes": 40 << 30}, "policy-gpu-memory"),
        ({"/host/shm_total_bytes": 64 << 20}, "policy-shm"),
        ({"/interpreters/0/version": "3.12.1"}, "policy-python"),
        ({f"{ENV}/torch/version": "2.13.0+cu130", f"{ENV}/runtime/version": "2.13.0+cu130"}, "policy-torch"),
        ({f"{ENV}/torch/cuda": "12.6", f"{ENV}/runtime/cuda": "12.6"}, "policy-torch-cuda"),
        ({"/interpreters/0/distributions": []}, "policy-packages"),
    ],
)  # fmt: skip
def test_a_lesser_machine_does_not(changes: dict[str, object], rule: str) -> None:
    """Each frozen requirement notices the change that it is about."""
    report = judge(machine("h100").but(changes).snapshot, QUESTIONS, policy_of(machine("h100")))
    assert rule in {v.rule for v in report.verdicts if v.outcome == "problem"}


def test_what_could_not_be_told_is_listed_and_requires_nothing() -> None:
    """A silent driver is frozen as a remark."""
    now = machine("h100").but({"/cuda": Unread("timeout", "no answer in 5 s"), "/driver/proc": "1.2"})
    form, unknown = frozen(now.snapshot)
    require = form["require"]
    assert isinstance(require, dict)
    assert {"gpus", "compute_capability", "gpu_memory_gib", "driver"} & set(require) == set()
    assert set(unknown) == {"require.gpus", "require.compute_capability", "require.gpu_memory_gib", "require.driver"}
    assert "no answer in 5 s" in unknown["require.gpus"]
