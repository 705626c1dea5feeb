"""Pointers name facts, and every fact has a witness."""

from __future__ import annotations

import pytest

from envcheck.facts import Nvml, Origin, PointerError, Unread, make, resolve, witness
from envcheck.testing import CAST, blank, fact_pointers, machine


@pytest.mark.parametrize("name", CAST)
def test_every_fact_of_every_machine_resolves_and_has_a_witness(name: str) -> None:
    """No fact stands in a section that no witness is known for."""
    snapshot = machine(name).snapshot
    for pointer in fact_pointers(snapshot):
        assert not isinstance(resolve(snapshot, pointer), Unread)
        if pointer != "/taken_at":
            assert witness(snapshot, pointer)


def test_below_an_unread_section_every_fact_is_unread_for_the_same_reason() -> None:
    """A pointer into a section that timed out says timeout."""
    silent = Unread("timeout", "no answer in 30 s")
    assert resolve(make(nvml=silent), "/nvml/gpus/3/uuid") is silent


@pytest.mark.parametrize("pointer", ["/nvml/gpsu", "/nvml/gpus/0", "/nvml/gpus/x", "/nothing"])
def test_a_pointer_to_nothing_is_an_error_in_the_rule(pointer: str) -> None:
    """A misspelt pointer never reads as "unknown"."""
    with pytest.raises(PointerError):
        resolve(make(nvml=Nvml(gpus=[])), pointer)


def test_the_place_in_a_pasted_text_is_the_witness() -> None:
    """Where a fact was read from a text, the line is what is quoted."""
    origin = Origin(pointer="/nvml/driver_version", source="line 12: Nvidia driver version: 535.54")
    snapshot = make(nvml=Nvml(driver_version="535.54"), origins=[origin])
    assert witness(snapshot, "/nvml/driver_version") == origin.source
    assert witness(snapshot, "/nvml/device_count") == "NVML"


def test_blanking_reaches_every_fact() -> None:
    """fact_pointers lists what blank() can take away, one at a time."""
    snapshot = machine("h100").snapshot
    pointers = list(fact_pointers(snapshot))
    assert "/nvml/gpus/1/temperature_c" in pointers
    assert "/interpreters/0/torch/arch_list" in pointers
    for pointer in pointers:
        assert isinstance(resolve(blank(snapshot, pointer), pointer), Unread)
