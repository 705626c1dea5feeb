"""What python, pip and jupyter mean in a shell, and whether its activation is in effect."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from envcheck.collect.interpreters import find_others
from envcheck.collect.pythons import activation, meanings
from envcheck.collect.shell import Shell
from envcheck.facts import Interpreter, Unread
from tests.collect import homes

Build = Callable[[Path], Shell]


def activated(tmp: Path) -> Shell:
    homes.base(tmp / "usr")
    env = homes.venv(tmp / "env", tmp / "usr")
    return homes.shell_of(tmp, VIRTUAL_ENV=str(env), PATH=f"{env}/bin:{tmp}/usr/bin")


def through_a_link(tmp: Path) -> Shell:
    shell = activated(tmp)
    (tmp / "link").symlink_to(tmp / "env")
    return homes.shell_of(tmp, VIRTUAL_ENV=str(tmp / "link"), PATH=str(shell.environ["PATH"]))


def another_first(tmp: Path) -> Shell:
    shell = activated(tmp)
    return homes.shell_of(tmp, VIRTUAL_ENV=str(tmp / "env"), PATH=f"{tmp}/usr/bin:{shell.environ['PATH']}")


def moved(tmp: Path) -> Shell:
    shell = activated(tmp)
    (tmp / "env").rename(tmp / "elsewhere")
    return shell


def venv_over_conda(tmp: Path) -> Shell:
    shell = activated(tmp)
    root = homes.conda(tmp / "conda", root=True)
    path = f"{shell.environ['PATH']}:{root}/bin"
    return homes.shell_of(tmp, VIRTUAL_ENV=str(tmp / "env"), CONDA_PREFIX=str(root), PATH=path)


def conda_behind_the_system(tmp: Path) -> Shell:
    homes.base(tmp / "usr")
    env = homes.conda(tmp / "conda" / "envs" / "study")
    return homes.shell_of(tmp, CONDA_PREFIX=str(env), PATH=f"{tmp}/usr/bin:{env}/bin")


def conda_without_python(tmp: Path) -> Shell:
    homes.base(tmp / "usr")
    env = homes.conda(tmp / "conda" / "envs" / "tools", python=False)
    return homes.shell_of(tmp, CONDA_PREFIX=str(env), PATH=f"{env}/bin:{tmp}/usr/bin")


def plain(tmp: Path) -> Shell:
    homes.base(tmp / "usr")
    return homes.shell_of(tmp)


@pytest.mark.parametrize(
    ("build", "interpreter", "in_effect"),
    [
        (activated, "env/bin/python", True),
        (through_a_link, "link/bin/python", True),
        (another_first, "env/bin/python", False),
        (moved, None, False),
        (venv_over_conda, "env/bin/python", True),
        (conda_behind_the_system, "conda/envs/study/bin/python", False),
        (conda_without_python, None, None),
        (plain, None, None),
    ],
)
def test_activation_against_reality(
    build: Build, interpreter: str | None, in_effect: bool | None, tmp_path: Path
) -> None:
    """VIRTUAL_ENV and CONDA_PREFIX say what was activated; PATH decides what runs."""
    shell = build(tmp_path)
    told = activation(shell, meanings(shell, None), None)
    assert told.interpreter == (str(tmp_path / interpreter) if interpreter else None)
    assert told.in_effect is in_effect


def test_an_activation_beside_no_python_at_all_is_not_known_to_hold(tmp_path: Path) -> None:
    """With an empty PATH nothing contradicts the variable, and nothing confirms it."""
    activated(tmp_path)
    shell = homes.shell_of(tmp_path, VIRTUAL_ENV=str(tmp_path / "env"), PATH=str(tmp_path / "empty"))
    assert isinstance(activation(shell, meanings(shell, None), None).in_effect, Unread)


def test_each_command_is_followed_to_its_environment(tmp_path: Path) -> None:
    """python of one venv, pip of another, jupyter of conda: three records, each with its own mark."""
    homes.base(tmp_path / "usr")
    one, two = (homes.venv(tmp_path / "home" / "ada" / name, tmp_path / "usr") for name in ("one", "two"))
    root = homes.conda(tmp_path / "home" / "ada" / "miniconda3", root=True)
    homes.program(tmp_path / "tools" / "pip", f"#!{two}/bin/python3.11\n")
    homes.program(tmp_path / "tools" / "jupyter", f"#!{root}/bin/python\n")
    shell = homes.shell_of(tmp_path, WORKON_HOME=str(tmp_path / "home" / "ada"), PATH=f"{tmp_path}/tools:{one}/bin")
    others = find_others(shell, one / "bin" / "python", False)
    assert others.target_means == ["python", "python3"]
    found = {record.executable: record.means for record in others.records}
    assert found[f"{two}/bin/python"] == ["pip"]
    assert found[f"{root}/bin/python"] == ["jupyter"]


def test_every_other_environment_is_asked_and_one_that_raises_costs_itself_alone(tmp_path: Path) -> None:
    """With ``ask`` the records are its answers, in the order of the search."""
    homes.base(tmp_path / "usr")
    folder = tmp_path / "home" / "ada" / "envs"
    for number in range(7):
        homes.venv(folder / f"e{number}", tmp_path / "usr")
    shell = homes.shell_of(tmp_path, WORKON_HOME=str(folder))

    def ask(executable: Path, record: Interpreter) -> Interpreter:
        if executable.parent.parent.name == "e3":
            raise ZeroDivisionError("planted")
        return Interpreter(executable=record.executable, found_by=record.found_by, probe="ok")

    others = find_others(shell, None, False, ask)
    probes = {Path(record.executable).parent.parent.name: record.probe for record in others.records}
    assert list(probes)[-7:] == [f"e{n}" for n in range(7)]
    assert probes.pop("e3") == Unread("crashed", "ZeroDivisionError: planted")
    assert set(probes.values()) == {"ok"}
