"""Is the card's own record sound?"""

from __future__ import annotations

from envcheck.judge import Case, Fix, Problem, Rule, Step, question

from .machine import answering_card


class InforomCorrupt(Rule):
    """The card's infoROM is damaged: what it remembers of itself cannot be trusted.

    What it looks at
        NVML's check of the infoROM (nvmlDeviceValidateInforom).
    Why it matters
        CUDA goes on working, but the history of memory errors is unreliable, and the GPU Operator refuses the node.
    How to mend it
        Return the card; only the vendor's support can write it anew.
    Cannot tell when
        The driver does not check it for this card.
    References
        NVML return code 14; NVIDIA GPU Operator troubleshooting; NVIDIA DCGM, CORRUPT_INFOROM.
    """

    code, name, rung = "HWD112", "inforom-corrupt", "hardware"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Collect the report for the vendor and return the card",
            steps=[Step(where="host", command="sudo nvidia-bug-report.sh", root=True)],
            verify="nvidia-smi; echo $?   # 14 means a damaged infoROM",
        )


@question("gpu", InforomCorrupt)
def is_the_inforom_sound(case: Case) -> Problem | None:
    """NVML validates it; boards without one give no answer."""
    at = answering_card(case)
    if case.present(f"{at}/inforom_valid", bool):
        return None
    return case.problem(
        InforomCorrupt,
        f"{case.subject.label}: the infoROM is damaged",
        cause="the checksum of the board's own record does not match",
        evidence=[f"{at}/inforom_valid"],
        fix=InforomCorrupt.mend(case),
    )
