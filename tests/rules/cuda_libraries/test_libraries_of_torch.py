"""Are the CUDA libraries of torch there and of one version; and what does the loader say?"""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import (
    DamagedFile,
    Distribution,
    Unread,
)
from envcheck.judge import judge
from envcheck.rules import QUESTIONS
from envcheck.rules.cuda_libraries.loader import WORDS, is_named_by_the_loader, named_by_the_loader
from envcheck.rules.cuda_libraries.two_majors import cuda_major_of
from envcheck.testing import Machine, judge_one, machine

ENV = "/interpreters/0"
TORCH, RUNTIME = f"{ENV}/torch", f"{ENV}/runtime"
SITE = "/home/student/.venv/lib/python3.11/site-packages"
LOST = Unread("refused", "nobody may look")
PIN = "nvidia-cudnn-cu13==9.24.0.43 ; platform_system == 'Linux'"
RANGE = "nvidia-nvjitlink<14,>=13.0.88 ; platform_system == 'Linux'"


def have(name: str, version: Any, *requires: str) -> Distribution:
    return Distribution(name=name, version=version, requires=list(requires))


OWN = have("torch", "2.14.1", PIN, RANGE)
CUDNN, LINK = have("nvidia-cudnn-cu13", "9.24.0.43"), have("nvidia-nvjitlink", "13.5.37")


def wheels(*packages: Distribution, **changes: Any) -> Machine:
    return machine("h100").but({f"{ENV}/distributions": [OWN, *packages], **changes})


def fails(words: str, cast: str = "h100", **changes: Any) -> Machine:
    """`import torch` ends with these words."""
    why = Unread("missing", "torch could not be imported")
    failed = {f"{RUNTIME}/imported": False, f"{RUNTIME}/import_error": words, f"{RUNTIME}/available": why}
    return machine(cast).but({**failed, f"{RUNTIME}/devices": why, f"{RUNTIME}/numpy_ok": why, **changes})


OLD_CU12 = have("nvidia-cublas-cu12", "12.8.4.1")
NO_TORCH = machine("torch-missing-on-gpu-box")


ROWS: dict[str, dict[str, Machine]] = {
    "nvidia-wheel-pin-broken": {
        "ok": wheels(CUDNN, LINK),
        "problem": wheels(have("nvidia-cudnn-cu13", "9.10.2.21"), LINK, **{f"{RUNTIME}/imported": LOST}),
        "cannot_tell": wheels(have("nvidia-cudnn-cu13", LOST), LINK),
        "not_applicable": NO_TORCH,
    },
    "nvidia-cu12-cu13-overlap": {
        "ok": wheels(CUDNN, LINK),
        "problem": wheels(CUDNN, LINK, OLD_CU12),
        "cannot_tell": wheels(CUDNN, LINK, OLD_CU12, Distribution(name="jax", version="0.8.1", requires=LOST)),
        "not_applicable": machine("cpu-torch"),
    },
    "nvjitlink-symbol-missing": {
        "ok": machine("h100"),
        "problem": fails("ImportError: /x/libcusparse.so.12: undefined symbol: __nvJitLinkComplete_12_4"),
        "cannot_tell": fails("x", **{f"{RUNTIME}/import_error": LOST}),
        "not_applicable": NO_TORCH,
    },
    "nccl-wheel-mismatch": {
        "ok": machine("h100"),
        "problem": fails("ImportError: /x/libtorch_cuda.so: undefined symbol: ncclCommWindowRegister"),
        "cannot_tell": fails("x", **{f"{RUNTIME}/import_error": LOST}),
        "not_applicable": NO_TORCH,
    },
    "glibcxx-too-old": {
        "ok": machine("h100"),
        "problem": fails("ImportError: /lib/x86_64-linux-gnu/libstdc++.so.6: version `GLIBCXX_3.4.32' not found"),
        "cannot_tell": fails("x", **{f"{RUNTIME}/import_error": LOST}),
        "not_applicable": NO_TORCH,
    },
    "mkl-runtime-clash": {
        "ok": machine("h100"),
        "problem": fails("ImportError: /x/libtorch_cpu.so: undefined symbol: iJIT_NotifyEvent"),
        "cannot_tell": fails("x", **{f"{RUNTIME}/import_error": LOST}),
        "not_applicable": NO_TORCH,
    },
    "static-tls-exhausted": {
        "ok": machine("h100"),
        "problem": fails("ImportError: /x/libgomp-d22c30c5.so.1.0.0: cannot allocate memory in static TLS block"),
        "cannot_tell": fails("x", **{f"{RUNTIME}/import_error": LOST}),
        "not_applicable": NO_TORCH,
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


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (wheels(LINK), "problem"),  # cuDNN is missing
        (wheels(CUDNN, have("nvidia-nvjitlink", "12.9.86")), "problem"),
        (wheels(CUDNN, have("nvidia-nvjitlink", "13.9.0")), "ok"),  # ranges make mixed minors normal
        (wheels(**{"/host/system": "Windows"}), "ok"),  # the markers leave the system out
        (machine("h100").but({f"{ENV}/distributions": [have("torch", "2.14.1")]}), "ok"),  # conda, vendor images
        (
            wheels(
                CUDNN,
                LINK,
                **{
                    f"{TORCH}/damaged": [
                        DamagedFile(path=f"{SITE}/nvidia/cudnn/lib/libcudnn.so.9", expected_bytes=9, actual_bytes=None)
                    ]
                },
            ),
            "problem",
        ),
        (fails("ImportError: libcudnn.so.9: cannot open shared object file: No such file or directory"), "problem"),
        (fails("ImportError: libmpi.so.40: cannot open shared object file: No such file or directory"), "ok"),
    ],
)
def test_requirements_files_and_the_loaders_word(now: Machine, outcome: str) -> None:
    """Each witness alone is enough; a library of somebody else's is not torch's."""
    assert judge_one("nvidia-wheel-pin-broken", now).outcome == outcome


def test_a_broken_pin_that_works_is_a_warning() -> None:
    """Another package's cuDNN with which torch imports is no error yet."""
    assert (
        judge_one("nvidia-wheel-pin-broken", wheels(have("nvidia-cudnn-cu13", "9.10.2.21"), LINK)).severity == "warning"
    )
    broken = ROWS["nvidia-wheel-pin-broken"]["problem"]
    assert judge_one("nvidia-wheel-pin-broken", broken).severity == "error"


def test_the_fix_names_the_wheel_and_its_pin() -> None:
    """The one wheel at the version that torch asks for, nothing else."""
    for now in (
        wheels(LINK),
        wheels(
            CUDNN,
            LINK,
            **{
                f"{TORCH}/damaged": [
                    DamagedFile(path=f"{SITE}/nvidia/cudnn/lib/libcudnn.so.9", expected_bytes=9, actual_bytes=None)
                ]
            },
        ),
    ):
        finding = judge_one("nvidia-wheel-pin-broken", now).finding
        assert finding is not None and finding.fix is not None
        assert [step.command.rpartition(" ")[2] for step in finding.fix.steps] == ['"nvidia-cudnn-cu13==9.24.0.43"']


@pytest.mark.parametrize(
    ("name", "major"),
    [
        ("nvidia-cublas-cu12", 12),
        ("nvidia-cudnn-cu13", 13),
        ("nvidia-cublas", 13),
        ("nvidia-nvtx", 13),
        ("nvidia-ml-py", None),
        ("nvidia-dali-cuda120", None),
        ("torch", None),
    ],
)
def test_the_major_version_of_a_wheel(name: str, major: int | None) -> None:
    """By its suffix; CUDA 13 dropped the suffix for some, and some belong to no CUDA."""
    assert cuda_major_of(name) == major


@pytest.mark.parametrize(
    ("packages", "outcome"),
    [
        ([OLD_CU12], "ok"),  # torch's own major is not there: another question
        ([CUDNN, OLD_CU12, have("jax", "0.4.30", "nvidia-cublas-cu12>=12")], "ok"),
        (
            [
                CUDNN,
                OLD_CU12,
                have("nvidia-cusolver-cu12", "11.7", "nvidia-cublas-cu12"),
                have("cupy", "13", "nvidia-cusolver-cu12"),
            ],
            "ok",
        ),
        ([CUDNN, OLD_CU12, have("nvidia-cusolver-cu12", "11.7", "nvidia-cublas-cu12")], "problem"),
    ],
)
def test_wheels_that_somebody_requires_are_no_leftovers(packages: list[Distribution], outcome: str) -> None:
    """jax or cupy may need the other major, also through one of its wheels."""
    assert judge_one("nvidia-cu12-cu13-overlap", wheels(*packages)).outcome == outcome


def test_with_unread_requirements_the_overlap_is_a_suspicion() -> None:
    """A package that nobody looked into may need the other major."""
    verdict = judge_one("nvidia-cu12-cu13-overlap", ROWS["nvidia-cu12-cu13-overlap"]["cannot_tell"])
    assert verdict.finding is not None and verdict.finding.confidence == "suggested"


def test_every_complaint_of_the_loader_leads_to_one_rule() -> None:
    """The particular stands before the general, and torch's own failed import is not named twice."""
    words = {
        "undefined symbol: __nvJitLinkAddData_12_1, version libnvJitLink.so.12": "nvjitlink-symbol-missing",
        "undefined symbol: ncclGroupSimulateEnd": "nccl-wheel-mismatch",
        "MKL_THREADING_LAYER=INTEL is incompatible with libgomp.so.1 library": "mkl-runtime-clash",
        "version `GLIBC_2.28' not found": "glibcxx-too-old",
        "libgomp.so.1: cannot allocate memory in static TLS block": "static-tls-exhausted",
    }
    for text, rule in words.items():
        named = named_by_the_loader(text)
        assert named is not None and named.name == rule
    assert {rule.name for _, rule in WORDS} == set(words.values())
    assert is_named_by_the_loader("libcusparseLt.so.0: cannot open shared object file")
    assert not is_named_by_the_loader("libmpi.so.40: cannot open shared object file")


@pytest.mark.parametrize("rule", [rule.name for _, rule in WORDS])
def test_the_failed_import_is_not_a_second_cause(rule: str) -> None:
    """What the loader's words name is the one error."""
    report = judge(ROWS[rule]["problem"].snapshot, QUESTIONS)
    assert [f.rule for f in report.root_causes if f.severity == "error"] == [rule]
