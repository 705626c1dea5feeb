"""Nothing on the machine can hold doctor up, blow it up, or make it write: walls and surroundings, from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import start
from tests.fakes import Deployed, Machine, Scenario, healthy_h100, nvml_crash
from tests.fakes.programs import flooding, hanging

Deploy = Callable[[Machine | Scenario], Deployed]
LIMIT_MIB = 150
NO_TORCH = ["torch-not-installed"]
"""The first Python on the PATH of whoever runs the tests may have no torch; that is not what is tested here."""


WATCH = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
sys.stderr.write(str(peak // (1 << 20 if sys.platform == "darwin" else 1 << 10)))
sys.stdout.buffer.write(done.stdout)
"""
"""A small process in between: a child's peak begins at the size of whoever forked it, and pytest is large."""


def measured(deployed: Deployed, *arguments: str, cwd: Path) -> tuple[dict[str, object], float, float]:
    """The report, the seconds and the peak memory in MiB of envcheck and of every child that it waited for."""
    command = [sys.executable, "-m", "envcheck", "doctor", "--quick", "--format", "json", "--root", str(deployed.root)]
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-S", "-c", WATCH, *command, *arguments],
        env=deployed.environment(HOME=str(cwd)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
    )
    return json.loads(done.stdout), time.monotonic() - started, float(done.stderr)


def test_an_nvidia_smi_that_ignores_sigterm(deploy: Deploy, tmp_path: Path) -> None:
    """The deadline is kept, and the witness is unread for the right reason; NVML's word stands."""
    deployed = deploy(Machine(healthy_h100(2)).program("nvidia-smi", hanging()))
    report, seconds, peak = measured(deployed, "--deadline", "5", cwd=tmp_path)
    snapshot = report["snapshot"]
    assert snapshot["smi"]["gpus"]["why"] == "timeout"  # type: ignore[index]
    assert len(snapshot["nvml"]["gpus"]) == 2  # type: ignore[index]
    assert [cause["rule"] for cause in report["root_causes"]] in ([], NO_TORCH)  # type: ignore[attr-defined]
    assert seconds < 5 + 2
    assert peak < LIMIT_MIB


def test_an_nvidia_smi_that_floods(deploy: Deploy, tmp_path: Path) -> None:
    """A gigabyte of output costs neither memory nor time."""
    deployed = deploy(Machine(healthy_h100(2)).program("nvidia-smi", flooding()))
    report, seconds, peak = measured(deployed, "--deadline", "10", cwd=tmp_path)
    assert report["snapshot"]["smi"]["gpus"]["why"] == "garbled"  # type: ignore[index]
    assert [cause["rule"] for cause in report["root_causes"]] in ([], NO_TORCH)  # type: ignore[attr-defined]
    assert seconds < 10 + 2
    assert peak < LIMIT_MIB


def test_an_nvml_that_dies(deploy: Deploy, tmp_path: Path) -> None:
    """SIGSEGV in the driver's library costs one section, and is told as a crash."""
    report, _, _ = measured(deploy(Machine(nvml_crash())), cwd=tmp_path)
    nvml = report["snapshot"]["nvml"]  # type: ignore[index]
    assert "crashed" in json.dumps(nvml)
    assert "SIGSEGV" in json.dumps(nvml)
    assert report["verdict"] in ("unfit", "undetermined")


@pytest.mark.parametrize(
    "surroundings",
    [
        {"HOME": None},
        {"PATH": None},
        {"HOME": "/nonexistent", "PATH": "/nonexistent"},
        {"LANG": "C", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
        {"NO_COLOR": "1", "COLUMNS": "40"},
        {"TERM": "dumb"},
        {"TMPDIR": "/nonexistent"},
    ],
    ids=str,
)
def test_surroundings(surroundings: dict[str, str | None], tmp_path: Path) -> None:
    """No HOME, no PATH, no Unicode, 40 columns, no temporary folder: the report comes all the same."""
    environ = {name: value for name, value in os.environ.items() if name not in surroundings}
    environ.update({name: value for name, value in surroundings.items() if value is not None})
    run = start(["doctor", "--quick"], environ, cwd=tmp_path)
    assert run.exit_code == 0, run.stderr
    assert "fit" in run.stdout
    assert "\x1b" not in run.stdout
    if "PYTHONIOENCODING" in surroundings:
        assert run.stdout.isascii()
    if "COLUMNS" in surroundings:
        assert max(map(len, run.stdout.splitlines())) <= 40
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written(tmp_path: Path) -> None:
    """A diagnosis leaves no file behind: not in the home, not in the temporary folder, not where it stands."""
    for name in ("home", "tmp", "cwd"):
        (tmp_path / name).mkdir()
    environ = {
        **os.environ,
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "tmp"),
        "XDG_CACHE_HOME": str(tmp_path / "home"),
    }
    run = start(["doctor"], environ, cwd=tmp_path / "cwd")
    assert run.exit_code == 0, run.stderr
    assert [str(path) for path in tmp_path.rglob("*") if path.is_file()] == []
