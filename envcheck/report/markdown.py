"""The report for an issue or a forum: short, complete, safe to paste.

All collected text is hostile: it goes into code spans and fences that are longer than any run of backticks in
it, table cells have their pipes escaped, and prose has Markdown's and HTML's special characters escaped, so
that a file name can neither break the page nor ping a person.
"""

from __future__ import annotations

import re

from envcheck.judge import Finding, Fix, Report

from . import fixes, gpu_table, ladder, phrases
from .ignorance import reasons
from .page import Page
from .words import clean, count, dotted, fold, quoted, shorten

_SIGNS = {"ok": "ok", "problem": "PROBLEM", "cannot_tell": "cannot tell", "not_reached": "-"}
_SPECIAL = re.compile(r"([\\`*\[\]<>|~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_REFERENCE = re.compile(r"([@#])(?=\w)")
_SHELLS = {"windows": "powershell", "bios": "text", "browser": "text"}
SHOWN_UNKNOWN = 12


def render(report: Report, page: Page) -> str:
    """The whole report.  ``page`` decides only whether typographic characters are kept."""
    labels = phrases.labels(report)
    blocks = [f"**{prose(phrases.answer(report))}**", prose(phrases.judged(report.snapshot))]
    blocks.append(prose(phrases.by_policy(report)))
    for number, finding in enumerate(report.root_causes, 1):
        blocks += _cause(report, finding, number, labels)
    for title, findings in (("Warnings", report.warnings), ("Notes", report.notes)):
        if findings:
            blocks += [f"### {title}", "\n".join(_remark(f, labels) for f in findings)]
    blocks.append(_ladder(report))
    blocks += _unknown(report)
    blocks += _ignored(report)
    blocks.append(_details(report))
    text = "\n\n".join(block for block in blocks if block) + "\n"
    return text if page.unicode else fold(text)


def prose(text: str) -> str:
    """Text that shows as it is: special characters escaped, and no ``@name`` or ``#1`` that a forum would link."""
    escaped = _SPECIAL.sub(r"\\\1", clean(text).replace("&", "&amp;"))
    return _REFERENCE.sub(r"\1&#8203;", escaped)


def code(text: str) -> str:
    """A code span around any text."""
    text = clean(text).replace("\u00a0", " ")
    ticks = "`" * (_longest_run(text) + 1)
    padded = f" {text} " if text.startswith("`") or text.endswith("`") else text
    return f"{ticks}{padded}{ticks}" if text else ""


def cell(text: str) -> str:
    """Any text as a cell of a table.  Pipes are escaped inside code spans too, and a backslash keeps off the escape."""
    return code(text.replace("\\|", "\\ |")).replace("|", "\\|")


def fence(lines: list[str], language: str = "sh") -> str:
    """A fenced block around any lines."""
    lines = [clean(line) for line in lines]
    ticks = "`" * max(3, max(map(_longest_run, lines), default=0) + 1)
    return "\n".join([ticks + language, *lines, ticks])


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def _cause(report: Report, finding: Finding, number: int, labels: dict[str, str]) -> list[str]:
    doubt = "" if finding.confidence == "established" else ", suspected from a message"
    label = phrases.where(finding, labels)
    where = f" on {prose(label)}" if label else ""
    blocks = [
        f"### {number}. {code(finding.rule)} ({finding.code}, {finding.severity}{doubt}){where}",
        f"**{prose(finding.summary)}**",
        f"Cause: {prose(finding.cause)}" if finding.cause else "",
        _evidence(finding) if finding.evidence else "",
    ]
    if finding.fix is not None:
        blocks += fix_blocks(report, finding.fix)
    follows = phrases.follows(report, finding)
    if follows:
        blocks.append("It explains:\n\n" + "\n".join(_remark(effect, labels) for effect in follows))
    links = [f"<{link}>" for link in map(clean, finding.links) if re.fullmatch(r"https?://[^\s<>]+", link)]
    return [*blocks, f"See {', '.join(links)}" if links else ""]


def _evidence(finding: Finding) -> str:
    rows = [
        f"| {cell(dotted(e.pointer))} | {cell(quoted(e.pointer, e.value))} | {cell(e.witness)} |"
        for e in finding.evidence
    ]
    return "\n".join(["| fact | value | witness |", "| --- | --- | --- |", *rows])


def fix_blocks(report: Report, fix: Fix) -> list[str]:
    """A fix as blocks of Markdown: its title, its commands way by way, and how to see that it worked."""
    safety = {"safe": "", "careful": " (with care)", "disruptive": " (disruptive)"}[fix.safety]
    blocks = [f"Fix: {prose(fix.title)}{safety}"]
    for way in fixes.ways(fix, report.snapshot):
        if way.tool:
            blocks.append(f"or with {code(way.tool)}:")
        lines: list[str] = []
        for step in way.steps:
            about = clean(fixes.marks(step))
            lines += [f"# {about}"] if about else []
            lines += [step.command] if step.command else []
        first = next((step.where for step in way.steps if step.command), "bios")
        blocks.append(fence(lines, _SHELLS.get(first, "sh")) if lines else "")
    return [*blocks, f"Verify: {code(fix.verify)}" if fix.verify else ""]


def _remark(finding: Finding, labels: dict[str, str]) -> str:
    label = phrases.where(finding, labels)
    where = f" on {prose(label)}" if label else ""
    return f"- {code(finding.rule)}{where}: {prose(finding.summary)}"


def _ladder(report: Report) -> str:
    return "Ladder: " + " → ".join(f"{name} {_SIGNS[outcome]}" for outcome, name, _ in ladder.rungs(report))


def _unknown(report: Report) -> list[str]:
    groups, not_asked = reasons(report)
    if not groups and not not_asked:
        return []
    lines = [f"- {prose(shorten(g.why, 200))} ({count(len(g.rules), 'rule')})" for g in groups[:SHOWN_UNKNOWN]]
    if len(groups) > SHOWN_UNKNOWN:
        lines.append(f"- and for {count(len(groups) - SHOWN_UNKNOWN, 'more reason')}")
    if not_asked:
        lines.append(f"- {count(not_asked, 'rule')} not asked")
    return ["### Cannot tell", "\n".join(lines)]


def _ignored(report: Report) -> list[str]:
    lines = [f"- {code(v.rule)} (reason given: {prose(v.why)})" for v in report.ignored]
    return ["### Ignored", "\n".join(lines)] if lines else []


def _details(report: Report) -> str:
    lines = ["<details><summary>Versions</summary>", "", "| what | version |", "| --- | --- |"]
    lines += [f"| {name} | {cell(version)} |" for name, version in phrases.versions(report.snapshot)]
    gpus = gpu_table.rows(report.snapshot)
    if gpus:
        lines += ["", f"| {' | '.join(gpu_table.COLUMNS)} |", "|" + " --- |" * len(gpu_table.COLUMNS)]
        lines += [f"| {' | '.join(cell(text) for text in row.cells)} |" for row in gpus]
    return "\n".join([*lines, "", "</details>"])
