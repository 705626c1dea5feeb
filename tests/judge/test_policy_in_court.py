"""What a policy changes in court and at the gate: exceptions with a date, unknowns that count, requirements."""

from __future__ import annotations

import pytest

from envcheck.facts import Driver, Unread, make
from envcheck.judge import (
    CannotTell,
    Case,
    Ignore,
    Policy,
    Problem,
    Rule,
    Unknowns,
    answer,
    explanations,
    fold,
    judge,
    question,
    try_all,
    weigh,
)


class Planted(Rule):
    code, name, rung = "TST101", "planted", "nvml"


class Required(Rule):
    code, name, rung = "TST102", "required", "nvml"
    required, essential = True, True
    explained_by = ("planted", "nobody-wrote-this")


class Essential(Rule):
    code, name, rung, essential = "TST103", "essential", "nvml", True


@question("host", Planted)
def is_it_planted(case: Case) -> Problem | None:
    return case.problem(Planted, "planted", cause="", evidence=[]) if case.known("/driver/nvml", str) == "1" else None


@question("host", Required)
def is_it_required(case: Case) -> Problem | None:
    return case.problem(Required, "required", cause="", evidence=[]) if case.known("/driver/nvml", str) == "1" else None


@question("host", Essential)
def is_it_essential(case: Case) -> Problem | None:
    raise CannotTell("nobody knows")


BAD = make(driver=Driver(nvml="1"))
SILENT = make(driver=Driver(nvml=Unread("timeout")))
UNASKED = make()


@pytest.mark.parametrize(
    ("until", "today", "outcome"),
    [
        ("", "2026-11-24", "ignored"),
        ("2026-11-24", "2026-11-24", "ignored"),
        ("2026-11-23", "2026-11-24", "problem"),
        ("2026-11-23", "", "ignored"),
    ],
)
def test_an_exception_holds_until_its_last_day(until: str, today: str, outcome: str) -> None:
    """From the day after it counts for nothing; without a date it holds for good."""
    policy = Policy(ignore=[Ignore(rule="planted", reason="x", until=until)], today=today)
    (verdict,) = try_all(BAD, [is_it_planted], policy)
    assert verdict.outcome == outcome


@pytest.mark.parametrize(
    ("unknown", "essential", "required"),
    [
        ("warn", "undetermined", "undetermined"),
        ("fail", "undetermined", "undetermined"),
        ("ignore", "fit", "undetermined"),
    ],
)
def test_what_is_required_and_not_known_always_counts(unknown: Unknowns, essential: str, required: str) -> None:
    """A policy may wave the house's own doubts through, never its own requirements."""
    policy = Policy(unknown=unknown)
    verdicts = try_all(SILENT, [is_it_essential, is_it_required], policy)
    assert {v.rule: weigh(v, policy) for v in verdicts} == {"essential": essential, "required": required}
    assert answer(verdicts, policy) == "undetermined"


def test_nobody_looked_is_no_excuse_for_a_requirement() -> None:
    """A fact that a policy requires is asked for by the policy, even where the collectors left it out."""
    (verdict,) = try_all(UNASKED, [is_it_required], Policy())
    assert (verdict.outcome, verdict.asked, verdict.required) == ("cannot_tell", True, True)
    assert weigh(verdict, Policy()) == "undetermined"


def test_unknowns_that_fail_are_those_at_error_level() -> None:
    """``unknown = "fail"`` is ``--strict``: a question at error level that nobody could answer."""
    verdicts = try_all(SILENT, [is_it_planted], Policy())
    assert answer(verdicts, Policy(unknown="warn")) == "undetermined", "nothing else was judged"
    (verdict,) = verdicts
    assert weigh(verdict, Policy(unknown="warn")) == "fit"
    assert weigh(verdict, Policy(unknown="fail")) == weigh(verdict, Policy(strict=True)) == "undetermined"


def test_a_rule_may_say_what_explains_it() -> None:
    """``explained_by`` folds like ``explains``; the name of a rule that is not there is nothing."""
    explained = explanations([is_it_planted, is_it_required])
    assert explained == {"planted": {"required"}, "required": frozenset()}
    report = judge(BAD, [is_it_planted, is_it_required])
    assert [f.rule for f in report.root_causes] == ["planted"]
    assert [(c.finding.rule, c.because) for c in report.consequences] == [("required", "planted")]
    assert fold([], explained) == ([], [])
