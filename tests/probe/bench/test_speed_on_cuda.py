"""The speed half of a benchmark on a pretended card: every variant, and each way in which a card can let one down."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from envcheck.facts import NumericCheck, Timing
from envcheck.probe.bench.device import choose
from envcheck.probe.bench.plan import Plan
from tests.probe.bench.pretended_cuda import EPOCH, CudaGraph, Gpu, OutOfMemoryError, Tensor, torch_of

Enter = Callable[[Gpu], None]
LOST = 60
"""Calls after which a card is lost: within the first group of memory, whatever the sizes."""


class Run:
    """What one benchmark wrote."""

    def __init__(self, gpu: Gpu, torch: Any, *, quick: bool = True, seconds: float = 9.0, wanted: str = "cuda") -> None:
        card = choose(torch, wanted)
        card.select()
        card.try_events()
        plan = Plan(card, quick, None)
        plan.sampler.clock = gpu.clock
        records: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self.saves = 0
        for place in range(len(plan.groups)):
            plan.measure(place, records, self.wrong, EPOCH + seconds, self.save)
        self.device = card
        self.timings = msgspec.convert(records, list[Timing])  # strictly: what is no fact would raise here

    def save(self) -> None:
        self.saves += 1

    def find(self, workload: str, variant: str = "", size: str = "", dtype: str = "float32") -> Timing:
        wanted = (workload, variant, dtype)
        found = [t for t in self.timings if (t.workload, t.variant, t.dtype) == wanted and size in ("", t.size)]
        assert len(found) >= 1, (workload, variant, size, dtype)
        return found[0]

    def median(self, *names: str, **more: str) -> float:
        samples = self.find(*names, **more).samples_s
        assert isinstance(samples, list)
        return sorted(samples)[len(samples) // 2]

    def why(self, *names: str, **more: str) -> str:
        """Why it is not available."""
        found = self.find(*names, **more)
        assert isinstance(found.unavailable, str), f"{names} was measured"
        assert not isinstance(found.samples_s, list)
        return found.unavailable


@pytest.fixture
def bench(in_virtual_time: Enter) -> Callable[..., Run]:
    """``bench(gpu, …)``: a quick benchmark of that card; keywords as those of ``torch_of``, or a ``torch`` itself."""

    def run(
        gpu: Gpu, *, torch: Any = None, quick: bool = True, seconds: float = 9.0, wanted: str = "cuda", **more: Any
    ) -> Run:
        in_virtual_time(gpu)
        return Run(gpu, torch or torch_of(gpu, **more), quick=quick, seconds=seconds, wanted=wanted)

    return run


Bench = Callable[..., Run]


def test_a_healthy_card_is_measured_by_its_own_clock(bench: Bench) -> None:
    """Rates come out as the card's own, in events, without the host's time; nothing is missing but torch.compile."""
    gpu = Gpu()
    run = bench(gpu)
    assert run.wrong == []
    absent = [(t.workload, t.variant) for t in run.timings if t.unavailable is not None]
    assert absent == [("step", "compile")]
    assert run.why("step", "compile") == "left out with --quick"
    assert run.median("copy", size="64 MiB") == pytest.approx(2 * (64 << 20) / gpu.bandwidth, rel=1e-3)
    assert run.median("fill", size="64 MiB") == pytest.approx((64 << 20) / gpu.bandwidth, rel=1e-3)
    assert run.median("matmul") == pytest.approx(2 * 8192**3 / gpu.flops, rel=1e-3)
    assert {t.clock for t in run.timings if t.workload in ("copy", "matmul", "products")} == {"events"}
    assert run.find("copy", size="64 MiB").cold
    assert not run.find("copy", size="1 MiB").cold
    assert all(t.settled is True for t in run.timings if t.unavailable is None)
    assert run.saves >= len({t.group for t in run.timings})


def test_the_host_stands_beside_the_device(bench: Bench) -> None:
    """At the course's size the wall time is many times the device's; at the large size it is the same."""

    def ratio(size: str) -> float:
        step = bench(Gpu()).find("step", "eager", size=size)
        assert isinstance(step.samples_s, list)
        assert isinstance(step.host_samples_s, list)
        return min(step.host_samples_s) / min(step.samples_s)

    assert ratio("course") > 10
    assert ratio("large") == pytest.approx(1.0, abs=0.05)


def test_a_graph_asks_the_host_for_one_thing(bench: Bench) -> None:
    """The recorded step works as long as the eager one and costs the host a fraction."""
    gpu = Gpu()
    run = bench(gpu)
    graph, eager = run.find("step", "cuda-graph", size="course"), run.find("step", "eager", size="course")
    assert graph.unavailable is None
    assert "replay" in gpu.log
    assert run.median("step", "cuda-graph", size="large") == pytest.approx(run.median("step", "eager", size="large"))
    assert isinstance(graph.host_samples_s, list)
    assert isinstance(eager.host_samples_s, list)
    assert min(graph.host_samples_s) < 0.5 * min(eager.host_samples_s)


def test_the_queue_is_full_when_the_clock_starts(bench: Bench) -> None:
    """Before each sample by events the device spins, and the caches are overwritten before what is cold."""
    gpu = Gpu()
    run = bench(gpu)
    timed = [t for t in run.timings if t.clock == "events" and isinstance(t.samples_s, list)]
    samples = sum(len(t.samples_s) for t in timed if isinstance(t.samples_s, list))
    assert gpu.log.count("spin") == samples + sum(not t.cold for t in timed)  # those are measured once beforehand
    assert gpu.log.count("empty_cache") >= 8


def test_transfers_are_timed_by_the_host(bench: Bench) -> None:
    """A copy from pageable memory blocks the host: events would miss a part of it."""
    run = bench(Gpu())
    assert {t.clock for t in run.timings if t.workload == "host-to-device"} == {"host"}


@contextmanager
def uncapturable(recorder: CudaGraph) -> Any:
    raise RuntimeError("CUDA error: operation not permitted when stream is capturing")
    yield


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"CUDAGraph": None}, "this torch has no torch.cuda.CUDAGraph"),
        ({"graph": uncapturable}, "RuntimeError: CUDA error: operation not permitted when stream is capturing"),
    ],
    ids=["old", "refused"],
)
def test_a_graph_that_cannot_be_had_says_why(bench: Bench, more: dict[str, Any], why: str) -> None:
    """And costs the other variants nothing."""
    run = bench(Gpu(), **more)
    assert run.why("step", "cuda-graph", size="large") == why
    assert run.why("step", "cuda-graph", size="course") == why
    assert run.find("step", "eager", size="large").unavailable is None
    assert run.find("step", "closed-form", size="large").unavailable is None


def test_a_graph_that_dies_at_its_replay_says_why(bench: Bench) -> None:
    """Capture went well and the first replay did not."""

    class Deadborn(CudaGraph):
        def replay(self) -> None:
            raise RuntimeError("CUDA error: invalid argument")

    gpu = Gpu()
    run = bench(gpu, CUDAGraph=lambda: Deadborn(gpu))
    assert run.why("step", "cuda-graph", size="large") == "RuntimeError: CUDA error: invalid argument"
    assert run.find("step", "eager", size="large").unavailable is None


def test_events_that_lie_leave_the_hosts_clock(bench: Bench) -> None:
    """As simulators have it: every figure is the host's then, and none is called the device's."""
    run = bench(Gpu(), lie=lambda ms: 0.0)
    measured = [t for t in run.timings if t.unavailable is None]
    assert {t.clock for t in measured} == {"host"}
    assert all(t.host_samples_s is None for t in measured)
    assert run.median("matmul") == pytest.approx(2 * 8192**3 / 50e12, rel=0.01)


def test_a_small_card_gets_small_work(bench: Bench) -> None:
    """With 2 GiB free no workload takes more than a part of it, and nothing runs out of memory."""
    run = bench(Gpu(memory=4 << 30, free=2 << 30))
    assert [t.unavailable for t in run.timings if t.unavailable is not None] == ["left out with --quick"]
    sizes = {t.size for t in run.timings if t.workload == "copy"}
    assert sizes == {"1 MiB", "64 MiB"}
    rows, features, classes = run.find("step", "eager", size="large").shape
    assert 4 * rows * (features + 4 * classes) <= 512 << 20


def test_memory_that_runs_out_costs_one_group(bench: Bench) -> None:
    """The card said that there was room, and there was none: that group says so, the others are measured."""
    gpu = Gpu()
    torch = torch_of(gpu)
    plain = torch.full

    def full(shape: Any, value: float, device: str = "cpu") -> Tensor:
        if len(shape) == 2 and shape[0] == shape[1] == 4096:
            raise OutOfMemoryError("CUDA out of memory. Tried to allocate 64.00 MiB")
        found = plain(shape, value, device)
        assert isinstance(found, Tensor)
        return found

    torch.full = full
    run = bench(gpu, torch=torch)
    assert "out of memory" in run.why("broadcast", size="64 MiB")
    assert run.find("broadcast", size="1 MiB").unavailable is None
    assert run.find("step", "eager", size="large").unavailable is None


def test_a_card_that_is_lost_half_way_leaves_what_it_had_shown(bench: Bench) -> None:
    """The first group keeps its samples; everything after it says what the card said, and the run comes to its end."""
    healthy = Gpu()
    bench(healthy)
    first = healthy.log.index("empty_cache")  # the first group is over
    run = bench(Gpu(lost_after=first + LOST))
    assert isinstance(run.find("matmul").samples_s, list)
    lost = [t for t in run.timings if t.workload in ("copy", "fill", "broadcast", "row-add") and t.size == "64 MiB"]
    assert len(lost) in (1, 4)
    assert all("illegal memory access" in str(t.unavailable) for t in lost)
    assert all("illegal memory access" in run.why("step", variant) for variant in ("eager", "cuda-graph"))
    assert all(isinstance(t.unavailable, str) for t in run.timings if t.workload != "matmul")


def test_the_second_card_is_measured_on_the_second_card(bench: Bench) -> None:
    """It is made current, and its tensors live there."""
    gpu = Gpu()
    run = bench(gpu, wanted="cuda:1", cards=2)
    assert gpu.log[0] == "set_device 1"
    assert run.device.name == "cuda:1"
    assert run.device.flush_buffer.device == "cuda:1"


def test_a_full_run_has_more_sizes_and_types(bench: Bench) -> None:
    """1 GiB outputs, float16 and float64; torch.compile says what it lacks where nothing can be written."""
    run = bench(Gpu(), quick=False, seconds=200.0)
    assert {t.size for t in run.timings if t.workload == "broadcast"} == {"1 MiB", "64 MiB", "1024 MiB"}
    assert {t.dtype for t in run.timings if t.workload == "matmul"} == {
        "float32",
        "tf32",
        "bfloat16",
        "float16",
        "float64",
    }
    assert "torch.compile" in run.why("step", "compile", size="large")


def test_late_is_not_never(bench: Bench) -> None:
    """What the verdict rests on is measured however little time is left; the rest says that there was none."""
    run = bench(Gpu(), seconds=0.0)
    for names in (("matmul",), ("broadcast", "", "64 MiB"), ("step", "closed-form", "large")):
        assert isinstance(run.find(*names).samples_s, list)
    assert run.why("step", size="course") == "no time was left for it"


JUDGED = [("matmul", ""), ("broadcast", ""), ("step", "eager")]


def gaps(timing: Timing) -> list[float]:
    """Seconds between one sample and the next."""
    assert isinstance(timing.at_s, list)
    return [after - before for before, after in pairwise(timing.at_s)]


def test_what_is_judged_is_visited_twice(bench: Bench) -> None:
    """Its samples come from two spells with other work between them; nothing is recorded twice, and all columns fit."""
    gpu = Gpu()
    run = bench(gpu)
    keys = [(t.workload, t.variant, t.size, t.dtype) for t in run.timings]
    assert len(keys) == len(set(keys))
    for workload, variant in JUDGED:
        timing = run.find(workload, variant, size={"broadcast": "64 MiB", "step": "large"}.get(workload, ""))
        assert isinstance(timing.samples_s, list)
        assert isinstance(timing.at_s, list)
        assert len(timing.samples_s) == len(timing.at_s) == len(set(timing.at_s))
        between = [other.at_s for other in run.timings if other.size == "1 MiB" and isinstance(other.at_s, list)]
        assert any(timing.at_s[0] < moments[0] and moments[-1] < timing.at_s[-1] for moments in between)
        assert max(gaps(timing)) > 10 * sorted(gaps(timing))[len(timing.at_s) // 2]
    assert max(gaps(run.find("matmul", dtype="bfloat16"))) < 0.2


def test_a_second_visit_that_fails_leaves_the_first(bench: Bench) -> None:
    """Its samples stay, and the record says why nothing joined them."""
    whole = bench(Gpu()).find("matmul")
    gpu = Gpu()
    torch = torch_of(gpu)
    plain, seen = torch.mm, set()

    def mm(left: Tensor, right: Tensor, **more: Any) -> Any:
        seen.add(left.size)
        if {2, 4} <= seen and left.size == 4:  # the products of two bytes come between the two visits
            raise RuntimeError("CUDA error: an illegal instruction was encountered")
        return plain(left, right, **more)

    torch.mm = mm
    half = bench(gpu, torch=torch).find("matmul")
    assert half.unavailable is None
    assert isinstance(half.samples_s, list)
    assert isinstance(whole.samples_s, list)
    assert 0 < len(half.samples_s) < len(whole.samples_s)
    assert half.stopped_by == "RuntimeError: CUDA error: an illegal instruction was encountered"


def test_a_wrong_output_is_told(bench: Bench) -> None:
    """One element that differs from the reference, or was not written, is found and named with its workload."""
    gpu = Gpu()
    torch = torch_of(gpu)
    written = {"sum": 0.0, "differing": 0}
    tensor = type(
        "Tensor", (Tensor,), {"__float__": lambda self: written["sum"], "__int__": lambda self: written["differing"]}
    )
    torch.full = lambda shape, value, device="cpu": tensor(gpu, shape, device)
    written["differing"] = 1
    run = bench(gpu, torch=torch)
    assert any(words.startswith("broadcast 64 MiB float32: 1 of ") for words in run.wrong)
    written.update(sum=float("nan"), differing=0)
    run = bench(gpu, torch=torch, seconds=gpu.now + 9.0)
    assert any(words == "fill 64 MiB float32: some elements were not written" for words in run.wrong)


def test_the_record_of_outputs_is_a_check() -> None:
    """What is put under ``workload-outputs`` can be read as a check of the others' kind."""
    from envcheck.probe.bench.lab import pending
    from envcheck.probe.bench.numerics import OUTPUTS

    check = msgspec.convert(pending(*OUTPUTS), NumericCheck)
    assert check.id == "workload-outputs"
