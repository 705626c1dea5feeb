"""House rules of the law: every rule is complete, named once, registered, and documented."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

import envcheck.rules
from envcheck.judge import HEADINGS, RUNGS, SEVERITIES, Question, RuleType, manual
from envcheck.rules import QUESTIONS, RULES

CODE = re.compile(r"^[A-Z]{3}\d{3}$")
NAME = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")


def test_names_and_codes_are_unique_and_well_formed() -> None:
    """A name and a code stand for one rule, for ever."""
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert len({rule.code for rule in RULES}) == len(RULES)
    assert [rule.name for rule in RULES if not NAME.match(rule.name)] == []
    assert [rule.code for rule in RULES if not CODE.match(rule.code)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_is_complete(rule: RuleType) -> None:
    """Rung and severity are of the house, and the manual page has its five headings, each with a text."""
    assert rule.rung in RUNGS
    assert rule.severity in SEVERITIES
    page = manual(rule)
    first = page.split("\n", 1)[0]
    assert first.endswith("."), first
    assert len(first) <= 140, first
    at = -1
    for heading in HEADINGS:
        found = page.find(f"\n{heading}\n    ")
        assert found > at, f"{rule.name}: heading {heading!r} is missing, empty or out of order"
        at = found


def test_what_a_rule_explains_exists() -> None:
    """No rule explains a rule that nobody wrote."""
    names = {rule.name for rule in RULES}
    assert {(rule.name, other) for rule in RULES for other in rule.explains if other not in names} == set()


def test_no_rule_explains_itself_through_others() -> None:
    """The order of causes has no cycle: two rules that explain each other would hide both."""
    direct = {rule.name: set(rule.explains) for rule in RULES}
    for name in direct:
        seen: set[str] = set()
        front = set(direct[name])
        while front:
            assert name not in front, f"{name} is explained by what it explains"
            seen |= front
            front = {far for near in front for far in direct.get(near, ())} - seen


def test_every_question_in_the_house_is_asked() -> None:
    """A question that is written and not registered would vanish without a trace."""
    written: set[int] = set()
    for module in pkgutil.walk_packages(envcheck.rules.__path__, "envcheck.rules."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Question):
                written.add(id(value))
    assert written == {id(question) for question in QUESTIONS}


def test_question_names_are_unique() -> None:
    """A crash is reported by the question's name."""
    assert len({question.name for question in QUESTIONS}) == len(QUESTIONS)
