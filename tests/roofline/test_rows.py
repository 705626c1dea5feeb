"""Which samples count, and whether a row may accuse anybody."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from envcheck.roofline import Row, row_of
from envcheck.roofline.gauges import Readings, held_by, settled_clock, spell, throttled

Make = Callable[..., list[float]]
MakeRow = Callable[..., Row]


def test_disturbed_samples_do_not_count(row: MakeRow, timing: Make) -> None:
    """Those whose threads stood in the queue for a processor are left out while enough others remain."""
    samples = timing(1, n=40, often=0.0)
    slow = [3 * x for x in samples[:15]] + samples[15:]
    waits = [0.5 * x for x in slow[:15]] + [0.0] * 25
    made = row(slow, waits_s=waits)
    assert (made.taken, made.disturbed, made.summary.n) == (40, 15, 25)
    assert made.trust == "steady"
    assert made.seconds == pytest.approx(0.01, rel=0.05)


def test_a_shared_processor_is_told_from_a_slow_one(row: MakeRow, timing: Make) -> None:
    """Where almost every sample was disturbed the row is shared, whatever its scatter."""
    samples = [2 * x for x in timing(2, n=30, often=0.0)]
    assert row(samples, waits_s=[0.4 * x for x in samples]).trust == "shared"
    assert row(samples, waits_s=[0.0] * 30).trust == "steady"
    assert row(samples, waits_s=None).trust == "steady"


@pytest.mark.parametrize(("scatter", "trust"), [(0.01, "steady"), (0.13, "shaky"), (0.6, "noisy")])
def test_scatter_decides_the_trust(row: MakeRow, timing: Make, scatter: float, trust: str) -> None:
    """A tenth between the quartiles is shaky, a quarter noisy."""
    made = row(timing(5, n=200, scatter=scatter, often=0.0))
    assert made.trust == trust
    assert made.is_trusted is (trust != "noisy")


def test_two_samples_are_noise(row: MakeRow) -> None:
    """Nothing is concluded from so little, and it is not called scatter."""
    assert row([0.01, 0.0101]).trust == "noisy"
    assert row([0.01, 0.0101]).doubt == "only 2 samples were taken"
    assert row([0.01]).doubt == "only 1 sample was taken"
    assert row([0.01, 0.02, 0.03, 0.04]).doubt.startswith("the samples scatter by")
    assert row([0.01] * 9).doubt == ""


def readings(clocks: list[int], reasons: list[int], others: int = 0) -> Readings:
    n = len(clocks)
    return Readings(
        at_s=[0.1 * i for i in range(n)],
        clock_sm_mhz=clocks,
        clock_reasons=reasons,
        temperature_c=[60 + i for i in range(n)],
        power_w=[300.0] * n,
        utilization_percent=[100] * n,
        pcie_generation=[1, *[4] * (n - 1)],
        pcie_width=[16] * n,
        others=[others] * n,
    )


def test_throttled_samples_are_dropped() -> None:
    """Samples below three quarters of the settled clock, or with a reason that holds the card down, do not count."""
    calm, hot = [1980] * 20, [1980] * 10 + [900] * 4 + [1980] * 6
    moments = [0.1 * i for i in range(20)]
    samples = [0.01] * 10 + [0.022] * 4 + [0.01] * 6
    made = row_of(workload="copy", samples_s=samples, at_s=moments, readings=readings(hot, [0] * 20))
    assert made.throttled == 4
    assert made.seconds == 0.01
    brake = row_of(workload="copy", samples_s=samples, at_s=moments, readings=readings(calm, [0x80] * 20))
    assert brake.throttled == 20
    assert brake.trust == "throttled"
    assert brake.spell is not None
    assert brake.spell.reasons == ("hw_power_brake",)


def test_an_idle_clock_is_no_throttling() -> None:
    """The readings before and after the work show an idle card: they do not lower the settled clock."""
    seen = readings([210, 210, 1980, 1980, 1980, 210], [1, 1, 0, 0, 0, 1])
    assert settled_clock(seen) == 1980
    assert throttled(seen, [0.2, 0.3], 1980) == [False, False]


def test_the_link_is_judged_by_its_best_moment() -> None:
    """Between two copies an idle link steps down: the highest generation seen counts."""
    seen = readings([1980] * 8, [0] * 8)
    assert spell(seen, 0.0, 0.7).generation == 4
    assert spell(seen, 0.0, 0.7).temperature_c == 67


def test_a_reason_that_flashes_once_is_none() -> None:
    """A change of the performance state sets the slowdown bit for a moment."""
    flash = readings([1980] * 30, [0x8] + [0] * 29)
    assert held_by(flash, list(range(30))) == ()
    assert held_by(flash, list(range(5))) == ("hw_slowdown",)


def test_another_process_makes_the_row_shared() -> None:
    """Whoever else computes on the card may have taken any part of it."""
    made = row_of(
        workload="copy",
        samples_s=[0.01] * 10,
        at_s=[0.1 * i for i in range(10)],
        readings=readings([1980] * 10, [0] * 10, others=1),
    )
    assert made.trust == "shared"


def test_columns_of_different_length_are_an_error(row: MakeRow) -> None:
    """Nothing is guessed about which wait belongs to which sample."""
    with pytest.raises(ValueError, match="waits"):
        row([0.1, 0.1, 0.1], waits_s=[0.0])


def test_the_host_by_the_device() -> None:
    """Wall time by device time of the same step."""
    made = row_of(workload="step", samples_s=[0.01] * 9, host_samples_s=[0.02] * 5)
    assert made.host_ratio == pytest.approx(2.0)


def test_a_long_pause_parts_two_visits(row: MakeRow) -> None:
    """Each steady spell stands by itself; one that scatters, or has too few clean samples, is none."""
    moments = [0.1 * i for i in range(8)] + [30 + 0.1 * i for i in range(8)]
    both = row([0.01] * 8 + [0.02] * 8, at_s=moments)
    assert [(visit.summary.median, visit.begin, visit.end) for visit in both.visits] == [
        (0.01, 0.0, pytest.approx(0.7)),
        (0.02, 30.0, pytest.approx(30.7)),
    ]
    assert (both.trust, row([0.01] * 8 + [0.02] * 8).trust) == ("shaky", "noisy")  # two levels, and mere scatter
    wild = row([0.01] * 8 + [0.02, 0.05] * 4, at_s=moments)
    assert wild.trust == "noisy"
    assert [visit.summary.median for visit in wild.visits] == [0.01]
    shared = row([0.01] * 16, at_s=moments, waits_s=[0.0] * 8 + [0.005] * 8)
    assert len(shared.visits) == 1
    assert [visit.summary.n for visit in row([0.01] * 16).visits] == [16]
    assert both.during(wild.visits[0]) == both.visits[0]
    assert shared.during(both.visits[1]) is None
