"""Each requirement: met, unmet, unknown; silent until a policy asks; and law 1 with a policy that asks for all."""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import Distribution, Interpreter, Unread, Variable
from envcheck.judge import Policy, judge
from envcheck.judge.policy_settings import Layer, settle
from envcheck.rules import QUESTIONS, RULES
from envcheck.rules.policy import QUESTIONS as ASKED
from envcheck.testing import CAST, Machine, blank, fact_pointers, judge_one, machine

NAMES = {rule.name: rule.name for rule in RULES}
ENV, CARD = "/interpreters/0", "/cuda/devices/0"
ALL: dict[str, Any] = {
    "ignore": [{"rule": "driver-branch-eol", "reason": "frozen until the new image", "until": "2026-01-01"}],
    "require": {
        "python": ">=3.11,<3.12",
        "torch": ">=2.9",
        "torch_cuda": ["13"],
        "driver": ">=580",
        "gpus": 2,
        "compute_capability": ">=9.0",
        "gpu_memory_gib": ">=79",
        "shm_mib": ">=1024",
        "packages": {"numpy": ">=2"},
        "env": {"VIRTUAL_ENV": ""},
    },
    "forbid": {"packages": ["apex"], "env": ["CUDA_LAUNCH_BLOCKING"]},
}
"""What the machine ``h100`` of the cast fulfils; its exception has expired."""


def policy(**table: Any) -> Policy:
    return settle([Layer(table, "test")], NAMES, today="2026-11-24").policy


def require(**wanted: Any) -> Policy:
    return policy(require=wanted)


def with_package(name: str, version: object) -> Machine:
    python = machine("h100").snapshot.interpreters
    assert isinstance(python, list)
    distributions = python[0].distributions
    assert isinstance(distributions, list)
    new = Distribution(name=name, version=version)  # type: ignore[arg-type]
    return machine("h100").but({f"{ENV}/distributions": [*distributions, new]})


def with_variable(name: str, value: str) -> Machine:
    variables = machine("h100").snapshot.environment.variables  # type: ignore[union-attr]
    assert isinstance(variables, list)
    return machine("h100").but({"/environment/variables": [*variables, Variable(name=name, value=value)]})


@pytest.mark.parametrize("rule", sorted(rule.name for q in ASKED for rule in q.rules))
def test_without_a_policy_nothing_is_asked(rule: str) -> None:
    """A plain ``doctor`` is not slowed down, warned or left in doubt by requirements that nobody made."""
    assert judge_one(rule, machine("h100"), Policy(today="2026-11-24")).outcome == "not_applicable"


GOOD = machine("h100")
SILENT = Unread("timeout", "no answer in 5 s")
JETSON = machine("jetson-orin").but({f"/driver/{who}": SILENT for who in ("nvml", "nvidia_smi")} | {"/smi": SILENT})
NO_APEX = policy(forbid={"packages": ["Apex"]})
NO_SWITCH = policy(forbid={"env": ["NCCL_P2P_DISABLE"]})


def until(day: str) -> Policy:
    return policy(ignore=[{"rule": "policy-shm", "reason": "x", "until": day}])


TABLE: list[tuple[str, Machine, Policy, str]] = [
    ("policy-gpus", GOOD, require(gpus=2), "ok"),
    ("policy-gpus", GOOD, require(gpus="==2"), "ok"),
    ("policy-gpus", GOOD, require(gpus=3), "problem"),
    ("policy-gpus", GOOD, require(gpus="<=1"), "problem"),
    ("policy-gpus", GOOD.but({"/cuda/device_count": 1}), require(gpus=2), "problem"),
    ("policy-gpus", machine("cpu-only"), require(gpus=1), "problem"),
    ("policy-gpus", machine("cpu-only"), require(compute_capability=">=8"), "problem"),
    ("policy-gpus", machine("cpu-only"), require(gpus="<=8"), "ok"),
    ("policy-gpus", machine("driver-not-installed"), require(gpus=1), "problem"),
    ("policy-gpus", machine("slurm-h100"), require(gpus="==1"), "ok"),
    ("policy-gpus", GOOD.but({"/cuda": SILENT}), require(gpus=1), "cannot_tell"),
    ("policy-gpus", GOOD.but({"/cuda/device_count": SILENT}), require(gpus=1), "cannot_tell"),
    ("policy-compute-capability", GOOD, require(compute_capability=">=9.0"), "ok"),
    ("policy-compute-capability", GOOD, require(compute_capability=">=10"), "problem"),
    ("policy-compute-capability", machine("rtx4090-desktop"), require(compute_capability=8.9), "ok"),
    ("policy-compute-capability", machine("rtx4090-desktop"), require(compute_capability="<=8.6"), "problem"),
    ("policy-compute-capability", GOOD.but({"/cuda": SILENT}), require(compute_capability=9), "cannot_tell"),
    ("policy-compute-capability", machine("cpu-build-on-gpu-box"), require(compute_capability=">=7"), "ok"),
    ("policy-gpu-memory", GOOD, require(gpu_memory_gib=">=79"), "ok"),
    ("policy-gpu-memory", GOOD, require(gpu_memory_gib=">=81"), "problem"),
    ("policy-gpu-memory", GOOD.but({f"{CARD}/memory_total_bytes": SILENT}), require(gpu_memory_gib=1), "cannot_tell"),
    ("policy-driver", GOOD, require(driver=">=580"), "ok"),
    ("policy-driver", GOOD, require(driver=">=580.95.5"), "ok"),
    ("policy-driver", GOOD, require(driver="==580.*"), "ok"),
    ("policy-driver", GOOD, require(driver=">=590"), "problem"),
    ("policy-driver", machine("wsl2-rtx3080"), require(driver=">=500"), "ok"),
    ("policy-driver", machine("windows-rtx4090"), require(driver=">=500"), "ok"),
    ("policy-driver", machine("cpu-only"), require(driver=">=500"), "problem"),
    ("policy-driver", machine("macos-m2"), require(driver=">=500"), "problem"),
    ("policy-driver", JETSON, require(driver=">=500"), "cannot_tell"),
    ("policy-driver", GOOD.but({"/driver/proc": "570.1"}), require(driver=">=500"), "cannot_tell"),
    ("policy-driver", GOOD.but({"/driver": SILENT, "/smi": SILENT}), require(driver=">=500"), "cannot_tell"),
    ("policy-shm", GOOD, require(shm_mib=">=1024"), "ok"),
    ("policy-shm", GOOD.but({"/host/shm_total_bytes": 64 << 20}), require(shm_mib=64), "ok"),
    ("policy-shm", GOOD.but({"/host/shm_total_bytes": 64 << 20}), require(shm_mib=1024), "problem"),
    ("policy-shm", GOOD.but({"/host/shm_total_bytes": None}), require(shm_mib=1024), "not_applicable"),
    ("policy-shm", GOOD.but({"/host/shm_total_bytes": SILENT}), require(shm_mib=1024), "cannot_tell"),
    ("policy-torch", GOOD, require(torch=">=2.9,<3"), "ok"),
    ("policy-torch", GOOD, require(torch="==2.14.1"), "ok"),
    ("policy-torch", GOOD, require(torch="<2.14"), "problem"),
    ("policy-torch", machine("cpu-only"), require(torch=">=2"), "problem"),
    ("policy-torch", GOOD.but({f"{ENV}/torch": SILENT, f"{ENV}/runtime": SILENT}), require(torch=">=2"), "cannot_tell"),
    ("policy-torch", GOOD.but({f"{ENV}/torch": SILENT}), require(torch=">=2"), "ok"),
    ("policy-torch-cuda", GOOD, require(torch_cuda=["12.6", "13.0"]), "ok"),
    ("policy-torch-cuda", GOOD, require(torch_cuda="13"), "ok"),
    ("policy-torch-cuda", GOOD, require(torch_cuda=["12", "1"]), "problem"),
    ("policy-torch-cuda", GOOD, require(torch_cuda="cpu"), "problem"),
    ("policy-torch-cuda", machine("cpu-torch"), require(torch_cuda="cpu"), "ok"),
    ("policy-torch-cuda", machine("amd-rocm"), require(torch_cuda="cpu"), "problem"),
    ("policy-torch-cuda", machine("cpu-only"), require(torch_cuda="12.6"), "problem"),
    ("policy-environment", GOOD, require(python=">=3"), "ok"),
    ("policy-environment", GOOD.but({"/target/interpreter": None}), require(torch=">=2"), "problem"),
    ("policy-environment", GOOD.but({"/target/interpreter": SILENT}), require(torch=">=2"), "cannot_tell"),
    ("policy-environment", GOOD.but({"/interpreters": SILENT}), require(packages={"numpy": ""}), "cannot_tell"),
    ("policy-python", GOOD, require(python=">=3.11,<3.14"), "ok"),
    ("policy-python", GOOD, require(python=">=3.12"), "problem"),
    ("policy-python", GOOD.but({f"{ENV}/version": SILENT}), require(python=">=3.11"), "cannot_tell"),
    ("policy-packages", GOOD, require(packages={"NumPy": ">=2"}), "ok"),
    ("policy-packages", GOOD, require(packages={"numpy": "<2"}), "problem"),
    ("policy-packages", GOOD, require(packages={"xformers": ""}), "problem"),
    ("policy-packages", GOOD.but({f"{ENV}/distributions": SILENT}), require(packages={"numpy": ""}), "cannot_tell"),
    ("policy-packages", with_package("xformers", None), require(packages={"xformers": ""}), "cannot_tell"),
    ("policy-packages", with_package("xformers", None), require(packages={"xformers": "", "gone": ""}), "problem"),
    ("policy-package-forbidden", GOOD, NO_APEX, "ok"),
    ("policy-package-forbidden", with_package("apex", "0.1"), NO_APEX, "problem"),
    ("policy-package-forbidden", GOOD.but({"/interpreters/0/distributions": SILENT}), NO_APEX, "cannot_tell"),
    ("policy-env", with_variable("NCCL_IB_HCA", "mlx5"), require(env=["NCCL_IB_HCA"]), "ok"),
    ("policy-env", with_variable("NCCL_IB_HCA", "mlx5"), require(env={"NCCL_IB_HCA": "mlx5"}), "ok"),
    ("policy-env", with_variable("NCCL_IB_HCA", "mlx5"), require(env={"NCCL_IB_HCA": "mlx4"}), "problem"),
    ("policy-env", GOOD, require(env=["NCCL_IB_HCA"]), "problem"),
    ("policy-env", GOOD.but({"/environment": SILENT}), require(env=["NCCL_IB_HCA"]), "cannot_tell"),
    ("policy-env-forbidden", GOOD, NO_SWITCH, "ok"),
    ("policy-env-forbidden", with_variable("NCCL_P2P_DISABLE", ""), NO_SWITCH, "problem"),
    ("policy-env-forbidden", GOOD.but({"/environment": SILENT}), NO_SWITCH, "cannot_tell"),
    ("policy-exception-expired", GOOD, until("2026-11-24"), "ok"),
    ("policy-exception-expired", GOOD, until("2026-11-23"), "problem"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "now", "wanted", "outcome"), TABLE, ids=[f"{i}-{row[0]}" for i, row in enumerate(TABLE)]
)
def test_requirement(rule: str, now: Machine, wanted: Policy, outcome: str) -> None:
    """Met, unmet, or not known: and what is not known was asked for by the policy."""
    verdict = judge_one(rule, now, wanted)
    assert verdict.outcome == outcome, verdict.why
    if outcome == "cannot_tell":
        assert verdict.asked and verdict.required
    if outcome == "problem":
        assert verdict.finding is not None
        assert verdict.finding.fix is not None
        assert "policy" in verdict.finding.summary


def test_a_card_that_is_masked_is_not_judged() -> None:
    """A policy is about the job's cards: a small display card that CUDA does not offer says nothing against it."""
    snapshot = GOOD.snapshot
    devices = snapshot.cuda.devices  # type: ignore[union-attr]
    assert isinstance(devices, list)
    masked = GOOD.but({"/cuda/devices": devices[:1], "/cuda/device_count": 1})
    found = judge(masked.snapshot, ASKED, require(compute_capability=">=10")).verdicts
    outcomes = {v.subject: v.outcome for v in found if v.rule == "policy-compute-capability"}
    assert sorted(outcomes.values()) == ["not_applicable", "problem"]


def test_two_lists_of_one_package_are_told_apart_from_none() -> None:
    """An environment without any package is read, and lacks them all."""
    bare = GOOD.but({f"{ENV}/distributions": []})
    assert judge_one("policy-packages", bare, require(packages={"numpy": ""})).outcome == "problem"


def test_the_requirements_of_a_healthy_machine_are_met() -> None:
    """All of them at once, and the report is fit with the one warning of the expired exception."""
    report = judge(GOOD.snapshot, QUESTIONS, policy(**ALL))
    assert report.verdict == "fit"
    assert [f.rule for f in report.warnings] == ["policy-exception-expired"]


LAWFUL = ["h100", "driver-too-old", "driver-not-installed", "wsl2-rtx3080", "mig-a100", "cpu-torch", "jetson-orin"]
READ = ("cuda", "driver", "smi", "environment", "interpreters", "target", "host", "container")


@pytest.mark.parametrize("name", LAWFUL)
def test_ignorance_neither_accuses_nor_acquits(name: str) -> None:
    """Law 1 under a policy that asks for everything: a fact less never turns ok into problem or back."""
    wanted, snapshot = policy(**ALL), machine(name).snapshot

    def outcomes(of: object) -> dict[tuple[str, str], str]:
        return {(v.rule, v.subject): v.outcome for v in judge(of, ASKED, wanted).verdicts}  # type: ignore[arg-type]

    before = outcomes(snapshot)
    broken = []
    for pointer in (pointer for pointer in fact_pointers(snapshot) if pointer.split("/")[1] in READ):
        for why in ("refused", "not_asked"):
            for who, now in outcomes(blank(snapshot, pointer, why)).items():
                if {before.get(who, now), now} == {"ok", "problem"} or now == "crashed":
                    broken.append(f"{who}: {before[who]} -> {now} without {pointer}")
    assert broken == []


@pytest.mark.parametrize("name", [name for name, cause in CAST.items() if cause is not None])
def test_a_broken_machine_keeps_its_root_cause_under_a_policy(name: str) -> None:
    """What the policy finds missing follows from what is broken: the answer a user acts on stays the first one."""
    report = judge(
        machine(name).snapshot, QUESTIONS, require(gpus=1, driver=">=400", torch=">=1", torch_cuda=["11", "12", "13"])
    )
    assert report.verdict == "unfit"
    roots = [finding.rule for finding in report.root_causes]
    assert roots[0] == CAST[name]
    assert [rule for rule in roots if rule.startswith("policy-")] == []


def test_what_explains_a_requirement_exists() -> None:
    """``explained_by`` names rules of the house: a renamed one would unfold what belongs under it."""
    unknown = {(rule.name, name) for rule in RULES for name in rule.explained_by if name not in NAMES}
    assert unknown == set()


def test_the_interpreters_are_not_taken_for_granted() -> None:
    """A target that points behind the list of interpreters is nobody."""
    lone = GOOD.but(
        {"/interpreters": [Interpreter(executable="/usr/bin/python3", found_by=["PATH"])], "/target/interpreter": 3}
    )
    assert judge_one("policy-environment", lone, require(python=">=3")).outcome == "problem"
