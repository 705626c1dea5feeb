"""``envcheck bench`` from the command line: what cannot be measured is no pass."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def without_torch(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter of an environment in which nothing is installed."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, timeout=60)
    return str(folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python"))


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "envcheck", "bench", *words]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=90, check=False)


def test_nothing_measured_is_no_pass(without_torch: str) -> None:
    """Without torch there is no proof: undetermined, exit code 3, and torch's absence in words."""
    done = bench("--device", "cpu", "--quick", "--python", without_torch, "--format", "json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["verdict"]) == (3, "undetermined")
    assert report["bench"][0]["rows"] == []
    assert "No module named 'torch'" in done.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--device", "tpu"], "--device tpu: give auto, cuda"),
        (["--gpu", "first"], "--gpu first: give an index, or all"),
        (["--gpu", "0", "--device", "cpu"], "name the same thing"),
        (["--compare", "nofile.json"], "nofile.json"),
    ],
)
def test_a_bad_call_is_one_line(words: list[str], said: str) -> None:
    """Exit code 2, one line on stderr, nothing on stdout, before anything is measured."""
    done = bench(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
