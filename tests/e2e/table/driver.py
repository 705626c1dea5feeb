"""The driver in the kernel: not there, not loaded, not for this card, of two versions; and machines without a card."""

from __future__ import annotations

from dataclasses import replace

from tests.e2e.environments import Wheel, torch, virtual
from tests.e2e.rows import QUIET_LOG, Row, quiet, refused, server
from tests.fakes import (
    Files,
    Machine,
    Node,
    PciCard,
    Scenario,
    card_of,
    driver_files,
    healthy_h100,
    host_files,
    installed_driver,
    jetson,
    jetson_files,
    old_driver,
    rtx_5090,
    server_files,
    t4,
    v100,
    version_mismatch,
)
from tests.fakes.programs import answering
from tests.fakes.server import KERNEL
from tests.fakes.tree import kernel_module, without

MIB = 1 << 20
NO_DEVICES, NOT_LOADED, MISMATCH = 6, 9, 18  # exit codes of nvidia-smi, which are nvmlReturn_t
SECURE_BOOT = "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
# What a kernel without the nvidia module still shows, so that /sys and /dev are there and say nothing of it.
WITHOUT_MODULE: dict[str, Node] = {
    "proc/modules": "ext4 1069056 1 - Live 0x0000000000000000\n",
    "proc/devices": "Character devices:\n  1 mem\n",
    "sys/module/ext4/refcnt": "1\n",
    "dev/null": "",
}
BRIDGE = PciCard("0000:00:00.0", 0x0C00, vendor=0x8086, class_code=0x060000, driver=None)
INTEGRATED = PciCard(
    "0000:00:02.0", 0x3E92, vendor=0x8086, class_code=0x030000, driver="i915", bars=(16 * MIB,), wide_bar0=True
)


def on_bus(scenario: Scenario, driver: str | None) -> dict[str, Node]:
    cards = [replace(card_of(scenario, n), driver=driver) for n in range(scenario.gpus)]
    return {path: node for card in cards for path, node in card.files().items()}


def traces(scenario: Scenario, *, kernel: str = KERNEL) -> Files:
    """A driver's files on the disk, and nothing of it in the running kernel."""
    files = {**host_files(), **driver_files(scenario, kernel=kernel)}
    return {**without(files, "proc/driver", "sys/module", "dev"), **WITHOUT_MODULE}


def unloaded(files: Files) -> Machine:
    """The user libraries answer that no module is loaded."""
    dead = healthy_h100(1).fault("nvmlInit", code=NOT_LOADED).fault("cuInit", code=100)
    return refused(Machine(dead, files), NOT_LOADED)


def not_loaded(driver: str | None = None, *, kernel: str = KERNEL) -> Machine:
    scenario = healthy_h100(1)
    return unloaded({**traces(scenario, kernel=kernel), **on_bus(scenario, driver)})


def unsigned() -> Machine:
    module = kernel_module("580.105.08", "Dual MIT/GPL", KERNEL, signed=False)
    return not_loaded().put({SECURE_BOOT: b"\x06\0\0\0\1", f"lib/modules/{KERNEL}/updates/dkms/nvidia.ko": module})


def not_installed() -> Machine:
    scenario = healthy_h100(1)
    return quiet(Machine(scenario.only(), {**host_files(), **WITHOUT_MODULE, **on_bus(scenario, None)}))


def laptop() -> Machine:
    files = {**traces(healthy_h100(1)), **INTEGRATED.files(), "sys/class/dmi/id/chassis_type": "10\n"}
    return unloaded(files)


def not_taken(scenario: Scenario, *records: str, open_module: bool = True) -> Machine:
    """The module is loaded and took no card: NVML works and lists none."""
    dead = scenario.but({"gpus": 0}).fault("cuInit", code=100)
    return refused(Machine(dead, server_files(scenario, open_module=open_module)), NO_DEVICES, *records)


def without_window() -> Machine:
    card = replace(card_of(t4(), 0), bars=(16 * MIB, 0, 0, 32 * MIB))
    return not_taken(t4()).put(card.files())


def upgraded() -> Machine:
    """New libraries over the old module, which is still loaded."""
    scenario = version_mismatch()
    return refused(Machine(scenario, server_files(scenario, loaded="575.64.03")), MISMATCH)


def two_drivers() -> Machine:
    """A .run installation over packages: its libraries come first, the module is that of the packages."""
    other = {f"usr/lib/{name}.so.570.86.15": b"\x7fELF" for name in ("libcuda", "libnvidia-ml")}
    links = {f"usr/lib/{name}.so.1": b"\x7fELF" for name in ("libcuda", "libnvidia-ml")}
    packages = "Package: nvidia-driver-580\nStatus: install ok installed\nVersion: 580.105.08-0ubuntu1\n\n"
    return server(healthy_h100(1)).put(
        {**other, **links, "usr/bin/nvidia-uninstall": "", "var/lib/dpkg/status": packages}
    )


def on_a_soc() -> Machine:
    scenario = jetson()
    return Machine(scenario, jetson_files(scenario), library_version="").program("dmesg", answering(QUIET_LOG))


GSP = "[    9.100000] NVRM: GPU 0000:1b:00.0: RmInitAdapter failed! (0x62:0x40:1860)"
NOT_LISTED = ("gpu-count-below-expected", "gpu-init-failed")

ROWS = {
    "no driver": Row(not_installed, {"driver-not-installed": "error"}, ("nvml-library-missing", "no-driver-library")),
    "module kept from loading": Row(
        lambda: not_loaded().put({"etc/modprobe.d/off.conf": "blacklist nvidia\n"}),
        {"kernel-module-not-loaded": "error"},
    ),
    "module of another kernel": Row(
        lambda: not_loaded(kernel="6.8.0-31-generic"), {"kernel-module-not-built": "error"}
    ),
    "nouveau": Row(
        lambda: not_loaded("nouveau").put({"sys/module/nouveau/refcnt": "1\n"}), {"nouveau-conflict": "error"}
    ),
    "Secure Boot": Row(unsigned, {"secure-boot-unsigned-module": "error"}),
    "no card, driver installed": Row(
        lambda: unloaded({**traces(healthy_h100(1)), **BRIDGE.files()}), {"gpu-absent-from-pci-bus": "error"}
    ),
    "laptop in integrated mode": Row(laptop, {"hybrid-gpu-powered-off": "error"}),
    "card for a virtual machine": Row(lambda: not_loaded("vfio-pci"), {"gpu-bound-to-other-driver": "error 0"}),
    "Jetson": Row(
        on_a_soc,
        {"tegra-integrated-gpu": "note"},
        python=virtual(torch("2.8.0+cu126", archs=b"sm_87"), Wheel("numpy", "2.3.5")),
    ),
    "Volta on branch 595": Row(
        lambda: not_taken(installed_driver(v100(1), "595.45.04", 13020), open_module=False),
        {"driver-dropped-gpu-arch": "error"},
        NOT_LISTED,
    ),
    "Volta and the open module": Row(lambda: not_taken(v100(1)), {"open-module-unsupported-gpu": "error"}, NOT_LISTED),
    "Blackwell and the closed module": Row(
        lambda: not_taken(rtx_5090(), open_module=False), {"proprietary-module-on-new-gpu": "error"}, NOT_LISTED
    ),
    "Blackwell on branch 550": Row(
        lambda: not_taken(installed_driver(rtx_5090(), "550.120", 12040)),
        {"driver-too-old-for-gpu": "error"},
        NOT_LISTED,
    ),
    "branch 470": Row(
        lambda: server(old_driver()),
        {"driver-branch-eol": "note", "driver-too-old-for-torch": "error", "gpu-older-than-torch-archs": "error"},
    ),
    "card refused": Row(
        lambda: not_taken(healthy_h100(1)), {"gpu-init-failed": "error 0"}, ("gpu-count-below-expected",)
    ),
    "GSP does not start": Row(
        lambda: not_taken(healthy_h100(1), GSP), {"gsp-firmware-failure": "error 0"}, ("gpu-count-below-expected",)
    ),
    "no window for BAR1": Row(without_window, {"pcie-bar-unassigned": "error 0"}, ("gpu-count-below-expected",)),
    "libraries newer than the module": Row(
        upgraded, {"driver-library-version-mismatch": "error"}, ("cuda-driver-combination-mismatch",)
    ),
    "two drivers over one another": Row(two_drivers, {"mixed-driver-install": "warning"}),
    "vGPU without a licence": Row(
        lambda: server(t4().gpu(0, {"license.state": 0}, virtualization=2)), {"vgpu-unlicensed": "warning 0"}
    ),
}
