"""``envcheck recommend`` and ``envcheck matrix``: exit codes, one-line refusals, and what is (not) imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from envcheck.__main__ import main
from envcheck.facts import Snapshot
from envcheck.testing import machine

ACCEPTED = ["recommend", "--driver", "535.104.05", "--gpu", "RTX 4090", "--python", "3.12", "--format", "json"]


class Result(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str


class Run:
    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *words: str) -> Result:
        code = main(list(words))
        captured = self.capsys.readouterr()
        return Result(code, captured.out, captured.err)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """One command line, in this process."""
    return Run(capsys)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """This machine is a member of the cast; the options of every look at it."""
    import envcheck.collect

    asked: list[object] = []

    def snapshot_here(options: object, watch: object = None) -> Snapshot:
        asked.append(options)
        return machine("driver-too-old").snapshot

    monkeypatch.setattr(envcheck.collect, "snapshot_here", snapshot_here)
    return asked


def test_a_described_machine(run: Run) -> None:
    """JSON on stdout, nothing else, exit 0."""
    done = run(*ACCEPTED)
    assert done.exit_code == 0 and done.stderr == ""
    assert json.loads(done.stdout)["choice"]["build"] == "cu126"


def test_this_machine(run: Run, here: list[object]) -> None:
    """Without a description the snapshot of this machine is asked, with another Python if one is told."""
    plain = json.loads(run("recommend", "--format", "json").stdout)
    assert (plain["choice"]["torch"], plain["choice"]["build"]) == ("2.14.1", "cu126")
    other = json.loads(run("recommend", "--python", "3.8", "--format", "json").stdout)
    assert (other["choice"]["torch"], other["choice"]["build"]) == ("2.4.1", "cu121")
    assert "RTX 4090" in run("matrix").stdout
    assert len(here) == 3


def test_a_description_looks_at_no_machine(run: Run, here: list[object]) -> None:
    """What is described is never mixed with what is here."""
    assert run(*ACCEPTED).exit_code == 0
    assert run("matrix", "--gpu", "RTX 4090").exit_code == 0
    assert here == []


def test_a_slip_is_told_before_looking(run: Run, here: list[object]) -> None:
    """Nobody waits for the collectors to hear that an option was wrong."""
    for words in (["--python", "py"], ["--torch", "newest"], ["--cuda", "x"], ["--glibc", "x"], ["--have", "x"]):
        assert run("recommend", *words).exit_code == 2
    assert run("matrix", "--torch", "newest").exit_code == 2
    assert here == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["recommend", "--driver", "580.95.05", "--gpu", "RTX 4090"], 0),
        (["recommend", "--driver", "590.48.01", "--gpu", "V100"], 1),
        (["recommend", "--driver", "580.95.05", "--gpu", "V100", "--have", "2.15.0"], 1),
        (["recommend", "--driver", "580.95.05", "--gpu", "V100", "--have", "2.14.1+cu126"], 0),
        (["recommend", "--gpu", "V100", "--have", "2.14.1+cu126"], 0),  # cannot tell is not "no"
        (["recommend", "--gpu", "RTX 6000"], 2),
        (["matrix", "--driver", "590.48.01", "--gpu", "V100"], 0),
    ],
)
@pytest.mark.parametrize("form", ["terminal", "json", "markdown"])
def test_exit_codes_do_not_depend_on_the_format(run: Run, words: list[str], code: int, form: str) -> None:
    """0 fits, 1 nothing fits or the build does not run, 2 a bad call."""
    assert run(*words, "--format", form).exit_code == code


@pytest.mark.parametrize(
    "words",
    [
        ["recommend", "--gpu", "RTX 6000"],
        ["recommend", "--gpu", "RTX 4091"],
        ["recommend", "--gpu", "Voodoo 2"],
        ["recommend", "--cc", "x"],
        ["recommend", "--driver", "newest"],
        ["recommend", "--cc", "8.9", "--python", "py"],
        ["recommend", "--os", "beos"],
        ["recommend", "--arch", "mips"],
        ["recommend", "--cc", "8.9", "--torch", "newest"],
        ["recommend", "--cc", "8.9", "--cuda", "x"],
        ["recommend", "--cc", "8.9", "--manager", "npm"],
        ["recommend", "--cc", "8.9", "--have", "x"],
        ["recommend", "--cc", "8.9", "--glibc", "x"],
        ["recommend", "--cc", "8.9", "--format", "pdf"],
        ["matrix", "--cc", "8.9", "--format", "pdf"],
        ["matrix", "--cc", "8.9", "--torch", "newest"],
    ],
)
def test_a_bad_call_is_one_line(run: Run, words: list[str]) -> None:
    """One line on stderr, nothing on stdout, exit 2."""
    done = run(*words)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith("envcheck: ") and done.stderr.count("\n") == 1


def test_an_ambiguous_card_gets_its_near_names(run: Run) -> None:
    """The line shows what may have been meant."""
    line = run("recommend", "--gpu", "RTX 6000").stderr
    assert "Quadro RTX 6000 (7.5)" in line and "RTX 6000 Ada Generation (8.9)" in line


def test_several_formats_at_once(run: Run, tmp_path: Path) -> None:
    """``--format`` repeats and takes a file, as everywhere."""
    page, data = tmp_path / "page.html", tmp_path / "data.csv"
    done = run("matrix", "--gpu", "T4", "--format", "terminal", "--format", f"html={page}", "--format", f"csv={data}")
    assert done.exit_code == 0 and "Tesla T4" in done.stdout
    assert page.read_text().startswith("<!doctype html>") and data.read_text().startswith("torch,build,")


def test_stdout_is_ascii_whatever_the_card_is_called() -> None:
    """A name from elsewhere cannot break a terminal that knows ASCII only, 40 columns wide, without a home."""
    words = ["matrix", "--gpu", "Grafik \u00e4\u4e2d", "--cc", "8.9", "--driver", "535.104.05"]
    environ = {**_environ(), "PYTHONIOENCODING": "ascii", "COLUMNS": "40", "HOME": "/nonexistent"}
    done = subprocess.run([sys.executable, "-m", "envcheck", *words], capture_output=True, env=environ, check=True)
    assert done.stdout.isascii() and b"Grafik" in done.stdout


@pytest.mark.parametrize("form", ["json", "markdown"])
def test_no_heavy_import_for_machine_formats(form: str) -> None:
    """rich, packaging and the collectors are not imported where nothing needs them."""
    code = (
        "import sys, typer; before = set(sys.modules)\n"
        "from envcheck.__main__ import main\n"
        f"assert main({[*ACCEPTED[:-1], form]!r}) == 0\n"
        "new = set(sys.modules) - before\n"
        "heavy = {'rich', 'packaging', 'difflib', 'envcheck.collect', 'envcheck.rules', 'subprocess'} & new\n"
        "sys.exit(' '.join(sorted(heavy)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=_environ(), check=False)
    assert done.returncode == 0, done.stderr


def test_the_answer_comes_quickly() -> None:
    """One recommendation takes at most 20 times what an empty Python takes in the same run."""
    empty = _quickest([sys.executable, "-c", "pass"])
    whole = _quickest([sys.executable, "-m", "envcheck", *ACCEPTED])
    assert whole <= 20 * empty, f"{whole * 1e3:.0f} ms against {empty * 1e3:.0f} ms"


def _quickest(command: list[str]) -> float:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=_environ())
        times.append(time.perf_counter() - start)
    return min(times)


def _environ() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
