"""A comparison of two machines as text: for a person, for an issue, and as JSON."""

from __future__ import annotations

from typing import Any

from envcheck import __version__
from envcheck.judge import Report

from .difference import Comparison, Difference
from .json_report import to_text
from .markdown import cell, code, prose
from .page import Mark, Page
from .paint import OUTCOME_STYLES, Painter
from .words import clean, count, fold, quoted, shorten

SCHEMA = 1
"""Version of the JSON form."""

FORMATS = ("terminal", "json", "markdown")
NAMED_IN_A_SENTENCE = 3
SHOWN_READ = 12
LONGEST_VALUE = 60

_VERDICTS = {"fit": "fit", "unfit": "unfit", "undetermined": "cannot tell"}
_REASONS = {
    "decides": "with the other side's value gone:",
    "evidence": "quoted by",
    "read": "read by",
    "other": "",
}


def render(voice: str, comparison: Comparison, names: tuple[str, str], page: Page, *, everything: bool = False) -> str:
    """The comparison in one of :data:`FORMATS`.  ``everything``: also what no rule reads."""
    if voice == "json":
        return to_text(plain(comparison, names))
    if voice == "markdown":
        text = _markdown(comparison, names, everything)
        return text if page.unicode else fold(text)
    return _terminal(comparison, names, page, everything)


def answer(comparison: Comparison, names: tuple[str, str]) -> str:
    """What lies between the two, in one sentence."""
    works = tuple(report.verdict == "fit" for report in (comparison.a, comparison.b))
    fails = tuple(report.verdict == "unfit" for report in (comparison.a, comparison.b))
    if works[0] and fails[1]:
        opening = f"works in {names[0]}, not in {names[1]}"
    elif works[1] and fails[0]:
        opening = f"works in {names[1]}, not in {names[0]}"
    elif all(works):
        opening = "works in both"
    elif all(fails):
        opening = "fails in both"
    else:
        doubtful = [n for n, w, f in zip(names, works, fails, strict=True) if not w and not f]
        opening = f"cannot tell whether it works in {' and '.join(doubtful)}"
    telling = comparison.telling
    if not telling:
        return f"{opening}: nothing that differs matters to a rule"
    named = [f"{d.name} {_change(d)}" for d in telling[:NAMED_IN_A_SENTENCE]]
    more = f" and {count(len(telling) - len(named), 'other')}" if len(telling) > len(named) else ""
    kind = "is the difference that matters" if len(telling) == 1 else "are the differences that matter"
    return f"{opening}: {', '.join(named)}{more} {kind}"


def _change(difference: Difference) -> str:
    return f"{_value(difference, difference.a)} → {_value(difference, difference.b)}"


def _value(difference: Difference, value: Any) -> str:
    """One side's value in words; a record that one side lacks is absent there and present here."""
    if isinstance(value, dict) and set(value) == {"name", "value"}:  # an environment variable
        return shorten(clean(str(value["value"])) or "(empty)", LONGEST_VALUE)
    if isinstance(value, dict) and value.get("kind") != "unread":
        return "there"
    if value is None and isinstance(difference.b if value is difference.a else difference.a, dict):
        return "not there"
    if value is None:
        return "absent"
    return quoted(difference.pointer_b, value, LONGEST_VALUE)


def _cares(difference: Difference) -> str:
    words = _REASONS[difference.weight]
    rules = ", ".join(difference.rules[:3]) + (", …" if len(difference.rules) > 3 else "")
    return f"{words} {rules}".strip()


def _verdict(report: Report) -> str:
    first = report.root_causes[0].rule if report.root_causes else ""
    return _VERDICTS[report.verdict] + (f": {first}" if first else "")


def _rest(comparison: Comparison, everything: bool) -> str:
    others = [d for d in comparison.differences if d.weight == "other"]
    parts = [f"{count(comparison.same, 'fact')} the same"]
    if others and not everything:
        parts.append(f"{count(len(others), 'difference')} that no rule reads (--all)")
    if comparison.moving:
        parts.append(f"{count(comparison.moving, 'reading')} left out that change by themselves or name the machine")
    if comparison.only_a or comparison.only_b:
        parts.append(f"told by one side only: {comparison.only_a} and {comparison.only_b}")
    return "; ".join(parts)


# -- for a person ------------------------------------------------------------------------------------------


def _terminal(comparison: Comparison, names: tuple[str, str], page: Page, everything: bool) -> str:
    out = Painter(page)
    for letter, name, report in zip("AB", names, (comparison.a, comparison.b), strict=True):
        out.labelled(letter, f"{name}: {_verdict(report)}", indent=0, column=3)
    out.blank()
    out.text(answer(comparison, names), style="bold")
    _section(out, "What matters", comparison.mattering)
    read = [d for d in comparison.differences if d.weight == "read"]
    _section(out, "Read by a rule, without a finding", read if everything else read[:SHOWN_READ])
    if len(read) > SHOWN_READ and not everything:
        out.text(f"and {len(read) - SHOWN_READ} more (--all)", indent=2, style="dim")
    if everything:
        _section(out, "Read by no rule", [d for d in comparison.differences if d.weight == "other"])
    out.blank()
    out.text(_rest(comparison, everything), style="dim")
    return out.finish()


def _section(out: Painter, title: str, differences: list[Difference]) -> None:
    if not differences:
        return
    out.blank()
    out.text(title, style="bold")
    for difference in differences:
        mark: Mark = {"decides": "problem", "evidence": "warning"}.get(difference.weight, "not_reached")  # type: ignore[assignment]
        lead = out.page.mark(mark).ljust(out.page.mark_width) + " "
        words = f"{difference.name}: {_change(difference)}"
        out.text(words, indent=2, lead=lead, lead_style=OUTCOME_STYLES[mark])
        if difference.matters:
            out.text(_cares(difference), indent=2 + len(lead), style="dim")


# -- for an issue ------------------------------------------------------------------------------------------


def _markdown(comparison: Comparison, names: tuple[str, str], everything: bool) -> str:
    blocks = [f"**{prose(answer(comparison, names))}**"]
    blocks.append(
        "\n".join(
            f"- {letter}: {code(name)}, {prose(_verdict(report))}"
            for letter, name, report in zip("AB", names, (comparison.a, comparison.b), strict=True)
        )
    )
    for title, weights in (
        ("What matters", ("decides", "evidence")),
        ("Read by a rule", ("read",)),
        ("Others", ("other",)),
    ):
        rows = [d for d in comparison.differences if d.weight in weights]
        if rows and (everything or title == "What matters"):
            lines = ["| fact | A | B | rules |", "| --- | --- | --- | --- |"]
            lines += [
                f"| {cell(d.name)} | {cell(_value(d, d.a))} | {cell(_value(d, d.b))} | {cell(_cares(d))} |"
                for d in rows
            ]
            blocks.append(f"### {title}\n\n" + "\n".join(lines))
    blocks.append(prose(_rest(comparison, everything)))
    return "\n\n".join(blocks) + "\n"


# -- for other programs ------------------------------------------------------------------------------------


def plain(comparison: Comparison, names: tuple[str, str]) -> dict[str, Any]:
    """The JSON form; values are as in a snapshot, ``null`` where a side has none."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "envcheck", "version": __version__},
        "answer": answer(comparison, names),
        "a": _side(names[0], comparison.a),
        "b": _side(names[1], comparison.b),
        "differences": [
            {
                "fact": d.name,
                "a": d.a,
                "b": d.b,
                "pointer_a": d.pointer_a,
                "pointer_b": d.pointer_b,
                "matters": d.matters,
                "weight": d.weight,
                "rules": d.rules,
                "result": d.result,
            }
            for d in comparison.differences
        ],
        "same": comparison.same,
        "only_a": comparison.only_a,
        "only_b": comparison.only_b,
        "left_out": comparison.moving,
    }


def _side(name: str, report: Report) -> dict[str, Any]:
    return {
        "name": name,
        "verdict": report.verdict,
        "root_causes": [{"rule": f.rule, "severity": f.severity, "summary": f.summary} for f in report.root_causes],
    }
