"""The report for a GitHub runner's log: annotations, then the whole page in a group that folds.

A step keeps ten errors, ten warnings and ten notices (actions/toolkit, problem matchers) and drops the rest without
a word, so root causes come first and the tenth says what else there is.
"""

from __future__ import annotations

from envcheck.judge import Report

from . import phrases, standing, terminal
from .page import Page
from .standing import Place, Told
from .words import clean, count, fold, shorten

LIMIT = 10
LONGEST = 4000
LEVELS = {"error": "error", "warning": "warning", "note": "notice"}
"""Severity → GitHub's word for it."""


def render(report: Report, page: Page) -> str:
    """The annotations and the report.  ``page`` decides how the page in the group looks."""
    by_level: dict[str, list[tuple[str, str]]] = {level: [] for level in LEVELS.values()}
    for one in standing.told(report):
        by_level[_level(one)].append((one.finding.rule, _annotation(report, one)))
    if report.verdict == "undetermined":
        why = command("error", standing.place(report), "envcheck undetermined", phrases.answer(report))
        by_level["error"].insert(0, ("undetermined", why))
    lines = [line for level, commands in by_level.items() for line in _limited(level, commands)]
    lines += ["::group::envcheck", terminal.render(report, page).rstrip("\n"), "::endgroup::"]
    text = "\n".join([*lines, f"envcheck: {phrases.answer(report)}"]) + "\n"
    return text if page.unicode else fold(text)


def _level(one: Told) -> str:
    """What follows from a root cause, and what is ignored, is told and shouts at nobody."""
    return "notice" if one.role in ("consequence", "ignored") else LEVELS[one.finding.severity]


def _annotation(report: Report, one: Told) -> str:
    body = "\n".join([standing.title(one), *standing.lines(report, one.finding)])
    return command(_level(one), standing.place(report, one.finding), f"envcheck {one.finding.rule}", body)


def _limited(level: str, commands: list[tuple[str, str]]) -> list[str]:
    if len(commands) <= LIMIT:
        return [line for _, line in commands]
    rest = commands[LIMIT - 1 :]
    names = ", ".join(dict.fromkeys(rule for rule, _ in rest))
    more = command(level, None, "envcheck", f"and {count(len(rest), f'more {level}')}: {names}")
    return [*(line for _, line in commands[: LIMIT - 1]), more]


def command(level: str, place: Place | None, title: str, message: str) -> str:
    """One workflow command: ``::error file=pyproject.toml,line=12,title=envcheck …::message``."""
    properties = [f"file={escape_property(place.path)}", f"line={place.line}"] if place is not None else []
    properties.append(f"title={escape_property(clean(title))}")
    return f"::{level} {','.join(properties)}::{escape_data(shorten(message, LONGEST))}"


def escape_data(text: str) -> str:
    """A message as the runner reads it back (actions/toolkit, command.ts)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: str) -> str:
    """The value of a property: colons and commas would end it."""
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")
