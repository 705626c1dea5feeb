"""Would a CUDA extension compile here?  Most machines never compile one, so facts alone make remarks."""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import CudaDevice, Gpu, ToolkitInstall, Unread, Variable
from envcheck.rules.cuda_libraries.arch_list import bad_arch
from envcheck.testing import Machine, judge_one, machine

LOST = Unread("refused", "nobody may look")
NAMES = ("nvcc-torch-cuda-mismatch", "host-compiler-too-new", "nvcc-arch-unsupported", "arch-list-invalid")


def toolkit(version: Any, cast: str = "h100", **changes: Any) -> Machine:
    found = [ToolkitInstall(nvcc="/usr/local/cuda/bin/nvcc", version=version, found_by="/usr/local/cuda")]
    return machine(cast).but({"/toolkit/toolkits": found, **changes})


def arch_list(value: str, cast: str = "h100", **changes: Any) -> Machine:
    variables = [Variable(name="TORCH_CUDA_ARCH_LIST", value=value)]
    return machine(cast).but({"/environment/variables": variables, **changes})


def card(cc: int) -> dict[str, Any]:
    gpus = [Gpu(index=0, error_code=None, name="a card", compute_capability=cc)]
    devices = [CudaDevice(ordinal=0, name="a card", compute_capability=cc)]
    return {"/cuda/devices": devices, "/nvml/gpus": gpus, "/smi/gpus": gpus}


ROWS: dict[str, dict[str, Machine]] = {
    "nvcc-torch-cuda-mismatch": {
        "ok": toolkit("13.2"),  # another minor of the same major is fine
        "problem": toolkit("12.4"),
        "cannot_tell": toolkit(LOST),
        "not_applicable": machine("h100"),
    },
    "host-compiler-too-new": {
        "ok": toolkit("12.4"),
        "problem": toolkit("12.0"),
        "cannot_tell": toolkit("12.4", **{"/toolkit/host_compiler_version": LOST}),
        "not_applicable": machine("h100"),
    },
    "nvcc-arch-unsupported": {
        "ok": toolkit("12.4"),
        "problem": toolkit("12.4", cast="rtx5090"),
        "cannot_tell": toolkit("99.0"),
        "not_applicable": toolkit("12.4", cast="cpu-only"),
    },
    "arch-list-invalid": {
        "ok": arch_list("8.0;9.0"),
        "problem": arch_list("8.9,9.0"),
        "cannot_tell": machine("h100").but({"/environment/variables": LOST}),
        "not_applicable": machine("h100"),
    },
}
HOME = {"/toolkit/cuda_home": "/usr/local/cuda-11.8", "/toolkit/cuda_home_exists": True}
ROWS["cuda-home-stale"] = {
    "ok": machine("h100").but(
        {**HOME, "/toolkit/toolkits": [ToolkitInstall(nvcc="/usr/local/cuda-11.8/bin/nvcc", found_by="CUDA_HOME")]}
    ),
    "problem": toolkit("12.4", **{**HOME, "/toolkit/cuda_home_exists": False}),
    "cannot_tell": machine("h100").but({**HOME, "/toolkit/cuda_home_exists": LOST}),
    "not_applicable": machine("h100"),
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


@pytest.mark.parametrize("rule", NAMES[:3])
def test_a_failed_build_turns_the_remark_into_an_error(rule: str, heard: Any) -> None:
    """Without one the toolkit stands there unused."""
    assert judge_one(rule, ROWS[rule]["problem"]).severity == "note"
    verdict = judge_one(rule, heard(ROWS[rule]["problem"], rule, "the build said so"))
    assert verdict.severity == "error"
    assert verdict.finding is not None
    assert "/symptoms/0" in [evidence.pointer for evidence in verdict.finding.evidence]


def test_a_home_without_a_compiler_is_a_remark() -> None:
    """Images with the runtime alone set it, too; one that is gone is a hazard."""
    assert judge_one("cuda-home-stale", machine("h100").but(HOME)).severity == "note"
    assert judge_one("cuda-home-stale", ROWS["cuda-home-stale"]["problem"]).severity == "warning"


def test_the_toolkit_that_is_there_is_named() -> None:
    """The fix points at the toolkit that another way of looking found."""
    finding = judge_one("cuda-home-stale", ROWS["cuda-home-stale"]["problem"]).finding
    assert finding is not None and finding.fix is not None
    assert finding.fix.steps[0].command == "export CUDA_HOME=/usr/local/cuda"


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"/toolkit/host_compiler_version": "12.4.0"}, "ok"),
        ({"/toolkit/host_compiler_version": "14.2.0"}, "problem"),
        ({"/toolkit/host_compiler": "/usr/bin/clang++", "/toolkit/host_compiler_version": "19.1.0"}, "not_applicable"),
        ({"/toolkit/host_compiler_version": None}, "not_applicable"),
    ],
)
def test_host_compilers(changes: dict[str, Any], outcome: str) -> None:
    """g++ up to 13 for CUDA 12.4 (crt/host_config.h); clang has limits of its own."""
    assert judge_one("host-compiler-too-new", toolkit("12.4", **changes)).outcome == outcome


@pytest.mark.parametrize(
    ("version", "cc", "outcome"),
    [("12.8", 120, "ok"), ("12.6", 120, "problem"), ("13.0", 70, "problem"), ("12.8", 70, "ok"), ("13.0", 75, "ok")],
)
def test_targets_of_a_toolkit(version: str, cc: int, outcome: str) -> None:
    """Too new for it, or dropped by it: CUDA 13 begins at 7.5, Blackwell needs 12.8."""
    assert judge_one("nvcc-arch-unsupported", toolkit(version, **card(cc))).outcome == outcome


@pytest.mark.parametrize(
    ("value", "bad"),
    [
        ("8.9", None),
        ("8.6;9.0a", None),
        ("8.6+PTX 9.0", None),
        ("native", None),
        ("Ada;Hopper+PTX", None),
        ("8.9,9.0", "8.9,9.0"),
        ("8.9;", ""),
        ("89", "89"),
        ("sm_89", "sm_89"),
        ("All", "All"),
        ("12.0f", "12.0f"),
    ],
)
def test_what_the_extension_builder_reads(value: str, bad: str | None) -> None:
    """The forms that torch 2.13 accepts and refuses (each tried on it)."""
    assert bad_arch(value) == bad


@pytest.mark.parametrize(
    ("value", "cc", "outcome"),
    [
        ("8.0;8.6", 89, "ok"),  # Ada runs 8.6
        ("8.0", 90, "problem"),
        ("8.0+PTX", 90, "ok"),
        ("native", 90, "ok"),
        ("Ampere", 90, "ok"),  # a generation's name: not read any closer
    ],
)
def test_a_list_that_leaves_the_card_out(value: str, cc: int, outcome: str) -> None:
    """What is built with it has no code for the card that is here."""
    assert judge_one("arch-list-invalid", arch_list(value, **card(cc))).outcome == outcome


def test_a_message_is_heard_where_the_variable_is_not_set_any_more(heard: Any) -> None:
    """The build ran in another shell: only its message is left."""
    words = "ValueError: Unknown CUDA arch (8.9,) or GPU not supported"
    verdict = judge_one("arch-list-invalid", heard(machine("h100"), "arch-list-invalid", words))
    assert (verdict.outcome, verdict.finding is not None) == ("cannot_tell", True)


@pytest.mark.parametrize(
    "rule", ["cuda-home-not-found", "build-tools-missing", "build-isolation-no-torch", "toolkit-not-needed"]
)
def test_what_only_a_message_shows(rule: str, heard: Any, text: Any, snapshot: Any) -> None:
    """No message: out of place.  A message that suggests: a suspicion.  One that proves: a finding."""
    assert judge_one(rule, machine("h100")).outcome == "not_applicable"
    suspicion = judge_one(rule, heard(machine("h100"), rule, "its own words"))
    assert (suspicion.outcome, suspicion.finding is not None) == ("cannot_tell", True)
    proven = judge_one(rule, heard(machine("h100"), rule, "its own words", proves=True))
    assert proven.outcome == "problem"
    assert text(proven) == snapshot
