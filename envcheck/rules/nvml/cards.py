"""Does each card answer?  One decision for a card that is lost, refused, or waits for a reset."""

from __future__ import annotations

import re

from envcheck.facts import Gpu, ProcGpu, Symptom
from envcheck.judge import CannotTell, Case, NotApplicable, Problem, RuleType, normal_bus_id, question
from envcheck.rules.hardware.machine import narrowed, require_own_driver, tell
from envcheck.rules.presence import pci_cards

from .faults import (
    FATAL_ACTIONS,
    GpuAuxPowerMissing,
    GpuFallenOffBus,
    GpuInitFailed,
    GspFirmwareFailure,
    NvmlResetRequired,
    PcieBarUnassigned,
)

# nvmlReturn_t of nvml.h
NO_PERMISSION, INSUFFICIENT_POWER, GPU_IS_LOST, RESET_REQUIRED, UNKNOWN = 4, 8, 15, 16, 999

RULES = (
    GpuFallenOffBus,
    GpuAuxPowerMissing,
    PcieBarUnassigned,
    GpuInitFailed,
    GspFirmwareFailure,
    NvmlResetRequired,
)
REFUSED = (GpuFallenOffBus, GpuInitFailed, GspFirmwareFailure)

# Wordings of NVIDIA's open-gpu-kernel-modules (osapi.c, osinit.c) and of the kernel's firmware loader.
_LOST = re.compile(r"fallen off the bus|Xid \([^)]*\): 79,")
_GSP = re.compile(
    r"Cannot initialize GSP firmware RM|RmInitAdapter failed! \(0x6[0-3]:|nvidia/\S+/gsp\w*\.bin failed with error"
    r"|Xid \([^)]*\).*?: (?:119|120),|of waiting for RPC response from GPU\d* ?GSP|waiting for RPC from GSP"
)
_FAILED = re.compile(r"RmInitAdapter failed! \(([0-9a-fx:]+)\)|rm_init_adapter failed")
_BUS = re.compile(r"\b[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}(?:\.[0-7])?(?![0-9a-f])", re.IGNORECASE)


@question("gpu", *RULES)
def does_the_card_answer(case: Case) -> Problem | None:
    """What NVML says of a card that it lists; what the bus and the kernel log say of one that it does not."""
    recorded = case.listed("smi") and not case.told("/nvml/init_code")  # nvidia-smi's output, and nothing else
    if not case.listed("nvml") and not recorded:
        return _unlisted(case)
    at = case.at("smi" if recorded else "nvml")
    code = case.known(f"{at}/error_code", int)
    if code is None:
        return _waits_for_reset(case, at)
    where = case.subject.label
    if code == GPU_IS_LOST:
        return _problem(case, GpuFallenOffBus, f"{where} is lost (NVML code 15)", "its PCIe link died", at)
    if code == RESET_REQUIRED:
        cause = "a fault left it unusable until it is reset"
        return _problem(case, NvmlResetRequired, f"{where} requires a reset (NVML code 16)", cause, at)
    if code == INSUFFICIENT_POWER:
        cause = "its auxiliary power connector is not attached, or not delivering"
        return _problem(case, GpuAuxPowerMissing, f"{where} lacks external power (NVML code 8)", cause, at)
    if code == NO_PERMISSION:
        raise NotApplicable("the card may not be opened: see the device_nodes rung")
    return _handle_failed(case, at, code)


def _waits_for_reset(case: Case, at: str) -> Problem | None:
    """The driver's own verdict (field 230, newer drivers).  "Not supported" is not "none"."""
    try:
        action = case.known(f"{at}/recovery_action", str)
    except CannotTell as why:
        raise narrowed(why, NvmlResetRequired) from why
    if action in (None, "none"):
        return None
    spoken = (action or "").replace("_", " ")
    return case.problem(
        NvmlResetRequired,
        f"the driver asks for a recovery of {case.subject.label}: {spoken}",
        cause="an earlier fault of the card is not healed; the kernel log names it (Xid)",
        evidence=[f"{at}/recovery_action"],
        fix=NvmlResetRequired.mend(case),
        severity=None if action in FATAL_ACTIONS else "warning",
    )


def _handle_failed(case: Case, at: str, code: int) -> Problem:
    """NVML counts the card and cannot open it: the kernel log decides between lost and refused."""
    summary = f"NVML cannot open {case.subject.label} (code {code})"
    try:
        lines = _log(case)
    except CannotTell as unread:
        likely: RuleType = GpuFallenOffBus if code == UNKNOWN else GpuInitFailed
        return _suspect(case, unread, likely, summary, [f"{at}/error_code", f"{at}/error_text"])
    rule = _by_log(lines) or GpuInitFailed
    return _problem(case, rule, summary, _cause(rule, lines), at, [pointer for pointer, _ in lines])


def _suspect(case: Case, unread: CannotTell, rule: RuleType, summary: str, evidence: list[str]) -> Problem:
    """That the card does not work was seen; the log, which tells why, was not.  A message outweighs this."""
    names = {rule.name for rule in REFUSED}
    if any(item.suggests in names for _, item in case.maybe_records("/symptoms", Symptom)):
        raise narrowed(unread, *REFUSED) from unread
    cause = f"the driver cannot use the card; the kernel log would say why ({unread.why})"
    return case.problem(
        rule, summary, cause=cause, evidence=tell(case, *evidence), fix=rule.mend(case), confidence="suggested"
    )


def _unlisted(case: Case) -> Problem | None:
    """On the bus and not in NVML's list."""
    require_own_driver(case)
    if case.known("/container/engine", str) or case.known("/container/scheduler", str):
        raise NotApplicable("sysfs and /proc show the whole host's cards, not only those given to this job")
    if not case.listed("pci"):
        raise NotApplicable("only /proc or nvidia-smi speaks of this card")
    card = case.at("pci")
    if card not in pci_cards(case):
        raise NotApplicable("a virtual function, which a vGPU guest uses")
    driver = case.known(f"{card}/driver", str)
    if driver not in (None, "nvidia"):
        raise NotApplicable(f"held by {driver}: see gpu-bound-to-other-driver and nouveau-conflict")
    if case.known(f"{card}/power_state", str) == "D3cold":
        raise NotApplicable("the card sleeps (D3cold): see hybrid-gpu-powered-off")
    code = case.known("/nvml/init_code", int)
    if code == 0:
        for pointer, _ in case.records("/nvml/gpus", Gpu):
            case.known(f"{pointer}/bus_id", str)  # an entry without a place could be this very card
    if case.known(f"{card}/bar1_bytes", int) == 0:
        return _unassigned(case, card)
    if code != 0:
        raise NotApplicable("NVML lists no card at all: see the question whether it answers")
    if _is_excluded(case):
        raise NotApplicable("the driver was told to leave this card alone (GPU Excluded)")
    return _not_initialised(case, card)


def _unassigned(case: Case, card: str) -> Problem:
    """Without its second memory region the driver cannot take the card; zero lines after it are normal."""
    return case.problem(
        PcieBarUnassigned,
        f"the firmware gave {case.subject.label} no memory region (BAR1 has 0 bytes)",
        cause="the BIOS or the hypervisor has no room for it: no decoding above 4 GB, or too small a window",
        evidence=tell(case, f"{card}/bar1_bytes", f"{card}/bar0_bytes", f"{card}/driver", "/nvml/device_count"),
        fix=PcieBarUnassigned.mend(case),
    )


def _not_initialised(case: Case, card: str) -> Problem:
    summary = f"{case.subject.label} is on the PCI bus, and NVML does not list it"
    evidence = [f"{card}/driver", "/nvml/device_count"]
    try:
        lines = _log(case)
        firmware = case.known("/driver/gsp_firmware", list)
        is_open = case.known("/driver/open_module", bool)
    except CannotTell as unread:
        return _suspect(case, unread, GpuInitFailed, summary, evidence)
    rule = _by_log(lines)
    if rule is None and is_open and not firmware:
        rule, evidence = GspFirmwareFailure, [*evidence, "/driver/gsp_firmware", "/driver/sys_module"]
        cause = "the GSP firmware of the loaded driver version is not installed, and the open module needs it"
    else:
        rule = rule or GpuInitFailed
        cause = _cause(rule, lines)
    return case.problem(
        rule,
        summary,
        cause=cause,
        evidence=tell(case, *evidence, *(pointer for pointer, _ in lines)),
        fix=rule.mend(case),
    )


def _is_excluded(case: Case) -> bool:
    if not case.listed("proc"):
        case.records("/driver/gpus", ProcGpu)
        return False
    return case.known(f"{case.at('proc')}/excluded", bool) is True


def _log(case: Case) -> list[tuple[str, str]]:
    """The kernel's records about this card (or about no card in particular): (pointer, text), newest last."""
    records = case.known("/driver/recovery_log", list) or []
    mine = _bus_of(case)
    found = []
    for i, record in enumerate(records):
        if not (_LOST.search(record) or _GSP.search(record) or _FAILED.search(record)):
            continue
        named = _BUS.search(record)
        if named is None or mine is None or normal_bus_id(named[0]).split(".")[0] == mine.split(".")[0]:
            found.append((f"/driver/recovery_log/{i}", record))
    return found[-3:]


def _bus_of(case: Case) -> str | None:
    for who, field in (("pci", "address"), ("nvml", "bus_id"), ("proc", "bus_id")):
        if case.listed(who):
            bus = case.known(f"{case.at(who)}/{field}", str)
            if bus:
                return normal_bus_id(bus)
    return None


def _by_log(lines: list[tuple[str, str]]) -> RuleType | None:
    """The newest record that names a reason; a lost card outweighs what failed because of it."""
    if any(_LOST.search(text) for _, text in lines):
        return GpuFallenOffBus
    if any(_GSP.search(text) for _, text in lines):
        return GspFirmwareFailure
    return GpuInitFailed if lines else None


def _cause(rule: RuleType, lines: list[tuple[str, str]]) -> str:
    if rule is GpuFallenOffBus:
        return "its PCIe link died"
    if rule is GspFirmwareFailure:
        return "its GSP processor did not start: firmware missing, of another version, or hung"
    codes = [found[1] for _, text in lines if (found := _FAILED.search(text)) and found[1]]
    return f"the driver refused it at initialisation{f' ({codes[-1]})' if codes else ''}"


def _problem(case: Case, rule: RuleType, summary: str, cause: str, at: str, more: list[str] | None = None) -> Problem:
    evidence = [f"{at}/error_code", f"{at}/error_text", *(more or [])]
    if case.listed("pci"):
        evidence.append(f"{case.at('pci')}/link_width")
    return case.problem(rule, summary, cause=cause, evidence=tell(case, *evidence), fix=rule.mend(case))
