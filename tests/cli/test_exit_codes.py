"""0 fit, 1 unfit, 2 bad call, 3 undetermined where it counts, 70 broken, 130 interrupted; the format never matters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
Recorded = Callable[[str], str]
pytestmark = [pytest.mark.usefixtures("law"), pytest.mark.wheel]


@pytest.mark.parametrize("voice", ["terminal", "json", "markdown"])
@pytest.mark.parametrize(
    ("machine", "args", "code"),
    [
        ("fit", [], 0),
        ("fit", ["--strict"], 0),
        ("fit", ["--require-gpu"], 0),
        ("fit", ["--gpus", "2"], 0),
        ("fit", ["--gpus", "3"], 1),
        ("no-gpu", [], 0),
        ("no-gpu", ["--require-gpu"], 1),
        ("no-gpu", ["--gpu", "0"], 1),
        ("unfit", [], 1),
        ("unfit", ["--strict"], 1),
        ("unfit", ["--ignore", "planted-driver-too-old=our lab wants it"], 0),
        ("unfit", ["--ignore", "tst101=our lab wants it"], 0),
        ("undetermined", [], 0),
        ("undetermined", ["--strict"], 3),
        ("one-lost", [], 1),
        ("one-lost", ["--gpu", "0"], 0),
        ("one-lost", ["--gpu", "1"], 1),
    ],
)
def test_the_gate(cli: Cli, recorded: Recorded, machine: str, args: list[str], code: int, voice: str) -> None:
    """The exit code comes from the verdict and the policy, in every format alike."""
    result = cli("doctor", "--from", recorded(machine), *args, "--format", voice)
    assert result.code == code
    assert result.err == ""
    assert result.out


def test_one_gpu_alone_is_judged_and_shown(cli: Cli, recorded: Recorded) -> None:
    """--gpu leaves the other cards out of the verdict and of the table, and says nothing wrong of them."""
    good = cli("doctor", "--from", recorded("one-lost"), "--gpu", "0")
    assert "planted-gpu-lost" not in good.out
    assert not re.search(r"^  (1  |GPU 1)", good.out, re.MULTILINE)
    bad = cli("doctor", "--from", recorded("one-lost"), "--gpu", "1")
    assert "planted-gpu-lost" in bad.out


def test_this_machine(cli: Cli, here: Callable[[object], list[Any]]) -> None:
    """Without --from this machine is looked at, with the options that were given."""
    asked = here("unfit")
    assert cli("doctor", "--quick", "--all-envs", "--deadline", "7", "--python", "/usr/bin/python3").code == 1
    (options,) = asked
    assert (options.depth, options.all_envs, options.deadline_s, options.python) == (
        "quick",
        True,
        7.0,
        "/usr/bin/python3",
    )
    here("fit")
    assert cli("doctor", "--deep", "--env", "study").code == 0


def test_a_named_python_that_is_none(cli: Cli, here: Callable[[object], object]) -> None:
    """A wrong --python is a bad call, in one line."""
    from envcheck.collect import BadTarget

    here(BadTarget("--python /etc: the folder holds no Python"))
    result = cli("doctor", "--python", "/etc")
    assert (result.code, result.out) == (2, "")
    assert result.err == "envcheck: --python /etc: the folder holds no Python\n"


def test_interrupted(cli: Cli, here: Callable[[object], object]) -> None:
    """Ctrl-C is 130 and no traceback."""
    here(KeyboardInterrupt())
    result = cli("doctor")
    assert result.code == 130
    assert "Traceback" not in result.err


def test_when_envcheck_itself_breaks(
    cli: Cli, here: Callable[[object], object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """70, nothing on stdout, and on stderr a report that can be pasted: version, command, traceback, no names."""
    import envcheck

    monkeypatch.setenv("HOME", str(tmp_path))
    here(ZeroDivisionError(f"planted in {tmp_path}/x"))
    result = cli("doctor", "--quick", "--format", "json")
    assert (result.code, result.out) == (70, "")
    assert result.err.startswith("envcheck: envcheck itself broke (ZeroDivisionError: planted")
    assert f"    envcheck {envcheck.__version__}, Python " in result.err
    assert "    command: envcheck doctor --quick --format json\n" in result.err
    assert "    Traceback (most recent call last):\n" in result.err
    assert "ZeroDivisionError: planted in ~/dir1" in result.err
    assert "open an issue" in result.err and "envcheck collect --redact -o snapshot.json" in result.err


def test_the_report_of_a_live_look_can_be_judged_again(cli: Cli, recorded: Recorded, tmp_path: Path) -> None:
    """--from reads what collect wrote and what doctor --format json wrote, and judges both alike."""
    first = cli("doctor", "--from", recorded("unfit"), "--format", "json")
    path = tmp_path / "report.json"
    path.write_text(first.out)
    second = cli("doctor", "--from", str(path), "--format", "json")
    assert (second.code, second.out) == (first.code, first.out)
    path.write_text("\ufeff" + first.out, encoding="utf-8")  # as a Windows editor saves it
    assert cli("doctor", "--from", str(path), "--format", "json").out == first.out


def test_a_failed_write_is_a_bad_call_whatever_the_verdict(cli: Cli, recorded: Recorded, tmp_path: Path) -> None:
    """2 comes before 1: whoever reads the code must not think that the file is there."""
    target = tmp_path / "folder.json"
    target.mkdir()
    result = cli("doctor", "--from", recorded("unfit"), "--format", f"json={target}")
    assert result.code == 2
    assert result.err.count("\n") == 1


def test_json_says_what_the_code_says(cli: Cli, recorded: Recorded) -> None:
    """The verdict in the contract and the exit code never part."""
    for machine, code in (("fit", 0), ("unfit", 1), ("undetermined", 3)):
        result = cli("doctor", "--from", recorded(machine), "--format", "json", "--strict")
        assert (json.loads(result.out)["verdict"], result.code) == (machine, code)
