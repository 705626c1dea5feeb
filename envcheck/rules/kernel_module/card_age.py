"""Is the driver new enough to know the card?  The other direction, a card that it has dropped, is in ``loading``."""

from __future__ import annotations

from envcheck.compat.driver import gpu_driver_floor
from envcheck.compat.gpus import gpu_by_pci_id
from envcheck.compat.version import at_least, key
from envcheck.facts import Unread
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.hardware.consequences import WITHOUT_CARD
from envcheck.rules.hardware.machine import require_bare_linux
from envcheck.rules.presence import pci_cards

from .generations import not_listed


class DriverTooOldForGpu(Rule):
    """The NVIDIA driver is older than the card and does not know it.

    What it looks at
        The PCI id of each card that NVML does not list, and the lowest driver that can drive it, against the loaded
        kernel module's version.
    Why it matters
        The module loads and ignores the card: nvidia-smi says "No devices were found" or lists one card fewer.
    How to mend it
        Install a driver of the branch that the card needs, or newer.
    Cannot tell when
        The bus or the driver's version cannot be read, or the card is newer than the table.  A card that NVML lists
        works, whatever the table says.
    References
        NVIDIA/open-gpu-kernel-modules README (supported devices per release); CUDA release notes.
    """

    code, name, rung = "KMD130", "driver-too-old-for-gpu", "kernel_module"
    explains = ("gpu-init-failed", "kernel-module-not-loaded", "proprietary-module-on-new-gpu", *WITHOUT_CARD)

    @staticmethod
    def mend(case: Case) -> Fix:
        cards = case.maybe(lambda: pci_cards(case))
        floors = [case.maybe(lambda card=card: _floor(case, card)) for card in cards] if isinstance(cards, list) else []  # type: ignore[misc]
        wanted = max((floor for floor in floors if isinstance(floor, str)), key=key, default="")
        branch = wanted.split(".")[0] or "<branch>"
        return Fix(
            title=f"Upgrade the driver to branch {branch} or newer",
            steps=[
                Step(where="host", tool="apt", command=f"sudo apt-get install nvidia-driver-{branch}-open", root=True),
                Step(where="host", tool="dnf", command="sudo dnf install nvidia-open", root=True),
                Step(where="host", tool="pacman", command="sudo pacman -S nvidia-open", root=True),
                Step(where="host", command="sudo reboot", root=True, reboot=True),
            ],
            safety="careful",
            verify="nvidia-smi -L",
        )


@question("host", DriverTooOldForGpu)
def does_the_driver_know_the_cards(case: Case) -> Problem | None:
    """Only cards that NVML does not list are asked about: what is listed works."""
    require_bare_linux(case)
    cards = pci_cards(case)
    if not cards:
        raise NotApplicable("there is no NVIDIA card")
    silent = not_listed(case, cards)
    if not silent:
        return None
    version = case.first(str, "/driver/sys_module", "/driver/proc")
    if version is None:
        raise NotApplicable("no NVIDIA kernel module is loaded")
    for card in silent:
        floor = _floor(case, card)
        if floor is not None and not at_least(version, floor):
            return case.problem(
                DriverTooOldForGpu,
                f"driver {version} does not know the card at {case.known(f'{card}/address', str)}: it needs {floor}",
                cause="the card came out after this driver",
                evidence=["/driver/sys_module", f"{card}/device", "/nvml/init_code"],
                fix=DriverTooOldForGpu.mend(case),
            )
    return None


def _floor(case: Case, card: str) -> str | None:
    """The lowest driver for the card.  Raises :class:`CannotTell` for a card that the table does not have."""
    device = case.known(f"{card}/device", int)
    if device is None:
        return None
    gpu = gpu_by_pci_id(device)
    floor = gpu if gpu is None or isinstance(gpu, Unread) else gpu_driver_floor(gpu)
    if isinstance(floor, Unread):
        raise CannotTell(str(floor), f"{card}/device")
    return floor
