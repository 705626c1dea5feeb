"""What all rules of a policy share: they are asked by the policy alone, and not to know is never good enough."""

from __future__ import annotations

from typing import TypeVar

from envcheck.judge import NotApplicable, Rule

T = TypeVar("T")


class Requirement(Rule):
    """A rule that a policy calls for."""

    essential = True
    required = True


def wanted(requirement: T) -> T:
    """The requirement, if the policy states it.  Raises :class:`~envcheck.judge.NotApplicable` where it does not."""
    if not requirement:
        raise NotApplicable("the policy does not ask for it")
    return requirement


def specified(specifier: str) -> str:
    """A specifier in a sentence: ``>=2.9`` as it is, an empty one as "any version"."""
    return specifier or "any version"
