"""What --explain derives is true: each closed form against differences, in plain floats, without any torch."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from math import cos, exp, isclose, log, sin, tanh

import pytest

from envcheck.probe.bench.numerics import CHECKS, OUTPUTS
from envcheck.report.lessons import LESSONS

Vector = Sequence[float]
H = 1e-5
CHANCE = random.Random(11)
X = [CHANCE.gauss(0, 1) for _ in range(4)]
A = [[CHANCE.gauss(0, 1) for _ in range(4)] for _ in range(4)]
B = [[CHANCE.gauss(0, 1) for _ in range(4)] for _ in range(3)]
T = 0.7


def dot(a: Vector, b: Vector) -> float:
    return sum(p * q for p, q in zip(a, b, strict=True))


def times(matrix: Sequence[Vector], x: Vector) -> list[float]:
    return [dot(row, x) for row in matrix]


def softmax(z: Vector) -> list[float]:
    raised = [exp(value - max(z)) for value in z]
    return [value / sum(raised) for value in raised]


def difference(f: Callable[[Vector], float], x: Vector, k: int) -> float:
    """Half the difference by h: exact to h^2, as the lesson of gradcheck says."""
    up, down = list(x), list(x)
    up[k] += H
    down[k] -= H
    return (f(up) - f(down)) / (2 * H)


def cross_entropy(z: Vector) -> float:
    return -log(softmax(z)[2])


def binary(z: Vector) -> float:
    p = 1 / (1 + exp(-z[0]))
    return -(0.3 * log(p) + 0.7 * log(1 - p))


def residual(w: Vector) -> list[float]:
    return [found - 1.0 for found in times(B, w)]


S = softmax(X)
U = times(A, X)
GRADIENTS: dict[str, tuple[Callable[[Vector], float], Vector, Callable[[int], float]]] = {
    "derivative-scalar": (lambda x: x[0] ** 3 - 4 * x[0] + sin(x[0]), [T], lambda k: 3 * T**2 - 4 + cos(T)),
    "gradient: 2 x'x": (lambda x: 2 * dot(x, x), X, lambda k: 4 * X[k]),
    "gradient: x'Ax": (
        lambda x: dot(x, times(A, x)),
        X,
        lambda k: times(A, X)[k] + sum(X[i] * A[i][k] for i in range(4)),
    ),
    "vector-by-scalar": (
        lambda t: cos(t[0]) + 2 * sin(t[0]) + 3 * exp(t[0] / 2),
        [T],
        lambda k: -sin(T) + 2 * cos(T) + 1.5 * exp(T / 2),
    ),
    "jacobian: Ax": (lambda x: times(A, x)[1], X, lambda k: A[1][k]),
    "jacobian: softmax": (lambda x: softmax(x)[1], X, lambda k: (k == 1) * S[1] - S[1] * S[k]),
    "matrix-by-scalar": (lambda t: t[0] * A[0][1] + t[0] ** 2 * B[0][1], [T], lambda k: A[0][1] + 2 * T * B[0][1]),
    "matrix-by-vector": (lambda x: x[2] * B[0][1], X, lambda k: (k == 2) * B[0][1]),
    "chain-rule": (
        lambda x: dot(B[0], [tanh(u) for u in times(A, x)]),
        X,
        lambda k: sum(B[0][j] * (1 - tanh(U[j]) ** 2) * A[j][k] for j in range(4)),
    ),
    "chain-rule: loss": (lambda w: (dot(X, w) - 2) ** 2, A[0], lambda k: 2 * (dot(X, A[0]) - 2) * X[k]),
    "least-squares-gradient": (
        lambda w: dot(residual(w), residual(w)),
        X,
        lambda k: 2 * sum(B[i][k] * residual(X)[i] for i in range(3)),
    ),
    "binary-cross-entropy": (binary, [T], lambda k: 1 / (1 + exp(-T)) - 0.3),
    "softmax-gradient": (cross_entropy, X, lambda k: S[k] - (k == 2)),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_closed_forms_are_derivatives(name: str) -> None:
    """The formula that a lesson ends with, part by part."""
    f, x, formula = GRADIENTS[name]
    for k in range(len(x)):
        assert formula(k) == pytest.approx(difference(f, x, k), rel=1e-6, abs=1e-7)


def test_worked_values() -> None:
    """-log 0.2 = 1.609; exp overflows float32 above 88.7; softmax does not depend on what is subtracted."""
    assert isclose(-log(0.2), log(5))
    assert round(-log(0.2), 3) == 1.609
    largest = (2 - 2**-23) * 2.0**127
    assert exp(88.7) < largest < exp(88.8)
    raised = [exp(value) for value in X]
    assert [value / sum(raised) for value in raised] == pytest.approx(S)


def test_precision_in_figures() -> None:
    """Rounding to t bits after the point moves both factors: 3e-4 for 10 bits and 2e-3 for 7, relative to the sum."""

    def rounded(value: float, bits: int) -> float:
        unit = 2.0 ** (len(bin(int(abs(value) * 2**60))) - 3 - 60 - bits)
        return round(value / unit) * unit

    chance = random.Random(1)
    for bits, share in ((10, 2.9e-4), (7, 2.4e-3)):
        off = size = 0.0
        for _ in range(60):
            pairs = [(chance.gauss(0, 1), chance.gauss(0, 1)) for _ in range(256)]
            exact = sum(a * b for a, b in pairs)
            found = sum(rounded(a, bits) * rounded(b, bits) for a, b in pairs)
            off, size = off + (found - exact) ** 2, size + exact**2
        assert (off / size) ** 0.5 == pytest.approx(share, rel=0.35)


def test_every_check_has_its_lesson() -> None:
    """One for each check and none for what nobody checks; in ASCII and of few lines, so that it reads everywhere."""
    assert LESSONS.keys() == {*(name for name, _, _ in CHECKS), OUTPUTS[0]}
    for name, lines in LESSONS.items():
        assert 1 <= len(lines) <= 5, name
        assert all(line.isascii() and len(line) <= 120 for line in lines), name
