"""Does each card answer?  Lost, refused, unpowered or waiting for a reset: NVML's code and the kernel log decide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import Unread
from envcheck.judge import Verdict
from envcheck.rules.nvml.cards import RULES
from envcheck.testing import Machine, judge_one, machine, parts

NAMES = [rule.name for rule in RULES]
LOST, POWER, BAR = "gpu-fallen-off-bus", "gpu-aux-power-missing", "pcie-bar-unassigned"
FAILED, GSP, RESET = "gpu-init-failed", "gsp-firmware-failure", "nvml-reset-required"

H100 = "NVIDIA H100 80GB HBM3"
REFUSED, UNSUPPORTED = Unread("refused", "dmesg"), Unread("unsupported")
SECOND = "gpu:GPU-00000001"
CODE, ACTION = "/nvml/gpus/1/error_code", "/nvml/gpus/1/recovery_action"
LOG, BAR1 = "/driver/recovery_log", "/devices/pci/1/bar1_bytes"
UNLISTED = {
    "/nvml/gpus": [parts.gpu(H100, 0)],
    "/nvml/device_count": 1,
    "/smi/gpus": [parts.gpu(H100, 0)],
    "/cuda/devices": parts.cuda([H100]).devices,
}
XID_79 = "[6781741.5] NVRM: Xid (PCI:0000:27:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."
OTHER_79 = XID_79.replace("0000:27:00", "0000:17:00")
INIT = "[  9.6] NVRM: GPU 0000:27:00.0: RmInitAdapter failed! (0x26:0xffff:1290)"
GSP_62 = "[ 903.6] NVRM: GPU 0000:27:00.0: RmInitAdapter failed! (0x62:0x65:1792)"
XID_119 = (
    "[Sun Feb 23 16:24:18 2025] NVRM: Xid (PCI:0000:27:00): 119, pid=2024380, name=nvidia-smi, Timeout after 6s of "
    "waiting for RPC response from GPU4 GSP! Expected function 103 (GSP_RM_ALLOC) (0x2081 0x4)."
)
FIRMWARE = "[ 4.2] nvidia 0000:27:00.0: Direct firmware load for nvidia/570.86/gsp_ga10x.bin failed with error -2"


@pytest.mark.parametrize(
    ("rule", "cast", "changes", "outcome"),
    [
        (LOST, "gpu-lost", {}, "problem"),
        (LOST, "h100", {CODE: 999, LOG: [XID_79]}, "problem"),
        (LOST, "h100", {**UNLISTED, LOG: [XID_79]}, "problem"),
        (LOST, "h100", {}, "ok"),
        (LOST, "h100", {LOG: [XID_79]}, "ok"),  # it answers again: xid-in-log speaks of the past
        (LOST, "h100", {CODE: 999, LOG: [OTHER_79, INIT]}, "ok"),  # the other card's record
        (LOST, "h100", {CODE: 16}, "ok"),
        (LOST, "h100", {CODE: REFUSED}, "cannot_tell"),
        (LOST, "h100", {CODE: 999, LOG: REFUSED}, "cannot_tell"),
        (LOST, "slurm-h100", {}, "not_applicable"),  # another job's card
        (LOST, "h100", {CODE: 4}, "not_applicable"),  # closed, not lost
        (POWER, "h100", {CODE: 8}, "problem"),
        (POWER, "h100", {CODE: 15}, "ok"),
        (POWER, "h100", {CODE: REFUSED}, "cannot_tell"),
        (POWER, "container-without-gpu", {}, "not_applicable"),
        (BAR, "h100", {**UNLISTED, BAR1: 0}, "problem"),
        (BAR, "module-not-loaded", {"/devices/pci/0/bar1_bytes": 0}, "problem"),  # no module stays loaded then
        (BAR, "h100", {BAR1: 0}, "ok"),  # NVML lists it all the same
        (BAR, "h100", {**UNLISTED, BAR1: 256 << 20}, "ok"),  # 256 MiB is healthy on most cards
        (BAR, "h100", {**UNLISTED, BAR1: REFUSED}, "cannot_tell"),
        (BAR, "nvml-hang", {}, "cannot_tell"),
        (BAR, "wsl2-rtx3080", {"/nvml/gpus/0/error_code": 4}, "not_applicable"),
        (FAILED, "h100", {**UNLISTED, LOG: [INIT]}, "problem"),
        (FAILED, "h100", UNLISTED, "problem"),  # the log has no word about it
        (FAILED, "h100", {CODE: 6, LOG: []}, "problem"),  # handle: Not Found
        (FAILED, "h100", {}, "ok"),
        (FAILED, "h100", {**UNLISTED, LOG: [GSP_62]}, "ok"),
        (FAILED, "h100", {**UNLISTED, LOG: REFUSED}, "cannot_tell"),
        (FAILED, "h100", {"/nvml/gpus": REFUSED}, "cannot_tell"),
        (FAILED, "h100", {**UNLISTED, "/nvml/gpus/0/bus_id": UNSUPPORTED}, "cannot_tell"),  # could be this very card
        (FAILED, "h100", {**UNLISTED, "/devices/pci/1/driver": "vfio-pci"}, "not_applicable"),
        (FAILED, "h100", {**UNLISTED, "/devices/pci/1/driver": "nouveau"}, "not_applicable"),
        (FAILED, "h100", {**UNLISTED, "/devices/pci/1/power_state": "D3cold"}, "not_applicable"),
        (FAILED, "h100", {**UNLISTED, "/driver/gpus/1/excluded": True}, "not_applicable"),
        (FAILED, "h100", {**UNLISTED, "/container/engine": "docker"}, "not_applicable"),
        (FAILED, "version-mismatch", {}, "not_applicable"),
        (GSP, "h100", {**UNLISTED, LOG: [INIT, GSP_62]}, "problem"),
        (GSP, "h100", {CODE: 999, LOG: [XID_119]}, "problem"),
        (GSP, "h100", {**UNLISTED, LOG: [FIRMWARE]}, "problem"),
        (GSP, "h100", {**UNLISTED, "/driver/gsp_firmware": []}, "problem"),
        (GSP, "h100", {**UNLISTED, "/driver/gsp_firmware": [], "/driver/open_module": False}, "ok"),
        (GSP, "h100", {"/driver/gsp_firmware": []}, "ok"),  # it answers
        (GSP, "h100", {**UNLISTED, "/driver/gsp_firmware": REFUSED}, "cannot_tell"),
        (GSP, "jetson-orin", {"/nvml/gpus/0/error_code": 4}, "not_applicable"),
        (RESET, "h100", {CODE: 16}, "problem"),
        (RESET, "h100", {ACTION: "gpu_reset"}, "problem"),
        (RESET, "h100", {ACTION: "drain_p2p"}, "problem"),
        (RESET, "h100", {}, "ok"),
        (RESET, "rtx4090-desktop", {}, "ok"),
        (RESET, "h100", {CODE: 15}, "ok"),
        (RESET, "h100", {ACTION: UNSUPPORTED}, "cannot_tell"),  # "not supported" is not "none"
        (RESET, "slurm-h100", {}, "not_applicable"),
    ],
)
def test_outcomes(rule: str, cast: str, changes: dict[str, Any], outcome: str) -> None:
    """Both sides of each rule, and both kinds of silence; look-alikes are told apart."""
    subject = SECOND if cast in ("h100", "slurm-h100", "gpu-lost") else ""
    assert judge_one(rule, machine(cast).but(changes), subject=subject).outcome == outcome


@pytest.mark.parametrize(
    ("changes", "suspect"),
    [({CODE: 999, LOG: REFUSED}, LOST), ({CODE: 6, LOG: REFUSED}, FAILED), ({**UNLISTED, LOG: REFUSED}, FAILED)],
)
def test_without_the_log_the_likely_rule_is_a_suspicion(changes: dict[str, Any], suspect: str) -> None:
    """dmesg is closed to most users: what NVML shows is reported, and no reason is made up."""
    now = machine("h100").but(changes)
    found = {name: judge_one(name, now, subject=SECOND) for name in NAMES}
    assert {verdict.outcome for verdict in found.values()} == {"cannot_tell"}
    assert [name for name, verdict in found.items() if verdict.finding is not None] == [suspect]


def test_a_message_outweighs_that_suspicion(heard: Callable[..., Machine]) -> None:
    """A record that somebody pasted leads, heard on the machine: of two cards it names neither."""
    unsure = machine("h100").but({**UNLISTED, LOG: REFUSED})
    verdict = judge_one(GSP, heard(unsure, GSP, GSP_62), subject="host")
    assert verdict.finding is not None and verdict.finding.summary == GSP_62


@pytest.mark.parametrize(("code", "rule"), [(15, LOST), (16, RESET), (None, None)])
def test_a_recording_of_nvidia_smi_alone_is_judged(code: int | None, rule: str | None) -> None:
    """`--from` a saved output: nobody asked NVML, and nvidia-smi's words about the card count as its code."""
    unasked = Unread("not_asked")
    recorded = machine("h100").but(
        {"/nvml": unasked, "/host": unasked, "/devices": unasked, "/driver": unasked, "/smi/gpus/1/error_code": code}
    )
    found = [name for name in NAMES if judge_one(name, recorded, subject=SECOND).outcome == "problem"]
    assert found == ([rule] if rule else [])


def test_one_lost_card_leaves_the_others_alone() -> None:
    """Each card is judged for itself."""
    assert judge_one(LOST, machine("gpu-lost"), subject="gpu:GPU-00000000").outcome == "ok"
    assert judge_one(LOST, machine("gpu-lost"), subject=SECOND).outcome == "problem"


@pytest.mark.parametrize(
    ("action", "severity"),
    [
        ("gpu_reset", "error"),
        ("node_reboot", "error"),
        ("drain_and_reset", "error"),
        ("drain_p2p", "warning"),
        ("recover_imex", "warning"),
    ],
)
def test_recovery_actions(action: str, severity: str) -> None:
    """The driver's own word decides; actions that concern links between cards leave the card computing."""
    assert judge_one(RESET, machine("h100").but({ACTION: action}), subject=SECOND).severity == severity


@pytest.mark.parametrize(
    ("rule", "cast", "changes"),
    [
        (LOST, "gpu-lost", {}),
        (LOST, "h100", {CODE: 999, LOG: [XID_79]}),
        (POWER, "h100", {CODE: 8}),
        (BAR, "h100", {**UNLISTED, BAR1: 0}),
        (BAR, "h100", {**UNLISTED, BAR1: 0, "/host/virtualization": "kvm"}),
        (FAILED, "h100", {**UNLISTED, LOG: [INIT]}),
        (FAILED, "h100", {**UNLISTED, LOG: REFUSED}),
        (GSP, "h100", {**UNLISTED, LOG: [GSP_62]}),
        (GSP, "h100", {**UNLISTED, "/driver/gsp_firmware": []}),
        (RESET, "h100", {CODE: 16}),
        (RESET, "h100", {ACTION: "node_reboot"}),
        (RESET, "h100", {ACTION: "recover_imex"}),
    ],
)
def test_text(rule: str, cast: str, changes: dict[str, Any], text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, machine(cast).but(changes), subject=SECOND)) == snapshot
