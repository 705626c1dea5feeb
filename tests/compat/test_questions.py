"""Driver × card × Python × system × wish → the build to install, or why there is none."""

from __future__ import annotations

import pytest

from envcheck.compat.machine import describe
from envcheck.compat.recommend import Wish, recommend
from tests.compat.questions import HAVE, QUESTIONS, Question


def test_there_are_enough_questions() -> None:
    """The table asks at least 120 different things, and each only once."""
    assert len({(str(q.machine), str(q.wish)) for q in QUESTIONS}) == len(QUESTIONS) >= 120


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q.label)
def test_recommend_answers_as_the_sources_do(question: Question) -> None:
    """The newest build that runs without touching the driver is chosen; where none does, the rule that says so."""
    answer = recommend(Wish(machine=describe(**question.machine), **question.wish))
    if question.answer.startswith("none: "):
        assert answer.choice is None
        assert not answer.fits
        assert question.answer.removeprefix("none: ") in {item.rule for item in answer.rejected}
        assert len(answer.why) >= 2, "it must say what would have to change"
    else:
        assert answer.choice is not None, answer.why
        assert f"{answer.choice.torch}+{answer.choice.build}" == question.answer
        assert answer.fits


@pytest.mark.parametrize(("machine", "build", "works", "rule"), HAVE, ids=lambda value: str(value))
def test_have_judges_a_given_build(machine: dict[str, str], build: str, works: bool | None, rule: str | None) -> None:
    """A build that somebody has runs there, or does not and a rule says why, or it cannot be told."""
    answer = recommend(Wish(machine=describe(**machine), have=build))
    assert answer.have is not None
    assert (answer.have.works, answer.have.rule) == (works, rule), answer.have.why
    assert answer.have.why
    assert answer.fits is (answer.choice is not None and works is not False)
