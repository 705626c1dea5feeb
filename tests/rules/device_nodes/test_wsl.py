"""Does WSL hand the GPU through?  Version, door and libraries; no Linux driver is ever advised there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import DriverLibrary, Unread
from envcheck.judge import Policy, Verdict
from envcheck.rules.device_nodes.wsl import does_wsl_hand_the_gpu_through
from envcheck.testing import judge_one, machine, parts

ONE, BLOCKED = "wsl1-not-wsl2", "wsl-gpu-blocked"
SHADOWED, HIDDEN, LIMITS = "wsl-linux-driver-installed", "wsl-libcuda-not-found", "wsl-limits"
CAST, LIBRARIES = "wsl2-rtx3080", "/driver/libraries"
REFUSED = Unread("refused")
REQUIRED = Policy(require_gpu=True)


def library(path: str, found_in: str = "ld cache") -> DriverLibrary:
    return DriverLibrary(soname="libcuda.so.1", path=path, found_in=found_in, stub=False, compat=False, version=None)


MAPPED = "/usr/lib/wsl/lib/libcuda.so.1"
NOTHING = {"/nvml": parts.no_nvml(), "/cuda": parts.no_libcuda(), "/smi/gpus": [], LIBRARIES: []}
FIRST = {"/host/wsl": 1, "/host/dxg": False, **NOTHING}
CODE_17 = {"/nvml": parts.no_nvml(17, "GPU access blocked by the operating system"), "/smi/gpus": []}
LINUX_DRIVER = {
    LIBRARIES: [library("/usr/lib/x86_64-linux-gnu/libcuda.so.1"), library(MAPPED)],
    "/cuda": parts.cuda_fails(803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
    "/host/driver_packages": ["libnvidia-compute-550=550.120-0ubuntu1", "nvidia-container-toolkit=1.18.0-1"],
}
UNCACHED = {**NOTHING, LIBRARIES: [library(MAPPED, "known folder")]}
CPU_BUILD = {"/interpreters/0/torch/cuda": None}


@pytest.mark.parametrize(
    ("rule", "cast", "changes", "outcome"),
    [
        (ONE, CAST, FIRST, "problem"),
        (ONE, CAST, {}, "ok"),
        (ONE, CAST, {"/host/wsl": REFUSED}, "cannot_tell"),
        (ONE, CAST, {**FIRST, **CPU_BUILD}, "not_applicable"),  # nobody asks for a GPU
        (ONE, "h100", {}, "not_applicable"),
        (BLOCKED, CAST, CODE_17, "problem"),
        (BLOCKED, CAST, NOTHING, "problem"),  # Windows maps no driver
        (BLOCKED, CAST, {**CODE_17, "/container/engine": "docker"}, "problem"),
        (BLOCKED, CAST, {}, "ok"),
        (BLOCKED, CAST, {"/nvml/init_code": Unread("timeout")}, "cannot_tell"),
        (BLOCKED, CAST, {**NOTHING, LIBRARIES: REFUSED}, "cannot_tell"),
        (BLOCKED, CAST, {**NOTHING, **CPU_BUILD}, "not_applicable"),
        (BLOCKED, CAST, {"/container/engine": "docker"}, "not_applicable"),
        (BLOCKED, "cpu-only", {}, "not_applicable"),
        (SHADOWED, CAST, LINUX_DRIVER, "problem"),
        (SHADOWED, CAST, {LIBRARIES: LINUX_DRIVER[LIBRARIES]}, "ok"),  # CUDA starts all the same
        (SHADOWED, CAST, {**LINUX_DRIVER, LIBRARIES: [library(MAPPED)]}, "ok"),  # another reason for 803
        (SHADOWED, CAST, {**LINUX_DRIVER, LIBRARIES: REFUSED}, "cannot_tell"),
        (SHADOWED, "windows-rtx4090", {}, "not_applicable"),
        (HIDDEN, CAST, UNCACHED, "problem"),
        (HIDDEN, CAST, {}, "ok"),
        (HIDDEN, CAST, {"/cuda/library": Unread("crashed")}, "cannot_tell"),
        (HIDDEN, "jetson-orin", {}, "not_applicable"),
        (LIMITS, CAST, {}, "problem"),
        (LIMITS, CAST, {"/host/wsl": REFUSED}, "cannot_tell"),
        (LIMITS, CAST, {"/nvml/init_code": Unread("timeout")}, "cannot_tell"),
        (LIMITS, CAST, CODE_17, "not_applicable"),
        (LIMITS, "h100", {}, "not_applicable"),
    ],
)
def test_outcomes(rule: str, cast: str, changes: dict[str, Any], outcome: str) -> None:
    """Both sides of each rule, and both kinds of silence.  The limits are those of every WSL 2: no side of ok."""
    assert judge_one(rule, machine(cast).but(changes)).outcome == outcome


@pytest.mark.parametrize(("rule", "changes"), [(ONE, FIRST), (BLOCKED, NOTHING)])
def test_no_gpu_at_all_is_an_error_only_where_one_is_required(rule: str, changes: dict[str, Any]) -> None:
    """A CUDA build of torch on a Windows machine without NVIDIA is no fault."""
    assert judge_one(rule, machine(CAST).but(changes)).severity == "note"
    assert judge_one(rule, machine(CAST).but(changes), REQUIRED).severity == "error"
    assert judge_one(rule, machine(CAST).but({**changes, **CPU_BUILD}), REQUIRED).outcome == "problem"


def test_no_linux_driver_is_advised_in_wsl() -> None:
    """Installing one is the fault, never the cure; the container tools are left alone."""
    for rule in does_wsl_hand_the_gpu_through.rules:
        for changes in (FIRST, CODE_17, NOTHING, LINUX_DRIVER, UNCACHED):
            finding = judge_one(rule.name, machine(CAST).but(changes), REQUIRED).finding
            commands = [step.command for step in finding.fix.steps] if finding and finding.fix else []
            assert not any("install" in command and "purge" not in command for command in commands), rule.name
            assert not any("nvidia-container-toolkit" in command for command in commands)


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        (ONE, FIRST),
        (BLOCKED, CODE_17),
        (BLOCKED, {**CODE_17, "/container/engine": "docker"}),
        (BLOCKED, NOTHING),
        (SHADOWED, LINUX_DRIVER),
        (HIDDEN, UNCACHED),
        (LIMITS, {}),
    ],
)
def test_text(rule: str, changes: dict[str, Any], text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, machine(CAST).but(changes), REQUIRED)) == snapshot
