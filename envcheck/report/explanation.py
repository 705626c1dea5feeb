"""Somebody else's report explained: root causes, the lines they rest on, the fix, and what to ask for.

The voices of ``envcheck explain``: short, for a person at a terminal, and a reply that is ready to be posted.
"""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.facts import Snapshot
from envcheck.judge import Evidence, Finding, Fix, Report
from envcheck.judge.requests import Request

from . import fixes
from .json_report import render as render_json
from .markdown import code, fence, fix_blocks, prose
from .page import Page
from .paint import OUTCOME_STYLES, Painter
from .phrases import follows, versions
from .terminal import COLUMN, FINDING_MARKS
from .words import clean, count, dotted, fold, quoted, shorten

FORMATS = ("terminal", "json", "markdown")
SHOWN_LINES = 6
SHOWN_REMARKS = 5
NOTHING = "No root cause can be told from this text."


def render(name: str, report: Report, asked: Sequence[Request], page: Page) -> str:
    """The explanation in the format of that name, one of :data:`FORMATS`.  JSON is the contract of ``doctor``."""
    if name == "json":
        return render_json(report, page)
    return _terminal(report, asked, page) if name == "terminal" else _markdown(report, asked, page)


def confidence(finding: Finding) -> str:
    """How sure this is, in words."""
    if finding.confidence == "suggested":
        return "suggested by the message" if finding.answers_symptom else "suggested by the facts"
    by_message = all(item.pointer.startswith("/symptoms/") for item in finding.evidence)
    return "established by the message, which leaves no other reading" if by_message else "established by the facts"


def read(snapshot: Snapshot) -> str:
    """What was recognised in the text, in one sentence."""
    messages = len(snapshot.symptoms) if isinstance(snapshot.symptoms, list) else 0
    facts = sum(not origin.pointer.startswith("/symptoms/") for origin in snapshot.origins)
    told = ", ".join(f"{name} {version}" for name, version in versions(snapshot) if name in _HEADLINES)
    unread = ", ".join(run.detail for run in snapshot.runs if run.outcome == "skipped")
    words = f"Read: {count(facts, 'fact')}, {count(messages, 'message')}" + (f" ({told})" if told else "")
    return words + (f"; not read: {unread}" if unread else "")


_HEADLINES = ("torch", "torch built for CUDA", "driver (pasted)", "driver (nvidia-smi)", "driver (/proc)", "Python")


def rests_on(evidence: Sequence[Evidence]) -> list[str]:
    """The lines of the text behind a finding, each once, in their order."""
    lines: dict[str, None] = {}
    for item in evidence:
        if isinstance(item.value, dict) and "source" in item.value and "text" in item.value:
            where = str(item.value["source"]).partition(": ")[0]
            lines[f"{where}: {shorten(clean(str(item.value['text'])), 200)}"] = None
        elif item.witness.startswith("line "):
            lines[clean(item.witness)] = None
        else:
            lines[f"{dotted(item.pointer)} = {quoted(item.pointer, item.value)} ({clean(item.witness)})"] = None
    return list(lines)


def _remarks(report: Report) -> list[Finding]:
    return [*report.warnings, *report.notes][:SHOWN_REMARKS]


# -- for a terminal ----------------------------------------------------------------------------------------


def _terminal(report: Report, asked: Sequence[Request], page: Page) -> str:
    painter = Painter(page)
    painter.text(read(report.snapshot), style="dim")
    for finding in report.root_causes:
        painter.blank()
        mark = FINDING_MARKS[finding.severity]
        title = f"{finding.rule} ({finding.code}): {confidence(finding)}"
        painter.text(title, lead=f"{page.mark(mark)} ", style=OUTCOME_STYLES[mark])
        painter.text(finding.summary, indent=2, style="bold")
        _labelled(painter, "cause", [finding.cause] if finding.cause else [])
        _labelled(painter, "rests on", rests_on(finding.evidence)[:SHOWN_LINES])
        if finding.fix is not None:
            _fix(painter, report, finding.fix)
        _labelled(painter, "follows", [f"{f.rule}: {clean(f.summary)}" for f in follows(report, finding)])
    if not report.root_causes:
        painter.blank()
        painter.text(NOTHING, lead=f"{page.mark('cannot_tell')} ", style=OUTCOME_STYLES["cannot_tell"])
    if _remarks(report):
        painter.blank()
        painter.text("Beside it", style="bold")
    for finding in _remarks(report):
        lead = f"{page.mark(FINDING_MARKS[finding.severity])} "
        painter.text(f"{clean(finding.summary)} ({finding.rule})", indent=2, lead=lead)
    if asked:
        painter.blank()
        painter.text(
            "To be sure, ask the reporter for the output of"
            if report.root_causes
            else "Ask the reporter for the output of",
            style="bold",
        )
    for request in asked:
        painter.command(request.command, indent=2, lead="$ ")
        painter.text(request.where, indent=4, style="dim")
    return painter.finish()


def _labelled(painter: Painter, label: str, paragraphs: Sequence[str]) -> None:
    for i, paragraph in enumerate(paragraphs):
        painter.labelled("" if i else label, paragraph, indent=2, column=COLUMN)


def _fix(painter: Painter, report: Report, fix: Fix) -> None:
    _labelled(painter, "fix", [fix.title])
    for way in fixes.ways(fix, report.snapshot):
        if way.tool:
            painter.text(f"or with {way.tool}:", indent=2 + COLUMN, style="dim")
        for number, step in enumerate(way.steps, 1):
            about = fixes.marks(step)
            if not step.command:
                painter.text(about, indent=2 + COLUMN, lead=f"{number}. ")
                continue
            painter.command(step.command, indent=2 + COLUMN, lead=f"{number}. ")
            if about:
                painter.text(about, indent=5 + COLUMN, style="dim")
    if fix.verify:
        painter.command(fix.verify, indent=2, lead="verify".ljust(COLUMN))


# -- a reply to post ---------------------------------------------------------------------------------------


def _markdown(report: Report, asked: Sequence[Request], page: Page) -> str:
    blocks: list[str] = []
    for finding in report.root_causes:
        blocks += [
            f"**Root cause: {code(finding.rule)}** ({prose(confidence(finding))})",
            prose(finding.summary) + (f"\n{prose(finding.cause)}" if finding.cause else ""),
            "It rests on:\n\n" + fence(rests_on(finding.evidence)[:SHOWN_LINES], "text"),
        ]
        if finding.fix is not None:
            blocks += fix_blocks(report, finding.fix)
    if not report.root_causes:
        blocks.append(f"**{prose(NOTHING)}**")
    if _remarks(report):
        lines = [f"- {prose(finding.summary)} ({code(finding.rule)})" for finding in _remarks(report)]
        blocks.append("Beside it:\n\n" + "\n".join(lines))
    if asked:
        opening = "To be sure, please post the output of" if report.root_causes else "Please post the output of"
        lines = [line for request in asked for line in (f"# {clean(request.where)}", request.command)]
        blocks.append(f"{opening}\n\n{fence(lines)}")
    blocks.append(f"{prose(read(report.snapshot))}.")
    text = "\n\n".join(block for block in blocks if block) + "\n"
    return text if page.unicode else fold(text)
