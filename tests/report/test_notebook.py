"""The report inside a notebook: whole, self-contained, readable on dark pages as on light ones, safe."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from syrupy.assertion import SnapshotAssertion

from envcheck.judge import Report
from envcheck.report.notebook import DARK, LIGHT, STYLE, render

Reports = Callable[[str], Report]
VOID = {"br", "hr", "img", "input", "meta", "link"}
ALLOWED = {
    *("style", "div", "h3", "h4", "p", "b", "strong", "code", "pre", "span", "a"),
    *("ol", "ul", "li", "table", "tr", "th", "td", "details", "summary"),
}
READABLE = 4.5
"""Contrast of text on its ground that WCAG 2.1 asks for (level AA)."""


class Reader(HTMLParser):
    """Tags in balance, their attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str | None]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


@pytest.mark.parametrize("machine", ["healthy", "sick", "silent", "hostile"])
def test_the_whole_text(report_of: Reports, machine: str, snapshot: SnapshotAssertion) -> None:
    """A change of the text is a change that somebody looks at."""
    assert render(report_of(machine)).replace(STYLE, "STYLE") == snapshot


@pytest.mark.parametrize("machine", ["healthy", "sick", "silent", "hostile"])
def test_it_is_whole_and_needs_nothing_else(report_of: Reports, machine: str) -> None:
    """Balanced tags, no script, nothing that is loaded from elsewhere, no handler: a fragment for any page."""
    found = Reader(render(report_of(machine)))
    assert found.open == []
    assert found.tags <= ALLOWED
    assert {name for _, name, _ in found.attributes} <= {"class", "role", "aria-label", "title", "href", "rel"}
    assert [
        value for tag, name, value in found.attributes if name == "href" and not str(value).startswith("https://")
    ] == []
    assert not re.search(r"@import|url\(|expression", STYLE)


def test_hostile_text_stays_text(report_of: Reports) -> None:
    """What a file name holds is shown, and never becomes a tag, an attribute or an escape sequence."""
    page = render(report_of("hostile"))
    found = Reader(page)
    assert "script" not in found.tags
    assert "<script>alert(1)</script>" in "".join(found.words)
    assert [c for c in page if not c.isprintable() and c != "\n"] == []


def test_what_a_reader_needs_stands_open(report_of: Reports) -> None:
    """Verdict, cause and the commands of the fix are seen without a click; evidence and versions are one away."""
    page = render(report_of("sick"))
    opened = re.sub(r"<details>.*?</details>", "", page, flags=re.DOTALL)
    for words in (
        "unfit: driver-too-old (TST101)",
        "sudo apt-get install nvidia-driver-580",
        "torch.cuda.is_available()",
    ):
        assert words in page
    assert "sudo apt-get install nvidia-driver-580" in opened
    assert "535.183.01; " not in opened
    assert "driver.nvml" in page
    assert "driver.nvml" not in opened


@pytest.mark.parametrize(("theme", "ground"), [(LIGHT, "#ffffff"), (DARK, "#111111")])
def test_every_colour_can_be_read_on_its_ground(theme: str, ground: str) -> None:
    """Contrast of at least 4.5 to 1, on a white page and on a dark one."""
    colours = dict(part.split(":") for part in theme.split(";"))
    poor = {
        name: round(contrast(colour, ground), 2)
        for name, colour in colours.items()
        if contrast(colour, ground) < READABLE
    }
    assert poor == {}


def test_both_themes_are_chosen_by_the_page_before_the_system() -> None:
    """JupyterLab and VS Code say which theme they show; a dark system must not darken a light notebook."""
    system = STYLE.index("prefers-color-scheme:dark")
    assert STYLE.index('[data-jp-theme-light="true"]') > system
    assert STYLE.index('[data-jp-theme-light="false"]') > system
    assert STYLE.count(LIGHT) == 2
    assert STYLE.count(DARK) == 2


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, by WCAG 2.1."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
