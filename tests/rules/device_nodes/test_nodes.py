"""May this process open the nodes?  Mode bits, cgroup and label give different errors, and each has its own cure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import Unread, Variable
from envcheck.judge import Policy, Verdict
from envcheck.testing import judge_one, machine, parts

MISSING, CLOSED, CGROUP = "device-nodes-missing", "device-node-permission-denied", "cgroup-device-denied"
LOST, NO_CGROUPS, LABEL = "container-gpu-lost-after-reload", "container-no-cgroups", "selinux-label-denied"
NODES, CODE = "/devices/nodes", "/nvml/init_code"
REFUSED = Unread("refused")


def nodes(*, control: str | None = None, uvm: str | None = None, **card: Any) -> dict[str, Any]:
    """The three nodes of one card; ``control`` and ``uvm`` are the errors that opening them gave."""
    return {
        NODES: [
            parts.node("/dev/nvidiactl", open_errno=control),
            parts.node("/dev/nvidia0", minor=0, open_errno=Unread("not_asked"), **card),
            parts.node("/dev/nvidia-uvm", open_errno=uvm),
        ]
    }


def closed(*paths: str, group: str = "video") -> dict[str, Any]:
    """Four nodes of which the named ones are closed by their mode."""
    facts = {"mode": 0o660, "group": group, "accessible": False}
    every = ("/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia0", "/dev/nvidia1")
    return {NODES: [parts.node(path, **(facts if path in paths else {})) for path in every]}


FAILING = {"/nvml": parts.no_nvml(999, "Unknown Error"), "/smi/gpus": []}
IN_DOCKER = {"/container/engine": "docker"}
NO_GRES = {
    "/nvml/device_count": 0,
    "/nvml/gpus": [],
    "/environment/variables": [Variable(name="SLURM_JOB_ID", value="17")],
}


@pytest.mark.parametrize(
    ("rule", "cast", "changes", "outcome"),
    [
        (MISSING, "nodes-missing", {}, "problem"),
        (MISSING, "nodes-missing", {NODES: [parts.node("/dev/nvidiactl")]}, "problem"),  # no node of a card
        (MISSING, "h100", {}, "ok"),
        (MISSING, "h100", {NODES: []}, "not_applicable"),  # made on demand: NVML answers
        (MISSING, "nodes-missing", {NODES: REFUSED}, "cannot_tell"),
        (MISSING, "nodes-missing", {CODE: Unread("timeout")}, "cannot_tell"),
        (MISSING, "nodes-missing", IN_DOCKER, "not_applicable"),  # the container rules answer
        (MISSING, "module-not-loaded", {}, "not_applicable"),
        (MISSING, "version-mismatch", {NODES: []}, "not_applicable"),
        (MISSING, "cpu-only", {}, "not_applicable"),
        (CLOSED, "node-permission", {}, "problem"),
        (CLOSED, "h100", closed("/dev/nvidia-uvm"), "problem"),  # nvidia-smi works then, CUDA does not
        (CLOSED, "h100", {}, "ok"),
        (
            CLOSED,
            "h100",
            {
                NODES: [
                    *machine("h100").snapshot.devices.nodes,
                    parts.node("/dev/nvidia-caps/nvidia-cap1", accessible=False),
                ]
            },
            "ok",
        ),  # type: ignore[union-attr,list-item]
        (CLOSED, "node-permission", {f"{NODES}/0/accessible": REFUSED}, "cannot_tell"),
        (CLOSED, "wsl2-rtx3080", {}, "not_applicable"),
        (CGROUP, "node-permission", {**nodes(control="EPERM"), **FAILING}, "problem"),
        (CGROUP, "h100", nodes(uvm="EPERM"), "problem"),  # only CUDA's node is filtered
        (CGROUP, "h100", {"/nvml": parts.no_nvml(17), **nodes()}, "problem"),
        (CGROUP, "slurm-h100", NO_GRES, "problem"),
        (CGROUP, "h100", {}, "ok"),
        (CGROUP, "slurm-h100", {}, "ok"),
        (CGROUP, "node-permission", {**nodes(control="EPERM"), **IN_DOCKER}, "ok"),  # a container rule's
        (CGROUP, "h100", {f"{NODES}/0/open_errno": Unread("crashed")}, "cannot_tell"),
        (CGROUP, "slurm-h100", {**NO_GRES, "/environment/variables": REFUSED}, "cannot_tell"),
        (CGROUP, "jetson-orin", {}, "not_applicable"),
        (LOST, "node-permission", {**nodes(control="EPERM"), **FAILING, **IN_DOCKER}, "problem"),
        (LOST, "docker-a100", {}, "ok"),
        (LOST, "node-permission", {**nodes(control="EPERM"), **FAILING}, "ok"),  # no container
        (LOST, "docker-a100", {f"{NODES}/0/open_errno": Unread("crashed")}, "cannot_tell"),
        (LOST, "macos-m2", {}, "not_applicable"),
        (
            NO_CGROUPS,
            "node-permission",
            {**nodes(control="EPERM"), **IN_DOCKER, "/container/runtime_config_no_cgroups": True},
            "problem",
        ),
        (
            NO_CGROUPS,
            "node-permission",
            {**nodes(control="EPERM"), **IN_DOCKER, "/container/runtime_config_no_cgroups": False},
            "ok",
        ),
        (NO_CGROUPS, "docker-a100", {"/container/runtime_config_no_cgroups": True}, "ok"),  # --privileged works
        (
            NO_CGROUPS,
            "node-permission",
            {**nodes(control="EPERM"), **IN_DOCKER, "/container/runtime_config_no_cgroups": REFUSED},
            "cannot_tell",
        ),
        (NO_CGROUPS, "windows-rtx4090", {}, "not_applicable"),
        (LABEL, "node-permission", {**nodes(control="EACCES"), "/container/engine": "podman"}, "problem"),
        (LABEL, "h100", {**nodes(control="EACCES"), "/host/selinux": "enforcing"}, "problem"),
        (LABEL, "h100", {"/host/selinux": "enforcing"}, "ok"),
        (LABEL, "node-permission", {}, "ok"),  # the mode bits explain it
        (LABEL, "h100", {f"{NODES}/0/open_errno": Unread("crashed")}, "cannot_tell"),
        (LABEL, "cpu-torch", {}, "not_applicable"),
    ],
)
def test_outcomes(rule: str, cast: str, changes: dict[str, Any], outcome: str) -> None:
    """Both sides of each rule, and both kinds of silence; failure-modes §19.3 tells the look-alikes apart."""
    assert judge_one(rule, machine(cast).but(changes)).outcome == outcome


def test_a_shared_machine_closes_the_cards_of_others() -> None:
    """Some closed cards beside an open one are a remark; all of them, or a control node, are an error."""
    assert judge_one(CLOSED, machine("h100").but(closed("/dev/nvidia1"))).severity == "note"
    assert judge_one(CLOSED, machine("h100").but(closed("/dev/nvidia0", "/dev/nvidia1"))).severity == "error"
    assert judge_one(CLOSED, machine("h100").but(closed("/dev/nvidiactl"))).severity == "error"


def test_nobody_is_told_to_join_group_root() -> None:
    """Nodes that belong to root were narrowed by a setting: that is to be undone."""
    own = judge_one(CLOSED, machine("h100").but(closed("/dev/nvidiactl", group="render"))).finding
    root = judge_one(CLOSED, machine("h100").but(closed("/dev/nvidiactl", group="root"))).finding
    assert own is not None and own.fix is not None and root is not None and root.fix is not None
    assert own.fix.steps[0].command == 'sudo usermod -aG render "$USER"'
    assert not any("usermod" in step.command for step in root.fix.steps)


def test_a_job_for_the_processor_needs_no_gpu() -> None:
    """Without a CUDA build nobody asked for one: a remark, unless the policy requires a GPU."""
    quiet = machine("slurm-h100").but({**NO_GRES, "/interpreters/0/torch/cuda": None})
    assert judge_one(CGROUP, machine("slurm-h100").but(NO_GRES)).severity == "error"
    assert judge_one(CGROUP, quiet).severity == "note"
    assert judge_one(CGROUP, quiet, Policy(require_gpu=True)).severity == "error"


@pytest.mark.parametrize(
    ("rule", "cast", "changes"),
    [
        (MISSING, "nodes-missing", {}),
        (CLOSED, "node-permission", {}),
        (CLOSED, "node-permission", IN_DOCKER),
        (CGROUP, "node-permission", {**nodes(control="EPERM"), **FAILING}),
        (CGROUP, "slurm-h100", NO_GRES),
        (LOST, "node-permission", {**nodes(control="EPERM"), **FAILING, **IN_DOCKER}),
        (
            NO_CGROUPS,
            "node-permission",
            {**nodes(control="EPERM"), **IN_DOCKER, "/container/runtime_config_no_cgroups": True},
        ),
        (LABEL, "node-permission", {**nodes(control="EACCES"), "/container/engine": "podman"}),
    ],
)
def test_text(rule: str, cast: str, changes: dict[str, Any], text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, machine(cast).but(changes))) == snapshot
