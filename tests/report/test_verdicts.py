"""The same verdict in every format, for the whole cast and under policies that turn it, read by independent readers."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from envcheck.facts import make
from envcheck.judge import Policy, Report, judge
from envcheck.judge.policy_settings import Layer, settle
from envcheck.report import FORMATS, Page, render
from envcheck.rules import QUESTIONS, RULES
from envcheck.testing import CAST, machine
from tests.report.readers import VERDICT

NAMES = {rule.name: rule.name for rule in RULES}
POLICIES = {
    "default": Policy(),
    "fleet": settle([], NAMES, profile="fleet").policy,
    "warnings-count": Policy(fail_on="warning", pedantic=True),
    "driver-590": settle([Layer({"require": {"driver": ">=590"}}, "test")], NAMES).policy,
}


@cache
def reported(name: str, policy: str) -> Report:
    return judge(machine(name).snapshot, QUESTIONS, POLICIES[policy])


def test_every_format_has_a_reader() -> None:
    """A new voice comes with somebody who understands it."""
    assert set(VERDICT) == set(FORMATS)


@pytest.mark.parametrize("voice", FORMATS)
@pytest.mark.parametrize("name", CAST)
def test_the_verdict_is_the_same(name: str, voice: str) -> None:
    """Whoever reads only this format comes to the report's verdict, under every policy."""
    for policy in POLICIES:
        report = reported(name, policy)
        assert VERDICT[voice](render(voice, report, Page(100))) == report.verdict, policy


def test_the_policies_do_turn_verdicts() -> None:
    """Otherwise the test above would compare three words that never change."""
    seen = {(policy, reported(name, policy).verdict) for name in CAST for policy in POLICIES}
    assert {verdict for _, verdict in seen} == {"fit", "unfit", "undetermined"}
    healthy = [name for name, cause in CAST.items() if cause is None]
    turned = {(policy, reported(name, policy).verdict) for name in healthy for policy in POLICIES}
    assert {("default", "fit"), ("fleet", "undetermined"), ("driver-590", "unfit")} <= turned
    assert ("default", "unfit") not in turned


@pytest.mark.parametrize("voice", FORMATS)
def test_where_nothing_could_be_judged(voice: str) -> None:
    """A snapshot that knows nothing is undetermined in every format, and no format passes it for want of findings."""
    report = judge(make(), QUESTIONS)
    assert report.verdict == "undetermined"
    assert VERDICT[voice](render(voice, report, Page())) == "undetermined"


@pytest.mark.parametrize("voice", FORMATS)
@pytest.mark.parametrize("name", ["healthy", "sick", "silent", "hostile"])
def test_hostile_texts_change_no_verdict(voice: str, name: str, report_of: Callable[[str], Report]) -> None:
    """What a machine's own texts say cannot make its report say something else."""
    report = report_of(name)
    assert VERDICT[voice](render(voice, report, Page())) == report.verdict
