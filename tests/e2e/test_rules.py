"""Every rule on a pretended machine that shows its fault, through the real pynvml, ctypes, /sys, /proc and /dev."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e import environments
from tests.e2e.rows import check
from tests.e2e.table import ROWS
from tests.fakes import Deployed, Machine, Scenario

Deploy = Callable[[Machine | Scenario], Deployed]


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python whose torch fits every healthy machine of the table; no run writes into it."""
    return environments.plain(tmp_path_factory.mktemp("healthy") / "study")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if row.slow else ()) for name, row in ROWS.items()]
)
def test_the_fault_is_named(name: str, deploy: Deploy, healthy: str, tmp_path: Path) -> None:
    """Every error and warning of the report is one of the row, on the right card, and the other way round."""
    row = ROWS[name]
    deployed = deploy(row.machine())
    home = tmp_path / "home"
    home.mkdir()
    if row.home is not None:
        row.home(home)
    python = healthy if row.python is None else row.python(tmp_path / "env")
    asked = [word.format(home=home) for word in row.asked]
    command = [*row.command, sys.executable, "-m", "envcheck", *asked, "--root", str(deployed.root), "--format", "json"]
    command += [*(["--python", python] if python else []), *([] if row.imports else ["--quick"]), *row.arguments]
    done = subprocess.run(
        command,
        env=row.environ(deployed.root, deployed.environ, home, tmp_path / "env"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        cwd=home,
    )
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    check(row, report)
    unfit = any(severity.startswith("error") for severity in row.finds.values())
    assert report["verdict"] == (row.verdict or ("unfit" if unfit else "fit"))
    assert done.returncode == (1 if unfit else 0)

pytestmark = pytest.mark.slow
