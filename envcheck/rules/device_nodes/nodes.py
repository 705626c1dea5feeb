"""May this process open the device nodes?  Missing, closed by their mode, by a cgroup or by a label."""

from __future__ import annotations

import re

from envcheck.facts import DeviceNode
from envcheck.judge import CannotTell, Case, NotApplicable, Problem, RuleType, Severity, question
from envcheck.rules.hardware.machine import asks_for_gpu, driven_cards, narrowed, require_own_driver, tell
from envcheck.rules.presence import pci_cards

from .access import (
    CgroupDeviceDenied,
    ContainerGpuLostAfterReload,
    ContainerNoCgroups,
    DeviceNodePermissionDenied,
    DeviceNodesMissing,
    SelinuxLabelDenied,
)

CONTROL = "/dev/nvidiactl"
UVM = "/dev/nvidia-uvm"
CARD = re.compile(r"/dev/nvidia\d+")
BLOCKED = 17  # NVML_ERROR_OPERATING_SYSTEM of nvml.h
SILENT = (0, 12, 18)
"""NVML codes at which absent nodes mean nothing: it works, it was never loaded, or another rule names the reason."""

FILTERED = (CgroupDeviceDenied, ContainerGpuLostAfterReload, ContainerNoCgroups)
RULES = (DeviceNodesMissing, DeviceNodePermissionDenied, *FILTERED, SelinuxLabelDenied)


@question("host", *RULES)
def may_this_process_open_the_nodes(case: Case) -> Problem | None:
    """EACCES on mode bits is the group's, EPERM despite them a cgroup's, EACCES despite them a label's."""
    require_own_driver(case)
    if not pci_cards(case):
        raise NotApplicable("no NVIDIA card on the PCI bus")
    if not case.known("/driver/module_loaded", bool):
        raise NotApplicable("the kernel module is not loaded: see the kernel_module rung")
    engine = case.known("/container/engine", str)
    nodes = {node.path: pointer for pointer, node in case.records("/devices/nodes", DeviceNode)}
    cards = [path for path in nodes if CARD.fullmatch(path)]
    if CONTROL not in nodes or not cards:
        return _missing(case, engine, nodes)
    closed = [path for path in (CONTROL, UVM, *cards) if path in nodes and _is_closed(case, nodes[path])]
    if closed:
        return _closed(case, nodes, cards, closed)
    try:
        return _refused(case, engine, nodes) or _given_none(case, engine)
    except CannotTell as why:
        raise narrowed(why, *FILTERED, SelinuxLabelDenied) from why


def _is_closed(case: Case, pointer: str) -> bool:
    return case.known(f"{pointer}/accessible", bool) is False


def _missing(case: Case, engine: str | None, nodes: dict[str, str]) -> Problem:
    if engine is not None:
        raise NotApplicable("what nodes a container has is judged by the container rules")
    code = case.known("/nvml/init_code", int)
    if code in SILENT:
        raise NotApplicable("nodes are made on demand, and NVML does not suffer from their absence")
    there = ", ".join(sorted(path for path in nodes if path.startswith("/dev/nvidia"))) or "none"
    return case.problem(
        DeviceNodesMissing,
        f"the kernel module is loaded and its device nodes are missing (there: {there})",
        cause="nothing made them: no setuid nvidia-modprobe, no nvidia-persistenced, and no udev rule",
        evidence=tell(case, "/devices/nodes", "/devices/char_majors", "/nvml/init_code", "/driver/module_loaded"),
        fix=DeviceNodesMissing.mend(case),
    )


def _closed(case: Case, nodes: dict[str, str], cards: list[str], closed: list[str]) -> Problem:
    """Some closed cards beside an open one are how shared machines share; then it is a remark."""
    shared = CONTROL not in closed and UVM not in closed and any(path not in closed for path in cards)
    severity: Severity | None = "note" if shared else None
    first = nodes[closed[0]]
    return case.problem(
        DeviceNodePermissionDenied,
        f"this user may not open {', '.join(closed)}",
        cause="the nodes' mode allows it to a group that this user is not in",
        evidence=tell(
            case,
            *(f"{nodes[path]}/accessible" for path in closed),
            f"{first}/mode",
            f"{first}/group",
            "/host/group_names",
            "/driver/device_file_mode",
        ),
        fix=DeviceNodePermissionDenied.mend(case),
        severity=severity,
    )


def _refused(case: Case, engine: str | None, nodes: dict[str, str]) -> Problem | None:
    """The mode bits allow it; did opening work?  Asked of the control nodes only: opening a card may wake it."""
    if case.known("/nvml/init_code", int) == BLOCKED:
        return _filtered(case, engine, "/nvml/init_code", "NVML says that the operating system blocks the GPU (17)")
    for path in (CONTROL, UVM):
        pointer = f"{nodes[path]}/open_errno" if path in nodes else ""
        errno = case.known(pointer, str) if pointer else None
        if errno == "EPERM":
            return _filtered(case, engine, pointer, f"opening {path} is not permitted, although its mode allows it")
        if errno == "EACCES":
            return case.problem(
                SelinuxLabelDenied,
                f"opening {path} is denied, although its mode allows it",
                cause="a security label (SELinux) forbids this process the GPU's nodes",
                evidence=tell(case, pointer, f"{nodes[path]}/accessible", "/host/selinux", "/nvml/init_code"),
                fix=SelinuxLabelDenied.mend(case),
            )
    return None


def _filtered(case: Case, engine: str | None, pointer: str, summary: str) -> Problem:
    rule: RuleType = CgroupDeviceDenied
    cause = "the device filter of its control group does not list the GPU's nodes"
    if engine is not None:
        rule = ContainerGpuLostAfterReload
        cause = (
            "the container's device rules do not, or no longer, allow the GPU's nodes: a daemon-reload or a change of "
            "the container drops rules that the runtime hook added"
        )
        if case.known("/container/runtime_config_no_cgroups", bool):
            rule, cause = ContainerNoCgroups, "no-cgroups = true: the runtime adds no device rules at all"
    return case.problem(
        rule,
        summary,
        cause=cause,
        evidence=tell(
            case, pointer, "/container/engine", "/container/scheduler", "/container/runtime_config_no_cgroups"
        ),
        fix=rule.mend(case),
    )


def _given_none(case: Case, engine: str | None) -> Problem | None:
    """A Slurm job without --gres: the control nodes open, and every card is filtered away."""
    if case.known("/container/scheduler", str) != "slurm" or engine is not None:
        return None
    if case.known("/nvml/init_code", int) != 0 or case.known("/nvml/device_count", int) != 0:
        return None
    granted = case.variable("SLURM_JOB_GPUS") or case.variable("SLURM_STEP_GPUS")
    if (granted is not None and granted[1].strip()) or not driven_cards(case):
        return None
    return case.problem(
        CgroupDeviceDenied,
        "this Slurm job was given no GPU, although the node has some",
        cause="it was started without --gres=gpu (or --gpus), so its control group hides every card",
        evidence=tell(case, "/container/scheduler", "/nvml/device_count", *([granted[0]] if granted else [])),
        fix=CgroupDeviceDenied.mend(case),
        severity="error" if asks_for_gpu(case) else "note",
    )
