"""Fixtures for tests that need the pretended driver.

A folder's ``conftest.py`` takes them with ``from tests.fakes.fixtures import fake_builds, deploy  # noqa: F401``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from .build import why_not
from .machine import Deployed, Machine
from .scenario import Scenario


@pytest.fixture(scope="session")
def fake_builds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where compiled driver libraries are kept: one folder for the run, shared by its workers."""
    if reason := why_not():
        pytest.skip(reason)
    base = tmp_path_factory.getbasetemp()
    # Each worker of pytest-xdist has its own base below the run's.
    return (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "fake-driver-builds"


@pytest.fixture
def deploy(tmp_path: Path, fake_builds: Path) -> Callable[[Machine | Scenario], Deployed]:
    """Put a machine on disk; of a bare scenario the driver libraries alone."""
    made = 0

    def put(machine: Machine | Scenario) -> Deployed:
        nonlocal made
        made += 1
        machine = Machine(machine, files={}) if isinstance(machine, Scenario) else machine
        return machine.write(tmp_path / f"machine{made}", fake_builds)

    return put
