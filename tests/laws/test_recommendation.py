"""recommend and the rules are one judgement: what it chooses no rule objects to, what it rejects that rule rejects."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from envcheck.compat.driver import cuda_level_of_driver, driver_dropped, gpu_driver_floor, requires_open_module
from envcheck.compat.gpus import gpu_by_pci_id
from envcheck.compat.machine import machine_of
from envcheck.compat.recommend import Wish, recommend
from envcheck.compat.rows import Gpu
from envcheck.compat.torch_builds import torch_build
from envcheck.compat.version import at_least, cuda_of
from envcheck.facts import Snapshot, Unread
from envcheck.judge import try_all
from envcheck.judge.policy import Policy
from envcheck.rules import QUESTIONS
from envcheck.testing import machine
from envcheck.testing import parts as p

PAIRING = {
    "driver-too-old-for-torch",
    "gpu-newer-than-torch-archs",
    "gpu-older-than-torch-archs",
    "torch-python-unsupported",
    "torch-cpu-only-build",
}
DRIVERS = ["450.248.02", "470.256.02", "525.147.05", "535.183.06", "550.127.05", "570.133.20", "575.64.03", "580.95.05"]
PYTHONS = ["3.8.18", "3.9.18", "3.10.13", "3.11.9", "3.12.7", "3.13.1"]


def snapshot_of(card: str, driver: str, python: str) -> Snapshot | None:
    """A healthy machine of that card, driver and Python; ``None`` where the driver cannot drive the card."""
    device, capability, _ = p.DEVICE_IDS[card]
    gpu = gpu_by_pci_id(device)
    assert isinstance(gpu, Gpu), card
    floor = gpu_driver_floor(gpu)
    level = cuda_level_of_driver(driver)
    assert isinstance(level, str)
    too_old = isinstance(floor, str) and not at_least(driver, floor)  # unknown: older than the table's drivers
    if too_old or driver_dropped(int(driver.split(".")[0]), capability) is True:
        return None
    api = int(level.split(".")[0]) * 1000 + int(level.split(".")[1]) * 10
    names = [card]
    return (
        machine("h100")
        .but(
            {
                "/devices": p.devices(names),
                "/driver": p.driver(names, driver, open_module=capability >= 75 or requires_open_module(capability)),
                "/nvml": p.nvml(names, driver, api),
                "/smi": p.smi(names, driver, level),
                "/cuda": p.cuda(names, api),
                "/interpreters": [p.python(None, None, version=python)],
            }
        )
        .snapshot
    )


def with_build(snapshot: Snapshot, release: str, variant: str) -> Snapshot | None:
    """The machine with this torch installed; ``None`` where the table does not know the build's SM list."""
    build = torch_build(release, variant, "linux_x86_64")
    if build is None or isinstance(build, Unread) or (variant != "cpu" and build.archs is None):
        return None
    archs = [f"sm_{cc}" for cc in build.archs or []] + [f"compute_{cc}" for cc in build.ptx or []]
    assert isinstance(snapshot.interpreters, list)
    version = snapshot.interpreters[0].version
    files = p.torch_files(release, variant, arch_list=archs, cuda=cuda_of(variant))
    from envcheck.testing import change

    return change(snapshot, "/interpreters", [p.python(files, Unread("not_asked"), version=version)])


def pairing_problems(snapshot: Snapshot) -> set[str]:
    asked = [q for q in QUESTIONS if any(rule.name in PAIRING for rule in q.rules)]
    return {v.rule for v in try_all(snapshot, asked, Policy()) if v.outcome == "problem" and v.rule in PAIRING}


MACHINES = st.tuples(st.sampled_from(sorted(p.DEVICE_IDS)), st.sampled_from(DRIVERS), st.sampled_from(PYTHONS))


@given(MACHINES)
def test_what_is_chosen_no_rule_objects_to(what: tuple[str, str, str]) -> None:
    """Install what recommend says, and doctor has nothing to say about the pairing."""
    snapshot = snapshot_of(*what)
    if snapshot is None:
        return
    choice = recommend(Wish(machine=machine_of(snapshot))).choice
    if choice is None:
        return
    installed = with_build(snapshot, choice.torch, choice.build)
    if installed is not None:
        assert pairing_problems(installed) == set(), (what, choice.torch, choice.build)


@given(MACHINES)
def test_what_is_rejected_is_rejected_by_the_rule_that_it_names(what: tuple[str, str, str]) -> None:
    """A build that recommend turns down for its driver or its SM list gets that very finding once it is installed."""
    snapshot = snapshot_of(*what)
    if snapshot is None:
        return
    named = {"driver-too-old-for-torch", "gpu-newer-than-torch-archs", "gpu-older-than-torch-archs"}
    for rejected in recommend(Wish(machine=machine_of(snapshot))).rejected[:12]:
        if rejected.rule not in named:
            continue
        installed = with_build(snapshot, rejected.torch, rejected.build)
        if installed is not None:
            assert rejected.rule in pairing_problems(installed), (what, rejected)
