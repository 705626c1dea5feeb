"""A fact is a value, a known absence, or an honest "could not read".

Every field that a collector fills is a :data:`Fact`.  ``None`` means *asked, and there is none*;
:class:`Unread` means *not known*, with the reason.  Nothing else stands for "unknown": no ``-1``,
no ``"N/A"``, no empty string.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, TypeVar

import msgspec

T = TypeVar("T")

Why: TypeAlias = Literal[
    "not_asked",  # nobody looked: the collector was skipped, or the text does not say
    "timeout",  # no answer within the deadline
    "refused",  # permission denied
    "missing",  # the thing that would know is not there (no such file, library or program)
    "garbled",  # an answer came and could not be understood
    "unsupported",  # the source says that it cannot tell on this device or system
    "crashed",  # the process that asked died
    "newer_than_table",  # a compatibility table ends before this value
]


class Unread(msgspec.Struct, frozen=True, tag_field="kind", tag="unread", omit_defaults=True):
    """A fact that is not known, and why.

    ``why`` is one of :data:`Why`; ``detail`` is one human sentence or the verbatim error.
    """

    why: Why
    detail: str = ""

    def __str__(self) -> str:
        words = WHY_WORDS[self.why]
        return f"{words}: {self.detail}" if self.detail else words


WHY_WORDS: dict[str, str] = {
    "not_asked": "not asked",
    "timeout": "no answer in time",
    "refused": "not permitted",
    "missing": "nothing there to ask",
    "garbled": "the answer could not be understood",
    "unsupported": "not supported by the source",
    "crashed": "the process that asked died",
    "newer_than_table": "newer than the compatibility table",
}

NOT_ASKED = Unread("not_asked")
"""The default of every fact.  It is left out of the encoded snapshot."""

Fact: TypeAlias = T | Unread | None


def is_known(fact: object) -> bool:
    """True for a value or a known absence (``None``), false for :class:`Unread`."""
    return not isinstance(fact, Unread)


def value_or(fact: Fact[T], default: T) -> T:
    """The value of ``fact``, or ``default`` where it is absent or unread.  For display, never for judging."""
    return default if fact is None or isinstance(fact, Unread) else fact


class Section(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    tag_field="kind",
):
    """Base of the snapshot's sections: a whole section may be :class:`Unread` instead."""


class Record(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of what stands in lists inside a section."""
