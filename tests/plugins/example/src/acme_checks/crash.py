"""A rule that is well formed and raises when it is asked."""

from __future__ import annotations

from envcheck.judge import Case, Problem, Rule, question


class Explodes(Rule):
    """This rule always raises.

    What it looks at
        Nothing.
    Why it matters
        One crash has to cost one verdict.
    How to mend it
        Not at all: it is meant.
    Cannot tell when
        Always.
    References
        None.
    """

    code, name, rung = "ACM102", "acme-explodes", "python"


@question("host", Explodes)
def does_it_explode(case: Case) -> Problem | None:
    """It does."""
    raise ZeroDivisionError("planted in a plugin")


QUESTIONS = (does_it_explode,)
