"""One timing in words and figures: which of its samples count, how fast, how trustworthy."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

import msgspec

from envcheck.facts import Timing

from . import gauges
from .cost import Cost, cost
from .gauges import Readings, Spell
from .statistics import Summary, median, summarise

DISTURBED = 0.05
"""Of a sample's time: where threads stood longer in the queue for a processor, the sample is not the machine's."""
FEWEST = 3
"""Samples below which there is no scatter to speak of, and no figure."""
LEAST_CLEAN = 5
"""So many undisturbed samples make a figure; below that the disturbed ones count too, and the row is not trusted."""
NOISY, SHAKY = 0.25, 0.10
"""Interquartile range by median: "influence from outside" and "warning" of torch.utils.benchmark."""

VISIT_S, VISIT_GAPS = 1.0, 10.0
"""A pause between two samples of so many seconds, and so many times the usual pause, parts two visits."""

Trust: TypeAlias = Literal["steady", "shaky", "noisy", "shared", "throttled"]


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """The undisturbed samples of one spell in which the row was measured in turns with the others of its group."""

    summary: Summary
    begin: float  # of its first sample and of its last, seconds since the epoch; 0 where no moment is known
    end: float

    def overlaps(self, other: Visit) -> bool:
        return self.begin <= other.end and other.begin <= self.end


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A measured workload."""

    workload: str
    variant: str = ""
    size: str = ""
    dtype: str = "float32"
    shape: tuple[int, ...] = ()
    clock: str = "host"
    cold: bool = False
    repeats: int = 1
    summary: Summary  # of the samples that count
    taken: int  # samples in all
    disturbed: int  # of them disturbed by other programs
    throttled: int  # of them with the card held down
    trust: Trust
    cost: Cost | None = None
    host_ratio: float | None = None  # wall time by device time: above 1.5 the host is what one waits for
    spell: Spell | None = None
    visits: tuple[Visit, ...] = ()  # those that were steady

    @property
    def key(self) -> tuple[str, str, str, str, tuple[int, ...]]:
        """What names the same work in another run."""
        return self.workload, self.variant, self.size, self.dtype, self.shape

    @property
    def name(self) -> str:
        """``broadcast 64 MiB``, ``step large, closed-form``; the type of number only where it is not the usual one."""
        words = [self.workload, self.size, "" if self.dtype == "float32" else self.dtype]
        return ", ".join(part for part in (" ".join(word for word in words if word), self.variant) if part)

    @property
    def seconds(self) -> float:
        """Median seconds a step."""
        return self.summary.median

    @property
    def bytes_per_s(self) -> float | None:
        return self.cost.moved_bytes / self.seconds if self.cost and self.seconds > 0 else None

    @property
    def flops_per_s(self) -> float | None:
        return self.cost.flops / self.seconds if self.cost and self.seconds > 0 else None

    def during(self, visit: Visit) -> Visit | None:
        """The row's own visit at the time of that one of another row."""
        return next((own for own in self.visits if own.overlaps(visit)), None)

    @property
    def is_few(self) -> bool:
        """Too few samples for anything to be said about their scatter."""
        return self.summary.n < FEWEST

    @property
    def doubt(self) -> str:
        """Why nobody can be accused with this row, in words; empty where one can."""
        if self.is_trusted:
            return ""
        if self.trust == "throttled":
            return f"the card was held down in {self.throttled} of {self.taken} samples"
        if self.trust == "shared":
            disturbed = f"{self.disturbed} of {self.taken} samples were disturbed by other programs"
            return disturbed if self.disturbed else "another process used the device"
        if self.is_few:
            return "only 1 sample was taken" if self.summary.n == 1 else f"only {self.summary.n} samples were taken"
        return f"the samples scatter by {self.summary.spread:.0%}"

    @property
    def is_trusted(self) -> bool:
        """Good enough to accuse somebody with."""
        return self.trust in ("steady", "shaky")


def row_of(
    *,
    workload: str,
    samples_s: Sequence[float],
    variant: str = "",
    size: str = "",
    dtype: str = "float32",
    shape: Sequence[int] = (),
    clock: str = "host",
    cold: bool = False,
    repeats: int = 1,
    at_s: Sequence[float] = (),
    waits_s: Sequence[float] | None = None,
    host_samples_s: Sequence[float] | None = None,
    readings: Readings | None = None,
) -> Row:
    """Count what counts.  Raises :class:`ValueError` where there is no sample, or columns differ in length."""
    n = len(samples_s)
    waited = list(waits_s) if waits_s is not None else [0.0] * n
    if len(waited) != n or (at_s and len(at_s) != n):
        raise ValueError(f"{workload}: {n} samples, {len(at_s)} moments and {len(waited)} waits")
    disturbed = [wait > DISTURBED * sample for sample, wait in zip(samples_s, waited, strict=True)]
    held = [False] * n
    if readings is not None and at_s:
        held = gauges.throttled(readings, at_s, gauges.settled_clock(readings))
    counts = [not bad and not slow for bad, slow in zip(disturbed, held, strict=True)]
    clean = [sample for sample, good in zip(samples_s, counts, strict=True) if good]
    enough = len(clean) >= LEAST_CLEAN
    visits, steps = _visits(samples_s, at_s, counts)
    counted = clean if enough else list(samples_s)
    summary = summarise(counted)
    span = gauges.spell(readings, min(at_s), max(at_s)) if readings is not None and at_s else None
    host_ratio = None
    if host_samples_s:
        host_ratio = summarise(host_samples_s).median / summary.median if summary.median > 0 else None
    return Row(
        workload=workload,
        variant=variant,
        size=size,
        dtype=dtype,
        shape=tuple(shape),
        clock=clock,
        cold=cold,
        repeats=repeats,
        summary=summary,
        taken=n,
        disturbed=sum(disturbed),
        throttled=sum(held),
        trust=_trust(summary, n, sum(disturbed), sum(held), enough, span, steps),
        cost=cost(workload, shape, dtype),
        host_ratio=host_ratio,
        spell=span,
        visits=visits,
    )


def row_of_timing(
    timing: Timing,
    *,
    samples_s: Sequence[float],
    at_s: Sequence[float] = (),
    waits_s: Sequence[float] | None = None,
    host_samples_s: Sequence[float] | None = None,
    readings: Readings | None = None,
) -> Row:
    """The row of a recorded timing; its columns are given apart, for the caller decides what an unread one means."""
    return row_of(
        workload=timing.workload,
        samples_s=samples_s,
        variant=timing.variant,
        size=timing.size,
        dtype=timing.dtype,
        shape=timing.shape,
        clock=timing.clock,
        cold=timing.cold,
        repeats=timing.repeats,
        at_s=at_s,
        waits_s=waits_s,
        host_samples_s=host_samples_s,
        readings=readings,
    )


def _visits(
    samples_s: Sequence[float], at_s: Sequence[float], counts: Sequence[bool]
) -> tuple[tuple[Visit, ...], bool]:
    """(the steady visits, whether there are several and all of them are steady)"""
    pauses = [after - before for before, after in pairwise(at_s)]
    parting = max(VISIT_S, VISIT_GAPS * median(sorted(pauses))) if pauses else 0.0
    parts: list[list[int]] = [[]]
    for i in range(len(samples_s)):
        if i and pauses and pauses[i - 1] > parting:
            parts.append([])
        parts[-1].append(i)
    found = []
    for part in parts:
        counted = [samples_s[i] for i in part if counts[i]]
        if len(counted) >= LEAST_CLEAN and (summary := summarise(counted)).spread <= NOISY:
            begin, end = (at_s[part[0]], at_s[part[-1]]) if at_s else (0.0, 0.0)
            found.append(Visit(summary=summary, begin=begin, end=end))
    return tuple(found), len(found) == len(parts) > 1


def _trust(
    summary: Summary, taken: int, disturbed: int, held: int, enough: bool, span: Spell | None, steps: bool
) -> Trust:
    """``steps``: the row was steady in each of several visits; then it is two levels that differ, and no scatter."""
    if span is not None and span.others:
        return "shared"
    if not enough and disturbed * 2 > taken:
        return "shared"
    if not enough and held * 2 > taken:
        return "throttled"
    if (summary.spread > NOISY and not steps) or summary.n < FEWEST or (not enough and taken >= LEAST_CLEAN):
        return "noisy"
    return "shaky" if summary.spread > SHAKY or summary.has_drifted or not enough else "steady"
