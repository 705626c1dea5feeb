"""Statistics of timings: no normal distribution is assumed, for a timing is a floor plus interference."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from math import ceil, comb, floor

import msgspec

CONFIDENCE = 0.95
NEIGHBOURS = 0.954
"""Median absolute difference of two normal samples, in standard deviations of one: 0.6745 times the root of 2."""


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The samples of one timing in seconds a step."""

    n: int
    median: float
    low: float  # the median lies between low and high with 95 % confidence (order statistics)
    high: float
    best: float
    p5: float
    p25: float
    p75: float
    p95: float
    mad: float  # median absolute deviation
    drift: float  # how much the last third is slower than the first, relative
    flicker: float  # standard deviation from one sample to the next, relative: what is left where the level moves

    @property
    def spread(self) -> float:
        """Interquartile range by median: 0.1 is a warning, 0.25 an influence from outside.

        The two limits are those of torch.utils.benchmark.
        """
        return (self.p75 - self.p25) / self.median if self.median else 0.0

    @property
    def uncertainty(self) -> float:
        """Half the width of the median's interval by the median."""
        return (self.high - self.low) / (2 * self.median) if self.median else 0.0

    @property
    def has_drifted(self) -> bool:
        """Did the speed move while it was measured, by more than the samples scatter?"""
        return abs(self.drift) > max(0.05, 2.0 * self.flicker)


def summarise(samples: Sequence[float]) -> Summary:
    """Raises :class:`ValueError` for no samples at all."""
    if not samples:
        raise ValueError("no samples")
    ranked = sorted(samples)
    middle = median(ranked)
    low, high = interval(ranked)
    third = max(1, len(samples) // 3)
    first, last = median(sorted(samples[:third])), median(sorted(samples[-third:]))
    return Summary(
        n=len(ranked),
        median=middle,
        low=low,
        high=high,
        best=ranked[0],
        p5=quantile(ranked, 0.05),
        p25=quantile(ranked, 0.25),
        p75=quantile(ranked, 0.75),
        p95=quantile(ranked, 0.95),
        mad=median(sorted(abs(sample - middle) for sample in ranked)),
        flicker=_flicker(samples, middle),
        drift=last / first - 1.0 if first and len(samples) >= 6 else 0.0,
    )


def _flicker(samples: Sequence[float], middle: float) -> float:
    steps = sorted(abs(b - a) for a, b in pairwise(samples))
    return median(steps) / NEIGHBOURS / middle if steps and middle else 0.0


def median(ranked: Sequence[float]) -> float:
    """Of sorted samples."""
    n = len(ranked)
    return (ranked[(n - 1) // 2] + ranked[n // 2]) / 2.0


def quantile(ranked: Sequence[float], share: float) -> float:
    """Of sorted samples, between neighbours in proportion."""
    place = share * (len(ranked) - 1)
    below, above = ranked[floor(place)], ranked[ceil(place)]
    return below + (above - below) * (place - floor(place))


def interval(ranked: Sequence[float]) -> tuple[float, float]:
    """Two order statistics between which the true median lies with a chance of at least 95 %.

    The number of samples below the median is binomial with 1/2, whatever their distribution.  With fewer than six
    samples no two of them reach 95 %; the extremes are given then.
    """
    n = len(ranked)
    off = rank(n)
    return ranked[off], ranked[n - 1 - off]


@cache
def rank(n: int) -> int:
    """How many samples are cut off at each end for the median's interval."""
    tail, cut = 0, -1
    limit = (1.0 - CONFIDENCE) / 2.0 * 2**n if n < 1000 else 0
    if n >= 1000:  # the normal approximation is exact to a rank here, and 2**n no float
        return max(0, int(n / 2.0 - 0.98 * n**0.5))
    for k in range(n // 2):
        tail += comb(n, k)
        if tail > limit:
            break
        cut = k
    return max(0, cut)
