"""Was this container given a GPU?  Nodes, libraries and host, in this order (failure-modes §19.12)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import Unread, Variable
from envcheck.judge import Policy, Verdict
from envcheck.testing import Machine, judge_one, machine, parts

NONE, NV, HALF = "container-no-gpu-requested", "apptainer-nv-missing", "container-capability-missing"
HOST, POD = "container-host-driver-missing", "k8s-unrequested-gpu-visible"
ENGINE, NODES = "/container/engine", "/devices/nodes"
REFUSED = Unread("refused")
NO_CUDA, NO_NVML = {"/cuda": parts.no_libcuda()}, {"/nvml": parts.no_nvml(), "/smi/gpus": []}
BARE_HOST = {"/driver/module_loaded": False, "/driver/proc": None, "/driver/sys_module": None}
WITH_NODES = {NODES: parts.devices(["NVIDIA A100-SXM4-80GB"]).nodes}
APPTAINER = {ENGINE: "apptainer", **WITH_NODES}


def variable(name: str, value: str) -> dict[str, Any]:
    return {"/environment/variables": [Variable(name=name, value=value)]}


KUBERNETES = {ENGINE: "kubernetes", **variable("NVIDIA_VISIBLE_DEVICES", "all")}


@pytest.mark.parametrize(
    ("rule", "cast", "changes", "outcome"),
    [
        (NONE, "container-without-gpu", {}, "problem"),
        (NONE, "container-without-gpu", WITH_NODES, "problem"),  # --device alone, or --privileged
        (NONE, "docker-a100", {NODES: [parts.node("/dev/nvidiactl")]}, "problem"),  # NVIDIA_VISIBLE_DEVICES=none
        (NONE, "wsl2-rtx3080", {ENGINE: "docker", NODES: [], **NO_CUDA, **NO_NVML}, "problem"),
        (NONE, "docker-a100", {}, "ok"),
        (NONE, "wsl2-rtx3080", {ENGINE: "docker"}, "ok"),  # /dev/dxg is its node
        (NONE, "container-without-gpu", {NODES: REFUSED}, "cannot_tell"),
        (NONE, "container-without-gpu", {"/cuda/library": Unread("crashed")}, "cannot_tell"),
        (NONE, "container-without-gpu", {"/driver/module_loaded": REFUSED}, "cannot_tell"),
        (NONE, "h100", {}, "not_applicable"),
        (NONE, "jetson-orin", {ENGINE: "docker"}, "not_applicable"),
        (NONE, "cpu-torch", {ENGINE: "docker"}, "not_applicable"),  # the host has no card either
        (NV, "container-without-gpu", APPTAINER, "problem"),
        (NV, "container-without-gpu", {ENGINE: "apptainer"}, "problem"),  # --contain hides the nodes
        (NV, "docker-a100", {ENGINE: "apptainer"}, "ok"),
        (NV, "container-without-gpu", {}, "ok"),
        (NV, "container-without-gpu", {**APPTAINER, "/nvml/init_code": Unread("timeout")}, "cannot_tell"),
        (NV, "cpu-only", {ENGINE: "apptainer"}, "not_applicable"),  # a login node
        (HALF, "docker-a100", NO_CUDA, "problem"),
        (HALF, "docker-a100", NO_NVML, "problem"),
        (HALF, "docker-a100", {}, "ok"),
        (HALF, "docker-a100", {"/cuda/library": Unread("crashed")}, "cannot_tell"),
        (HALF, "rtx4090-desktop", NO_CUDA, "not_applicable"),
        (HOST, "container-without-gpu", BARE_HOST, "problem"),
        (HOST, "container-without-gpu", {}, "ok"),
        (HOST, "container-without-gpu", {**BARE_HOST, "/devices/pci": REFUSED}, "cannot_tell"),
        (HOST, "container-without-gpu", {**BARE_HOST, "/devices/pci": []}, "not_applicable"),
        (HOST, "driver-not-installed", {}, "not_applicable"),  # the host itself
        (POD, "docker-a100", KUBERNETES, "problem"),
        (POD, "docker-a100", {**KUBERNETES, "/environment/variables": []}, "ok"),
        (POD, "docker-a100", {**KUBERNETES, **variable("NVIDIA_VISIBLE_DEVICES", "GPU-1")}, "ok"),  # the plugin's form
        (
            POD,
            "docker-a100",
            {**KUBERNETES, "/devices/pci": parts.devices(["NVIDIA A100-SXM4-80GB"] * 2).pci},
            "ok",  # one of two
        ),
        (POD, "docker-a100", {**KUBERNETES, "/environment/variables": REFUSED}, "cannot_tell"),
        (POD, "docker-a100", {**KUBERNETES, "/nvml/device_count": REFUSED}, "cannot_tell"),
        (POD, "docker-a100", {}, "not_applicable"),
    ],
)
def test_outcomes(rule: str, cast: str, changes: dict[str, Any], outcome: str) -> None:
    """Both sides of each rule, and both kinds of silence."""
    assert judge_one(rule, machine(cast).but(changes)).outcome == outcome


def test_a_container_for_the_processor_is_healthy() -> None:
    """Without a CUDA build nobody asked for a GPU: a remark, unless the policy requires one."""
    quiet = machine("container-without-gpu").but({"/interpreters/0/torch/cuda": None})
    assert judge_one(NONE, machine("container-without-gpu")).severity == "error"
    assert judge_one(NONE, quiet).severity == "note"
    assert judge_one(NONE, quiet, Policy(require_gpu=True)).severity == "error"


def test_the_heuristic_is_off_by_default() -> None:
    """A pod that was given all cards by CDI looks the same."""
    pod = machine("docker-a100").but(KUBERNETES)
    with pytest.raises(LookupError):
        judge_one(POD, pod, Policy())


def test_the_words_of_the_container_tool_are_heard(heard: Callable[..., Machine]) -> None:
    """Pasted from a host, nvidia-container-cli's error leads to the host's driver."""
    pasted = machine("h100").but({"/host": Unread("not_asked"), "/container": Unread("not_asked")})
    words = "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1"
    finding = judge_one(HOST, heard(pasted, HOST, words)).finding
    assert finding is not None and finding.fix is not None


@pytest.mark.parametrize(
    ("rule", "cast", "changes"),
    [
        (NONE, "container-without-gpu", {}),
        (NONE, "container-without-gpu", {ENGINE: "kubernetes", **variable("NVIDIA_VISIBLE_DEVICES", "void")}),
        (NONE, "container-without-gpu", {ENGINE: "podman", **WITH_NODES}),
        (NV, "container-without-gpu", APPTAINER),
        (HALF, "docker-a100", {**NO_CUDA, **variable("NVIDIA_DRIVER_CAPABILITIES", "utility")}),
        (HALF, "docker-a100", NO_NVML),
        (HOST, "container-without-gpu", BARE_HOST),
        (POD, "docker-a100", KUBERNETES),
    ],
)
def test_text(rule: str, cast: str, changes: dict[str, Any], text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, machine(cast).but(changes))) == snapshot
