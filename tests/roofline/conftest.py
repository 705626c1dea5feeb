"""Synthetic samples of known law: a floor, and interference that is added to some of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from envcheck.roofline import Row, row_of

Make = Callable[..., list[float]]


@pytest.fixture(scope="session")
def timing() -> Make:
    """``timing(seed, floor)``: samples of a program on a machine that others use a little, too.

    ``scatter`` is the relative standard deviation of the floor, ``often`` and ``much`` how often another program comes
    in the way and for how much of a sample.
    """

    def make(
        seed: int, floor: float = 0.01, n: int = 60, scatter: float = 0.02, often: float = 0.1, much: float = 0.5
    ) -> list[float]:
        chance = random.Random(seed)
        samples = []
        for _ in range(n):
            sample = floor * (1 + abs(chance.gauss(0, scatter)))
            if chance.random() < often:
                sample += floor * chance.expovariate(1 / much)
            samples.append(sample)
        return samples

    return make


@pytest.fixture(scope="session")
def row() -> Callable[..., Row]:
    """A row of those samples; the workload and everything else by keyword."""

    def make(samples: Sequence[float], **more: Any) -> Row:
        given: dict[str, Any] = {"workload": "step", "variant": "eager", "size": "large", "shape": (1024, 2048, 512)}
        return row_of(samples_s=samples, **{**given, **more})

    return make
