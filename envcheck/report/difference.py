"""What differs between two machines, and which difference matters.

A difference *decides* where the broken side, given the other's value, would no longer have its root cause: that is
tried out, since judging again takes milliseconds.  Others matter where a finding quotes them as evidence.  Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal, TypeAlias

import msgspec

from envcheck.facts import Snapshot
from envcheck.judge import CannotTell, Case, NotApplicable, Policy, Question, Report, judge, subjects

from .alignment import IDENTITY, MOVING, Pair, compare
from .transplant import OF_THE_DRIVER, Broken, driver_of, findings

Weight: TypeAlias = Literal["decides", "evidence", "read", "other"]
WEIGHTS: tuple[Weight, ...] = ("decides", "evidence", "read", "other")
MATTERS: frozenset[Weight] = frozenset({"decides", "evidence"})
MOST_TRIALS = 300
"""Differences that are tried out; of two machines that have nothing in common the rest is weighed without."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One fact that differs.  ``rules`` are those that care, in the way that ``weight`` says."""

    name: str
    a: Any
    b: Any
    pointer_a: str
    pointer_b: str
    weight: Weight
    rules: list[str]
    result: bool = False  # what a program said when it was tried: it follows from other facts

    @property
    def matters(self) -> bool:
        return self.weight in MATTERS


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Both reports and what lies between them, the weightiest difference first."""

    a: Report
    b: Report
    differences: list[Difference]
    same: int
    only_a: int
    only_b: int
    moving: int  # readings that change by themselves and that nobody quotes: left out

    @property
    def mattering(self) -> list[Difference]:
        """What decides or is quoted."""
        return [difference for difference in self.differences if difference.matters]

    @property
    def telling(self) -> list[Difference]:
        """The few that a sentence names: what decides and is no result; else what is quoted; else the results."""
        for weight, result in (("decides", False), ("evidence", False), ("decides", True), ("evidence", True)):
            found = [d for d in self.differences if d.weight == weight and d.result is result]
            if found:
                return found
        return []


def difference(a: Snapshot, b: Snapshot, questions: Sequence[Question], policy: Policy | None = None) -> Comparison:
    """Judge both, pair their facts, and weigh each pair that differs."""
    policy = policy or Policy()
    reports = judge(a, questions, policy), judge(b, questions, policy)
    compared = compare(a, b)
    pairs = _with_driver(compared.pairs, a, b)
    weigh = _Scales(reports, questions, policy)
    found, moving = [], 0
    for pair in pairs:
        weight, rules = weigh.weigh(pair)
        if weight not in ("decides", "evidence") and pair.field in MOVING | IDENTITY:
            moving += 1
            continue
        found.append(
            Difference(
                name=pair.name,
                a=pair.a,
                b=pair.b,
                pointer_a=pair.pointer_a,
                pointer_b=pair.pointer_b,
                weight=weight,
                rules=rules,
                result=_is_result(pair.name),
            )
        )
    found.sort(key=lambda d: (WEIGHTS.index(d.weight), d.result, -len(d.rules), d.name))
    return Comparison(
        a=reports[0],
        b=reports[1],
        differences=found,
        same=compared.same,
        only_a=compared.only_a,
        only_b=compared.only_b,
        moving=moving,
    )


def _with_driver(pairs: list[Pair], a: Snapshot, b: Snapshot) -> list[Pair]:
    """The witnesses' versions of the driver as one difference: a recording has another witness than a live look."""
    one, other = driver_of(a), driver_of(b)
    if one is None or other is None:
        return pairs
    if one[0] == other[0]:
        return pairs
    # Its libraries, module and firmware carry the driver's version: where they follow it, they are no news.
    following = ((one[0], other[0]), ([one[0]], [other[0]]))
    rest = [p for p in pairs if p.pointer_b not in OF_THE_DRIVER and (p.a, p.b) not in following]
    return [Pair("driver", one[1], other[1], one[0], other[0]), *rest]


class _Scales:
    """Which rules care for a fact."""

    def __init__(self, reports: tuple[Report, Report], questions: Sequence[Question], policy: Policy) -> None:
        self.reports, self.questions, self.policy = reports, questions, policy
        self.quoted = [_quoted(report) for report in reports]
        self.read = [_reads(report.snapshot, questions, policy) for report in reports]
        self.broken = [Broken(report, questions, policy) for report in reports]
        self.trials = 0

    def weigh(self, pair: Pair) -> tuple[Weight, list[str]]:
        read = self._rules(self.read, pair)
        quoted = self._rules(self.quoted, pair)
        if (quoted or read) and self.trials < MOST_TRIALS:
            self.trials += 1
            decided = sorted(
                {rule for i in (0, 1) for rule in self.broken[i].mended_by(pair, self.reports[1 - i].snapshot, mine=i)}
            )
            if decided:
                return "decides", decided
        if quoted:
            return "evidence", sorted(quoted)
        return ("read", sorted(read)) if read else ("other", [])

    def _rules(self, by_pointer: list[dict[str, set[str]]], pair: Pair) -> set[str]:
        pointers = _pointers(pair)
        return {
            rule
            for i in (0, 1)
            for pointer, rules in by_pointer[i].items()
            if any(_covers(pointer, own, exact=pair.absent == "ab"[i]) for own in pointers[i])
            for rule in rules
        }


def _pointers(pair: Pair) -> tuple[list[str], list[str]]:
    if pair.name == "driver":
        return sorted(OF_THE_DRIVER), sorted(OF_THE_DRIVER)
    return [pair.pointer_a], [pair.pointer_b]


def _covers(pointer: str, own: str, *, exact: bool) -> bool:
    """Does a rule that reads or quotes ``pointer`` mean this fact?  ``exact``: the record is not there, its list is."""
    return pointer == own or (not exact and (pointer.startswith(own + "/") or own.startswith(pointer + "/")))


def _quoted(report: Report) -> dict[str, set[str]]:
    """Pointer → rules whose errors and warnings quote it."""
    found: dict[str, set[str]] = {}
    for finding in findings(report):
        for evidence in finding.evidence:
            found.setdefault(evidence.pointer, set()).add(finding.rule)
    return found


class _Listener(Case):
    """A case that keeps which facts are read."""

    heard: set[str]

    def known(self, pointer: str, kind: type[Any]) -> Any:
        self.heard.add(pointer)
        return super().known(pointer, kind)


def _reads(snapshot: Snapshot, questions: Sequence[Question], policy: Policy) -> dict[str, set[str]]:
    """Pointer → rules whose question reads it on this machine."""
    found: dict[str, set[str]] = {}
    people = subjects(snapshot)
    for question in questions:
        for subject in people:
            if subject.kind != question.subjects:
                continue
            case = _Listener(snapshot, subject, policy)
            case.heard = set()
            with suppress(CannotTell, NotApplicable, Exception):  # a crash is the court's to report, and was
                question(case)
            for pointer in case.heard:
                found.setdefault(pointer, set()).update(rule.name for rule in question.rules if not rule.pedantic)
    return found


_RESULTS = ("init_code", "init_name", "init_error", "error_text", "exit_code", "error", "device_count")
_MORE_RESULTS = ("attached_gpus", "unmasked_count", "unmasked_init_code", "load_error")


def _is_result(name: str) -> bool:
    """Facts that follow from others: what a program said when it was tried."""
    return ".runtime" in name or name.rpartition(".")[2] in (*_RESULTS, *_MORE_RESULTS)
