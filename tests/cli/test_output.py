"""Results go where they were sent, whole, and stdout carries nothing else."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envcheck.cli.output import Wanted, to_file, wanted

Cli = Callable[..., Any]
Recorded = Callable[[str], str]
pytestmark = [pytest.mark.usefixtures("law"), pytest.mark.wheel]
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX files")


def test_several_formats_at_once(cli: Cli, recorded: Recorded, tmp_path: Path) -> None:
    """One on stdout, the others in files; the same result in each."""
    report, note = tmp_path / "report.json", tmp_path / "note.md"
    result = cli(
        "doctor",
        "--from",
        recorded("unfit"),
        "--format",
        "terminal",
        "--format",
        f"json={report}",
        "--format",
        f"markdown={note}",
    )
    assert result.code == 1
    assert result.out.startswith("Judged: /home/student/.venv/bin/python")
    assert result.err == ""
    assert json.loads(report.read_bytes())["verdict"] == "unfit"
    assert note.read_text(encoding="utf-8").startswith("**unfit")


def test_a_file_alone_leaves_stdout_empty(cli: Cli, recorded: Recorded, tmp_path: Path) -> None:
    """stdout carries the result that was sent there: none."""
    result = cli("doctor", "--from", recorded("fit"), "--format", f"json={tmp_path / 'x.json'}")
    assert (result.out, result.err) == ("", "")


def test_a_dash_is_standard_output(cli: Cli, recorded: Recorded) -> None:
    """json=- is json."""
    assert cli("doctor", "--from", recorded("fit"), "--format", "json=-").out.startswith("{")


def test_a_file_has_no_colour_and_all_characters(
    cli: Cli, recorded: Recorded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written to a file does not depend on this terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    path = tmp_path / "x.txt"
    result = cli("doctor", "--from", recorded("unfit"), "--format", f"terminal={path}", "--format", "terminal=-")
    assert "\x1b" in result.out
    assert "\x1b" not in path.read_text(encoding="utf-8")
    assert "✗" in path.read_text(encoding="utf-8")


def test_standard_input(cli: Cli, recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    """--from - reads a snapshot from a pipe."""
    with open(recorded("unfit"), encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert cli("doctor", "--from", "-").code == 1


@posix
def test_a_write_is_whole_or_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stays until the new one is complete; nothing is left beside it."""
    path = tmp_path / "x"
    path.write_text("old")

    def fail(*args: object) -> None:
        raise OSError(28, "No space left on device")

    from envcheck.cli.errors import BadCall

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", fail)
        with pytest.raises(BadCall, match="No space left on device"):
            to_file(str(path), "new")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]
    path.chmod(0o640)
    to_file(str(path), "new")
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@posix
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file that a link leads to is replaced, not the link."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_text("old")
    link.symlink_to(real)
    to_file(str(link), "new")
    assert link.is_symlink()
    assert real.read_text() == "new"


@posix
def test_a_device_is_written_to() -> None:
    """/dev/null is not replaced by a file."""
    to_file("/dev/null", "x")
    assert not stat.S_ISREG(os.stat("/dev/null").st_mode)


def test_wanted() -> None:
    """NAME, NAME=FILE and a file name with '=' in it."""
    assert wanted([], ["terminal", "json"]) == [Wanted("terminal", "-")]
    assert wanted(["json=a=b.json"], ["terminal", "json"]) == [Wanted("json", "a=b.json")]


def test_collect_writes_a_snapshot(cli: Cli, here: Callable[[object], object], tmp_path: Path) -> None:
    """-o FILE and stdout hold the same snapshot; that a file was written is said on stderr."""
    here("unfit")
    path = tmp_path / "snapshot.json"
    result = cli("collect", "-o", str(path), "--quick")
    assert (result.code, result.out, result.err) == (0, "", f"envcheck: wrote {path}\n")
    assert cli("collect").out == path.read_text()
    assert cli("doctor", "--from", str(path)).code == 1


def test_collect_shows_its_schema(cli: Cli) -> None:
    """The JSON Schema of a snapshot, without looking at the machine."""
    import jsonschema

    result = cli("collect", "--schema")
    assert result.code == 0
    schema = json.loads(result.out)
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate({"schema": 1}, schema)


def test_rules(cli: Cli) -> None:
    """The list has every rule under its rung; a name and a code, in any case, lead to the same page."""
    listed = cli("rules")
    assert listed.code == 0
    assert (
        listed.out.index("hardware")
        < listed.out.index("TST103")
        < listed.out.index("NVML")
        < listed.out.index("TST101")
    )
    page = cli("rules", "planted-driver-too-old")
    assert page.out == cli("rules", "tst101").out
    assert "How to mend it" in page.out
    assert json.loads(cli("rules", "TST101", "--format", "json").out)["rules"][0]["rule"] == "planted-driver-too-old"
    assert cli("rules", "TST101", "--format", "markdown").out.startswith("## `planted-driver-too-old`")
