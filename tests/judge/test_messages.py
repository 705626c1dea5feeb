"""Messages are heard after the facts: what they prove, what they only suggest, and whom they speak of."""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import Symptom, Unread, make
from envcheck.judge import Policy, judge, try_all
from envcheck.rules import QUESTIONS
from envcheck.testing import machine


def message(rule: str, *, proves: bool = False, subject: Any = None) -> Symptom:
    more = {} if subject is None else {"subject": subject}
    return Symptom(id="seen", text="the words", source="line 1", suggests=rule, proves=proves, **more)


def verdicts(snapshot: Any, rule: str) -> dict[str, Any]:
    return {v.subject: v for v in try_all(snapshot, QUESTIONS, Policy()) if v.rule == rule}


def test_a_message_alone_is_a_suspicion_and_makes_the_machine_unfit() -> None:
    """Nothing is known but the words: cannot tell, with the suspicion beside it."""
    snapshot = make(symptoms=[message("cuda-init-unknown-error")])
    verdict = verdicts(snapshot, "cuda-init-unknown-error")["host"]
    assert verdict.outcome == "cannot_tell"
    assert verdict.finding is not None
    assert verdict.finding.confidence == "suggested"
    report = judge(snapshot, QUESTIONS)
    assert report.verdict == "unfit"
    assert [f.rule for f in report.root_causes] == ["cuda-init-unknown-error"]


def test_a_message_that_leaves_no_other_reading_convicts() -> None:
    """What a message proves is established by it."""
    snapshot = make(symptoms=[message("stub-libcuda-loaded", proves=True)])
    verdict = verdicts(snapshot, "stub-libcuda-loaded")["host"]
    assert (verdict.outcome, verdict.finding.confidence) == ("problem", "established")


def test_facts_outweigh_a_suggestion() -> None:
    """cuInit answered 0: a message that only suggests something else is not believed."""
    now = machine("h100").but({"/symptoms": [message("cuda-init-unknown-error")]})
    assert verdicts(now.snapshot, "cuda-init-unknown-error")["host"].outcome == "ok"


def test_facts_that_convict_a_look_alike_outweigh_a_proof() -> None:
    """Two rules of one question never fire together."""
    now = machine("stub-libcuda").but({"/symptoms": [message("fabric-manager-not-running", proves=True)]})
    assert verdicts(now.snapshot, "stub-libcuda-loaded")["host"].outcome == "problem"
    assert verdicts(now.snapshot, "fabric-manager-not-running")["host"].outcome == "ok"


def test_of_several_cards_none_is_convicted_by_a_message_that_names_none() -> None:
    """The message is heard once, on the machine; one that names a card is that card's."""
    nameless = machine("h100").but({"/symptoms": [message("gpu-fallen-off-bus", proves=True)]})
    by_subject = verdicts(nameless.snapshot, "gpu-fallen-off-bus")
    assert {s: v.outcome for s, v in by_subject.items() if v.outcome == "problem"} == {"host": "problem"}
    second = next(s for s in by_subject if s.startswith("gpu:GPU-00000001"))
    named = machine("h100").but({"/symptoms": [message("gpu-fallen-off-bus", proves=True, subject=second)]})
    outcomes = {s: v.outcome for s, v in verdicts(named.snapshot, "gpu-fallen-off-bus").items()}
    assert [s for s, outcome in outcomes.items() if outcome == "problem"] == [second]


def test_the_single_card_is_meant() -> None:
    """With one card a message about the card is about that one."""
    now = machine("rtx5090").but({"/symptoms": [message("gpu-fallen-off-bus", proves=True)]})
    outcomes = {s: v.outcome for s, v in verdicts(now.snapshot, "gpu-fallen-off-bus").items()}
    assert list(outcomes.values()) == ["problem"]


@pytest.mark.parametrize("symptoms", [[], Unread("not_asked")])
def test_no_message_proves_nothing(symptoms: Any) -> None:
    """Silence is no evidence: without messages the facts alone decide."""
    now = machine("h100").but({"/symptoms": symptoms})
    assert judge(now.snapshot, QUESTIONS).root_causes == []
