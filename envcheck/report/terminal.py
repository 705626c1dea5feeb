"""The report for a person at a terminal: ladder, root causes with evidence and fix, what is unknown, one verdict."""

from __future__ import annotations

from envcheck.judge import Evidence, Finding, Fix, Report, Severity, Verdict
from envcheck.judge.report import Answer

from . import fixes, gpu_table, ladder, phrases
from .ignorance import reasons
from .page import NARROW, Mark, Page
from .paint import OUTCOME_STYLES, Painter
from .words import clean, count, dotted, quoted, shorten

ANSWER_MARKS: dict[Answer, Mark] = {"fit": "ok", "unfit": "problem", "undetermined": "cannot_tell"}
FINDING_MARKS: dict[Severity, Mark] = {"error": "problem", "warning": "warning", "note": "note"}
COLUMN = 10
SHOWN_EVIDENCE = 8
SHOWN_UNKNOWN = 8
SHOWN_RULES = 4


def render(report: Report, page: Page) -> str:
    """The whole report.  Nothing but ``page`` decides how it looks."""
    if report.snapshot.source == "declared":
        from .project import render as render_project

        return render_project(report, page)
    painter = Painter(page)
    labels = phrases.labels(report)
    _opening(painter, report)
    _ladder(painter, report)
    gpu_table.paint(painter, report.snapshot)
    for number, finding in enumerate(report.root_causes, 1):
        _cause(painter, report, finding, f"{number}. " if len(report.root_causes) > 1 else "", labels)
    _remarks(painter, report, "Warnings", report.warnings, labels)
    _remarks(painter, report, "Notes", report.notes, labels)
    _unknown(painter, report)
    _ignored(painter, report.ignored)
    painter.blank()
    mark = ANSWER_MARKS[report.verdict]
    painter.text(phrases.answer(report), lead=f"{page.mark(mark)} ", style=OUTCOME_STYLES[mark])
    return painter.finish()


def _opening(painter: Painter, report: Report) -> None:
    painter.text(phrases.judged(report.snapshot), style="bold")
    if phrases.by_policy(report):
        painter.text(phrases.by_policy(report))
    for other in report.snapshot.target.disagreements:
        painter.text(f"the shell also means {clean(other)}", indent=2, lead="! ", style="yellow")
    painter.blank()


def _ladder(painter: Painter, report: Report) -> None:
    widest = max(map(len, phrases.RUNG_NAMES.values()))
    for outcome, name, words in ladder.rungs(report):
        lead = f"{painter.page.mark(outcome).ljust(painter.page.mark_width)} {name.ljust(widest)}  "
        style = "dim" if outcome == "not_reached" else ""
        painter.text(words, indent=2, lead=lead, style=style, lead_style=OUTCOME_STYLES[outcome])


def _cause(painter: Painter, report: Report, finding: Finding, number: str, labels: dict[str, str]) -> None:
    painter.blank()
    mark = FINDING_MARKS[finding.severity]
    doubt = "" if finding.confidence == "established" else ", suspected from a message"
    title = f"{number}{finding.rule} ({finding.code}{doubt})"
    painter.text(title, lead=f"{painter.page.mark(mark)} ", style=OUTCOME_STYLES[mark])
    where = phrases.where(finding, labels)
    if where:
        painter.text(f"on {where}", indent=2, style="dim")
    painter.text(finding.summary, indent=2, style="bold")
    _labelled(painter, "cause", [finding.cause])
    _evidence(painter, finding.evidence)
    if finding.fix is not None:
        _fix(painter, report, finding.fix)
    _labelled(painter, "follows", [f"{f.rule}: {clean(f.summary)}" for f in phrases.follows(report, finding)])
    _labelled(painter, "see", finding.links)


def _labelled(painter: Painter, label: str, paragraphs: list[str], style: str = "") -> None:
    for i, paragraph in enumerate(paragraphs):
        painter.labelled("" if i else label, paragraph, indent=2, column=COLUMN, style=style)


def _evidence(painter: Painter, evidence: list[Evidence]) -> None:
    shown = evidence[:SHOWN_EVIDENCE]
    lines = [f"{dotted(e.pointer)} = {quoted(e.pointer, e.value)} ({clean(e.witness)})" for e in shown]
    if len(evidence) > len(shown):
        lines.append(f"and {count(len(evidence) - len(shown), 'more fact')}: see --format json")
    _labelled(painter, "evidence", lines)


def _fix(painter: Painter, report: Report, fix: Fix) -> None:
    safety = {"safe": "", "careful": " (with care)", "disruptive": " (disruptive)"}[fix.safety]
    _labelled(painter, "fix", [fix.title + safety])
    inner = 4 if painter.page.width < NARROW else 2 + COLUMN
    for way in fixes.ways(fix, report.snapshot):
        if way.tool:
            painter.text(f"or with {way.tool}:", indent=inner, style="dim")
        for n, step in enumerate(way.steps, 1):
            lead = f"{n}. "
            about = fixes.marks(step)
            if step.command:
                painter.command(step.command, indent=inner, lead=lead)
                if about:
                    painter.text(about, indent=inner + len(lead), style="dim")
            else:
                painter.text(about, indent=inner, lead=lead)
    if fix.verify:
        if painter.page.width < NARROW:
            painter.text("verify", indent=2, style="dim")
            painter.command(fix.verify, indent=inner)
        else:
            painter.command(fix.verify, indent=2, lead="verify".ljust(COLUMN))


def _remarks(painter: Painter, report: Report, title: str, findings: list[Finding], labels: dict[str, str]) -> None:
    """Warnings and notes: the symptom, where, and the first thing to do about it."""
    if not findings:
        return
    painter.blank()
    painter.text(title, style="bold")
    for finding in findings:
        where = phrases.where(finding, labels)
        words = f"{clean(finding.summary)}{f' on {where}' if where else ''} ({finding.rule})"
        painter.text(words, indent=2, lead=f"{painter.page.mark(FINDING_MARKS[finding.severity])} ")
        if finding.fix is not None and finding.severity == "warning":
            _short_fix(painter, report, finding.fix)
        for effect in phrases.follows(report, finding):
            painter.text(f"hence {effect.rule}: {clean(effect.summary)}", indent=4, style="dim")


def _short_fix(painter: Painter, report: Report, fix: Fix) -> None:
    steps = [step for step in fixes.ways(fix, report.snapshot)[0].steps if step.command]
    if len(steps) == 1:
        painter.command(steps[0].command, indent=4, lead="$ ")
    else:
        painter.text(fix.title, indent=4, style="dim")


def _unknown(painter: Painter, report: Report) -> None:
    groups, not_asked = reasons(report)
    if groups:
        painter.blank()
        painter.text("Cannot tell", style="bold")
    for group in groups[:SHOWN_UNKNOWN]:
        names = ", ".join(group.rules[:SHOWN_RULES])
        more = f" and {len(group.rules) - SHOWN_RULES} more" if len(group.rules) > SHOWN_RULES else ""
        painter.text(
            f"{shorten(group.why, 200)} ({names}{more})", indent=2, lead=f"{painter.page.mark('cannot_tell')} "
        )
    if len(groups) > SHOWN_UNKNOWN:
        painter.text(f"and for {count(len(groups) - SHOWN_UNKNOWN, 'more reason')}: see --format json", indent=2)
    if not_asked:
        painter.blank()
        painter.text(f"{count(not_asked, 'rule')} not asked: nobody looked at the facts they need", style="dim")


def _ignored(painter: Painter, ignored: list[Verdict]) -> None:
    if not ignored:
        return
    painter.blank()
    painter.text("Ignored", style="bold")
    for verdict in ignored:
        summary = f": {clean(verdict.finding.summary)}" if verdict.finding is not None else ""
        painter.text(f"{verdict.rule}{summary} (reason given: {clean(verdict.why)})", indent=2, style="dim")
