"""Does the link between host and card carry what it should, while it carries something?"""

from __future__ import annotations

from envcheck.facts import Timing
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, question

from . import measured


class PcieLinkDegradedUnderLoad(Rule):
    """The card's PCIe link runs below what card and slot can, even while data go over it.

    What it looks at
        Generation and width of the link as NVML tells them during copies between host and card; an idle link that has
        stepped down to save power is no finding.
    Why it matters
        Loading data, offloading and multi-GPU traffic run at half the speed or less.
    How to mend it
        Reseat the card or its riser; look for the slot's setting in the firmware; look for replays in the log.
    Cannot tell when
        NVML did not answer during the copies, or they were too short to be seen.
    References
        nvmlDeviceGetCurrPcieLinkGeneration, nvmlDeviceGetMaxPcieLinkWidth; NVIDIA DCGM, PCIe checks.
    """

    code, name, rung = "SPD605", "pcie-link-degraded-under-load", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Find out why the link trained lower",
            steps=[
                Step(where="host", command="nvidia-smi -q -d PCI", note="under load: current against maximum"),
                Step(where="host", note="reseat card and riser; firmware setting of the slot; power off first"),
            ],
            safety="disruptive",
            verify="envcheck bench",
        )


LANE_BYTES_S = {1: 0.25e9, 2: 0.5e9, 3: 0.985e9, 4: 1.969e9, 5: 3.938e9, 6: 7.56e9}
"""Of one lane by generation, after encoding (PCI Express base specification)."""
SLOW_COPIES = 0.5
"""Of what the full link carries: pinned copies of a healthy one reach 0.8 to 0.9.  Below, a narrow link costs time."""


def is_pinned(timing: Timing) -> bool:
    """Copies from and to pinned memory: the others are as slow as the host's own copying."""
    return timing.workload in ("host-to-device", "device-to-host") and timing.variant == "pinned"


@question("host", PcieLinkDegradedUnderLoad)
def does_the_link_carry_what_it_should(case: Case) -> Problem | None:
    """A generation below the maximum under load is a fault; a narrow link only where the copies are slow, too."""
    return measured.on_each(case, lambda at: _judge(case, at))


def _judge(case: Case, at: str) -> Problem | None:
    measured.need_use(case, at)
    watch = measured.readings(case, at)
    if watch is None or watch.pcie_generation is None or watch.pcie_width is None:
        raise NotApplicable("NVML knows no PCIe link of this device")
    copies = measured.rows(case, at, is_pinned)
    here = measured.card(case, at)
    if not copies or here is None:
        raise NotApplicable("no copies between host and card were measured")
    most_generation = case.present(f"{here}/pcie_generation_max", int)
    most_width = case.present(f"{here}/pcie_width_max", int)
    seen = False
    for pointer, row in copies:
        spell = row.spell
        if spell is None or spell.generation is None or spell.width is None:
            continue
        seen = True
        lane = LANE_BYTES_S.get(most_generation)
        slow = lane is not None and (row.bytes_per_s or 0.0) < SLOW_COPIES * lane * most_width
        if spell.generation < most_generation or (spell.width < most_width and slow):
            rate = (row.bytes_per_s or 0.0) / 1e9
            return case.problem(
                PcieLinkDegradedUnderLoad,
                f"{measured.device_name(case, at)}: the link is {spell.generation}.0 x{spell.width} while data go over "
                f"it, of {most_generation}.0 x{most_width}; {row.name}: {rate:.1f} GB/s",
                cause="the link trained lower than card and slot can: a riser, a contact, a setting, a switch between",
                evidence=[
                    f"{at}/watch/pcie_generation",
                    f"{at}/watch/pcie_width",
                    f"{here}/pcie_generation_max",
                    f"{here}/pcie_width_max",
                    f"{pointer}/samples_s",
                ],
                fix=PcieLinkDegradedUnderLoad.mend(case),
            )
    if not seen:
        raise CannotTell("NVML gave no reading during the copies", f"{at}/watch/at_s")
    return None
