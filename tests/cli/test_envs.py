"""``envcheck envs``: the listing as a command, its options, and what it may cost."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envcheck.facts import encode
from envcheck.testing import machine

Run = Callable[..., Any]


def test_a_recorded_machine_is_listed(cli: Run, tmp_path: Path) -> None:
    """Exit code 0 whatever the answers are: a listing is no verdict."""
    for cast, usable in (("h100", True), ("cpu-build-on-gpu-box", False)):
        path = tmp_path / f"{cast}.json"
        path.write_bytes(encode(machine(cast).snapshot))
        done = cli("envs", "--from", str(path), "--format", "json")
        assert done.code == 0, done.err
        assert [item["gpu"]["usable"] for item in json.loads(done.out)["environments"]] == [usable]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--from", "x.json", "--probe"], "--probe has no meaning"),
        (["--deadline", "0"], "--deadline"),
        (["--format", "yaml"], "no such format"),
        (["--from", "/nonexistent/x.json"], "No such file"),
    ],
)
def test_bad_calls(args: list[str], words: str, cli: Run) -> None:
    """One line on stderr, exit code 2, nothing on stdout."""
    done = cli("envs", *args)
    assert (done.code, done.out) == (2, "")
    assert words in done.err
    assert done.err.count("\n") == 1


def test_what_is_asked_of_the_collectors(cli: Run, here: Callable[[object], list[Any]]) -> None:
    """Without --probe no torch is imported and no other interpreter is run; with it each is."""
    asked = here("fit")
    assert cli("envs", "--format", "json").code == 0
    assert cli("envs", "--probe", "--format", "json").code == 0
    assert cli("envs", "--probe", "--deadline", "9", "--format", "json").code == 0
    plain, probing, hurried = asked
    assert (plain.depth, plain.all_envs, plain.probe_envs, plain.deadline_s) == ("quick", True, False, 45.0)
    assert (probing.depth, probing.all_envs, probing.probe_envs, probing.deadline_s) == ("normal", True, True, 300.0)
    assert hurried.deadline_s == 9.0
