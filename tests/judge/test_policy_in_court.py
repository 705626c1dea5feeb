"""What a policy changes in court and at the gate: exceptions with a date, unknowns that count, requirements."""

from __future__ import annotations

import pytest

from envcheck.facts import DamagedFile, Driver, Unread, make
from envcheck.judge import (
    CannotTell,
    Case,
    Ignore,
    Policy,
    Problem,
    Question,
    Rule,
    RuleType,
    Severity,
    Unknowns,
    answer,
    explanations,
    fold,
    judge,
    question,
    try_all,
    weigh,
)
from envcheck.judge.finding import Confidence
from envcheck.rules import QUESTIONS
from envcheck.testing import CAST, machine


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


def test_an_expired_exception_is_no_sign_of_health() -> None:
    """A policy with dates, judged against a machine that nobody saw: what is known of the policy passes nothing."""
    for until in ("2999-01-01", "2020-01-01"):
        policy = Policy(ignore=[Ignore(rule="ecc-disabled", reason="x", until=until)], today="2026-11-24")
        assert judge(UNASKED, QUESTIONS, policy).verdict == "undetermined"


# -- an ignored cause and what it does ----------------------------------------------------------------------------

BROKEN = [name for name, cause in CAST.items() if cause is not None]


def accepting(*rules: str, unknown: Unknowns = "warn") -> Policy:
    return Policy(ignore=[Ignore(rule=rule, reason="known") for rule in rules], unknown=unknown)


@pytest.mark.parametrize("name", BROKEN)
def test_whoever_accepts_a_cause_accepts_what_it_does(name: str) -> None:
    """Of every broken machine: with its root cause ignored no error is left, and each consequence says why.

    What nobody could tell because of the cause still counts, unless the policy waves unknowns through.
    """
    snapshot = machine(name).snapshot
    before = judge(snapshot, QUESTIONS)
    roots = {finding.rule for finding in before.root_causes}
    after = judge(snapshot, QUESTIONS, accepting(*roots))
    assert (after.root_causes, after.verdict) in (([], "fit"), ([], "undetermined"))
    told = {verdict.rule: verdict.why for verdict in after.ignored}
    assert told.keys() >= roots | {one.finding.rule for one in before.consequences}
    for one in before.consequences:
        assert told[one.finding.rule] == f"follows from {one.because}, which is ignored: known"
    assert all(verdict.finding is not None for verdict in after.ignored)
    assert judge(snapshot, QUESTIONS, accepting(*roots, unknown="ignore")).verdict == "fit"


def test_another_error_still_counts() -> None:
    """An exception covers its own cause alone: the driver is accepted, the damaged torch is not."""
    snapshot = machine("driver-too-old").snapshot
    accepted = accepting("driver-too-old-for-torch")
    assert judge(snapshot, QUESTIONS, accepted).verdict == "fit"
    lost = DamagedFile(path="torch/lib/libtorch_cpu.so", expected_bytes=1000, actual_bytes=None)
    both = machine("driver-too-old").but({"/interpreters/0/torch/damaged": [lost]}).snapshot
    report = judge(both, QUESTIONS, accepted)
    assert report.verdict == "unfit"
    assert "driver-too-old-for-torch" in {verdict.rule for verdict in report.ignored}


class Cause(Rule):
    code, name, rung = "TST111", "cause", "nvml"
    explains = ("effect", "link")


class Other(Rule):
    code, name, rung = "TST112", "other", "nvml"
    explains = ("effect",)


class Link(Rule):
    code, name, rung = "TST113", "link", "cuda_driver"
    explains = ("effect",)


class Effect(Rule):
    code, name, rung = "TST114", "effect", "torch_runtime"


class Wanted(Rule):
    code, name, rung = "TST115", "wanted", "torch_runtime"
    required, essential = True, True
    explained_by = ("cause",)


def always(rule: RuleType, severity: Severity = "error", confidence: Confidence = "established") -> Question:
    def answer(case: Case) -> Problem | None:
        return case.problem(
            rule, rule.name, cause="", evidence=["/driver/nvml"], severity=severity, confidence=confidence
        )

    return Question(f"is_it_{rule.name}", "host", (rule,), answer)


@pytest.mark.parametrize(
    ("questions", "ignored", "counting"),
    [
        ([always(Cause), always(Effect)], {"cause", "effect"}, set()),
        ([always(Cause), always(Link), always(Effect)], {"cause", "link", "effect"}, set()),
        ([always(Cause), always(Other), always(Effect)], {"cause"}, {"other", "effect"}),
        ([always(Cause), always(Wanted)], {"cause"}, {"wanted"}),
        ([always(Cause, "note"), always(Effect)], {"cause"}, {"effect"}),
        ([always(Cause, confidence="suggested"), always(Effect)], {"cause"}, {"effect"}),
        ([always(Cause), always(Effect, confidence="suggested")], {"cause", "effect"}, set()),
        ([always(Other), always(Effect)], set(), {"other", "effect"}),
    ],
    ids=["its own", "through another", "two causes", "required", "a remark", "a suspicion", "a suspect", "another's"],
)
def test_what_an_exception_excuses(questions: list[Question], ignored: set[str], counting: set[str]) -> None:
    """What follows from the ignored finding alone, by the measure by which findings are folded; never a requirement."""
    report = judge(BAD, questions, accepting("cause"))
    assert {verdict.rule for verdict in report.ignored} == ignored
    findings = [*report.root_causes, *(one.finding for one in report.consequences)]
    assert {finding.rule for finding in findings} == counting
    assert report.verdict == ("unfit" if counting else "fit")


def test_a_suspicion_can_be_accepted_by_name() -> None:
    """A message suggests the rule; the exception holds for that too, and the look-alikes stay open."""
    report = judge(BAD, [always(Cause, confidence="suggested")], accepting("cause"))
    assert ([verdict.rule for verdict in report.ignored], report.cannot_tell) == (["cause"], [])


def test_a_rule_may_say_what_explains_it() -> None:
    """``explained_by`` folds like ``explains``; the name of a rule that is not there is nothing."""
    explained = explanations([is_it_planted, is_it_required])
    assert explained == {"planted": {"required"}, "required": frozenset()}
    report = judge(BAD, [is_it_planted, is_it_required])
    assert [f.rule for f in report.root_causes] == ["planted"]
    assert [(c.finding.rule, c.because) for c in report.consequences] == [("required", "planted")]
    assert fold([], explained) == ([], [])
