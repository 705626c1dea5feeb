"""Which NVIDIA cards could a torch of this machine use?

Each witness alone can say "yes"; "no" takes all that could know.  So a witness that is silent never turns one
answer into the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from envcheck.compat.gpus import gpu_by_name, gpu_by_pci_id
from envcheck.compat.rows import Gpu as GpuRow
from envcheck.facts import CUDA_OK, NVML_OK, CudaDevice, Gpu, PciDevice
from envcheck.judge import CannotTell, Case
from envcheck.rules.presence import pci_cards

AMD = 0x1002
DISPLAY = 0x03


def cards_here(case: Case) -> list[str]:
    """Pointers that show an NVIDIA card to programs that run here; empty: every witness says there is none.

    In a container the bus shows the host's cards, which count only once they were handed in (NVML lists them then).
    Raises :class:`CannotTell` where no witness shows a card and one that could is silent.
    """
    return _any_of(case, _by_nvml, _by_smi, _by_cuda, _by_jetson, _by_pci)


def _any_of(case: Case, *witnesses: Callable[[Case], list[str]]) -> list[str]:
    silent: CannotTell | None = None
    for ask in witnesses:
        try:
            found = ask(case)
        except CannotTell as unread:
            silent = silent or unread
            continue
        if found:
            return found
    if silent is not None:
        raise silent
    return []


def _by_nvml(case: Case) -> list[str]:
    if case.known("/nvml/init_code", int) != NVML_OK:
        return []  # the driver is not there or not well: the bus decides
    return ["/nvml/device_count"] if case.known("/nvml/device_count", int) else []


def _by_smi(case: Case) -> list[str]:
    try:
        return ["/smi/gpus/0/name"] if case.records("/smi/gpus", Gpu) else []
    except CannotTell as unread:
        if case.known("/smi/path", str) is None or case.known("/smi/exit_code", int) != 0:
            return []  # there is no such program, or it failed: the other witnesses decide
        raise unread


def _by_cuda(case: Case) -> list[str]:
    if case.known("/cuda/library", str) is None or case.known("/cuda/init_code", int) != CUDA_OK:
        return []
    return ["/cuda/device_count"] if case.known("/cuda/device_count", int) else []


def _by_jetson(case: Case) -> list[str]:
    return ["/host/jetson"] if case.known("/host/jetson", str) else []


def _by_pci(case: Case) -> list[str]:
    if case.known("/host/system", str) in ("Darwin", "Windows"):
        return []  # no bus is read there; the driver's own libraries tell
    if case.known("/container/engine", str) is not None:
        return []
    found = pci_cards(case)
    return [f"{found[0]}/vendor", f"{found[0]}/device"] if found else []


def amd_card(case: Case) -> str | None:
    """Pointer of an AMD display function on the bus, or ``None``."""
    for pointer, _ in case.records("/devices/pci", PciDevice):
        if case.known(f"{pointer}/vendor", int) == AMD:
            class_code = case.known(f"{pointer}/class_code", int)
            if (class_code or 0) >> 16 == DISPLAY:
                return f"{pointer}/vendor"
    return None


@dataclass(frozen=True)
class Card:
    """A card that torch would see: its ordinal, name, compute capability (90 = 9.0), and what says so."""

    ordinal: int
    name: str
    cc: int
    pointer: str


@dataclass(frozen=True)
class Sight:
    """The cards that torch would see.

    ``sure`` is false where the list is the driver's and a mask may hide some of them.  ``silent`` is set where the
    compute capability of one is not known.
    """

    cards: list[Card]
    sure: bool
    silent: CannotTell | None


def visible_cards(case: Case) -> Sight:
    """The cards in CUDA's own list, which has the user's mask applied; else in NVML's or nvidia-smi's."""
    try:
        devices = case.records("/cuda/devices", CudaDevice)
    except CannotTell:
        return _listed_cards(case)
    return _collect(case, [(p, d.ordinal, d.name) for p, d in devices], sure=True)


def _listed_cards(case: Case) -> Sight:
    if not cards_here(case):
        return Sight([], True, None)
    try:
        gpus = case.records("/nvml/gpus", Gpu)
    except CannotTell as unread:
        try:
            gpus = case.records("/smi/gpus", Gpu)
        except CannotTell:
            raise unread from None
    try:
        masked = case.variable("CUDA_VISIBLE_DEVICES") is not None
    except CannotTell:
        masked = True
    return _collect(case, [(p, g.index, g.name) for p, g in gpus], sure=not masked)


def _collect(case: Case, found: list[tuple[str, int, object]], *, sure: bool) -> Sight:
    cards: list[Card] = []
    silent: CannotTell | None = None
    for pointer, ordinal, name in found:
        try:
            witness, cc = _capability(case, pointer)
        except CannotTell as unread:
            silent = silent or unread
            continue
        cards.append(Card(ordinal, name if isinstance(name, str) else f"GPU {ordinal}", cc, witness))
    return Sight(cards, sure, silent)


def _capability(case: Case, pointer: str) -> tuple[str, int]:
    """(what says so, compute capability): the driver's own word, else the card's PCI id or name by the table."""
    try:
        cc = case.known(f"{pointer}/compute_capability", int)
    except CannotTell as unread:
        cc, silent = None, unread
    else:
        silent = CannotTell("the compute capability is not told", f"{pointer}/compute_capability")
    if cc is not None:
        return f"{pointer}/compute_capability", cc
    if not pointer.startswith("/cuda"):
        number = case.maybe(lambda: case.known(f"{pointer}/pci_device_id", int))
        row = gpu_by_pci_id(number) if isinstance(number, int) else None
        if isinstance(row, GpuRow):
            return f"{pointer}/pci_device_id", row.cc
    name = case.maybe(lambda: case.known(f"{pointer}/name", str))
    by_name = gpu_by_name(name) if isinstance(name, str) else None
    if isinstance(by_name, GpuRow):
        return f"{pointer}/name", by_name.cc
    raise silent
