"""Subjects: the witnesses' lists of GPUs are joined into one identity per card."""

from __future__ import annotations

import pytest

from envcheck.facts import Gpu, Unread
from envcheck.judge import normal_bus_id, subjects
from envcheck.testing import machine, parts


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("00000000:17:00.0", "0000:17:00.0"),
        ("0000:17:00.0", "0000:17:00.0"),
        ("0000:17:00", "0000:17:00.0"),
        ("17:00.0", "0000:17:00.0"),
        ("0009:01:00.0", "0009:01:00.0"),
        ("00010002:AB:00.0", "10002:ab:00.0"),
        (" 0000:CA:00.0 ", "0000:ca:00.0"),
    ],
)
def test_bus_ids_have_one_spelling(text: str, normal: str) -> None:
    """sysfs, NVML, nvidia-smi and the kernel log write the same address in four ways."""
    assert normal_bus_id(text) == normal


def test_every_witness_of_a_card_is_joined_under_its_uuid() -> None:
    """Five witnesses, two cards, two subjects."""
    gpus = [s for s in subjects(machine("h100").snapshot) if s.kind == "gpu"]
    assert len(gpus) == 2
    for n, subject in enumerate(gpus):
        assert set(subject.places) == {"nvml", "smi", "pci", "proc", "cuda"}
        assert subject.key.startswith(f"gpu:GPU-0000000{n}-")


def test_a_card_that_only_the_bus_knows_is_a_subject() -> None:
    """A card without driver is not lost from the report."""
    gpus = [s for s in subjects(machine("driver-not-installed").snapshot) if s.kind == "gpu"]
    assert [(s.key, set(s.places)) for s in gpus] == [("gpu:0000:17:00.0", {"pci"})]


@pytest.mark.parametrize("lost", [(0,), (1, 3), (0, 1, 2, 3)])
def test_a_card_that_nvml_cannot_open_is_the_one_left_on_the_bus(lost: tuple[int, ...]) -> None:
    """NVML then tells no more than a number; the slot, which a user needs to know, is found by elimination."""
    names = ["NVIDIA H100 80GB HBM3"] * 4
    gpus = [Gpu(index=n, error_code=15) if n in lost else parts.gpu(name, n) for n, name in enumerate(names)]
    node = {"/nvml/gpus": gpus, "/devices/pci": [parts.pci(name, n) for n, name in enumerate(names)]}
    quiet = {"/smi": Unread("not_asked"), "/driver": Unread("not_asked"), "/cuda": Unread("not_asked")}
    found = [s for s in subjects(machine("h100").but({**quiet, **node}).snapshot) if s.kind == "gpu"]
    assert [(s.places["nvml"], s.places["pci"]) for s in found] == [
        (f"/nvml/gpus/{n}", f"/devices/pci/{n}") for n in range(4)
    ]
    assert {s.key for n, s in enumerate(found) if n in lost} == {f"gpu:{parts.bus_id(n)}" for n in lost}


@pytest.mark.parametrize(
    "change",
    [
        {"/devices/pci/1/driver": "vfio-pci"},  # NVML counts another card than this one
        {"/nvml/gpus/0/bus_id": "0000:47:00.0"},  # not in the order of the bus
        {"/devices/pci": []},
    ],
)
def test_a_nameless_card_is_not_guessed_at(change: dict[str, object]) -> None:
    """Where numbers or order do not add up, the card keeps its number alone."""
    two = machine("h100").but({"/nvml/gpus/1": Gpu(index=1, error_code=15), "/smi": Unread("not_asked")})
    found = subjects(two.but({"/driver": Unread("not_asked"), "/cuda": Unread("not_asked"), **change}).snapshot)
    assert [s.places for s in found if s.places.get("nvml") == "/nvml/gpus/1"] == [{"nvml": "/nvml/gpus/1"}]


def test_cards_of_a_text_without_bus_ids_are_joined_by_number() -> None:
    """A pasted list gives names and numbers only."""
    bare = [Gpu(index=0, name="NVIDIA A100"), Gpu(index=1, name="NVIDIA A100")]
    gone = Unread("not_asked")
    pasted = machine("h100").but({"/nvml": gone, "/smi/gpus": bare, "/devices": gone, "/driver": gone, "/cuda": gone})
    gpus = [s for s in subjects(pasted.snapshot) if s.kind == "gpu"]
    assert [s.key for s in gpus] == ["gpu:0", "gpu:1"]
    assert gpus[1].label == "GPU 1 (NVIDIA A100)"


def test_only_the_target_is_judged_unless_all_are_asked_for() -> None:
    """A user's other environments are not their present trouble."""
    one = machine("h100").snapshot.interpreters
    assert isinstance(one, list)
    two = machine("h100").but({"/interpreters": [*one, *machine("cpu-only").snapshot.interpreters]})  # type: ignore[misc]
    assert len([s for s in subjects(two.snapshot) if s.kind == "env"]) == 1
    assert len([s for s in subjects(two.snapshot, all_envs=True) if s.kind == "env"]) == 2
