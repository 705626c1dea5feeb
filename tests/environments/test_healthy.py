"""The real environments that all others are broken from are healthy, and are told to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.environments.conftest import Shell, fill
from tests.environments.trees import Environment


def test_a_venv_with_torch_is_clean(shell: Shell, venv: Environment) -> None:
    """A CPU build on whatever machine runs the tests: no error, no warning, and a computation that came out right."""
    look = shell.doctor(venv.python)
    assert look.clean, look.named
    python = look.report["snapshot"]["interpreters"][0]
    assert python["runtime"]["imported"] is True
    assert python["runtime"]["cpu_kernel_ok"] is True
    assert python["torch"]["version"] == "2.13.0+cpu"
    assert python["torch"]["cuda"] is None
    assert python["torch"]["damaged"] == []


def test_a_python_of_its_own_with_torch_is_clean(shell: Shell, own_python: Environment, base: Environment) -> None:
    """No venv: the user site is on its path, and empty."""
    look = shell.doctor(fill(own_python, base).python)
    assert look.clean, look.named
    assert look.report["snapshot"]["interpreters"][0]["user_site_enabled"] is True


@pytest.mark.parametrize("quick", [["--quick"], ["--deep"]], ids=str)
def test_quick_and_deep_agree(quick: list[str], shell: Shell, venv: Environment) -> None:
    """How long somebody looks changes nothing about a healthy environment."""
    look = shell.doctor(venv.python, *quick)
    assert look.clean, look.named


def test_nothing_was_written(shell: Shell, venv: Environment, tmp_path: Path) -> None:
    """A diagnosis leaves no bytecode and no cache: not in the environment, not in the home, not beside the script."""
    before = set(tmp_path.rglob("*"))
    shell.doctor(venv.python)
    assert set(tmp_path.rglob("*")) == before
