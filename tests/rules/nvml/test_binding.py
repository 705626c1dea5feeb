"""Does one package own the module pynvml?  Old copies hide each other; newer ones only bring a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from envcheck.facts import Unread
from envcheck.judge import Verdict
from envcheck.testing import judge_one, machine, parts

RULE, PACKAGES = "pynvml-package-conflict", "/interpreters/0/distributions"


def installed(**versions: str | None) -> dict[str, Any]:
    packages = [parts.distribution("torch", "2.14.1")]
    for name, version in versions.items():
        packages.append(replace(parts.distribution(name.replace("_", "-"), "0"), version=version))
    return {PACKAGES: packages}


@pytest.mark.parametrize(
    ("changes", "outcome", "severity"),
    [
        (installed(nvidia_ml_py="13.580.65", pynvml="11.5.3"), "problem", "warning"),
        (installed(nvidia_ml_py="13.580.65", nvidia_ml_py3="7.352.0"), "problem", "warning"),
        (installed(nvidia_ml_py="13.580.65", pynvml="12.0.0"), "problem", "note"),  # brings no module
        (installed(pynvml="11.5.3"), "problem", "note"),
        (installed(nvidia_ml_py="13.580.65"), "ok", "warning"),
        (installed(nvidia_ml_py="13.580.65", pynvml=None), "cannot_tell", "warning"),
        ({PACKAGES: Unread("timeout")}, "cannot_tell", "warning"),
        (installed(), "not_applicable", "warning"),
    ],
)
def test_outcomes(changes: dict[str, Any], outcome: str, severity: str) -> None:
    """Both sides, and both kinds of silence."""
    verdict = judge_one(RULE, machine("h100").but(changes))
    assert (verdict.outcome, verdict.severity) == (outcome, severity)


@pytest.mark.parametrize(
    "changes",
    [
        installed(nvidia_ml_py="13.580.65", pynvml="11.5.3"),
        {**installed(nvidia_ml_py="13.580.65", pynvml="12.0.0"), "/interpreters/0/manager": "uv"},
    ],
)
def test_text(changes: dict[str, Any], text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole; the commands are those of the environment's own manager."""
    assert text(judge_one(RULE, machine("h100").but(changes))) == snapshot
