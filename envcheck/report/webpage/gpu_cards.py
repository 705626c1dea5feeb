"""One card a GPU: the figures of the table that the terminal shows, with bars where two of them make a share."""

from __future__ import annotations

from envcheck.facts import Fact, Gpu, Unread, value_or
from envcheck.judge import Report
from envcheck.report import gpu_table
from envcheck.report.words import gib

from .markup import Markup, join, tag, text

NAMES = {
    "temp C": "temperature",
    "power W": "power",
    "SM MHz": "SM clock",
    "ECC": "ECC",
    "MIG": "MIG",
    "PCIe": "PCIe link",
}
"""Column of the table → what a card calls it."""

UNITS = {"temp C": " °C", "power W": " W", "SM MHz": " MHz"}


def section(report: Report, only: int | None = None) -> Markup | None:
    """The GPUs as NVML sees them, else as nvidia-smi does."""
    rows = gpu_table.rows(report.snapshot, only)
    if not rows:
        return None
    gpus = {str(gpu.index): gpu for gpu in _gpus(report)}
    cards = [_card(row, gpus.get(row.cells[0])) for row in rows]
    return tag("section", tag("h2", text("GPUs")), tag("div", *cards, class_="cards"))


def _gpus(report: Report) -> list[Gpu]:
    for section in (report.snapshot.nvml, report.snapshot.smi):
        gpus = [] if isinstance(section, Unread) else value_or(section.gpus, [])
        if gpus:
            return gpus
    return []


def _card(row: gpu_table.Row, gpu: Gpu | None) -> Markup:
    cells = dict(zip(gpu_table.COLUMNS, row.cells, strict=True))
    facts = [_memory(gpu)] if gpu is not None else []
    for column, name in NAMES.items():
        told = cells[column] + (UNITS.get(column, "") if cells[column].strip("?-/") else "")
        share = _share(gpu.power_w, gpu.power_limit_w) if gpu is not None and column == "power W" else None
        facts.append(_fact(name, _spoken(told), share))
    uuid = gpu.uuid if gpu is not None and isinstance(gpu.uuid, str) else ""
    return tag(
        "article",
        tag("h3", text(f"GPU {cells['GPU']}: {cells['name']}")),
        tag("dl", *facts, class_="facts"),
        *(tag("p", text(remark), class_="soft") for remark in row.remarks),
        tag("p", tag("code", text(uuid))) if uuid else None,
    )


def _memory(gpu: Gpu) -> Markup:
    used, total = gpu.memory_used_bytes, gpu.memory_total_bytes
    told = " of ".join(gib(size) if isinstance(size, int) else "?" for size in (used, total))
    return _fact("memory", _spoken(f"{told} GiB" if isinstance(total, int) else told), _share(used, total))


def _spoken(told: str) -> str:
    """``70/700 W`` as "70 of 700 W"; nothing known of both is one question mark."""
    told = told.replace("/", " of ")
    return "?" if told == "? of ?" else "-" if told == "- of -" else told


def _share(part: Fact[int] | Fact[float], whole: Fact[int] | Fact[float]) -> float | None:
    if not isinstance(part, (int, float)) or not isinstance(whole, (int, float)) or whole <= 0:
        return None
    return min(max(part / whole, 0.0), 1.0)


def _fact(name: str, told: str, share: float | None = None) -> Markup:
    bar = None
    if share is not None:
        filled = tag("span", style=f"width:{share * 100:.0f}%")
        bar = tag("div", filled, class_="bar", role="img", aria_label=f"{name}: {share * 100:.0f} per cent")
    return join(tag("dt", text(name)), tag("dd", text(told), bar))
