"""Where two failure modes look alike: each decision rule of the catalogue (section 19), from both sides.

A side is a machine of the cast with a change, or a message as a user pastes it; the answer is the first root cause.
"""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import GpuProcess, Kernel, Unread, Variable
from envcheck.judge import Policy, Report, judge
from envcheck.read.paste import read_paste
from envcheck.rules import QUESTIONS
from envcheck.testing import Machine, machine, parts

H100 = "NVIDIA H100 80GB HBM3"
GPU, TORCH, RUNTIME = "/nvml/gpus/0", "/interpreters/0/torch", "/interpreters/0/runtime"
NODES = "/devices/nodes"
GIB = 1 << 30


def report(now: Machine) -> Report:
    return judge(now.snapshot, QUESTIONS, Policy(pedantic=True))


def answer(now: Machine) -> str | None:
    """The first root cause; ``None`` for a machine on which nothing above a note was found."""
    found = report(now)
    loud = [finding for finding in (*found.root_causes, *found.warnings) if finding.severity != "note"]
    return loud[0].rule if loud else None


def notes(now: Machine) -> set[str]:
    return {finding.rule for finding in report(now).notes}


def seen(name: str, text: str, **changes: Any) -> Machine:
    """A machine beside which this text was pasted."""
    symptoms = read_paste(text).symptoms
    assert symptoms, f"the table does not know: {text}"
    return machine(name).but({"/symptoms": symptoms, **changes})


def refused(name: str, errno: str) -> Machine:
    """The control nodes are there with mode 0666 and do not open."""
    nodes = parts.devices([H100]).nodes
    assert isinstance(nodes, list)
    closed = [parts.node(n.path, major=n.major, minor=n.minor, open_errno=errno) for n in nodes]
    code = 999 if errno == "EPERM" else 4
    cuda = parts.cuda_fails(999 if errno == "EPERM" else 100, "CUDA_ERROR_UNKNOWN")
    return machine(name).but({NODES: closed, "/nvml": parts.no_nvml(code, "Unknown Error"), "/cuda": cuda})


def test_1_cuda_unknown_error() -> None:
    """§19.1: the UVM node, then a refusal, then a suspend, then a fork; the mask, which the text blames, comes last."""
    assert answer(machine("uvm-node-missing")) == "uvm-node-missing"
    assert answer(refused("h100", "EPERM")) == "cgroup-device-denied"
    assert answer(machine("suspend-999")) == "suspend-resume-uvm-broken"
    assert answer(machine("suspend-999").but({"/host/suspends": 0})) == "cuda-init-unknown-error"
    fork = "RuntimeError: Cannot re-initialize CUDA in forked subprocess. To use CUDA with multiprocessing, you"
    assert answer(seen("h100", fork)) == "fork-after-cuda-init"


def test_2_nvml_unknown_error() -> None:
    """§19.2: in a container the device rules are gone; on a host a card is lost, by its code or by the log."""
    assert answer(refused("docker-a100", "EPERM")) == "container-gpu-lost-after-reload"
    assert answer(machine("gpu-lost")) == "gpu-fallen-off-bus"
    log = ["[9.1] NVRM: Xid (PCI:0000:17:00): 79, pid=1, GPU has fallen off the bus."]
    unknown = {f"{GPU}/error_code": 999, f"{GPU}/error_text": "Unknown Error"}
    assert answer(machine("h100").but({**unknown, "/driver/recovery_log": log})) == "gpu-fallen-off-bus"
    assert answer(machine("h100").but({**unknown, "/driver/recovery_log": []})) == "gpu-init-failed"


def test_3_insufficient_permissions() -> None:
    """§19.3: closed by mode is the group's; EPERM despite the mode a control group's; EACCES despite it a label's."""
    assert answer(machine("node-permission")) == "device-node-permission-denied"
    assert answer(refused("h100", "EPERM")) == "cgroup-device-denied"
    assert answer(refused("h100", "EACCES")) == "selinux-label-denied"


def test_4_wheel_or_driver() -> None:
    """§19.4: a CPU build never involves the driver, a missing driver never the wheel; majors decide what is too old."""
    assert answer(machine("cpu-build-on-gpu-box")) == "torch-cpu-only-build"
    assert answer(machine("driver-not-installed")) == "driver-not-installed"
    assert answer(machine("driver-too-old")) == "driver-too-old-for-torch"
    assert answer(machine("h100-driver-535-cu126")) is None, "CUDA 12.6 on a driver of 12.2 works"


def test_5_no_kernel_image() -> None:
    """§19.5: torch's own kernel fails, then it is its list; it passes, then an extension's; ptxas names Triton."""
    text = "RuntimeError: CUDA error: no kernel image is available for execution on the device"
    assert answer(machine("gpu-newer-than-build")) == "gpu-newer-than-torch-archs"
    assert answer(machine("gpu-older-than-build")) == "gpu-older-than-torch-archs"
    assert answer(seen("h100", text)) == "extension-missing-kernel-image"
    ptxas = "ptxas fatal   : Value 'sm_121a' is not defined for option 'gpu-name'"
    assert answer(seen("h100", ptxas)) == "triton-ptxas-unsupported-arch"


def test_6_codes_of_cuinit() -> None:
    """§19.6: 802 fabric, 803 version mix, 804 compat; 100 with cards: mask, MIG without instances, nodes."""
    assert answer(machine("cu-init-802")) == "fabric-manager-not-running"
    assert answer(machine("cu-init-803")) == "cuda-driver-combination-mismatch"
    assert answer(machine("cu-init-804")) == "forward-compat-unsupported-hw"
    assert answer(machine("masked")) == "cvd-empty"
    assert answer(machine("mig-empty")) == "mig-enabled-no-instances"
    assert answer(machine("nodes-missing")) == "device-nodes-missing"


def test_7_links_and_caps() -> None:
    """§19.7: a low generation at idle and a narrow slot are remarks; busy, below slot and equal card, a fault."""
    busy = {f"{GPU}/clock_reasons": [], f"{GPU}/performance_state": 0}
    slow = {f"{GPU}/pcie_generation": 1}
    assert answer(machine("h100").but(slow)) is None
    assert "pcie-link-idle-downshift" in notes(machine("h100").but(slow))
    assert answer(machine("h100").but({**slow, **busy})) == "pcie-link-degraded"
    narrow = {f"{GPU}/pcie_width": 8}
    wired = machine("h100").but({**narrow, **busy, "/devices/pci/0/port_width_max": 8})
    assert (answer(wired), "pcie-link-degraded" in notes(wired)) == (None, True)
    assert answer(machine("h100").but({**narrow, **busy})) == "pcie-link-degraded"
    capped = {f"{GPU}/clock_reasons": ["sw_power_cap"]}
    assert answer(machine("h100").but(capped)) is None
    assert answer(machine("h100").but({**capped, f"{GPU}/power_limit_w": 400.0})) == "power-cap-lowered"


def test_8_out_of_memory() -> None:
    """§19.8: others hold it; the program's own; nobody's on a host; hidden in a container; cuDNN's disguise of it."""
    full = {f"{GPU}/memory_used_bytes": 78 * GIB}
    other = GpuProcess(pid=7, name="python", memory_bytes=77 * GIB, own=False)
    assert answer(machine("h100").but({**full, f"{GPU}/processes": [other]})) == "gpu-memory-held-by-others"
    assert answer(machine("h100").but({**full, f"{GPU}/processes": []})) == "gpu-memory-orphaned"
    inside = machine("docker-a100").but({**full, f"{GPU}/processes": []})
    assert (answer(inside), "container-pid-namespace" in notes(inside)) == (None, True)
    own = "If reserved but unallocated memory is large try setting PYTORCH_CUDA_ALLOC_CONF=expandable_segments:True"
    assert answer(seen("docker-a100", own)) == "oom-own-process"
    assert answer(seen("h100", "RuntimeError: cuDNN error: CUDNN_STATUS_NOT_INITIALIZED")) == "cudnn-not-initialized"


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("ImportError: libcusparse.so.12: undefined symbol: __nvJitLinkComplete_12_4", "nvjitlink-symbol-missing"),
        ("ImportError: libtorch_cuda.so: undefined symbol: ncclCommShrink", "nccl-wheel-mismatch"),
        ("ImportError: /lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found", "glibcxx-too-old"),
    ],
)
def test_9_undefined_symbol(words: str, rule: str) -> None:
    """§19.9: NVIDIA's names are a matter of paths and pins, GLIBCXX of the C++ runtime, c10 of an extension's build."""
    lost = Unread("missing", "torch could not be imported")
    failed = {f"{RUNTIME}/imported": False, f"{RUNTIME}/import_error": words}
    unknown = {f"{RUNTIME}/{name}": lost for name in ("available", "devices", "cuda", "init_error")}
    assert answer(machine("h100").but({**failed, **unknown})) == rule
    assert answer(seen("h100", "ImportError: flash_attn_2_cuda.so: undefined symbol: _ZN3c105ErrorC2E")) == (
        "cxx11-abi-extension"
    )


def test_10_data_loader_worker_killed() -> None:
    """§19.10: a bus error is a small /dev/shm, judged by its size; Killed is the host's memory."""
    bus = "RuntimeError: DataLoader worker (pid 123) is killed by signal: Bus error. It is possible that dataloader's"
    small = {"/host/shm_total_bytes": 64 << 20}
    assert answer(seen("docker-a100", bus, **small)) == "dev-shm-too-small"
    assert not [f for f in report(machine("docker-a100").but(small)).root_causes if f.rule == "dev-shm-too-small"]
    killed = "RuntimeError: DataLoader worker (pid 123) is killed by signal: Killed."
    limit = {"/host/memory_limit_bytes": GIB, "/host/oom_kills": 1}
    assert answer(seen("docker-a100", killed, **limit)) == "host-oom-killed"


def test_11_terminal_or_notebook() -> None:
    """§19.11: the kernelspec first, then its variables; a kernel of the same environment is no suspect."""
    python = "/home/student/.venv/bin/python"
    kernel = {"name": "d2l", "path": "/k/d2l", "language": "python", "argv": [python], "has_ipykernel": True}

    def with_kernel(interpreter: str, variables: list[str]) -> Machine:
        one = Kernel(**kernel, interpreter=interpreter, variables=variables)
        bare = parts.python(None, None, executable="/opt/bare/bin/python", prefix="/opt/bare", manager="venv")
        mine = machine("h100").snapshot.interpreters
        assert isinstance(mine, list)
        return machine("h100").but({"/jupyter/kernels": [one], "/interpreters": [*mine, bare]})

    assert answer(with_kernel(python, [])) is None
    assert answer(with_kernel("/opt/bare/bin/python", [])) == "jupyter-kernel-other-env"
    assert answer(with_kernel(python, ["CUDA_VISIBLE_DEVICES="])) == "jupyter-env-vars-missing"


def test_12_host_or_container() -> None:
    """§19.12: were libraries handed in, then nodes, then both halves of the driver; outside it is the host's."""
    assert answer(machine("docker-a100")) is None
    assert answer(machine("container-without-gpu")) == "container-no-gpu-requested"
    half = {"/cuda": parts.no_libcuda()}
    assert answer(machine("docker-a100").but(half)) == "container-capability-missing"
    assert answer(machine("h100").but(half)) == "no-driver-library"


def test_13_no_module_named_torch() -> None:
    """§19.13: in an install log, build isolation; elsewhere another environment has it, or none does."""
    log = (
        "Getting requirements to build wheel did not run successfully.\n"
        "      ModuleNotFoundError: No module named 'torch'\n"
    )
    assert answer(seen("h100", log)) == "build-isolation-no-torch"
    assert answer(machine("torch-missing-on-gpu-box")) == "torch-not-installed"
    mine = machine("torch-missing-on-gpu-box").snapshot.interpreters
    assert isinstance(mine, list)
    other = parts.python(parts.torch_files(), None, executable="/opt/dl/bin/python", prefix="/opt/dl")
    assert answer(machine("torch-missing-on-gpu-box").but({"/interpreters": [*mine, other]})) == "wrong-interpreter"


def test_14_import_dies_by_a_signal() -> None:
    """§19.14: sizes against RECORD first; with whole files SIGILL is the processor, SIGSEGV a foreign library."""
    assert answer(machine("torch-damaged")) == "torch-library-damaged"
    whole = {f"{TORCH}/damaged": []}
    assert answer(machine("torch-damaged").but({**whole, f"{RUNTIME}/signal": 4})) == "import-crash-cpu-isa"
    assert answer(machine("torch-damaged").but({**whole, f"{RUNTIME}/signal": 11})) == "torch-import-fails"
    preload = [Variable(name="LD_PRELOAD", value="/opt/libcuda_hook.so")]
    hooked = machine("torch-damaged").but({**whole, f"{RUNTIME}/signal": 11, "/environment/variables": preload})
    assert "ld-preload-set" in {f.rule for f in (*report(hooked).root_causes, *report(hooked).warnings)}
