"""Is the right kernel module loaded?  One decision for all that can keep it out (failure-modes §2)."""

from __future__ import annotations

import re

from envcheck.compat.driver import requires_open_module, supports_open_module
from envcheck.facts import ModuleFile
from envcheck.judge import CannotTell, Case, NotApplicable, Problem, RuleType, question
from envcheck.rules.hardware.machine import (
    driven_cards,
    library_copies,
    module_files,
    narrowed,
    require_bare_linux,
    tell,
)
from envcheck.rules.presence import pci_cards

from .flavour import DriverDroppedGpuArch, OpenModuleUnsupportedGpu, ProprietaryModuleOnNewGpu
from .generations import branch_of, capability, is_dropped, not_listed
from .missing import (
    DriverNotInstalled,
    KernelModuleNotBuilt,
    KernelModuleNotLoaded,
    NouveauConflict,
    SecureBootUnsignedModule,
)

FLAVOURS = (DriverDroppedGpuArch, OpenModuleUnsupportedGpu, ProprietaryModuleOnNewGpu)
REFUSALS = (DriverDroppedGpuArch, OpenModuleUnsupportedGpu, SecureBootUnsignedModule, KernelModuleNotLoaded)
_refusal = re.compile(r"NVRM: (?:No NVIDIA|None of the NVIDIA|This PCI I/O region|The NVIDIA probe)").search
"""Wordings of NVIDIA's open-gpu-kernel-modules, kernel-open/nvidia/nv.c and nv-pci.c."""

RULES = (
    DriverNotInstalled,
    KernelModuleNotBuilt,
    NouveauConflict,
    SecureBootUnsignedModule,
    *FLAVOURS,
    KernelModuleNotLoaded,
)


@question("host", *RULES)
def is_the_right_kernel_module_loaded(case: Case) -> Problem | None:
    """From the outside in: is a driver there, for this kernel, free to load, and made for these cards?"""
    require_bare_linux(case)
    if not pci_cards(case):
        raise NotApplicable("no NVIDIA card on the PCI bus")
    cards = driven_cards(case)
    if not cards:
        raise NotApplicable("every card is held for a virtual machine")
    held = [card for card in cards if case.known(f"{card}/driver", str) == "nouveau"]
    if held and module_files(case):
        return _problem(
            case,
            NouveauConflict,
            "nouveau holds the NVIDIA card, although an NVIDIA module is installed",
            "nouveau was loaded first and took the card",
            [*(f"{card}/driver" for card in held), *(f"{pointer}/path" for pointer, _ in module_files(case))],
        )
    if case.known("/driver/module_loaded", bool):
        return _loaded(case, cards)
    files = case.records("/driver/module_files", ModuleFile)
    if not files:
        return _nothing_built(case, cards)
    if not module_files(case):
        others = ", ".join(sorted({file.kernel_release for _, file in files}))
        return _problem(
            case,
            KernelModuleNotBuilt,
            f"no NVIDIA kernel module for the running kernel {case.known('/host/kernel_release', str)}",
            f"the module exists for {others} only: it was not built or installed when the kernel changed",
            [
                "/host/kernel_release",
                *(f"{pointer}/path" for pointer, _ in files),
                "/driver/kernel_headers",
                "/driver/dkms_versions",
            ],
        )
    return _refused(case, cards)


def _nothing_built(case: Case, cards: list[str]) -> Problem:
    try:
        copies = [*library_copies(case, "libcuda.so.1"), *library_copies(case, "libnvidia-ml.so.1")]
        sources = case.known("/driver/dkms_versions", list)
    except CannotTell as why:
        raise narrowed(why, DriverNotInstalled, KernelModuleNotBuilt) from why
    if copies or sources:
        return _problem(
            case,
            KernelModuleNotBuilt,
            "the NVIDIA driver is installed without a kernel module for any kernel",
            "its libraries or DKMS sources are there, and no nvidia.ko was built or installed",
            [
                "/driver/module_files",
                "/driver/dkms_versions",
                "/driver/kernel_headers",
                *(f"{pointer}/path" for pointer, _ in copies),
            ],
        )
    return _problem(
        case,
        DriverNotInstalled,
        "an NVIDIA card is on the PCI bus and no NVIDIA driver is installed",
        "there is no nvidia kernel module for any kernel, and no driver library",
        [*(f"{card}/device" for card in cards), *(f"{card}/driver" for card in cards), "/driver/module_files"],
    )


def _refused(case: Case, cards: list[str]) -> Problem:
    """A module for this kernel exists and is not loaded."""
    files = module_files(case)
    why, said = _why_not_loaded(case)
    summary = "the NVIDIA kernel module is installed and not loaded"
    evidence = [
        "/driver/module_loaded",
        *(f"{pointer}/path" for pointer, _ in files),
        "/driver/module_blacklists",
        *said,
    ]
    try:
        problem = _too_old_for_module(case, cards, files) or _unsigned(case, files)
    except CannotTell as unread:
        # It is not loaded, that much was seen; whether for one of the particular reasons was not.
        if _is_heard(case, *REFUSALS):
            raise narrowed(unread, *REFUSALS) from unread
        cause = f"{why} ({unread.why})"
        return _problem(case, KernelModuleNotLoaded, summary, cause, evidence, suggested=True)
    return problem or _problem(case, KernelModuleNotLoaded, summary, why, evidence)


def _why_not_loaded(case: Case) -> tuple[str, list[str]]:
    """What is known of the reason, for the wording: (cause, pointers of what the kernel said)."""
    blacklists = case.maybe(lambda: case.known("/driver/module_blacklists", list))
    if isinstance(blacklists, list) and blacklists:
        return f"it is kept from loading by {blacklists[0]}", []
    log = case.maybe(lambda: case.known("/driver/recovery_log", list))
    refusals = [
        i
        for i, record in enumerate(log if isinstance(log, list) else [])
        if isinstance(record, str) and _refusal(record)
    ]
    if refusals:
        return "the kernel log says that the module refused the card", [f"/driver/recovery_log/{refusals[-1]}"]
    if case.maybe(lambda: case.known("/host/secure_boot", bool)) is True:
        return "nothing on the disk forbids it; Secure Boot is on and refuses modules whose key is not enrolled", []
    return "nothing on the disk forbids it: modprobe or the kernel log can say why", []


def _too_old_for_module(case: Case, cards: list[str], files: list[tuple[str, ModuleFile]]) -> Problem | None:
    """A module whose only cards it does not drive is unloaded again at once."""
    known = [(card, capability(case, card)) for card in cards]
    old = [(card, cc) for card, cc in known if cc is not None and not supports_open_module(cc)]
    if len(old) < len(known):
        return None
    libraries = [f"{pointer}/version" for pointer, _ in library_copies(case, "libnvidia-ml.so.1")]
    versions = [*(f"{pointer}/version" for pointer, _ in files), *libraries]
    branch = branch_of(case.first(str, *versions))
    if all(is_dropped(branch, cc) for _, cc in old):
        return _dropped(case, [card for card, _ in old], branch, versions)
    flavours = [case.known(f"{pointer}/license", str) for pointer, _ in files]
    if all(flavour is not None and flavour != "NVIDIA" for flavour in flavours):
        return _problem(
            case,
            OpenModuleUnsupportedGpu,
            "the open kernel module does not drive this card, and does not stay loaded",
            "the open modules need a GSP processor, which cards before Turing do not have",
            [*(f"{card}/device" for card, _ in old), *(f"{pointer}/license" for pointer, _ in files)],
        )
    return None


def _unsigned(case: Case, files: list[tuple[str, ModuleFile]]) -> Problem | None:
    if not case.known("/host/secure_boot", bool):
        return None
    if any(case.known(f"{pointer}/signed", bool) for pointer, _ in files):
        return None
    return _problem(
        case,
        SecureBootUnsignedModule,
        "Secure Boot is on, and the NVIDIA kernel module is not signed",
        "with Secure Boot the kernel refuses modules without a signature",
        ["/host/secure_boot", *(f"{pointer}/signed" for pointer, _ in files), "/driver/module_loaded"],
    )


def _loaded(case: Case, cards: list[str]) -> Problem | None:
    try:
        problem = _wrong_flavour(case, cards)
    except CannotTell as why:
        raise narrowed(why, *FLAVOURS, KernelModuleNotBuilt) from why
    if problem is not None:
        return problem
    try:
        return _stale(case)
    except CannotTell as why:
        raise narrowed(why, KernelModuleNotBuilt) from why


def _wrong_flavour(case: Case, cards: list[str]) -> Problem | None:
    known = [(card, cc) for card in cards if (cc := capability(case, card)) is not None]
    if not known:
        return None
    versions = ["/driver/sys_module", "/driver/proc"]
    branch = branch_of(case.first(str, *versions))
    is_open = case.known("/driver/open_module", bool)
    dropped = [card for card, cc in known if is_dropped(branch, cc)]
    too_old = [card for card, cc in known if is_open and not supports_open_module(cc)]
    too_new = [card for card, cc in known if is_open is False and requires_open_module(cc)]
    silent = not_listed(case, [*dropped, *too_old, *too_new])
    evidence = ["/driver/proc_banner", "/nvml/device_count"]
    if dropped := [card for card in dropped if card in silent]:
        return _dropped(case, dropped, branch, versions)
    if too_old := [card for card in too_old if card in silent]:
        return _problem(
            case,
            OpenModuleUnsupportedGpu,
            "the open kernel module is loaded, and it does not drive this card",
            "the open modules need a GSP processor, which cards before Turing do not have",
            [*(f"{card}/device" for card in too_old), *evidence],
        )
    if too_new := [card for card in too_new if card in silent]:
        return _problem(
            case,
            ProprietaryModuleOnNewGpu,
            "the proprietary kernel module is loaded, and this card works with the open one only",
            "from Blackwell on only the open kernel modules initialise a card",
            [*(f"{card}/device" for card in too_new), *evidence],
        )
    return None


def _stale(case: Case) -> Problem | None:
    """After an upgrade of the libraries the module on the disk must be of their version, or a restart mends nothing."""
    if case.known("/nvml/init_code", int) != 18:
        return None
    libraries = library_copies(case, "libnvidia-ml.so.1")
    if not libraries:
        return None
    wanted = case.known(f"{libraries[0][0]}/version", str)
    files = module_files(case)
    if wanted is None or wanted in [case.known(f"{pointer}/version", str) for pointer, _ in files]:
        return None
    return _problem(
        case,
        KernelModuleNotBuilt,
        f"the driver's libraries are of version {wanted}, and no kernel module of it exists for the running kernel",
        "the libraries were upgraded and the module was not built: a restart alone would load the old one again",
        [
            f"{libraries[0][0]}/version",
            *(f"{pointer}/version" for pointer, _ in files),
            "/driver/sys_module",
            "/driver/kernel_headers",
        ],
    )


def _dropped(case: Case, cards: list[str], branch: int | None, versions: list[str]) -> Problem:
    return _problem(
        case,
        DriverDroppedGpuArch,
        f"driver branch {branch} does not drive this card",
        "support for its generation ended with an earlier branch: the module ignores the card",
        [*(f"{card}/device" for card in cards), *versions],
    )


def _is_heard(case: Case, *rules: RuleType) -> bool:
    """Does a message name one of these rules?  Then the court takes its word before a mere suspicion."""
    from envcheck.facts import Symptom

    names = {rule.name for rule in rules}
    return any(item.suggests in names for _, item in case.maybe_records("/symptoms", Symptom))


def _problem(
    case: Case, rule: RuleType, summary: str, cause: str, evidence: list[str], *, suggested: bool = False
) -> Problem:
    return case.problem(
        rule,
        summary,
        cause=cause,
        evidence=tell(case, *evidence),
        fix=rule.mend(case),
        confidence="suggested" if suggested else "established",
    )
