"""cuInit's codes lead to one cause each, and look-alikes are told apart by what stands around them."""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import DeviceNode, Unread, Variable
from envcheck.rules.cuda_driver.refusals import RULES
from envcheck.testing import Machine, judge_one, machine

NAMES = [rule.name for rule in RULES]
CODE = "/cuda/init_code"
LOST = Unread("missing", "cuInit failed")


def failing(cast: str, code: int, **more: Any) -> Machine:
    return machine(cast).but({CODE: code, "/cuda/devices": LOST, "/cuda/device_count": LOST, **more})


def guilty(machine: Machine) -> list[str]:
    return [name for name in NAMES if judge_one(name, machine).outcome == "problem"]


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        (34, "stub-libcuda-loaded"),
        (802, "fabric-manager-not-running"),
        (803, "cuda-driver-combination-mismatch"),
        (804, "forward-compat-unsupported-hw"),
        (805, "mps-daemon-problem"),
        (807, "mps-daemon-problem"),
        (808, "mps-daemon-problem"),
        (999, "cuda-init-unknown-error"),
        (304, "cuda-init-unknown-error"),
        (3, "cuda-init-unknown-error"),
        (100, "cuda-init-unknown-error"),
        (46, "cuda-init-unknown-error"),
        (12345, "cuda-init-unknown-error"),
        (0, None),
    ],
)
def test_each_code_on_a_machine_with_nothing_else_wrong(code: int, rule: str | None) -> None:
    """The specific codes name their cause; the vague ones end in the bucket."""
    assert guilty(failing("h100", code)) == ([rule] if rule else [])


def test_999_look_alikes() -> None:
    """Failure-modes §19.1: node, permission, suspend, and only then unknown."""
    nodes = [
        DeviceNode(path="/dev/nvidiactl", accessible=True, open_errno=None),
        DeviceNode(path="/dev/nvidia0", accessible=True),
    ]
    uvm = DeviceNode(path="/dev/nvidia-uvm", accessible=True, open_errno=None)
    filtered = DeviceNode(path="/dev/nvidia-uvm", accessible=True, open_errno="EPERM")
    assert guilty(failing("h100", 999, **{"/devices/nodes": nodes})) == ["uvm-node-missing"]
    assert guilty(failing("h100", 999, **{"/devices/nodes": [*nodes, filtered]})) == []
    slept = {"/devices/nodes": [*nodes, uvm], "/host/suspends": 2}
    assert guilty(failing("h100", 999, **slept)) == ["suspend-resume-uvm-broken"]
    assert guilty(failing("h100", 999, **{**slept, "/host/suspends": 0})) == ["cuda-init-unknown-error"]
    assert guilty(failing("h100", 999, **{**slept, "/host/suspends": None})) == ["cuda-init-unknown-error"]


def test_a_missing_uvm_node_means_nothing_on_wsl_and_jetson() -> None:
    """There is no UVM node there, and its absence is healthy."""
    for cast in ("wsl2-rtx3080", "jetson-orin"):
        assert "uvm-node-missing" not in guilty(failing(cast, 999))


def test_100_look_alikes() -> None:
    """Failure-modes §19.6: with cards there, the mask, then MIG without instances, then the nodes."""
    mask = [Variable(name="CUDA_VISIBLE_DEVICES", value="-1")]
    hidden = {"/environment/variables": mask, "/cuda/unmasked_count": 2, "/cuda/unmasked_init_code": 0}
    assert guilty(failing("h100", 100, **hidden)) == []
    unhelpful = {**hidden, "/cuda/unmasked_count": 0}
    assert guilty(failing("h100", 100, **unhelpful)) == ["cuda-init-unknown-error"]
    assert guilty(machine("mig-empty")) == ["mig-enabled-no-instances"]
    assert guilty(failing("mig-a100", 100)) == ["cuda-init-unknown-error"]
    assert guilty(failing("h100", 100, **{"/devices/nodes": []})) == []
    assert guilty(failing("h100", 100, **{"/nvml/init_code": 9})) == []


@pytest.mark.parametrize(
    ("changes", "possible"),
    [
        ({CODE: Unread("timeout")}, set(NAMES)),
        ({"/cuda/library": Unread("refused")}, set(NAMES)),
        ({CODE: 999, "/devices/nodes": Unread("refused")}, set(NAMES)),
        ({CODE: 999, "/host/suspends": Unread("missing")}, {"suspend-resume-uvm-broken", "cuda-init-unknown-error"}),
        ({CODE: 100, "/nvml/gpus/0/mig_mode": Unread("unsupported")}, set(NAMES)),
    ],
)
def test_a_missing_fact_leaves_open_what_it_would_have_settled(changes: dict[str, Any], possible: set[str]) -> None:
    """Cannot tell, and only for the causes that are still possible."""
    now = machine("h100").but({"/cuda/devices": LOST, "/cuda/device_count": LOST, **changes})
    open_ = {name for name in NAMES if judge_one(name, now).outcome == "cannot_tell"}
    assert open_ == possible


@pytest.mark.parametrize("cast", ["cpu-only", "driver-not-installed"])
def test_without_libcuda_there_is_nothing_to_initialise(cast: str) -> None:
    """The missing library is another question's business."""
    for name in NAMES:
        assert judge_one(name, machine(cast)).outcome == "not_applicable"


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_text_of_each_finding(rule: Any, snapshot: Any) -> None:
    """What a user reads: summary, cause, evidence and fix, whole."""
    cast = {
        "stub-libcuda-loaded": machine("stub-libcuda"),
        "fabric-manager-not-running": machine("cu-init-802"),
        "cuda-driver-combination-mismatch": machine("cu-init-803"),
        "forward-compat-unsupported-hw": machine("cu-init-804"),
        "uvm-node-missing": machine("uvm-node-missing"),
        "suspend-resume-uvm-broken": machine("suspend-999"),
        "mig-enabled-no-instances": machine("mig-empty"),
        "mps-daemon-problem": failing("h100", 805),
        "cuda-init-unknown-error": failing("h100", 999),
    }[rule.name]
    finding = judge_one(rule.name, cast).finding
    assert finding is not None
    assert (finding.summary, finding.cause, [e.pointer for e in finding.evidence], finding.fix) == snapshot
