"""A matrix as text: for a terminal, Markdown, HTML, CSV and JSON.  Plain ASCII."""

from __future__ import annotations

import json
import textwrap

import msgspec

from .matrix import Cell, Line, Matrix

LEGEND = {
    "runs": "runs here",
    ">=N": "needs driver N or newer",
    "<=N": "the driver no longer drives this card; branch N is the last that does",
    "card?": "the driver will do; which card was not told",
    "card": "no code for this card in the build",
    "python": "no wheel for this Python",
    "glibc": "the C library is too old",
    "cpu": "CPU build",
    "?": "cannot tell: something is not known",
    ".": "no such build known",
}
"""What the labels of the cells mean."""

GLUE = "\x1f"
"""Stands for a space at which a line must not be folded."""

STYLES = {
    "runs": "background:#cdeccd",
    "driver": "background:#fbe3bf",
    "card": "background:#f6caca",
    "python": "background:#e3d3f0",
    "libc": "background:#e3d3f0",
    "unknown": "background:#ececec",
}


def to_json(table: Matrix) -> str:
    """Every cell with its state, reason and rule."""
    return json.dumps(msgspec.to_builtins(table), indent=2) + "\n"


def to_terminal(table: Matrix, width: int = 80) -> str:
    """A grid where it fits into ``width`` columns, else one paragraph a release.  ``*`` marks the default build."""
    head = textwrap.wrap(f"torch on {table.platform}: {table.machine}", max(width, 20))
    rows = _rows(table, star=True)
    sizes = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    if sum(sizes) + 2 * (len(sizes) - 1) <= width:
        body = ["  ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)).rstrip() for row in rows]
    else:
        body = [text for line in table.lines for text in _paragraph(line, width)]
    used = {_kind(cell.label) for line in table.lines for cell in line.cells}
    used |= {"."} if any("." in row[1:] for row in rows) else set()
    legend = [f"{label:<7} {meaning}" for label, meaning in LEGEND.items() if label in used]
    legend.append("*       what a plain pip install gives")
    notes = [part for text in legend for part in textwrap.wrap(text, max(width, 20), subsequent_indent=" " * 8)]
    return "\n".join([*head, "", *body, "", *notes]) + "\n"


def to_markdown(table: Matrix) -> str:
    """A pipe table; the default build is bold."""
    rows = _rows(table)
    lines = [f"torch on {table.platform}: {table.machine}", "", "| " + " | ".join(rows[0]) + " |"]
    lines.append("|" + " --- |" * len(rows[0]))
    for line, row in zip(table.lines, rows[1:], strict=True):
        plain = {cell.build for cell in line.cells if cell.default}
        cells = [f"**{t}**" if v in plain else t for v, t in zip(table.variants, row[1:], strict=True)]
        lines.append("| " + " | ".join([row[0], *cells]) + " |")
    lines += ["", "Bold: what a plain pip install gives.  "]
    return "\n".join([*lines, *(f"`{label}`: {meaning}.  " for label, meaning in LEGEND.items())]).rstrip() + "\n"


def to_csv(table: Matrix) -> str:
    """One row a build: torch, build, state, label, rule, default, why."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["torch", "build", "state", "label", "rule", "default", "why"])
    for line in table.lines:
        for c in line.cells:
            writer.writerow([line.torch, c.build, c.state, c.label, c.rule or "", str(c.default).lower(), c.why])
    return out.getvalue()


def to_html(table: Matrix) -> str:
    """One self-contained page; the whole reason is the tooltip of its cell."""
    from html import escape

    def field(cell: Cell | None) -> str:
        if cell is None:
            return "<td>.</td>"
        text = f"<b>{escape(cell.label)}</b>" if cell.default else escape(cell.label)
        style = STYLES.get(cell.state, "")
        return f'<td style="{style}" title="{escape(cell.why, quote=True)}">{text}</td>'

    head = "".join(f"<th>{escape(variant)}</th>" for variant in table.variants)
    body = []
    for line in table.lines:
        cells = {cell.build: cell for cell in line.cells}
        fields = "".join(field(cells.get(variant)) for variant in table.variants)
        body.append(f"<tr><th>{escape(line.torch)}</th>{fields}</tr>")
    legend = "".join(f"<dt>{escape(label)}</dt><dd>{escape(meaning)}</dd>" for label, meaning in LEGEND.items())
    title = escape(f"torch on {table.platform}: {table.machine}")
    rows = "\n".join(body)
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>\n'
        "<style>body{font-family:sans-serif}table{border-collapse:collapse}"
        "th,td{border:1px solid #bbb;padding:.2em .6em;text-align:center}</style></head>\n"
        f"<body><h1>{title}</h1>\n<table>\n<tr><th>torch</th>{head}</tr>\n{rows}\n</table>\n"
        f"<dl><dt><b>bold</b></dt><dd>what a plain pip install gives</dd>{legend}</dl></body>\n</html>\n"
    )


def _rows(table: Matrix, star: bool = False) -> list[list[str]]:
    out = [["torch", *table.variants]]
    for line in table.lines:
        cells = {cell.build: cell.label + ("*" if star and cell.default else "") for cell in line.cells}
        out.append([line.torch, *(cells.get(variant, ".") for variant in table.variants)])
    return out


def _paragraph(line: Line, width: int) -> list[str]:
    cells = [f"{cell.build}{'*' if cell.default else ''}{GLUE}{cell.label}" for cell in line.cells]
    first = f"{line.torch:<7} "
    folded = textwrap.wrap(
        first + (", ".join(cells) or "no build known"),
        max(width, 20),
        subsequent_indent=" " * len(first),
        break_on_hyphens=False,
    )
    return [text.replace(GLUE, " ") for text in folded]


def _kind(label: str) -> str:
    return f"{label[:2]}N" if label.startswith((">=", "<=")) else label
