"""Two runs under noise of several shapes: the same work is never called slower, and a third slower is always seen."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from envcheck.roofline import Row, compare

MakeRow = Callable[..., Row]
Noise = Callable[[random.Random, int, int], float]
TRIES, N, FLOOR = 100, 50, 0.01


def gaussian(chance: random.Random, i: int, n: int) -> float:
    """Scatter to both sides: 3 % standard deviation."""
    return 1 + chance.gauss(0, 0.03)


def lognormal(chance: random.Random, i: int, n: int) -> float:
    """A floor with a long tail above it."""
    return 1 + chance.lognormvariate(-3.5, 1.0)


def drift(chance: random.Random, i: int, n: int) -> float:
    """A device that warms up: 8 % slower at the end than at the beginning."""
    return 1 + 0.08 * i / n + chance.gauss(0, 0.01)


def bimodal(chance: random.Random, i: int, n: int) -> float:
    """Two clocks: one sample in three is 12 % slower."""
    return (1.12 if chance.random() < 1 / 3 else 1.0) + chance.gauss(0, 0.01)


def bursts(chance: random.Random, i: int, n: int) -> float:
    """Another program comes for a fifth of the run and takes half of the processor."""
    return (1.5 if i // 10 % 5 == 2 else 1.0) + abs(chance.gauss(0, 0.02))


SHAPES = (gaussian, lognormal, drift, bimodal, bursts)


def runs(row: MakeRow, shape: Noise, slowdown: float) -> list[str]:
    found = []
    for seed in range(TRIES):
        chance = random.Random(seed)
        before = [FLOOR * shape(chance, i, N) for i in range(N)]
        now = [FLOOR * slowdown * shape(chance, i, N) for i in range(N)]
        found.append(compare(row(before), row(now)).answer)
    return found


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_two_runs_of_the_same_are_not_slower(row: MakeRow, shape: Noise) -> None:
    """SAME or AMBIGUOUS in at least 19 of 20; under noise as mild as this, mostly SAME."""
    found = runs(row, shape, 1.0)
    assert found.count("slower") + found.count("faster") <= TRIES // 20
    assert found.count("same") >= 0.9 * TRIES


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_third_more_is_slower(row: MakeRow, shape: Noise) -> None:
    """1.3 times the time is SLOWER in at least 19 of 20, and never FASTER."""
    found = runs(row, shape, 1.3)
    assert found.count("slower") >= 0.95 * TRIES
    assert "faster" not in found


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_a_third_less_is_faster(row: MakeRow, shape: Noise) -> None:
    """The comparison has no favourite direction."""
    found = runs(row, shape, 1 / 1.3)
    assert found.count("faster") >= 0.95 * TRIES
    assert "slower" not in found


@pytest.mark.parametrize("share", [0.4, 0.6, 0.9])
def test_noise_too_large_for_a_verdict_gives_none(row: MakeRow, share: float) -> None:
    """Where that part of all samples is disturbed by up to threefold, nothing is called slower for it."""
    for seed in range(TRIES):
        chance = random.Random(seed)
        before = [FLOOR * (1 + abs(chance.gauss(0, 0.02))) for _ in range(N)]
        now = [FLOOR * (1 + (2 * chance.random() if chance.random() < share else 0.0)) for _ in range(N)]
        assert compare(row(before), row(now)).answer in ("same", "ambiguous")
