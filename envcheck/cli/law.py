"""The law as it stands here: the house's questions and those of plugins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envcheck.facts import Snapshot
    from envcheck.judge import Question, RuleType


def with_plugins(
    snapshot: Snapshot, questions: Sequence[Question], *, live: bool
) -> tuple[Snapshot, tuple[Question, ...]]:
    """The snapshot with what became of each plugin, and the questions with theirs.  ``live``: their collectors run."""
    from envcheck.plugins import with_plugins as joined

    return joined(snapshot, questions, live=live)


def with_collectors(snapshot: Snapshot) -> Snapshot:
    """The snapshot of this machine with what plugins' collectors saw.  Without plugins no rule is imported for it."""
    from envcheck.plugins import discover

    if not discover():
        return snapshot
    from envcheck.rules import QUESTIONS

    return with_plugins(snapshot, QUESTIONS, live=True)[0]


def rules() -> tuple[RuleType, ...]:
    """Every rule: the house's, then those of plugins that can be used."""
    from envcheck.facts import make
    from envcheck.rules import QUESTIONS, RULES

    _, questions = with_plugins(make(), QUESTIONS, live=False)
    return (*RULES, *(rule for question in questions[len(QUESTIONS) :] for rule in question.rules))


def find(name_or_code: str) -> RuleType | None:
    """The rule of that name or code (any case), or ``None``.  Plugins are loaded only where the house has none."""
    from envcheck.rules import find as of_the_house

    found = of_the_house(name_or_code)
    if found is not None:
        return found
    wanted = name_or_code.strip().lower()
    return next((rule for rule in rules() if wanted in (rule.name, rule.code.lower())), None)
