"""Are the cards' NVLinks up and clean?"""

from __future__ import annotations

from envcheck.facts import NvLink
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.gauges import gauges


class NvlinkInactive(Rule):
    """Some of the card's NVLinks are down while others are up.

    What it looks at
        The state of each NVLink of the card.
    Why it matters
        Peer copies fall back to fewer links or to PCIe, and collectives run at a fraction of their speed.
    How to mend it
        Reset all linked cards; reseat the bridge; on NVSwitch machines look at the fabric manager.
    Cannot tell when
        The driver does not answer for this card.  A card with all links down has no bridge, as most have.
    References
        nvmlDeviceGetNvLinkState; Azure azurehpc-health-checks, check_nvlink_status.
    """

    code, name, rung = "HWD501", "nvlink-inactive", "hardware"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Bring the links up again",
            steps=[
                Step(where="host", command="nvidia-smi nvlink --status"),
                Step(where="host", command="sudo systemctl restart nvidia-fabricmanager", root=True, note="NVSwitch"),
                Step(where="host", command="sudo reboot", root=True, reboot=True, note="resets all linked cards"),
            ],
            safety="disruptive",
            verify="nvidia-smi nvlink --status",
        )


class NvlinkErrors(Rule):
    """An NVLink of the card had to recover from errors.

    What it looks at
        The recovery counters of each link.  Replays and CRC errors are judged by their rate only, which one reading
        does not give.
    Why it matters
        Recoveries stall peer traffic and announce a failing link.
    How to mend it
        Reset the cards; with new recoveries run the field diagnostic and check bridge or cables.
    Cannot tell when
        The driver does not answer for this card, or does not tell the counters.
    References
        NVIDIA DCGM, NVLink error thresholds.
    """

    code, name, rung = "HWD502", "nvlink-errors", "hardware"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Reset the linked cards; with new recoveries check bridge or cables",
            steps=[
                Step(where="host", command="nvidia-smi nvlink --errorcounters"),
                Step(where="host", command="sudo nvidia-smi --gpu-reset", root=True, note="all linked cards together"),
            ],
            safety="disruptive",
            verify="nvidia-smi nvlink --errorcounters",
        )


@question("gpu", NvlinkInactive, NvlinkErrors)
def are_the_links_up_and_clean(case: Case) -> Problem | None:
    """A card whose links are all down has none in use."""
    at = gauges(case)
    links = case.records(f"{at}/nvlinks", NvLink)
    if not links:
        raise NotApplicable("the card has no NVLink")
    active = [(p, case.present(f"{p}/active", bool)) for p, _ in links]
    up = [p for p, on in active if on]
    down = [p for p, on in active if not on]
    if not up:
        raise NotApplicable("no NVLink is in use")
    if down:
        return case.problem(
            NvlinkInactive,
            f"{case.subject.label}: {len(down)} of {len(links)} NVLinks are down",
            cause="the links failed, or their bridge or fabric is not up",
            evidence=[f"{p}/active" for p in down],
            fix=NvlinkInactive.mend(case),
        )
    counts = [(p, case.known(f"{p}/recovery_errors", int) or 0) for p in up]
    bad = [(p, n) for p, n in counts if n > 0]
    if bad:
        return case.problem(
            NvlinkErrors,
            f"{case.subject.label}: {sum(n for _, n in bad)} NVLink recoveries on {len(bad)} links",
            cause="the links lost and regained their connection",
            evidence=[f"{p}/recovery_errors" for p, _ in bad],
            fix=NvlinkErrors.mend(case),
        )
    return None
