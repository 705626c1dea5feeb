"""Two runs of the same work: the same, faster, slower, or not to be told apart, and why."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from .row import Row

Answer: TypeAlias = Literal["same", "faster", "slower", "ambiguous"]
CLEAR_GAP = 0.15
"""Medians that differ by less are not called different: two runs on one quiet machine differ by up to a tenth."""
EDGE = 2.0 / 3.0
"""Of the gap, that the fastest samples must show too.  Interference slows some samples and leaves the fastest alone;
what has really become slower slows them all."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Of a row now with the same row before."""

    answer: Answer
    ratio: float  # median now by median before: above 1 is slower
    reasons: tuple[str, ...]


def compare(before: Row, now: Row, gap: float = CLEAR_GAP) -> Comparison:
    """Compare one row with an earlier one of the same :attr:`Row.key`.

    *slower* and *faster* need all of: both rows undisturbed, medians apart by ``gap``, intervals of the medians apart,
    and the fastest samples apart by two thirds of the gap in the same direction.  *same* needs medians nearer than the
    gap in rows that are trusted.  Everything else is *ambiguous*.  Raises :class:`ValueError` for different work.
    """
    if before.key != now.key:
        raise ValueError(f"{before.name} is not {now.name}")
    a, b = before.summary, now.summary
    ratio = b.median / a.median if a.median > 0 else 1.0
    doubts = [f"{when}: {_doubt(row)}" for when, row in (("before", before), ("now", now)) if not row.is_trusted]
    if doubts:
        return Comparison(answer="ambiguous", ratio=ratio, reasons=tuple(doubts))
    needed = 1.0 + max(gap, 2.0 * max(a.uncertainty, b.uncertainty))
    low, high = sorted((a.median, b.median))
    if low <= 0 or high / low < needed:
        return Comparison(answer="same", ratio=ratio, reasons=(f"medians within {needed - 1:.0%} of each other",))
    slower = ratio > 1
    fast_edge = b.p5 / a.p5 if slower else a.p5 / b.p5
    if fast_edge < 1.0 + EDGE * gap:
        words = (
            f"the medians differ by {high / low - 1:.0%} and the fastest samples by {fast_edge - 1:.0%}: interference"
        )
        return Comparison(answer="ambiguous", ratio=ratio, reasons=(words,))
    apart = b.low > a.high if slower else b.high < a.low
    if not apart:
        return Comparison(answer="ambiguous", ratio=ratio, reasons=("the intervals of the two medians overlap",))
    reasons = (f"median {ratio:.2f} times, fastest samples {b.p5 / a.p5:.2f} times the earlier ones",)
    return Comparison(answer="slower" if slower else "faster", ratio=ratio, reasons=reasons)


def _doubt(row: Row) -> str:
    return {
        "shared": f"{row.disturbed} of {row.taken} samples were disturbed by other programs"
        if row.disturbed
        else "another process used the device",
        "throttled": f"the card was held down in {row.throttled} of {row.taken} samples",
        "noisy": f"the samples scatter by {row.summary.spread:.0%}",
    }.get(row.trust, row.trust)
