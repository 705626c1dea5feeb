"""Speed as a benchmark shows it: against the roofline, the stored figure, the equals, the link, the host; or none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from envcheck.facts import BenchDevice, StoredBench, Unread, Watch
from envcheck.judge import Verdict
from envcheck.testing import Machine, judge_one, machine
from tests.rules.speed.machines import (
    benched,
    card,
    cpu_device,
    gpu_device,
    names,
    samples,
    slowed,
    timings,
    under_load,
    watch,
    with_timing,
)

RULES = (
    "bench-slow-vs-roofline",
    "bench-throttled",
    "bench-slower-than-stored",
    "gpu-slow-vs-peers",
    "pcie-link-degraded-under-load",
    "bench-shared-card",
    "bench-too-noisy",
    "bench-host-bound",
)
HOT = 0x40


def gauges(**columns: Any) -> BenchDevice:
    """A healthy card whose gauges showed something else."""
    return gpu_device(card(), watch=watch(card(), **columns))


def compared(now: BenchDevice, before: BenchDevice) -> Machine:
    stored = StoredBench(path="before.json", taken_at="2026-11-01T00:00:00Z", tool="envcheck 0", devices=[before])
    return benched(now, stored=stored)


def shared_cpu(device: BenchDevice) -> BenchDevice:
    """A processor on which each sample took twice as long and stood in the queue for half of it."""
    assert isinstance(device.timings, list)
    rows = []
    for item in device.timings:
        assert isinstance(item.samples_s, list)
        slow = [2 * s for s in item.samples_s]
        rows.append(replace(item, samples_s=slow, waits_s=[s / 2 for s in slow]))
    return replace(device, timings=rows)


def noisy(device: BenchDevice, workload: str = "broadcast", variant: str = "", floor: float = 2.7e-3) -> BenchDevice:
    return with_timing(device, workload, variant, samples_s=samples(floor, 30, scatter=1.2))


def unseen(device: BenchDevice) -> BenchDevice:
    """A card whose gauges were last read before the first timing."""
    assert isinstance(device.watch, Watch)
    at_s = device.watch.at_s
    assert isinstance(at_s, list)
    return replace(device, watch=replace(device.watch, at_s=[moment - 100.0 for moment in at_s]))


def slow_memory() -> BenchDevice:
    """A card whose memory runs at a third of its bandwidth, copies and fills alike."""
    return gpu_device(card(), timings=timings(memory=64 * (1 << 20) / 1.0e12, product=0.0221))


def one_card(index: int, factor: float = 1.0, **columns: Any) -> BenchDevice:
    device = gpu_device(card(), index, watch=watch(card(), **columns))
    return slowed(device, factor, "copy") if factor != 1.0 else device


def shared_card(index: int, factor: float) -> BenchDevice:
    """A slow card on which another process computes meanwhile."""
    return one_card(index, factor, others=under_load(0, 1))


def busy_card(index: int, factor: float) -> BenchDevice:
    """A slow card that worked for somebody before it was touched; whose processes cannot be seen (a container)."""
    return one_card(index, factor, utilization_percent=under_load(60, 100))


CASES: list[tuple[str, Callable[[], Machine], str]] = [
    ("bench-slow-vs-roofline", lambda: benched(gpu_device(card())), "ok"),
    ("bench-slow-vs-roofline", lambda: benched(cpu_device()), "ok"),
    ("bench-slow-vs-roofline", lambda: benched(slowed(gpu_device(card()), 2.0, "broadcast")), "problem"),
    ("bench-slow-vs-roofline", lambda: benched(slowed(cpu_device(), 2.5, "step", "closed-form")), "problem"),
    ("bench-slow-vs-roofline", lambda: benched(slow_memory()), "problem"),
    ("bench-slow-vs-roofline", lambda: benched(shared_cpu(slowed(cpu_device(), 2.0, "broadcast"))), "cannot_tell"),
    ("bench-slow-vs-roofline", lambda: benched(gpu_device(card(), trouble="gone")), "cannot_tell"),
    ("bench-slow-vs-roofline", lambda: benched(gpu_device(card(), timings=[])), "cannot_tell"),
    ("bench-slow-vs-roofline", lambda: machine("h100"), "not_applicable"),
    ("bench-throttled", lambda: benched(gauges(clock_reasons=under_load(1, HOT))), "problem"),
    ("bench-throttled", lambda: benched(gauges(clock_reasons=under_load(1, 0x4))), "ok"),
    ("bench-throttled", lambda: benched(gauges(clock_reasons=Unread("timeout"))), "cannot_tell"),
    ("bench-throttled", lambda: benched(gauges(clock_reasons=under_load(1, 0x80))), "problem"),
    ("bench-throttled", lambda: benched(unseen(gpu_device(card()))), "cannot_tell"),
    ("bench-throttled", lambda: benched(gpu_device(card(), watch=Unread("timeout"))), "cannot_tell"),
    ("bench-throttled", lambda: benched(cpu_device()), "not_applicable"),
    ("bench-throttled", lambda: benched(gauges(clock_reasons=None)), "not_applicable"),
    ("bench-throttled", lambda: machine("h100"), "not_applicable"),
    ("bench-shared-card", lambda: benched(gpu_device(card())), "ok"),
    ("bench-shared-card", lambda: benched(gauges(others=under_load(0, 1))), "problem"),
    ("bench-shared-card", lambda: benched(gauges(utilization_percent=under_load(60, 100))), "problem"),
    ("bench-shared-card", lambda: benched(shared_cpu(cpu_device())), "problem"),
    ("bench-shared-card", lambda: benched(gauges(others=Unread("timeout"))), "cannot_tell"),
    ("bench-shared-card", lambda: machine("h100"), "not_applicable"),
    ("bench-too-noisy", lambda: benched(noisy(gpu_device(card()))), "problem"),
    ("bench-too-noisy", lambda: benched(cpu_device()), "ok"),
    ("bench-too-noisy", lambda: benched(gpu_device(card())), "ok"),
    ("bench-too-noisy", lambda: benched(gpu_device(card(), timings=Unread("crashed"))), "cannot_tell"),
    ("bench-too-noisy", lambda: machine("h100"), "not_applicable"),
    ("bench-slower-than-stored", lambda: compared(gpu_device(card(), 0), gpu_device(card(), 0)), "ok"),
    (
        "bench-slower-than-stored",
        lambda: compared(slowed(gpu_device(card()), 1.3, "step", "closed-form"), gpu_device(card())),
        "problem",
    ),
    (
        "bench-slower-than-stored",
        lambda: compared(gpu_device(card()), slowed(gpu_device(card()), 1.3, "step", "closed-form")),
        "ok",
    ),
    ("bench-slower-than-stored", lambda: compared(shared_cpu(cpu_device()), cpu_device()), "cannot_tell"),
    (
        "bench-slower-than-stored",
        lambda: compared(slowed(noisy(gpu_device(card())), 1.4, "broadcast"), gpu_device(card())),
        "cannot_tell",
    ),
    (
        "bench-slower-than-stored",
        lambda: compared(gpu_device(card(), trouble="gone"), gpu_device(card())),
        "cannot_tell",
    ),
    (
        "bench-slower-than-stored",
        lambda: compared(slowed(gauges(utilization_percent=under_load(60, 100)), 1.3, "copy"), gpu_device(card())),
        "cannot_tell",
    ),
    ("bench-slower-than-stored", lambda: compared(gpu_device(card()), cpu_device()), "not_applicable"),
    (
        "bench-slower-than-stored",
        lambda: compared(gpu_device(card()), gpu_device(card(), timings=[])),
        "not_applicable",
    ),
    ("bench-slower-than-stored", lambda: benched(gpu_device(card())), "not_applicable"),
    ("gpu-slow-vs-peers", lambda: benched(one_card(0), one_card(1), one_card(2)), "ok"),
    ("gpu-slow-vs-peers", lambda: benched(one_card(0), one_card(1, 1.2), one_card(2)), "problem"),
    ("gpu-slow-vs-peers", lambda: benched(one_card(0), one_card(1, 1.2)), "problem"),
    ("gpu-slow-vs-peers", lambda: benched(one_card(0), one_card(1, 1.03)), "ok"),
    ("gpu-slow-vs-peers", lambda: benched(one_card(0), shared_card(1, 1.5)), "cannot_tell"),
    ("gpu-slow-vs-peers", lambda: benched(one_card(0), busy_card(1, 1.5)), "cannot_tell"),
    ("gpu-slow-vs-peers", lambda: benched(one_card(0)), "not_applicable"),
    ("gpu-slow-vs-peers", lambda: benched(one_card(0), replace(one_card(1, 1.5), name="Tesla T4")), "not_applicable"),
    ("gpu-slow-vs-peers", lambda: benched(one_card(0), gpu_device(card(), 1, trouble="gone")), "not_applicable"),
    ("gpu-slow-vs-peers", lambda: machine("h100"), "not_applicable"),
    ("gpu-slow-vs-peers", lambda: benched(one_card(0), replace(one_card(1), timings=Unread("timeout"))), "cannot_tell"),
    ("pcie-link-degraded-under-load", lambda: benched(gpu_device(card())), "ok"),
    ("pcie-link-degraded-under-load", lambda: benched(gauges(pcie_generation=under_load(1, 3))), "problem"),
    ("pcie-link-degraded-under-load", lambda: benched(gauges(pcie_width=under_load(16, 8))), "ok"),
    (
        "pcie-link-degraded-under-load",
        lambda: benched(
            slowed(gauges(pcie_width=under_load(16, 4)), 4.0, "host-to-device", "pinned"),
        ),
        "problem",
    ),
    ("pcie-link-degraded-under-load", lambda: benched(gauges(pcie_width=Unread("timeout"))), "cannot_tell"),
    ("pcie-link-degraded-under-load", lambda: benched(unseen(gpu_device(card()))), "cannot_tell"),
    ("pcie-link-degraded-under-load", lambda: benched(gauges(pcie_generation=None)), "not_applicable"),
    ("pcie-link-degraded-under-load", lambda: benched(cpu_device()), "not_applicable"),
    ("bench-host-bound", lambda: benched(gpu_device(card())), "ok"),
    (
        "bench-host-bound",
        lambda: benched(with_timing(gpu_device(card()), "step", "eager", host_samples_s=[0.06] * 9)),
        "problem",
    ),
    (
        "bench-host-bound",
        lambda: benched(with_timing(gpu_device(card()), "step", "eager", host_samples_s=Unread("crashed"))),
        "cannot_tell",
    ),
    (
        "bench-host-bound",
        lambda: benched(
            noisy(with_timing(gpu_device(card()), "step", "eager", host_samples_s=[0.2] * 9), "step", "eager", 0.027)
        ),
        "cannot_tell",
    ),
    ("bench-host-bound", lambda: benched(cpu_device()), "not_applicable"),
]


PROBLEMS = [row for row in CASES if row[2] == "problem"]


@pytest.mark.parametrize(("rule", "build", "outcome"), CASES, ids=names(CASES))
def test_outcomes(rule: str, build: Callable[[], Machine], outcome: str) -> None:
    """Each rule is ok, a problem, cannot tell and not applicable where it should be."""
    verdict = judge_one(rule, build())
    assert verdict.outcome == outcome, verdict.why


@pytest.mark.parametrize(("rule", "build", "outcome"), PROBLEMS, ids=names(PROBLEMS))
def test_findings_read_well(
    rule: str, build: Callable[[], Machine], outcome: str, text: Callable[[Verdict], Any], snapshot: Any
) -> None:
    """The whole text of a finding."""
    assert text(judge_one(rule, build())) == snapshot


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_its_rows(rule: str) -> None:
    """A rule that is never seen content, silent, out of place or accusing is not known to be any of them."""
    assert {outcome for name, _, outcome in CASES if name == rule} >= {"ok", "problem", "cannot_tell", "not_applicable"}


def test_healthy_machines_stay_clean(complaints: Callable[[Any], list[str]]) -> None:
    """No healthy machine of the cast is accused."""
    assert complaints(RULES) == []
