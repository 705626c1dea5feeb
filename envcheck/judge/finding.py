"""What a rule says when something is wrong: evidence, cause and fix, as data."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from .rule import RuleType, Severity

Safety: TypeAlias = Literal["safe", "careful", "disruptive"]
Confidence: TypeAlias = Literal["established", "suggested"]


class Evidence(msgspec.Struct, frozen=True):
    """One fact quoted: where it stands in the snapshot, its value, and who stated it."""

    pointer: str
    value: Any
    witness: str


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One command of a fix.

    ``where``: "env" (the judged environment), "host", "container_host" (outside of this container),
    "windows" (PowerShell), "bios", "browser", "file" (a change in a project's file, which the note tells).
    ``tool`` names the package manager or distribution that the command is for ("pip", "uv", "conda", "apt", "dnf",
    "pacman", "zypper"), where that matters.
    """

    where: str
    command: str = ""
    root: bool = False
    reboot: bool = False
    tool: str = ""
    note: str = ""


class Fix(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How to mend it.  Steps of different ``tool`` are alternatives; steps of one are done in order."""

    title: str
    steps: list[Step] = []
    safety: Safety = "safe"
    verify: str = ""


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """A question's answer: this rule's problem was seen (established) or is suggested by a message."""

    rule: RuleType
    summary: str
    cause: str
    evidence: list[Evidence]
    fix: Fix | None = None
    severity: Severity | None = None
    confidence: Confidence = "established"
    answers_symptom: bool = False
    links: list[str] = []


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A problem on a subject, ready to be reported."""

    rule: str
    code: str
    severity: Severity
    rung: str
    subject: str
    summary: str
    cause: str
    evidence: list[Evidence]
    confidence: Confidence = "established"
    answers_symptom: bool = False
    fix: Fix | None = None
    links: list[str] = []
    fingerprint: str = ""
