"""The report inside a notebook: one fragment of HTML that needs nothing else, on dark pages as on light ones.

No script, no font, no address: it works offline, and in a saved notebook years later.  All collected text is hostile
and escaped.  Where a viewer strips the style (GitHub), headings, tables and preformatted commands are left.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from envcheck.judge import Finding, Fix, Report

from . import fixes, gpu_table, ladder, phrases
from .ignorance import reasons
from .page import Page
from .words import clean, count, dotted, quoted, shorten

SHOWN_UNKNOWN = 12

LIGHT = "--ec-ok:#1a7f37;--ec-problem:#cf222e;--ec-warning:#8a5700;--ec-note:#0b5fae;--ec-quiet:#5b636b"
DARK = "--ec-ok:#56d364;--ec-problem:#ff7b72;--ec-warning:#e3b341;--ec-note:#79c0ff;--ec-quiet:#9aa4ae"
# A page says in one of these ways that it is dark; JupyterLab's light theme has to win over a dark system.
STYLE = f"""
.envcheck{{{LIGHT};--ec-line:rgba(128,128,128,.35);--ec-ground:rgba(128,128,128,.12);color:inherit;
font:14px/1.45 system-ui,sans-serif;max-width:60em;border:1px solid var(--ec-line);border-radius:6px;padding:.8em 1em}}
@media (prefers-color-scheme:dark){{.envcheck{{{DARK}}}}}
[data-jp-theme-light="true"] .envcheck,.vscode-light .envcheck,html[theme="light"] .envcheck{{{LIGHT}}}
[data-jp-theme-light="false"] .envcheck,.vscode-dark .envcheck,html[theme="dark"] .envcheck{{{DARK}}}
.envcheck h3,.envcheck h4{{margin:.9em 0 .3em;font-size:1em;font-weight:600}}
.envcheck h3{{margin-top:0;font-size:1.1em}}
.envcheck p,.envcheck ul,.envcheck ol{{margin:.3em 0}}.envcheck ul,.envcheck ol{{padding-left:1.6em}}
.envcheck pre,.envcheck code{{font:12.5px/1.4 ui-monospace,monospace;background:var(--ec-ground);color:inherit;
border-radius:4px}}
.envcheck pre{{padding:.5em .7em;margin:.2em 0;white-space:pre-wrap;overflow-wrap:anywhere;user-select:all}}
.envcheck code{{padding:.05em .3em;overflow-wrap:anywhere}}
.envcheck table{{border-collapse:collapse;margin:.3em 0;color:inherit}}
.envcheck th,.envcheck td{{border:1px solid var(--ec-line);padding:.15em .5em;text-align:left;vertical-align:top;
background:none;color:inherit}}
.envcheck .ec-cause{{border-left:3px solid var(--ec-problem);padding-left:.8em;margin:.9em 0}}
.envcheck .ec-cause.ec-warning{{border-color:var(--ec-warning)}}
.envcheck .ec-rung{{display:inline-block;border:1px solid var(--ec-line);border-radius:1em;padding:0 .6em;
margin:.15em .1em}}
.envcheck b.ec-ok,.envcheck .ec-rung.ec-ok b{{color:var(--ec-ok)}}
.envcheck b.ec-problem,.envcheck .ec-rung.ec-problem b{{color:var(--ec-problem)}}
.envcheck b.ec-warning{{color:var(--ec-warning)}}.envcheck b.ec-note{{color:var(--ec-note)}}
.envcheck b.ec-cannot_tell,.envcheck .ec-rung.ec-cannot_tell b{{color:var(--ec-warning)}}
.envcheck .ec-rung.ec-not_reached,.envcheck .ec-quiet{{color:var(--ec-quiet)}}
.envcheck summary{{cursor:pointer}}
""".replace("\n", "")

ANSWERS = {"fit": "ok", "unfit": "problem", "undetermined": "cannot_tell"}
FINDINGS = {"error": "problem", "warning": "warning", "note": "note"}


def render(report: Report) -> str:
    """The whole report.  Same report, same text."""
    labels = phrases.labels(report)
    parts = [f"<style>{STYLE}</style>", '<div class="envcheck" role="region" aria-label="envcheck report">']
    parts.append(f"<h3>{_mark(ANSWERS[report.verdict])} {_text(phrases.answer(report))}</h3>")
    parts.append(f"<p>{_text(phrases.judged(report.snapshot))}</p>")
    parts += [f"<p>{_text(f'the shell also means {other}')}</p>" for other in report.snapshot.target.disagreements]
    parts.append(_ladder(report))
    parts += [_cause(report, finding, labels) for finding in report.root_causes]
    parts += _remarks("Warnings", report, report.warnings, labels) + _remarks("Notes", report, report.notes, labels)
    parts += _unknown(report) + _ignored(report)
    parts.append(_versions(report))
    return "\n".join([*(part for part in parts if part), "</div>"])


def _text(text: str) -> str:
    return escape(clean(text))


def _mark(kind: str) -> str:
    sign = Page().mark("cannot_tell" if kind == "cannot_tell" else kind)  # type: ignore[arg-type]
    return f'<b class="ec-{kind}">{sign}</b>'


def _ladder(report: Report) -> str:
    rungs = []
    for outcome, name, words in ladder.rungs(report):
        sign = Page().mark(outcome)
        about = f' title="{_text(words)}"' if words else ""
        rungs.append(f'<span class="ec-rung ec-{outcome}"{about}><b>{sign}</b> {_text(name)}</span>')
    return f"<p>{' '.join(rungs)}</p>"


def _cause(report: Report, finding: Finding, labels: dict[str, str]) -> str:
    doubt = "" if finding.confidence == "established" else ", suspected from a message"
    where = phrases.where(finding, labels)
    kind = FINDINGS[finding.severity]
    title = f"{_mark(kind)} <code>{_text(finding.rule)}</code> ({_text(finding.code + doubt)})"
    parts = [
        f'<div class="ec-cause ec-{kind}">',
        f"<h4>{title}{f' on {_text(where)}' if where else ''}</h4>",
        f"<p><strong>{_text(finding.summary)}</strong></p>",
        f"<p>Cause: {_text(finding.cause)}</p>" if finding.cause else "",
        _fix(report, finding.fix) if finding.fix is not None else "",
        _evidence(finding),
        _follows(report, finding),
        "".join(_link(link) for link in finding.links),
        "</div>",
    ]
    return "\n".join(part for part in parts if part)


def _fix(report: Report, fix: Fix) -> str:
    safety = {"safe": "", "careful": " (with care)", "disruptive": " (disruptive)"}[fix.safety]
    parts = [f"<p>Fix: {_text(fix.title + safety)}</p>"]
    for way in fixes.ways(fix, report.snapshot):
        steps = "".join(f"<li>{_step(step.command, fixes.marks(step))}</li>" for step in way.steps)
        listed = f"<ol>{steps}</ol>"
        parts.append(f"<details><summary>or with {_text(way.tool)}</summary>{listed}</details>" if way.tool else listed)
    return "".join(parts) + (f"<p>Verify:</p><pre>{_text(fix.verify)}</pre>" if fix.verify else "")


def _step(command: str, about: str) -> str:
    said = _text(about)
    if not command:
        return said
    return f"<pre>{_text(command)}</pre>" + (f'<span class="ec-quiet">{said}</span>' if said else "")


def _evidence(finding: Finding) -> str:
    rows = "".join(
        f"<tr><td><code>{_text(dotted(e.pointer))}</code></td><td>{_text(quoted(e.pointer, e.value))}</td>"
        f"<td>{_text(e.witness)}</td></tr>"
        for e in finding.evidence
    )
    head = "<tr><th>fact</th><th>value</th><th>witness</th></tr>"
    return f"<details><summary>Evidence ({len(finding.evidence)})</summary><table>{head}{rows}</table></details>"


def _follows(report: Report, finding: Finding) -> str:
    effects = [f"{effect.rule}: {clean(effect.summary)}" for effect in phrases.follows(report, finding)]
    return (
        f"<details><summary>It explains {count(len(effects), 'finding')}</summary>{_list(effects)}</details>"
        if effects
        else ""
    )


def _link(link: str) -> str:
    if not link.startswith(("https://", "http://")):
        return ""
    return f'<p>See <a href="{_text(link)}" rel="noreferrer">{_text(link)}</a></p>'


def _remarks(title: str, report: Report, findings: list[Finding], labels: dict[str, str]) -> list[str]:
    if not findings:
        return []
    items = []
    for finding in findings:
        where = phrases.where(finding, labels)
        words = _text(finding.summary) + (f" on {_text(where)}" if where else "")
        fix = _fix(report, finding.fix) if finding.fix is not None and finding.severity == "warning" else ""
        more = f"<details><summary>{_text(finding.fix.title)}</summary>{fix}</details>" if fix and finding.fix else ""
        items.append(f"<li>{_mark(FINDINGS[finding.severity])} {words} (<code>{_text(finding.rule)}</code>){more}</li>")
    return [f"<h4>{title}</h4><ul>{''.join(items)}</ul>"]


def _unknown(report: Report) -> list[str]:
    groups, not_asked = reasons(report)
    lines = [f"{shorten(g.why, 200)} ({count(len(g.rules), 'rule')})" for g in groups[:SHOWN_UNKNOWN]]
    if len(groups) > SHOWN_UNKNOWN:
        lines.append(f"and for {count(len(groups) - SHOWN_UNKNOWN, 'more reason')}")
    lines += [f"{count(not_asked, 'rule')} not asked"] if not_asked else []
    return [f"<details><summary>Cannot tell ({len(groups)})</summary>{_list(lines)}</details>"] if groups else []


def _ignored(report: Report) -> list[str]:
    lines = [f"{verdict.rule} (reason given: {clean(verdict.why)})" for verdict in report.ignored]
    return [f"<details><summary>Ignored ({len(lines)})</summary>{_list(lines)}</details>"] if lines else []


def _list(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in lines)}</ul>"


def _versions(report: Report) -> str:
    rows = "".join(f"<tr><th>{_text(n)}</th><td>{_text(v)}</td></tr>" for n, v in phrases.versions(report.snapshot))
    gpus = gpu_table.rows(report.snapshot)
    cards = ""
    if gpus:
        head = "".join(f"<th>{_text(name)}</th>" for name in gpu_table.COLUMNS)
        body = "".join(f"<tr>{''.join(f'<td>{_text(text)}</td>' for text in row.cells)}</tr>" for row in gpus)
        cards = f"<table><tr>{head}</tr>{body}</table>"
    return f"<details><summary>Versions</summary><table>{rows}</table>{cards}</details>"
