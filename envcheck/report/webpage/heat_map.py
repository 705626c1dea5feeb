"""Which torch builds run on this machine: releases against CUDA variants, as a table in colours."""

from __future__ import annotations

from envcheck.compat.grid import LEGEND
from envcheck.compat.machine import machine_of
from envcheck.compat.matrix import Cell, Matrix, matrix
from envcheck.compat.version import key, split_local, variant_of
from envcheck.facts import Snapshot, TorchInstall
from envcheck.report.phrases import target

from .markup import Markup, tag, text

CLASSES = {
    "runs": "ok",
    "driver": "warning",
    "card": "problem",
    "python": "note",
    "libc": "note",
    "platform": "note",
    "build": "none",
    "unknown": "unknown",
    "none": "none",
}
"""State of a cell → the colour that the rest of the page uses for its like."""

NO_BUILD = "."
MEANINGS = {
    "ok": LEGEND["runs"],
    "warning": "another driver is needed: its version",
    "problem": LEGEND["card"],
    "note": "no wheel for this Python, C library or system",
    "unknown": LEGEND["?"],
    "none": LEGEND["cpu"],
}


def section(snapshot: Snapshot) -> Markup | None:
    """The matrix for this machine; nothing where no NVIDIA card is known of, or no wheels exist."""
    title = tag("h2", text("Which torch builds run here"))
    try:
        machine = machine_of(snapshot)
        if machine.has_no_cards or not isinstance(machine.cards, list):
            return None
        table = matrix(machine)
    except ValueError as error:  # a recorded version that is no version
        return tag("section", title, tag("p", text(f"No table: {error}"), class_="soft"))
    if not table.lines or table.variants == ["cpu"]:
        return None
    return tag(
        "section",
        title,
        tag("p", text(f"{table.platform}: {table.machine}"), class_="soft"),
        tag("div", _table(table, _have(snapshot)), class_="wide", tabindex=0, role="region", aria_label="Builds"),
        _legend(table),
    )


def _table(table: Matrix, have: tuple[str, str]) -> Markup:
    head = tag("tr", tag("th", text("torch"), scope="col"), *(tag("th", text(v), scope="col") for v in table.variants))
    rows = []
    for line in table.lines:
        cells = {cell.build: cell for cell in line.cells}
        fields = [_field(cells.get(variant), have == (line.torch, variant)) for variant in table.variants]
        rows.append(tag("tr", tag("th", text(line.torch), scope="row"), *fields))
    return tag("table", tag("thead", head), tag("tbody", *rows))


def _field(cell: Cell | None, have: bool) -> Markup:
    if cell is None:
        return tag("td", text(NO_BUILD))
    label = text(cell.label)
    style = f"{CLASSES.get(cell.state, 'none')}{' have' if have else ''}"
    return tag("td", tag("b", label) if cell.default else label, class_=style, title=cell.why or LEGEND["runs"])


def _have(snapshot: Snapshot) -> tuple[str, str]:
    """(release, variant) of the torch that is installed, as the table names them; empty for none."""
    python = target(snapshot)
    torch = python.torch if python is not None else None
    if not isinstance(torch, TorchInstall) or not isinstance(torch.version, str):
        return "", ""
    release, variant = split_local(torch.version)
    cuda = torch.cuda if isinstance(torch.cuda, str) else ""
    try:
        key(release)
        return release, variant or (variant_of(cuda) if cuda else "cpu")
    except ValueError:
        return "", ""


def _legend(table: Matrix) -> Markup:
    used = {CLASSES.get(cell.state, "none") for line in table.lines for cell in line.cells}
    items = [
        tag("li", tag("b", Markup("&nbsp;&nbsp;"), class_=name), text(meaning))
        for name, meaning in MEANINGS.items()
        if name in used
    ]
    items.append(tag("li", tag("strong", text("bold")), text("what a plain pip install gives")))
    items.append(tag("li", tag("span", text("outlined"), class_="have"), text("what is installed")))
    return tag("ul", *items, class_="legend")
