"""Is a question fit to be asked?  The house's own are, by its tests; those of plugins are looked at when they come."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import get_args

from .rule import HEADINGS, RUNGS, SEVERITIES, Question, Rule, SubjectKind, manual

CODE = re.compile(r"[A-Z]{3}\d{3}")
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def flaw(question: Question, known: Iterable[Question]) -> str:
    """What is wrong with a question beside those that are known, in one line; "" for nothing."""
    others = list(known)
    names = {rule.name for other in others for rule in other.rules}
    codes = {rule.code for other in others for rule in other.rules}
    if question.name in {other.name for other in others}:
        return f"a question is called {question.name} already"
    if question.subjects not in get_args(SubjectKind):
        return f"{question.name} is about {question.subjects}, which nothing is"
    if not question.rules:
        return f"{question.name} has no rule"
    for rule in question.rules:
        if not (isinstance(rule, type) and issubclass(rule, Rule)):
            return f"{question.name} names {rule!r}, which is no rule"
        why = _of_rule(rule)
        if why:
            return why
        if rule.name in names:
            return f"a rule is called {rule.name} already"
        if rule.code in codes:
            return f"a rule has the code {rule.code} already"
        names.add(rule.name)
        codes.add(rule.code)
    return ""


def _of_rule(rule: type[Rule]) -> str:
    told = {name: getattr(rule, name, None) for name in ("code", "name", "rung", "severity")}
    if not isinstance(told["code"], str) or not CODE.fullmatch(told["code"]):
        return f"{rule.__name__}: a code is three capital letters and three digits, not {told['code']!r}"
    if not isinstance(told["name"], str) or not NAME.fullmatch(told["name"]):
        return f"{rule.__name__}: a name is lower-case words joined by hyphens, not {told['name']!r}"
    if told["rung"] not in RUNGS:
        return f"{rule.name}: there is no rung {told['rung']!r}"
    if told["severity"] not in SEVERITIES:
        return f"{rule.name}: there is no severity {told['severity']!r}"
    page = manual(rule)
    missing = [heading for heading in HEADINGS if f"\n{heading}\n    " not in page]
    return f"{rule.name}: the docstring, its manual page, lacks the heading {missing[0]!r}" if missing else ""
