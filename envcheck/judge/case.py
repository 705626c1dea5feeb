"""A case: one question about one subject.  Rules read facts through it and through nothing else.

``known``, ``present`` and ``first`` keep law 1 (ignorance neither accuses nor acquits): a fact that is not known
ends the question with :class:`CannotTell`, so no answer can rest on what nobody saw.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from envcheck.facts import Snapshot, Symptom, Unread, resolve, witness

from .finding import Confidence, Evidence, Fix, Problem
from .policy import Policy
from .rule import RuleType, Severity
from .subject import Subject

T = TypeVar("T")


class CannotTell(Exception):
    """A fact that the question needs is not known.

    ``among`` names the rules that are still possible; the question's other rules are cleared.  Empty: all are.
    """

    def __init__(self, why: str, pointer: str = "", among: tuple[RuleType, ...] = (), asked: bool = True) -> None:
        super().__init__(why)
        self.why, self.pointer, self.among, self.asked = why, pointer, among, asked


class NotApplicable(Exception):
    """The question makes no sense for this subject (no card, not Linux, nothing installed)."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Case:
    """What a question sees: the snapshot, its subject, and what is wanted of the machine."""

    def __init__(self, snapshot: Snapshot, subject: Subject, policy: Policy) -> None:
        self.snapshot, self.subject, self.policy = snapshot, subject, policy

    # -- reading -------------------------------------------------------------------------------------

    def known(self, pointer: str, kind: type[T]) -> T | None:
        """The fact's value, or ``None`` where there is none.  Raises :class:`CannotTell` if it is unread."""
        value = resolve(self.snapshot, pointer)
        if isinstance(value, Unread):
            raise CannotTell(f"{_spoken(pointer)}: {value}", pointer, asked=value.why != "not_asked")
        if value is None:
            return None
        if not _is(value, kind):
            raise TypeError(f"{pointer} holds {type(value).__name__}, the rule expects {kind.__name__}")
        return value  # type: ignore[return-value]

    def present(self, pointer: str, kind: type[T]) -> T:
        """The fact's value.  Raises :class:`NotApplicable` where there is none, :class:`CannotTell` if unread."""
        value = self.known(pointer, kind)
        if value is None:
            raise NotApplicable(f"{_spoken(pointer)}: none")
        return value

    def first(self, kind: type[T], *pointers: str) -> T | None:
        """The value on which all witnesses that answered agree.

        Raises :class:`CannotTell` when none answered, and when they contradict each other: choosing one of two
        witnesses would be a guess (their disagreement is another rule's business).
        """
        answers: list[T | None] = []
        silent: CannotTell | None = None
        for pointer in pointers:
            try:
                value = self.known(pointer, kind)
            except CannotTell as unread:
                silent = silent or unread
                continue
            if value not in answers:
                answers.append(value)
        if not answers:
            assert silent is not None, "first() needs at least one pointer"
            raise silent
        if len(answers) > 1:
            raise CannotTell(f"witnesses disagree: {', '.join(map(_spoken, pointers))}", pointers[0])
        return answers[0]

    def records(self, pointer: str, kind: type[T]) -> list[tuple[str, T]]:
        """The items of a list fact with the pointer of each; an absent list is an empty one."""
        items = self.known(pointer, list) or []
        for item in items:
            if not isinstance(item, kind):
                raise TypeError(f"{pointer} holds {type(item).__name__}, the rule expects {kind.__name__}")
        return [(f"{pointer}/{i}", item) for i, item in enumerate(items)]

    def at(self, who: str) -> str:
        """The pointer under which witness ``who`` speaks of this subject."""
        try:
            return self.subject.places[who]
        except KeyError:
            raise CannotTell(f"{who} does not list {self.subject.label}") from None

    def listed(self, who: str) -> bool:
        """Does witness ``who`` speak of this subject at all?"""
        return who in self.subject.places

    def variable(self, name: str) -> tuple[str, str] | None:
        """An environment variable: (pointer, value), or ``None`` where it is not set."""
        from envcheck.facts import Variable

        for pointer, item in self.records("/environment/variables", Variable):
            if item.name == name:
                return pointer, item.value
        if resolve(self.snapshot, "/environment/variables_partial") is True:
            raise CannotTell(f"the text does not say whether {name} is set", "/environment/variables", asked=False)
        return None

    def seen(self, *ids: str) -> list[tuple[str, Symptom]]:
        """The messages of these ids that were seen, with their pointers.

        No such message proves nothing; that nobody looked for messages raises :class:`CannotTell`.
        """
        return [(pointer, item) for pointer, item in self.records("/symptoms", Symptom) if item.id in ids]

    def maybe(self, read: Callable[[], T]) -> T | CannotTell:
        """Try a reading whose failure does not end the question: the value, or the ignorance itself.

        For wording and for choosing between fixes, never for choosing between verdicts.
        """
        try:
            return read()
        except CannotTell as unread:
            return unread

    def maybe_records(self, pointer: str, kind: type[T]) -> list[tuple[str, T]]:
        """:meth:`records`, with nothing for an unread list.  For wording, never for choosing between verdicts."""
        items = self.maybe(lambda: self.records(pointer, kind))
        return [] if isinstance(items, CannotTell) else items

    def told(self, pointer: str) -> bool:
        """Was the fact at ``pointer`` asked for, so that it can be quoted as evidence?"""
        value = resolve(self.snapshot, pointer)
        return not (isinstance(value, Unread) and value.why == "not_asked")

    # -- answering -----------------------------------------------------------------------------------

    def quote(self, *pointers: str) -> list[Evidence]:
        """The facts at ``pointers`` as evidence: value and witness come from the snapshot itself."""
        out = []
        for pointer in pointers:
            value = resolve(self.snapshot, pointer)
            out.append(Evidence(pointer, msgspec.to_builtins(value), witness(self.snapshot, pointer)))
        return out

    def problem(
        self,
        rule: RuleType,
        summary: str,
        *,
        cause: str,
        evidence: list[str],
        fix: Fix | None = None,
        severity: Severity | None = None,
        confidence: Confidence = "established",
        answers_symptom: bool = False,
        links: tuple[str, ...] = (),
    ) -> Problem:
        """This rule's problem.  ``evidence`` are pointers; ``confidence="suggested"`` is a suspicion only.

        A suspicion leaves the verdict at *cannot tell* and is reported beside it.
        """
        return Problem(
            rule=rule,
            summary=summary,
            cause=cause,
            evidence=self.quote(*evidence),
            fix=fix,
            severity=severity,
            confidence=confidence,
            answers_symptom=answers_symptom or any(p.startswith("/symptoms/") for p in evidence),
            links=list(links),
        )


def _is(value: object, kind: type) -> bool:
    if kind is int:
        return type(value) is int
    if kind is float:
        return type(value) in (int, float)
    return isinstance(value, kind)


def _spoken(pointer: str) -> str:
    return pointer.lstrip("/").replace("/", ".")
