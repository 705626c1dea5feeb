"""What a card's gauges said while it was measured: which samples were throttled, and what else happened."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from envcheck.facts import CLOCK_REASONS

IDLE, APPLICATION_CLOCKS, POWER_CAP, SYNC_BOOST, DISPLAY = 0x1, 0x2, 0x4, 0x10, 0x100
HELD_DOWN = 0x08 | 0x20 | 0x40 | 0x80
"""Hardware slowdown, software thermal, hardware thermal, power brake: bits of nvmlClocksEventReasons (nvml.h)."""
SLOW_CLOCK = 0.75
"""Of the settled clock: a sample taken below it does not count (nvbench's default)."""
SLACK_S = 0.15  # a reading speaks for the moments around it: there are ten a second


class Readings(msgspec.Struct, frozen=True, kw_only=True):
    """One card's columns of readings; a column that the board does not have is ``None``."""

    at_s: Sequence[float]
    clock_sm_mhz: Sequence[int] | None = None
    clock_reasons: Sequence[int] | None = None
    temperature_c: Sequence[int] | None = None
    power_w: Sequence[float] | None = None
    utilization_percent: Sequence[int] | None = None
    pcie_generation: Sequence[int] | None = None
    pcie_width: Sequence[int] | None = None
    others: Sequence[int] | None = None

    def between(self, begin: float, end: float) -> list[int]:
        """Indices of the readings that speak for that time."""
        return [i for i, at in enumerate(self.at_s) if begin - SLACK_S <= at <= end + SLACK_S]


class Spell(msgspec.Struct, frozen=True, kw_only=True):
    """What the gauges said during one timing."""

    readings: int
    clock_mhz: float | None = None  # median
    reasons: tuple[str, ...] = ()  # that held the clock down in at least a tenth of the readings
    temperature_c: int | None = None  # highest
    power_w: float | None = None  # highest
    generation: int | None = None  # of the PCIe link, highest: an idle link sleeps between two copies
    width: int | None = None
    others: int | None = None  # most other compute processes seen at once


def settled_clock(readings: Readings) -> float | None:
    """The SM clock under load: the median of the readings that were neither idle nor held down; in MHz."""
    if readings.clock_sm_mhz is None:
        return None
    reasons = readings.clock_reasons
    busy = [
        clock for i, clock in enumerate(readings.clock_sm_mhz) if reasons is None or not reasons[i] & (IDLE | HELD_DOWN)
    ]
    return _median(busy)


def throttled(readings: Readings, moments: Sequence[float], settled: float | None) -> list[bool]:
    """For each moment: was the card held down, or its clock below three quarters of the settled one?"""
    return [_is_throttled(readings, moment, settled) for moment in moments]


def _is_throttled(readings: Readings, moment: float, settled: float | None) -> bool:
    nearest = min(range(len(readings.at_s)), key=lambda i: abs(readings.at_s[i] - moment), default=None)
    if nearest is None or abs(readings.at_s[nearest] - moment) > SLACK_S:
        return False
    if readings.clock_reasons is not None and readings.clock_reasons[nearest] & HELD_DOWN:
        return True
    clocks = readings.clock_sm_mhz
    return clocks is not None and settled is not None and clocks[nearest] < SLOW_CLOCK * settled


def spell(readings: Readings, begin: float, end: float) -> Spell:
    """The gauges between two moments."""
    rows = readings.between(begin, end)

    def most(column: Sequence[int] | None) -> int | None:
        return max((column[i] for i in rows), default=None) if column is not None else None

    power = readings.power_w
    clocks = readings.clock_sm_mhz
    return Spell(
        readings=len(rows),
        clock_mhz=_median([clocks[i] for i in rows]) if clocks is not None else None,
        reasons=held_by(readings, rows),
        temperature_c=most(readings.temperature_c),
        power_w=max((power[i] for i in rows), default=None) if power is not None else None,
        generation=most(readings.pcie_generation),
        width=most(readings.pcie_width),
        others=most(readings.others),
    )


def held_by(readings: Readings, rows: Sequence[int]) -> tuple[str, ...]:
    """Names of the reasons that were given in at least a tenth of the readings; idleness is none."""
    if readings.clock_reasons is None or not rows:
        return ()
    seen = []
    for bit, name in CLOCK_REASONS.items():
        times = sum(bool(readings.clock_reasons[i] & bit) for i in rows)
        if bit != IDLE and times and times >= 0.1 * len(rows):
            seen.append(name)
    return tuple(seen)


def _median(values: Sequence[float]) -> float | None:
    ranked = sorted(values)
    return (ranked[(len(ranked) - 1) // 2] + ranked[len(ranked) // 2]) / 2.0 if ranked else None
