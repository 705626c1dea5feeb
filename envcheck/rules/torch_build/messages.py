"""What messages say of a rule, beside the facts: for severities, evidence and confidence."""

from __future__ import annotations

import re

from envcheck.facts import Symptom
from envcheck.judge import CannotTell, Case, RuleType


def said(case: Case, *rules: RuleType) -> list[str]:
    """Pointers of the messages about this subject that suggest one of ``rules``.

    For wording and severities: that nobody looked for messages counts as none.
    """
    return [pointer for pointer, _ in _heard(case, rules)]


def proven(case: Case, *rules: RuleType) -> bool:
    """Is there a message that leaves no other reading than one of ``rules``?"""
    return any(item.proves for _, item in _heard(case, rules))


def defer_to_messages(case: Case, *rules: RuleType) -> None:
    """Let the court hear a message where the facts have nothing to say.

    Raises :class:`~envcheck.judge.CannotTell` if one suggests any of ``rules``: the court then weighs the message.
    """
    heard = said(case, *rules)
    if heard:
        raise CannotTell("only a message speaks of it", heard[0], rules)


def matching(case: Case, pattern: str) -> list[str]:
    """Pointers of the messages about this subject whose words match the regular expression ``pattern``.

    Raises :class:`~envcheck.judge.CannotTell` where nobody looked for messages.
    """
    return [
        pointer
        for pointer, item in case.records("/symptoms", Symptom)
        if _concerns(case, item) and re.search(pattern, item.text)
    ]


def _heard(case: Case, rules: tuple[RuleType, ...]) -> list[tuple[str, Symptom]]:
    names = {rule.name for rule in rules}
    return [
        (pointer, item)
        for pointer, item in case.maybe_records("/symptoms", Symptom)
        if item.suggests in names and _concerns(case, item)
    ]


def _concerns(case: Case, item: Symptom) -> bool:
    return not isinstance(item.subject, str) or item.subject == case.subject.key
