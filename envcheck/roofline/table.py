"""All rows of a device beside its ceilings: what it can at best, by the same run, and what the rest makes of that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from .cost import Cost
from .row import Row

MIB = 1 << 20
BEYOND_CACHE = 64 * MIB
"""Outputs of this size and larger are judged: smaller ones live in a cache."""


class Ceilings(msgspec.Struct, frozen=True, kw_only=True):
    """What this device did at best in this run: seconds a byte and operations a second.

    A byte that is written costs what filling costs; one that is read costs what copying costs beyond that.  So work
    that only writes is not measured against copies, whose bytes are cheaper by half wherever a written line is fetched
    first (every processor without non-temporal stores).
    """

    fill_s: dict[str, float] = {}  # size label → seconds a byte written
    copy_s: dict[str, float] = {}  # size label → seconds a byte pair: one read, one written
    flops: dict[str, float] = {}  # type of number → operations a second

    def floor_s(self, cost: Cost, size: str, dtype: str) -> float | None:
        """The least seconds that such a cost takes at these ceilings; ``None`` where they do not reach.

        The larger of the two: moving bytes and computing go on at the same time.
        """
        parts = []
        if size in self.fill_s:
            read = max(0.0, self.copy_s[size] - self.fill_s[size]) if size in self.copy_s else None
            if cost.read_bytes * 100 <= cost.written_bytes or read is not None:
                parts.append(cost.written_bytes * self.fill_s[size] + cost.read_bytes * (read or 0.0))
        peak = self.flops.get(dtype)
        if peak and cost.flops:
            parts.append(cost.flops / peak)
        return max(parts) if parts else None

    @property
    def bandwidth(self) -> float | None:
        """Bytes a second of the fastest copy beyond the caches, read and written bytes counted."""
        far = [2.0 / seconds for size, seconds in self.copy_s.items() if size_of(size) >= BEYOND_CACHE and seconds > 0]
        return max(far, default=None)


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one device and its ceilings."""

    rows: tuple[Row, ...]
    ceilings: Ceilings

    def find(self, workload: str, variant: str = "", size: str = "") -> Row | None:
        """The row of that workload and variant; of any size where none is named."""
        for row in self.rows:
            if row.workload == workload and row.variant == variant and size in ("", row.size):
                return row
        return None

    def efficiency(self, row: Row) -> float | None:
        """Floor by measured time, 1 at the ceiling; ``None`` for a ceiling itself and where none applies."""
        if row.cost is None or row.seconds <= 0 or row.workload in ("copy", "fill", "matmul"):
            return None
        if row.workload == "step":
            alone = self.find("products", size=row.size)
            return alone.seconds / row.seconds if alone is not None and alone.shape == row.shape else None
        if row.workload in ("broadcast", "row-add"):
            floor = self.ceilings.floor_s(Cost(row.cost.read_bytes, row.cost.written_bytes), row.size, row.dtype)
            return floor / row.seconds if floor else None
        if row.workload == "products":
            floor = self.ceilings.floor_s(Cost(flops=row.cost.flops), "", row.dtype)
            return floor / row.seconds if floor else None
        return None

    def memory_rows(self) -> list[Row]:
        """Broadcasts beyond the caches."""
        return [
            row for row in self.rows if row.workload in ("broadcast", "row-add") and size_of(row.size) >= BEYOND_CACHE
        ]


def table_of(rows: Iterable[Row]) -> Table:
    """Rows with the ceilings that stand among them."""
    listed: Sequence[Row] = tuple(rows)
    fill = {row.size: row.seconds / row.cost.written_bytes for row in listed if row.workload == "fill" and row.cost}
    copy = {row.size: row.seconds / row.cost.written_bytes for row in listed if row.workload == "copy" and row.cost}
    flops: dict[str, float] = {}
    for row in listed:
        if row.workload == "matmul" and row.flops_per_s:
            flops[row.dtype] = max(flops.get(row.dtype, 0.0), row.flops_per_s)
    return Table(rows=tuple(listed), ceilings=Ceilings(fill_s=fill, copy_s=copy, flops=flops))


def size_of(label: str) -> int:
    """Bytes of a size label: ``64 MiB``; 0 for one that is no size."""
    number, _, unit = label.partition(" ")
    return int(number) * MIB if unit == "MiB" and number.isdigit() else 0
