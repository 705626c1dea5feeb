"""Does NVML answer?  A library that is not there, a binding that is too new, and a call that does not come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import DriverLibrary, Unread
from envcheck.judge import Verdict
from envcheck.testing import Machine, judge_one, machine, parts

HANG, MISSING, FUNCTION = "nvml-hang", "nvml-library-missing", "nvml-function-not-found"
REFUSED = Unread("refused")
NO_NVML = {"/nvml": parts.no_nvml()}
NOT_INSTALLED = {**NO_NVML, "/driver/libraries": []}
STUCK = {
    "/nvml/init_code": Unread("timeout"),
    "/nvml/waited_seconds": 60.0,
    "/nvml/process_state": "D",
    "/driver/persistenced": False,
}


def hidden(path: str) -> DriverLibrary:
    """A copy on the disk in a folder that the loader does not search."""
    return DriverLibrary(soname="libnvidia-ml.so.1", path=path, found_in="known folder", stub=False, compat=False)


@pytest.mark.parametrize(
    ("rule", "cast", "changes", "outcome"),
    [
        (HANG, "h100", STUCK, "problem"),
        (HANG, "h100", {"/nvml/gpus": Unread("timeout"), "/nvml/waited_seconds": 60.0}, "problem"),
        (HANG, "h100", {}, "ok"),
        (HANG, "version-mismatch", {}, "ok"),  # an error is an answer
        (HANG, "h100", {**STUCK, "/nvml/process_state": "S", "/nvml/waited_seconds": 5.0}, "cannot_tell"),  # slow
        (HANG, "h100", {"/nvml": Unread("crashed", "killed by SIGSEGV")}, "cannot_tell"),
        (HANG, "h100", {"/nvml/gpus": Unread("garbled")}, "cannot_tell"),
        (HANG, "cpu-only", {}, "not_applicable"),
        (MISSING, "h100", NOT_INSTALLED, "problem"),
        (MISSING, "driver-not-installed", {}, "problem"),
        (MISSING, "h100", {}, "ok"),
        (MISSING, "module-not-loaded", {}, "ok"),  # it is there; the module is not
        (MISSING, "h100", {"/nvml/init_code": REFUSED}, "cannot_tell"),
        (MISSING, "h100", {**NOT_INSTALLED, "/devices/pci": REFUSED}, "cannot_tell"),
        (MISSING, "cpu-only", {}, "not_applicable"),
        (MISSING, "container-without-gpu", {}, "not_applicable"),  # a container rule answers
        (MISSING, "wsl2-rtx3080", NO_NVML, "not_applicable"),
        (MISSING, "jetson-orin", NO_NVML, "not_applicable"),
        (MISSING, "windows-rtx4090", NO_NVML, "not_applicable"),
        (MISSING, "macos-m2", {}, "not_applicable"),
        (FUNCTION, "h100", {"/nvml": parts.no_nvml(13, "Function Not Found")}, "problem"),
        (FUNCTION, "h100", {}, "ok"),
        (FUNCTION, "nvml-hang", {"/nvml/waited_seconds": None}, "cannot_tell"),
        (FUNCTION, "cpu-torch", {}, "not_applicable"),
    ],
)
def test_outcomes(rule: str, cast: str, changes: dict[str, Any], outcome: str) -> None:
    """Both sides of each rule, and both kinds of silence."""
    assert judge_one(rule, machine(cast).but(changes)).outcome == outcome


def test_a_library_that_lies_on_the_disk_needs_no_driver() -> None:
    """The loader's cache is stale: nothing is to be installed."""
    now = machine("h100").but({**NO_NVML, "/driver/libraries": [hidden("/opt/odd place/libnvidia-ml.so.1")]})
    finding = judge_one(MISSING, now).finding
    assert finding is not None and finding.fix is not None
    commands = [step.command for step in finding.fix.steps]
    assert commands[0] == "sudo ldconfig"
    assert "'/opt/odd place'" in commands[1]
    assert not any("install" in command for command in commands)


def test_a_binding_that_is_too_new_is_heard(heard: Callable[..., Machine]) -> None:
    """The attribute error of an older driver is a message; the card is not at fault."""
    silent = machine("h100").but({"/nvml": Unread("not_asked")})
    words = "NVMLError_FunctionNotFound: Function Not Found"
    finding = judge_one(FUNCTION, heard(silent, FUNCTION, words)).finding
    assert finding is not None and finding.severity == "warning"


@pytest.mark.parametrize(
    ("rule", "cast", "changes"),
    [
        (HANG, "h100", STUCK),
        (MISSING, "h100", NOT_INSTALLED),
        (MISSING, "h100", {**NOT_INSTALLED, "/cuda": parts.no_libcuda()}),
        (FUNCTION, "h100", {"/nvml": parts.no_nvml(13, "Function Not Found")}),
    ],
)
def test_text(rule: str, cast: str, changes: dict[str, Any], text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, machine(cast).but(changes))) == snapshot
