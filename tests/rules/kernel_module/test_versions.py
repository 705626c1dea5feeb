"""Do library and module agree?  One code of NVML, told apart by what lies on disk and whence the libraries come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import DriverLibrary, Unread
from envcheck.judge import Verdict
from envcheck.testing import Machine, judge_one, machine

MISMATCH, MIXED, STALE = "driver-library-version-mismatch", "mixed-driver-install", "cdi-spec-stale"
REFUSED = Unread("refused")
LIB = "/usr/lib/x86_64-linux-gnu"
HANDED_IN = {
    "/container/engine": "docker",
    "/container/injected_libraries": [f"{LIB}/libcuda.so.580.95.05", f"{LIB}/libnvidia-ml.so.580.95.05"],
}


def copy(folder: str, version: str | None, **changes: Any) -> DriverLibrary:
    facts: dict[str, Any] = {"found_in": "ld cache", "stub": False, "compat": False, "version": version}
    path = f"{folder}/libcuda.so.1"
    return DriverLibrary(soname="libcuda.so.1", path=path, realpath=path, **{**facts, **changes})


ONE = copy(LIB, "580.95.05")
TWO = {"/driver/libraries": [ONE, copy("/usr/local/lib", "550.54.15")]}
RUN_FILE = {"/driver/uninstaller": True, "/host/driver_packages": ["nvidia-driver-580=580.95.05-0ubuntu1"]}
SPECS = {"/container/cdi_specs": ["/etc/cdi/nvidia.yaml"], "/container/cdi_driver_versions": ["550.54.15"]}


@pytest.mark.parametrize(
    ("rule", "cast", "changes", "outcome"),
    [
        (MISMATCH, "version-mismatch", {}, "problem"),
        (MISMATCH, "version-mismatch", {"/container/engine": "docker"}, "problem"),  # the image's own libraries
        (MISMATCH, "h100", {}, "ok"),
        (MISMATCH, "module-not-loaded", {}, "ok"),  # NVML gives another code
        (MISMATCH, "nvml-hang", {}, "cannot_tell"),
        (MISMATCH, "version-mismatch", {"/driver/libraries": REFUSED}, "cannot_tell"),
        (MISMATCH, "wsl2-rtx3080", {}, "not_applicable"),
        (MISMATCH, "jetson-orin", {}, "not_applicable"),
        (MIXED, "h100", TWO, "problem"),
        (MIXED, "version-mismatch", TWO, "problem"),
        (MIXED, "h100", RUN_FILE, "problem"),
        (MIXED, "h100", {"/driver/uninstaller": True}, "ok"),  # a .run installation alone
        (MIXED, "h100", {**RUN_FILE, "/host/driver_packages": ["nvidia-container-toolkit=1.18.0-1"]}, "ok"),
        (MIXED, "h100", {"/driver/libraries": [ONE, copy("/opt", "550.54.15", compat=True)]}, "ok"),
        (MIXED, "h100", {"/driver/libraries": [ONE, copy("/opt", "550.54.15", stub=True)]}, "ok"),
        (MIXED, "h100", {"/driver/libraries": [ONE, copy("/opt", "550.54.15", found_in="known folder")]}, "ok"),
        (MIXED, "h100", {"/driver/libraries": [ONE, copy("/opt", "580.95.05")]}, "ok"),  # one version, twice
        (MIXED, "h100", {"/driver/libraries": [ONE, copy("/opt", None)]}, "ok"),
        (MIXED, "docker-a100", TWO, "ok"),
        (MIXED, "h100", {"/driver/libraries": REFUSED}, "cannot_tell"),
        (MIXED, "h100", {**RUN_FILE, "/host/driver_packages": Unread("unsupported")}, "cannot_tell"),
        (MIXED, "windows-rtx4090", {}, "not_applicable"),
        (STALE, "version-mismatch", HANDED_IN, "problem"),
        (STALE, "h100", SPECS, "problem"),
        (STALE, "h100", {**SPECS, "/container/cdi_driver_versions": ["580.95.05"]}, "ok"),
        (STALE, "h100", {"/container/cdi_specs": []}, "ok"),
        (STALE, "docker-a100", {}, "ok"),
        (STALE, "h100", {**SPECS, "/container/cdi_driver_versions": REFUSED}, "cannot_tell"),
        (STALE, "version-mismatch", {**HANDED_IN, "/container/injected_libraries": REFUSED}, "cannot_tell"),
        (STALE, "jetson-orin", SPECS, "not_applicable"),
    ],
)
def test_outcomes(rule: str, cast: str, changes: dict[str, Any], outcome: str) -> None:
    """Both sides of each rule, and both kinds of silence."""
    assert judge_one(rule, machine(cast).but(changes)).outcome == outcome


def test_two_drivers_that_still_agree_are_a_warning() -> None:
    """What works today is fragile, not broken."""
    assert judge_one(MIXED, machine("h100").but(TWO)).severity == "warning"
    assert judge_one(MIXED, machine("version-mismatch").but(TWO)).severity == "error"


def test_a_stale_specification_hurts_containers_only() -> None:
    """On the host it is a warning; inside a container that got the wrong libraries it is an error."""
    assert judge_one(STALE, machine("h100").but(SPECS)).severity == "warning"
    assert judge_one(STALE, machine("version-mismatch").but(HANDED_IN)).severity == "error"


def test_the_words_of_nvidia_smi_are_heard(heard: Callable[..., Machine]) -> None:
    """Pasted alone they lead to a suspicion with the fix."""
    pasted = machine("h100").but({"/host": Unread("not_asked")})
    words = "Failed to initialize NVML: Driver/library version mismatch"
    finding = judge_one(MISMATCH, heard(pasted, MISMATCH, words)).finding
    assert finding is not None and finding.summary == words and finding.fix is not None


@pytest.mark.parametrize(
    ("rule", "cast", "changes"),
    [
        (MISMATCH, "version-mismatch", {}),
        (MISMATCH, "version-mismatch", {"/container/engine": "docker"}),
        (MIXED, "version-mismatch", TWO),
        (MIXED, "h100", RUN_FILE),
        (STALE, "version-mismatch", HANDED_IN),
        (STALE, "h100", SPECS),
    ],
)
def test_text(rule: str, cast: str, changes: dict[str, Any], text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, machine(cast).but(changes))) == snapshot
