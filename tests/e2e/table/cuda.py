"""NVML as a library, libcuda, masks, the order of devices, and what the host does to its processes."""

from __future__ import annotations

from tests.e2e.rows import Row, quiet, server
from tests.fakes import (
    CUDA,
    Machine,
    cu_init,
    fabric_not_started,
    healthy_h100,
    mig,
    mig_without_instances,
    nvml_hang,
    server_files,
    smi_xml,
    stub_libcuda,
    unlike_pair,
    without_libcuda,
)
from tests.fakes.programs import answering

FUNCTION_NOT_FOUND = 13
GROUP = "sys/fs/cgroup/user.slice/job"
KILLED = {
    "proc/self/cgroup": "0::/user.slice/job\n",
    "proc/self/mountinfo": "22 1 259:2 / / rw - ext4 /dev/nvme0n1p2 rw\n"
    "30 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
    f"{GROUP}/memory.max": "1073741824\n",
    f"{GROUP}/memory.events": "low 0\nhigh 0\nmax 9\noom 3\noom_kill 3\n",
    f"{GROUP}/cpu.max": "max 100000\n",
}
PORTS = {
    "sys/class/infiniband/mlx5_0/ports/1/state": "4: ACTIVE\n",
    "sys/class/infiniband/mlx5_1/ports/1/state": "1: DOWN\n",
}
SMALL_MEMLOCK = ("/bin/sh", "-c", 'ulimit -l 64 && exec "$@"', "sh")


def closed_module_on_a_network() -> Machine:
    """The closed module offers no DMA-BUF, and nvidia_peermem is not loaded."""
    scenario = healthy_h100(2)
    machine = Machine(scenario, server_files(scenario, open_module=False)).put(PORTS)
    return quiet(machine.program("nvidia-smi", answering({"-q -x": smi_xml(scenario)})))


def mask(value: str, rule: str) -> Row:
    return Row(lambda: server(healthy_h100(2)), {rule: "error"}, variables={"CUDA_VISIBLE_DEVICES": value})


def init(code: int, rule: str) -> Row:
    return Row(lambda: server(cu_init(code)), {rule: "error"})


ROWS = {
    "no libnvidia-ml": Row(lambda: quiet(Machine(healthy_h100(2).only(CUDA))), {"nvml-library-missing": "error"}),
    "NVML older than its binding": Row(
        lambda: server(healthy_h100(2).fault("nvmlInit", code=FUNCTION_NOT_FOUND)),
        {"nvml-function-not-found": "warning"},
    ),
    "NVML never answers": Row(lambda: quiet(Machine(nvml_hang(deaf=True))), {"nvml-hang": "error"}, slow=True),
    "no libcuda": Row(lambda: server(without_libcuda()), {"no-driver-library": "error"}),
    "stub of libcuda": Row(lambda: server(stub_libcuda()), {"stub-libcuda-loaded": "error"}),
    "fabric not started": Row(lambda: server(fabric_not_started()), {"fabric-manager-not-running": "error"}),
    "cuInit 803": init(803, "cuda-driver-combination-mismatch"),
    "cuInit 804": init(804, "forward-compat-unsupported-hw"),
    "cuInit 805": init(805, "mps-daemon-problem"),
    "cuInit 999": init(999, "cuda-init-unknown-error"),
    "cuInit 999 without the node": Row(
        lambda: server(cu_init(999)).without("dev/nvidia-uvm"), {"uvm-node-missing": "error"}
    ),
    "cuInit 999 after a suspend": Row(
        lambda: server(cu_init(999)).put({"sys/power/suspend_stats/success": "3\n"}),
        {"suspend-resume-uvm-broken": "error"},
    ),
    "MIG without instances": Row(lambda: server(mig_without_instances()), {"mig-enabled-no-instances": "error"}),
    "mask -1": mask("-1", "cvd-empty"),
    "mask beyond the last card": mask("0,5,1", "cvd-index-out-of-range"),
    "mask of another host": mask("GPU-deadbeef", "cvd-bad-uuid"),
    "mask that repeats": mask("0,0", "cvd-duplicate"),
    "mask in the old MIG form": Row(
        lambda: server(mig()), {"cvd-mig-form": "error"}, variables={"CUDA_VISIBLE_DEVICES": "MIG-GPU-1234/1/0"}
    ),
    "unlike cards": Row(
        lambda: server(unlike_pair()).put({"sys/class/dmi/id/chassis_type": "3\n"}),
        {"cuda-device-order-mismatch": "warning", "gpu-older-than-torch-archs": "warning"},
    ),
    "killed for memory": Row(lambda: server(healthy_h100(2)).put(KILLED), {"host-oom-killed": "warning"}),
    "a port that is down": Row(
        lambda: server(healthy_h100(2)).put(PORTS),
        {"ib-link-down-or-flapping": "note", "memlock-limit-low": "warning"},
        command=SMALL_MEMLOCK,
    ),
    "a network without a way to the cards": Row(
        closed_module_on_a_network,
        {"gdr-module-missing": "warning", "memlock-limit-low": "warning"},
        command=SMALL_MEMLOCK,
    ),
}
