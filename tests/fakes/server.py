"""The file system of a healthy Linux server with the GPUs of a scenario."""

from __future__ import annotations

from .boards import H100_SWITCHES
from .figures import MIB
from .scenario import Scenario
from .tree import File, Files, Folder, Link, Node, PciCard, kernel_module

KERNEL = "6.8.0-51-generic"
GTS = {1: "2.5 GT/s PCIe", 2: "5.0 GT/s PCIe", 3: "8.0 GT/s PCIe", 4: "16.0 GT/s PCIe", 5: "32.0 GT/s PCIe"}


def card_of(scenario: Scenario, index: int) -> PciCard:
    """The PCI function of a scenario's GPU, bound to nvidia."""

    def number(key: str, otherwise: int = 0) -> int:
        return scenario.number(f"gpu.{index}.{key}", otherwise)

    bar1 = number("bar1_total_bytes")
    hopper = number("architecture") == 9
    displays = number("brand") == 5
    # Hopper's BAR0 is a 64-bit one and takes two lines, so its BAR1 stands in the third.  The driver
    # numbers its BARs by the regions that are assigned (open-gpu-kernel-modules, nv-pci.c).
    bars = (16 * MIB, 0, bar1, 0, 32 * MIB) if hopper else (16 * MIB, bar1, 0, 32 * MIB)
    link = number("pcie_generation_card_max", 4)
    return PciCard(
        address=scenario.get(f"gpu.{index}.bus_id"),
        device=number("pci_device_id"),
        class_code=0x030000 if displays else 0x030200,
        subsystem=(number("pci_subsystem_id") & 0xFFFF, number("pci_subsystem_id") >> 16),
        speed=GTS[number("pcie_generation", link)],
        speed_max=GTS[link],
        width=number("pcie_width", 16),
        width_max=number("pcie_width_max", 16),
        port_speed_max=GTS[number("pcie_generation_max", link)],
        bars=bars,
        wide_bar0=hopper,
        iommu_group=20 + index,
    )


def pci_files(scenario: Scenario) -> dict[str, Node]:
    """``/sys/bus/pci`` with every GPU of the scenario that has an address, and its NVSwitches."""
    cards = [card_of(scenario, index) for index in range(scenario.gpus) if scenario.get(f"gpu.{index}.bus_id")]
    if any(card.device == 0x2330 for card in cards):
        cards += [
            PciCard(address, 0x22A3, class_code=0x068000, driver="nvidia-nvswitch", bars=(32 * MIB,), wide_bar0=True)
            for address in H100_SWITCHES
        ]
    return {path: node for card in cards for path, node in card.files().items()}


def host_files(kernel: str = KERNEL) -> dict[str, Node]:
    """The parts of a server that have nothing to do with NVIDIA: Ubuntu 24.04, bare metal, Secure Boot off."""
    return {
        "etc/os-release": 'PRETTY_NAME="Ubuntu 24.04.1 LTS"\nNAME="Ubuntu"\nVERSION_ID="24.04"\nID=ubuntu\n'
        "ID_LIKE=debian\n",
        "proc/version": f"Linux version {kernel} (buildd@lcy02-amd64-059) (gcc-13) #52-Ubuntu SMP PREEMPT_DYNAMIC\n",
        "proc/cmdline": f"BOOT_IMAGE=/boot/vmlinuz-{kernel} root=UUID=4d1f7c2a ro quiet\n",
        "proc/sys/kernel/osrelease": f"{kernel}\n",
        "proc/sys/kernel/ostype": "Linux\n",
        "proc/sys/kernel/dmesg_restrict": "1\n",
        "proc/stat": "cpu  1 2 3 4 5 6 7 0 0 0\nbtime 1764000000\nprocesses 4242\n",
        "proc/meminfo": "MemTotal:       1056482304 kB\nMemFree:        998244352 kB\nMemAvailable:   1012334592 kB\n",
        "proc/cpuinfo": "processor\t: 0\nmodel name\t: Intel(R) Xeon(R) Platinum 8480+\n"
        "flags\t\t: sse4_2 avx avx2 avx512f\n",
        "proc/self/cgroup": "0::/user.slice/user-1000.slice/session-1.scope\n",
        "proc/1/cgroup": "0::/init.scope\n",
        "proc/self/mountinfo": "22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n",
        "sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids rdma misc\n",
        "sys/class/dmi/id/product_name": "PowerEdge XE9680\n",
        "sys/class/dmi/id/sys_vendor": "Dell Inc.\n",
        "sys/class/dmi/id/chassis_type": "23\n",
        "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c": b"\x06\x00\x00\x00\x00",
        "sys/power/suspend_stats/success": "0\n",
        "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
        f"lib/modules/{kernel}/build": Link(f"usr/src/linux-headers-{kernel}"),
        f"usr/src/linux-headers-{kernel}": Folder(),
        "etc/ld.so.conf.d/x86_64-linux-gnu.conf": "/usr/lib/x86_64-linux-gnu\n",
    }


def driver_files(
    scenario: Scenario, *, loaded: str | None = None, kernel: str = KERNEL, open_module: bool = True
) -> dict[str, Node]:
    """The kernel's side of the NVIDIA driver.

    ``loaded`` is the version of the loaded module where it differs from the libraries', as after an
    upgrade without a reboot.  ``open_module`` chooses the open flavour.
    """
    version = loaded or scenario.get("driver_version")
    licence = "Dual MIT/GPL" if open_module else "NVIDIA"
    banner = "NVIDIA UNIX Open Kernel Module for x86_64" if open_module else "NVIDIA UNIX x86_64 Kernel Module"
    built = f"lib/modules/{kernel}/updates/dkms"
    on_disk = scenario.get("driver_version")  # an upgrade has already replaced the file
    files: dict[str, Node] = {
        "proc/driver/nvidia/version": f"NVRM version: {banner}  {version}  Release Build  (dvs-builder@U22-I3)\n"
        "GCC version:  gcc version 13.3.0 (Ubuntu 13.3.0-6ubuntu2~24.04)\n",
        "proc/driver/nvidia/params": "ModifyDeviceFiles: 1\nDeviceFileUID: 0\nDeviceFileGID: 0\nDeviceFileMode: 438\n"
        'EnableGpuFirmware: 18\nRegistryDwords: ""\nExcludedGpus: ""\n',
        "proc/driver/nvidia-caps/mig-minors": _mig_minors(scenario.gpus),
        "proc/devices": "Character devices:\n  1 mem\n195 nvidia\n195 nvidiactl\n234 nvidia-caps\n509 nvidia-uvm\n"
        "\nBlock devices:\n259 blkext\n",
        "proc/modules": "nvidia_uvm 4956160 0 - Live 0x0000000000000000 (OE)\n"
        "nvidia_drm 122880 0 - Live 0x0000000000000000 (OE)\n"
        "nvidia_modeset 1355776 1 nvidia_drm, Live 0x0000000000000000 (OE)\n"
        "nvidia 14381056 30 nvidia_uvm,nvidia_modeset, Live 0x0000000000000000 (OE)\n",
        f"{built}/nvidia.ko": kernel_module(on_disk, licence, kernel),
        f"{built}/nvidia-uvm.ko": kernel_module(on_disk, licence, kernel),
        f"var/lib/dkms/nvidia/{on_disk}/source": Folder(),
        f"lib/firmware/nvidia/{version}/gsp_ga10x.bin": b"\0" * 64,
        f"lib/firmware/nvidia/{version}/gsp_tu10x.bin": b"\0" * 64,
        "etc/modprobe.d/nvidia-graphics-drivers-kms.conf": "blacklist nouveau\noptions nouveau modeset=0\n",
        "run/nvidia-persistenced/socket": "",
    }
    for module in ("nvidia", "nvidia_uvm", "nvidia_modeset", "nvidia_drm"):
        files[f"sys/module/{module}/version"] = f"{version}\n"
        files[f"sys/module/{module}/refcnt"] = "0\n"
    for name in ("nvidiactl", "nvidia-modeset", "nvidia-uvm", "nvidia-uvm-tools"):
        files[f"dev/{name}"] = File("", 0o666)
    for cap in (1, 2):  # MIG configuration and monitoring: for root only, on every machine
        files[f"dev/nvidia-caps/nvidia-cap{cap}"] = File("", 0o400)
    if scenario.get("gpu.0.fabric.state"):
        files["usr/bin/nv-fabricmanager"] = File("#!/bin/sh\n", 0o755)
    for index in range(scenario.gpus):
        address, minor = scenario.get(f"gpu.{index}.bus_id"), scenario.get(f"gpu.{index}.minor", str(index))
        files[f"dev/nvidia{minor}"] = File("", 0o666)
        for slot in range(8):
            if instance := scenario.get(f"gpu.{index}.mig.{slot}.gpu_instance"):
                number = _mig_minor(index, int(instance))
                files[f"dev/nvidia-caps/nvidia-cap{number}"] = File("", 0o444)
                files[f"dev/nvidia-caps/nvidia-cap{number + 1}"] = File("", 0o444)
                here = f"proc/driver/nvidia/capabilities/gpu{index}/mig/gi{instance}"
                files |= {f"{here}/access": _access(number), f"{here}/ci0/access": _access(number + 1)}
        if address:
            files[f"proc/driver/nvidia/gpus/{address}/information"] = _information(scenario, index, address, minor)
    return files


def _mig_minor(gpu: int, instance: int) -> int:
    """Minor of a GPU instance's node: a block of nine for each (itself and eight compute instances)."""
    return 3 + gpu * 135 + instance * 9


def _access(minor: int) -> str:
    """What nvidia-modprobe -f reads: the minor of the node, and its mode in decimal."""
    return f"DeviceFileMinor: {minor}\nDeviceFileMode: 292\nDeviceFileModify: 1\n"


def _mig_minors(gpus: int) -> str:
    """The list has every instance that could be, whether it is there or not."""
    lines = ["config 1", "monitor 2"]
    for gpu in range(gpus):
        for instance in range(15):
            number = _mig_minor(gpu, instance)
            lines.append(f"gpu{gpu}/gi{instance}/access {number}")
            lines += [f"gpu{gpu}/gi{instance}/ci{part}/access {number + 1 + part}" for part in range(8)]
    return "\n".join(lines) + "\n"


def _information(scenario: Scenario, index: int, address: str, minor: str) -> str:
    """Layout of nv-procfs.c."""
    name, uuid, vbios = (scenario.get(f"gpu.{index}.{key}", "??") for key in ("name", "uuid", "vbios"))
    firmware = scenario.get(f"gpu.{index}.gsp_firmware", "N/A")
    return (
        f"Model: \t\t {name}\nIRQ:   \t\t {100 + index}\nGPU UUID: \t {uuid}\nVideo BIOS: \t {vbios}\n"
        f"Bus Type: \t PCIe\nDMA Size: \t 52 bits\nDMA Mask: \t 0xfffffffffffff\nBus Location: \t {address}\n"
        f"Device Minor: \t {minor}\nGPU Firmware: \t {firmware}\nGPU Excluded:\t No\n"
    )


def server_files(scenario: Scenario, *, loaded: str | None = None, open_module: bool = True) -> Files:
    """Everything of a healthy server with the GPUs of ``scenario``."""
    return {**host_files(), **driver_files(scenario, loaded=loaded, open_module=open_module), **pci_files(scenario)}
