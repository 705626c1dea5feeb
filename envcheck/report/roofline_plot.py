"""The roofline in the terminal: how fast work can go, by how much it computes for each byte that it moves.

Left of the ridge the memory is the limit (the slope), right of it the arithmetic (the flat).  Letters are the measured
workloads; a letter far below the line is time lost.  ASCII alone.
"""

from __future__ import annotations

from math import ceil, floor, log2

from envcheck.roofline import Row, Table

from .paint import Painter
from .words import clean, fold

ROWS = 11
MARGIN = 9
WIDEST = 64
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def paint(painter: Painter, table: Table) -> None:
    """The plot and its legend; nothing where a ceiling or everything that could be plotted is missing."""
    peak = table.ceilings.flops.get("float32")
    bandwidth = table.ceilings.bandwidth
    points = [row for row in table.rows if is_plotted(row)]
    if not peak or not bandwidth or not points:
        return
    painter.blank()
    painter.text("Roofline: float32 operations a second, by operations for each byte moved", style="bold")
    for line in picture(points[: len(LETTERS)], bandwidth, peak, min(painter.page.width - 2, WIDEST)):
        painter.raw(line)
    for letter, row in zip(LETTERS, points, strict=False):
        roof = min(peak, intensity(row) * bandwidth)
        share = (row.flops_per_s or 0.0) / roof
        painter.text(
            f"{fold(clean(row.name))}: {intensity(row):.2g} a byte, {share:.0%} of the roof",
            indent=2,
            lead=f"{letter} ",
        )


def is_plotted(row: Row) -> bool:
    """Work in float32 that both moves and computes, beyond the caches or large in arithmetic."""
    if row.dtype != "float32" or row.cost is None or not row.cost.flops or not row.cost.moved_bytes:
        return False
    return not (row.size == "1 MiB" or row.workload == "products")


def intensity(row: Row) -> float:
    """Operations a byte."""
    assert row.cost is not None
    return row.cost.flops / row.cost.moved_bytes


def picture(points: list[Row], bandwidth: float, peak: float, width: int) -> list[str]:
    """Lines of the plot.  Both axes are logarithmic; the vertical one is marked in GFLOP/s."""
    columns = max(20, width - MARGIN)
    ridge = peak / bandwidth
    left = floor(min(log2(intensity(row)) for row in points) - 1)
    right = ceil(max(log2(ridge) + 2, *(log2(intensity(row)) + 0.5 for row in points)))
    low_speed = min((row.flops_per_s or peak) for row in points)
    bottom = floor(min(log2(low_speed), left + log2(bandwidth)))
    top = log2(peak) + (log2(peak) - bottom) / (ROWS - 1) / 2

    def column(exponent: float) -> int:
        return min(columns - 1, max(0, round((exponent - left) / (right - left) * (columns - 1))))

    def line(speed: float) -> int:
        return min(ROWS - 1, max(0, round((top - log2(speed)) / (top - bottom) * (ROWS - 1))))

    grid = [[" "] * columns for _ in range(ROWS)]
    for place in range(columns):
        exponent = left + place * (right - left) / (columns - 1)
        roof = min(peak, 2.0**exponent * bandwidth)
        grid[line(roof)][place] = "-" if roof == peak else "/"
    for letter, row in zip(LETTERS, points, strict=False):
        at = grid[line(row.flops_per_s or 1.0)]
        place = column(log2(intensity(row)))
        at[place] = "*" if at[place] in LETTERS else letter
    drawn = []
    for n, cells in enumerate(grid):
        speed = 2.0 ** (top - n / (ROWS - 1) * (top - bottom))
        label = _giga(speed) if n % 2 == 0 else ""
        drawn.append(f"{label:>{MARGIN - 2}} |{''.join(cells)}".rstrip())
    drawn.append(" " * (MARGIN - 1) + "+" + "-" * columns)
    axis = [" "] * (columns + 8)
    for exponent in range(left, right + 1, max(1, ceil((right - left) / (columns // 8)))):
        text = f"{2.0**exponent:g}" if exponent >= 0 else f"1/{2**-exponent}"
        place = column(exponent)
        axis[place : place + len(text)] = text
    drawn.append(" " * MARGIN + "".join(axis)[:columns].rstrip())
    return drawn


def _giga(speed: float) -> str:
    value = speed / 1e9
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"
