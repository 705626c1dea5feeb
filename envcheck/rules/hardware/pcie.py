"""Is the PCIe link as fast and as clean as it should be?"""

from __future__ import annotations

from datetime import datetime

from envcheck.facts import Gpu
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, question

from .machine import answering_card, tell

SLEEPY_STATE = 5
"""Performance states from P5 down save power: the link's generation drops with them."""

REPLAYS_PER_MINUTE = 8
"""PCIe replays per minute from which a link is bad (NVIDIA DCGM, DCGM_LIMIT_MAX_PCIREPLAY_RATE)."""

SHORTEST_MINUTES = 60
"""A link may count errors while it trains: less than an hour's worth of replays proves nothing."""


class PcieLinkDegraded(Rule):
    """The card's PCIe link is narrower or slower than it could be.

    What it looks at
        The link's generation and width against what card and system can do, the slot's own width, equal cards in the
        same machine, and whether the card is idle.
    Why it matters
        Copies between host and card take longer.  A width below the card's maximum is normal in many slots, clouds
        and laptops, so it is a note unless an equal card of this machine does better in an equal slot.
    How to mend it
        Another slot, reseat the card, PCIe speed Auto in the BIOS; then look at the link while a copy runs.
    Cannot tell when
        The driver does not tell the link, or whether the card is idle.
    References
        NVML, PCIe link calls; NVIDIA DCGM, PCIE_GENERATION and PCIE_WIDTH; stas00/ml-engineering, nvidia/debug.md.
    """

    code, name, rung = "HWD108", "pcie-link-degraded", "hardware"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Look at the busy link, then at slot and BIOS",
            steps=[
                Step(
                    where="host",
                    command="nvidia-smi --query-gpu=pcie.link.gen.current,pcie.link.width.current --format=csv -l 1",
                    note="while a copy runs",
                ),
                Step(where="bios", note="PCIe speed Auto; another slot; reseat the card"),
            ],
            safety="careful",
            verify="envcheck bench",
        )


class PcieLinkIdleDownshift(Rule):
    """The PCIe link runs at a lower generation because the card is idle, which is normal.

    What it looks at
        The link's generation below its maximum while the card is in a power-saving state.
    Why it matters
        It is the classic false alarm: the link speeds up as soon as a copy begins.
    How to mend it
        Nothing is to be mended.
    Cannot tell when
        The driver does not tell the link, or whether the card is idle.
    References
        NVML, clocks event reasons; nvidia-smi manual, pcie.link.gen.current.
    """

    code, name, rung = "HWD109", "pcie-link-idle-downshift", "hardware"
    severity = "note"


@question("gpu", PcieLinkDegraded, PcieLinkIdleDownshift)
def is_the_link_at_full_speed(case: Case) -> Problem | None:
    """Generation is judged busy only; width against equal cards and the slot."""
    at = answering_card(case)
    generation = case.present(f"{at}/pcie_generation", int)
    best = case.present(f"{at}/pcie_generation_max", int)
    width = case.present(f"{at}/pcie_width", int)
    widest = case.present(f"{at}/pcie_width_max", int)
    if generation >= best and width >= widest:
        return None
    if case.known("/host/wsl", int) is not None:
        raise NotApplicable("WSL does not show the card's real link")
    idle = _is_idle(case, at)
    evidence = [f"{at}/pcie_generation", f"{at}/pcie_generation_max", f"{at}/performance_state"]
    if width < widest:
        return _narrow(case, at, width, widest, idle)
    if idle:
        return case.problem(
            PcieLinkIdleDownshift,
            f"{case.subject.label}: PCIe link at generation {generation} of {best} while idle",
            cause="the card saves power; the link speeds up with the first copy",
            evidence=tell(case, *evidence),
        )
    return case.problem(
        PcieLinkDegraded,
        f"{case.subject.label}: PCIe link at generation {generation} of {best}, and the card is not idle",
        cause="slot, riser, BIOS setting or signal quality keep the link from its speed",
        evidence=tell(case, *evidence, f"{at}/clock_reasons"),
        fix=PcieLinkDegraded.mend(case),
    )


def _is_idle(case: Case, at: str) -> bool:
    state = case.known(f"{at}/performance_state", int)
    if state is not None and state >= SLEEPY_STATE:
        return True
    return "idle" in (case.known(f"{at}/clock_reasons", list) or [])


def _narrow(case: Case, at: str, width: int, widest: int, idle: bool) -> Problem:
    """Wired so, or less than an equal card gets: only the second, seen busy, is a fault."""
    slot = _slot_width(case)
    peers = _peers(case, at, width)
    worse = bool(peers) and slot is not None and slot > width and not idle
    if worse:
        cause = f"the slot has {slot} lanes, and an equal card of this machine runs on more than {width}"
    elif slot is not None and slot <= width:
        cause = f"the slot has {slot} lanes"
    else:
        cause = "many slots, clouds and laptops wire fewer lanes than the card could use"
    evidence = [f"{at}/pcie_width", f"{at}/pcie_width_max", *peers]
    if case.listed("pci"):
        evidence.append(f"{case.at('pci')}/port_width_max")
    return case.problem(
        PcieLinkDegraded,
        f"{case.subject.label}: PCIe link on {width} of {widest} lanes",
        cause=cause,
        evidence=tell(case, *evidence),
        fix=PcieLinkDegraded.mend(case) if worse else None,
        severity="warning" if worse else "note",
    )


def _slot_width(case: Case) -> int | None:
    """Lanes of the port above the card; for the severity only, so what is not known counts as none."""
    if not case.listed("pci"):
        return None
    slot = case.maybe(lambda: case.known(f"{case.at('pci')}/port_width_max", int))
    return None if isinstance(slot, CannotTell) else slot


def _peers(case: Case, at: str, width: int) -> list[str]:
    """Pointers to the wider links of cards of the same name; for the severity only."""
    section, _, _ = at.rpartition("/")
    name = case.maybe(lambda: case.known(f"{at}/name", str))
    wider = []
    for pointer, _ in case.maybe_records(section, Gpu):
        other = case.maybe(lambda pointer=pointer: case.known(f"{pointer}/name", str))  # type: ignore[misc]
        lanes = case.maybe(lambda pointer=pointer: case.known(f"{pointer}/pcie_width", int))  # type: ignore[misc]
        if isinstance(name, str) and other == name and isinstance(lanes, int) and lanes > width:
            wider.append(f"{pointer}/pcie_width")
    return wider


class PcieReplayOrAerErrors(Rule):
    """The card's PCIe link has to repeat transfers more often than a sound link does.

    What it looks at
        The replay counter since the machine was started, as an average per minute.  A total says nothing: healthy
        cards show some hundred after weeks.
    Why it matters
        Contacts, riser or cable are marginal: copies slow down, and the card may fall off the bus.
    How to mend it
        Reseat the card, replace riser or cable; one PCIe generation less in the BIOS as a stopgap.
    Cannot tell when
        The driver does not count replays, or the time of start is not known.  One reading gives the average only: a
        burst hides in a long uptime.
    References
        NVIDIA DCGM, PCI_REPLAY_RATE (more than 8 in a minute); NVIDIA open-gpu-kernel-modules, nverror.h.
    """

    code, name, rung = "HWD110", "pcie-replay-or-aer-errors", "hardware"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Watch the counter under load, then look at contacts and riser",
            steps=[
                Step(
                    where="host",
                    command="nvidia-smi -q | grep -i replay",
                    note="twice, a minute apart, while copies run",
                ),
                Step(
                    where="bios", note="reseat the card, replace the riser; PCIe speed one generation lower meanwhile"
                ),
            ],
            safety="careful",
            verify="the counter stays where it is under load",
        )


@question("gpu", PcieReplayOrAerErrors)
def does_the_link_repeat_transfers(case: Case) -> Problem | None:
    """An average over the uptime is a lower bound of the worst minute: above the limit it is proof enough."""
    at = answering_card(case)
    replays = case.present(f"{at}/pcie_replays", int)
    if replays <= REPLAYS_PER_MINUTE * SHORTEST_MINUTES:
        return None
    minutes = max(_uptime_minutes(case), SHORTEST_MINUTES)
    if replays <= REPLAYS_PER_MINUTE * minutes:
        return None
    evidence = [f"{at}/pcie_replays", "/host/boot_time"]
    if case.listed("pci"):
        evidence.append(f"{case.at('pci')}/aer_correctable")
    return case.problem(
        PcieReplayOrAerErrors,
        f"{case.subject.label}: {replays} PCIe replays since the start, {replays / minutes:.0f} per minute",
        cause="the signal on the link is marginal: contacts, riser, cable or slot",
        evidence=tell(case, *evidence),
        fix=PcieReplayOrAerErrors.mend(case),
    )


def _uptime_minutes(case: Case) -> float:
    booted = case.known("/host/boot_time", int)
    taken = case.known("/taken_at", str)
    if booted is None or taken is None:
        raise CannotTell("the time since the start of the machine is not known", "/host/boot_time")
    try:
        now = datetime.fromisoformat(taken.replace("Z", "+00:00")).timestamp()
    except ValueError as garbled:
        raise CannotTell(f"the time of the snapshot is garbled: {taken!r}", "/taken_at") from garbled
    return max(0.0, (now - booted) / 60)
