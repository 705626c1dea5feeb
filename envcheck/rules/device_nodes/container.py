"""Was this container given a GPU?  Nodes, libraries and variables, told apart in that order."""

from __future__ import annotations

import re

from envcheck.facts import DeviceNode
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, RuleType, Severity, Step, question
from envcheck.rules.hardware.consequences import WITHOUT_MODULE
from envcheck.rules.hardware.machine import asks_for_gpu, require_linux, tell
from envcheck.rules.presence import pci_cards

FOLLOWS = WITHOUT_MODULE
VISIBLE, CAPABILITIES = "NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES"
LIBRARY_NOT_FOUND = 12  # nvmlReturn_t of nvml.h
CARD = re.compile(r"/dev/(?:nvidia\d+|dxg)")


class ContainerNoGpuRequested(Rule):
    """This container was started without a GPU, although the host has one and a driver for it.

    What it looks at
        The GPU's nodes and the driver's libraries inside the container, the host's module in /proc and /sys, and
        NVIDIA_VISIBLE_DEVICES.
    Why it matters
        A container gets a GPU only when it is asked for; the image and the host are both fine.
    How to mend it
        Start it with --gpus all, a CDI device, or a GPU limit in the pod's definition.
    Cannot tell when
        /dev could not be read, libcuda or NVML was not asked, or the host's driver is hidden.
    References
        NVIDIA Container Toolkit, Docker specialised configurations; Docker Compose, GPU support.
    """

    code, name, rung = "CON101", "container-no-gpu-requested", "device_nodes"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        engine = case.maybe(lambda: case.known("/container/engine", str))
        docker = Step(where="container_host", command="docker run --gpus all …")
        podman = Step(where="container_host", command="podman run --device nvidia.com/gpu=all …")
        pod = Step(
            where="container_host", command="resources: {limits: {nvidia.com/gpu: 1}}", note="in the pod's definition"
        )
        compose = Step(
            where="container_host",
            command="deploy: {resources: {reservations: {devices: "
            "[{driver: nvidia, count: all, capabilities: [gpu]}]}}}",
            note="in a compose file, for the service",
        )
        by_engine = {"docker": [docker, compose], "podman": [podman], "kubernetes": [pod]}
        steps = by_engine.get(engine, [docker, podman, pod]) if isinstance(engine, str) else [docker, podman, pod]
        return Fix(
            title="Start the container with a GPU",
            steps=steps,
            verify="docker run --rm --gpus all ubuntu nvidia-smi -L   # on the host",
        )


class ApptainerNvMissing(Rule):
    """This Apptainer container was started without --nv, so the host's driver libraries are not in it.

    What it looks at
        Whether libcuda and NVML can be loaded inside an Apptainer (Singularity) container on a host with a driver.
    Why it matters
        Apptainer shows the host's device nodes by itself, and the driver's libraries only with --nv.
    How to mend it
        Start it with --nv, on a node that has a GPU (a login node often has none).
    Cannot tell when
        libcuda or NVML was not asked.
    References
        Apptainer user guide, GPU support.
    """

    code, name, rung = "CON102", "apptainer-nv-missing", "device_nodes"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Start the container with --nv on a GPU node",
            steps=[
                Step(where="container_host", command="apptainer exec --nv <image>.sif …"),
                Step(where="container_host", command="export APPTAINER_NV=1", note="instead, for every start"),
            ],
            verify="ls /.singularity.d/libs/libcuda.so.1",
        )


class ContainerCapabilityMissing(Rule):
    """The container was given a GPU and only a part of the driver's libraries.

    What it looks at
        Which of libcuda and NVML can be loaded while the GPU's nodes are there, and NVIDIA_DRIVER_CAPABILITIES.
    Why it matters
        Without `compute` there is no CUDA, without `utility` no nvidia-smi; the other half works, which misleads.
    How to mend it
        Set NVIDIA_DRIVER_CAPABILITIES=compute,utility (more where video or graphics are needed), or leave it unset.
    Cannot tell when
        libcuda or NVML was not asked.
    References
        NVIDIA Container Toolkit, Docker specialised configurations, driver capabilities.
    """

    code, name, rung = "CON103", "container-capability-missing", "device_nodes"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Ask for both halves of the driver",
            steps=[
                Step(
                    where="container_host",
                    command=f"docker run --gpus all -e {CAPABILITIES}=compute,utility …",
                    note="or in the image: ENV; add video or graphics where needed",
                )
            ],
            verify="nvidia-smi && ldconfig -p | grep libcuda.so.1",
        )


class ContainerHostDriverMissing(Rule):
    """The host of this container has a card and no working NVIDIA driver.

    What it looks at
        Inside: a card on the PCI bus while no nvidia module is loaded on the host.  On the host: what
        nvidia-container-cli says.
    Why it matters
        The container runtime hands in the host's driver; it has none of its own.
    How to mend it
        Mend the host first (`envcheck doctor` there).  Docker Desktop for Linux runs in a virtual machine without the
        card: change the context.
    Cannot tell when
        The PCI bus or /sys/module is hidden from the container.
    References
        NVIDIA GPU Operator troubleshooting; NVIDIA/nvidia-docker issues 1711 and 1717.
    """

    code, name, rung = "CON104", "container-host-driver-missing", "device_nodes"
    explains = FOLLOWS

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Mend the driver of the host",
            steps=[
                Step(where="container_host", command="nvidia-smi", note="where it fails there too: envcheck doctor"),
                Step(
                    where="container_host",
                    command="docker context use default",
                    note="where docker runs in Docker Desktop's virtual machine",
                ),
            ],
            verify="nvidia-smi   # on the host",
        )


@question("host", ContainerNoGpuRequested, ApptainerNvMissing, ContainerCapabilityMissing, ContainerHostDriverMissing)
def was_this_container_given_a_gpu(case: Case) -> Problem | None:
    """Card nodes first, then the two libraries.  Without either the host says whether there was one to give."""
    require_linux(case)
    engine = case.known("/container/engine", str)
    if engine is None:
        raise NotApplicable("not inside a container")
    if case.known("/host/jetson", str) is not None:
        raise NotApplicable("containers on a Jetson get their GPU in another way")
    nodes = [pointer for pointer, node in case.records("/devices/nodes", DeviceNode) if CARD.fullmatch(node.path)]
    has_cuda = case.known("/cuda/library", str) is not None
    has_nvml = case.known("/nvml/init_code", int) != LIBRARY_NOT_FOUND
    if nodes and has_cuda and has_nvml:
        return None
    if nodes and has_cuda != has_nvml:
        return _half(case, nodes, has_cuda)
    loaded = _host_has_driver(case)
    if not loaded and not nodes:
        if not pci_cards(case):
            raise NotApplicable("the host shows neither an NVIDIA card nor a driver")
        return _problem(
            case,
            ContainerHostDriverMissing,
            "the host has an NVIDIA card and no NVIDIA driver loaded",
            "without a driver on the host there is nothing to hand to a container",
            ["/driver/module_loaded", *(f"{card}/address" for card in pci_cards(case))],
        )
    if engine == "apptainer" and not has_cuda:
        return _problem(
            case,
            ApptainerNvMissing,
            "the host's driver libraries are not in this Apptainer container",
            "it was started without --nv",
            ["/cuda/library", "/nvml/init_code", "/container/signs"],
        )
    return _not_requested(case, nodes)


def _host_has_driver(case: Case) -> bool:
    """The host's module, which shows through; on WSL there is none, and its door is a node."""
    if case.known("/host/wsl", int) is not None:
        return True
    return bool(case.known("/driver/module_loaded", bool))


def _half(case: Case, nodes: list[str], has_cuda: bool) -> Problem:
    there, missing, capability = ("libcuda", "NVML", "utility") if has_cuda else ("NVML", "libcuda", "compute")
    variables = case.maybe(lambda: case.variable(CAPABILITIES))
    named = [variables[0]] if isinstance(variables, tuple) else []
    return case.problem(
        ContainerCapabilityMissing,
        f"this container was given a GPU and {there}, and not {missing}",
        cause=f"its driver capabilities lack {capability!r}",
        evidence=tell(case, "/cuda/library", "/nvml/init_code", *named, "/container/injected_libraries"),
        fix=ContainerCapabilityMissing.mend(case),
    )


def _not_requested(case: Case, nodes: list[str]) -> Problem:
    asked = case.maybe(lambda: case.variable(VISIBLE))
    named = [asked[0]] if isinstance(asked, tuple) else []
    cause = "it was started without --gpus, a CDI device or a GPU limit"
    if isinstance(asked, tuple) and asked[1] in ("", "none", "void"):
        cause = f"{VISIBLE}={asked[1]!r} asks for none"
    elif nodes:
        cause = "device nodes were handed in one by one (or --privileged), and the driver's libraries were not"
    return _problem(
        case,
        ContainerNoGpuRequested,
        "this container was given no GPU, although its host has one",
        cause,
        [
            *named,
            *([f"{pointer}/path" for pointer in nodes] or ["/devices/nodes"]),
            "/cuda/library",
            "/nvml/init_code",
            "/driver/proc",
        ],
    )


def _problem(case: Case, rule: RuleType, summary: str, cause: str, evidence: list[str]) -> Problem:
    """An error where something asks for a GPU; a container for work on the processor is healthy without one."""
    severity: Severity = "error" if asks_for_gpu(case) else "note"
    return case.problem(
        rule, summary, cause=cause, evidence=tell(case, *evidence), fix=rule.mend(case), severity=severity
    )
