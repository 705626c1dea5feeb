"""File systems of machines that are no server: without a card, Jetson, WSL2, a container."""

from __future__ import annotations

from .figures import MIB
from .scenario import Scenario
from .server import driver_files, host_files, pci_files
from .tree import File, Node, PciCard, without

WSL_KERNEL = "5.15.153.1-microsoft-standard-WSL2"
TEGRA_KERNEL = "5.15.148-tegra"


def bare_files() -> dict[str, Node]:
    """A desktop with Intel's graphics, no NVIDIA card and no NVIDIA driver."""
    card = PciCard(
        "0000:00:02.0", 0x3E92, vendor=0x8086, class_code=0x030000, driver="i915", bars=(16 * MIB,), wide_bar0=True
    )
    return {**host_files(), **card.files(), "proc/modules": "i915 4300800 12 - Live 0x0000000000000000\n"}


def jetson_files(scenario: Scenario) -> dict[str, Node]:
    """An Orin with JetPack 6: the GPU is on the SoC, so no PCI device stands for it; the bus has ports alone."""
    driver = {
        path: node
        for path, node in driver_files(scenario, kernel=TEGRA_KERNEL).items()
        if not path.startswith(("proc/driver/nvidia/gpus", "proc/driver/nvidia-caps", "var/lib/dkms", "dev/nvidia-uvm"))
    }
    version = scenario.get("driver_version")
    port = PciCard("0001:00:00.0", 0x229E, class_code=0x060400, driver="pcieport")
    return {
        **without(host_files(TEGRA_KERNEL), "sys/class/dmi", "sys/firmware"),
        **driver,
        **port.files(),
        "proc/sys/kernel/arch": "aarch64\n",
        "proc/driver/nvidia/version": f"NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  {version}\n",
        "proc/device-tree/model": b"NVIDIA Jetson AGX Orin Developer Kit\0",
        "proc/device-tree/compatible": b"nvidia,p3737-0000+p3701-0005\0nvidia,tegra234\0",
        "etc/nv_tegra_release": "# R36 (release), REVISION: 4.0, GCID: 37537400, BOARD: generic\n",
        "dev/nvhost-ctrl-gpu": File("", 0o660),
        "dev/nvmap": File("", 0o660),
    }


def wsl_files() -> dict[str, Node]:
    """WSL2: /dev/dxg, Microsoft's virtual display device, and nothing of NVIDIA's in /proc or /sys."""
    display = PciCard(
        "d0a1:00:00.0", 0x008E, vendor=0x1414, class_code=0x030200, subsystem=(0, 0), driver="dxgkrnl", numa_node=-1
    )
    return {
        **without(host_files(WSL_KERNEL), "sys/class/dmi", "sys/firmware", "lib/modules", "usr/src"),
        **display.files(),
        "proc/version": f"Linux version {WSL_KERNEL} (root@941d701f84f1) (gcc 11.2.0) #1 SMP\n",
        "dev/dxg": File("", 0o666),
        "usr/lib/wsl/lib/nvidia-smi": File("#!/bin/sh\nexit 9\n", 0o755),
        "etc/wsl.conf": "[boot]\nsystemd=true\n",
    }


def container_files(scenario: Scenario, *, gpus_given: bool = True) -> dict[str, Node]:
    """A Docker container on a server with the scenario's GPUs.

    /sys and /proc/driver/nvidia are the host's whether or not GPUs were given; the nodes of /dev and
    the mounts of driver libraries are there only with ``gpus_given``.
    """
    version = scenario.get("driver_version")
    mounts = ["1201 1102 0:61 / / rw,relatime - overlay overlay rw,lowerdir=/var/lib/docker/overlay2/l/ABC"]
    if gpus_given:
        mounts += [
            f"{1300 + number} 1201 259:2 /usr/lib/x86_64-linux-gnu/{library}.{version} "
            f"/usr/lib/x86_64-linux-gnu/{library}.{version} ro,nosuid,nodev - ext4 /dev/nvme0n1p2 rw"
            for number, library in enumerate(("libcuda.so", "libnvidia-ml.so"))
        ]
    driver = driver_files(scenario)
    hidden = ["lib", "etc/modprobe.d", "var/lib/dkms", "run/nvidia-persistenced", "usr/bin", "sys/firmware"]
    return {
        **without({**host_files(), **driver, **pci_files(scenario)}, *hidden, *([] if gpus_given else ["dev"])),
        ".dockerenv": "",
        "proc/self/cgroup": "0::/\n",
        "proc/1/cgroup": "0::/\n",
        "proc/self/mountinfo": "\n".join(mounts) + "\n",
    }
