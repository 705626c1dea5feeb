"""Does a foreign or unfit library come in: by LD_LIBRARY_PATH, a second OpenMP, a cuDNN that drops the card?"""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import (
    CudaDevice,
    Distribution,
    Gpu,
    LibraryCopy,
    Symptom,
    Unread,
    Variable,
)
from envcheck.judge import judge
from envcheck.rules import QUESTIONS
from envcheck.testing import Machine, judge_one, machine

ENV = "/interpreters/0"
TORCH, RUNTIME = f"{ENV}/torch", f"{ENV}/runtime"
SITE = "/home/student/.venv/lib/python3.11/site-packages"
LOST = Unread("refused", "nobody may look")


def have(name: str, version: Any, *requires: str) -> Distribution:
    return Distribution(name=name, version=version, requires=list(requires))


CUDNN, LINK = have("nvidia-cudnn-cu13", "9.24.0.43"), have("nvidia-nvjitlink", "13.5.37")


def fails(words: str, cast: str = "h100", **changes: Any) -> Machine:
    """`import torch` ends with these words."""
    why = Unread("missing", "torch could not be imported")
    failed = {f"{RUNTIME}/imported": False, f"{RUNTIME}/import_error": words, f"{RUNTIME}/available": why}
    return machine(cast).but({**failed, f"{RUNTIME}/devices": why, f"{RUNTIME}/numpy_ok": why, **changes})


def path(*folders: str) -> dict[str, Any]:
    return {"/environment/variables": [Variable(name="LD_LIBRARY_PATH", value=":".join(folders))]}


def copies(*pairs: tuple[str, str | None], soname: str = "libcudnn.so.9") -> dict[str, Any]:
    found = [LibraryCopy(soname=soname, path=f"{folder}/{soname}", version=version) for folder, version in pairs]
    return {f"{ENV}/library_copies": found}


OURS = (f"{SITE}/nvidia/cudnn/lib", "9.24.0")
HIJACK = {**path("/opt/cudnn/lib", "/usr/lib/x"), **copies(OURS, ("/opt/cudnn/lib", "8.9.7"))}


def old_card(cc: int = 70, **changes: Any) -> Machine:
    gpus = [Gpu(index=0, error_code=None, name="Tesla V100", compute_capability=cc)]
    cards = {"/cuda/devices": [CudaDevice(ordinal=0, name="Tesla V100", compute_capability=cc)], "/nvml/gpus": gpus}
    return machine("h100").but({**cards, "/smi/gpus": gpus, f"{RUNTIME}/cudnn": 92400, **changes})


def variable(name: str, value: str, **changes: Any) -> Machine:
    return machine("h100").but({"/environment/variables": [Variable(name=name, value=value)], **changes})


OMP = "OMP: Error #15: Initializing libiomp5md.dll, but found libiomp5md.dll already initialized."


ROWS: dict[str, dict[str, Machine]] = {
    "ld-library-path-hijack": {
        "ok": machine("h100").but({**path("/opt/cudnn/lib"), **copies(OURS, ("/opt/cudnn/lib", "9.24.0"))}),
        "problem": fails("ImportError: libcudnn.so.9: undefined symbol: cudnnGetVersion", **HIJACK),
        "cannot_tell": machine("h100").but({**HIJACK, f"{ENV}/library_copies": LOST}),
        "not_applicable": machine("h100"),
    },
    "openmp-duplicate-runtime": {
        "ok": machine("h100"),
        "problem": fails(OMP),
        "cannot_tell": machine("h100").but({"/environment/variables": LOST}),
    },
    "cudnn-drops-gpu": {
        "ok": machine("h100"),
        "problem": old_card(),
        "cannot_tell": old_card(**{f"{RUNTIME}/cudnn": LOST}),
        "not_applicable": machine("cpu-torch"),
    },
}


TABLE = [(rule, outcome) for rule, rows in ROWS.items() for outcome in rows]


@pytest.mark.parametrize(("rule", "outcome"), TABLE)
def test_each_rule_gives_each_outcome(rule: str, outcome: str) -> None:
    """Every rule can be ok, a problem, untellable, and (where it can be) out of place."""
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


def test_a_foreign_copy_is_a_remark_until_something_fails() -> None:
    """Clusters and vendor images set LD_LIBRARY_PATH on purpose."""
    assert judge_one("ld-library-path-hijack", machine("h100").but(HIJACK)).severity == "note"
    assert judge_one("ld-library-path-hijack", ROWS["ld-library-path-hijack"]["problem"]).severity == "error"


def test_the_hijack_explains_what_the_loader_says() -> None:
    """The path is the cause; the undefined symbol its consequence."""
    words = "ImportError: /x/libcusparse.so.12: undefined symbol: __nvJitLinkComplete_12_4"
    link = copies(
        (f"{SITE}/nvidia/nvjitlink/lib", "12.8.93"), ("/opt/cuda/lib64", "12.1.105"), soname="libnvJitLink.so.12"
    )
    report = judge(fails(words, **path("/opt/cuda/lib64"), **link).snapshot, QUESTIONS)
    assert [f.rule for f in report.root_causes] == ["ld-library-path-hijack"]


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({**path("/usr/lib"), **copies(OURS)}, "ok"),
        ({**path("/opt/cudnn/lib/"), **copies(OURS, ("/opt/cudnn/lib", "8.9.7"))}, "problem"),  # a slash at the end
        ({**path("/opt/x"), **copies(OURS, ("/opt/x", None))}, "problem"),  # of unknown version
        ({**path("/opt/x"), **copies(("/opt/x", "8.9.7"))}, "ok"),  # the environment has none of its own
        ({**path("/opt/x"), **copies((f"{SITE}/x", "1"), ("/opt/x", "2"), soname="libfoo.so.1")}, "ok"),
        (path(""), "not_applicable"),
    ],
)
def test_only_copies_of_one_soname_compete(changes: dict[str, Any], outcome: str) -> None:
    """Another file of the same soname, with another version, found first."""
    assert judge_one("ld-library-path-hijack", machine("h100").but(changes)).outcome == outcome


def test_the_fix_keeps_the_other_folders() -> None:
    """A cluster may need the rest of the path."""
    finding = judge_one("ld-library-path-hijack", machine("h100").but(HIJACK)).finding
    assert finding is not None and finding.fix is not None
    assert finding.fix.steps[0].command == "export LD_LIBRARY_PATH=/usr/lib/x"


@pytest.mark.parametrize(
    ("now", "severity"),
    [
        (variable("KMP_DUPLICATE_LIB_OK", "TRUE"), "warning"),
        (variable("KMP_DUPLICATE_LIB_OK", "FALSE"), None),
        (
            machine("h100").but(
                {"/symptoms": [Symptom(id="omp", text=OMP, source="line 2", suggests="openmp-duplicate-runtime")]}
            ),
            "error",
        ),
        (fails(OMP), "error"),
    ],
)
def test_openmp(now: Machine, severity: str | None) -> None:
    """The message is an error; the variable that hides it a warning; several copies on disk are normal."""
    verdict = judge_one("openmp-duplicate-runtime", now)
    assert (verdict.outcome, verdict.severity) == (("problem", severity) if severity else ("ok", "error"))


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (old_card(75), "ok"),
        (old_card(70, **{f"{RUNTIME}/cudnn": 91002}), "ok"),
        (
            old_card(70, **{RUNTIME: LOST, f"{ENV}/distributions": [have("nvidia-cudnn-cu13", "9.24.0.43")]}),
            "cannot_tell",
        ),
        (
            old_card(
                61,
                **{
                    f"{RUNTIME}/cudnn": Unread("not_asked"),
                    f"{ENV}/distributions": [have("nvidia-cudnn-cu13", "9.24.0.43")],
                },
            ),
            "problem",
        ),
        (
            old_card(
                61,
                **{
                    f"{RUNTIME}/cudnn": Unread("not_asked"),
                    f"{ENV}/distributions": [have("nvidia-cudnn-cu12", "9.10.2.21")],
                },
            ),
            "ok",
        ),
    ],
)
def test_cudnn_and_old_cards(now: Machine, outcome: str) -> None:
    """From 9.11 on cuDNN needs 7.5; torch's own word counts, and its wheel where torch was not asked."""
    assert judge_one("cudnn-drops-gpu", now).outcome == outcome


def test_a_build_without_code_for_the_card_explains_cudnns_refusal() -> None:
    """One cause, the build."""
    report = judge(machine("gpu-older-than-build").but({f"{RUNTIME}/cudnn": 92400}).snapshot, QUESTIONS)
    assert [f.rule for f in report.root_causes] == ["gpu-older-than-torch-archs"]


@pytest.mark.parametrize("rule", ["cudnn-version-incompatible", "cudnn-not-initialized"])
def test_what_only_a_message_shows(rule: str, heard: Any, text: Any, snapshot: Any) -> None:
    """No message: out of place.  A message that suggests: a suspicion.  One that proves: a finding."""
    assert judge_one(rule, machine("h100")).outcome == "not_applicable"
    suspicion = judge_one(rule, heard(machine("h100"), rule, "its own words"))
    assert (suspicion.outcome, suspicion.finding is not None) == ("cannot_tell", True)
    proven = judge_one(rule, heard(machine("h100"), rule, "its own words", proves=True))
    assert proven.outcome == "problem"
    assert text(proven) == snapshot
