"""The matrix: one cell a build, the same judgement as everywhere, readable in every format."""

from __future__ import annotations

import csv
import io
import json
from html.parser import HTMLParser

import pytest

from envcheck.compat import grid
from envcheck.compat.machine import Machine, Unclear, describe
from envcheck.compat.matrix import Matrix, matrix


def table(spec: str | None = None, **words: str) -> Matrix:
    return matrix(describe(**words), spec)


OLD = {"driver": "535.104.05", "gpu": "RTX 4090", "python": "3.12"}


def cells(found: Matrix, torch: str) -> dict[str, tuple[str, str]]:
    (line,) = (line for line in found.lines if line.torch == torch)
    return {cell.build: (cell.state, cell.label) for cell in line.cells}


def test_what_the_cells_say() -> None:
    """runs, needs driver N, no wheel for this Python, card not in the build, CPU, cannot tell."""
    old = table(**OLD)
    assert cells(old, "2.14.1") == {
        "cu126": ("runs", "runs"),
        "cu130": ("driver", ">=580"),
        "cu132": ("driver", ">=580"),
    }
    assert cells(old, "2.1.2")["cu121"] == ("python", "python")
    assert cells(old, "2.11.0")["cu129"] == ("unknown", "?")
    assert cells(table(driver="580.95.05", gpu="V100"), "2.15.0")["cu132"] == ("card", "card")
    assert cells(table(driver="590.48.01", gpu="V100"), "2.14.1")["cu126"] == ("driver", "<=580")
    assert cells(table(driver="580.95.05", gpu="T4", glibc="2.17"), "2.9.1")["cu128"] == ("libc", "glibc")
    assert cells(table(os="windows", driver="581.29", gpu="T4"), "2.14.1")["cpu"] == ("build", "cpu")


def test_what_is_not_told_is_not_guessed() -> None:
    """Without a driver the cell says which it takes, without a card that the card decides."""
    assert cells(table(gpu="RTX 3090"), "2.9.1")["cu128"] == ("unknown", ">=525.60")
    assert cells(table(driver="580.95.05"), "2.9.1")["cu128"] == ("unknown", "card?")


def test_which_releases_are_shown() -> None:
    """The newest patch of each minor from 2.0 on, or exactly what is asked for; newest first."""
    shown = [line.torch for line in table(**OLD).lines]
    assert shown[0] == "2.15.0" and shown[-1] == "2.0.1" and "2.14.0" not in shown
    assert [line.torch for line in table("1.8", **OLD).lines] == ["1.8.1", "1.8.0"]
    with pytest.raises(Unclear):
        table("newest", **OLD)
    assert matrix(Machine()).lines == []


def test_the_default_build_is_marked() -> None:
    """One cell a line is what a plain install gives."""
    for line in table(**OLD).lines:
        assert sum(cell.default for cell in line.cells) == 1


@pytest.mark.parametrize("width", [20, 40, 80, 100, 200])
def test_the_terminal_fits_every_width(width: int) -> None:
    """A grid where it fits, paragraphs where it does not; no line is too long, no cell is lost."""
    found = table(**OLD)
    text = grid.to_terminal(found, width)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= max(width, 26)
    for line in found.lines:
        assert line.torch in text
    assert text.count("runs") >= sum(cell.state == "runs" for line in found.lines for cell in line.cells)


def test_json_csv_and_html_hold_every_cell() -> None:
    """The machine-readable forms carry state, rule and reason of every build."""
    found = table(**OLD)
    count = sum(len(line.cells) for line in found.lines)
    plain = json.loads(grid.to_json(found))
    assert sum(len(line["cells"]) for line in plain["lines"]) == count
    rows = list(csv.DictReader(io.StringIO(grid.to_csv(found))))
    assert len(rows) == count
    assert rows[0]["rule"] == "driver-too-old-for-torch" and rows[0]["why"]
    assert {row["state"] for row in rows} == {"runs", "driver", "unknown", "python"}


def test_html_is_well_formed_and_escaped() -> None:
    """Every tag is closed, and a name that looks like markup stays text."""
    found = matrix(describe(gpu="<script>alert(1)</script>", cc="8.9", driver="535.104.05"))
    text = grid.to_html(found)
    assert "<script>" not in text and text.isascii()
    open_tags: list[str] = []

    class Checker(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag != "meta":
                open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Checker().feed(text)
    assert open_tags == []
    assert text.count("<tr>") == len(found.lines) + 1


def test_markdown_is_a_table() -> None:
    """Every row has as many fields as the head."""
    lines = [line for line in grid.to_markdown(table(**OLD)).splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in lines}) == 1
    assert len(lines) == len(table(**OLD).lines) + 2


def test_the_legend_explains_what_is_used() -> None:
    """Each label in the grid has its line below it."""
    text = grid.to_terminal(table(driver="590.48.01", gpu="V100", python="3.12"), 120)
    for meaning in ("the driver no longer drives this card", "no wheel for this Python"):
        assert meaning in text or "python" not in text
    assert "branch N is the last" in text
