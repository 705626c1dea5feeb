"""The laws, over the whole cast and over machines that chance makes of it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.facts import Snapshot, Unread, decode, encode, resolve, to_plain
from envcheck.judge import Policy, Question, Report, judge, try_all
from envcheck.rules import QUESTIONS
from envcheck.testing import CAST, blank, fact_pointers, machine

POLICIES = [Policy(pedantic=True), Policy(require_gpu=True, pedantic=True)]
MACHINES = st.sampled_from(sorted(CAST))
WHYS = st.sampled_from(["timeout", "refused", "missing", "garbled", "unsupported", "crashed", "not_asked"])


def verdicts(snapshot: object, policy: Policy) -> dict[tuple[str, str], str]:
    return {(v.rule, v.subject): v.outcome for v in try_all(snapshot, QUESTIONS, policy)}  # type: ignore[arg-type]


@pytest.mark.parametrize("name", CAST)
def test_blanking_any_one_fact_never_accuses_nor_acquits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 1: taking one fact away moves a verdict to cannot tell or leaves it; never ok to problem or back."""
    snapshot = machine(name).snapshot
    readers = _readers(snapshot, monkeypatch)
    before = verdicts(snapshot, POLICIES[0])
    broken = []
    for pointer in fact_pointers(snapshot):
        # A question that never looked at the fact, at a part of it or at what holds it, cannot answer otherwise.
        asked = [q for q, read in readers.items() if any(_touches(pointer, other) for other in read)]
        taken = {(v.rule, v.subject): v.outcome for v in try_all(blank(snapshot, pointer), asked, POLICIES[0])}
        for who, now in taken.items():
            outcome = before.get(who, now)  # a subject known by that fact alone may get another name
            if {outcome, now} == {"ok", "problem"} or now == "crashed":
                broken.append(f"{who}: {outcome} -> {now} without {pointer}")
    assert not broken, "\n".join(broken[:20])


def _readers(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> dict[Question, set[str]]:
    """Which pointers each question reads on this machine."""
    seen: set[str] = set()

    def watch(where: Snapshot, pointer: str) -> object:
        seen.add(pointer)
        return resolve(where, pointer)

    readers = {}
    with monkeypatch.context() as patch:
        patch.setattr("envcheck.judge.case.resolve", watch)
        for question in QUESTIONS:
            seen = set()
            try_all(snapshot, [question], POLICIES[0])
            readers[question] = seen
    return readers


def _touches(pointer: str, other: str) -> bool:
    return pointer == other or pointer.startswith(f"{other}/") or other.startswith(f"{pointer}/")


@given(name=MACHINES, data=st.data(), why=WHYS)
def test_blanking_any_set_of_facts_never_accuses_nor_acquits(name: str, data: st.DataObject, why: str) -> None:
    """Law 1 for several facts at once, whatever the reason that they are unread."""
    snapshot = machine(name).snapshot
    pointers = data.draw(st.lists(st.sampled_from(list(fact_pointers(snapshot))), min_size=1, max_size=12, unique=True))
    before = verdicts(snapshot, POLICIES[0])
    for pointer in sorted(pointers, key=len, reverse=True):  # inner facts first: a blanked section has none
        snapshot = blank(snapshot, pointer, why)
    after = verdicts(snapshot, POLICIES[0])
    for who, outcome in before.items():
        now = after.get(who, outcome)
        assert {outcome, now} != {"ok", "problem"}, f"{who}: {outcome} -> {now} without {pointers}"
        assert now != "crashed", f"{who} crashed without {pointers}"


@given(name=MACHINES, data=st.data())
def test_decode_is_the_inverse_of_encode_for_blanked_machines(name: str, data: st.DataObject) -> None:
    """decode∘encode is the identity for every snapshot, unread facts included."""
    snapshot = machine(name).snapshot
    pointer = data.draw(st.sampled_from(list(fact_pointers(snapshot))))
    snapshot = blank(snapshot, pointer)
    assert decode(encode(snapshot)) == snapshot
    assert isinstance(resolve(decode(encode(snapshot)), pointer), Unread)


@pytest.mark.parametrize("name", CAST)
def test_the_order_of_questions_does_not_matter(name: str) -> None:
    """The same report whatever order the rules are asked in."""
    snapshot = machine(name).snapshot
    plain = judge(snapshot, QUESTIONS)
    shuffled = list(QUESTIONS)
    random.Random(name).shuffle(shuffled)
    assert judge(snapshot, shuffled) == plain


@pytest.mark.parametrize("policy", POLICIES, ids=["plain", "require-gpu"])
@pytest.mark.parametrize("name", CAST)
def test_every_evidence_pointer_resolves_to_the_value_it_quotes(name: str, policy: Policy) -> None:
    """Evidence can be looked up in the snapshot that the report carries, also in its JSON form."""
    snapshot = machine(name).snapshot
    plain = to_plain(snapshot)
    for finding in _findings(judge(snapshot, QUESTIONS, policy)):
        assert finding.evidence, f"{finding.rule} accuses without evidence"
        for evidence in finding.evidence:
            here: object = plain
            for part in evidence.pointer.split("/")[1:]:
                if here is None or (isinstance(here, dict) and here.get("kind") == "unread"):
                    break  # below an absent or unread section the section itself is the answer
                here = here[int(part)] if isinstance(here, list) else here[part]  # type: ignore[index]
            assert here == evidence.value, evidence.pointer
            assert evidence.witness


@pytest.mark.parametrize("name", CAST)
def test_no_rule_crashes_on_any_machine_of_the_cast(name: str) -> None:
    """One crash costs one verdict, and there is none in the house."""
    for policy in POLICIES:
        crashed = [v.why for v in try_all(machine(name).snapshot, QUESTIONS, policy) if v.outcome == "crashed"]
        assert not crashed


def test_one_crash_costs_one_question() -> None:
    """The court survives a rule that raises, and says so in that question's verdicts alone."""
    victim = QUESTIONS[0]

    def explode(case: object) -> None:
        raise ZeroDivisionError("planted")

    planted = Question(victim.name, victim.subjects, victim.rules, explode)
    snapshot = machine("h100").snapshot
    healthy = {(v.rule, v.subject): v for v in try_all(snapshot, QUESTIONS, POLICIES[0])}
    for verdict in try_all(snapshot, (planted, *QUESTIONS[1:]), POLICIES[0]):
        if verdict.rule in {rule.name for rule in victim.rules}:
            assert verdict.outcome == "crashed"
            assert "ZeroDivisionError: planted" in verdict.why
        else:
            assert verdict == healthy[verdict.rule, verdict.subject]


@pytest.mark.parametrize("name", CAST)
def test_the_cast_gets_the_right_first_root_cause_and_nothing_else(name: str) -> None:
    """A healthy machine gets a clean page; a broken one its cause first, with nothing else at error level."""
    report = judge(machine(name).snapshot, QUESTIONS)
    named = [finding.rule for finding in report.root_causes]
    expected = CAST[name]
    if expected is None:
        assert named == []
        assert [f.rule for f in report.warnings] == []
        assert report.verdict == "fit"
    else:
        assert named[:1] == [expected]
        assert [f.rule for f in report.root_causes if f.severity == "error"] == [expected]
        assert report.verdict == "unfit"


@pytest.mark.parametrize("name", CAST)
def test_a_broken_rung_is_shown_broken(name: str) -> None:
    """The ladder of a machine with an error shows a problem; that of a healthy one shows none."""
    report = judge(machine(name).snapshot, QUESTIONS)
    assert any(step.outcome == "problem" for step in report.ladder) is (CAST[name] is not None)


def _findings(report: Report) -> list:  # type: ignore[type-arg]
    return [
        *report.root_causes,
        *report.warnings,
        *report.notes,
        *(c.finding for c in report.consequences),
        *(v.finding for v in report.verdicts if v.finding is not None),
    ]
