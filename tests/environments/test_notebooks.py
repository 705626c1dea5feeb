"""Jupyter's kernels beside a real environment: one that leads nowhere, and one that leads to another environment."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.environments.conftest import Shell
from tests.environments.trees import Environment, venv_of
from tests.probe.packages import install

JUPYTER = """#!{python}
# The one command of Jupyter that the fixes use.
import os, shutil, sys
assert sys.argv[1:3] == ["kernelspec", "remove"], sys.argv
shutil.rmtree(os.path.join(os.environ["HOME"], ".local/share/jupyter/kernels", sys.argv[3]))
"""


@pytest.fixture
def jupyter(shell: Shell) -> Shell:
    """The same shell with ``jupyter kernelspec remove``."""
    program = shell.home / "bin" / "jupyter"
    program.parent.mkdir()
    program.write_text(JUPYTER.format(python=Path(sys.executable).resolve()))
    program.chmod(0o755)
    shell.path.insert(0, str(program.parent))
    return shell


def register(shell: Shell, name: str, python: Path, **more: object) -> Path:
    """A kernelspec in the user's own folder."""
    folder = shell.home / ".local" / "share" / "jupyter" / "kernels" / name
    folder.mkdir(parents=True)
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": name, "language": "python", **more}
    (folder / "kernel.json").write_text(json.dumps(spec))
    return folder


def test_a_kernel_of_a_deleted_environment(jupyter: Shell, venv: Environment, tmp_path: Path) -> None:
    """The environment is gone, its kernel is still offered: removed, and the judged environment registered instead."""
    folder = register(jupyter, "old", tmp_path / "envs" / "old" / "bin" / "python")
    look = jupyter.doctor(venv.python)
    assert look.named == ["stale-kernelspec"]
    assert look.exit_code == 1
    assert str(tmp_path / "envs" / "old") in look.first["summary"]
    mended = jupyter.mend(look)
    assert mended.clean, mended.named
    assert not folder.exists()
    kernels = mended.report["snapshot"]["jupyter"]["kernels"]
    assert [kernel["interpreter"] for kernel in kernels] == [str(venv.python)]


def test_a_kernel_of_another_environment(jupyter: Shell, venv: Environment, tmp_path: Path) -> None:
    """import torch works in the terminal and fails in the notebook, which runs another Python."""
    other = venv_of(Path(sys.executable), tmp_path / "other")
    install(other.site, "ipykernel", "6.29.5", {"ipykernel/__init__.py": b""})
    register(jupyter, "work", other.python)
    look = jupyter.doctor(venv.python)
    assert look.named == ["jupyter-kernel-other-env"]
    assert look.exit_code == 1
    assert str(other.python) in look.first["summary"]
    mended = jupyter.mend(look)
    assert mended.clean, mended.named
    names = {kernel["name"] for kernel in mended.report["snapshot"]["jupyter"]["kernels"]}
    assert names == {"work", "study"}


def test_a_kernel_without_ipykernel(jupyter: Shell, venv: Environment) -> None:
    """Registered by hand: the kernel dies before it answers."""
    register(jupyter, "study", venv.python)
    look = jupyter.doctor(venv.python)
    assert look.named == ["ipykernel-missing"]
    mended = jupyter.mend(look)
    assert mended.clean, mended.named


def test_a_kernel_that_hides_the_cards(jupyter: Shell, venv: Environment) -> None:
    """kernel.json sets an empty mask: the GPU works in the terminal and not in the notebook."""
    install(venv.site, "ipykernel", "6.29.5", {"ipykernel/__init__.py": b""})
    register(jupyter, "study", venv.python, env={"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"})
    look = jupyter.doctor(venv.python)
    assert look.named == ["jupyter-env-vars-missing"]
    assert "CUDA_VISIBLE_DEVICES" in look.first["summary"]


def test_kernels_that_are_in_order(jupyter: Shell, venv: Environment) -> None:
    """One of this environment, one of another language, one whose bare "python" is the server's own."""
    install(venv.site, "ipykernel", "6.29.5", {"ipykernel/__init__.py": b""})
    register(jupyter, "study", venv.python)
    register(jupyter, "ir", Path("/usr/bin/env"), language="R")
    look = jupyter.doctor(venv.python)
    assert look.clean, look.named
