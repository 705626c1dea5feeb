"""Rules and questions: the units of judgement.

A *question* ("is the right kernel module loaded?") reads facts once and gives one answer.  The look-alike
*rules* that answer it share that one decision, so they cannot both fire; each keeps its own name, code,
severity and manual page (its docstring).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    from .case import Case
    from .finding import Fix, Problem

Severity: TypeAlias = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")

RUNGS: tuple[str, ...] = (
    "hardware",
    "kernel_module",
    "device_nodes",
    "nvml",
    "cuda_driver",
    "cuda_libraries",
    "torch_build",
    "torch_runtime",
    "python",
    "numerics",
    "speed",
)
"""The ladder from the silicon to a training step, bottom first, as written in JSON."""

SubjectKind: TypeAlias = Literal["host", "gpu", "env", "kernel"]
Life: TypeAlias = Literal["preview", "stable", "deprecated"]

HEADINGS: tuple[str, ...] = ("What it looks at", "Why it matters", "How to mend it", "Cannot tell when", "References")
"""The five headings of a rule's manual page."""


class Rule:
    """Base of all rules.  A subclass holds the metadata; its docstring is the manual page.

    ``name`` is the failure mode's id, ``explains`` names the rules whose findings are mere consequences of
    this one, ``essential`` marks the few questions without whose answer a machine is not called fit.
    ``explained_by`` is ``explains`` told from the other side, and ``required`` marks what a policy alone asks for:
    there, not to know is never good enough.  ``of_machine`` is false where the question looks at the policy or at
    envcheck itself: its answer alone makes nothing fit.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    rung: ClassVar[str]
    severity: ClassVar[Severity] = "error"
    explains: ClassVar[tuple[str, ...]] = ()
    explained_by: ClassVar[tuple[str, ...]] = ()
    essential: ClassVar[bool] = False
    required: ClassVar[bool] = False
    of_machine: ClassVar[bool] = True
    pedantic: ClassVar[bool] = False
    life: ClassVar[Life] = "stable"

    @staticmethod
    def mend(case: Case) -> Fix | None:
        """How to mend this on the machine of ``case``.  Facts choose between commands; none is required."""
        return None


RuleType: TypeAlias = type[Rule]


@dataclass(frozen=True)
class Question:
    """One decision and the rules that share it.

    ``answer(case)`` returns the :class:`Problem` of one of ``rules``, or ``None`` when all is well; it raises
    :class:`~envcheck.judge.case.CannotTell` or :class:`~envcheck.judge.case.NotApplicable` otherwise.
    """

    name: str
    subjects: SubjectKind
    rules: tuple[RuleType, ...]
    answer: Callable[[Case], Problem | None]
    message_only: bool = False

    def __call__(self, case: Case) -> Problem | None:
        return self.answer(case)


def question(subjects: SubjectKind, *rules: RuleType) -> Callable[[Callable[[Case], Problem | None]], Question]:
    """Decorator: make a function the shared decision of ``rules``, asked once per subject of that kind."""

    def wrap(answer: Callable[[Case], Problem | None]) -> Question:
        return Question(answer.__name__, subjects, rules, answer)

    return wrap


def by_message(name: str, subjects: SubjectKind, *rules: RuleType) -> Question:
    """A question that no snapshot of a machine can answer: its rules speak only when a message names them."""
    from .case import NotApplicable

    def answer(case: Case) -> Problem | None:
        raise NotApplicable("only a message can show it")

    return Question(name, subjects, rules, answer, message_only=True)


def manual(rule: RuleType) -> str:
    """The rule's manual page: its docstring, dedented."""
    from inspect import cleandoc

    return cleandoc(rule.__doc__ or "")
