"""Is there a card?  The lowest question: what the PCI bus lists, and what stands in for it elsewhere."""

from __future__ import annotations

from envcheck.facts import PciDevice
from envcheck.judge import (
    DISPLAY_CLASS,
    NVIDIA,
    CannotTell,
    Case,
    Fix,
    NotApplicable,
    Problem,
    Rule,
    Severity,
    Step,
    question,
)
from envcheck.rules.presence import pci_cards

from .consequences import WITHOUT_MODULE
from .machine import (
    PORTABLE_CHASSIS,
    asks_for_gpu,
    has_cuda_torch,
    is_driver_installed,
    narrowed,
    nvml_count,
    requires_gpu,
    tell,
)

NO_CARD = ("kernel-module-not-loaded", "kernel-module-not-built", "driver-not-installed", *WITHOUT_MODULE)


def _named(hypervisor: str) -> str:
    return "" if hypervisor == "other" else f" ({hypervisor})"


class GpuAbsentFromPciBus(Rule):
    """There is no NVIDIA card in this machine, as far as the PCI bus shows.

    What it looks at
        The display devices on the PCI bus, and whether something here asks for a GPU: the policy, an installed
        NVIDIA driver, or a torch that was built with CUDA.
    Why it matters
        Without a card no driver and no torch build helps.  A CUDA build of torch alone is no fault: it computes on
        the processor.
    How to mend it
        In the cloud take an instance type with a GPU, and pass the card through to a virtual machine; on bare metal
        check seat, power cables and firmware settings, then scan the bus again.
    Cannot tell when
        /sys/bus/pci could not be read, a sandbox hides it, or NVML gave no answer on a machine whose bus is empty.
    References
        NVIDIA open-gpu-kernel-modules, kernel-open/nvidia/nv.c ("No NVIDIA GPU found").
    """

    code, name, rung = "HWD101", "gpu-absent-from-pci-bus", "hardware"
    essential = True
    explains = NO_CARD

    @staticmethod
    def mend(case: Case) -> Fix:
        inside = isinstance(case.maybe(lambda: case.known("/container/engine", str)), str)
        hypervisor = case.maybe(lambda: case.known("/host/virtualization", str))
        steps = []
        if isinstance(hypervisor, str):
            steps.append(
                Step(
                    where="browser",
                    note=f"this is a virtual machine{_named(hypervisor)}: choose an instance type with a GPU, "
                    "or pass the card through to it",
                )
            )
        else:
            steps.append(
                Step(
                    where="bios",
                    note="switch off; check the seat, every power cable and the riser; enable the slot in the BIOS",
                )
            )
        steps.append(
            Step(
                where="container_host" if inside else "host",
                command="echo 1 | sudo tee /sys/bus/pci/rescan",
                root=True,
                note="looks for it again",
            )
        )
        return Fix(
            title="Give this machine an NVIDIA card, or let the bus find the one it has",
            steps=steps,
            safety="careful",
            verify="lspci -d 10de: && envcheck doctor",
        )


class TegraIntegratedGpu(Rule):
    """The GPU sits on the system chip of a Jetson, so no PCI card and no desktop driver is expected.

    What it looks at
        The device tree, which names the board.
    Why it matters
        Advice for desktop cards (drivers, the default index's torch) does harm here.
    How to mend it
        There is nothing to mend.  Take torch from the index of the installed JetPack.
    Cannot tell when
        The device tree is hidden, as in some containers.
    References
        NVIDIA JetPack documentation; a recorded nvidia-smi of a Jetson Orin (driver 540.4.0).
    """

    code, name, rung = "HWD102", "tegra-integrated-gpu", "hardware"
    severity = "note"


class HybridGpuPoweredOff(Rule):
    """The laptop's NVIDIA GPU is switched off in favour of the integrated one.

    What it looks at
        The chassis, the other display devices on the PCI bus, the power state of the card, and whether an NVIDIA
        driver is installed.
    Why it matters
        A GPU that the firmware or prime-select took off the bus cannot be found by any driver.
    How to mend it
        Choose the hybrid or NVIDIA mode with the tool that switched it off, or in the BIOS; restart.
    Cannot tell when
        The PCI bus, the chassis type or the installed driver could not be read.
    References
        Ubuntu, prime-select; Linux ABI documentation, sysfs-bus-pci (power_state).
    """

    code, name, rung = "HWD103", "hybrid-gpu-powered-off", "hardware"
    explains = NO_CARD

    @staticmethod
    def mend(case: Case) -> Fix:
        system = case.maybe(lambda: case.known("/host/os_id", str))
        tool = "sudo prime-select on-demand" if system == "ubuntu" else ""
        return Fix(
            title="Switch the NVIDIA GPU on and restart",
            steps=[
                Step(
                    where="host",
                    command=tool,
                    root=bool(tool),
                    note="or the tool that switched it off: supergfxctl, envycontrol, the maker's own",
                ),
                Step(where="bios", note="where no tool did it: graphics mode hybrid (or discrete)"),
                Step(where="host", command="sudo reboot", root=True, reboot=True),
            ],
            safety="disruptive",
            verify="lspci -d 10de: && nvidia-smi -L",
        )


@question("host", GpuAbsentFromPciBus, TegraIntegratedGpu, HybridGpuPoweredOff)
def is_there_a_card(case: Case) -> Problem | None:
    """The bus first; where no bus lists GPUs (WSL, Jetson, Windows), what answers in its place."""
    unread: CannotTell | None = None
    cards: list[str] = []
    try:
        cards = pci_cards(case)
    except CannotTell as why:
        unread = why
    if cards:
        return _asleep(case, cards)
    jetson = case.known("/host/jetson", str)
    if jetson is not None:
        return case.problem(
            TegraIntegratedGpu,
            f"this is a Jetson: {jetson}",
            cause="its GPU is part of the system chip; no PCI card and no desktop driver belongs here",
            evidence=["/host/jetson", *tell(case, "/devices/pci")],
        )
    if case.known("/host/system", str) == "Darwin":
        return _on_macos(case)
    if nvml_count(case) > 0:
        return None
    if case.known("/host/wsl", int) is not None:
        raise NotApplicable("on WSL no PCI bus lists the GPU: see the wsl rules")
    if unread is not None:
        if not requires_gpu(case) and not _is_expected(case):
            raise NotApplicable("no NVIDIA driver answers, and nothing here asks for a GPU")
        raise unread
    sandbox = case.known("/container/sandbox", str)
    if sandbox is not None and (requires_gpu(case) or _is_expected(case)):
        raise CannotTell(f"the sandbox {sandbox} hides the host's PCI bus", "/container/sandbox")
    return _absent(case)


def _is_expected(case: Case) -> bool:
    return (case.known("/host/system", str) == "Linux" and is_driver_installed(case)) or has_cuda_torch(case)


def _on_macos(case: Case) -> Problem | None:
    if not requires_gpu(case):
        raise NotApplicable("macOS has no NVIDIA driver, and no GPU of NVIDIA's is required")
    return case.problem(
        GpuAbsentFromPciBus,
        "an NVIDIA GPU is required, and macOS drives none",
        cause="no NVIDIA driver is made for macOS: CUDA needs Linux or Windows",
        evidence=["/host/system"],
    )


def _absent(case: Case) -> Problem | None:
    installed = is_driver_installed(case)
    if installed and _is_portable(case) and _has_other_display(case):
        return case.problem(
            HybridGpuPoweredOff,
            "an NVIDIA driver is installed on this laptop, and its PCI bus shows only another display device",
            cause="the NVIDIA GPU was taken off the bus: integrated graphics mode, or switched off in the BIOS",
            evidence=[*_bus(case), "/host/chassis", *_traces(case)],
            fix=HybridGpuPoweredOff.mend(case),
        )
    if not requires_gpu(case) and not installed and not has_cuda_torch(case):
        raise NotApplicable("no NVIDIA card, and nothing here asks for one")
    severity: Severity
    if requires_gpu(case):
        severity, why = "error", "a GPU is required"
    elif installed:
        severity = "error" if asks_for_gpu(case) else "warning"
        why = "an NVIDIA driver is installed"
    else:
        severity, why = "note", "torch was built with CUDA, and computes on the processor"
    return case.problem(
        GpuAbsentFromPciBus,
        f"no NVIDIA GPU on the PCI bus ({why})",
        cause="no display device of vendor 10de is listed: no card, one without power, or one not passed through",
        evidence=[*_bus(case), *_traces(case)],
        fix=GpuAbsentFromPciBus.mend(case),
        severity=severity,
    )


def _bus(case: Case) -> list[str]:
    """What the bus lists instead: the vendors of its display devices, or that there is none."""
    others = case.maybe_records("/devices/pci", PciDevice)
    return [f"{pointer}/vendor" for pointer, _ in others] or ["/devices/pci"]


def _traces(case: Case) -> list[str]:
    """What made a card expected."""
    pointers = ["/driver/module_files", "/nvml/init_code", "/host/virtualization"]
    if case.maybe(lambda: has_cuda_torch(case)) is True:
        pointers.append(f"/interpreters/{case.known('/target/interpreter', int)}/torch/cuda")
    return tell(case, *pointers)


def _is_portable(case: Case) -> bool:
    return case.known("/host/chassis", int) in PORTABLE_CHASSIS


def _has_other_display(case: Case) -> bool:
    for pointer, _ in case.records("/devices/pci", PciDevice):
        kind = case.known(f"{pointer}/class_code", int)
        if (kind or 0) >> 16 == DISPLAY_CLASS and case.known(f"{pointer}/vendor", int) != NVIDIA:
            return True
    return False


def _asleep(case: Case, cards: list[str]) -> Problem | None:
    """D3cold is normal for a GPU that wakes on use: only one that the driver then does not find is switched off."""
    try:
        if not all(case.known(f"{card}/power_state", str) == "D3cold" for card in cards):
            return None
        if case.known("/nvml/init_code", int) != 0 or nvml_count(case) > 0:
            return None
        if case.known("/container/engine", str) is not None:
            return None
    except CannotTell as why:
        raise narrowed(why, HybridGpuPoweredOff) from why
    return case.problem(
        HybridGpuPoweredOff,
        "the NVIDIA GPU sleeps (D3cold) and the driver finds none",
        cause="its power is switched off and it does not wake on use: integrated graphics mode, or power management",
        evidence=[*(f"{card}/power_state" for card in cards), "/nvml/device_count", *tell(case, "/host/chassis")],
        fix=HybridGpuPoweredOff.mend(case),
    )
