"""A snapshot as Markdown: what to attach to an issue, short to look at and whole to read back.

``envcheck doctor --from`` reads the snapshot out of it again.
"""

from __future__ import annotations

from envcheck.facts import Snapshot

from . import gpu_table, phrases
from .json_report import snapshot_text
from .markdown import cell, prose
from .page import Page
from .words import fold


def render(snapshot: Snapshot, page: Page) -> str:
    """The versions and GPUs as tables, and the whole snapshot folded away below."""
    lines = [prose(phrases.judged(snapshot)), "", "| what | version |", "| --- | --- |"]
    lines += [f"| {name} | {cell(version)} |" for name, version in phrases.versions(snapshot)]
    rows = gpu_table.rows(snapshot)
    if rows:
        lines += ["", f"| {' | '.join(gpu_table.COLUMNS)} |", "|" + " --- |" * len(gpu_table.COLUMNS)]
        lines += [f"| {' | '.join(cell(text) for text in row.cells)} |" for row in rows]
    lines += ["", "<details><summary>Snapshot (JSON)</summary>", "", *_fence(snapshot_text(snapshot)), "", "</details>"]
    text = "\n".join(lines) + "\n"
    return text if page.unicode else fold(text)


def _fence(text: str) -> list[str]:
    """A fenced block that no run of backticks in the text can end."""
    ticks = "```"
    while ticks in text:
        ticks += "`"
    return [f"{ticks}json", text.rstrip("\n"), ticks]
