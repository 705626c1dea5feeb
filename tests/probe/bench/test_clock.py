"""Sampling: when enough was taken, how many steps make a sample, and what a member that fails costs the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.probe.bench.clock import MOST_REPEATS, Member, Sampler, Stop, absent, interval, is_steady
from envcheck.probe.bench.device import choose
from tests.probe.bench.pretended_cuda import Gpu, torch_of

Enter = Callable[[Gpu], None]


@pytest.mark.parametrize(
    ("samples", "spent", "reason"),
    [
        ([1.0] * 9, 1.0, None),  # too few
        ([1.0] * 10, 0.2, None),  # too short
        ([1.0] * 10, 0.3, "precise"),
        ([1.0, 1.5] * 20, 1.0, None),  # too far apart
        ([1.0, 1.5] * 20, 3.0, "time"),
        ([], 3.0, "time"),
        ([1.0, 1.5] * 200, 0.1, "count"),
    ],
)
def test_when_enough_was_taken(samples: list[float], spent: float, reason: str | None) -> None:
    """Precise, out of time, or enough of them: whichever comes first ends it."""
    assert Stop().reason(samples, spent) == reason


def test_the_interval_holds_the_median() -> None:
    """By hand: of 25 samples the ranks 7 and 17 (from 0), the median in the middle; of one sample, itself."""
    assert interval([float(n) for n in range(25)]) == (7.0, 12.0, 17.0)
    assert interval([3.0]) == (3.0, 3.0, 3.0)


def test_when_times_have_stopped_moving() -> None:
    """The last three within 5 %; two are not enough."""
    assert is_steady([9.0, 1.0, 1.02, 1.04])
    assert not is_steady([1.0, 1.0, 1.1])
    assert not is_steady([1.0, 1.0])


def sampled(in_virtual_time: Enter, gpu: Gpu, *members: Member) -> None:
    in_virtual_time(gpu)
    card = choose(torch_of(gpu), "cuda")
    card.try_events()
    sampler = Sampler(card, Stop(most_s=0.5, most=50), warm_s=0.01, longest_warm_s=0.1, precise_clock=gpu.clock)
    sampler.run("group", list(members), 0.5, lambda: None)


def working(gpu: Gpu, seconds: float) -> Callable[[], None]:
    return lambda: gpu.call("work", seconds)


def test_short_steps_are_repeated_within_a_sample(in_virtual_time: Enter) -> None:
    """Until the clock can see them; a cold one never, for its second step would not be cold."""
    gpu = Gpu()
    short, cold, tiny = (Member(name, working(gpu, 1e-5), (1,), cold=name == "cold") for name in ("a", "cold", "b"))
    tiny.step = lambda: setattr(gpu, "now", gpu.now + 1e-9)
    tiny.force_host = True
    sampled(in_virtual_time, gpu, short, cold, tiny)
    assert 10 < short.record["repeats"] < 30
    assert cold.record["repeats"] == 1
    assert 900 <= tiny.record["repeats"] <= MOST_REPEATS
    for member in (short, cold):
        assert member.record["samples_s"][0] == pytest.approx(1e-5, rel=0.15)


def failing(gpu: Gpu, at: int) -> Callable[[], None]:
    """A step that raises at that call."""
    made = [0]

    def step() -> None:
        made[0] += 1
        if made[0] == at:
            raise RuntimeError("CUDA error: unspecified launch failure\nin two lines")
        gpu.call("work", 1e-3)

    return step


@pytest.mark.parametrize("at", [1, 2, 30], ids=["first-call", "warm-up", "sampling"])
def test_a_member_that_fails_costs_the_others_nothing(in_virtual_time: Enter, at: int) -> None:
    """Wherever it fails it is not available, in the error's words on one line; the other one is measured."""
    gpu = Gpu()
    bad, good = Member("bad", failing(gpu, at), (1,)), Member("good", working(gpu, 1e-3), (1,))
    sampled(in_virtual_time, gpu, bad, good)
    assert bad.record["unavailable"] == "RuntimeError: CUDA error: unspecified launch failure in two lines"
    assert good.record["unavailable"] is None
    assert len(good.record["samples_s"]) >= 10
    assert good.record["stopped_by"] in ("precise", "count", "time")


def test_the_first_call_is_no_sample(in_virtual_time: Enter) -> None:
    """Loading and compiling take a second: told apart, and in no sample."""
    gpu = Gpu()
    made: list[int] = []

    def step() -> None:
        made.append(1)
        gpu.call("work", 1.0 if len(made) == 1 else 1e-3)

    member = Member("slow to start", step, (1,))
    sampled(in_virtual_time, gpu, member)
    assert member.record["first_call_s"] == pytest.approx(1.0, rel=0.01)
    assert max(member.record["samples_s"]) == pytest.approx(1e-3, rel=0.01)
    assert member.record["settled"] is True


def test_what_is_absent_says_so_in_every_fact() -> None:
    """One reason, and no figure that could be taken for a measurement."""
    record: dict[str, Any] = absent("step", "no such thing here", variant="compile", size="large")
    assert record["unavailable"] == "no such thing here"
    for fact in ("samples_s", "at_s", "waits_s", "host_samples_s", "first_call_s", "warmup_s", "settled", "stopped_by"):
        assert record[fact] == {"kind": "unread", "why": "unsupported", "detail": "no such thing here"}
