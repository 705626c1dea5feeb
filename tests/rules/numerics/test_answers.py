"""Does the device compute the right numbers, and do equal cards compute the same ones?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from envcheck.facts import BenchDevice, Unread
from envcheck.judge import Verdict, judge
from envcheck.rules import QUESTIONS
from envcheck.rules.numerics import QUESTIONS as NUMBERS
from envcheck.testing import Machine, judge_one, machine
from tests.rules.speed.machines import CHECKS, benched, card, check, cpu_device, gpu_device, names, turned

RULES = ("numerics-wrong", "bench-tf32-surprise", "equal-gpus-disagree")
TF32 = "a float32 product is off by 0.00029: its factors were rounded to 10 bits, as TF32 has them"


def with_check(device: BenchDevice, name: str, **changes: Any) -> BenchDevice:
    """The device with one check changed."""
    checks = [check(item, **changes) if item == name else check(item) for item in CHECKS]
    return replace(device, checks=checks)


def tf32() -> BenchDevice:
    return replace(with_check(gpu_device(card()), "product-precision", wrong=TF32, error=2.9e-4), product_class="tf32")


def two(first: str = "aaaa", second: str = "aaaa", third: str = "") -> Machine:
    sums = [first, second] + ([third] if third else [])
    devices = [gpu_device(card(), index, checksum=value) for index, value in enumerate(sums)]
    return benched(*devices)


CASES: list[tuple[str, Callable[[], Machine], str]] = [
    ("numerics-wrong", lambda: benched(gpu_device(card())), "ok"),
    ("numerics-wrong", lambda: benched(cpu_device()), "ok"),
    (
        "numerics-wrong",
        lambda: benched(
            with_check(gpu_device(card()), "gradient", wrong="off by 2, at most 1e-05 is allowed", error=2.0)
        ),
        "problem",
    ),
    (
        "numerics-wrong",
        lambda: benched(with_check(gpu_device(card()), "gradient", wrong=Unread("crashed", "killed by signal 11"))),
        "cannot_tell",
    ),
    ("numerics-wrong", lambda: benched(gpu_device(card(), trouble="RuntimeError: no device")), "cannot_tell"),
    ("numerics-wrong", lambda: benched(gpu_device(card(), checks=[])), "cannot_tell"),
    (
        "numerics-wrong",
        lambda: benched(with_check(cpu_device(), "gradient", wrong=Unread("unsupported"), unavailable="no float64")),
        "ok",
    ),
    ("numerics-wrong", lambda: machine("h100"), "not_applicable"),
    ("bench-tf32-surprise", lambda: benched(tf32()), "problem"),
    ("bench-tf32-surprise", lambda: benched(gpu_device(card())), "ok"),
    ("bench-tf32-surprise", lambda: benched(replace(tf32(), product_class=Unread("missing"))), "cannot_tell"),
    ("bench-tf32-surprise", lambda: machine("h100"), "not_applicable"),
    ("equal-gpus-disagree", two, "ok"),
    ("equal-gpus-disagree", lambda: two("aaaa", "bbbb"), "problem"),
    ("equal-gpus-disagree", lambda: two("aaaa", "aaaa", "bbbb"), "problem"),
    ("equal-gpus-disagree", lambda: benched(gpu_device(card())), "not_applicable"),
    (
        "equal-gpus-disagree",
        lambda: benched(gpu_device(card()), gpu_device(card(), 1, checksum=Unread("crashed"))),
        "cannot_tell",
    ),
]


PROBLEMS = [row for row in CASES if row[2] == "problem"]


@pytest.mark.parametrize(("rule", "build", "outcome"), CASES, ids=names(CASES))
def test_outcomes(rule: str, build: Callable[[], Machine], outcome: str) -> None:
    """Each rule is ok, a problem, cannot tell and not applicable where it should be."""
    assert judge_one(rule, build()).outcome == outcome


def test_a_product_worse_than_any_format_is_wrong_and_no_surprise() -> None:
    """The look-alikes from both sides: a known lower precision is a surprise, anything else is wrong."""
    bad = benched(
        replace(
            with_check(gpu_device(card()), "product-precision", wrong="off by 0.4", error=0.4), product_class="worse"
        )
    )
    assert judge_one("numerics-wrong", bad).outcome == "problem"
    assert judge_one("bench-tf32-surprise", bad).outcome == "ok"
    assert judge_one("numerics-wrong", benched(tf32())).outcome == "ok"


def test_a_wrong_number_beside_a_surprise_is_named_first() -> None:
    """TF32 excuses no wrong gradient."""
    checks = [check("product-precision", wrong=TF32), check("gradient", wrong="off by 2")]
    both = benched(replace(tf32(), checks=checks))
    verdict = judge_one("numerics-wrong", both)
    assert verdict.outcome == "problem"
    assert verdict.finding is not None
    assert "gradient: off by 2" in verdict.finding.summary


def test_a_wrong_number_is_an_error_whatever_is_unknown_elsewhere() -> None:
    """Another check that died, another device that cannot be used: the wrong number stays one."""
    broken = gpu_device(card(), checks=[check("a", wrong=Unread("crashed")), check("b", wrong="off by 2")])
    now = benched(gpu_device(card(), 1, trouble="gone"), broken)
    assert judge_one("numerics-wrong", now).outcome == "problem"
    assert judge(now.snapshot, QUESTIONS).verdict == "unfit"


def test_every_wrong_check_is_named() -> None:
    """The first in the summary, the others in the cause, all of them as evidence."""
    checks = [check(name, wrong="off") for name in ("jacobian", "chain-rule", "ridge")]
    finding = judge_one("numerics-wrong", benched(gpu_device(card(), checks=checks))).finding
    assert finding is not None
    assert "jacobian" in finding.summary
    assert "chain-rule, ridge" in finding.cause
    assert len(finding.evidence) == 3


def test_the_rung_is_ok_only_through_a_benchmark() -> None:
    """Without one the rung is not reached, also for a strict doctor; with one it is ok."""
    steps = {step.rung: step.outcome for step in judge(machine("h100").snapshot, QUESTIONS).ladder}
    assert (steps["numerics"], steps["speed"]) == ("not_reached", "not_reached")
    report = judge(benched(gpu_device(card())).snapshot, QUESTIONS)
    steps = {step.rung: step.outcome for step in report.ladder}
    assert (steps["numerics"], steps["speed"]) == ("ok", "ok")
    assert report.verdict == "fit"


@pytest.mark.parametrize(("rule", "build", "outcome"), PROBLEMS, ids=names(PROBLEMS))
def test_findings_read_well(
    rule: str, build: Callable[[], Machine], outcome: str, text: Callable[[Verdict], Any], snapshot: Any
) -> None:
    """The whole text of a finding."""
    assert text(judge_one(rule, build())) == snapshot


@pytest.mark.parametrize(
    "build",
    [
        lambda: benched(tf32()),
        lambda: benched(with_check(gpu_device(card()), "gradient", wrong="off by 2")),
        lambda: two("aaaa", "aaaa", "bbbb"),
    ],
    ids=["tf32", "wrong", "three-cards"],
)
def test_blanking_never_turns_a_verdict(build: Callable[[], Machine]) -> None:
    """Law 1 around the machines of this file."""
    assert turned(build(), NUMBERS) == []


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_its_rows(rule: str) -> None:
    """A rule that is never seen content, silent, out of place or accusing is not known to be any of them."""
    assert {outcome for name, _, outcome in CASES if name == rule} >= {"ok", "problem", "cannot_tell", "not_applicable"}


def test_healthy_machines_stay_clean(complaints: Callable[[Any], list[str]]) -> None:
    """No healthy machine of the cast is accused."""
    assert complaints(RULES) == []
