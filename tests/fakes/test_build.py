"""The libraries are compiled once, whoever asks first and however many ask at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from . import build
from .build import NVML, build_library


def test_each_variant_is_built_once(fake_builds: Path) -> None:
    """The same symbols hidden give the same file; other symbols another; names that are not there change nothing."""
    whole = build_library(fake_builds, NVML)
    stamp = whole.stat().st_mtime_ns
    assert build_library(fake_builds, NVML, frozenset({"nvmlNoSuchFunction"})) == whole
    assert whole.stat().st_mtime_ns == stamp
    assert build_library(fake_builds, NVML, frozenset({"nvmlDeviceGetName"})) != whole


def test_workers_that_build_at_once_share_one_file(tmp_path: Path, fake_builds: Path) -> None:
    """Processes that start together wait for one compiler run and get a whole library."""
    script = (
        f"import sys; sys.path.insert(0, {str(build.HERE.parent.parent)!r})\n"
        "from pathlib import Path\nfrom tests.fakes.build import NVML, build_library\n"
        f"print(build_library(Path({str(tmp_path)!r}), NVML))"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    results = [child.communicate(timeout=120) for child in children]
    assert [child.returncode for child in children] == [0, 0, 0], results
    assert len({out for out, _ in results}) == 1
    built = Path(results[0][0].strip())
    assert built.read_bytes()[:4] == b"\x7fELF"
    assert [path.name for path in tmp_path.iterdir() if path.is_file() and path.name[0] != "."] == [built.name]


def test_a_compiler_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_builds: Path) -> None:
    """Whoever breaks the C sources reads what the compiler said."""
    monkeypatch.setattr(build, "compiler", lambda: ("/bin/sh", "-c", "echo no such luck >&2; exit 1"))
    with pytest.raises(RuntimeError, match="no such luck"):
        build_library(tmp_path, NVML)


def test_without_a_compiler_there_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests that need the fakes are skipped with words, never silently."""
    monkeypatch.setattr(build, "compiler", lambda: None)
    monkeypatch.setattr(sys, "platform", "linux")
    assert "no C compiler" in (build.why_not() or "")
    monkeypatch.setattr(sys, "platform", "win32")
    assert "Linux only" in (build.why_not() or "")
