"""A pasted text as clean, numbered lines: without colours, quoting, Markdown and HTML, and with joined lines parted.

What a paste went through (a terminal, a forum, an e-mail, an archive that joins lines) leaves marks that no tool
printed.  They are taken off here, once, so that a reader of a format knows that format alone.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

LONGEST_QUOTE = 160
"""Characters of a line that an origin repeats."""

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
_QUOTE = re.compile(r"[ \t]{0,40}>(?!>>(?: |$)) ?")
_FRAME = re.compile(r"^\s{0,40}[\u2502\u2503\u2551]\s?")
_COMMENTED_TABLE = re.compile(r"^#(?=[|+]|[ ]?\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d)")
_TAGS = re.compile(
    r"</?(?:br|pre|code|p|div|span|b|i|em|strong|details|summary|li|ul|td|tr)\b[^<>]{0,80}>", re.IGNORECASE
)
_ENTITY = re.compile(r"&(?:lt|gt|amp|quot|nbsp|#\d{1,5}|#x[0-9a-fA-F]{1,4});")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

# Where one line of a log begins inside a line that was joined: what Python and pip begin lines with.
_SEAM = re.compile(
    r"(?<=[ \t])(?="
    r"Traceback \(most recent call last\):"
    r'|File "[^"]{1,300}", line \d+'
    r"|(?:[a-z_]\w{0,40}\.){0,5}[A-Z]\w{0,60}(?:Error|Exception|Warning|Interrupt): "
    r"|(?:ERROR|WARNING|INFO|FATAL): "
    r"|NVRM: "
    r"|\[pip3?\] |\[conda\] "
    r")"
)


class Line(NamedTuple):
    """One line of the paste; ``number`` counts from 1.  A joined line gives several of one number."""

    number: int
    text: str

    @property
    def origin(self) -> str:
        """How a fact read here is traced back: ``line 12: PyTorch version: 2.3.0``."""
        words = " ".join(self.text.split())
        return f"line {self.number}: {words if len(words) <= LONGEST_QUOTE else words[: LONGEST_QUOTE - 1] + '…'}"


def clean_lines(text: str) -> list[Line]:
    """The lines of a paste, cleaned; blank ones are kept, as the end of a block."""
    lines: list[Line] = []
    for number, raw in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if not raw:
            lines.append(Line(number, raw))
            continue
        if len(raw) < JOINED_FROM and raw.isascii() and not _NEEDS_CLEANING.search(raw):
            lines.append(Line(number, raw.rstrip()))  # most lines of most texts
            continue
        for piece in raw.split("\r"):
            cleaned = clean(piece)
            lines.extend(Line(number, part) for part in _part(cleaned))
    return lines


def clean(raw: str) -> str:
    """One line as the tool printed it."""
    if raw.isascii() and not _NEEDS_CLEANING.search(raw):
        return raw.rstrip()
    line = _BARE_COLOURS.sub("", _ESCAPES.sub("", raw)).replace("\u00a0", " ").replace("\t", "    ")
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
        match = _QUOTE.match(line, at)
        if match is None:
            return line[at:] if at else line
        at = match.end()


def _part(line: str) -> Iterator[str]:
    if len(line) < JOINED_FROM:
        yield line
        return
    start = 0
    for seam in _SEAM.finditer(line):
        if seam.start() > start:
            yield line[start : seam.start()]
            start = seam.start()
    yield line[start:]
