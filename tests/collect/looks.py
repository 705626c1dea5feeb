"""Looks at pretended machines, for tests of the whole snapshot."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from envcheck.collect import Options, snapshot_here
from envcheck.facts import Interpreter, Snapshot, decode, encode
from tests.fakes import Deployed, Machine, Scenario

Deploy = Callable[[Machine | Scenario], Deployed]
SLACK = 2.0  # what the issue allows beyond the deadline


def look(tmp: Path, environ: dict[str, str] | None = None, **options: object) -> Snapshot:
    """A quick look at an empty machine below ``tmp``, unless the arguments say otherwise."""
    settings = {"depth": "quick", "root": str(tmp), "environ": environ or {"PATH": ""}, **options}
    snapshot = snapshot_here(Options(**settings))  # type: ignore[arg-type]
    assert decode(encode(snapshot)) == snapshot
    return snapshot


def target_of(snapshot: Snapshot) -> Interpreter:
    assert isinstance(snapshot.interpreters, list)
    assert snapshot.target.interpreter == 0
    return snapshot.interpreters[0]


def real_venv(tmp: Path, **packages: str) -> Path:
    """A venv of the Python that runs the tests, with modules of these names in its site-packages."""
    env = tmp / "env"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(env)], check=True)
    site = next(env.glob("lib/python*/site-packages"))
    for name, text in packages.items():
        (site / name).mkdir()
        (site / name / "__init__.py").write_text(text)
        (site / name / "version.py").write_text("__version__ = '2.9.1'\ncuda = None\nhip = None\n")
    return env
