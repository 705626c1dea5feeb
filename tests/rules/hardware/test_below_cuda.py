"""The questions below CUDA together: each broken machine has one cause, and no verdict rests on what nobody saw."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

import envcheck.judge.case as case_module
from envcheck.facts import DriverLibrary, MigDevice, PciDevice, Snapshot, Unread, Variable, resolve
from envcheck.judge import Policy, Question, judge, try_all
from envcheck.rules import QUESTIONS, device_nodes, hardware, kernel_module, nvml
from envcheck.testing import CAST, blank, machine, parts

BELOW = tuple(
    question
    for room in (hardware, kernel_module, nvml, device_nodes)
    for question in room.QUESTIONS
    if question.rules[0].__module__.rsplit(".", 1)[-1] not in ("memory_health", "xid", "links")
)
"""All questions of these four rungs but those about the health of the card's memory and links."""

REQUIRED = Policy(require_gpu=True)
LIB = "/usr/lib/x86_64-linux-gnu"
GONE = Unread("missing", "asked of no card")
H100 = "NVIDIA H100 80GB HBM3"


class Broken(NamedTuple):
    """A machine of the cast with a change, and the rule that must be its first root cause."""

    cast: str
    changes: dict[str, Any]
    rule: str
    policy: Policy = Policy()


def library(soname: str, path: str, **changes: Any) -> DriverLibrary:
    facts = {"realpath": path, "version": None, "found_in": "ld cache", "stub": False, "compat": False}
    return DriverLibrary(soname=soname, path=path, **{**facts, **changes})


def log(*records: str) -> dict[str, Any]:
    return {"/driver/recovery_log": list(records)}


def filtered(errno: str) -> list[Any]:
    """The control nodes cannot be opened, although their mode allows it."""
    return [
        parts.node("/dev/nvidiactl", open_errno=errno),
        parts.node("/dev/nvidia0", minor=0),
        parts.node("/dev/nvidia-uvm", open_errno=errno),
    ]


OTHER_DISPLAY = PciDevice(address="0000:00:02.0", vendor=0x8086, device=0x9A60, class_code=0x030000, driver="i915")
NO_NVML = {"/nvml": parts.no_nvml(), "/smi/gpus": [], "/cuda": parts.no_libcuda()}
NO_DEVICE = {
    "/cuda/init_code": 100,
    "/cuda/init_name": "CUDA_ERROR_NO_DEVICE",
    "/cuda/device_count": GONE,
    "/cuda/devices": GONE,
}
FAILS = {
    "/interpreters/0/runtime/available": False,
    "/interpreters/0/runtime/device_count": 0,
    "/interpreters/0/runtime/devices": [],
    "/interpreters/0/runtime/init_error": "RuntimeError: No CUDA GPUs are available",
}
EMPTY_NVML = {
    "/nvml/device_count": 0,
    "/nvml/gpus": [],
    "/smi/gpus": [],
    "/smi/attached_gpus": 0,
    "/driver/gpus": [],
    **NO_DEVICE,
    **FAILS,
}
ONE_LEFT = {
    "/nvml/gpus": [parts.gpu(H100, 0)],
    "/nvml/device_count": 1,
    "/smi/gpus": [parts.gpu(H100, 0)],
    "/smi/attached_gpus": 1,
    "/driver/gpus": parts.driver([H100]).gpus,
    "/cuda/devices": parts.cuda([H100]).devices,
    "/cuda/device_count": 1,
}
PASCAL = {"/devices/pci/0/device": 0x1B06}
MODULE_595 = {
    "/driver/module_files/0/version": "595.45.04",
    "/driver/module_files/0/license": "NVIDIA",
    "/driver/libraries/0/version": "595.45.04",
    "/driver/libraries/1/version": "595.45.04",
}
LOADED_595 = {"/driver/sys_module": "595.45.04", "/driver/proc": "595.45.04", "/driver/open_module": False}
INSTANCE = MigDevice(uuid="MIG-1", profile="1g.10gb", gpu_instance=1, compute_instance=0)
MINORS = ["gpu0/gi1/access 12", "gpu0/gi1/ci0/access 13"]
UNKNOWN = {"/nvml": parts.no_nvml(999, "Unknown Error")}

BROKEN: dict[str, Broken] = {
    name: Broken(name, {}, rule)
    for name, rule in CAST.items()
    if rule is not None and any(rule == r.name for question in BELOW for r in question.rules)
} | {
    # -- is there a card?
    "cpu-only, required": Broken("cpu-only", {}, "gpu-absent-from-pci-bus", REQUIRED),
    "cpu-only, eight wanted": Broken("cpu-only", {}, "gpu-absent-from-pci-bus", Policy(gpus=8)),
    "macos, required": Broken("macos-m2", {}, "gpu-absent-from-pci-bus", REQUIRED),
    "container, required": Broken("cpu-torch", {"/container/engine": "docker"}, "gpu-absent-from-pci-bus", REQUIRED),
    "card gone, driver there": Broken(
        "module-not-loaded", {"/devices/pci": [], "/nvml": parts.no_nvml(9)}, "gpu-absent-from-pci-bus"
    ),
    "integrated mode": Broken(
        "module-not-loaded", {"/devices/pci": [OTHER_DISPLAY], "/host/chassis": 10}, "hybrid-gpu-powered-off"
    ),
    "does not wake": Broken(
        "rtx4090-desktop",
        {**EMPTY_NVML, "/devices/pci/0/power_state": "D3cold", "/host/chassis": 10},
        "hybrid-gpu-powered-off",
    ),
    "held by vfio": Broken("module-not-loaded", {"/devices/pci/0/driver": "vfio-pci"}, "gpu-bound-to-other-driver"),
    "held by nova": Broken("module-not-loaded", {"/devices/pci/0/driver": "nova_core"}, "gpu-bound-to-other-driver"),
    # -- is the right kernel module loaded?
    "blacklisted": Broken(
        "module-not-loaded",
        {"/driver/module_blacklists": ["/etc/modprobe.d/off.conf: blacklist nvidia"]},
        "kernel-module-not-loaded",
    ),
    "libraries alone": Broken("module-not-loaded", {"/driver/module_files": []}, "kernel-module-not-built"),
    "nouveau alone": Broken("driver-not-installed", {"/devices/pci/0/driver": "nouveau"}, "driver-not-installed"),
    "module not rebuilt": Broken(
        "version-mismatch", {"/driver/module_files/0/version": "575.64.03"}, "kernel-module-not-built"
    ),
    "only card dropped": Broken("module-not-loaded", {**PASCAL, **MODULE_595}, "driver-dropped-gpu-arch"),
    "only card before gsp": Broken("module-not-loaded", PASCAL, "open-module-unsupported-gpu"),
    "second card dropped": Broken(
        "h100",
        {"/devices/pci/1/device": 0x1B06, "/devices/pci/1/driver": None, **LOADED_595, **ONE_LEFT},
        "driver-dropped-gpu-arch",
    ),
    "second card before gsp": Broken(
        "h100",
        {"/devices/pci/1/device": 0x1DB1, "/devices/pci/1/driver": None, **ONE_LEFT},
        "open-module-unsupported-gpu",
    ),
    "blackwell, closed module": Broken(
        "rtx5090", {**EMPTY_NVML, "/driver/open_module": False}, "proprietary-module-on-new-gpu"
    ),
    # -- do library and module agree?
    "two drivers": Broken(
        "version-mismatch",
        {
            "/driver/libraries": [
                library("libnvidia-ml.so.1", f"{LIB}/libnvidia-ml.so.1", version="580.95.05"),
                library("libnvidia-ml.so.1", "/usr/lib/libnvidia-ml.so.1", version="575.64.03"),
            ]
        },
        "mixed-driver-install",
    ),
    "stale libraries handed in": Broken(
        "version-mismatch",
        {
            "/container/engine": "docker",
            "/container/injected_libraries": [f"{LIB}/libnvidia-ml.so.580.95.05", f"{LIB}/libcuda.so.580.95.05"],
        },
        "cdi-spec-stale",
    ),
    "libraries in the image": Broken(
        "version-mismatch", {"/container/engine": "docker"}, "driver-library-version-mismatch"
    ),
    # -- does the card answer?
    "refused at initialisation": Broken(
        "rtx4090-desktop",
        {**EMPTY_NVML, **log("[ 9.6] NVRM: GPU 0000:17:00.0: RmInitAdapter failed! (0x26:0xffff:1290)")},
        "gpu-init-failed",
    ),
    "gsp did not start": Broken(
        "rtx4090-desktop",
        {**EMPTY_NVML, **log("[ 903.6] NVRM: GPU 0000:17:00.0: RmInitAdapter failed! (0x62:0x65:1792)")},
        "gsp-firmware-failure",
    ),
    "gsp firmware missing": Broken(
        "rtx4090-desktop", {**EMPTY_NVML, "/driver/gsp_firmware": []}, "gsp-firmware-failure"
    ),
    "no memory region": Broken(
        "h100", {**ONE_LEFT, "/devices/pci/1/bar1_bytes": 0, "/devices/pci/1/driver": None}, "pcie-bar-unassigned"
    ),
    "power cable": Broken("h100", {"/nvml/gpus/1/error_code": 8, "/cuda/device_count": 1}, "gpu-aux-power-missing"),
    "needs a reset": Broken("h100", {"/nvml/gpus/1/error_code": 16, "/cuda/device_count": 1}, "nvml-reset-required"),
    "asks for a reset": Broken("h100", {"/nvml/gpus/1/recovery_action": "gpu_reset"}, "nvml-reset-required"),
    "unknown error, xid 79": Broken(
        "h100",
        {
            "/nvml/gpus/1/error_code": 999,
            "/cuda/device_count": 1,
            **log("[ 1.0] NVRM: Xid (PCI:0000:27:00): 79, GPU has fallen off the bus."),
        },
        "gpu-fallen-off-bus",
    ),
    # -- are all GPUs there?
    "two of eight": Broken("h100", {}, "gpu-count-below-expected", Policy(gpus=8)),
    "cuda leaves one out": Broken("h100", {"/cuda/device_count": 1}, "gpu-count-below-expected"),
    # -- does NVML answer?
    "nvml not installed": Broken(
        "h100", {"/nvml": parts.no_nvml(), "/driver/libraries": [], "/smi/gpus": []}, "nvml-library-missing"
    ),
    "hang after the start": Broken(
        "h100",
        {
            "/nvml/gpus": Unread("timeout"),
            "/nvml/waited_seconds": 60.0,
            "/nvml/process_state": "D",
            "/smi/gpus": Unread("timeout"),
        },
        "nvml-hang",
    ),
    # -- may this process open the nodes?
    "uvm node closed": Broken(
        "uvm-node-missing",
        {
            "/devices/nodes": [
                parts.node("/dev/nvidiactl"),
                parts.node("/dev/nvidia0", minor=0),
                parts.node("/dev/nvidia-uvm", mode=0o600, accessible=False, open_errno="EACCES"),
            ]
        },
        "device-node-permission-denied",
    ),
    "filtered by a unit": Broken(
        "node-permission", {"/devices/nodes": filtered("EPERM"), **UNKNOWN}, "cgroup-device-denied"
    ),
    "filtered by selinux": Broken(
        "node-permission",
        {"/devices/nodes": filtered("EACCES"), "/container/engine": "podman"},
        "selinux-label-denied",
    ),
    "slurm without gres": Broken(
        "slurm-h100",
        {**EMPTY_NVML, "/environment/variables": [Variable(name="SLURM_JOB_ID", value="17")]},
        "cgroup-device-denied",
    ),
    "container after a reload": Broken(
        "node-permission",
        {"/devices/nodes": filtered("EPERM"), **UNKNOWN, "/container/engine": "docker"},
        "container-gpu-lost-after-reload",
    ),
    "container without device rules": Broken(
        "node-permission",
        {
            "/devices/nodes": filtered("EPERM"),
            **UNKNOWN,
            "/container/engine": "docker",
            "/container/runtime_config_no_cgroups": True,
        },
        "container-no-cgroups",
    ),
    "mig nodes not handed in": Broken(
        "mig-a100",
        {**NO_DEVICE, **FAILS, "/nvml/gpus/0/mig_devices": [INSTANCE], "/devices/mig_minors": MINORS},
        "mig-caps-node-missing",
    ),
    # -- was this container given a GPU?
    "apptainer without --nv": Broken(
        "container-without-gpu",
        {
            "/container/engine": "apptainer",
            "/devices/nodes": [parts.node("/dev/nvidiactl"), parts.node("/dev/nvidia0")],
        },
        "apptainer-nv-missing",
    ),
    "container without compute": Broken(
        "docker-a100", {"/cuda": parts.no_libcuda(), **FAILS}, "container-capability-missing"
    ),
    "host without a driver": Broken(
        "container-without-gpu",
        {"/driver/module_loaded": False, "/driver/proc": None, "/driver/sys_module": None},
        "container-host-driver-missing",
    ),
    # -- does WSL hand the GPU through?
    "wsl 1": Broken(
        "wsl2-rtx3080", {**NO_NVML, **FAILS, "/host/wsl": 1, "/host/dxg": False}, "wsl1-not-wsl2", REQUIRED
    ),
    "wsl blocked": Broken(
        "wsl2-rtx3080",
        {"/nvml": parts.no_nvml(17, "GPU access blocked"), "/smi/gpus": [], **NO_DEVICE, **FAILS},
        "wsl-gpu-blocked",
    ),
    "wsl, no driver on windows": Broken(
        "wsl2-rtx3080", {**NO_NVML, **FAILS, "/driver/libraries": []}, "wsl-gpu-blocked", REQUIRED
    ),
    "wsl with a linux driver": Broken(
        "wsl2-rtx3080",
        {
            "/driver/libraries": [
                library("libcuda.so.1", f"{LIB}/libcuda.so.1", version="550.120"),
                library("libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1"),
            ],
            "/cuda": parts.cuda_fails(803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
            **FAILS,
        },
        "wsl-linux-driver-installed",
    ),
    "wsl without the folder": Broken(
        "wsl2-rtx3080",
        {
            **NO_NVML,
            **FAILS,
            "/driver/libraries": [
                library("libcuda.so.1", "/usr/lib/wsl/lib/libcuda.so.1", found_in="known folder"),
            ],
        },
        "wsl-libcuda-not-found",
    ),
}


def broken(name: str) -> tuple[Snapshot, Broken]:
    this = BROKEN[name]
    return machine(this.cast).but(this.changes).snapshot, this


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_machine_has_one_cause(name: str) -> None:
    """The rule that names what is broken is the first root cause; all else on these rungs is folded under it."""
    snapshot, this = broken(name)
    report = judge(snapshot, QUESTIONS, this.policy)
    ours = {rule.name for question in BELOW for rule in question.rules}
    errors = [finding.rule for finding in report.root_causes if finding.severity == "error"]
    assert errors[:1] == [this.rule]
    assert [rule for rule in dict.fromkeys(errors) if rule in ours] == [this.rule]
    assert report.verdict == "unfit"


@pytest.mark.parametrize("name", [name for name, rule in CAST.items() if rule is None])
def test_healthy_machines_get_no_complaint(name: str) -> None:
    """Remarks at most, also where the heuristic rules are asked."""
    report = judge(machine(name).snapshot, BELOW, Policy(pedantic=True))
    assert [finding.rule for finding in (*report.root_causes, *report.warnings)] == []


def reads(question: Question, snapshot: Snapshot, policy: Policy, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every pointer that the question looks at on this machine, and those above it."""
    seen: set[str] = set()

    def spy(snapshot: Snapshot, pointer: str) -> object:
        seen.add(pointer)
        return resolve(snapshot, pointer)

    with monkeypatch.context() as patch:
        patch.setattr(case_module, "resolve", spy)
        try_all(snapshot, (question,), policy)
    return {above for pointer in seen for above in _above(pointer)}


def _above(pointer: str) -> Iterator[str]:
    names = pointer.split("/")
    for length in range(2, len(names) + 1):
        yield "/".join(names[:length])


def can_be_unread(snapshot: Snapshot, pointer: str) -> bool:
    """Is there a known fact at the pointer?  Names, addresses and the items of lists cannot be unread."""
    above = pointer.rpartition("/")[0]
    if isinstance(resolve(snapshot, pointer), Unread) or (above and resolve(snapshot, above) is None):
        return False
    try:
        blank(snapshot, pointer)
    except Exception:  # the types have no room for Unread there
        return False
    return True


@pytest.mark.parametrize("name", BROKEN)
def test_no_verdict_rests_on_what_nobody_saw(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 1 on machines that the cast does not have: blanking what a question reads never turns ok into problem."""
    snapshot, this = broken(name)
    policy = Policy(pedantic=True, require_gpu=this.policy.require_gpu, gpus=this.policy.gpus)
    flips = []
    for question in BELOW:
        before = {(v.rule, v.subject): v.outcome for v in try_all(snapshot, (question,), policy)}
        assert "crashed" not in before.values()
        for pointer in sorted(reads(question, snapshot, policy, monkeypatch)):
            if not can_be_unread(snapshot, pointer):
                continue
            for verdict in try_all(blank(snapshot, pointer), (question,), policy):
                was = before.get((verdict.rule, verdict.subject), verdict.outcome)
                if {was, verdict.outcome} == {"ok", "problem"} or verdict.outcome == "crashed":
                    flips.append(f"{verdict.rule} on {verdict.subject}: {was} -> {verdict.outcome} without {pointer}")
    assert flips == []
