"""What could not be told, by reason: many rules fall silent for one cause, and a page should say it once."""

from __future__ import annotations

from dataclasses import dataclass, field

from envcheck.judge import Report, Verdict, subjects

from .words import clean, count, dotted

_PLURAL = {"gpu": "GPU", "env": "environment", "kernel": "Jupyter kernel"}


def unknown(report: Report) -> list[Verdict]:
    """What could not be told, without the suspicions: those stand among the causes."""
    return [verdict for verdict in report.cannot_tell if verdict.finding is None]


@dataclass(frozen=True)
class Unknown:
    """One reason for not knowing, and the rules that it silenced."""

    why: str
    rules: tuple[str, ...]
    crashed: bool


@dataclass
class _Group:
    """Verdicts of one reason while they are gathered."""

    rules: dict[str, None] = field(default_factory=dict)
    pointers: dict[str, None] = field(default_factory=dict)
    subjects: dict[str, None] = field(default_factory=dict)


def reasons(report: Report) -> tuple[list[Unknown], int]:
    """The questions that were asked in vain, by reason; and how many rules were not asked at all.

    Facts of one section that are unread for the same reason count as one (``nvml: no answer in time``), and so
    does a sentence that names one GPU after the other.
    """
    labels = {person.key: person.label for person in subjects(report.snapshot, all_envs=True)}
    groups: dict[tuple[str, str, str, bool], _Group] = {}
    silent: set[str] = set()
    for verdict in unknown(report):
        crashed = verdict.outcome == "crashed"
        if not verdict.asked and not crashed:
            silent.add(verdict.rule)
            continue
        label = labels.get(verdict.subject, "")
        section, tail = _split(verdict)
        named = bool(label) and label in tail and verdict.subject != "host"
        kind = verdict.subject.partition(":")[0] if named else ""
        group = groups.setdefault((section, tail.replace(label, "\0") if named else tail, kind, crashed), _Group())
        group.rules[verdict.rule] = None
        if section:
            group.pointers[verdict.pointer] = None
        if named:
            group.subjects[label] = None
    told = [_told(tail, kind, crashed, group) for (_, tail, kind, crashed), group in groups.items()]
    told.sort(key=lambda reason: (not reason.crashed, -len(reason.rules), reason.why))
    return told, len(silent - {rule for reason in told for rule in reason.rules})


def _split(verdict: Verdict) -> tuple[str, str]:
    """(section, reason) of a sentence that begins with the pointer's own name; else ("", the sentence)."""
    name = f"{dotted(verdict.pointer)}: "
    if verdict.pointer and verdict.why.startswith(name):
        return verdict.pointer.split("/")[1], verdict.why[len(name) :]
    return "", verdict.why


def _told(tail: str, kind: str, crashed: bool, group: _Group) -> Unknown:
    names = list(group.subjects)
    tail = tail.replace("\0", names[0] if len(names) == 1 else count(len(names), _PLURAL.get(kind, kind)))
    where = f"{_common(list(group.pointers))}: " if group.pointers else ""
    return Unknown(clean(where + tail), tuple(group.rules), crashed)


def _common(pointers: list[str]) -> str:
    """The longest path that all pointers share: ``/nvml/gpus`` and ``/nvml/init_code`` share ``nvml``."""
    parts = [pointer.split("/")[1:] for pointer in pointers]
    shared = []
    for level in zip(*parts, strict=False):
        if len(set(level)) > 1:
            break
        shared.append(level[0])
    return dotted("/".join(shared))
