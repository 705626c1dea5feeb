"""Is the PCIe link sound?  Idle links slow down and many slots are narrow: neither is a fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import Unread
from envcheck.judge import Verdict
from envcheck.testing import judge_one, machine

DEGRADED, IDLE, REPLAYS = "pcie-link-degraded", "pcie-link-idle-downshift", "pcie-replay-or-aer-errors"
GPU = "/nvml/gpus/0"
BUSY = {f"{GPU}/performance_state": 0, f"{GPU}/clock_reasons": ["sw_power_cap"]}
SLOW, NARROW = {f"{GPU}/pcie_generation": 1}, {f"{GPU}/pcie_width": 8}
YEAR = 525_600  # minutes


@pytest.mark.parametrize(
    ("rule", "cast", "changes", "outcome"),
    [
        (DEGRADED, "h100", {}, "ok"),
        (DEGRADED, "h100", {**SLOW, **BUSY}, "problem"),
        (DEGRADED, "h100", NARROW, "problem"),
        (DEGRADED, "h100", SLOW, "ok"),  # idle
        (DEGRADED, "h100", {**SLOW, f"{GPU}/clock_reasons": Unread("unsupported")}, "cannot_tell"),
        (DEGRADED, "h100", {f"{GPU}/pcie_width": Unread("unsupported")}, "cannot_tell"),
        (DEGRADED, "h100", {f"{GPU}/pcie_generation": None}, "not_applicable"),
        (DEGRADED, "wsl2-rtx3080", {**SLOW, **BUSY}, "not_applicable"),
        (IDLE, "h100", SLOW, "problem"),  # P0 with the clock reason "idle", as data-centre cards rest
        (IDLE, "rtx4090-desktop", {**SLOW, f"{GPU}/clock_reasons": []}, "problem"),  # P8
        (IDLE, "h100", {**SLOW, **BUSY}, "ok"),
        (IDLE, "h100", {}, "ok"),
        (IDLE, "h100", {**SLOW, f"{GPU}/performance_state": Unread("unsupported")}, "cannot_tell"),
        (IDLE, "wsl2-rtx3080", SLOW, "not_applicable"),
        (REPLAYS, "h100", {f"{GPU}/pcie_replays": 150}, "ok"),  # a healthy H100 after weeks
        (REPLAYS, "h100", {f"{GPU}/pcie_replays": 8 * YEAR}, "ok"),  # more than a year of uptime in the cast
        (REPLAYS, "h100", {f"{GPU}/pcie_replays": 20 * YEAR}, "problem"),
        (REPLAYS, "h100", {f"{GPU}/pcie_replays": 481, "/host/boot_time": 1_795_521_000}, "problem"),  # 10 minutes
        (REPLAYS, "h100", {f"{GPU}/pcie_replays": 480, "/host/boot_time": 1_795_521_000}, "ok"),  # link training
        (REPLAYS, "h100", {f"{GPU}/pcie_replays": Unread("unsupported")}, "cannot_tell"),
        (REPLAYS, "h100", {f"{GPU}/pcie_replays": 20 * YEAR, "/host/boot_time": Unread("refused")}, "cannot_tell"),
        (REPLAYS, "h100", {f"{GPU}/pcie_replays": 20 * YEAR, "/taken_at": "yesterday"}, "cannot_tell"),
        (REPLAYS, "h100", {f"{GPU}/pcie_replays": None}, "not_applicable"),
    ],
)
def test_outcomes(rule: str, cast: str, changes: dict[str, Any], outcome: str) -> None:
    """Both sides of each rule, and both kinds of silence."""
    subject = "gpu:GPU-00000000"
    assert judge_one(rule, machine(cast).but(changes), subject=subject).outcome == outcome


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({**NARROW, **BUSY}, "warning"),  # its equal runs on 16 lanes, and its slot has 16
        (NARROW, "note"),  # idle: look again under load
        ({**NARROW, **BUSY, "/devices/pci/0/port_width_max": 8}, "note"),  # wired so
        ({**NARROW, **BUSY, "/nvml/gpus/1/pcie_width": 8}, "note"),  # its equal has no more
        ({**NARROW, **BUSY, "/nvml/gpus/1/name": "Tesla T4"}, "note"),  # no equal
    ],
)
def test_a_narrow_link_is_a_fault_only_below_its_equal(changes: dict[str, Any], severity: str) -> None:
    """x8 of x16 is what healthy cloud machines, laptops and split boards show."""
    assert judge_one(DEGRADED, machine("h100").but(changes), subject="gpu:GPU-00000000").severity == severity


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        (DEGRADED, {**SLOW, **BUSY}),
        (DEGRADED, {**NARROW, **BUSY}),
        (DEGRADED, NARROW),
        (IDLE, SLOW),
        (REPLAYS, {f"{GPU}/pcie_replays": 20 * YEAR}),
    ],
)
def test_text(rule: str, changes: dict[str, Any], text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, machine("h100").but(changes), subject="gpu:GPU-00000000")) == snapshot
