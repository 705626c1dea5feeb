"""Start-up is a feature: what each command may import is fixed here, by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.wheel
Program = Callable[..., Any]

TYPER = {"typer", "click", "shellingham", "annotated_doc", "typing_extensions", "colorama"}
"""typer and what it stands on: older ones import click, which the newer carry inside."""

LISTING = """
import sys
before = set(sys.modules)
from envcheck.__main__ import main
code = main({args!r})
added = sorted(set(sys.modules) - before)
import json
print("\\n" + json.dumps([code, added, sorted({{name.partition(".")[0] for name in added}} - sys.stdlib_module_names)]))
"""


def imported(program: Program, *args: str) -> tuple[list[str], set[str]]:
    """Every module, and every top-level package outside the standard library, that a command line imports."""
    done = program(code=LISTING.format(args=list(args)))
    code, modules, packages = json.loads(done.stdout.decode().splitlines()[-1])
    assert code in (0, 1), done.stderr.decode()
    return modules, set(packages)


def ours(modules: list[str], *rooms: str) -> list[str]:
    return [name for name in modules if name.startswith(tuple(f"envcheck.{room}" for room in rooms))]


def test_version(program: Program) -> None:
    """It is answered before anything is imported: not even typing, re or dataclasses."""
    modules, packages = imported(program, "--version")
    assert packages == {"envcheck"}
    assert ours(modules, "") == ["envcheck.__main__"]
    assert not {"typing", "re", "dataclasses", "inspect", "subprocess", "json"} & set(modules)


def test_help(program: Program) -> None:
    """The list of commands imports typer and no command."""
    modules, packages = imported(program, "--help")
    assert packages <= {"envcheck"} | TYPER
    assert ours(modules, "collect", "rules", "judge", "facts", "compat", "read", "cli.doctor", "cli.recommend") == []


def test_the_application_alone(program: Program) -> None:
    """Importing envcheck.cli.app imports no other room."""
    code = "import sys, json, envcheck.cli.app\nprint(json.dumps(sorted(sys.modules)))"
    modules = json.loads(program(code=code).stdout)
    rooms = ("collect", "rules", "judge", "facts", "compat", "read", "report", "probe")
    assert ours(modules, *rooms) == []
    assert "rich" not in modules


def test_doctor_quick(program: Program) -> None:
    """msgspec for the facts, packaging where a torch with requirements is judged: no rich, no pynvml, no torch."""
    modules, packages = imported(program, "doctor", "--quick")
    assert packages <= {"envcheck", "msgspec", "packaging"} | TYPER
    assert not {"importlib.metadata", "asyncio", "urllib.request", "http.client", "ssl", "unittest"} & set(modules)
    assert ours(modules, "report.markdown", "report.json_report", "report.live", "cli.recommend", "cli.matrix") == []


def test_doctor_from_a_file(program: Program, recorded: Callable[[str], str]) -> None:
    """A recorded machine is judged without the rooms that touch this one."""
    modules, packages = imported(program, "doctor", "--from", recorded("fit"), "--format", "json")
    assert packages <= {"envcheck", "msgspec"} | TYPER
    assert ours(modules, "collect", "probe", "cli.collect", "report.terminal") == []


@pytest.mark.parametrize("args", [["--driver", "550.54.14", "--gpu", "RTX 4090", "--os", "linux"], ["--os", "macos"]])
def test_recommend(program: Program, args: list[str]) -> None:
    """Tables and versions: packaging at most."""
    _, packages = imported(program, "recommend", *args)
    assert packages <= {"envcheck", "msgspec", "packaging", "tomllib", "tomli"} | TYPER


def test_rules(program: Program) -> None:
    """The manual needs the law and no eyes."""
    modules, packages = imported(program, "rules")
    assert packages <= {"envcheck", "msgspec"} | TYPER
    assert ours(modules, "collect", "probe") == []
