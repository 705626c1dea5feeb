"""Machines of the cast after a benchmark: what a healthy one measures, and small changes to that."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from envcheck.facts import Bench, BenchDevice, Gpu, NumericCheck, StoredBench, Timing, Watch, resolve
from envcheck.judge import Policy, Question, try_all
from envcheck.rules import QUESTIONS
from envcheck.rules.numerics import QUESTIONS as NUMBERS
from envcheck.testing import Machine, blank, fact_pointers, machine

MIB = 1 << 20
SIDE = 4096
LARGE = [16384, 4096, 1000]
COURSE = [256, 784, 10]
CHECKS = ("product-precision", "broadcast-shapes", "gradient", "softmax-gradient", "exact-integers")
BEGAN = 1_764_000_000.0
TOUCHED = BEGAN + 2.0


def samples(seconds: float, n: int = 30, scatter: float = 0.01, seed: int = 1) -> list[float]:
    """A floor and a little above it."""
    chance = random.Random(seed)
    return [seconds * (1 + abs(chance.gauss(0, scatter))) for _ in range(n)]


def timing(workload: str, seconds: float, shape: Sequence[int], seed: int = 1, **more: Any) -> Timing:
    """A timing that went well; keywords replace its facts."""
    taken = more.pop("samples_s", None) or samples(seconds, seed=seed)
    given: dict[str, Any] = {
        "workload": workload,
        "shape": list(shape),
        "unavailable": None,
        "samples_s": taken,
        "at_s": [TOUCHED + 1 + 0.05 * i for i in range(len(taken))],
        "waits_s": None,
        "host_samples_s": None,
        "first_call_s": 0.1,
        "warmup_s": 0.5,
        "settled": True,
        "stopped_by": "precise",
    }
    return Timing(**{**given, **more})


def timings(memory: float, product: float, slow: float = 1.0, seed: int = 1) -> list[Timing]:
    """All that is judged: ``memory`` seconds to fill 64 MiB, ``product`` seconds of the step's two products."""
    count = SIDE * SIDE
    return [
        timing("matmul", product, [8192] * 3, seed, size="8192"),
        timing("copy", 1.9 * memory * slow, [count], seed + 1, size="64 MiB", cold=True),
        timing("fill", memory * slow, [count], seed + 2, size="64 MiB", cold=True),
        timing("broadcast", 1.05 * memory * slow, [SIDE, SIDE], seed + 3, size="64 MiB", cold=True),
        timing("row-add", 1.95 * memory * slow, [SIDE, SIDE], seed + 4, size="64 MiB", cold=True),
        timing(
            "step", 1.2 * product, LARGE, seed + 5, size="large", variant="eager", host_samples_s=[1.21 * product] * 9
        ),
        timing("step", 1.1 * product, LARGE, seed + 6, size="large", variant="closed-form"),
        timing("products", product, LARGE, seed + 7, size="large"),
        timing("step", 2e-4, COURSE, seed + 8, size="course", variant="eager", host_samples_s=[6e-4] * 9),
        timing("host-to-device", 64 * MIB / 24e9, [16 * MIB], seed + 9, size="64 MiB", variant="pinned"),
    ]


def check(name: str, **more: Any) -> NumericCheck:
    """A check that held."""
    given: dict[str, Any] = {"formula": "a = b", "error": 1e-7, "limit": 1e-5, "wrong": None, "unavailable": None}
    return NumericCheck(id=name, **{**given, **more})


def watch(gpu: Gpu, **more: Any) -> Watch:
    """Gauges of a card at work: idle for two seconds, then three and a half under load, ten readings a second."""
    idle, busy = 20, 35
    given: dict[str, Any] = {
        "uuid": gpu.uuid,
        "bus_id": gpu.bus_id,
        "at_s": [BEGAN + 0.1 * i for i in range(idle + busy)],
        "clock_sm_mhz": [345] * idle + [1980] * busy,
        "clock_memory_mhz": [2619] * (idle + busy),
        "temperature_c": [35] * idle + [61] * busy,
        "power_w": [70.0] * idle + [620.0] * busy,
        "utilization_percent": [0] * idle + [100] * busy,
        "clock_reasons": [1] * idle + [0] * busy,
        "pcie_generation": [1] * idle + [gpu.pcie_generation_max] * busy,
        "pcie_width": [gpu.pcie_width_max] * (idle + busy),
        "others": [0] * (idle + busy),
    }
    return Watch(**{**given, **more})


def under_load(idle: Any, busy: Any) -> list[Any]:
    """A column of :func:`watch`: one value while idle, another under load."""
    return [idle] * 20 + [busy] * 35


def gpu_device(gpu: Gpu, index: int = 0, **more: Any) -> BenchDevice:
    """A card as a healthy benchmark leaves it: at nine tenths of an H100's bandwidth."""
    given: dict[str, Any] = {
        "device": f"cuda:{index}",
        "backend": "cuda",
        "trouble": None,
        "torch": "2.14.1+cu130",
        "cuda": "13.0",
        "hip": None,
        "name": gpu.name,
        "uuid": gpu.uuid,
        "bus_id": gpu.bus_id,
        "siblings": 1,
        "precision": "highest",
        "product_class": "float32",
        "touched_at_s": TOUCHED,
        "checksum": "0123456789abcdef",
        "checks": [check(name) for name in CHECKS],
        "timings": timings(memory=64 * MIB / 3.0e12 * 1.06, product=0.0221, seed=1 + 100 * index),
        "watch": watch(gpu),
    }
    return BenchDevice(**{**given, **more})


def cpu_device(**more: Any) -> BenchDevice:
    """A processor as a healthy benchmark leaves it."""
    rows = [
        replace(item, host_samples_s=None, waits_s=[0.0] * len(item.samples_s))  # type: ignore[arg-type]
        for item in timings(memory=2.6e-3, product=0.03)
        if item.workload != "host-to-device"
    ]
    given: dict[str, Any] = {
        "device": "cpu",
        "backend": "cpu",
        "trouble": None,
        "torch": "2.14.1+cpu",
        "cuda": None,
        "hip": None,
        "name": "AMD EPYC",
        "uuid": None,
        "bus_id": None,
        "siblings": 1,
        "threads": 2,
        "precision": "highest",
        "product_class": "float32",
        "touched_at_s": TOUCHED,
        "checksum": "0123456789abcdef",
        "checks": [check(name) for name in CHECKS],
        "timings": rows,
        "watch": None,
    }
    return BenchDevice(**{**given, **more})


def benched(*devices: BenchDevice, name: str = "h100", stored: StoredBench | None = None) -> Machine:
    """That machine of the cast with these devices measured."""
    return machine(name).but({"/bench": Bench(device="all", quick=True, devices=list(devices), stored=stored)})


def card(name: str = "h100", index: int = 0) -> Gpu:
    """NVML's record of a card of the cast."""
    gpu = resolve(machine(name).snapshot, f"/nvml/gpus/{index}")
    assert isinstance(gpu, Gpu)
    return gpu


def with_timing(device: BenchDevice, workload: str, variant: str = "", **changes: Any) -> BenchDevice:
    """The device with one of its timings changed."""
    assert isinstance(device.timings, list)
    rows = [
        replace(item, **changes) if (item.workload, item.variant) == (workload, variant) else item
        for item in device.timings
    ]
    assert rows != device.timings, "the change changes nothing"
    return replace(device, timings=rows)


def slowed(device: BenchDevice, factor: float, workload: str, variant: str = "") -> BenchDevice:
    """The device with every sample of one workload longer by a factor."""
    assert isinstance(device.timings, list)
    item = next(t for t in device.timings if (t.workload, t.variant) == (workload, variant))
    assert isinstance(item.samples_s, list)
    return with_timing(device, workload, variant, samples_s=[factor * s for s in item.samples_s])


def names(rows: Sequence[tuple[str, Any, str]]) -> list[str]:
    """Names of a table's rows that stay when rows of other rules come in between."""
    seen: Counter[str] = Counter()
    found = []
    for rule, _, outcome in rows:
        seen[rule + outcome] += 1
        found.append(f"{rule}-{outcome}-{seen[rule + outcome]}")
    return found


def questions_of(*rules: str) -> tuple[Question, ...]:
    """The house's questions about these rules."""
    return tuple(q for q in QUESTIONS if any(rule.name in rules for rule in q.rules))


SPEED = questions_of(
    "bench-slow-vs-roofline",
    "bench-slower-than-stored",
    "gpu-slow-vs-peers",
    "pcie-link-degraded-under-load",
    "bench-shared-card",
    "bench-throttled",
    "bench-host-bound",
)
ALL = (*NUMBERS, *SPEED)
"""Every question that a benchmark answers."""


def turned(now: Machine, questions: Sequence[Question] = ALL) -> list[str]:
    """Law 1: where a verdict goes from ok to problem or back, or a rule crashes, for want of one single fact.

    All questions at once, and only the facts that they read: those of the benchmark and of the cards.
    """

    def outcomes(snapshot: Any) -> dict[str, str]:
        return {verdict.rule: verdict.outcome for verdict in try_all(snapshot, questions, Policy(pedantic=True))}

    before = outcomes(now.snapshot)
    pointers = [p for p in fact_pointers(now.snapshot) if p.startswith(("/bench", "/nvml/gpus"))]
    assert pointers
    wrong = []
    for pointer in pointers:
        for rule, after in outcomes(blank(now.snapshot, pointer)).items():
            if {before[rule], after} == {"ok", "problem"} or after == "crashed":
                wrong.append(f"{rule}: {before[rule]} -> {after} without {pointer}")
    return wrong
