"""Root causes with evidence and fix; warnings and notes; what could not be told; what is ignored."""

from __future__ import annotations

import re
from collections.abc import Sequence

from envcheck.judge import Finding, Fix, Report, Step
from envcheck.report import fixes, phrases
from envcheck.report.ignorance import reasons
from envcheck.report.words import clean, count, dotted, quoted

from .markup import Markup, join, tag, text

SAFETY = {"safe": "", "careful": " (with care)", "disruptive": " (disruptive)"}
_WEB = re.compile(r"https?://[^\s<>\"']+")


def causes(report: Report) -> Markup | None:
    """What a reader acts on, in full."""
    if not report.root_causes:
        return None
    title = "Root cause" if len(report.root_causes) == 1 else "Root causes"
    articles = [_article(report, finding) for finding in report.root_causes]
    return tag("section", tag("h2", text(title)), *articles)


def remarks(title: str, report: Report, found: Sequence[Finding]) -> Markup | None:
    """Warnings or notes."""
    if not found:
        return None
    return tag("section", tag("h2", text(title)), *(_article(report, finding) for finding in found))


def _article(report: Report, finding: Finding) -> Markup:
    where = phrases.where(finding, phrases.labels(report))
    doubt = "" if finding.confidence == "established" else ", suspected from a message"
    effects = phrases.follows(report, finding)
    return tag(
        "article",
        tag(
            "h3",
            tag("span", text(finding.severity), class_=f"sign {finding.severity}"),
            Markup(" "),
            tag("code", text(finding.rule)),
            Markup(" "),
            text(f"({finding.code}{doubt})"),
        ),
        tag("p", text(finding.summary), class_="summary"),
        tag("p", text(f"on {where}"), class_="soft") if where else None,
        tag("p", text(finding.cause)) if finding.cause else None,
        _evidence(finding),
        _fix(report, finding.fix) if finding.fix is not None else None,
        _labelled("Follows from it", [_effect(effect) for effect in effects]),
        _labelled("See", [_link(link) for link in finding.links]),
        class_=finding.severity,
    )


def _evidence(finding: Finding) -> Markup | None:
    facts = [
        join(
            tag("code", text(dotted(fact.pointer))),
            Markup(" = "),
            tag("code", text(quoted(fact.pointer, fact.value))),
            Markup(" "),
            tag("span", text(f"({fact.witness})"), class_="soft"),
        )
        for fact in finding.evidence
    ]
    return _labelled("Evidence", facts, class_="evidence")


def _fix(report: Report, fix: Fix) -> Markup:
    parts: list[Markup | None] = [
        tag("p", text("Fix"), class_="label"),
        tag("p", text(fix.title + SAFETY[fix.safety])),
    ]
    for way in fixes.ways(fix, report.snapshot):
        if way.tool:
            parts.append(tag("p", text(f"or with {way.tool}:"), class_="soft"))
        parts.append(tag("ol", *(_step(step) for step in way.steps), class_="steps"))
    if fix.verify:
        parts += [tag("p", text("Verify"), class_="label"), tag("pre", tag("code", text(fix.verify)))]
    return join(*parts)


def _step(step: Step) -> Markup:
    about = fixes.marks(step)
    return tag(
        "li",
        tag("pre", tag("code", text(step.command))) if step.command else None,
        tag("span", text(about), class_="soft") if about else None,
    )


def _effect(finding: Finding) -> Markup:
    return join(tag("code", text(finding.rule)), text(f": {clean(finding.summary)}"))


def _link(link: str) -> Markup:
    """Only web addresses become links; anything else stays a text."""
    if not _WEB.fullmatch(link):
        return text(link)
    return tag("a", text(link), href=link, rel="noopener noreferrer")


def _labelled(label: str, items: Sequence[Markup], class_: str = "plain") -> Markup | None:
    if not items:
        return None
    return join(tag("p", text(label), class_="label"), tag("ul", *(tag("li", item) for item in items), class_=class_))


def unknown(report: Report) -> Markup | None:
    """Every reason for not knowing, with the rules that it silenced."""
    groups, not_asked = reasons(report)
    if not groups and not not_asked:
        return None
    items = [
        join(text(group.why), Markup(" "), tag("span", text(f"({', '.join(group.rules)})"), class_="soft"))
        for group in groups
    ]
    asked = f"{count(not_asked, 'rule')} not asked: nobody looked at the facts they need" if not_asked else ""
    return tag(
        "section",
        tag("h2", text("Cannot tell")),
        tag("ul", *(tag("li", item) for item in items)) if items else None,
        tag("p", text(asked), class_="soft") if asked else None,
    )


def ignored(report: Report) -> Markup | None:
    """What the policy accepts, and why."""
    items = [
        join(
            tag("code", text(verdict.rule)),
            text(f": {clean(verdict.finding.summary)}" if verdict.finding is not None else ""),
            Markup(" "),
            tag("span", text(f"(reason given: {verdict.why})"), class_="soft"),
        )
        for verdict in report.ignored
    ]
    return tag("section", tag("h2", text("Ignored")), tag("ul", *(tag("li", i) for i in items))) if items else None
