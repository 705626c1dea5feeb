"""A pasted text as clean, numbered lines: without colours, quoting, Markdown and HTML, and with joined lines parted.

What a paste went through (a terminal, a forum, an e-mail, an archive that joins lines) leaves marks that no tool
printed.  They are taken off here, once, so that a reader of a format knows that format alone.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from .text import Line, Text

__all__ = ["JOINED_FROM", "Line", "Text", "clean", "clean_lines"]

JOINED_FROM = 200
"""A line of so many characters may be several lines that an archive joined; no tool's own label line is as long."""

_ESCAPES = re.compile(
    r"\x1b\[[0-?]{0,32}[ -/]{0,8}[@-~]"  # CSI: colours, cursor movement
    r"|\x1b\][^\x07\x1b]{0,512}(?:\x07|\x1b\\)"  # OSC: window titles, links
    r"|\x1b[@-_]"
    r"|[\u200b-\u200f\u2028-\u202e\u2060\ufeff]"  # zero-width and direction marks
)
_BARE_COLOURS = re.compile(r"\[(?:0|[1-9]\d?)(?:;\d{1,3}){0,5}m")
"""Colours whose escape character a forum dropped: ``[92m[OKAY][0m``."""

# Quoting: "> ", ">> ", also nested; ">>> " is Python's own prompt.  Box characters are pip's.
_QUOTES = re.compile(r"(?:[ \t]{0,40}>(?!>>(?: |$)) ?){1,1000}")
_FRAME = re.compile(r"^\s{0,40}[\u2502\u2503\u2551]\s?")
_COMMENTED_TABLE = re.compile(r"^#(?=[|+]|[ ]?\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d)")
_TAGS = re.compile(
    r"</?(?:br|pre|code|p|div|span|b|i|em|strong|details|summary|li|ul|td|tr)\b[^<>]{0,80}>", re.IGNORECASE
)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|nbsp|#\d{1,5}|#x[0-9a-fA-F]{1,4});")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

# Where one line of a log begins inside a line that was joined: what Python and pip begin lines with.
_SEAM = re.compile(
    r"[ \t](?="
    r"Traceback \(most recent call last\):"
    r'|File "[^"]{1,300}", line \d+'
    r"|(?:[a-z_]\w{0,40}\.){0,5}[A-Z]\w{0,60}(?:Error|Exception|Warning|Interrupt): "
    r"|(?:ERROR|WARNING|INFO|FATAL): "
    r"|NVRM: "
    r"|\[pip3?\] |\[conda\] "
    r")"
)
_SEAM_SIGNS: tuple[str, ...] = (
    "Traceback (",
    'File "',
    "Error: ",
    "Exception: ",
    "Warning: ",
    "Interrupt: ",
    "ERROR: ",
    "WARNING: ",
)
_SEAM_SIGNS += ("INFO: ", "FATAL: ", "NVRM: ", "[pip", "[conda] ")
"""Of these one stands at every seam."""


def clean_lines(text: str) -> Text:
    """The lines of a paste, cleaned; blank ones are kept, as the end of a block."""
    texts: list[str] = []
    numbers: list[int] = []
    clean_already: dict[str, list[str]] = {}  # a text that repeats its lines is cleaned once
    for number, raw in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        parts = clean_already.get(raw)
        if parts is None:
            parts = clean_already[raw] = _parts(raw)
        texts += parts
        numbers += (number,) if len(parts) == 1 else [number] * len(parts)
    return Text(texts, numbers)


def _parts(raw: str) -> list[str]:
    """What one line of the paste holds: mostly one line."""
    if len(raw) < JOINED_FROM and raw.isascii() and not _NEEDS_CLEANING.search(raw):
        return [raw.rstrip()]  # most lines of most texts
    return [part for piece in raw.split("\r") for part in _part(clean(piece))]


def clean(raw: str) -> str:
    """One line as the tool printed it."""
    if raw.isascii() and not _NEEDS_CLEANING.search(raw):
        return raw.rstrip()
    line = _ESCAPES.sub("", raw) if "\x1b" in raw or not raw.isascii() else raw
    if "[" in line:
        line = _BARE_COLOURS.sub("", line)
    line = line.replace("\u00a0", " ").replace("\t", "    ")
    if not line.isprintable():
        line = _CONTROL.sub("", line)
    if "<" in line:
        line = _TAGS.sub("", line)
    if "&" in line:
        line = _ENTITY.sub(_unescape, line)
    line = _unquote(line)
    line = _COMMENTED_TABLE.sub("", _FRAME.sub("", line))
    return line.rstrip()


_NEEDS_CLEANING = re.compile(r"[\x00-\x1f\x7f<&>]|^#|\[\d")


def _unescape(match: re.Match[str]) -> str:
    return html.unescape(match[0]).replace("\u00a0", " ")


def _unquote(line: str) -> str:
    at = 0
    while True:
        match = _QUOTES.match(line, at)
        if match is None:
            return line[at:] if at else line
        at = match.end()


def _part(line: str) -> Iterator[str]:
    start = 0
    if len(line) >= JOINED_FROM and any(sign in line for sign in _SEAM_SIGNS):
        for seam in _SEAM.finditer(line):
            yield line[start : seam.end()]
            start = seam.end()
    yield line[start:]
