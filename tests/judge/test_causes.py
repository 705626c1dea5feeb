"""Findings are folded under the finding that explains them, on the subjects that it reaches."""

from __future__ import annotations

import itertools

import pytest

from envcheck.judge import (
    Case,
    Finding,
    Policy,
    Problem,
    Question,
    Rule,
    covers,
    explanations,
    fold,
    judge,
    question,
)
from envcheck.testing import machine


def finding(
    rule: str, subject: str = "host", severity: str = "error", rung: str = "nvml", sure: bool = True
) -> Finding:
    return Finding(
        rule=rule,
        code=rule.upper(),
        severity=severity,  # type: ignore[arg-type]
        rung=rung,
        subject=subject,
        summary="s",
        cause="c",
        evidence=[],
        confidence="established" if sure else "suggested",
    )


EXPLAINS = {
    "driver": frozenset({"nvml", "cuda", "torch"}),
    "cuda": frozenset({"torch"}),
    "gpu": frozenset({"torch", "speed"}),
}


def folded(*findings: Finding) -> tuple[list[str], dict[str, str]]:
    roots, rest = fold(findings, EXPLAINS)
    return [f.rule for f in roots], {c.finding.rule: c.because for c in rest}


def test_consequences_stand_under_their_root_not_under_each_other() -> None:
    """driver → cuda → torch: both point at the driver."""
    assert folded(
        finding("torch", "env:/v", rung="torch_runtime"),
        finding("cuda", rung="cuda_driver"),
        finding("driver", rung="kernel_module"),
    ) == (
        ["driver"],
        {"cuda": "driver", "torch": "driver"},
    )


def test_order_of_findings_does_not_matter() -> None:
    """Every permutation folds alike."""
    pool = [finding("torch", "env:/v"), finding("cuda"), finding("driver"), finding("other")]
    results = {repr(folded(*order)) for order in itertools.permutations(pool)}
    assert len(results) == 1


def test_another_gpu_is_not_explained() -> None:
    """A lost GPU explains what fails on it and above it, never its neighbour's trouble."""
    roots, rest = folded(finding("gpu", "gpu:a", rung="hardware"), finding("speed", "gpu:a"), finding("speed", "gpu:b"))
    assert roots == ["gpu", "speed"]
    assert rest == {"speed": "gpu"}


def test_a_suspicion_never_swallows_what_is_established() -> None:
    """What facts establish stays a root beside a suspected cause."""
    roots, rest = folded(finding("driver", sure=False), finding("torch", "env:/v"))
    assert roots == ["torch", "driver"]
    assert rest == {}


def test_a_remark_does_not_explain_a_failure() -> None:
    """A note cannot hide an error."""
    roots, _ = folded(finding("driver", severity="note"), finding("torch", "env:/v"))
    assert roots == ["torch", "driver"]


def test_errors_come_first_then_the_lowest_rung() -> None:
    """The first root cause is the answer that a user acts on."""
    roots, _ = folded(
        finding("warn", severity="warning", rung="hardware"),
        finding("high", rung="torch_build"),
        finding("low", rung="hardware"),
    )
    assert roots == ["low", "high", "warn"]


@pytest.mark.parametrize(
    ("cause", "effect", "reach"),
    [
        ("host", "gpu:a", True),
        ("host", "env:/v", True),
        ("host", "host", True),
        ("gpu:a", "gpu:a", True),
        ("gpu:a", "gpu:b", False),
        ("gpu:a", "env:/v", True),
        ("gpu:a", "host", True),
        ("env:/v", "env:/v", True),
        ("env:/v", "env:/w", False),
        ("env:/v", "host", False),
        ("env:/v", "gpu:a", False),
        ("env:/v", "kernel:k", True),
        ("kernel:k", "env:/v", False),
    ],
)
def test_reach_of_subjects(cause: str, effect: str, reach: bool) -> None:
    """Who may explain whom."""
    assert covers(cause, effect) is reach


def test_explanations_are_closed_and_survive_a_cycle() -> None:
    """A rule explains what its consequences explain; a cycle ends, and no rule explains itself."""

    class A(Rule):
        code, name, rung, explains = "A1", "a", "nvml", ("b",)

    class B(Rule):
        code, name, rung, explains = "B1", "b", "nvml", ("c",)

    class C(Rule):
        code, name, rung, explains = "C1", "c", "nvml", ("a",)

    @question("host", A, B, C)
    def anything(case: Case) -> Problem | None:
        return None

    assert isinstance(anything, Question)
    assert explanations([anything]) == {"a": {"b", "c"}, "b": {"a", "c"}, "c": {"a", "b"}}
    roots, rest = fold([finding("a"), finding("b"), finding("c")], explanations([anything]))
    assert len(roots) + len(rest) == 3
    assert Policy().strict is False


def test_a_warning_that_an_error_follows_from_is_the_answer() -> None:
    """An unfit machine always has a root cause: the error is folded, so what it follows from takes its place."""

    class Leftover(Rule):
        code, name, rung, explains = "L1", "leftover", "torch_build", ("broken",)
        severity = "warning"

    class Broken(Rule):
        code, name, rung = "B1", "broken", "torch_build"

    @question("host", Leftover)
    def is_there_a_leftover(case: Case) -> Problem | None:
        return case.problem(Leftover, "s", cause="c", evidence=["/host/system"])

    @question("host", Broken)
    def is_it_broken(case: Case) -> Problem | None:
        return case.problem(Broken, "s", cause="c", evidence=["/host/system"])

    both = judge(machine("h100").snapshot, [is_there_a_leftover, is_it_broken])
    assert both.verdict == "unfit"
    assert [f.rule for f in both.root_causes] == ["leftover"]
    assert both.warnings == []
    alone = judge(machine("h100").snapshot, [is_there_a_leftover])
    assert (alone.verdict, alone.root_causes, [f.rule for f in alone.warnings]) == ("fit", [], ["leftover"])
