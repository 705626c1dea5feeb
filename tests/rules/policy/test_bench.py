"""Floors of speed: against the ceiling of the same run and against the card's peak; noise is no verdict."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from envcheck.facts import Bench, BenchDevice, Timing, Unread
from envcheck.judge import Policy, judge
from envcheck.judge.policy_settings import Layer, settle
from envcheck.rules import RULES
from envcheck.rules.policy import QUESTIONS
from envcheck.testing import Machine, judge_one, machine

NAMES = {rule.name: rule.name for rule in RULES}
GIB = 1 << 30
CARD = {"/nvml/gpus/0/clock_memory_max_mhz": 2619, "/nvml/gpus/0/bus_width_bits": 5120}
PEAK = 3.352e12
"""Bytes a second of an H100 SXM: 2 x 2619 MHz x 5120 bit / 8 (its datasheet says 3.35 TB/s)."""


def timing(workload: str, seconds: float, shape: list[int], *, size: str = "1024 MiB", noise: float = 0.01) -> Timing:
    samples = [seconds * (1 + noise * (i % 5)) for i in range(20)]
    return Timing(
        workload=workload,
        size=size,
        shape=shape,
        clock="events",
        unavailable=None,
        samples_s=samples,
        at_s=[1000.0 + i for i in range(20)],
        waits_s=None,
        host_samples_s=None,
    )


def measured(*, copy: float = 0.9, broadcast: float = 0.9, noise: float = 0.01, **more: Any) -> Machine:
    """A measured H100: ``copy`` of the peak bandwidth, ``broadcast`` of what filling reaches."""
    n = GIB // 4
    timings = [
        timing("copy", 2 * GIB / (copy * PEAK), [n], noise=noise),
        timing("fill", GIB / (copy * PEAK), [n], noise=noise),
        timing("broadcast", GIB / (copy * broadcast * PEAK), [16384, 16384], noise=noise),
    ]
    gpus = machine("h100").snapshot.nvml.gpus  # type: ignore[union-attr]
    assert isinstance(gpus, list)
    facts: dict[str, Any] = {
        "device": "cuda:0",
        "backend": "cuda",
        "trouble": None,
        "uuid": gpus[0].uuid,
        "watch": None,
    }
    device = BenchDevice(**{**facts, "timings": timings, **more})
    return machine("h100").but({"/bench": Bench(device="auto", devices=[device]), **CARD})


def floors(**bench: float) -> Policy:
    return settle([Layer({"bench": bench}, "test")], NAMES).policy


@pytest.mark.parametrize(
    ("now", "policy", "outcome", "words"),
    [
        (measured(), floors(min_ratio_to_ceiling=0.8), "ok", ""),
        (measured(broadcast=0.5), floors(min_ratio_to_ceiling=0.8), "problem", "broadcast 1024 MiB reaches 50%"),
        (measured(copy=0.4), floors(min_ratio_to_ceiling=0.8), "ok", ""),
        (measured(), floors(min_ratio_to_peak=0.8), "ok", ""),
        (measured(copy=0.4), floors(min_ratio_to_peak=0.8), "problem", "copied at 39% of the card's theoretical"),
        (measured(broadcast=0.5, noise=0.4), floors(min_ratio_to_ceiling=0.8), "cannot_tell", "the samples are noisy"),
        (measured(copy=0.4, noise=0.4), floors(min_ratio_to_peak=0.8), "cannot_tell", "the samples are noisy"),
        (measured(uuid=None), floors(min_ratio_to_ceiling=0.8), "ok", ""),
        (measured(uuid="GPU-other"), floors(min_ratio_to_peak=0.8), "cannot_tell", "peak of the measured device"),
        (measured(timings=[]), floors(min_ratio_to_ceiling=0.8), "cannot_tell", "none of the timings"),
        (measured(trouble="RuntimeError: x"), floors(min_ratio_to_ceiling=0.8), "cannot_tell", "RuntimeError: x"),
        (machine("h100"), floors(min_ratio_to_ceiling=0.8), "cannot_tell", "bench: not asked"),
        (machine("h100"), floors(run=True), "cannot_tell", "bench: not asked"),
        (measured(), floors(run=True), "ok", ""),
        (measured(), Policy(), "not_applicable", ""),
    ],
)  # fmt: skip
def test_floor(now: Machine, policy: Policy, outcome: str, words: str) -> None:
    """Too slow for certain, fast enough, or not to be told."""
    verdict = judge_one("policy-bench", now, policy)
    assert verdict.outcome == outcome, verdict.why
    assert words in (verdict.finding.summary if verdict.finding is not None else verdict.why)


def test_a_benchmark_that_was_asked_for_and_not_run_closes_the_gate() -> None:
    """Required and not known: undetermined, not fit."""
    report = judge(machine("h100").snapshot, QUESTIONS, floors(min_ratio_to_peak=0.8))
    assert report.verdict == "undetermined"


def test_one_slow_device_settles_it_whatever_is_not_known_of_another() -> None:
    """A sick card is not excused by a silent one."""
    bench = measured(broadcast=0.5).snapshot.bench
    assert isinstance(bench, Bench) and isinstance(bench.devices, list)
    silent = replace(bench.devices[0], timings=Unread("timeout", "no answer"))
    two = machine("h100").but({"/bench": replace(bench, devices=[silent, *bench.devices])})
    assert judge_one("policy-bench", two, floors(min_ratio_to_ceiling=0.8)).outcome == "problem"
