"""envcheck diff: two files, or this machine and a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
Recorded = Callable[[str], str]
pytestmark = [pytest.mark.usefixtures("law"), pytest.mark.wheel]


def test_what_matters_is_exit_code_1(cli: Cli, recorded: Recorded) -> None:
    """The driver decides: the sentence says so, and so does the exit code."""
    fit, unfit = recorded("fit"), recorded("unfit")
    result = cli("diff", fit, unfit)
    assert (result.code, result.err) == (1, "")
    assert "driver" in result.out
    assert "580.95.05" in result.out
    assert "535.183.01" in result.out
    assert cli("diff", unfit, fit).code == 1


def test_nothing_that_matters_is_exit_code_0(cli: Cli, recorded: Recorded) -> None:
    """A file and its copy, and machines whose rules answer alike."""
    fit = recorded("fit")
    assert cli("diff", fit, fit).code == 0
    assert cli("diff", fit, recorded("no-gpu")).code == 0


def test_this_machine_against_a_file(cli: Cli, recorded: Recorded, here: Callable[[object], object]) -> None:
    """ "here" looks at this machine."""
    here("unfit")
    result = cli("diff", recorded("fit"), "here", "--format", "json")
    assert result.code == 1
    told = json.loads(result.out)
    assert (told["b"]["name"], told["b"]["verdict"]) == ("this machine", "unfit")
    assert told["differences"][0]["weight"] == "decides"


def test_a_recording_against_a_snapshot(cli: Cli, recorded: Recorded, tmp_path: Path) -> None:
    """Whatever --from reads can be compared."""
    table = tmp_path / "smi.txt"
    table.write_text("| NVIDIA-SMI 535.1 Driver Version: 535.1 |\n| 0 Tesla T4 Off | 00000000:00:04.0 Off | 0 |\n")
    result = cli("diff", recorded("fit"), str(table))
    assert result.err == ""
    assert "driver: 580.95.05" in result.out
    assert "535.1" in result.out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["diff"], "A"),
        (["diff", "here"], "B"),
        (["diff", "here", "here"], "this machine can be looked at once only"),
        (["diff", "-", "-"], "standard input can be looked at once only"),
        (["diff", "/no/such/file", "here"], "/no/such/file: No such file"),
        (["diff", "here", "/no/such/file", "--format", "html"], "no such format"),
        (["diff", "here", "x", "--deadline", "0"], "--deadline 0"),
    ],
)
def test_bad_calls(cli: Cli, here: Callable[[object], object], args: list[str], words: str) -> None:
    """One line on stderr, exit code 2, nothing on stdout."""
    here("fit")
    result = cli(*args)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert words in result.err
