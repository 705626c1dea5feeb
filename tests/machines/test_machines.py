"""Recorded snapshots stay readable, and get the same first root cause from every later version."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.facts import decode
from envcheck.judge import judge
from envcheck.rules import QUESTIONS
from envcheck.testing import CAST

FOLDER = Path(__file__).parent
RECORDED = [
    "h100",
    "h100-driver-535-cu126",
    "rtx4090-desktop",
    "docker-a100",
    "slurm-h100",
    "wsl2-rtx3080",
    "jetson-orin",
    "windows-rtx4090",
    "macos-m2",
    "amd-rocm",
    "cpu-torch",
    "driver-not-installed",
    "secure-boot",
    "version-mismatch",
    "gpu-lost",
    "nvml-hang",
    "cu-init-802",
    "cu-init-804",
    "container-without-gpu",
    "masked",
    "cpu-build-on-gpu-box",
    "driver-too-old",
    "gpu-newer-than-build",
    "torch-damaged",
]


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_machine_is_judged_as_when_it_was_recorded(name: str) -> None:
    """Schema and rules may grow: a file that somebody kept must go on to be read and judged rightly."""
    report = judge(decode((FOLDER / f"{name}.json").read_bytes()), QUESTIONS)
    expected = CAST[name]
    assert [cause.rule for cause in report.root_causes if cause.severity == "error"] == ([expected] if expected else [])


def test_every_file_belongs_to_the_list() -> None:
    """No recording lies about unread."""
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == sorted(RECORDED)
