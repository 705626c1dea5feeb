"""The court: every question to every subject.  It never raises; one crash costs one question's verdicts.

Messages that were seen (symptoms) are heard after the facts.  A message that only *suggests* a rule leads to a
suspicion where the facts cannot tell; one that *proves* it convicts unless the facts convict a look-alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from envcheck.facts import Snapshot, Symptom

from .case import CannotTell, Case, NotApplicable
from .finding import Finding, Problem
from .policy import Policy
from .report import Outcome, Verdict
from .rule import Question, RuleType
from .subject import HOST, subjects

LONGEST_QUOTE = 300


def try_all(snapshot: Snapshot, questions: Iterable[Question], policy: Policy) -> list[Verdict]:
    """The verdicts of all questions on all their subjects, in an order that does not depend on theirs."""
    people = subjects(snapshot, all_envs=policy.all_envs)
    verdicts: list[Verdict] = []
    for question in questions:
        rules = tuple(rule for rule in question.rules if policy.pedantic or not rule.pedantic)
        if not rules:
            continue
        there = [subject for subject in people if subject.kind == question.subjects]
        several = question.subjects == "gpu" and len(there) > 1
        for subject in [*there, HOST] if several or not there else there:
            case = Case(snapshot, subject, policy)
            asked = subject in there
            try:
                # Of several cards none is convicted by a message that names no card: it is heard once, apart.
                verdicts.extend(_try_one(question, rules, case, several) if asked else _hear_alone(rules, case))
            except Exception as crash:  # noqa: BLE001  the court's wall: what it caught is the verdict itself
                why = f"{question.name} crashed: {type(crash).__name__}: {crash}"
                verdicts.extend(_verdict(rule, case, "crashed", why) for rule in rules)
    verdicts.sort(key=lambda v: (v.code, v.subject))
    return verdicts


def _try_one(question: Question, rules: Sequence[RuleType], case: Case, named_only: bool) -> list[Verdict]:
    heard = [(p, item) for p, item in _messages(case, rules) if not named_only or isinstance(item.subject, str)]
    if heard and question.message_only:
        return _by_message(rules, case, heard)
    try:
        problem = question(case)
    except NotApplicable as none:
        return [_verdict(rule, case, "not_applicable", none.why) for rule in rules]
    except CannotTell as unread:
        possible = unread.among or question.rules
        heard = [(pointer, item) for pointer, item in heard if any(item.suggests == rule.name for rule in possible)]
        if heard:
            return _by_message(rules, case, heard)
        return [
            _verdict(rule, case, "cannot_tell", unread.why, pointer=unread.pointer, asked=unread.asked)
            if rule in possible
            else _verdict(rule, case, "ok")
            for rule in rules
        ]
    if problem is None or problem.confidence == "suggested":
        proven = [(pointer, item) for pointer, item in heard if item.proves]
        if proven:
            return _by_message(rules, case, proven)
    if problem is None:
        return [_verdict(rule, case, "ok") for rule in rules]
    return _sentence(rules, case, problem)


def _hear_alone(rules: Sequence[RuleType], case: Case) -> list[Verdict]:
    """A message about a subject that the snapshot does not hold (a pasted traceback names no GPU)."""
    heard = [(pointer, item) for pointer, item in _messages(case, rules) if not isinstance(item.subject, str)]
    return _by_message(rules, case, heard) if heard else []


def _messages(case: Case, rules: Sequence[RuleType]) -> list[tuple[str, Symptom]]:
    symptoms = case.snapshot.symptoms
    names = {rule.name for rule in rules}
    if not isinstance(symptoms, list):
        return []
    return [
        (f"/symptoms/{i}", item)
        for i, item in enumerate(symptoms)
        if item.suggests in names and (not isinstance(item.subject, str) or item.subject == case.subject.key)
    ]


def _by_message(rules: Sequence[RuleType], case: Case, heard: Sequence[tuple[str, Symptom]]) -> list[Verdict]:
    proven = [(pointer, item) for pointer, item in heard if item.proves]
    pointer, first = (proven or list(heard))[0]
    rule = next(rule for rule in rules if rule.name == first.suggests)
    evidence = [pointer] + [p for p, item in heard if item.suggests == rule.name and p != pointer]
    problem = case.problem(
        rule,
        first.text if len(first.text) <= LONGEST_QUOTE else first.text[: LONGEST_QUOTE - 1] + "…",
        cause=(rule.__doc__ or rule.name).strip().split("\n", 1)[0],
        evidence=evidence,
        fix=rule.mend(case),
        confidence="established" if first.proves else "suggested",
    )
    return _sentence(rules, case, problem)


def _sentence(rules: Sequence[RuleType], case: Case, problem: Problem) -> list[Verdict]:
    if problem.confidence == "suggested":
        why = f"a message suggests {problem.rule.name}; the facts that would settle it are not known"
        return [
            _convict(rule, case, problem, "cannot_tell", why)
            if rule is problem.rule
            else _verdict(rule, case, "cannot_tell", why)
            for rule in rules
        ]
    return [
        _convict(rule, case, problem, "problem") if rule is problem.rule else _verdict(rule, case, "ok")
        for rule in rules
    ]


def _convict(rule: RuleType, case: Case, problem: Problem, outcome: Outcome, why: str = "") -> Verdict:
    """The verdict that comes with a finding, unless the policy makes an exception."""
    finding = _finding(case, problem)
    for ignore in case.policy.ignore:
        meant = ignore.rule == rule.name and ignore.subject in ("", case.subject.key)
        if meant and ignore.holds(case.policy.today):
            return _with(_verdict(rule, case, "ignored", ignore.reason), finding)
    return _with(_verdict(rule, case, outcome, why), finding)


def _verdict(
    rule: RuleType, case: Case, outcome: Outcome, why: str = "", *, pointer: str = "", asked: bool = True
) -> Verdict:
    return Verdict(
        rule=rule.name,
        code=rule.code,
        rung=rule.rung,
        severity=case.policy.severity.get(rule.name, rule.severity),
        subject=case.subject.key,
        outcome=outcome,
        why=why,
        pointer=pointer,
        asked=asked or rule.required,
        essential=rule.essential,
        required=rule.required,
        of_machine=rule.of_machine,
    )


def _with(verdict: Verdict, finding: Finding) -> Verdict:
    return replace(verdict, finding=finding, severity=finding.severity)


def _finding(case: Case, problem: Problem) -> Finding:
    rule = problem.rule
    return Finding(
        rule=rule.name,
        code=rule.code,
        severity=case.policy.severity.get(rule.name) or problem.severity or rule.severity,
        rung=rule.rung,
        subject=case.subject.key,
        summary=problem.summary,
        cause=problem.cause,
        evidence=problem.evidence,
        confidence=problem.confidence,
        answers_symptom=problem.answers_symptom,
        fix=problem.fix,
        links=problem.links,
        fingerprint=f"{rule.code}/{case.subject.key}",
    )
