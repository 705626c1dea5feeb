"""Did the driver report a fault of this card (Xid) or of a switch (SXid) since boot?"""

from __future__ import annotations

from envcheck.compat.rows import Xid
from envcheck.compat.xid import SYMPATHETIC, xid
from envcheck.facts import Symptom
from envcheck.judge import CannotTell, Case, Fix, Problem, Rule, Severity, Step, normal_bus_id, question

APP_LEVEL = ("restart_app", "debug_app")
QUIET = ("ignore", "follow", "do_what_it_says")
RANK = ("error", "warning", "note")


class XidInLog(Rule):
    """The driver reported a fault of this card in the kernel log.

    What it looks at
        The Xid numbers of the kernel log since boot, read with NVIDIA's catalogue; the newest of the gravest counts,
        and events that only accompany another one do not.
    Why it matters
        The number says who has to act: the program's author, a reset, a reboot, or the vendor.
    How to mend it
        By the catalogue's action for that number.
    Cannot tell when
        The kernel log may not be read (dmesg is restricted) and no message was given.
    References
        NVIDIA Xid errors, catalogue of codes and actions.
    """

    code, name, rung = "HWD401", "xid-in-log", "hardware"
    explains = ("cuda-init-unknown-error", "torch-cuda-unavailable", "torch-kernel-fails")

    @staticmethod
    def mend(case: Case) -> Fix:
        return _by_action(None, "N")


@question("gpu", XidInLog)
def did_the_card_report_a_fault(case: Case) -> Problem | None:
    """The newest of the gravest; a fault that the driver says needs no recovery any more is only a warning."""
    buses, unread = _buses(case)
    events = [(p, s) for p, s in case.seen("xid") if _values(s)[1:2] and normal_bus_id(_values(s)[1]) in buses]
    judged = [(p, s, number, row) for p, s in events for number, row in [_row(s)] if number not in SYMPATHETIC]
    if not judged:
        if unread is not None and case.seen("xid"):
            raise unread  # the events may be this card's
        case.known("/driver/recovery_log", list)  # an unread log is no clean one
        return None
    pointer, symptom, number, row = min(
        reversed(judged), key=lambda event: RANK.index(event[3].severity) if event[3] else RANK.index("warning")
    )
    severity: Severity = row.severity if row else "warning"
    if row is not None and row.action in APP_LEVEL:
        severity = "warning"  # a program failed; the card is as good as before
    if severity == "error" and _recovered(case):
        severity = "warning"
    return case.problem(
        XidInLog,
        f"{case.subject.label} reported Xid {number}" + (f": {row.meaning}" if row else ""),
        cause=symptom.text,
        evidence=[pointer],
        fix=_by_action(row, _index(case)),
        severity=severity,
    )


def _values(symptom: Symptom) -> list[str]:
    return symptom.values if isinstance(symptom.values, list) else []


def _row(symptom: Symptom) -> tuple[int, Xid | None]:
    number = int(_values(symptom)[0])
    return number, xid(number)


def _buses(case: Case) -> tuple[set[str], CannotTell | None]:
    """The card's bus ids in the form that the kernel log uses, and the first witness that would not tell it."""
    found: set[str] = set()
    unread: CannotTell | None = None
    for witness, field in (("pci", "address"), ("nvml", "bus_id"), ("smi", "bus_id"), ("proc", "bus_id")):
        if case.listed(witness):
            try:
                text = case.known(f"{case.at(witness)}/{field}", str)
            except CannotTell as why:
                unread = unread or why
            else:
                found |= {normal_bus_id(text)} if text else set()
    return found, unread


def _recovered(case: Case) -> bool:
    if not case.listed("nvml"):
        return False
    place = f"{case.at('nvml')}/recovery_action"
    return case.maybe(lambda: case.known(place, str)) == "none"


def _index(case: Case) -> str:
    return case.subject.places["nvml"].rsplit("/", 1)[-1] if case.listed("nvml") else "N"


def _by_action(row: Xid | None, index: str) -> Fix:
    reset = Step(
        where="host", command=f"sudo nvidia-smi --gpu-reset -i {index}", root=True, note="drain the card first"
    )
    reboot = Step(where="host", command="sudo reboot", root=True, reboot=True)
    report = Step(where="host", command="sudo nvidia-bug-report.sh", root=True, note="for the vendor")
    steps: dict[str, tuple[str, list[Step], str]] = {
        "restart_app": ("Start the program again", [], "safe"),
        "debug_app": (
            "Find the fault in the program",
            [Step(where="env", command="CUDA_LAUNCH_BLOCKING=1 python …", note="or compute-sanitizer")],
            "safe",
        ),
        "reset_gpu": ("Drain and reset the card, reboot if that is refused", [reset, reboot], "disruptive"),
        "reset_later": ("Reset the card at the next idle time", [reset], "disruptive"),
        "reboot": ("Reboot the machine", [reboot], "disruptive"),
        "restart_vm": ("Restart the virtual machine", [reboot], "disruptive"),
        "restart_bare_metal": (
            "Drain, then switch the machine off and on (a warm reboot may not bring the card back)",
            [Step(where="host", command="sudo poweroff", root=True, reboot=True), report],
            "disruptive",
        ),
        "check_mechanics": (
            "Check the card's power connectors",
            [Step(where="host", command="sudo poweroff", root=True, reboot=True, note="then attach every connector")],
            "disruptive",
        ),
        "rma": ("Drain and reset the card, then return it", [reset, report], "disruptive"),
        "nvlink5": ("Reset the linked cards; check the cables", [reset, report], "disruptive"),
        "contact_support": ("Report it to the vendor", [report], "careful"),
        "watch": (
            "Watch whether it comes back",
            [Step(where="host", command="sudo dmesg | grep Xid", root=True)],
            "safe",
        ),
    }
    title, found, safety = steps.get(row.action if row else "contact_support", ("Nothing has to be done", [], "safe"))
    return Fix(
        title=title,
        steps=found,
        safety=safety,  # type: ignore[arg-type]
        verify="sudo dmesg | grep -E 'Xid' | tail -n 5   # none new",
    )


class NvswitchFatal(Rule):
    """An NVSwitch reported a fault.

    What it looks at
        SXid lines of the kernel log since boot.
    Why it matters
        The cards behind the switch cannot reach each other, and CUDA may not start on any of them.
    How to mend it
        Reboot the machine; report it to the vendor when it comes back.
    Cannot tell when
        The kernel log may not be read and no message was given.
    References
        NVIDIA Fabric Manager user guide, SXid errors; leptonai/gpud.
    """

    code, name, rung = "HWD402", "nvswitch-fatal", "hardware"
    explains = ("fabric-manager-not-running", "cuda-init-unknown-error", "torch-cuda-unavailable")

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Reboot the machine; report the switch when it comes back",
            steps=[
                Step(where="host", command="sudo nvidia-bug-report.sh", root=True, note="first: the log is lost after"),
                Step(where="host", command="sudo reboot", root=True, reboot=True),
            ],
            safety="disruptive",
            verify="sudo dmesg | grep SXid",
        )


@question("host", NvswitchFatal)
def did_a_switch_report_a_fault(case: Case) -> Problem | None:
    """Only a line that calls itself fatal is an error; others are warnings."""
    events = case.seen("sxid")
    if not events:
        case.known("/driver/recovery_log", list)
        return None
    fatal = [(p, s) for p, s in events if "fatal" in s.text.lower() and "non-fatal" not in s.text.lower()]
    pointer, symptom = (fatal or events)[-1]
    return case.problem(
        NvswitchFatal,
        f"an NVSwitch reported SXid {(_values(symptom) or ['?'])[0]}",
        cause=symptom.text,
        evidence=[pointer],
        fix=NvswitchFatal.mend(case),
        severity=None if fatal else "warning",
    )
