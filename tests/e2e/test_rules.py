"""Every rule on a pretended machine that shows its fault, through the real pynvml, ctypes, /sys, /proc and /dev."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from envcheck.rules import QUESTIONS, RULES
from tests.e2e import environments
from tests.e2e.rows import check
from tests.e2e.table import ROWS
from tests.fakes import Deployed, Machine, Scenario
from tests.gate import passes_as

ELSEWHERE = {
    "envcheck.rules.declared": "judges a project's files, not a machine: tests/rules/declared and the lint command",
    "envcheck.rules.numerics": "needs the figures of a benchmark",
    "envcheck.rules.speed.benchmark": "needs the figures of a benchmark",
    "envcheck.rules.speed.held_down": "needs the figures of a benchmark",
    "envcheck.rules.speed.host_bound": "needs the figures of a benchmark",
    "envcheck.rules.speed.link": "needs the figures of a benchmark",
    "envcheck.rules.speed.peers": "needs the figures of a benchmark",
    "envcheck.rules.speed.stored": "needs the figures of a benchmark",
    "envcheck.rules.speed.trust": "needs the figures of a benchmark",
    "envcheck.rules.policy.bench": "needs the figures of a benchmark",
    "envcheck.rules.python.plugins": "needs a broken package beside envcheck itself, not on the machine looked at",
}
"""Modules whose rules no look at a pretended machine reaches, and why."""

NOT_SHOWN = {
    "extension-missing-kernel-image": "a program's own message decides it; a look at a machine hears none",
    "macos-intel-unsupported": "another system: the platform is that of the process that looks",
    "macos-no-cuda": "another system",
    "macos-rosetta-python": "another system",
    "mps-macos-too-old": "another system",
    "windows-default-index-cpu": "another system",
    "windows-dll-load-failed": "another system: only the loader of Windows says these words",
}
"""Rules that a pretended machine cannot show, and why."""

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
    if row.asked[0] == "doctor" and not row.arguments:  # by default doctor and the gate ask for the same
        assert passes_as(report, tmp_path) == report["verdict"]


def test_every_rule_is_shown_or_excused() -> None:
    """A rule that nobody saw fire on a machine may never fire on one: each has a row, or a reason why not."""
    by_message = {rule.name for question in QUESTIONS if question.message_only for rule in question.rules}
    elsewhere = {rule.name for rule in RULES if any(is_in(rule.__module__, place) for place in ELSEWHERE)}
    shown = {rule for row in ROWS.values() for rule in row.finds}
    names = {rule.name for rule in RULES}
    assert names - shown - by_message - elsewhere - NOT_SHOWN.keys() == set(), "neither a row nor a reason"
    assert shown - names == set(), "a row names a rule that does not exist"
    assert NOT_SHOWN.keys() & shown == set(), "excused, and shown all the same"
    assert NOT_SHOWN.keys() - names == set(), "an excuse for a rule that is gone"


def is_in(module: str, place: str) -> bool:
    return module == place or module.startswith(f"{place}.")
