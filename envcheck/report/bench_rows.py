"""A measured device as rows for the eye: what can be shown is shown, what is not known is left out.

Verdicts rest on the same rows, read strictly: see envcheck.rules.speed.measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from envcheck.facts import Bench, BenchDevice, Snapshot, StoredBench, Timing, Watch, value_or
from envcheck.roofline import Comparison, Row, Table, compare_all, row_of_timing, table_of
from envcheck.roofline.gauges import Readings


@dataclass(frozen=True)
class Measured:
    """One device: its rows, what it does not have, and how the rows compare with stored ones."""

    device: BenchDevice
    table: Table
    absent: list[tuple[str, str]] = field(default_factory=list)  # (workload in words, why)
    compared: dict[tuple[object, ...], Comparison] = field(default_factory=dict)


def measured(snapshot: Snapshot) -> list[Measured]:
    """Every device of the snapshot's benchmark, in the order in which they were measured."""
    bench = snapshot.bench
    if not isinstance(bench, Bench) or not isinstance(bench.devices, list):
        return []
    return [_measured(device, _stored(bench, device)) for device in bench.devices]


def _stored(bench: Bench, device: BenchDevice) -> BenchDevice | None:
    stored = bench.stored
    if not isinstance(stored, StoredBench) or not isinstance(stored.devices, list):
        return None
    for other in stored.devices:
        if isinstance(other.device, str) and (other.device, other.name) == (device.device, device.name):
            return other
    return None


def _measured(device: BenchDevice, stored: BenchDevice | None) -> Measured:
    rows, absent = rows_of(device)
    compared: dict[tuple[object, ...], Comparison] = {}
    if stored is not None:
        drifts = device.backend == "cpu" and device.threads == stored.threads
        compared = compare_all(rows_of(stored)[0], rows, drifts=drifts)
    return Measured(device, table_of(rows), absent, compared)


def rows_of(device: BenchDevice) -> tuple[list[Row], list[tuple[str, str]]]:
    """(rows, what is absent and why)"""
    rows: list[Row] = []
    absent = []
    readings = _readings(device.watch)
    for timing in value_or(device.timings, []):
        if isinstance(timing.unavailable, str):
            absent.append((_name(timing), timing.unavailable))
        elif not isinstance(timing.samples_s, list) or not timing.samples_s:
            absent.append((_name(timing), str(timing.samples_s if timing.samples_s else "no sample was taken")))
        else:
            rows.append(_row(timing, timing.samples_s, readings))
    return rows, absent


def _row(timing: Timing, samples: list[float], readings: Readings | None) -> Row:
    moments, waits, wall = timing.at_s, timing.waits_s, timing.host_samples_s
    return row_of_timing(
        timing,
        samples_s=samples,
        at_s=moments if isinstance(moments, list) and len(moments) == len(samples) else (),
        waits_s=waits if isinstance(waits, list) and len(waits) == len(samples) else None,
        host_samples_s=wall if isinstance(wall, list) else None,
        readings=readings,
    )


def _readings(watch: object) -> Readings | None:
    if not isinstance(watch, Watch) or not isinstance(watch.at_s, list):
        return None
    columns: dict[str, Any] = {}
    for name in Readings.__struct_fields__:
        column = getattr(watch, name)
        columns[name] = column if isinstance(column, list) else None
    return Readings(**columns)


def _name(timing: Timing) -> str:
    parts = [timing.workload, timing.size, "" if timing.dtype == "float32" else timing.dtype]
    words = " ".join(part for part in parts if part)
    return f"{words}, {timing.variant}" if timing.variant else words
