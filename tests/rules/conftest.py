"""What the tests of all rule files share: one row of a table, a finding's whole text, and law 1 around a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import pytest

from envcheck.facts import Symptom
from envcheck.judge import Policy, Verdict
from envcheck.testing import CAST, Machine, blank, fact_pointers, judge_one, machine

Judge: TypeAlias = Callable[[str, Machine], Verdict]
POLICY = Policy(pedantic=True)


@pytest.fixture(scope="session")
def text() -> Callable[[Verdict], Any]:
    """What a user reads of a finding: severity, summary, cause, quoted pointers and the fix."""

    def read(verdict: Verdict) -> Any:
        finding = verdict.finding
        assert finding is not None, f"{verdict.rule}: {verdict.outcome} ({verdict.why})"
        pointers = [evidence.pointer for evidence in finding.evidence]
        return finding.severity, finding.confidence, finding.summary, finding.cause, pointers, finding.fix

    return read


@pytest.fixture(scope="session")
def unlawful() -> Callable[[str, Machine], list[str]]:
    """The facts without which a rule's verdict on a machine turns from ok to problem or back: law 1 wants none."""

    def search(rule: str, now: Machine) -> list[str]:
        before = judge_one(rule, now, POLICY).outcome
        wrong = []
        for pointer in fact_pointers(now.snapshot):
            try:
                after = judge_one(rule, blank(now.snapshot, pointer), POLICY).outcome
            except LookupError:  # the subject was known by that fact alone
                continue
            if {before, after} == {"ok", "problem"} or after == "crashed":
                wrong.append(f"{before} -> {after} without {pointer}")
        return wrong

    return search


@pytest.fixture(scope="session")
def complaints() -> Callable[[Iterable[str]], list[str]]:
    """The rules, of those named, that find an error or a warning on a healthy machine of the cast."""

    def search(rules: Iterable[str]) -> list[str]:
        found = []
        for name in (name for name, cause in CAST.items() if cause is None):
            for rule in rules:
                try:
                    verdict = judge_one(rule, machine(name), POLICY)
                except LookupError:  # no subject of that kind
                    continue
                if verdict.outcome == "problem" and verdict.severity != "note":
                    found.append(f"{rule} on {name}")
        return found

    return search


@pytest.fixture(scope="session")
def heard() -> Callable[..., Machine]:
    """A machine about which one message was seen that suggests (or proves) a rule."""

    def tell(now: Machine, rule: str, words: str, *, proves: bool = False) -> Machine:
        symptom = Symptom(id=rule, text=words, source="line 3", suggests=rule, proves=proves)
        return now.but({"/symptoms": [symptom]})

    return tell
