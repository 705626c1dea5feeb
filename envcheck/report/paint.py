"""Lines on a page: wrap, indent, label, colour.  Our own, because of start-up.

Measured in a process that has typer and the court loaded (Python 3.11; `python -c pass` takes 14 ms): importing
rich.console and printing a first table takes 32 ms, this file and 100 paragraphs take 5 ms, of a `doctor --quick`
of 300 ms in all.  A report needs wrapped paragraphs, labels and a few styles, and nothing else that rich has.
"""

from __future__ import annotations

from collections.abc import Iterator

from .page import NARROW, Page
from .words import clean, fold

_STYLES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
    "bold red": "1;31",
    "bold green": "1;32",
    "bold yellow": "1;33",
}
OUTCOME_STYLES = {
    "ok": "green",
    "problem": "bold red",
    "warning": "bold yellow",
    "note": "cyan",
    "cannot_tell": "yellow",
    "not_reached": "dim",
}


class Painter:
    """Collects the lines of one page.  All text passes :func:`~envcheck.report.words.clean` on its way in."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._lines: list[str] = []

    def text(self, text: str, *, indent: int = 0, lead: str = "", style: str = "", lead_style: str = "") -> None:
        """A paragraph.  ``lead`` opens its first line; the others are indented as far as the lead is wide."""
        text, lead = self._fit(text), self._fit(lead, keep=True)
        left = " " * indent
        hang = min(indent + width_of(lead), self.page.width * 2 // 3)
        for i, line in enumerate(wrap(text, self.page.width - hang, self.page.width - indent - width_of(lead))):
            opening = left + self.styled(lead, lead_style or style) if i == 0 else " " * hang
            self._lines.append((opening + self.styled(line, style)).rstrip())

    def labelled(self, label: str, text: str, *, indent: int, column: int, style: str = "") -> None:
        """``label  text`` with the text in its own column; on a narrow page the label gets its own line."""
        if self.page.width < NARROW:
            if label:
                self.text(label, indent=indent, style="dim")
            self.text(text, indent=indent + 2, style=style)
        else:
            self.text(text, indent=indent, lead=label.ljust(column), style=style, lead_style="dim")

    def command(self, command: str, *, indent: int, lead: str = "") -> None:
        """A command on a line of its own, never wrapped: it has to survive being copied."""
        lead, command = self._fit(lead, keep=True), self._fit(command)
        self._lines.append(" " * indent + self.styled(lead, "dim") + self.styled(command, "bold"))

    def raw(self, line: str, style: str = "") -> None:
        """One line as it is, cut at nothing: rows of a table that was measured beforehand."""
        self._lines.append(self.styled(self._fit(line, keep=True).rstrip(), style))

    def blank(self) -> None:
        """An empty line, unless there is one already."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def styled(self, text: str, style: str) -> str:
        """The text in a style, where the page shows colours."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if style and text.strip() and self.page.colour else text

    def finish(self) -> str:
        """The whole page, ending in one newline."""
        while self._lines and not self._lines[-1]:
            self._lines.pop()
        return "\n".join(self._lines) + "\n" if self._lines else ""

    def _fit(self, text: str, *, keep: bool = False) -> str:
        """Clean; ``keep`` leaves the spaces at both ends and within (columns)."""
        cleaned = "".join(c for c in text if c.isprintable()) if keep else clean(text)
        return cleaned if self.page.unicode else fold(cleaned)


def wrap(text: str, width: int, first: int | None = None) -> Iterator[str]:
    """Lines of at most ``width`` columns (the first: ``first``).  A word longer than that keeps its own line."""
    room = max(first if first is not None else width, 1)
    line: list[str] = []
    used = 0
    for word in text.split(" "):
        size = width_of(word)
        if line and used + 1 + size > room:
            yield " ".join(line)
            line, used, room = [], 0, max(width, 1)
        used += size + (1 if line else 0)
        line.append(word)
    yield " ".join(line)


def width_of(text: str) -> int:
    """Columns that the text takes: East Asian wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
