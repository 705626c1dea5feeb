"""The numeric checks on a real torch: all right on a healthy one, and each planted fault named, by the right rule.

The faults are planted around torch's functions in the child: see plants.py.
"""

from __future__ import annotations

import json
import random
from typing import Any

import msgspec
import pytest

from envcheck.facts import BenchDevice
from envcheck.judge import judge
from envcheck.probe.bench.numerics import CHECKS
from envcheck.rules import QUESTIONS
from envcheck.testing import Machine, judge_one
from tests.probe.bench.conftest import told
from tests.rules.speed.machines import benched, cpu_device

pytestmark = pytest.mark.slow
HEALTHY = 4

NAMED: dict[str, tuple[str, ...]] = {
    "softmax without max-subtraction": ("stable-softmax",),
    "gradient of the wrong sign": ("gradcheck", "softmax-gradient", "step-eager"),
    "one bit of a product": ("exact-integers",),
    "one bit of a sum": ("exact-integers",),
    "one bit now and then": ("repeatability",),
    "aligned at the left": ("broadcast-errors",),
    "in place without a word": ("broadcast-errors",),
    "expand copies": ("broadcast-views",),
    "sum turned round": ("broadcast-shapes", "broadcast-outer-sum"),
    "multiplication off": ("broadcast-outer-sum", "matrix-by-scalar", "matrix-by-vector"),
    "sine's derivative": ("derivative-scalar", "vector-by-scalar"),
    "cosine's derivative": ("vector-by-scalar",),
    "dot's derivative": ("gradient", "chain-rule"),
    "softmax's derivative": ("jacobian",),
    "multiplication's derivative": ("derivative-scalar", "matrix-by-scalar", "matrix-by-vector"),
    "tanh's derivative": ("chain-rule",),
    "power's derivative": ("least-squares-gradient", "chain-rule"),
    "linear layer's derivative": ("gradcheck", "step-eager"),
    "solver off": ("normal-equations", "ridge"),
    "lstsq off": ("normal-equations", "singular-least-squares"),
    "pseudo-inverse off": ("singular-least-squares",),
    "product off": ("product-precision", "gradient-descent", "exact-integers"),
    "five bits": ("product-precision",),
    "logarithm to base 2": ("cross-entropy",),
    "binary loss's derivative": ("binary-cross-entropy",),
    "label added": ("step-closed-form",),
    "sine is no number": ("derivative-scalar",),
    "a kernel is missing": ("chain-rule",),
}
"""Fault → checks that must name it.  Others may, too: what is used in many places is wrong in many."""
ONLY = {
    "softmax without max-subtraction",
    "gradient of the wrong sign",
    "one bit of a product",
    "one bit of a sum",
    "one bit now and then",
    "expand copies",
    "tanh's derivative",
    "softmax's derivative",
    "label added",
}
"""Faults of one place: no other check may be wrong."""


@pytest.fixture(scope="module")
def seed() -> int:
    return random.SystemRandom().randrange(1, 1 << 31)


@pytest.fixture(scope="module")
def found(torch_python: str, seed: int) -> Any:
    """What one child found: fault → facts, and some healthy runs."""
    return json.loads(told(torch_python, "plants.py", str(seed), str(HEALTHY)))


def device(facts: dict[str, Any]) -> BenchDevice:
    """The facts as a measured processor has them, read strictly; its timings are those of a healthy one."""
    whole = msgspec.to_builtins(cpu_device())
    return msgspec.convert({**whole, **facts}, BenchDevice)


def wrong(facts: dict[str, Any]) -> dict[str, str]:
    """Check → what is wrong with it."""
    return {check["id"]: check["wrong"] for check in facts["checks"] if isinstance(check["wrong"], str)}


def now(facts: dict[str, Any]) -> Machine:
    return benched(device(facts))


def test_a_healthy_torch_is_right(found: Any, seed: int) -> None:
    """Every check that a processor can make holds, with room to spare, for every seed."""
    for n, facts in enumerate(found["healthy"]):
        assert wrong(facts) == {}, f"seed {seed + n}"
        absent = [check["id"] for check in facts["checks"] if check["unavailable"] is not None]
        assert absent == ["step-cuda-graph"]
        assert [check["id"] for check in facts["checks"]] == [name for name, _, _ in CHECKS]
        sized = [check for check in facts["checks"] if isinstance(check["error"], float) and check["limit"]]
        assert len(sized) > 15
        assert [c["id"] for c in sized if c["error"] > c["limit"] / 3] == [], f"seed {seed + n}"
        report = judge(now(facts).snapshot, QUESTIONS)
        assert [f.rule for f in report.root_causes] == []
        assert {step.rung: step.outcome for step in report.ladder}["numerics"] == "ok"


@pytest.mark.parametrize("fault", NAMED)
def test_a_planted_fault_is_named(found: Any, seed: int, fault: str) -> None:
    """By the check that is about it, and through the judge as wrong numbers: an error, whatever the speed."""
    facts = found["faults"][fault]
    words = wrong(facts)
    assert set(NAMED[fault]) <= words.keys(), f"seed {seed}: {words}"
    if fault in ONLY:
        assert set(NAMED[fault]) == words.keys(), f"seed {seed}: {words}"
    verdict = judge_one("numerics-wrong", now(facts))
    assert verdict.outcome == "problem"
    assert verdict.finding is not None
    assert verdict.severity == "error"
    assert all(name in verdict.finding.summary + verdict.finding.cause for name in NAMED[fault])
    report = judge(now(facts).snapshot, QUESTIONS)
    assert report.verdict == "unfit"
    assert [finding.rule for finding in report.root_causes] == ["numerics-wrong"]


def test_every_check_can_fail() -> None:
    """Each check is named by some fault; the CUDA graph's step needs a card."""
    named = {name for names in NAMED.values() for name in names}
    assert {name for name, _, _ in CHECKS} - named == {"step-cuda-graph"}


@pytest.mark.parametrize(
    ("fault", "product_class"),
    [("tf32", "tf32"), ("bfloat16", "bfloat16"), ("bfloat16, where tf32 is allowed", "bfloat16")],
)
def test_a_lower_precision_is_a_surprise_and_nothing_more(
    found: Any, seed: int, fault: str, product_class: str
) -> None:
    """Factors rounded to 10 or 7 bits: the product's precision is named, every other result holds at its limit."""
    facts = found["faults"][fault]
    assert wrong(facts).keys() == {"product-precision"}, f"seed {seed}: {wrong(facts)}"
    assert facts["product_class"] == product_class
    verdict = judge_one("bench-tf32-surprise", now(facts))
    assert (verdict.outcome, verdict.severity) == ("problem", "warning")
    assert judge_one("numerics-wrong", now(facts)).outcome == "ok"


def test_a_lower_precision_that_was_allowed_is_no_surprise(found: Any) -> None:
    """The look-alike: the same rounding with torch's flag at "high" is what the program asked for."""
    facts = found["faults"]["tf32, allowed"]
    assert (facts["precision"], facts["product_class"]) == ("high", "tf32")
    assert wrong(facts) == {}
    assert judge_one("bench-tf32-surprise", now(facts)).outcome == "ok"


@pytest.mark.parametrize(
    ("fault", "absent", "why"),
    [
        ("no solver", ["normal-equations", "singular-least-squares", "step-cuda-graph"], "not implemented"),
        ("no memory", ["chain-rule", "step-cuda-graph"], "out of memory"),
    ],
)
def test_what_a_device_lacks_is_no_wrong_number(found: Any, fault: str, absent: list[str], why: str) -> None:
    """A missing solver or a full memory is told with its words, and accuses nobody."""
    facts = found["faults"][fault]
    assert wrong(facts) == {}
    lacking = {check["id"]: check["unavailable"] for check in facts["checks"] if check["unavailable"] is not None}
    assert sorted(lacking) == sorted(absent)
    assert why in lacking[absent[0]]
    assert judge_one("numerics-wrong", now(facts)).outcome == "ok"


@pytest.mark.parametrize("fault", ["one bit of a product", "tf32", "product off"])
def test_the_checksum_tells_devices_apart(found: Any, fault: str) -> None:
    """Equal devices have equal checksums, whatever the seed; one bit, and they are not equal."""
    sums = {facts["checksum"] for facts in found["healthy"]}
    assert len(sums) == 1
    assert found["faults"][fault]["checksum"] not in sums
