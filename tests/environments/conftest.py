"""Real environments made of links to one torch 2.13.0 (CPU); doctor run on them, and its fix as well.

``ENVCHECK_TEST_TORCH_PYTHON`` names an interpreter of this Python's version that has it; without one all are skipped.
Nothing is fetched but two NumPy wheels, whose tests are skipped where there is no index.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

import envcheck
from tests.environments.trees import PYTHON_FOLDER, Environment, installation, link, link_tree, venv_of
from tests.environments.wheels import make_wheel, repack
from tests.gate import passes_as

ROOT = Path(envcheck.__file__).parent.parent
TORCH = "2.13.0"
PATIENCE_S = 300.0
OTHER_POLICY = ("--require-gpu", "--gpu", "--pedantic", "--ignore", "--strict", "--all-envs")
"""Options that ask for more or less than the gate does by default."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of this builds real environments."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.skipif(sys.platform != "linux", reason="lays out environments of Linux"))


# --- one torch for all ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for this test run and all its workers."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own) / "environments"
    folder.mkdir(exist_ok=True)
    return folder


def once(path: Path, make: Callable[[Path], None]) -> Path:
    """``path``, made by whichever worker comes first; the others wait for it."""
    import fcntl

    with path.with_name(f"{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = path.with_name(f"{path.name}.done")
        if not done.exists():
            make(path)
            done.touch()
    return path


@pytest.fixture(scope="session")
def base() -> Environment:
    """The installation that all environments link to: torch, what it requires, and pip."""
    named = os.environ.get("ENVCHECK_TEST_TORCH_PYTHON")
    if not named:
        pytest.skip(f"ENVCHECK_TEST_TORCH_PYTHON names no Python with torch {TORCH}+cpu")
    found = Environment(Path(named).parent.parent)
    if not any(found.site.glob(f"torch-{TORCH}*.dist-info")):
        pytest.skip(f"{named} has no torch {TORCH} for {PYTHON_FOLDER}, which runs these tests")
    return found


@pytest.fixture(scope="session")
def wheelhouse(shared: Path, base: Environment) -> Path:
    """The index that pip sees: torch itself, and small wheels of what is told to be installed beside it."""

    def make(house: Path) -> None:
        house.mkdir()
        repack(house, base.site, base.torch_info.name)
        make_wheel(house, "torchvision", "0.28.0", requires=[f"torch=={TORCH}"])
        make_wheel(house, "torchvision", "0.20.1", requires=["torch==2.5.1"])
        make_wheel(house, "nvidia-cudnn-cu13", "9.20.0.48")
        make_wheel(house, "nvidia-cudnn-cu13", "9.13.0.50")
        make_wheel(
            house, "ipykernel", "6.29.5", files={"ipykernel/__init__.py": b"", "ipykernel/__main__.py": REGISTER}
        )

    return once(shared / "wheelhouse", make)


REGISTER = b"""
import json, os, sys
assert sys.argv[1:4] == ["install", "--user", "--name"], sys.argv
folder = os.path.join(os.environ["HOME"], ".local/share/jupyter/kernels", sys.argv[4])
os.makedirs(folder, exist_ok=True)
argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
with open(os.path.join(folder, "kernel.json"), "w") as file:
    json.dump({"argv": argv, "display_name": sys.argv[4], "language": "python"}, file)
"""
"""What ``python -m ipykernel install --user --name NAME`` leaves behind, without Jupyter."""


# --- environments ---------------------------------------------------------------------------------------------------


def fill(environment: Environment, base: Environment) -> Environment:
    """torch, what it requires, and pip: hard links, with the commands that torch brings."""
    link_tree(base.site, environment.site)
    for program in base.prefix.joinpath("bin").glob("torch*"):
        link(program, environment.prefix / "bin" / program.name)
    pip = environment.prefix / "bin" / "pip"
    pip.write_text(f"#!{environment.python}\nfrom pip._internal.cli.main import main\nraise SystemExit(main())\n")
    pip.chmod(0o755)
    return environment


@pytest.fixture
def venv(tmp_path: Path, base: Environment) -> Environment:
    """A healthy virtual environment with torch."""
    return fill(venv_of(Path(sys.executable), tmp_path / "study"), base)


@pytest.fixture
def own_python(tmp_path: Path) -> Environment:
    """A Python that is no venv, with no packages yet."""
    return installation(tmp_path / "python")


# --- doctor, and its fix --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """What doctor said of one environment."""

    exit_code: int
    report: dict[str, Any]

    @property
    def named(self) -> list[str]:
        """Root causes, then warnings: the first is what a user acts on."""
        return [finding["rule"] for finding in (*self.report["root_causes"], *self.report["warnings"])]

    @property
    def first(self) -> dict[str, Any]:
        return (*self.report["root_causes"], *self.report["warnings"])[0]  # type: ignore[no-any-return]

    @property
    def clean(self) -> bool:
        return self.exit_code == 0 and self.named == []


@dataclass
class Shell:
    """A user's shell: a home of its own, little on PATH, a working folder, variables; pip sees the wheelhouse alone."""

    home: Path
    wheelhouse: Path
    cwd: Path
    path: list[str] = field(default_factory=lambda: ["/usr/bin", "/bin"])
    variables: dict[str, str] = field(default_factory=dict)

    def doctor(self, python: Path | None = None, *options: str) -> Look:
        """Of this Python; of the one that the shell means where none is named."""
        return self._look(doctor_command(python, options))

    def mend(self, look: Look, *options: str, tools: Sequence[str] = ("", "pip"), limit: int | None = None) -> Look:
        """Type the commands of the first finding's fix, in order, and look again from the same shell."""
        steps = [step for step in look.first["fix"]["steps"] if step["tool"] in tools and step["command"]]
        named = look.report["snapshot"]["target"]["chosen_by"] == "--python"
        python = Path(look.report["snapshot"]["interpreters"][0]["executable"]) if named else None
        commands = [step["command"] for step in steps][:limit]
        assert commands, look.first["fix"]
        # A shell that reads no profile, and stops where a command fails.
        return self._look("\n".join(["set -e", *commands, doctor_command(python, options)]))

    def _look(self, script: str) -> Look:
        done = subprocess.run(
            ["/bin/bash", "--norc", "-c", script],
            cwd=self.cwd,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        at = done.stdout.rfind('{\n  "schema"')
        assert at >= 0, f"{script}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        look = Look(done.returncode, json.loads(done.stdout[at:]))
        if not any(option in script for option in OTHER_POLICY):
            with TemporaryDirectory() as folder:
                assert passes_as(look.report, Path(folder)) == look.report["verdict"]
        return look

    @property
    def environ(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": ":".join(self.path),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheelhouse),
            "PIP_NO_COMPILE": "1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PIP_ROOT_USER_ACTION": "ignore",
            "LC_ALL": "C.UTF-8",
            **self.variables,
        }


def doctor_command(python: Path | None, options: Sequence[str]) -> str:
    """envcheck in the Python that runs the tests, told nothing by the variables that the judged one is told."""
    alone = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from envcheck.__main__ import main; main()"
    target = ["--python", str(python)] if python is not None else []
    call = [sys.executable, "-I", "-c", alone, "doctor", *target, "--format", "json", *options]
    return " ".join(map(shlex.quote, call))


@pytest.fixture
def shell(tmp_path: Path, wheelhouse: Path) -> Shell:
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    return Shell(home=tmp_path / "home", wheelhouse=wheelhouse, cwd=tmp_path / "work")
