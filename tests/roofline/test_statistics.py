"""Statistics of timings, against their definitions and against chance."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import accumulate
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.roofline.statistics import interval, median, quantile, rank, summarise

SAMPLES = st.lists(st.floats(1e-9, 1e3), min_size=1, max_size=200)


@given(SAMPLES)
def test_the_order_of_the_figures(samples: list[float]) -> None:
    """best <= p5 <= low-or-p25 <= median <= p75 <= p95, and the interval holds the median."""
    s = summarise(samples)
    assert s.best <= s.p5 <= s.p25 <= s.median <= s.p75 <= s.p95
    assert s.best <= s.low <= s.median <= s.high
    assert s.n == len(samples)
    assert s.spread >= 0
    assert s.uncertainty >= 0


@given(SAMPLES, st.floats(1e-3, 1e3))
def test_a_change_of_unit_changes_nothing_that_has_none(samples: list[float], unit: float) -> None:
    """Spread, uncertainty and drift are ratios."""
    one, other = summarise(samples), summarise([unit * x for x in samples])
    assert other.median == pytest.approx(unit * one.median)
    assert other.spread == pytest.approx(one.spread, rel=1e-6, abs=1e-9)
    assert other.uncertainty == pytest.approx(one.uncertainty, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("n", [*range(1, 40), 100, 399, 999, 1000, 1001, 4000])
def test_the_interval_is_the_narrowest_with_its_confidence(n: int) -> None:
    """P(median outside) = 2 P(Bin(n, 1/2) <= off) is at most 5 %, and one rank further inside it is more."""
    off = rank(n)

    def outside(k: int) -> float:
        return 2 * sum(comb(n, i) for i in range(k + 1)) / 2**n if n < 1000 else 0.0

    if n < 6:
        assert off == 0
    elif n < 1000:
        assert outside(off) <= 0.05 < outside(off + 1)
    else:
        tails = accumulate(comb(n, i) for i in range(n))
        exact = next(k for k, tail in enumerate(tails) if 40 * tail > 2**n) - 1  # P > 2.5 % at one end
        assert abs(off - exact) <= 1


def test_the_interval_keeps_its_promise() -> None:
    """Of many skewed sets of samples with a known median, the interval holds it in 95 of 100 or more."""
    chance = random.Random(3)
    held = 0
    for _ in range(400):
        low, high = interval(sorted(1 + chance.expovariate(1.0) for _ in range(25)))
        held += low <= 1 + 0.6931471805599453 <= high
    assert held >= 0.93 * 400


def test_quantiles_by_hand() -> None:
    """Between neighbours in proportion; the median of an even number is the middle of two."""
    assert quantile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.5 == median([1.0, 2.0, 3.0, 4.0])
    assert quantile([1.0, 2.0], 0.0) == 1.0
    assert quantile([1.0, 2.0], 1.0) == 2.0
    assert quantile([5.0], 0.05) == 5.0


def test_the_dispersion_by_hand() -> None:
    """Median absolute deviation and interquartile range of five numbers."""
    s = summarise([1.0, 2.0, 3.0, 4.0, 100.0])
    assert s.mad == 1.0
    assert s.spread == pytest.approx(2 / 3)


def test_a_drift_is_seen_and_scatter_is_not_one(timing: Callable[..., list[float]]) -> None:
    """Samples that grow by a third have drifted; those that only scatter have not."""
    steady = timing(1, scatter=0.02)
    assert not summarise(steady).has_drifted
    growing = [x * (1 + 0.4 * i / len(steady)) for i, x in enumerate(timing(1, scatter=0.005, often=0.0))]
    assert summarise(growing).drift > 0.2
    assert summarise([*([1.0] * 30), *([1.3] * 30)]).has_drifted


def test_no_samples_are_an_error() -> None:
    """Nothing measured is not zero seconds."""
    with pytest.raises(ValueError, match="no samples"):
        summarise([])
