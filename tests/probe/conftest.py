"""Run a task of the probe in a child process, as a collector does, and read its answer strictly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pynvml
import pytest

import envcheck.probe
from envcheck import facts
from envcheck.facts import Unread
from tests.fakes.fixtures import deploy, fake_builds
from tests.fakes.machine import Deployed
from tests.fakes.scenario import Scenario

__all__ = ["deploy", "fake_builds"]
PROBE = Path(envcheck.probe.__file__).parent
KINDS = {
    "interpreter": facts.Interpreter,
    "torch_runtime": facts.TorchRuntime,
    "nvml": facts.Nvml,
    "cuda": facts.Cuda,
    "nodes": facts.Devices,
}


@dataclass(frozen=True)
class Told:
    """What one call of the probe gave: ``plain`` is the JSON, ``facts`` the same read strictly into its type."""

    code: int | None  # None: killed by the test, see ``until``
    plain: Any
    facts: Any
    stderr: str


Ask = Callable[..., Told]
Nvml = Callable[..., Told]
ALONE = ("-I", "-S", "-B")  # how a collector starts the probes of the driver
PYNVML = str(Path(pynvml.__file__).parent)
PATIENCE = 120.0  # seconds that no child should ever need


def seen_before_the_end(child: subprocess.Popen[bytes], target: Path, until: Callable[[Any], bool]) -> bool:
    """Wait for an answer that ``until`` is true of; false when the child ends without one."""
    give_up = time.monotonic() + PATIENCE
    while child.poll() is None and time.monotonic() < give_up:
        if target.exists() and until(json.loads(target.read_bytes())):
            return True
        time.sleep(0.01)
    return False


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """``ask(task, options …)``: the answer of a child, which must be of the task's type whatever happened.

    ``until`` is for a child that never ends: it is killed once its answer so far fulfils that.
    """

    def run(
        task: str,
        *options: str,
        python: Path | str = sys.executable,
        flags: Sequence[str] = ("-B",),
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        script: Path = PROBE / "run.py",
        until: Callable[[Any], bool] | None = None,
    ) -> Told:
        folder = tmp_path / "answer"
        folder.mkdir(exist_ok=True)
        target = folder / "answer.json"
        target.unlink(missing_ok=True)
        if cwd is None:
            cwd = tmp_path / "empty"
            cwd.mkdir(exist_ok=True)
        child = subprocess.Popen(
            [str(python), *flags, str(script), task, str(target), *options],
            env={"PATH": os.environ.get("PATH", os.defpath), **(environ or {})},
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        code: int | None = None
        if until is None or not seen_before_the_end(child, target, until):
            _, said = child.communicate(timeout=PATIENCE)
            code = child.returncode
        else:
            child.kill()
            _, said = child.communicate()
        assert sorted(item.name for item in folder.iterdir()) in ([], ["answer.json"]), "something else was left behind"
        plain = told = None
        if target.exists():
            plain = json.loads(target.read_bytes())
            told = msgspec.convert(plain, Unread if plain.get("kind") == "unread" else KINDS[task])
        return Told(code, plain, told, said.decode("utf-8", "replace"))

    return run


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """A fresh venv of this Python, without pip; ``venv / "bin" / "python"`` runs it."""
    import venv as standard

    folder = tmp_path / "venv"
    standard.EnvBuilder(symlinks=os.name != "nt", with_pip=False).create(folder)
    return folder


@pytest.fixture
def python(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@pytest.fixture
def site(venv: Path) -> Path:
    """The venv's site-packages."""
    return next(venv.glob("Lib/site-packages" if os.name == "nt" else "lib/python*/site-packages"))


@pytest.fixture
def nvml(ask: Ask, deploy: Callable[[Scenario], Deployed]) -> Nvml:
    """``nvml(scenario, options …)``: the task of that name on a machine with that driver."""

    def run(scenario: Scenario, *options: str, **more: Any) -> Told:
        return ask("nvml", f"path={PYNVML}", *options, flags=ALONE, environ=deploy(scenario).environ, **more)

    return run


def unread_facts(record: Any) -> dict[str, str]:
    """Fact → why, of those that are not known."""
    found = {name: getattr(record, name) for name in record.__struct_fields__}
    return {name: fact.why for name, fact in found.items() if isinstance(fact, Unread)}
