"""The page that a voice writes on: how wide it is, whether colours show, which characters it can hold.

Environment and terminal are asked here and nowhere else in ``report``, so that every voice is a function of (report,
page).  ``NO_COLOR`` comes before ``FORCE_COLOR`` and both before what the stream is (no-color.org, force-color.org).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

MIN_WIDTH, MAX_WIDTH, PIPED_WIDTH = 40, 100, 80
NARROW = 60
"""Below so many columns labels stand above their text and tables become blocks."""

MARKS = "✓✗·…→≥×°–"
"""What a page has to be able to hold before any of it is used."""

Mark: TypeAlias = Literal["ok", "problem", "warning", "note", "cannot_tell", "not_reached"]
_UNICODE: dict[Mark, str] = {
    "ok": "✓",
    "problem": "✗",
    "warning": "!",
    "note": "i",
    "cannot_tell": "?",
    "not_reached": "·",
}
_ASCII: dict[Mark, str] = {
    "ok": "[ok]",
    "problem": "x",
    "warning": "!",
    "note": "i",
    "cannot_tell": "?",
    "not_reached": "-",
}


@dataclass(frozen=True)
class Page:
    """Width in columns; ``colour``: ANSI colours are understood; ``unicode``: more than ASCII can be shown.

    ``gpu`` leaves only the GPU of that NVML index in the table of GPUs.
    """

    width: int = PIPED_WIDTH
    colour: bool = False
    unicode: bool = True
    gpu: int | None = None

    def mark(self, mark: Mark) -> str:
        """The sign of an outcome, in characters that this page can hold."""
        return (_UNICODE if self.unicode else _ASCII)[mark]

    @property
    def mark_width(self) -> int:
        return 1 if self.unicode else 4


def page_of(stream: Any, environ: Mapping[str, str], *, gpu: int | None = None) -> Page:
    """The page that a text stream is.  ``None`` (a closed stream) and pipes are plain, 80 columns or ``COLUMNS``."""
    return Page(
        width=_width(stream, environ), colour=shows_colour(stream, environ), unicode=holds(stream, MARKS), gpu=gpu
    )


def is_interactive(stream: Any, environ: Mapping[str, str]) -> bool:
    """A terminal that understands cursor movement: somewhere that a changing picture can be drawn."""
    return _is_terminal(stream) and environ.get("TERM") != "dumb" and _windows_understands(environ)


def shows_colour(stream: Any, environ: Mapping[str, str]) -> bool:
    """Does the user want colour here, or does the stream at least understand it?"""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    return is_interactive(stream, environ)


def holds(stream: Any, text: str) -> bool:
    """Can the stream's encoding carry this text?"""
    encoding = getattr(stream, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream is not None and stream.isatty())
    except ValueError:  # a closed stream object
        return False


def _windows_understands(environ: Mapping[str, str]) -> bool:
    """Old Windows consoles print escape sequences as they are; the newer ones announce themselves."""
    return sys.platform != "win32" or any(environ.get(name) for name in ("WT_SESSION", "ANSICON", "TERM", "ConEmuANSI"))


def _width(stream: Any, environ: Mapping[str, str]) -> int:
    columns = environ.get("COLUMNS", "")
    width = int(columns) if columns.isascii() and columns.isdigit() else 0
    if not width and _is_terminal(stream):
        try:
            width = os.get_terminal_size(stream.fileno()).columns
        except (OSError, ValueError):
            width = 0
    return min(max(width or PIPED_WIDTH, MIN_WIDTH), MAX_WIDTH)
