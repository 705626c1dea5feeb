"""A benchmark for the eye: the numeric checks, the timings beside their ceilings, the roofline as a plot of text.

Plain characters and measured columns: it reads the same in a log, at 40 columns and without colours.
"""

from __future__ import annotations

from typing import Any

from envcheck.facts import BenchDevice, NumericCheck, Snapshot, Unread, value_or
from envcheck.roofline import Row

from . import roofline_plot
from .bench_rows import Measured, measured
from .lessons import LESSONS
from .page import NARROW, Mark, Page
from .paint import OUTCOME_STYLES, Painter, width_of
from .words import clean, count, fold

COLUMNS = ("workload", "time", "rate", "reached", "samples")
LONGEST_ID, SIZE_WIDTH = 22, 18
FEWEST = 6  # samples from which on the median has an interval


def render(snapshot: Snapshot, page: Page, *, explain: bool = False) -> str:
    """The benchmark of a snapshot as text; empty where none was run."""
    painter = Painter(page)
    for item in measured(snapshot):
        painter.blank()
        _device(painter, item.device)
        if isinstance(item.device.trouble, str):
            painter.text(f"could not be used: {clean(item.device.trouble)}", indent=2, style="bold red")
            continue
        _checks(painter, item.device, explain)
        _timings(painter, item, explain)
        roofline_plot.paint(painter, item.table)
    return painter.finish()


def _device(painter: Painter, device: BenchDevice) -> None:
    name = clean(value_or(device.device, "a device"))
    model = f" ({clean(device.name)})" if isinstance(device.name, str) else ""
    painter.text(f"Measured: {name}{model}", style="bold")
    words = []
    if isinstance(device.torch, str):
        words.append(f"torch {clean(device.torch)}")
    if isinstance(device.threads, int):
        words.append(count(device.threads, "thread"))
    if isinstance(device.precision, str):
        words.append(f"float32 products: {clean(device.precision)}")
    if isinstance(device.seconds, (int, float)):
        words.append(f"{device.seconds:.0f} s")
    if isinstance(device.seed, int):
        words.append(f"seed {device.seed}")
    painter.text(", ".join(words), indent=2, style="dim")
    if device.backend == "cpu":
        painter.text("This is the processor; nothing here says how a GPU computes.", indent=2, style="dim")


# -- numbers ---------------------------------------------------------------------------------------------------


def _checks(painter: Painter, device: BenchDevice, explain: bool) -> None:
    painter.blank()
    checks = device.checks
    if not isinstance(checks, list):
        painter.text(f"Numbers: not known ({clean(str(checks)) if checks is not None else 'none'})", style="bold")
        return
    marks = [_mark(check) for check in checks]
    right, absent = marks.count("ok"), marks.count("not_reached")
    wrong, unknown = marks.count("problem"), marks.count("cannot_tell")
    parts = [f"{right} right", f"{wrong} wrong"]
    parts += [f"{absent} not available here"] if absent else []
    parts += [f"{unknown} not known"] if unknown else []
    painter.text(f"Numbers: {', '.join(parts)}; largest error, and what it may be", style="bold")
    for check, mark in zip(checks, marks, strict=True):
        _check(painter, check, mark, explain)


def _mark(check: NumericCheck) -> Mark:
    if isinstance(check.unavailable, str):
        return "not_reached"
    if isinstance(check.unavailable, Unread) or isinstance(check.wrong, Unread):
        return "cannot_tell"
    return "ok" if check.wrong is None else "problem"


def _check(painter: Painter, check: NumericCheck, mark: Mark, explain: bool) -> None:
    page = painter.page
    lead, name = f"{page.mark(mark).ljust(page.mark_width)} ", clean(check.id)
    inner = 2 + len(lead)
    size = ""
    if isinstance(check.error, (int, float)) and isinstance(check.limit, (int, float)):
        size = f"{_small(check.error)} of {_small(check.limit)}"
    style = "dim" if mark == "not_reached" else ""
    if page.width < NARROW:
        painter.text(f"{name} {size}", indent=2, lead=lead, style=style, lead_style=OUTCOME_STYLES[mark])
        painter.text(clean(check.formula), indent=inner, style="dim")
    else:
        words = f"{name.ljust(LONGEST_ID)}  {size.ljust(SIZE_WIDTH)}"
        lead += words + "  "
        painter.text(clean(check.formula), indent=2, lead=lead, style=style, lead_style=OUTCOME_STYLES[mark])
    if isinstance(check.unavailable, str):
        painter.text(f"not available here: {clean(check.unavailable)}", indent=inner, style="dim")
    elif mark == "cannot_tell":
        why = check.unavailable if isinstance(check.unavailable, Unread) else check.wrong
        painter.text(f"not known: {clean(str(why))}", indent=inner, style="yellow")
    elif mark == "problem":
        painter.text(f"wrong: {clean(str(check.wrong))}", indent=inner, style="bold red")
    if check.remark and (explain or mark == "problem"):
        painter.text(clean(check.remark), indent=inner, style="dim")
    for line in LESSONS.get(check.id, ()) if explain else ():
        painter.text(line, indent=inner, lead="| ", lead_style="dim")


def _small(number: float) -> str:
    return "0" if number == 0 else f"{number:.1e}"


# -- speed -----------------------------------------------------------------------------------------------------


def _timings(painter: Painter, item: Measured, explain: bool) -> None:
    painter.blank()
    rows = item.table.rows
    if not rows:
        painter.text("Speed: nothing was measured", style="bold")
    else:
        painter.text("Speed: median of one step, 95 % interval of the median", style="bold")
        _table(painter, item)
    for words in remarks(item):
        painter.text(words, indent=2, lead="! ", style="yellow")
    for row in rows if explain else ():
        words = derive(item, row)
        if words:
            painter.text(words, indent=2, lead="| ", lead_style="dim")
    for name, why in item.absent:
        lead = f"{painter.page.mark('not_reached').ljust(painter.page.mark_width)} "
        painter.text(f"{name}: not available here: {clean(why)}", indent=2, lead=lead, style="dim")


def _table(painter: Painter, item: Measured) -> None:
    """Columns where they fit; those at the right fall away first, and the narrowest pages get two lines a row."""
    compared = bool(item.compared)
    header = (*COLUMNS, "stored") if compared else COLUMNS
    cells = [header, *(_cells(item, row, compared) for row in item.table.rows)]
    room = painter.page.width - 2
    widths = [max(width_of(cell) for cell in column) for column in zip(*cells, strict=True)]
    order = [0, 1, 2, 3, *([5] if compared else []), 4]
    shown = next((sorted(order[:n]) for n in range(len(order), 2, -1) if _fits(widths, order[:n], room)), None)
    if shown is None:
        for row, line in zip(item.table.rows, cells[1:], strict=True):
            painter.text(fold(row.name), indent=2)
            painter.text(", ".join(cell for cell in line[1:4] if cell != "-"), indent=4, style="dim")
        return
    for n, line in enumerate(cells):
        words = [line[i].ljust(widths[i]) if i == 0 else " " * (widths[i] - width_of(line[i])) + line[i] for i in shown]
        painter.raw("  " + "  ".join(words), "dim" if n == 0 else "")


def _fits(widths: list[int], shown: list[int], room: int) -> bool:
    return sum(widths[i] for i in shown) + 2 * (len(shown) - 1) <= room


def _cells(item: Measured, row: Row, compared: bool) -> tuple[str, ...]:
    reached = item.table.efficiency(row)
    cells = (
        fold(clean(row.name)),
        time_of(row.seconds) + (f" +-{row.summary.uncertainty:.0%}" if row.summary.n >= FEWEST else "    -"),
        rate_of(row),
        f"{reached:.0%}" if reached is not None else "-",
        str(row.summary.n) if row.summary.n == row.taken else f"{row.summary.n}/{row.taken}",
    )
    if not compared:
        return cells
    result = item.compared.get(row.key)
    return (*cells, f"{result.answer} x{result.ratio:.2f}" if result is not None else "-")


def time_of(seconds: float) -> str:
    """Three digits and a unit: ``2.64 ms``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def rate_of(row: Row) -> str:
    """Operations a second for what computes, bytes a second for what moves."""
    if row.cost is None or row.seconds <= 0:
        return "-"
    if row.workload in ("matmul", "products", "step"):
        rate = row.cost.flops / row.seconds
        return f"{rate / 1e12:.1f} TFLOP/s" if rate >= 1e12 else f"{rate / 1e9:.1f} GFLOP/s"
    return f"{row.cost.moved_bytes / row.seconds / 1e9:.1f} GB/s"


def remarks(item: Measured) -> list[str]:
    """What a reader has to know about some rows before believing them: one sentence a reason."""
    rows = item.table.rows
    found = []
    for trust, words in DOUBTS.items():
        these = [row for row in rows if ("few" if row.trust == "noisy" and row.is_few else row.trust) == trust]
        if these:
            worst = max(these, key=lambda row: (row.disturbed + row.throttled) / row.taken)
            detail = words.format(n=worst.disturbed or worst.throttled, of=worst.taken, row=worst.name)
            found.append(f"{detail}: {', '.join(row.name for row in these)}")
    for row in rows:
        if row.workload == "step" and row.size == "course" and row.host_ratio is not None and row.host_ratio > 1.5:
            found.append(f"{row.name} is launch-bound: the host takes {row.host_ratio:.1f} times what the device works")
        result = item.compared.get(row.key)
        if result is not None and result.answer in ("slower", "faster"):
            found.append(f"{row.name} is {result.answer} than stored: {result.reasons[0]}")
    doubts = {row.name: item.compared[row.key] for row in rows if row.key in item.compared}
    unclear = [name for name, result in doubts.items() if result.answer == "ambiguous"]
    if unclear:
        why = doubts[unclear[0]].reasons[0]
        found.append(f"not to be told apart from the stored run ({why}): {', '.join(unclear)}")
    return found


DOUBTS = {
    "shared": "shared, no verdict (other programs disturbed {n} of {of} samples of {row})",
    "noisy": "too noisy, no verdict (the middle half of the samples spans more than a quarter)",
    "few": "too few samples, no verdict",
    "throttled": "held down, no verdict ({n} of {of} samples of {row})",
}


def derive(item: Measured, row: Row) -> str:
    """How the column "reached" of a row comes about."""
    reached = item.table.efficiency(row)
    if reached is None or row.cost is None:
        return ""
    floor = row.seconds * reached
    if row.workload in ("broadcast", "row-add"):
        moved = f"writes {row.cost.written_bytes / 1e6:.1f} MB and reads {row.cost.read_bytes / 1e6:.1f} MB"
        return (
            f"{row.name} {moved}; at the rates of filling and copying in this run that takes {time_of(floor)}, "
            f"it took {time_of(row.seconds)}: {reached:.0%}"
        )
    if row.workload == "step":
        return (
            f"{row.name}: its two matrix products alone take {time_of(floor)}, the step {time_of(row.seconds)}: "
            f"{1 / reached:.2f} times"
        )
    flops = f"{row.cost.flops / 1e9:.1f} GFLOP"
    return f"{row.name}: {flops} at the rate of the square product take {time_of(floor)}: {reached:.0%}"


def to_plain(snapshot: Snapshot) -> list[dict[str, Any]]:
    """What was concluded from the samples, for other programs: seconds, bytes and operations a second."""
    found = []
    for item in measured(snapshot):
        rows = []
        for row in item.table.rows:
            result = item.compared.get(row.key)
            rows.append(
                {
                    "workload": row.workload,
                    "variant": row.variant,
                    "size": row.size,
                    "dtype": row.dtype,
                    "shape": list(row.shape),
                    "median_s": row.summary.median,
                    "interval_s": [row.summary.low, row.summary.high],
                    "best_s": row.summary.best,
                    "spread": row.summary.spread,
                    "drift": row.summary.drift,
                    "samples": {"counted": row.summary.n, "taken": row.taken, "disturbed": row.disturbed},
                    "trust": row.trust,
                    "bytes_per_s": row.bytes_per_s,
                    "flops_per_s": row.flops_per_s,
                    "reached": item.table.efficiency(row),
                    "host_ratio": row.host_ratio,
                    "compared": None
                    if result is None
                    else {"answer": result.answer, "ratio": result.ratio, "reasons": list(result.reasons)},
                }
            )
        found.append(
            {
                "device": value_or(item.device.device, None),
                "rows": rows,
                "absent": [{"name": name, "why": why} for name, why in item.absent],
            }
        )
    return found
