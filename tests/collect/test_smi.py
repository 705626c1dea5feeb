"""nvidia-smi as a witness: its report, its refusals, and its ways to misbehave."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envcheck.collect.smi import collect_smi
from envcheck.facts import Smi, Unread
from tests.collect import homes

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pretended programs in sh")

REPORT = """<?xml version="1.0" ?>
<nvidia_smi_log><driver_version>580.105.08</driver_version><cuda_version>13.0</cuda_version>
<attached_gpus>1</attached_gpus>
<gpu id="00000000:17:00.0"><product_name>NVIDIA L4</product_name><uuid>GPU-1</uuid></gpu></nvidia_smi_log>
"""


def ask(tmp: Path, script: str, deadline: float = 20.0) -> Smi:
    homes.program(tmp / "bin" / "nvidia-smi", f"#!/bin/sh\n{script}\n")
    return collect_smi(homes.shell_of(tmp, PATH=f"{tmp}/bin:/bin:/usr/bin"), deadline)


def test_no_program_is_a_known_absence(tmp_path: Path) -> None:
    """Asked on PATH, and there is none."""
    assert collect_smi(homes.shell_of(tmp_path), 20.0) == Smi(path=None)


def test_its_report_is_read(tmp_path: Path) -> None:
    """Asked for XML of everything, in the C locale."""
    script = f'[ "$*" = "-q -x" ] && [ "$LC_ALL" = C ] && cat <<"END"\n{REPORT}END'
    smi = ask(tmp_path, script)
    assert (smi.path, smi.exit_code, smi.form) == (str(tmp_path / "bin" / "nvidia-smi"), 0, "xml")
    assert (smi.driver_version, smi.cuda_version, smi.attached_gpus, smi.error) == ("580.105.08", "13.0", 1, None)
    assert isinstance(smi.gpus, list)
    assert (smi.gpus[0].uuid, smi.gpus[0].bus_id) == ("GPU-1", "0000:17:00.0")


@pytest.mark.parametrize("stream", ["1", "2"])
def test_its_refusal_is_kept_in_its_own_words(stream: str, tmp_path: Path) -> None:
    """On either stream, with its exit code."""
    line = "Failed to initialize NVML: Driver/library version mismatch"
    smi = ask(tmp_path, f'echo "{line}" >&{stream}; echo "NVML library version: 570.124" >&{stream}; exit 18')
    assert (smi.error, smi.nvml_version, smi.exit_code) == (line, "570.124", 18)
    assert isinstance(smi.gpus, Unread)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("trap '' TERM; sleep 60", "timeout"),
        ("sleep 60", "timeout"),
        ("kill -11 $$", "crashed"),
        ("exec yes", "garbled"),
    ],
)
def test_every_misbehaviour_is_in_every_fact(script: str, why: str, tmp_path: Path) -> None:
    """A hang, one that ignores SIGTERM, a crash and a flood: bounded, and told apart."""
    smi = ask(tmp_path, script, 0.3 if why == "timeout" else 20.0)
    assert smi.path == str(tmp_path / "bin" / "nvidia-smi")
    for fact in (smi.driver_version, smi.gpus, smi.exit_code, smi.error):
        assert isinstance(fact, Unread)
        assert fact.why == why


def test_silence_is_no_report(tmp_path: Path) -> None:
    """It ended well and said nothing."""
    smi = ask(tmp_path, "exit 0")
    assert isinstance(smi.error, Unread)
    assert smi.exit_code == 0
