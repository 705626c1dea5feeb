"""One cause, not twenty symptoms: findings are folded under the finding that explains them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from .finding import Finding
from .report import Consequence, Verdict
from .rule import RUNGS, SEVERITIES, Question
from .subject import covers


def explanations(questions: Iterable[Question]) -> dict[str, frozenset[str]]:
    """Rule → every rule that it explains, directly or through others."""
    rules = [rule for question in questions for rule in question.rules]
    direct = {rule.name: set(rule.explains) for rule in rules}
    for rule in rules:
        for cause in rule.explained_by:
            direct.get(cause, set()).add(rule.name)
    closed: dict[str, frozenset[str]] = {}
    for name in direct:
        reach: set[str] = set()
        front = set(direct[name])
        while front:
            reach |= front
            front = {far for near in front for far in direct.get(near, ())} - reach
        closed[name] = frozenset(reach - {name})
    return closed


def rank(finding: Finding) -> tuple[int, int, int, str, str]:
    """Sort key: established before suggested, errors first, then by rung from the bottom."""
    return (
        finding.confidence != "established",
        SEVERITIES.index(finding.severity),
        RUNGS.index(finding.rung),
        finding.code,
        finding.subject,
    )


def accounts_for(cause: Finding, effect: Finding, explains: Mapping[str, frozenset[str]]) -> bool:
    """Is ``effect`` a mere consequence of ``cause``?

    An established finding is never one of a mere suspicion, and a finding at error level never one of a note: a
    remark does not explain a failure.
    """
    return (
        cause is not effect
        and effect.rule in explains.get(cause.rule, ())
        and covers(cause.subject, effect.subject)
        and not (cause.confidence == "suggested" and effect.confidence == "established")
        and not (cause.severity == "note" and effect.severity == "error")
    )


def excuse(verdicts: Iterable[Verdict], explains: Mapping[str, frozenset[str]]) -> list[Verdict]:
    """Ignore what follows from an ignored finding and from nothing else; it stays in sight with that reason.

    Whoever accepts a cause accepts what it does.  A consequence that a finding which is not ignored explains as well
    counts, and so does what the policy itself requires: that is excused by its own name alone.
    """
    ruled = list(verdicts)
    accepted = [(v.finding, v.why) for v in ruled if v.outcome == "ignored" and v.finding is not None]
    standing = {i: v.finding for i, v in enumerate(ruled) if v.finding is not None and v.outcome != "ignored"}
    because: dict[int, tuple[Finding, str]] = {}
    for i, effect in standing.items():
        causes = [known for known in accepted if accounts_for(known[0], effect, explains)]
        if causes and not ruled[i].required:
            because[i] = causes[0]
    while True:
        counting = [finding for i, finding in standing.items() if i not in because]
        kept = [i for i in because if any(accounts_for(other, standing[i], explains) for other in counting)]
        if not kept:
            break
        because = {i: known for i, known in because.items() if i not in kept}
    for i, (cause, reason) in because.items():
        why = f"follows from {cause.rule}, which is ignored: {reason}"
        ruled[i] = replace(ruled[i], outcome="ignored", why=why)
    return ruled


def fold(
    findings: Iterable[Finding], explains: Mapping[str, frozenset[str]]
) -> tuple[list[Finding], list[Consequence]]:
    """Split findings into roots and consequences; each consequence names the root that explains it."""
    ranked = sorted(findings, key=rank)
    because: dict[int, Finding] = {}
    for i, effect in enumerate(ranked):
        for cause in ranked:
            if accounts_for(cause, effect, explains):
                because[i] = cause
                break
    roots = [finding for i, finding in enumerate(ranked) if i not in because]
    folded = []
    for i, cause in sorted(because.items()):
        root = _root(cause, ranked, because)
        folded.append(Consequence(finding=ranked[i], because=root.rule, because_subject=root.subject))
    return roots, folded


def _root(cause: Finding, ranked: list[Finding], because: Mapping[int, Finding]) -> Finding:
    seen: set[int] = set()
    while True:
        at = next(i for i, finding in enumerate(ranked) if finding is cause)
        if at not in because or at in seen:
            return cause
        seen.add(at)
        cause = because[at]
