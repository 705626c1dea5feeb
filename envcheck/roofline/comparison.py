"""Two runs of the same work: the same, faster, slower, or not to be told apart, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import inf, log
from typing import Literal, TypeAlias

import msgspec

from .row import Row, Visit
from .statistics import Summary, median
from .table import BEYOND_CACHE, size_of

Answer: TypeAlias = Literal["same", "faster", "slower", "ambiguous"]
CLEAR_GAP = 0.15
"""Medians that differ by less are not called different: two runs on one quiet machine differ by up to a tenth."""
EDGE = 2.0 / 3.0
"""Of the gap, that the fastest samples must show too.  Interference slows some samples and leaves the fastest alone;
what has really become slower slows them all."""
LEAST_ITSELF = 0.05
"""What differs from its companions must also differ by so much from itself, or it is they that have changed."""
WEATHER = 3.0
"""On a processor everything moves together by up to this factor from one minute to the next: its clock, its memory's
other users, the other guests of the same hardware.  On a virtual machine of two processors 1.7 was seen in the memory,
and 2.3 in the calls of a small step."""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Of a row now with the same row before."""

    answer: Answer
    before_s: float  # the two medians that were compared, seconds a step
    now_s: float
    reasons: tuple[str, ...]

    @property
    def ratio(self) -> float:
        """Above 1 is slower."""
        return self.now_s / self.before_s if self.before_s > 0 else 1.0


def compare_all(before: Iterable[Row], now: Iterable[Row], *, drifts: bool) -> dict[tuple[object, ...], Comparison]:
    """Compare all rows of a device that an earlier run has too, by :attr:`Row.key`.

    ``drifts``: the device's speed changes with its surroundings and no gauge tells (a processor).  Each row is then
    compared in those two visits, one of each run, in which its companions show the machine most alike.  What they have
    still in common is no news of the row's own: the gap is taken from there, up to a factor of :data:`WEATHER`; for a
    workload from the companion that moved least, for a gauge (:func:`is_gauge`), which has no other business than to
    show the weather, from the one that moved most.
    """
    earlier = {row.key: row for row in before}
    pairs = [(earlier[row.key], row) for row in now if row.key in earlier]
    if not drifts:
        return {new.key: compare(old, new) for old, new in pairs}
    found: dict[tuple[object, ...], Comparison] = {}
    for old, new in pairs:
        companions = [(a, b) for a, b in pairs if b is not new and are_companions(new, b)]
        found[new.key] = _compare_in_like_weather(old, new, companions)
    return found


def _compare_in_like_weather(before: Row, now: Row, companions: Sequence[tuple[Row, Row]]) -> Comparison:
    """A gauge is accused only where every visit says so, and there are two: it has the fewest witnesses."""
    matches = sorted(filter(None, (_most_alike(before, visit, companions) for visit in now.visits)), key=_change)
    if not matches:
        doubts = [
            f"{when}: {row.doubt or STORMY}" for when, row in (("before", before), ("now", now)) if not row.visits
        ]
        return _plain(before.summary, now.summary)("ambiguous", *doubts)
    answers = [_judge(a.summary, b.summary, CLEAR_GAP, beside, is_gauge(now)) for a, b, beside in matches]
    result = answers[0]
    if is_gauge(now) and result.answer in ("slower", "faster"):
        same = [answer for answer in answers if answer.answer == result.answer]
        if len(same) < max(2, len(answers)):
            words = f"it was {result.answer} in {len(same)} of {len(answers)} visits only"
            return msgspec.structs.replace(result, answer="ambiguous", reasons=(words,))
    return result


Match: TypeAlias = tuple[Visit, Visit, list[float]]
"""A visit before, one now, and how the companions moved from the one to the other."""


def _most_alike(before: Row, visit: Visit, companions: Sequence[tuple[Row, Row]]) -> Match | None:
    """The earlier visit in which the companions were most like now; ``None`` where none was steady."""
    matches: list[Match] = []
    for earlier in before.visits:
        beside = []
        for old, new in companions:
            then, here = old.during(earlier), new.during(visit)
            if then is not None and here is not None and then.summary.median > 0 and here.summary.median > 0:
                beside.append(here.summary.median / then.summary.median)
        matches.append((earlier, visit, beside))
    return min(matches, key=_change, default=None)


def _change(match: Match) -> float:
    beside = match[2]
    return abs(log(median(sorted(beside)))) if beside else inf


STORMY = "its samples scatter too much"


def are_companions(row: Row, other: Row) -> bool:
    """Does ``other`` show what the machine did while ``row`` was measured?

    It was measured in turns with it, on the same thing: the memory at one size, or one size of the step.  A square
    product is alone in its group: nothing tells its slowness from the weather.
    """
    return row.workload != "matmul" and _group(row) == _group(other)


def _group(row: Row) -> str:
    kind = {"copy": "memory", "fill": "memory", "broadcast": "memory", "row-add": "memory", "products": "step"}
    return f"{kind.get(row.workload, row.workload)} {row.size}"


def is_gauge(row: Row) -> bool:
    """Is the row there to show what the machine gives: a ceiling, or work that lives in a cache?"""
    in_cache = _group(row).startswith("memory") and size_of(row.size) < BEYOND_CACHE
    return in_cache or row.workload in ("copy", "fill", "matmul", "products")


def compare(before: Row, now: Row, gap: float = CLEAR_GAP) -> Comparison:
    """Compare one row with an earlier one of the same :attr:`Row.key`.

    *slower* and *faster* need all of: both rows undisturbed, medians apart by ``gap``, intervals of the medians apart,
    and the fastest samples apart by two thirds of the gap in the same direction.  *same* needs medians nearer than the
    gap in rows that are trusted.  Everything else is *ambiguous*.  Raises :class:`ValueError` for different work.
    """
    if before.key != now.key:
        raise ValueError(f"{before.name} is not {now.name}")
    doubts = [f"{when}: {row.doubt}" for when, row in (("before", before), ("now", now)) if not row.is_trusted]
    if doubts:
        return _plain(before.summary, now.summary)("ambiguous", *doubts)
    return _judge(before.summary, now.summary, gap, None, is_gauge(now))


def _plain(a: Summary, b: Summary) -> Callable[..., Comparison]:
    def answer(word: Answer, *reasons: str) -> Comparison:
        return Comparison(answer=word, before_s=a.median, now_s=b.median, reasons=reasons)

    return answer


def _judge(a: Summary, b: Summary, gap: float, beside: Sequence[float] | None, gauge: bool) -> Comparison:
    """``beside``: how companions moved, now by before; ``None`` for a device that has no weather."""
    answer = _plain(a, b)
    if a.median <= 0 or b.median <= 0:
        return answer("same", "no time passed")
    ratio = b.median / a.median
    slower = ratio > 1
    moved = ratio if slower else 1 / ratio  # from here on everything is counted in the direction of the change
    edge = b.p5 / a.p5 if slower else a.p5 / b.p5
    needed = 1.0 + max(gap, 2.0 * max(a.uncertainty, b.uncertainty))
    near = f"medians within {needed - 1:.0%} of each other"
    common = 1.0
    if beside is not None:
        if not beside:
            alone = f"it moved by {moved - 1:.0%}, and nothing steady beside it tells the weather"
            return answer("ambiguous", alone) if moved >= needed else answer("same", near)
        moves = [other if slower else 1 / other for other in beside]
        common = max(moves) if gauge else min(moves)
        common = common if common < WEATHER else 1.0
    own = moved / common
    if moved < needed and own < needed:
        return answer("same", near)
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
