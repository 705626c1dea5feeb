"""Device nodes, permissions and containers."""

from __future__ import annotations

import errno

from tests.e2e.rows import Row, quiet, refused, server
from tests.fakes import Files, Machine, Scenario, container_files, healthy_h100, mig, smi_xml, without_libcuda
from tests.fakes.programs import answering
from tests.fakes.tree import without

MIB, GIB = 1 << 20, 1 << 30
NO_PERMISSION, MISMATCH, UNKNOWN_TO_SMI = 4, 18, 255  # exit codes of nvidia-smi
NODES = ("dev/nvidiactl", "dev/nvidia0", "dev/nvidia1", "dev/nvidia-uvm", "dev/nvidia-uvm-tools")
SHOWN_MODULE = ("proc/driver", "sys/module/nvidia", "sys/module/nvidia_uvm")


def unreachable(nvml: int, cuda: int) -> Scenario:
    return healthy_h100(2).fault("nvmlInit", code=nvml).fault("cuInit", code=cuda)


def closed(files: Files | None, number: int, nvml: int, smi: int, *, to: str = "open") -> Machine:
    """The control nodes are there with mode 0666, and the kernel refuses them."""
    machine = Machine(unreachable(nvml, 999 if number == errno.EPERM else 100), files)
    return refused(machine.refusing("dev/nvidiactl", number, to=to).refusing("dev/nvidia-uvm", number, to=to), smi)


def box(scenario: Scenario | None = None) -> Machine:
    """A Docker container that was given the host's cards, and 8 GiB of shared memory."""
    scenario = scenario or healthy_h100(2)
    machine = Machine(scenario, container_files(scenario)).program(
        "nvidia-smi", answering({"-q -x": smi_xml(scenario)})
    )
    return quiet(machine).sized("dev/shm", 8 * GIB)


def empty_box(*hidden: str) -> Machine:
    scenario = healthy_h100(2)
    files = without(container_files(scenario, gpus_given=False), *hidden)
    return quiet(Machine(scenario.only(), {**files, "dev/null": "", "sys/module/ext4/refcnt": "1\n"}))


def stale_box() -> Machine:
    scenario = unreachable(MISMATCH, 803)
    return refused(Machine(scenario, container_files(scenario)), MISMATCH)


def without_caps() -> Machine:
    return quiet(Machine(mig().fault("cuInit", code=100)).without("dev/nvidia-caps"))


def in_apptainer() -> Machine:
    scenario = healthy_h100(2)
    return quiet(Machine(scenario.only(), without(container_files(scenario), ".dockerenv")))


def half_a_box() -> Machine:
    scenario = without_libcuda()
    machine = Machine(scenario, container_files(scenario))
    return quiet(machine.program("nvidia-smi", answering({"-q -x": smi_xml(scenario)})))


BOX = container_files(healthy_h100(2))
NO_RULES = {"etc/nvidia-container-runtime/config.toml": "[nvidia-container-cli]\nno-cgroups = true\n"}

ROWS = {
    "no nodes": Row(
        lambda: refused(Machine(unreachable(999, 100)).without(*NODES), UNKNOWN_TO_SMI),
        {"device-nodes-missing": "error"},
    ),
    "closed by mode": Row(
        lambda: closed(None, errno.EACCES, 4, NO_PERMISSION, to="access"), {"device-node-permission-denied": "error"}
    ),
    "closed by a control group": Row(
        lambda: closed(None, errno.EPERM, 999, UNKNOWN_TO_SMI), {"cgroup-device-denied": "error"}
    ),
    "closed by a label": Row(lambda: closed(None, errno.EACCES, 4, NO_PERMISSION), {"selinux-label-denied": "error"}),
    "container after a reload": Row(
        lambda: closed(BOX, errno.EPERM, 999, UNKNOWN_TO_SMI), {"container-gpu-lost-after-reload": "error"}
    ),
    "container without rules": Row(
        lambda: closed({**BOX, **NO_RULES}, errno.EPERM, 999, UNKNOWN_TO_SMI), {"container-no-cgroups": "error"}
    ),
    "MIG instances without nodes": Row(
        without_caps, {"mig-caps-node-missing": "error 0"}, ("cuda-init-unknown-error",)
    ),
    "healthy container": Row(box, {}),
    "container without a GPU": Row(empty_box, {"container-no-gpu-requested": "error"}, ("no-driver-library",)),
    "container on a host without a driver": Row(
        lambda: empty_box(*SHOWN_MODULE), {"container-host-driver-missing": "error"}, ("no-driver-library",)
    ),
    "Apptainer without --nv": Row(
        in_apptainer,
        {"apptainer-nv-missing": "error"},
        ("no-driver-library",),
        variables={"APPTAINER_CONTAINER": "/images/torch.sif"},
    ),
    "container with half a driver": Row(half_a_box, {"container-capability-missing": "error"}, ("no-driver-library",)),
    "container of an upgraded host": Row(stale_box, {"cdi-spec-stale": "error"}, ("cuda-driver-combination-mismatch",)),
    "host with an old specification": Row(
        lambda: server(healthy_h100(2)).put({"etc/cdi/nvidia.yaml": "hostPath: /usr/lib/libcuda.so.550.54.15\n"}),
        {"cdi-spec-stale": "warning"},
    ),
    "pod that asked for nothing": Row(
        box,
        {"k8s-unrequested-gpu-visible": "warning"},
        arguments=("--pedantic",),
        variables={"NVIDIA_VISIBLE_DEVICES": "all", "KUBERNETES_SERVICE_HOST": "10.0.0.1"},
    ),
    "small shared memory": Row(lambda: box().sized("dev/shm", 64 * MIB), {"dev-shm-too-small": "note"}),
    "processes of the host": Row(
        lambda: box(healthy_h100(2).gpu(1, memory_used_bytes=30 * GIB)), {"container-pid-namespace": "note 1"}
    ),
}
