"""A pretended file system has what a real one has, where it has it, and each part can be changed."""

from __future__ import annotations

import os
import stat
import struct
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from .child import ask
from .machine import Deployed, Machine
from .places import bare_files, container_files, jetson_files, wsl_files
from .scenario import Scenario
from .scenarios import gtx_1080_ti, healthy_h100, hgx_h100, jetson, mig, t4, v100, version_mismatch
from .server import KERNEL, card_of, server_files
from .tree import NARROW, WIDE, kernel_module, write_tree

Deploy = Callable[[Machine | Scenario], Deployed]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="PCI addresses are no file names on Windows")


def read(root: Path, path: str) -> str:
    return (root / path).read_text(encoding="utf-8").strip()


def test_the_bus_has_every_card_with_its_link(deploy: Deploy) -> None:
    """Two H100 and four NVSwitches, each a link into sys/devices behind its port, bound to its driver."""
    root = deploy(Machine(healthy_h100(2))).root
    bus = root / "sys/bus/pci/devices"
    nvidia = [path for path in bus.iterdir() if read(path, "vendor") == "0x10de"]
    assert sorted(read(path, "class") for path in nvidia) == ["0x030200"] * 2 + ["0x068000"] * 4
    card = bus / "0000:1b:00.0"
    assert card.is_symlink()
    assert card.resolve().is_relative_to(root / "sys/devices")
    assert (card / "driver").resolve() == root / "sys/bus/pci/drivers/nvidia"
    assert os.readlink(card / "driver").endswith("bus/pci/drivers/nvidia")
    port = card.resolve().parent
    assert (read(port, "class"), read(port, "max_link_speed")) == ("0x060400", "32.0 GT/s PCIe")
    assert (bus / port.name).resolve() == port
    assert read(card, "iommu_group/type") == "DMA-FQ"
    assert [read(card, name) for name in ("device", "subsystem_vendor", "subsystem_device")] == [
        "0x2330",
        "0x10de",
        "0x16c1",
    ]
    assert [read(card, name) for name in ("current_link_speed", "current_link_width")] == ["32.0 GT/s PCIe", "16"]
    assert [read(card, name) for name in ("power_state", "power/control", "numa_node")] == ["D0", "on", "0"]
    assert read(card, "aer_dev_correctable").splitlines()[-1] == "TOTAL_ERR_COR 0"


def sizes(text: str) -> list[int]:
    rows = [[int(number, 16) for number in line.split()] for line in text.splitlines()]
    return [last - first + 1 if last else 0 for first, last, _ in rows]


def test_regions_are_those_of_the_board(deploy: Deploy) -> None:
    """BAR1 is the second region that is assigned: the third line on Hopper, the second on others, 256 MiB on a T4."""
    mib = 1 << 20
    hopper = deploy(Machine(healthy_h100(1))).root / "sys/bus/pci/devices/0000:1b:00.0"
    turing = deploy(Machine(t4())).root / "sys/bus/pci/devices/0000:00:1e.0"
    assert sizes(read(hopper, "resource")) == [16 * mib, 0, 131072 * mib, 0, 32 * mib, 0, 0]
    assert sizes(read(turing, "resource")) == [16 * mib, 256 * mib, 0, 32 * mib, 0, 0, 0]
    first = {place.name: int(read(place, "resource").split()[2], 16) for place in (hopper, turing)}
    assert first == {"0000:1b:00.0": WIDE, "0000:00:1e.0": NARROW}, "only Hopper's BAR0 is a 64-bit one"


def test_witnesses_of_a_healthy_server_agree(deploy: Deploy) -> None:
    """The module's version in /proc, in /sys and on disk, the libraries' file names and NVML are one version."""
    deployed = deploy(Machine(healthy_h100(2)))
    root = deployed.root
    version = "580.105.08"
    assert read(root, "sys/module/nvidia/version") == version
    assert f"Open Kernel Module for x86_64  {version}  Release" in read(root, "proc/driver/nvidia/version")
    assert f"version={version}".encode() in (root / f"lib/modules/{KERNEL}/updates/dkms/nvidia.ko").read_bytes()
    assert Path(deployed.environ["LD_LIBRARY_PATH"], "libcuda.so.1").resolve().name == f"libcuda.so.{version}"
    assert ask(deployed, "nvmlInit(); answer = nvmlSystemGetDriverVersion()") == version
    uuids = ask(
        deployed, "nvmlInit()\nanswer = [nvmlDeviceGetUUID(nvmlDeviceGetHandleByIndex(index)) for index in (0, 1)]"
    )
    proc = [
        read(root, f"proc/driver/nvidia/gpus/{address}/information") for address in ("0000:1b:00.0", "0000:43:00.0")
    ]
    assert all(uuid in text for uuid, text in zip(uuids, proc, strict=True))
    assert (root / f"lib/modules/{KERNEL}/build").is_dir()


def test_an_upgrade_without_reboot_keeps_the_old_module(deploy: Deploy) -> None:
    """The loaded module is the old version, the file on disk and the libraries are the new."""
    scenario = version_mismatch()
    root = deploy(Machine(scenario, server_files(scenario, loaded="580.95.05"))).root
    assert read(root, "sys/module/nvidia/version") == "580.95.05"
    assert b"version=580.105.08" in (root / f"lib/modules/{KERNEL}/updates/dkms/nvidia.ko").read_bytes()
    assert (root / "usr/lib/x86_64-linux-gnu/libnvidia-ml.so.580.105.08").is_file()


def test_nodes_are_files_with_permissions(deploy: Deploy) -> None:
    """One node a GPU by its minor, the control nodes for all, MIG's for root alone."""
    scenario = v100(2).gpu(1, minor=7)
    dev = deploy(Machine(scenario)).root / "dev"
    assert {path.name for path in dev.glob("nvidia[0-9]*")} == {"nvidia0", "nvidia7"}
    assert {stat.S_IMODE((dev / name).stat().st_mode) for name in ("nvidia0", "nvidiactl", "nvidia-uvm")} == {0o666}
    assert stat.S_IMODE((dev / "nvidia-caps/nvidia-cap1").stat().st_mode) == 0o400
    minors = read(deploy(Machine(mig())).root, "proc/driver/nvidia-caps/mig-minors").splitlines()
    assert [line for line in minors if "gi1/" in line][:2] == ["gpu0/gi1/access 12", "gpu0/gi1/ci0/access 13"]
    assert (deploy(Machine(mig())).root / "dev/nvidia-caps/nvidia-cap13").exists()


def test_parts_are_changed_and_taken_away(deploy: Deploy) -> None:
    """A machine of the cast with a change: another file, a missing branch, a fault, a program."""
    machine = (
        Machine(healthy_h100(1))
        .put({"proc/sys/kernel/dmesg_restrict": "0\n"})
        .without("dev/nvidia-uvm", "sys/module/nvidia_uvm")
        .fault("cuInit", code=999)
        .program("nvidia-smi", "#!/bin/sh\necho hello\n")
    )
    deployed = deploy(machine)
    assert read(deployed.root, "proc/sys/kernel/dmesg_restrict") == "0"
    assert not (deployed.root / "dev/nvidia-uvm").exists()
    assert (deployed.root / "dev/nvidia-uvm-tools").exists()
    assert not (deployed.root / "sys/module/nvidia_uvm").exists()
    assert ask(deployed, "answer = ctypes.CDLL('libcuda.so.1').cuInit(0)") == 999
    assert ask(deployed, "import subprocess\nanswer = subprocess.check_output(['nvidia-smi'], text=True)") == "hello\n"
    assert (deploy(Machine(healthy_h100(1))).root / "dev/nvidia-uvm").exists()


def test_a_card_can_be_bound_to_another_driver_or_none(tmp_path: Path) -> None:
    """nouveau, vfio-pci with its override, a sleeping card, a virtual function, a lost link."""
    card = card_of(gtx_1080_ti(), 0)
    write_tree(tmp_path / "a", replace(card, driver="nouveau").files())
    write_tree(tmp_path / "b", replace(card, driver="vfio-pci", driver_override="vfio-pci").files())
    write_tree(tmp_path / "c", replace(card, driver=None, power_state="D3cold", width=63, speed="Unknown").files())
    write_tree(tmp_path / "d", replace(card, virtual_function=True, correctable_errors=150).files())
    device = "sys/bus/pci/devices/0000:01:00.0"
    assert (tmp_path / "a" / device / "driver").resolve().name == "nouveau"
    assert read(tmp_path / "b" / device, "driver_override") == "vfio-pci"
    assert not (tmp_path / "c" / device / "driver").exists()
    assert [read(tmp_path / "c" / device, name) for name in ("power_state", "current_link_width")] == ["D3cold", "63"]
    assert (tmp_path / "d" / device / "physfn").exists()
    assert "TOTAL_ERR_COR 150" in read(tmp_path / "d" / device, "aer_dev_correctable")
    assert read(tmp_path / "a" / device, "class") == "0x030000"  # a board with a display


def test_module_files_are_elf_with_modinfo() -> None:
    """The section table leads to .modinfo, as ``modinfo`` finds it; a signed module ends with the kernel's marker."""
    image = kernel_module("580.105.08", "Dual MIT/GPL", KERNEL)
    table, _, _, _, _, entry, count, names = struct.unpack_from("<QIHHHHHH", image, 40)
    sections = [struct.unpack_from("<IIQQQQ", image, table + entry * number) for number in range(count)]
    base = sections[names][4]
    found = {image[base + s[0] :].split(b"\0")[0]: image[s[4] : s[4] + s[5]] for s in sections}
    fields = dict(field.split(b"=", 1) for field in found[b".modinfo"].rstrip(b"\0").split(b"\0"))
    assert (fields[b"version"], fields[b"license"]) == (b"580.105.08", b"Dual MIT/GPL")
    assert fields[b"vermagic"].startswith(KERNEL.encode())
    assert image.endswith(b"~Module signature appended~\n")
    assert not kernel_module("1", "NVIDIA", KERNEL, signed=False).endswith(b"appended~\n")


def test_other_places_have_their_marks(deploy: Deploy) -> None:
    """A machine without a card, an Orin, WSL2, containers with and without GPUs."""
    bare = deploy(Machine(Scenario().only(), bare_files()))
    assert {read(path, "vendor") for path in (bare.root / "sys/bus/pci/devices").iterdir()} == {"0x8086"}
    assert not list(Path(bare.environ["LD_LIBRARY_PATH"]).glob("*.so*"))

    orin = deploy(Machine(jetson(), jetson_files(jetson()), library_version=""))
    assert "Jetson" in read(orin.root, "proc/device-tree/model")
    assert {read(path, "class") for path in (orin.root / "sys/bus/pci/devices").iterdir()} == {"0x060400"}
    assert not Path(orin.environ["LD_LIBRARY_PATH"], "libcuda.so.1").is_symlink()

    wsl = deploy(Machine(gtx_1080_ti(), wsl_files(), library_version="")).root
    assert "microsoft" in read(wsl, "proc/sys/kernel/osrelease")
    assert (wsl / "dev/dxg").exists()
    assert not (wsl / "proc/driver/nvidia").exists()

    given = deploy(Machine(healthy_h100(1), container_files(healthy_h100(1)))).root
    refused = deploy(Machine(healthy_h100(1), container_files(healthy_h100(1), gpus_given=False))).root
    assert "libcuda.so.580.105.08" in read(given, "proc/self/mountinfo")
    assert "libcuda" not in read(refused, "proc/self/mountinfo")
    assert (given / "dev/nvidia0").exists()
    assert not (refused / "dev").exists()
    assert all((root / "proc/driver/nvidia/version").exists() for root in (given, refused))


def test_eight_gpus_have_eight_of_everything(deploy: Deploy) -> None:
    """Nodes, bus entries and procfs entries keep step with NVML's count."""
    root = deploy(Machine(hgx_h100())).root
    bus = [path for path in (root / "sys/bus/pci/devices").iterdir() if read(path, "class") == "0x030200"]
    assert len(bus) == len(list((root / "proc/driver/nvidia/gpus").iterdir())) == 8
    assert len(list((root / "dev").glob("nvidia[0-9]*"))) == 8
