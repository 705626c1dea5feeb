"""The roofline: operations a second against operations a byte, both by tens, under the ceilings of the same run.

Inline SVG without a script.  Points are numbered, and the table beside it says what they are: words on a picture
would be too small on a telephone.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

from envcheck.roofline import Row, Table

from .markup import Markup, join, tag, text

WIDTH, HEIGHT = 640.0, 400.0
LEFT, RIGHT, TOP, BOTTOM = 88.0, 36.0, 36.0, 64.0
PREFIXES = {0: "", 3: "k", 6: "M", 9: "G", 12: "T", 15: "P"}


@dataclass(frozen=True)
class Point:
    """A workload on the plot."""

    number: int
    row: Row
    intensity: float  # operations a byte
    speed: float  # operations a second


def points(table: Table) -> list[Point]:
    """The rows that both move and compute, but for the ceilings themselves."""
    found: list[Point] = []
    for row in table.rows:
        speed = row.flops_per_s
        if row.cost is None or not row.cost.flops or not row.cost.moved_bytes or not speed or row.workload == "matmul":
            continue
        found.append(Point(len(found) + 1, row, row.cost.flops / row.cost.moved_bytes, speed))
    return found


def plot(table: Table, name: str) -> Markup | None:
    """The picture; nothing where a ceiling or every point is missing."""
    shown, bandwidth, peaks = points(table), table.ceilings.bandwidth, table.ceilings.flops
    if not shown or not bandwidth or not peaks:
        return None
    axes = _Axes.around(
        [p.intensity for p in shown] + [peak / bandwidth for peak in peaks.values()],
        [p.speed for p in shown] + list(peaks.values()),
    )
    best = max(peaks.values())
    roofs = [_line(axes, 10**axes.x0, 10**axes.x0 * bandwidth, best / bandwidth, best)]
    for dtype, peak in peaks.items():
        roofs.append(_line(axes, peak / bandwidth, peak, 10**axes.x1, peak))
        roofs.append(_label(WIDTH - RIGHT - 4, axes.y(peak) - 8, dtype, "end"))
    dots = [tag("circle", cx=axes.x(p.intensity), cy=axes.y(p.speed), r=4, class_="dot") for p in shown]
    return tag(
        "figure",
        tag(
            "svg",
            tag("title", text(f"Roofline of {name}")),
            axes.drawn(),
            *roofs,
            *dots,
            *_badges(axes, shown),
            viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
            role="img",
            aria_label=f"Roofline of {name}",
            class_="roofline",
        ),
    )


OFFSETS = ((0, -18), (0, 20), (20, 0), (-20, 0), (16, -36), (-16, 38))
"""Where the number of a point may stand beside it, in the order of preference."""

ROOM = 22.0
"""Numbers nearer to each other than this would overlap."""


def _badges(axes: _Axes, shown: list[Point]) -> list[Markup]:
    """The points' numbers, each where none stands yet."""
    taken: list[tuple[float, float]] = []
    badges = []
    for point in shown:
        near = [(axes.x(point.intensity) + dx, axes.y(point.speed) + dy) for dx, dy in OFFSETS]
        free = [(x, y) for x, y in near if all(abs(x - a) + abs(y - b) > ROOM for a, b in taken)]
        x, y = (free or near)[0]
        taken.append((x, y))
        badges.append(_label(x, y + 6, str(point.number), "middle", "number"))
    return badges


@dataclass(frozen=True)
class _Axes:
    """Whole decades that hold all values: exponents of ten."""

    x0: int
    x1: int
    y0: int
    y1: int

    @staticmethod
    def around(xs: list[float], ys: list[float]) -> _Axes:
        return _Axes(floor(log10(min(xs))), ceil(log10(max(xs))) + 1, floor(log10(min(ys))), ceil(log10(max(ys))))

    def x(self, value: float) -> float:
        share = (log10(value) - self.x0) / max(self.x1 - self.x0, 1)
        return LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        share = (log10(value) - self.y0) / max(self.y1 - self.y0, 1)
        return HEIGHT - BOTTOM - min(max(share, 0.0), 1.0) * (HEIGHT - TOP - BOTTOM)

    def drawn(self) -> Markup:
        parts = []
        for exponent in range(self.x0, self.x1 + 1):
            at = self.x(10.0**exponent)
            parts.append(tag("line", x1=at, x2=at, y1=TOP, y2=HEIGHT - BOTTOM, class_="grid"))
            parts.append(_label(at, HEIGHT - BOTTOM + 22, f"{10.0**exponent:g}", "middle"))
        for exponent in range(self.y0, self.y1 + 1):
            at = self.y(10.0**exponent)
            parts.append(tag("line", x1=LEFT, x2=WIDTH - RIGHT, y1=at, y2=at, class_="grid"))
            parts.append(_label(LEFT - 8, at + 6, rate(10.0**exponent, ""), "end"))
        parts.append(_label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "FLOP per byte", "middle"))
        parts.append(_label(4, 18, "FLOP/s", "start"))
        return join(*parts)


def rate(value: float, unit: str) -> str:
    """A rate with the prefix that leaves one to three digits: ``3.1 TFLOP/s``."""
    exponent = min(max(3 * floor(log10(value) / 3), 0), 15) if value > 0 else 0
    return f"{value / 10.0**exponent:.3g} {PREFIXES[exponent]}{unit}".strip()


def _line(axes: _Axes, x1: float, y1: float, x2: float, y2: float) -> Markup:
    """A straight piece of the roof, cut at the edges of the plot."""
    low = 10.0**axes.y0
    if y1 < low < y2:  # both axes by tens: the slope is one
        x1, y1 = x1 * low / y1, low
    return tag("line", x1=axes.x(x1), y1=axes.y(y1), x2=axes.x(x2), y2=axes.y(y2), class_="roof")


def _label(x: float, y: float, words: str, anchor: str, style: str = "axis") -> Markup:
    return tag("text", text(words), x=x, y=y, text_anchor=anchor, class_=style)
