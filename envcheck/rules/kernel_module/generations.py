"""Which generation are the cards of, and does the driver know it?"""

from __future__ import annotations

from envcheck.compat.driver import driver_branch, driver_dropped
from envcheck.compat.gpus import gpu_by_pci_id
from envcheck.facts import Gpu, Unread
from envcheck.judge import Case, normal_bus_id
from envcheck.rules.presence import pci_cards


def capability(case: Case, card: str) -> int | None:
    """The compute capability of a card by its PCI id; ``None`` where the table does not have it."""
    device = case.known(f"{card}/device", int)
    found = None if device is None else gpu_by_pci_id(device)
    return None if found is None or isinstance(found, Unread) else found.cc


def oldest_capability(case: Case) -> int | None:
    """The lowest compute capability of this machine's cards, for choosing between fixes."""
    found = []
    cards = case.maybe(lambda: pci_cards(case))
    for card in cards if isinstance(cards, list) else []:
        known = case.maybe(lambda card=card: capability(case, card))  # type: ignore[misc]
        if isinstance(known, int):
            found.append(known)
    return min(found, default=None)


def not_listed(case: Case, cards: list[str]) -> list[str]:
    """Those of the cards that NVML does not list: what it lists works, whatever a table says."""
    if not cards:
        return []
    answering: set[str] = set()
    if case.known("/nvml/init_code", int) == 0:
        for pointer, _ in case.records("/nvml/gpus", Gpu):
            if case.known(f"{pointer}/error_code", int) is None:
                answering.add(normal_bus_id(case.known(f"{pointer}/bus_id", str) or ""))
    return [card for card in cards if normal_bus_id(case.known(f"{card}/address", str) or "") not in answering]


def branch_of(version: str | None) -> int | None:
    """The release branch of a driver version; ``None`` where there is none, or no number in front."""
    found = None if version is None else driver_branch(version)
    if isinstance(found, int):
        return found
    major = (version or "").split(".")[0]
    return int(major) if major.isdigit() else None


def is_dropped(branch: int | None, compute_capability: int) -> bool:
    """Is it certain that this branch no longer drives such cards?"""
    return branch is not None and driver_dropped(branch, compute_capability) is True
