"""Is there an NVIDIA card at all?  The one reading of it that all questions share."""

from __future__ import annotations

from envcheck.facts import Gpu, PciDevice
from envcheck.judge import DISPLAY_CLASS, NVIDIA, CannotTell, Case


def pci_cards(case: Case) -> list[str]:
    """Pointers of the NVIDIA display functions on the PCI bus (no SR-IOV virtual functions)."""
    found = []
    for pointer, _ in case.records("/devices/pci", PciDevice):
        if case.known(f"{pointer}/vendor", int) != NVIDIA:
            continue
        class_code = case.known(f"{pointer}/class_code", int)
        if (class_code or 0) >> 16 == DISPLAY_CLASS and not case.known(f"{pointer}/virtual_function", bool):
            found.append(pointer)
    return found


def has_card(case: Case) -> bool:
    """True where any witness lists an NVIDIA GPU; false only where the bus was read and shows none.

    On WSL2 and Jetson no PCI bus lists the GPU, and a sandbox (gVisor, Kata) shows a bus of its own: there an empty
    bus says nothing, and without NVML's word this raises :class:`CannotTell`.  A container whose sysfs is masked has
    an unread bus.
    """
    unread: CannotTell | None = None
    silent: CannotTell | None = None
    on_bus: list[str] = []
    try:
        on_bus = pci_cards(case)
    except CannotTell as why:
        unread = why
    if on_bus:
        return True
    try:
        if case.records("/nvml/gpus", Gpu):
            return True
    except CannotTell as why:
        silent = why
    if unread is not None:
        if case.known("/host/system", str) == "Darwin":
            return False  # no NVIDIA driver exists for it since macOS 10.14
        raise unread
    for pointer, kind in (("/host/wsl", int), ("/host/jetson", str), ("/container/sandbox", str)):
        if case.known(pointer, kind) is not None and silent is not None:
            raise silent
    return False


def wants_gpu(case: Case) -> bool:
    """Does anything here ask for a GPU: the policy, or a torch that was built with CUDA?

    Unknown builds count as not asking.  For severities and wording, never for choosing between verdicts.
    """
    if case.policy.require_gpu:
        return True
    target = case.maybe(lambda: case.known("/target/interpreter", int))
    if not isinstance(target, int):
        return False
    return isinstance(case.maybe(lambda: case.known(f"/interpreters/{target}/torch/cuda", str)), str)
