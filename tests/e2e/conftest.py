"""envcheck as a user starts it, on a pretended machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import Deployed, Machine, Scenario
from tests.fakes.fixtures import deploy, fake_builds

__all__ = ["deploy", "fake_builds"]


@dataclass(frozen=True)
class Run:
    """One finished run of envcheck."""

    exit_code: int
    stdout: str
    stderr: str
    seconds: float

    @property
    def report(self) -> dict[str, Any]:
        assert self.stdout, self.stderr
        return json.loads(self.stdout)  # type: ignore[no-any-return]


Doctor = Callable[..., Run]


@pytest.fixture
def doctor(deploy: Callable[[Machine | Scenario], Deployed], tmp_path: Path) -> Doctor:
    """``doctor(machine, *arguments, **variables)`` on a pretended machine, as JSON unless a format is given."""

    def run(machine: Machine | Scenario, *arguments: str, **variables: str) -> Run:
        deployed = deploy(machine)
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("CUDA_", "NVIDIA_"))}
        environ = {**environ, **deployed.environ, "HOME": str(tmp_path), **variables}
        root = ["--root", str(deployed.root)] if deployed.root is not None else []
        formats = [] if "--format" in arguments else ["--format", "json"]
        return start(["doctor", *root, *formats, *arguments], environ)

    return run


def start(arguments: list[str], environ: dict[str, str], **options: Any) -> Run:
    import time

    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "envcheck", *arguments],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        **options,
    )
    return Run(done.returncode, done.stdout, done.stderr, time.monotonic() - started)
