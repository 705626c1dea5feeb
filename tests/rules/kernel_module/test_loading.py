"""Is the right kernel module loaded?  `NVIDIA-SMI has failed …` has many reasons; what is on disk tells them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import ModuleFile, Unread
from envcheck.judge import Verdict
from envcheck.rules.kernel_module.loading import RULES
from envcheck.testing import Machine, judge_one, machine, parts

NAMES = [rule.name for rule in RULES]
INSTALLED, LOADED, BUILT = "driver-not-installed", "kernel-module-not-loaded", "kernel-module-not-built"
SECURE, NOUVEAU = "secure-boot-unsigned-module", "nouveau-conflict"
OPEN, CLOSED, DROPPED = "open-module-unsupported-gpu", "proprietary-module-on-new-gpu", "driver-dropped-gpu-arch"

REFUSED, UNSUPPORTED = Unread("refused"), Unread("unsupported", "compressed module")
FILE, PCI = "/driver/module_files/0", "/devices/pci/0"
PASCAL, VOLTA, BLACKWELL, UNLISTED = 0x1B06, 0x1DB1, 0x2B85, 0xFFFE
EMPTY = {"/nvml/device_count": 0, "/nvml/gpus": []}
VERSION_595 = {
    f"{FILE}/version": "595.45.04",
    f"{FILE}/license": "NVIDIA",
    "/driver/libraries/1/version": "595.45.04",
}
LOADED_595 = {"/driver/sys_module": "595.45.04", "/driver/proc": "595.45.04", "/driver/open_module": False}
STALE = {f"{FILE}/version": "575.64.03"}
OLD_CARD = {f"{PCI}/device": PASCAL}


@pytest.mark.parametrize(
    ("rule", "cast", "changes", "outcome"),
    [
        (INSTALLED, "driver-not-installed", {}, "problem"),
        (INSTALLED, "driver-not-installed", {f"{PCI}/driver": "nouveau"}, "problem"),  # no module that could take over
        (INSTALLED, "h100", {}, "ok"),
        (INSTALLED, "driver-not-installed", {"/driver/module_files": REFUSED}, "cannot_tell"),
        (INSTALLED, "driver-not-installed", {"/driver/libraries": REFUSED}, "cannot_tell"),
        (INSTALLED, "cpu-only", {}, "not_applicable"),
        (INSTALLED, "container-without-gpu", {}, "not_applicable"),
        (INSTALLED, "wsl2-rtx3080", {}, "not_applicable"),
        (INSTALLED, "jetson-orin", {}, "not_applicable"),
        (INSTALLED, "windows-rtx4090", {}, "not_applicable"),
        (LOADED, "module-not-loaded", {}, "problem"),
        (LOADED, "module-not-loaded", {f"{PCI}/device": UNLISTED}, "problem"),  # the table does not have this card
        (LOADED, "h100", {}, "ok"),
        (LOADED, "module-not-loaded", {"/driver/module_loaded": REFUSED}, "cannot_tell"),
        (LOADED, "container-without-gpu", {"/driver/module_loaded": False}, "not_applicable"),
        (LOADED, "module-not-loaded", {f"{PCI}/driver": "vfio-pci"}, "not_applicable"),
        (BUILT, "module-not-built", {}, "problem"),
        (BUILT, "module-not-loaded", {"/driver/module_files": []}, "problem"),  # libraries, and no module at all
        (BUILT, "driver-not-installed", {"/driver/dkms_versions": ["580.95.05"]}, "problem"),
        (BUILT, "version-mismatch", STALE, "problem"),  # a restart would load the old module again
        (BUILT, "version-mismatch", {}, "ok"),  # the new module is there: a restart mends it
        (BUILT, "module-not-built", {"/host/kernel_release": REFUSED}, "cannot_tell"),
        (BUILT, "version-mismatch", {f"{FILE}/version": UNSUPPORTED}, "cannot_tell"),
        (BUILT, "nvml-hang", {}, "cannot_tell"),
        (BUILT, "cpu-torch", {}, "not_applicable"),
        (SECURE, "secure-boot", {}, "problem"),
        (SECURE, "secure-boot", {f"{FILE}/signed": True}, "ok"),
        (SECURE, "secure-boot", {"/host/secure_boot": False}, "ok"),
        (SECURE, "h100", {"/host/secure_boot": True, f"{FILE}/signed": False}, "ok"),  # it is loaded
        (SECURE, "secure-boot", {"/host/secure_boot": Unread("missing")}, "cannot_tell"),
        (SECURE, "secure-boot", {f"{FILE}/signed": UNSUPPORTED}, "cannot_tell"),
        (SECURE, "docker-a100", {}, "not_applicable"),
        (NOUVEAU, "nouveau", {}, "problem"),
        (NOUVEAU, "h100", {f"{PCI}/driver": "nouveau"}, "problem"),  # one of two
        (NOUVEAU, "h100", {"/driver/nouveau_loaded": True}, "ok"),  # loaded, and holds no card
        (NOUVEAU, "nouveau", {"/driver/module_files": []}, "ok"),  # then blacklisting it only takes the display away
        (NOUVEAU, "nouveau", {f"{PCI}/driver": REFUSED}, "cannot_tell"),
        (NOUVEAU, "cpu-only", {}, "not_applicable"),
        (OPEN, "module-not-loaded", OLD_CARD, "problem"),
        (OPEN, "h100", {f"{PCI}/device": VOLTA, **EMPTY}, "problem"),
        (OPEN, "h100", {f"{PCI}/device": VOLTA}, "ok"),  # NVML lists it, whatever the table says
        (OPEN, "gpu-older-than-build", {}, "ok"),  # the proprietary module
        (OPEN, "module-not-loaded", {**OLD_CARD, f"{FILE}/license": "NVIDIA"}, "ok"),
        (OPEN, "h100", {f"{PCI}/device": VOLTA, "/nvml/gpus": REFUSED}, "cannot_tell"),
        (OPEN, "module-not-loaded", {**OLD_CARD, f"{FILE}/license": UNSUPPORTED}, "cannot_tell"),
        (OPEN, "wsl2-rtx3080", {}, "not_applicable"),
        (CLOSED, "rtx5090", {**EMPTY, "/driver/open_module": False}, "problem"),
        (CLOSED, "rtx5090", {"/driver/open_module": False}, "ok"),  # NVML lists it
        (CLOSED, "rtx5090", EMPTY, "ok"),  # the open module: something else refused the card
        (CLOSED, "rtx5090", {**EMPTY, "/driver/open_module": REFUSED}, "cannot_tell"),
        (CLOSED, "rtx5090", {f"{PCI}/device": REFUSED}, "cannot_tell"),
        (CLOSED, "jetson-orin", {}, "not_applicable"),
        (DROPPED, "module-not-loaded", {**OLD_CARD, **VERSION_595}, "problem"),
        (DROPPED, "gtx1080ti-cu126", {**LOADED_595, **EMPTY}, "problem"),
        (DROPPED, "gtx1080ti-cu126", {}, "ok"),  # branch 580 is the last that drives it
        (DROPPED, "gtx1080ti-cu126", LOADED_595, "ok"),  # NVML lists it
        (DROPPED, "h100", LOADED_595, "ok"),
        (DROPPED, "gtx1080ti-cu126", {**EMPTY, "/driver/sys_module": REFUSED, "/driver/proc": REFUSED}, "cannot_tell"),
        (DROPPED, "module-not-loaded", {**VERSION_595, f"{PCI}/device": REFUSED}, "cannot_tell"),
        (DROPPED, "macos-m2", {}, "not_applicable"),
    ],
)
def test_outcomes(rule: str, cast: str, changes: dict[str, Any], outcome: str) -> None:
    """Both sides of each rule, and both kinds of silence."""
    assert judge_one(rule, machine(cast).but(changes)).outcome == outcome


def test_only_one_of_them_speaks() -> None:
    """The look-alikes share one decision: never two, and the others are cleared."""
    for cast in ("driver-not-installed", "module-not-loaded", "module-not-built", "secure-boot", "nouveau"):
        found = {name: judge_one(name, machine(cast)).outcome for name in NAMES}
        assert sorted(found.values()) == ["ok"] * (len(NAMES) - 1) + ["problem"], cast


def test_what_keeps_it_out_is_named() -> None:
    """The cause is the blacklist, the module's own refusal, Secure Boot, or openly unknown."""
    line = "/etc/modprobe.d/prime.conf: blacklist nvidia"
    log = "[ 5.1] NVRM: No NVIDIA GPU found."
    causes = {
        key: judge_one(LOADED, machine("module-not-loaded").but(changes)).finding.cause  # type: ignore[union-attr]
        for key, changes in {
            "blacklist": {"/driver/module_blacklists": [line]},
            "log": {"/driver/recovery_log": ["[ 1.0] nvidia: loading", log]},
            "secure boot": {"/host/secure_boot": True},
            "unknown": {},
        }.items()
    }
    assert line in causes["blacklist"]
    assert "kernel log" in causes["log"]
    assert "Secure Boot" in causes["secure boot"]
    assert "can say why" in causes["unknown"]


@pytest.mark.parametrize(
    "changes",
    [{"/host/secure_boot": Unread("missing")}, {f"{PCI}/device": REFUSED}, {"/driver/libraries": REFUSED, **OLD_CARD}],
)
def test_what_was_seen_is_reported_where_the_reason_is_not_known(changes: dict[str, Any]) -> None:
    """That the module is not loaded was seen; a suspicion says so, and no rule is convicted by ignorance."""
    now = machine("module-not-loaded").but(changes)
    verdict = judge_one(LOADED, now)
    assert verdict.outcome == "cannot_tell"
    assert verdict.finding is not None and verdict.finding.confidence == "suggested"
    assert {judge_one(name, now).outcome for name in NAMES} == {"cannot_tell"}


def test_a_message_outweighs_that_suspicion(heard: Callable[..., Machine]) -> None:
    """Where modprobe's own words were seen, they lead, not the mere fact that the module is absent."""
    unsure = machine("secure-boot").but({"/host/secure_boot": Unread("missing")})
    words = "modprobe: ERROR: could not insert 'nvidia': Key was rejected by service"
    verdict = judge_one(SECURE, heard(unsure, SECURE, words))
    assert verdict.finding is not None and verdict.finding.summary == words
    assert judge_one(LOADED, heard(unsure, SECURE, words)).finding is None
    proven = judge_one(SECURE, heard(unsure, SECURE, words, proves=True))
    assert proven.outcome == "problem"


def test_a_pasted_message_is_heard_where_no_fact_is_known(heard: Callable[..., Machine]) -> None:
    """A forum post holds one line and nothing else."""
    pasted = machine("h100").but({"/host": Unread("not_asked"), "/devices": Unread("not_asked")})
    words = "modprobe: FATAL: Module nvidia not found in directory /lib/modules/6.8.0-49-generic"
    verdict = judge_one(BUILT, heard(pasted, BUILT, words))
    assert verdict.outcome == "cannot_tell" and verdict.finding is not None
    assert verdict.finding.fix is not None


def test_two_files_of_different_versions_for_one_kernel() -> None:
    """A restart mends a mismatch as soon as one of the module files is of the library's version."""
    files = [
        ModuleFile(path=f"/lib/modules/{parts.KERNEL}/{place}/nvidia.ko", kernel_release=parts.KERNEL, version=version)
        for place, version in (("updates/dkms", "580.95.05"), ("extra", "575.64.03"))
    ]
    assert judge_one(BUILT, machine("version-mismatch").but({"/driver/module_files": files})).outcome == "ok"


@pytest.mark.parametrize(
    ("rule", "cast", "changes"),
    [
        (INSTALLED, "driver-not-installed", {}),
        (INSTALLED, "driver-not-installed", {**OLD_CARD, "/host/os_id": "arch", "/host/os_like": []}),
        (LOADED, "module-not-loaded", {"/driver/module_blacklists": ["/etc/modprobe.d/off.conf: blacklist nvidia"]}),
        (BUILT, "module-not-built", {}),
        (
            BUILT,
            "module-not-built",
            {"/host/driver_packages": ["linux-modules-nvidia-580-open-6.8.0-31-generic=6.8.0-31.31"]},
        ),
        (BUILT, "version-mismatch", STALE),
        (SECURE, "secure-boot", {}),
        (NOUVEAU, "nouveau", {"/host/os_id": "fedora", "/host/os_like": []}),
        (OPEN, "module-not-loaded", OLD_CARD),
        (CLOSED, "rtx5090", {**EMPTY, "/driver/open_module": False}),
        (DROPPED, "gtx1080ti-cu126", {**LOADED_595, **EMPTY}),
        (DROPPED, "module-not-loaded", {f"{PCI}/device": 0x1021, **VERSION_595}),  # a Kepler card
    ],
)
def test_text(rule: str, cast: str, changes: dict[str, Any], text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, machine(cast).but(changes))) == snapshot
