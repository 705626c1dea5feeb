"""The report on a project's files, for a person at a terminal: what was read, then every finding at its line.

A finding opens with ``file:line: severity:``, the form that editors and CI logs make a link of.
"""

from __future__ import annotations

from envcheck.facts import Declared, DeclaredEnvironment, Snapshot, TorchInstall, value_or
from envcheck.judge import Finding, Report

from . import fixes, phrases, standing
from .ignorance import reasons
from .page import Mark, Page
from .paint import OUTCOME_STYLES, Painter
from .standing import Told
from .words import clean, count, shorten

MARKS: dict[str, Mark] = {"fit": "ok", "unfit": "problem", "undetermined": "cannot_tell"}
STYLES = {"error": "bold red", "warning": "bold yellow", "note": "cyan"}
COLUMN = 8
SHOWN_UNKNOWN = 5


def render(report: Report, page: Page) -> str:
    """The whole report.  Nothing but ``page`` decides how it looks."""
    painter = Painter(page)
    _read(painter, report.snapshot)
    for one in standing.told(report):
        _finding(painter, report, one)
    _unknown(painter, report)
    painter.blank()
    mark = MARKS[report.verdict]
    painter.text(phrases.answer(report), lead=f"{page.mark(mark)} ", style=OUTCOME_STYLES[mark])
    return painter.finish()


def environments(snapshot: Snapshot) -> list[tuple[str, str]]:
    """(name, what would be installed) of every environment that the files describe."""
    declared = snapshot.declared
    found = declared.environments if isinstance(declared, Declared) else None
    pythons = snapshot.interpreters if isinstance(snapshot.interpreters, list) else []
    out = []
    for i, environment in enumerate(found if isinstance(found, list) else []):
        torch = pythons[i].torch if i < len(pythons) else None
        out.append((environment.name, _words(environment, torch if isinstance(torch, TorchInstall) else None)))
    return out


def _words(environment: DeclaredEnvironment, torch: TorchInstall | None) -> str:
    packages = environment.packages if isinstance(environment.packages, list) else []
    pinned = any(package.name == "torch" and isinstance(package.version, str) for package in packages)
    version = torch.version if torch is not None else None
    if isinstance(version, str):
        first = f"torch {version}" + ("" if pinned or environment.lock else ", the newest that is allowed")
    else:
        first = "torch, the release is not told"
    python = f"Python {environment.python}" if isinstance(environment.python, str) else ""
    python = python or f"Python {value_or(environment.requires_python, 'not named')}"
    image = f"on {environment.image.name}" if environment.image is not None else ""
    return ", ".join(filter(None, [first, python, image]))


def _read(painter: Painter, snapshot: Snapshot) -> None:
    painter.text(phrases.judged(snapshot), style="bold")
    found = environments(snapshot)
    widest = min(max((len(name) for name, _ in found), default=0), 32)
    for name, words in found:
        painter.text(words, indent=2, lead=f"{clean(name).ljust(widest)}  ")


def _finding(painter: Painter, report: Report, one: Told) -> None:
    finding = one.finding
    place = standing.place(report, finding)
    at = f"{place.path}:{place.line}: " if place is not None else ""
    word = "ignored" if one.role == "ignored" else finding.severity
    painter.blank()
    painter.raw(f"{at}{word}: {finding.rule} ({finding.code})", STYLES[finding.severity])
    painter.text(standing.title(one), indent=2, style="bold")
    if one.role == "ignored":
        return
    if finding.subject.startswith("env:") and len(environments(report.snapshot)) > 1:
        painter.labelled("in", finding.subject.removeprefix("env:"), indent=2, column=COLUMN)
    painter.labelled("cause", finding.cause, indent=2, column=COLUMN)
    _fix(painter, report, finding)


def _fix(painter: Painter, report: Report, finding: Finding) -> None:
    if finding.fix is None:
        return
    painter.labelled("fix", finding.fix.title, indent=2, column=COLUMN)
    for step in fixes.ways(finding.fix, report.snapshot)[0].steps:
        about = fixes.marks(step)
        if step.command:
            painter.command(step.command, indent=2 + COLUMN)
        if about:
            painter.text(about, indent=2 + COLUMN)


def _unknown(painter: Painter, report: Report) -> None:
    groups, not_asked = reasons(report)
    if groups:
        painter.blank()
        painter.text("Cannot tell", style="bold")
    for group in groups[:SHOWN_UNKNOWN]:
        words = f"{shorten(group.why, 200)} ({', '.join(group.rules[:3])})"
        painter.text(words, indent=2, lead=f"{painter.page.mark('cannot_tell')} ")
    if len(groups) > SHOWN_UNKNOWN:
        painter.text(f"and for {count(len(groups) - SHOWN_UNKNOWN, 'more reason')}: see --format json", indent=2)
    if not_asked:
        painter.blank()
        words = f"{count(not_asked, 'rule')} not asked: name what they need with --driver, --gpu and --python"
        painter.text(words, style="dim")
