"""A Python that is too old is named; it is no fault of the machine."""

from __future__ import annotations

import pytest

from envcheck.facts import Unread
from envcheck.testing import judge_one, machine

VERSION = "/interpreters/0/version"


@pytest.mark.parametrize(
    ("version", "outcome"),
    [
        ("2.7.18", "problem"),
        ("3.5.10", "problem"),
        ("3.6.15", "ok"),
        ("3.11.9", "ok"),
        ("3.15.0a1", "ok"),
        (None, "not_applicable"),
        (Unread("crashed"), "cannot_tell"),
    ],
)
def test_by_version_alone(version: object, outcome: str) -> None:
    """Before 3.6 the probe cannot run."""
    verdict = judge_one("python-too-old", machine("cpu-only").but({VERSION: version}))
    assert verdict.outcome == outcome
    assert verdict.severity == "note"
