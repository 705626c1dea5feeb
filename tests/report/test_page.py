"""What a stream can show, and what the user wants to see there."""

from __future__ import annotations

import io
from typing import Any

import pytest

from envcheck.report.page import Page, is_interactive, page_of, shows_colour


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def __init__(self, encoding: str = "utf-8", tty: bool = True) -> None:
        super().__init__()
        self._name, self._tty = encoding, tty

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._name

    def isatty(self) -> bool:
        return self._tty


@pytest.mark.parametrize(
    ("tty", "environ", "expected"),
    [
        (True, {}, True),
        (True, {"TERM": "xterm-256color"}, True),
        (True, {"TERM": "dumb"}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (False, {}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "0"}, False),
        (False, {"FORCE_COLOR": ""}, False),
        (True, {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
        (True, {"TERM": "dumb", "FORCE_COLOR": "3"}, True),
    ],
)
def test_colour(monkeypatch: pytest.MonkeyPatch, tty: bool, environ: dict[str, str], expected: bool) -> None:
    """A terminal has colours, a pipe has none; NO_COLOR, then FORCE_COLOR, then TERM=dumb are obeyed."""
    monkeypatch.setattr("envcheck.report.page.sys.platform", "linux")
    assert shows_colour(Terminal(tty=tty), environ) is expected


def test_old_windows_consoles_get_no_escape_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would print them; the newer ones say that they are there."""
    monkeypatch.setattr("envcheck.report.page.sys.platform", "win32")
    assert not shows_colour(Terminal(), {})
    assert shows_colour(Terminal(), {"WT_SESSION": "x"})


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", True),
        ("UTF-8", True),
        ("ascii", False),
        ("latin-1", False),
        ("cp1252", False),
        ("cp437", False),
        ("?", False),
    ],
)
def test_marks_need_an_encoding(encoding: str, expected: bool) -> None:
    """A page has typographic characters only where the stream carries all of them."""
    page = page_of(Terminal(encoding), {})
    assert page.unicode is expected
    assert page.mark("ok") == ("✓" if expected else "[ok]")


@pytest.mark.parametrize(
    ("environ", "width"),
    [
        ({}, 80),
        ({"COLUMNS": "66"}, 66),
        ({"COLUMNS": "20"}, 40),
        ({"COLUMNS": "500"}, 100),
        ({"COLUMNS": "wide"}, 80),
        ({"COLUMNS": "²"}, 80),
    ],
)
def test_width(environ: dict[str, str], width: int) -> None:
    """COLUMNS, else the terminal, else 80; between 40 and 100."""
    assert page_of(Terminal(tty=False), environ).width == width


@pytest.mark.parametrize("stream", [None, io.StringIO()])
def test_no_stream_is_a_plain_page(stream: Any) -> None:
    """A closed standard output is no reason to fail."""
    page = page_of(stream, {})
    assert (page.colour, page.width) == (False, 80)
    assert not is_interactive(stream, {})


def test_a_closed_stream_object() -> None:
    """isatty() of a closed file raises; that means no."""
    stream = io.StringIO()
    stream.close()
    assert page_of(stream, {}).colour is False


def test_marks_of_one_page_are_told_apart() -> None:
    """Each outcome has its own sign, in Unicode and in ASCII."""
    for page in (Page(), Page(unicode=False)):
        marks = [page.mark(m) for m in ("ok", "problem", "warning", "note", "cannot_tell", "not_reached")]
        assert len(set(marks)) == len(marks)
        assert max(map(len, marks)) == page.mark_width
