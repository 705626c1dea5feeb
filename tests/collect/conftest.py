"""Collectors meet the pretended driver and pretended probes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from envcheck.collect import children
from tests.fakes.fixtures import deploy, fake_builds

__all__ = ["deploy", "fake_builds", "pretend"]

HEAD = """
import json, os, signal, sys, time
TASK, OPTIONS = sys.argv[1], dict(word.split("=", 1) for word in sys.argv[3:])
def say(**facts): os.write(1, json.dumps(facts).encode() + b"\\n")
def die(number): os.kill(os.getpid(), number)
"""


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a pretended probe in the place of the real one."""

    def put(body: str) -> None:
        path = tmp_path / "pretended_probe.py"
        path.write_text(HEAD + body, encoding="utf-8")
        monkeypatch.setattr(children, "PROBE", path)

    return put
