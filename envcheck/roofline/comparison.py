"""Two runs of the same work: the same, faster, slower, or not to be told apart, and why."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

import msgspec

from .row import Row
from .table import BEYOND_CACHE, size_of

Answer: TypeAlias = Literal["same", "faster", "slower", "ambiguous"]
CLEAR_GAP = 0.15
"""Medians that differ by less are not called different: two runs on one quiet machine differ by up to a tenth."""
EDGE = 2.0 / 3.0
"""Of the gap, that the fastest samples must show too.  Interference slows some samples and leaves the fastest alone;
what has really become slower slows them all."""
LEAST_ITSELF = 0.05
"""What differs from its companions must also differ by so much from itself, or it is they that have changed."""
WEATHER = 2.0
"""On a processor everything moves together by up to this factor from one minute to the next: its clock, its memory's
other users, the other guests of the same hardware.  On virtual machines of two processors 1.7 was seen."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Of a row now with the same row before."""

    answer: Answer
    ratio: float  # median now by median before: above 1 is slower
    reasons: tuple[str, ...]


def compare_all(before: Iterable[Row], now: Iterable[Row], *, drifts: bool) -> dict[tuple[object, ...], Comparison]:
    """Compare all rows of a device that an earlier run has too, by :attr:`Row.key`.

    ``drifts``: the device's speed changes with its surroundings and no gauge tells (a processor).  What a row has in
    common with its companions is no news of its own then; see :func:`compare`.
    """
    earlier = {row.key: row for row in before}
    pairs = [(earlier[row.key], row) for row in now if row.key in earlier]
    steady = [(a, b) for a, b in pairs if a.is_trusted and b.is_trusted and a.seconds > 0 and b.seconds > 0]
    found: dict[tuple[object, ...], Comparison] = {}
    for old, new in pairs:
        beside = [b.seconds / a.seconds for a, b in steady if b is not new and are_companions(new, b)]
        found[new.key] = compare(old, new, beside=beside if drifts else None)
    return found


def are_companions(row: Row, other: Row) -> bool:
    """Does ``other`` show what the machine did while ``row`` was measured?

    It was measured in turns with it, on the same thing: the memory at one size, or one size of the step.  A square
    product has only itself in its group, and is compared with the products of the large step.
    """
    if row.workload == "matmul":
        return other.workload == "products" and other.size == "large"
    return _group(row) == _group(other)


def _group(row: Row) -> str:
    kind = {"copy": "memory", "fill": "memory", "broadcast": "memory", "row-add": "memory", "products": "step"}
    return f"{kind.get(row.workload, row.workload)} {row.size}"


def is_gauge(row: Row) -> bool:
    """Is the row there to show what the machine gives: a ceiling, or work that lives in a cache?"""
    in_cache = _group(row).startswith("memory") and size_of(row.size) < BEYOND_CACHE
    return in_cache or row.workload in ("copy", "fill", "matmul", "products")


def compare(before: Row, now: Row, gap: float = CLEAR_GAP, beside: Sequence[float] | None = None) -> Comparison:
    """Compare one row with an earlier one of the same :attr:`Row.key`.

    *slower* and *faster* need all of: both rows undisturbed, medians apart by ``gap``, intervals of the medians apart,
    and the fastest samples apart by two thirds of the gap in the same direction.  *same* needs medians nearer than the
    gap in rows that are trusted.  Everything else is *ambiguous*.

    ``beside`` holds the ratios, now by before, of rows that depend on the same thing, for a device whose speed drifts
    with its surroundings.  What both have in common is weather, up to a factor of :data:`WEATHER`, and the gap is taken
    from there: for a workload from the companion that moved least, for a gauge (:func:`is_gauge`), which has no other
    business than to show the weather, from the one that moved most.  Raises :class:`ValueError` for different work.
    """
    if before.key != now.key:
        raise ValueError(f"{before.name} is not {now.name}")
    a, b = before.summary, now.summary
    ratio = b.median / a.median if a.median > 0 else 1.0

    def answer(word: Answer, *reasons: str) -> Comparison:
        return Comparison(answer=word, ratio=ratio, reasons=reasons)

    doubts = [f"{when}: {row.doubt}" for when, row in (("before", before), ("now", now)) if not row.is_trusted]
    if doubts:
        return answer("ambiguous", *doubts)
    if a.median <= 0 or b.median <= 0:
        return answer("same", "no time passed")
    slower = ratio > 1
    moved = ratio if slower else 1 / ratio  # from here on everything is counted in the direction of the change
    edge = b.p5 / a.p5 if slower else a.p5 / b.p5
    needed = 1.0 + max(gap, 2.0 * max(a.uncertainty, b.uncertainty))
    common = 1.0
    if beside is not None:
        if not beside:
            if moved >= needed:
                return answer(
                    "ambiguous", f"it moved by {moved - 1:.0%}, and nothing steady beside it tells the weather"
                )
            return answer("same", f"medians within {needed - 1:.0%} of each other")
        moves = [other if slower else 1 / other for other in beside]
        common = max(moves) if is_gauge(now) else min(moves)
        common = common if common < WEATHER else 1.0
    own = moved / common
    if moved < needed and own < needed:
        return answer("same", f"medians within {needed - 1:.0%} of each other")
    if own < needed:
        words = f"what was measured beside it moved by {abs(common - 1):.0%} too: the machine's weather"
        return answer("ambiguous", words)
    if moved < 1.0 + min(gap, LEAST_ITSELF):
        words = (
            f"it moved by {moved - 1:.0%} only, and what was measured beside it by {abs(common - 1):.0%} the other way"
        )
        return answer("ambiguous", words)
    if edge / common < 1.0 + EDGE * gap:
        words = f"the medians differ by {moved - 1:.0%} and the fastest samples by {edge - 1:.0%}: interference"
        return answer("ambiguous", words)
    apart = b.low > a.high if slower else b.high < a.low
    if not apart:
        return answer("ambiguous", "the intervals of the two medians overlap")
    reason = f"median {ratio:.2f} times, fastest samples {b.p5 / a.p5:.2f} times the earlier ones"
    if beside:
        reason += f"; what was measured beside it {min(beside):.2f} to {max(beside):.2f} times"
    return answer("slower" if slower else "faster", reason)
