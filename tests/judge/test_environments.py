"""The listing of environments: by the court's own verdicts, and never more sure than they are."""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import Interpreter, Jupyter, Kernel, Nvml, Snapshot, Unread
from envcheck.judge import judge
from envcheck.judge.environments import POLICY, Environment, Listing, list_environments
from envcheck.rules import QUESTIONS
from envcheck.testing import CAST, blank, fact_pointers, machine
from envcheck.testing.parts import python, torch_files

UNREAD = Unread("refused", "not in this test")


def listed(snapshot: Snapshot) -> Listing:
    return list_environments(judge(snapshot, QUESTIONS, POLICY))


def env(name: str, torch: Any, **changes: Any) -> Interpreter:
    """An environment that was found and not asked."""
    prefix = f"/envs/{name}"
    told = python(torch if not isinstance(torch, Unread) else None, Unread("not_asked"))
    keep = ("version", "manager", "distributions", "cfg_version", "home_missing")
    facts = {
        "executable": f"{prefix}/bin/python",
        "prefix": prefix,
        "found_by": ["conda envs folder"],
        "torch": torch,
        **{name: getattr(told, name) for name in keep},
        **changes,
    }
    return Interpreter(**facts)


def among(cast: str, *others: Interpreter) -> dict[str, Environment]:
    """The environments of a machine that has these beside its own, by the last part of their folder."""
    now = machine(cast)
    pythons = now.snapshot.interpreters
    assert isinstance(pythons, list)
    found = listed(now.but({"/interpreters": [*pythons, *others]}).snapshot)
    return {item.prefix.rsplit("/", 1)[-1]: item for item in found.environments}


APART = ("macos-m2", "amd-rocm", "gpu-lost")


@pytest.mark.parametrize("name", [name for name in CAST if name not in APART])
def test_what_doctor_finds_is_what_forbids_it(name: str) -> None:
    """A healthy machine with a card says yes; a broken one says no and names the first root cause."""
    found = listed(machine(name).snapshot)
    judged = [item for item in found.environments if item.judged]
    if CAST[name] is None and name not in ("cpu-only", "cpu-torch"):
        assert found.machine.answer is True, found.machine
        assert [item.usable.answer for item in judged] == [True]
        assert judged[0].usable.why == "it computed there"
    else:
        assert [item.usable.answer for item in judged] == [False]
        named = {judged[0].usable.rule, found.machine.rule}
        assert (CAST[name] or "gpu-absent-from-pci-bus") in named


def test_each_environment_has_its_own_answer() -> None:
    """One card and one driver, five environments: each is judged by its own files."""
    found = among(
        "h100",
        env("fits", torch_files("2.14.1", "cu130")),
        env("cpu", torch_files("2.14.1", "cpu", cuda=None)),
        env("none", None),
        env("rocm", torch_files("2.9.1", "rocm6.4", cuda=None, hip="6.4.43482")),
        env("unread", Unread("refused", "/envs/unread: Permission denied")),
    )
    answers = {name: (item.usable.answer, item.usable.rule) for name, item in found.items()}
    assert answers[".venv"] == (True, "")
    assert answers["fits"] == (True, "")
    assert answers["cpu"] == (False, "torch-cpu-only-build")
    assert answers["none"][0] is False
    assert answers["rocm"] == (False, "torch-rocm-on-nvidia")
    assert answers["unread"] == (None, "")
    assert found["fits"].usable.why == "its files fit the driver and the card"
    assert not found["fits"].probed


def test_a_fault_of_the_machine_is_every_environments_answer() -> None:
    """Below torch all stand on the same rungs; an environment's own fault is still told for itself."""
    found = among(
        "module-not-loaded",
        env("fits", torch_files("2.14.1", "cu130")),
        env("cpu", torch_files("2.14.1", "cpu", cuda=None)),
    )
    assert found["fits"].usable.rule == "kernel-module-not-loaded"
    assert {item.usable.answer for item in found.values()} == {False}


@pytest.mark.parametrize(("cast", "why"), [("macos-m2", "only NVIDIA"), ("amd-rocm", "ROCm")])
def test_other_vendors_are_not_judged(cast: str, why: str) -> None:
    """Apple's and AMD's devices get no verdict by NVIDIA's rules."""
    usable = listed(machine(cast).snapshot).environments[0].usable
    assert usable.answer is None
    assert why in usable.why


def test_one_lost_card_of_two_leaves_the_other() -> None:
    """Only a fault of every card stops all environments."""
    snapshot = machine("gpu-lost").snapshot
    assert listed(snapshot).machine.answer is True
    assert isinstance(snapshot.nvml, Nvml)
    assert isinstance(snapshot.nvml.gpus, list)
    lost = next(gpu for gpu in snapshot.nvml.gpus if isinstance(gpu.error_code, int))
    alone = machine("gpu-lost").but(
        {"/nvml/gpus": [lost], "/nvml/device_count": 1, "/driver/gpus": [], "/cuda": UNREAD}
    )
    found = listed(alone.but({"/devices/pci": [], "/smi": UNREAD}).snapshot)
    assert (found.machine.answer, found.machine.rule) == (False, "gpu-fallen-off-bus")


def test_pythons_that_share_a_prefix_are_told_apart() -> None:
    """/usr/bin/python3.11 and /usr/bin/python3.12 have one prefix and two packages folders."""
    shared = {"prefix": "/usr", "manager": "system", "cfg_version": None}
    one = env("a", torch_files("2.14.1", "cu130"), **{**shared, "executable": "/usr/bin/python3.11"})
    two = env("b", torch_files("2.14.1", "cpu", cuda=None), **{**shared, "executable": "/usr/bin/python3.12"})
    pythons = machine("h100").snapshot.interpreters
    assert isinstance(pythons, list)
    found = listed(machine("h100").but({"/interpreters": [*pythons, one, two]}).snapshot)
    answers = {item.executable: item.usable.answer for item in found.environments}
    assert answers["/usr/bin/python3.11"] is True
    assert answers["/usr/bin/python3.12"] is False


@pytest.mark.parametrize("cast", ["rtx4090-desktop", "cpu-build-on-gpu-box"])
def test_taking_a_fact_away_never_turns_the_answer_round(cast: str) -> None:
    """Law 1 holds for the listing too: yes and no become cannot tell, not each other."""
    snapshot = machine(cast).snapshot
    before = listed(snapshot).environments[0].usable.answer
    assert before is not None
    wrong = []
    for pointer in fact_pointers(snapshot):
        environments = listed(blank(snapshot, pointer)).environments
        judged = [item for item in environments if item.judged]
        if judged and judged[0].usable.answer is (not before):
            wrong.append(pointer)
    assert wrong == []


def test_the_order_is_that_of_interest() -> None:
    """Judged, then what the shell means, then what can use the GPU, then what has a torch at all."""
    found = among(
        "h100",
        env("none", None),
        env("cpu", torch_files("2.14.1", "cpu", cuda=None)),
        env("fits", torch_files("2.14.1", "cu130")),
        env("pip", None, means=["pip"]),
    )
    assert list(found) == [".venv", "pip", "fits", "cpu", "none"]
    assert found["pip"].means == ("pip",)


def test_a_kernel_that_leads_nowhere_is_told() -> None:
    """Its environment is gone, so no row could tell of it."""
    kernels = [Kernel(name="old", path="/k/old", argv=["/envs/old/bin/python", "-m"], interpreter=None)]
    found = listed(machine("h100").but({"/jupyter": Jupyter(kernels=kernels)}).snapshot)
    assert [(kernel.name, kernel.program) for kernel in found.lost_kernels] == [("old", "/envs/old/bin/python")]


def test_a_search_that_gave_nothing_says_why() -> None:
    """An unread list is no empty machine."""
    found = listed(blank(machine("h100").snapshot, "/interpreters", "timeout"))
    assert found.environments == []
    assert isinstance(found.unread, Unread)
