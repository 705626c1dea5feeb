"""Look-alikes of a slow device from both sides, and law 1 around them: slow, throttled, shared, noisy, host-bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from envcheck.facts import BenchDevice
from envcheck.judge import judge
from envcheck.rules import QUESTIONS
from envcheck.testing import Machine, judge_one
from tests.rules.speed.machines import (
    ALL,
    benched,
    card,
    cpu_device,
    gpu_device,
    questions_of,
    turned,
    under_load,
    watch,
    with_timing,
)
from tests.rules.speed.test_benchmark import (
    HOT,
    RULES,
    compared,
    gauges,
    noisy,
    one_card,
    shared_cpu,
    slow_memory,
    slowed,
)


def said(rule: str, now: Machine) -> str:
    return judge_one(rule, now).outcome


def test_the_same_slowness_shared_and_alone() -> None:
    """Another process on the card, or one before it, takes the verdict away; the slowness itself is the same."""
    slow = slowed(gpu_device(card()), 2.0, "broadcast")
    assert said("bench-slow-vs-roofline", benched(slow)) == "problem"
    assert said("bench-shared-card", benched(slow)) == "ok"
    for columns in ({"others": under_load(0, 1)}, {"utilization_percent": under_load(60, 100)}):
        shared = benched(replace(slow, watch=watch(card(), **columns)))
        assert said("bench-slow-vs-roofline", shared) == "cannot_tell"
        assert said("bench-shared-card", shared) == "problem"


def test_our_own_work_is_no_sharing() -> None:
    """A card at 100 % while it is measured works for the benchmark; only before the first touch it is others'."""
    assert said("bench-shared-card", benched(gauges(utilization_percent=under_load(0, 100)))) == "ok"
    assert said("bench-shared-card", benched(gauges(utilization_percent=under_load(4, 100)))) == "ok"
    assert said("bench-shared-card", benched(gauges(utilization_percent=under_load(5, 100)))) == "problem"


def test_the_same_slowness_noisy_and_steady() -> None:
    """Samples that scatter by more than a quarter accuse nobody, however slow their median."""
    steady = benched(slowed(gpu_device(card()), 3.0, "broadcast"))
    wild = benched(slowed(noisy(gpu_device(card())), 3.0, "broadcast"))
    assert (said("bench-slow-vs-roofline", steady), said("bench-too-noisy", steady)) == ("problem", "ok")
    assert (said("bench-slow-vs-roofline", wild), said("bench-too-noisy", wild)) == ("cannot_tell", "problem")


def test_a_host_that_lags_and_a_device_that_is_slow() -> None:
    """The wall time alone is long: the host. The device's own time is long, too: the device."""
    host = benched(with_timing(gpu_device(card()), "step", "eager", host_samples_s=[0.09] * 9))
    device = slowed(gpu_device(card()), 3.5, "step", "eager")
    slow = benched(with_timing(device, "step", "eager", host_samples_s=[0.095] * 9))
    assert (said("bench-host-bound", host), said("bench-slow-vs-roofline", host)) == ("problem", "ok")
    assert (said("bench-host-bound", slow), said("bench-slow-vs-roofline", slow)) == ("ok", "problem")


def test_a_small_step_may_wait_for_the_host() -> None:
    """At the course's size every fast card does: three times the device's time is no finding there."""
    small = gpu_device(card())
    ratios = [t.host_samples_s for t in small.timings if t.size == "course"]  # type: ignore[union-attr]
    assert ratios == [[6e-4] * 9]
    assert said("bench-host-bound", benched(small)) == "ok"


def test_a_slow_card_and_a_slow_neighbourhood() -> None:
    """One card behind its equals is the card's; all of them alike are not told apart by their equals."""
    alike = benched(*(one_card(n, 1.3) for n in range(3)))
    assert said("gpu-slow-vs-peers", alike) == "ok"
    odd = judge_one("gpu-slow-vs-peers", benched(one_card(0), one_card(1), one_card(2, 1.3)))
    assert odd.finding is not None
    assert "cuda:2" in odd.finding.summary


def test_an_idle_link_that_sleeps_is_no_narrow_one() -> None:
    """Generation 1 while idle and the highest under load is power saving; generation 1 under load is a fault."""
    asleep = gauges(pcie_generation=under_load(1, 5))
    assert said("pcie-link-degraded-under-load", benched(asleep)) == "ok"
    assert said("pcie-link-degraded-under-load", benched(gauges(pcie_generation=under_load(5, 1)))) == "problem"


def test_throttling_explains_the_slowness_that_it_causes() -> None:
    """Of a hot and slow card the report names the heat as the cause, and does not add what follows from it."""
    hot = slowed(gauges(clock_reasons=under_load(1, HOT)), 1.6, "broadcast")
    report = judge(compared(hot, gpu_device(card())).snapshot, QUESTIONS)
    named = [finding.rule for finding in (*report.root_causes, *report.warnings)]
    assert "bench-throttled" in named
    assert "bench-slow-vs-roofline" not in named


def test_the_same_slowness_throttled_and_not() -> None:
    """Look-alikes: a reason that holds the clock down explains the slowness; without one it is the roofline's."""
    slow = slowed(gpu_device(card()), 2.0, "broadcast")
    held = replace(slow, watch=watch(card(), clock_reasons=under_load(1, HOT)))
    for device, named, other in (
        (slow, "bench-slow-vs-roofline", "bench-throttled"),
        (held, "bench-throttled", "bench-slow-vs-roofline"),
    ):
        assert judge_one(named, benched(device)).outcome == "problem"
        assert judge_one(other, benched(device)).outcome == "ok"


def test_a_shared_machine_is_shared_and_never_slow() -> None:
    """Under a competing load nothing is called slow, throttled or slower than stored: it says that it was shared."""
    now = compared(shared_cpu(cpu_device()), cpu_device())
    assert judge_one("bench-shared-card", now).outcome == "problem"
    for rule in ("bench-slow-vs-roofline", "bench-slower-than-stored"):
        assert judge_one(rule, now).outcome == "cannot_tell"
    report = judge(now.snapshot, QUESTIONS)
    assert [f.rule for f in report.warnings if f.rule in RULES] == []
    assert report.verdict == "undetermined"


def test_a_share_of_a_card_is_not_measured_against_the_whole() -> None:
    """A MIG device and a vGPU guest have a part of the bandwidth: no peak is taken for theirs."""
    slow = benched(slow_memory())
    for fact in ({"/nvml/gpus/0/mig_mode": True}, {"/nvml/gpus/0/virtualization": "vgpu"}):
        assert judge_one("bench-slow-vs-roofline", slow.but(fact)).outcome == "ok"


def test_the_ordinary_power_cap_is_no_finding_but_is_told() -> None:
    """Below the default nobody lowered anything; where the card is slow, the reason stands in the cause."""
    capped = replace(slow_memory(), watch=watch(card(), clock_reasons=under_load(1, 0x4)))
    finding = judge_one("bench-slow-vs-roofline", benched(capped)).finding
    assert finding is not None
    assert "sw_power_cap" in finding.cause


BUILDS: dict[str, Callable[[], Machine]] = {
    "healthy": lambda: benched(gpu_device(card())),
    "slow": lambda: benched(slowed(gpu_device(card()), 2.0, "broadcast")),
    "slow-memory": lambda: benched(slow_memory()),
    "throttled": lambda: benched(gauges(clock_reasons=under_load(1, HOT))),
    "shared": lambda: benched(shared_cpu(cpu_device())),
    "shared-and-slow": lambda: benched(
        with_timing(
            slowed(cpu_device(), 2.0, "broadcast"), "broadcast", waits_s=[0.1 if i % 2 else 0.0 for i in range(30)]
        )
    ),
    "noisy": lambda: benched(noisy(gpu_device(card()))),
    "host-bound": lambda: benched(with_timing(gpu_device(card()), "step", "eager", host_samples_s=[0.09] * 9)),
    "stored": lambda: compared(slowed(gpu_device(card()), 1.3, "copy"), gpu_device(card())),
    "peers": lambda: benched(one_card(0), one_card(1, 1.2)),
    "link": lambda: benched(gauges(pcie_generation=under_load(1, 3))),
}


@pytest.mark.parametrize("name", BUILDS)
def test_blanking_never_turns_a_verdict(name: str) -> None:
    """Law 1 around these machines, for every rule that a benchmark answers; where there are many facts, for its own."""
    own = {"stored": "bench-slower-than-stored", "peers": "gpu-slow-vs-peers"}
    assert turned(BUILDS[name](), questions_of(own[name]) if name in own else ALL) == []


def slower_processor(factor: float, **more: Any) -> BenchDevice:
    """A processor on which everything takes that many times as long."""
    device = cpu_device(**more)
    assert isinstance(device.timings, list)
    rows = []
    for item in device.timings:
        assert isinstance(item.samples_s, list)
        rows.append(replace(item, samples_s=[factor * s for s in item.samples_s]))
    return replace(device, timings=rows)


def test_a_processor_that_is_slower_as_a_whole_and_one_that_is_slower_at_one_thing() -> None:
    """Everything by half more is its surroundings; one workload by a third more is news."""
    assert said("bench-slower-than-stored", compared(slower_processor(1.5), cpu_device())) == "cannot_tell"
    one = slowed(slower_processor(1.2), 1.3, "broadcast")
    finding = judge_one("bench-slower-than-stored", compared(one, cpu_device())).finding
    assert finding is not None
    assert "broadcast" in finding.summary
    assert "timings are slower" not in finding.summary


def test_fewer_threads_are_no_weather() -> None:
    """With one thread instead of two everything is slower, and the cause says why."""
    now = slower_processor(1.7, threads=1)
    finding = judge_one("bench-slower-than-stored", compared(now, cpu_device())).finding
    assert finding is not None
    assert "2 threads then, 1 now" in finding.cause
