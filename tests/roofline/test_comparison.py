"""Same, faster, slower or not to be told apart: by synthetic runs whose truth is known."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from envcheck.roofline import Row, compare

Make = Callable[..., list[float]]
MakeRow = Callable[..., Row]
TRIES = 200


def answers(row: MakeRow, timing: Make, slowdown: float, **weather: float) -> list[str]:
    """The answers of many pairs of runs; the second is slowed down by a factor, and both have their own level."""
    found = []
    for seed in range(TRIES):
        level = 1 + 0.06 * ((seed * 7919) % 21 - 10) / 10  # two runs of one machine differ by up to 6 %
        before = row(timing(2 * seed, 0.01, **weather))
        now = row(timing(2 * seed + 1, 0.01 * slowdown * level, **weather))
        found.append(compare(before, now).answer)
    return found


@pytest.mark.parametrize(
    ("weather", "told"),
    [
        ({}, 0.95),
        ({"scatter": 0.05, "often": 0.2}, 0.9),
        ({"scatter": 0.1, "often": 0.3, "n": 25}, 0.5),
        ({"n": 8}, 0.8),
    ],
    ids=["quiet", "breezy", "rough", "few"],
)
def test_two_runs_of_the_same_are_never_slower(
    row: MakeRow, timing: Make, weather: dict[str, float], told: float
) -> None:
    """SAME or AMBIGUOUS in at least 19 of 20; the rougher the weather, the less often it can say SAME."""
    found = answers(row, timing, 1.0, **weather)
    assert found.count("slower") + found.count("faster") <= TRIES // 50
    assert found.count("same") >= TRIES * told


@pytest.mark.parametrize("weather", [{}, {"scatter": 0.04, "often": 0.2}], ids=["quiet", "breezy"])
def test_a_slowdown_of_a_third_is_seen(row: MakeRow, timing: Make, weather: dict[str, float]) -> None:
    """1.3 times the time is SLOWER in at least 19 of 20."""
    assert answers(row, timing, 1.3, **weather).count("slower") >= 0.95 * TRIES


def test_a_gain_of_a_third_is_seen(row: MakeRow, timing: Make) -> None:
    """And in the other direction FASTER."""
    assert answers(row, timing, 1 / 1.3).count("faster") >= 0.95 * TRIES


def test_interference_alone_is_never_slower(row: MakeRow, timing: Make) -> None:
    """Two thirds of the samples slowed by half, the fastest as fast as before: AMBIGUOUS, with that reason."""
    for seed in range(40):
        before = row(timing(seed, often=0.0))
        quiet = timing(1000 + seed, often=0.0)
        now = row([x * (1.5 if i % 3 else 1.0) for i, x in enumerate(quiet)])
        result = compare(before, now)
        assert result.answer == "ambiguous"
        assert "interference" in result.reasons[0] or "scatter" in result.reasons[0]


def test_a_disturbed_run_is_ambiguous_with_its_reason(row: MakeRow, timing: Make) -> None:
    """A shared or noisy run is not compared, on whichever side it is."""
    good = row(timing(1))
    slow = [3 * x for x in timing(2)]
    shared = row(slow, waits_s=[0.5 * x for x in slow])
    noisy = row(timing(3, scatter=0.8))
    for before, now, word in ((good, shared, "now"), (shared, good, "before"), (good, noisy, "now")):
        result = compare(before, now)
        assert result.answer == "ambiguous"
        assert result.reasons[0].startswith(word)


def test_different_work_is_not_compared(row: MakeRow, timing: Make) -> None:
    """Another shape is another workload."""
    with pytest.raises(ValueError, match="is not"):
        compare(row(timing(1)), row(timing(2), shape=(1, 2, 3)))


def test_the_gap_can_be_narrower_between_equals(row: MakeRow, timing: Make) -> None:
    """Two equal cards in one minute differ by less than two runs on different days."""
    before, now = row(timing(1, often=0.0)), row(timing(2, 0.011, often=0.0))
    assert compare(before, now).answer == "same"
    assert compare(before, now, gap=0.05).answer == "slower"
