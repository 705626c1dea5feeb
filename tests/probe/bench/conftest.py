"""Two kinds of torch for the bench: a real one, that ENVCHECK_TEST_TORCH_PYTHON names, and one that is pretended."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

import envcheck
from envcheck.probe.bench import clock, device, plan
from tests.probe.bench.pretended_cuda import EPOCH, Gpu

REPOSITORY = Path(envcheck.__file__).parent.parent
HERE = Path(__file__).parent
PATIENCE_S = 300.0


@pytest.fixture(scope="session")
def torch_python() -> str:
    """An interpreter that has torch."""
    named = os.environ.get("ENVCHECK_TEST_TORCH_PYTHON")
    if not named:
        pytest.skip("ENVCHECK_TEST_TORCH_PYTHON names no interpreter with torch: its numbers are not checked")
    return named


def told(python: str, script: str, *options: str) -> str:
    """What a script of this folder prints, run by that Python with the repository at hand."""
    call = [python, "-W", "ignore", "-B", str(HERE / script), str(REPOSITORY), *options]
    done = subprocess.run(call, capture_output=True, text=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.fixture
def in_virtual_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[Gpu], None]:
    """Let the bench's own modules read a pretended machine's clock instead of the real one."""

    def enter(gpu: Gpu) -> None:
        pretended = SimpleNamespace(perf_counter=gpu.clock, monotonic=gpu.clock, time=lambda: EPOCH + gpu.now)
        for module in (clock, device, plan):
            monkeypatch.setattr(module, "time", pretended)

    return enter
