"""Is there a card?  The bus says so; elsewhere what stands in for it; and nobody complains where none is wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import PciDevice, Unread
from envcheck.judge import Policy, Verdict
from envcheck.testing import judge_one, machine, parts

REQUIRED = Policy(require_gpu=True)
PLAIN = Policy()
ABSENT, TEGRA, HYBRID = "gpu-absent-from-pci-bus", "tegra-integrated-gpu", "hybrid-gpu-powered-off"
PCI, CUDA_BUILD = "/devices/pci", "/interpreters/0/torch/cuda"
REFUSED = Unread("refused")
INTEL = PciDevice(address="0000:00:02.0", vendor=0x8086, device=0x9A60, class_code=0x030000, driver="i915")
LAPTOP = {PCI: [INTEL], "/host/chassis": 10}
ASLEEP = {"/devices/pci/0/power_state": "D3cold", "/nvml/device_count": 0, "/nvml/gpus": []}


@pytest.mark.parametrize(
    ("rule", "cast", "changes", "policy", "outcome"),
    [
        # gpu-absent-from-pci-bus
        (ABSENT, "h100", {}, REQUIRED, "ok"),
        (ABSENT, "wsl2-rtx3080", {}, REQUIRED, "ok"),  # NVML lists it; no PCI bus does
        (ABSENT, "windows-rtx4090", {}, REQUIRED, "ok"),
        (ABSENT, "jetson-orin", {}, REQUIRED, "ok"),
        (ABSENT, "cpu-only", {}, REQUIRED, "problem"),
        (ABSENT, "cpu-only", {"/container/engine": "docker"}, REQUIRED, "problem"),
        (ABSENT, "cpu-only", {}, Policy(gpus=2), "problem"),
        (ABSENT, "amd-rocm", {}, REQUIRED, "problem"),
        (ABSENT, "macos-m2", {}, REQUIRED, "problem"),
        (ABSENT, "module-not-loaded", {PCI: []}, PLAIN, "problem"),  # a driver is installed: one is expected
        (ABSENT, "cpu-torch", {CUDA_BUILD: "13.0"}, PLAIN, "problem"),
        (ABSENT, "cpu-only", {PCI: REFUSED}, REQUIRED, "cannot_tell"),
        (ABSENT, "cpu-torch", {CUDA_BUILD: "13.0", PCI: REFUSED}, PLAIN, "cannot_tell"),
        (ABSENT, "cpu-only", {"/nvml/init_code": Unread("timeout")}, REQUIRED, "cannot_tell"),
        (ABSENT, "cpu-only", {"/container/sandbox": "gvisor"}, REQUIRED, "cannot_tell"),
        (ABSENT, "cpu-torch", {CUDA_BUILD: REFUSED}, PLAIN, "cannot_tell"),
        (ABSENT, "cpu-only", {}, PLAIN, "not_applicable"),
        (ABSENT, "cpu-torch", {}, PLAIN, "not_applicable"),
        (ABSENT, "amd-rocm", {}, PLAIN, "not_applicable"),
        (ABSENT, "macos-m2", {}, PLAIN, "not_applicable"),
        (ABSENT, "cpu-only", {PCI: REFUSED}, PLAIN, "not_applicable"),  # nobody asks for one
        (ABSENT, "wsl2-rtx3080", {"/nvml": parts.no_nvml(17)}, REQUIRED, "not_applicable"),
        # tegra-integrated-gpu
        (TEGRA, "jetson-orin", {}, PLAIN, "problem"),
        (TEGRA, "h100", {}, PLAIN, "ok"),
        (TEGRA, "jetson-orin", {"/host/jetson": Unread("missing")}, PLAIN, "cannot_tell"),
        (TEGRA, "cpu-only", {}, PLAIN, "not_applicable"),
        # hybrid-gpu-powered-off
        (HYBRID, "module-not-loaded", LAPTOP, PLAIN, "problem"),
        (HYBRID, "h100", {**ASLEEP, "/devices/pci/1/power_state": "D3cold"}, PLAIN, "problem"),
        (HYBRID, "rtx4090-desktop", {"/devices/pci/0/power_state": "D3cold"}, PLAIN, "ok"),  # it woke for NVML
        (HYBRID, "h100", ASLEEP, PLAIN, "ok"),  # the other card is awake: not the laptop's switch
        (HYBRID, "module-not-loaded", {**LAPTOP, "/host/chassis": 3}, PLAIN, "ok"),  # a desktop: the card is absent
        (HYBRID, "module-not-loaded", {PCI: [], "/host/chassis": 10}, PLAIN, "ok"),  # nothing else drives a display
        (HYBRID, "module-not-loaded", {**LAPTOP, "/host/chassis": REFUSED}, PLAIN, "cannot_tell"),
        (HYBRID, "rtx4090-desktop", {**ASLEEP, "/devices/pci/0/power_state": REFUSED}, PLAIN, "cannot_tell"),
        (HYBRID, "cpu-only", LAPTOP, PLAIN, "not_applicable"),  # no driver was ever installed
    ],
)
def test_outcomes(rule: str, cast: str, changes: dict[str, Any], policy: Policy, outcome: str) -> None:
    """Both sides of each rule, and both kinds of silence."""
    assert judge_one(rule, machine(cast).but(changes), policy).outcome == outcome


@pytest.mark.parametrize(
    ("cast", "changes", "policy", "severity"),
    [
        ("cpu-only", {}, REQUIRED, "error"),
        ("cpu-torch", {CUDA_BUILD: "13.0"}, PLAIN, "note"),  # plain `pip install torch` on a machine without a card
        ("cpu-torch", {CUDA_BUILD: "13.0"}, REQUIRED, "error"),
        ("module-not-loaded", {PCI: []}, PLAIN, "error"),  # driver and CUDA build: somebody means to compute on it
        ("module-not-loaded", {PCI: [], CUDA_BUILD: None}, PLAIN, "warning"),
    ],
)
def test_how_grave_a_missing_card_is(cast: str, changes: dict[str, Any], policy: Policy, severity: str) -> None:
    """An error only where a card was asked for; a CUDA build alone computes on the processor and is no fault."""
    assert judge_one(ABSENT, machine(cast).but(changes), policy).severity == severity


def test_no_desktop_advice_on_a_jetson() -> None:
    """The board's GPU needs no driver package: the remark brings no fix."""
    finding = judge_one(TEGRA, machine("jetson-orin")).finding
    assert finding is not None and finding.fix is None and finding.severity == "note"


def test_a_container_looks_for_the_card_on_its_host() -> None:
    """Commands that touch the bus run outside."""
    finding = judge_one(ABSENT, machine("cpu-only").but({"/container/engine": "docker"}), REQUIRED).finding
    assert finding is not None and finding.fix is not None
    assert [step.where for step in finding.fix.steps if step.command] == ["container_host"]


@pytest.mark.parametrize(
    ("rule", "cast", "changes", "policy"),
    [
        (ABSENT, "cpu-only", {}, REQUIRED),
        (ABSENT, "cpu-torch", {CUDA_BUILD: "13.0", "/host/virtualization": "kvm"}, PLAIN),
        (ABSENT, "macos-m2", {}, REQUIRED),
        (TEGRA, "jetson-orin", {}, PLAIN),
        (HYBRID, "module-not-loaded", LAPTOP, PLAIN),
        (HYBRID, "rtx4090-desktop", ASLEEP, PLAIN),
    ],
)
def test_text(
    rule: str, cast: str, changes: dict[str, Any], policy: Policy, text: Callable[[Verdict], Any], snapshot: Any
) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, machine(cast).but(changes), policy)) == snapshot
