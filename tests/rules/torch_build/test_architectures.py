"""Was this build compiled for the cards that are here?"""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import CudaDevice, Distribution, Gpu, Symptom, Unread, Variable
from envcheck.judge import judge
from envcheck.rules import QUESTIONS
from envcheck.rules.torch_build.architectures import is_newer
from envcheck.testing import Machine, judge_one, machine

ENV = "/interpreters/0"
TORCH, RUNTIME = f"{ENV}/torch", f"{ENV}/runtime"
LOST = Unread("refused", "nobody may look")
GONE = Unread("missing", "libcuda was not asked")


def with_cards(*capabilities: int, cast: str = "h100", **changes: Any) -> Machine:
    """CUDA, NVML and nvidia-smi show cards of these compute capabilities, in this order."""
    devices = [CudaDevice(ordinal=n, name=f"card {n}", compute_capability=cc) for n, cc in enumerate(capabilities)]
    gpus = [Gpu(index=n, error_code=None, name=f"card {n}", compute_capability=cc) for n, cc in enumerate(capabilities)]
    return machine(cast).but({"/cuda/devices": devices, "/nvml/gpus": gpus, "/smi/gpus": gpus, **changes})


def no_kernel_image(now: Machine) -> Machine:
    words = "CUDA error: no kernel image is available for execution on the device"
    symptom = Symptom(id="no-kernel", text=words, source="line 9", suggests="gpu-newer-than-torch-archs")
    return now.but({"/symptoms": [symptom]})


def course(cc: int, cast: str = "h100", **changes: Any) -> Machine:
    """torch 2.0.0 as the course names it, with the course's package, on a card of this compute capability."""
    packages = [Distribution(name="d2l", version="1.0.3"), Distribution(name="torch", version="2.0.0")]
    archs = ["sm_37", "sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86"]
    torch = {
        f"{TORCH}/version": "2.0.0+cu117",
        f"{TORCH}/cuda": "11.7",
        f"{TORCH}/arch_list": archs,
        f"{RUNTIME}/version": "2.0.0+cu117",
        f"{RUNTIME}/cuda": "11.7",
        f"{RUNTIME}/arch_list": archs,
        f"{ENV}/distributions": packages,
    }
    return with_cards(cc, cast=cast, **{**torch, **changes})


ROWS: dict[str, dict[str, Machine]] = {
    "gpu-newer-than-torch-archs": {
        "ok": machine("rtx5090"),
        "problem": machine("gpu-newer-than-build"),
        "cannot_tell": machine("gpu-newer-than-build").but(
            {"/cuda/devices/0/compute_capability": LOST, "/cuda/devices/0/name": LOST}
        ),
        "not_applicable": machine("cpu-torch"),
    },
    "gpu-older-than-torch-archs": {
        "ok": machine("gtx1080ti-cu126"),
        "problem": machine("gpu-older-than-build"),
        "cannot_tell": with_cards(999),
        "not_applicable": machine("cpu-torch"),
    },
    "ptx-jit-slow-first-run": {
        "ok": machine("h100"),
        "problem": with_cards(90, **{f"{at}/arch_list": ["sm_80", "compute_80"] for at in (TORCH, RUNTIME)}),
        "cannot_tell": with_cards(
            90,
            **{
                f"{TORCH}/arch_list": LOST,
                f"{RUNTIME}/arch_list": LOST,
                f"{TORCH}/version": LOST,
                f"{RUNTIME}/version": LOST,
            },
        ),
        "not_applicable": machine("cpu-torch"),
    },
    "extension-missing-kernel-image": {
        "ok": machine("h100"),
        "problem": no_kernel_image(machine("h100")),
        "cannot_tell": no_kernel_image(machine("h100").but({RUNTIME: LOST})),
        "not_applicable": machine("cpu-torch"),
    },
    "course-pins-too-old": {
        "ok": course(86),
        "problem": course(90),
        "cannot_tell": course(90, **{f"{ENV}/distributions": LOST}),
        "not_applicable": machine("h100"),
    },
}


TABLE = [(rule, outcome) for rule, rows in ROWS.items() for outcome in rows]


@pytest.mark.parametrize(("rule", "outcome"), TABLE)
def test_each_rule_gives_each_outcome(rule: str, outcome: str) -> None:
    """Every rule can be ok, a problem, untellable, and out of place."""
    assert judge_one(rule, ROWS[rule][outcome]).outcome == outcome


@pytest.mark.parametrize("rule", ROWS)
def test_the_text_of_each_finding(rule: str, text: Any, snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, ROWS[rule]["problem"])) == snapshot


@pytest.mark.parametrize(("rule", "outcome"), [row for row in TABLE if row[1] in ("ok", "problem")])
def test_a_missing_fact_neither_accuses_nor_acquits(rule: str, outcome: str, unlawful: Any) -> None:
    """Law 1 around each row of the table, fact by fact."""
    assert unlawful(rule, ROWS[rule][outcome]) == []


def test_healthy_machines_stay_clean(complaints: Any) -> None:
    """No error and no warning of these rules on any healthy machine of the cast."""
    assert complaints(ROWS) == []


ARCHS_128 = ["sm_70", "sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"]
ARCHS_126 = ["sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"]
ARCHS_130 = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"]
ARCH_RULES = ("gpu-newer-than-torch-archs", "gpu-older-than-torch-archs", "ptx-jit-slow-first-run")


@pytest.mark.parametrize(
    ("cc", "archs", "cuda", "guilty"),
    [
        (89, ARCHS_126, "12.6", None),  # Ada runs sm_86
        (61, ARCHS_126, "12.6", None),  # Pascal runs sm_60
        (121, ARCHS_130, "13.0", None),  # GB10 runs sm_120
        (103, ARCHS_130, "13.0", None),  # B300 runs sm_100
        (120, ARCHS_126, "12.6", "gpu-newer-than-torch-archs"),
        (100, ARCHS_126, "12.6", "gpu-newer-than-torch-archs"),
        (70, ARCHS_130, "13.0", "gpu-older-than-torch-archs"),
        (61, ARCHS_128, "12.8", "gpu-older-than-torch-archs"),
        (37, ARCHS_126, "12.6", "gpu-older-than-torch-archs"),
        (75, ["sm_80", "sm_90", "sm_100", "sm_110", "sm_120"], "13.0", "gpu-older-than-torch-archs"),  # aarch64
        (100, ["sm_90", "sm_120"], "12.8", "gpu-older-than-torch-archs"),
        (103, ["sm_90", "sm_120"], "12.8", "gpu-newer-than-torch-archs"),  # CUDA 12.9 was the first to know it
        (90, ["sm_90a"], "12.4", None),
        (120, ["sm_90", "compute_90"], "12.4", "ptx-jit-slow-first-run"),
        (87, ["sm_80", "sm_90"], "12.6", "gpu-older-than-torch-archs"),  # Jetson runs its own code only
        (87, ["sm_87"], "12.6", None),
    ],
)
def test_binary_compatibility(cc: int, archs: list[str], cuda: str, guilty: str | None) -> None:
    """A cubin runs within its major version and not below its minor; PTX is compiled forward."""
    build = {f"{TORCH}/arch_list": archs, f"{RUNTIME}/arch_list": archs, f"{TORCH}/cuda": cuda, f"{RUNTIME}/cuda": cuda}
    now = with_cards(cc, **build)
    assert [name for name in ARCH_RULES if judge_one(name, now).outcome == "problem"] == ([guilty] if guilty else [])


def test_newer_and_older_are_told_apart() -> None:
    """Above every target, or unknown to the build's CUDA: newer; otherwise the build has dropped the card."""
    assert is_newer(120, ["sm_90"], "12.6")
    assert is_newer(103, ["sm_90", "sm_120"], "12.8")
    assert not is_newer(70, ["sm_75", "sm_120"], "13.0")


def test_an_unusable_second_card_is_a_warning() -> None:
    """An old display card beside the working one stops nobody; an unusable first card does."""
    assert judge_one("gpu-older-than-torch-archs", with_cards(90, 61)).severity == "warning"
    assert judge_one("gpu-older-than-torch-archs", with_cards(61, 90)).severity == "error"
    assert judge_one("gpu-older-than-torch-archs", with_cards(61, 61)).severity == "error"


def test_a_mask_may_hide_the_card_that_has_no_code() -> None:
    """NVML ignores CUDA_VISIBLE_DEVICES: with it set, or unknown, a listed card is only a suspicion."""
    old = {"/cuda": GONE, "/nvml/gpus": [Gpu(index=0, error_code=None, name="Tesla V100", compute_capability=70)]}
    assert judge_one("gpu-older-than-torch-archs", machine("h100").but(old)).outcome == "problem"
    masked = machine("h100").but({**old, "/environment/variables": [Variable(name="CUDA_VISIBLE_DEVICES", value="0")]})
    unknown = machine("h100").but({**old, "/environment": LOST})
    for now in (masked, unknown):
        verdict = judge_one("gpu-older-than-torch-archs", now)
        assert (verdict.outcome, verdict.finding is not None) == ("cannot_tell", True)


@pytest.mark.parametrize("name", ["NVIDIA GeForce RTX 5090", "RTX 5090"])
def test_a_cards_name_or_pci_id_stands_in_for_its_compute_capability(name: str) -> None:
    """nvidia-smi's table names no compute capability; the table of GPUs does."""
    card = Gpu(index=0, error_code=None, name=name)
    now = machine("gpu-newer-than-build").but({"/cuda": GONE, "/nvml": GONE, "/smi/gpus": [card]})
    assert judge_one("gpu-newer-than-torch-archs", now).outcome == "problem"
    by_id = Gpu(index=0, error_code=None, name="Graphics Device", pci_device_id=0x2B85)
    now = machine("gpu-newer-than-build").but({"/cuda": GONE, "/nvml": GONE, "/smi/gpus": [by_id]})
    assert judge_one("gpu-newer-than-torch-archs", now).outcome == "problem"


def test_the_table_stands_in_for_an_unread_arch_list_of_a_wheel_only() -> None:
    """A wheel of the PyTorch index is what its version says; a build of somebody else's is not."""
    unread = {f"{TORCH}/arch_list": LOST, f"{RUNTIME}/arch_list": LOST}
    wheel = machine("gpu-newer-than-build").but(unread)
    assert judge_one("gpu-newer-than-torch-archs", wheel).outcome == "problem"
    foreign = {**unread, f"{TORCH}/version": "2.7.1", f"{RUNTIME}/version": "2.7.1"}
    assert (
        judge_one("gpu-newer-than-torch-archs", machine("gpu-newer-than-build").but(foreign)).outcome == "cannot_tell"
    )
    jetson = machine("jetson-orin").but(
        {**unread, f"{TORCH}/version": "2.8.0+cu126", f"{RUNTIME}/version": "2.8.0+cu126"}
    )
    assert judge_one("gpu-older-than-torch-archs", jetson).outcome == "cannot_tell"


def test_the_card_has_no_code_and_the_kernel_fails_for_that() -> None:
    """The failing kernel is a consequence of the build, not a second cause."""
    report = judge(machine("gpu-newer-than-build").snapshot, QUESTIONS)
    assert [f.rule for f in report.root_causes] == ["gpu-newer-than-torch-archs"]
    assert "torch-kernel-fails" in [c.finding.rule for c in report.consequences]


def test_a_no_kernel_image_message_beside_failing_kernels_is_torchs_own() -> None:
    """Failure-modes §19.5: TEST fails, then it is torch's list; TEST passes, then an extension's."""
    broken = machine("h100").but({f"{RUNTIME}/devices/0/kernel_ok": False, f"{RUNTIME}/devices/0/kernel_error": "bad"})
    assert judge_one("extension-missing-kernel-image", no_kernel_image(broken)).outcome == "ok"


def test_the_courses_pins_come_before_the_card() -> None:
    """The newer card is explained by the course's old torch."""
    report = judge(course(90, cast="h100-driver-535-cu126").snapshot, QUESTIONS)
    assert [f.rule for f in report.root_causes] == ["course-pins-too-old"]
