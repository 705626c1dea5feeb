"""What a benchmark measured: numbers first, then the roofline and every row of it."""

from __future__ import annotations

from envcheck.facts import BenchDevice, Snapshot, Unread, value_or
from envcheck.report.bench_rows import Measured, measured
from envcheck.roofline import Row, Table

from .markup import Markup, join, tag, text
from .roofline_plot import plot, points, rate

COLUMNS = ("", "work", "median", "spread", "moved", "computed", "of the ceiling", "samples")


def section(snapshot: Snapshot) -> Markup | None:
    """The measured devices; nothing where no benchmark is in the snapshot."""
    devices = [_device(item) for item in measured(snapshot)]
    return tag("section", tag("h2", text("Benchmark")), *devices) if devices else None


def _device(item: Measured) -> Markup:
    device, table = item.device, item.table
    name = _told(device.name) or _told(device.device) or "device"
    place = _told(device.device)
    absent = [tag("li", text(f"{what}: {why}")) for what, why in item.absent]
    return join(
        tag("h3", text(f"{name} ({place})" if place and place != name else name)),
        tag("p", text(f"It could not be used: {device.trouble}")) if isinstance(device.trouble, str) else None,
        _numbers(device),
        plot(table, name),
        tag("div", _rows_table(table), class_="wide", tabindex=0, role="region", aria_label=f"Timings of {name}")
        if table.rows
        else None,
        join(tag("p", text("Not measured"), class_="label"), tag("ul", *absent, class_="soft")) if absent else None,
    )


def _numbers(device: BenchDevice) -> Markup | None:
    """How many questions of mathematics were answered right, and each that was not."""
    checks = value_or(device.checks, [])
    if not checks:
        return None
    wrong = [check for check in checks if isinstance(check.wrong, str)]
    asked = [check for check in checks if not isinstance(check.unavailable, (str, Unread))]
    verdict = tag("span", text("wrong" if wrong else "right"), class_=f"sign {'problem' if wrong else 'ok'}")
    items = [tag("li", tag("code", text(check.id)), text(f": {check.wrong}")) for check in wrong]
    told = f"{len(asked) - len(wrong)} of {len(asked)} numerical checks hold"
    return join(tag("p", verdict, Markup(" "), text(told)), tag("ul", *items) if items else None)


def _rows_table(table: Table) -> Markup:
    numbers = {id(point.row): point.number for point in points(table)}
    head = tag("tr", *(tag("th", text(column), scope="col") for column in COLUMNS))
    body = [_line(table, row, numbers.get(id(row))) for row in table.rows]
    return tag("table", tag("thead", head), tag("tbody", *body))


def _line(table: Table, row: Row, number: int | None) -> Markup:
    moved, computed, share = row.bytes_per_s, row.flops_per_s, table.efficiency(row)
    cells = (
        row.name,
        _duration(row.seconds),
        f"{row.summary.spread:.0%}",
        rate(moved, "B/s") if moved else "-",
        rate(computed, "FLOP/s") if computed else "-",
        f"{share:.0%}" if share is not None else "-",
        f"{row.summary.n}, {row.trust}",
    )
    return tag("tr", tag("td", text(str(number or ""))), *(tag("td", text(cell)) for cell in cells))


def _duration(seconds: float) -> str:
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= factor:
            return f"{seconds / factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _told(fact: object) -> str:
    return fact if isinstance(fact, str) else ""
