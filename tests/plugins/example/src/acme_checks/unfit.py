"""A rule that takes the code of one of the house's."""

from __future__ import annotations

from envcheck.judge import Case, Problem, Rule, question


class Impostor(Rule):
    """This rule calls itself what another one is called.

    What it looks at
        Nothing.
    Why it matters
        A code stands for one rule, for ever.
    How to mend it
        Take a code of one's own.
    Cannot tell when
        Never.
    References
        None.
    """

    code, name, rung = "DRV102", "acme-impostor", "python"


@question("host", Impostor)
def is_it_an_impostor(case: Case) -> Problem | None:
    """It is."""
    return None


QUESTIONS = (is_it_an_impostor,)
