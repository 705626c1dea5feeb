"""Windows Subsystem for Linux: the driver is that of Windows, and its door is /dev/dxg."""

from __future__ import annotations

from tests.e2e.rows import Row, quiet
from tests.fakes import File, Files, Folder, Machine, Scenario, machine_of, wsl_files
from tests.fakes.boards import RTX_5090
from tests.fakes.tree import without

BLOCKED = 17  # NVML_ERROR_OPERATING_SYSTEM
MAPPED: Files = {f"usr/lib/wsl/lib/{name}": File("") for name in ("libcuda.so.1", "libnvidia-ml.so.1")}
OLD_KERNEL = "4.4.0-19041-Microsoft"


def card() -> Scenario:
    return machine_of(RTX_5090, slots=("0000:01:00.0",))


def distribution(scenario: Scenario) -> Machine:
    files = {**wsl_files(), **MAPPED, "dev/shm": Folder()}
    return quiet(Machine(scenario, files, library_version=""))


def version_1() -> Machine:
    """WSL 1 has no kernel of Linux's own: no /dev/dxg, no PCI bus."""
    kernel = {
        "proc/sys/kernel/osrelease": f"{OLD_KERNEL}\n",
        "proc/version": f"Linux version {OLD_KERNEL} (Microsoft@Microsoft.com) (gcc version 5.4.0)\n",
    }
    left = without(wsl_files(), "dev", "sys/bus", "sys/devices/pci0000:00", "sys/devices/pcid0a1:00", "usr/lib/wsl")
    return quiet(Machine(card().only(), {**left, **kernel, "dev/null": ""}))


ROWS = {
    "WSL 2": Row(lambda: distribution(card()).without("usr/lib/x86_64-linux-gnu"), {"wsl-limits": "note"}),
    "WSL 1": Row(version_1, {"wsl1-not-wsl2": "error"}, arguments=("--require-gpu",)),
    "WSL blocked": Row(
        lambda: distribution(card().fault("nvmlInit", code=BLOCKED).fault("cuInit", code=100)),
        {"wsl-gpu-blocked": "error"},
    ),
    "a Linux driver in WSL": Row(
        lambda: distribution(card().fault("cuInit", code=803)),
        {"wsl-linux-driver-installed": "error"},
        ("cuda-driver-combination-mismatch",),
    ),
    "WSL without a loader path": Row(lambda: distribution(card().only()), {"wsl-libcuda-not-found": "error"}),
}
