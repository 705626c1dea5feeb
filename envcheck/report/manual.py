"""The law in words: the list of rules, rung by rung, and each rule's manual page."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck import __version__
from envcheck.judge import HEADINGS, RUNGS, RuleType, manual

from .json_report import SCHEMA, to_text
from .markdown import code, prose
from .page import Page
from .paint import Painter
from .phrases import RUNG_NAMES

FORMATS = ("terminal", "json", "markdown")

Section = tuple[str, list[str]]


def summary(rule: RuleType) -> str:
    """The first sentence of the rule's manual page."""
    return manual(rule).split("\n", 1)[0]


def sections(rule: RuleType) -> list[Section]:
    """The five headings of the manual page, each with its paragraph's words on one line."""
    found: list[Section] = []
    for line in manual(rule).split("\n")[1:]:
        if line.strip() in HEADINGS and not line.startswith(" "):
            found.append((line.strip(), []))
        elif line.strip() and found:
            found[-1][1].append(line.strip())
    return found


def render_list(voice: str, rules: Sequence[RuleType], page: Page) -> str:
    """All rules in one of :data:`FORMATS`."""
    by_rung = [(rung, [rule for rule in rules if rule.rung == rung]) for rung in RUNGS]
    if voice == "json":
        return _json([rule for _, here in by_rung for rule in here])
    painter, lines = Painter(page), ["| rule | code | severity | what is wrong |", "| --- | --- | --- | --- |"]
    for rung, here in by_rung:
        if here:
            painter.blank()
            painter.text(RUNG_NAMES[rung], style="bold")
        for rule in here:
            painter.text(summary(rule), indent=2, lead=f"{rule.code} {rule.name}: ", lead_style="cyan")
            lines.append(f"| {code(rule.name)} | {rule.code} | {rule.severity} | {prose(summary(rule))} |")
    return "\n".join(lines) + "\n" if voice == "markdown" else painter.finish()


def render_page(voice: str, rule: RuleType, page: Page) -> str:
    """One rule's manual page in one of :data:`FORMATS`."""
    if voice == "json":
        return _json([rule])
    facts = f"{rule.code}, {rule.severity} on the rung {RUNG_NAMES[rule.rung]}" + (
        ", pedantic: asked with --pedantic only" if rule.pedantic else ""
    )
    explains = f"Explains: {', '.join(rule.explains)}" if rule.explains else ""
    if voice == "markdown":
        blocks = [f"## {code(rule.name)}", facts, prose(summary(rule))]
        blocks += [f"**{heading}** {prose(' '.join(lines))}" for heading, lines in sections(rule)]
        return "\n\n".join([*blocks, *([prose(explains)] if explains else [])]) + "\n"
    painter = Painter(page)
    painter.text(rule.name, style="bold")
    painter.text(facts, style="dim")
    painter.blank()
    painter.text(summary(rule))
    for heading, lines in sections(rule):
        painter.blank()
        painter.text(heading, style="bold")
        painter.text(" ".join(lines), indent=2)
    if explains:
        painter.blank()
        painter.text(explains, style="dim")
    return painter.finish()


def _json(rules: Sequence[RuleType]) -> str:
    return to_text(
        {
            "schema": SCHEMA,
            "tool": {"name": "envcheck", "version": __version__},
            "rules": [
                {
                    "rule": rule.name,
                    "code": rule.code,
                    "rung": rule.rung,
                    "severity": rule.severity,
                    "summary": summary(rule),
                    "explains": list(rule.explains),
                    "essential": rule.essential,
                    "pedantic": rule.pedantic,
                    "life": rule.life,
                    "manual": {heading: " ".join(lines) for heading, lines in sections(rule)},
                }
                for rule in rules
            ],
        }
    )
