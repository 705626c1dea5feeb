"""Is torch in this environment, in another one, or nowhere to be had?"""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import (
    Distribution,
    Interpreter,
    Symptom,
    TorchInstall,
    Unread,
)
from envcheck.judge import Policy, judge
from envcheck.rules import QUESTIONS
from envcheck.testing import Machine, judge_one, machine

ENV = "/interpreters/0"
TORCH, RUNTIME = f"{ENV}/torch", f"{ENV}/runtime"
LOST = Unread("refused", "nobody may look")
NO_TORCH = {TORCH: None, RUNTIME: None}


def beside(cast: str, torch: TorchInstall | Unread | None, **changes: Any) -> Machine:
    """The machine with a second environment, a conda one of the name study."""
    other = Interpreter(
        executable="/opt/conda/envs/study/bin/python",
        found_by=["conda environments.txt"],
        manager="conda",
        name="study",
        prefix="/opt/conda/envs/study",
        torch=torch,
    )
    first = machine(cast).snapshot.interpreters
    assert isinstance(first, list)
    return machine(cast).but({"/interpreters": [*first, other], **changes})


ELSEWHERE = TorchInstall(location="/opt/conda/envs/study/lib/python3.12/site-packages/torch", version="2.9.1+cu128")


def python(version: str, cast: str = "torch-missing-on-gpu-box", **changes: Any) -> Machine:
    return machine(cast).but({f"{ENV}/version": version, f"{ENV}/cfg_version": version, **changes})


def intel_mac(**changes: Any) -> Machine:
    intel = {"/host/machine": "x86_64", f"{ENV}/machine": "x86_64", f"{ENV}/platform": "macosx-10.15-x86_64"}
    return machine("macos-m2").but({**intel, **NO_TORCH, "/host/apple_silicon": False, **changes})


ROWS: dict[str, dict[str, Machine]] = {
    "torch-not-installed": {
        "ok": machine("h100"),
        "problem": machine("torch-missing-on-gpu-box"),
        "cannot_tell": machine("torch-missing-on-gpu-box").but({TORCH: LOST}),
    },
    "wrong-interpreter": {
        "ok": beside("torch-missing-on-gpu-box", None),
        "problem": beside("torch-missing-on-gpu-box", ELSEWHERE),
        "cannot_tell": beside("torch-missing-on-gpu-box", LOST),
        "not_applicable": beside("h100", ELSEWHERE),
    },
    "torch-python-unsupported": {
        "ok": machine("torch-missing-on-gpu-box"),
        "problem": python("3.11.9", **{"/host/machine": "riscv64"}),
        "cannot_tell": python("3.99.0"),
        "not_applicable": machine("h100"),
    },
    "macos-intel-unsupported": {
        "ok": machine("torch-missing-on-gpu-box"),
        "problem": intel_mac(),
        "cannot_tell": intel_mac(**{"/host/apple_silicon": LOST}),
        "not_applicable": intel_mac(**{"/host/apple_silicon": True}),
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
    ("cast", "policy", "packages", "severity"),
    [
        ("torch-missing-on-gpu-box", Policy(), [], "error"),
        ("torch-missing-on-gpu-box", Policy(), [Distribution(name="jax", version="0.8.1")], "note"),
        ("torch-missing-on-gpu-box", Policy(), [Distribution(name="tensorflow", version="2.20.0")], "note"),
        ("torch-missing-on-gpu-box", Policy(require_gpu=True), [Distribution(name="jax", version="0.8.1")], "error"),
        ("cpu-only", Policy(), [], "note"),
        ("cpu-only", Policy(require_gpu=True), [], "error"),
    ],
)
def test_no_torch_is_an_error_only_where_it_is_missed(
    cast: str, policy: Policy, packages: list[Distribution], severity: str
) -> None:
    """Without a card, or with another framework, a Python without torch is healthy."""
    now = machine(cast).but({f"{ENV}/distributions": packages})
    verdict = judge_one("torch-not-installed", now, policy)
    assert (verdict.outcome, verdict.severity) == ("problem", severity)


def test_torch_elsewhere_explains_that_it_is_missing_here() -> None:
    """The environment that was meant is the cause; that this one has no torch is its consequence."""
    report = judge(beside("torch-missing-on-gpu-box", ELSEWHERE).snapshot, QUESTIONS)
    assert [f.rule for f in report.root_causes] == ["wrong-interpreter"]
    assert [c.finding.rule for c in report.consequences] == ["torch-not-installed"]
    fix = report.root_causes[0].fix
    assert fix is not None and fix.steps[0].command == "conda activate study"


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({"/interpreters/1/manager": "venv"}, ". /opt/conda/envs/study/bin/activate"),
        ({"/interpreters/1/manager": "system"}, "/opt/conda/envs/study/bin/python your_program.py"),
        ({"/interpreters/1/name": None}, "conda activate /opt/conda/envs/study"),
    ],
)
def test_an_environment_is_used_as_its_maker_does(changes: dict[str, Any], first: str) -> None:
    """conda activates by name or prefix, a venv by its script, any other Python by its path."""
    finding = judge_one("wrong-interpreter", beside("torch-missing-on-gpu-box", ELSEWHERE, **changes)).finding
    assert finding is not None and finding.fix is not None
    assert finding.fix.steps[0].command == first


@pytest.mark.parametrize(
    ("now", "outcome"),
    [
        (python("3.14.0"), "ok"),
        (python("3.7.17"), "ok"),  # torch 1.13.1 still has wheels for it
        (python("3.5.10"), "problem"),
        (python("3.11.9", **{"/host/libc": "musl 1.2.5"}), "problem"),
        (python("3.11.9", **{f"{ENV}/free_threaded": True}), "problem"),  # 3.13t was the first
        (python("3.13.5", **{f"{ENV}/free_threaded": True}), "ok"),
        (python("3.11.9", **{"/host/libc": LOST}), "cannot_tell"),
    ],
)
def test_a_python_without_wheels(now: Machine, outcome: str) -> None:
    """One release with a wheel is enough; a Python newer than the table is not judged."""
    assert judge_one("torch-python-unsupported", now).outcome == outcome


def test_nothing_to_install_explains_that_torch_is_missing() -> None:
    """No wheel for this Python is the cause."""
    report = judge(python("3.5.10").snapshot, QUESTIONS)
    assert [f.rule for f in report.root_causes] == ["torch-python-unsupported"]


def test_the_first_install_heeds_who_manages_the_python() -> None:
    """A Python that the system manages gets an environment first; uv names the interpreter; conda its channel."""

    def steps(**changes: Any) -> list[str]:
        finding = judge_one("torch-not-installed", machine("torch-missing-on-gpu-box").but(changes)).finding
        assert finding is not None and finding.fix is not None
        return [step.command for step in finding.fix.steps]

    system = {f"{ENV}/externally_managed": True, f"{ENV}/manager": "system", f"{ENV}/executable": "/usr/bin/python3"}
    assert steps(**system)[0] == "/usr/bin/python3 -m venv .venv"
    assert steps(**system)[1].startswith(".venv/bin/python -m pip install torch==")
    assert steps(**{f"{ENV}/manager": "uv"})[0].startswith(
        "uv pip install --python /home/student/.venv/bin/python torch=="
    )
    assert steps(**{f"{ENV}/manager": "conda"})[0].startswith('conda install -c conda-forge "pytorch-gpu=')


def test_a_message_alone_makes_a_suspicion() -> None:
    """No module named 'torch' in a pasted text, and nothing known of the machine's environments."""
    words = "ModuleNotFoundError: No module named 'torch'"
    symptom = Symptom(id="no-torch", text=words, source="line 1", suggests="wrong-interpreter")
    verdict = judge_one("wrong-interpreter", machine("h100").but({"/symptoms": [symptom], "/interpreters": LOST}))
    assert (verdict.outcome, verdict.finding is not None) == ("cannot_tell", True)
