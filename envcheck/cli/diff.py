"""``envcheck diff A B``: works here, not there: what differs, and which difference matters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import options as o
from . import output
from .errors import BadCall

if TYPE_CHECKING:
    from envcheck.facts import Snapshot
    from envcheck.report.page import Page

HERE = "here"
NOTHING_MATTERS, SOMETHING_MATTERS = 0, 1


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("diff")(diff)


def diff(
    a: Annotated[str, typer.Argument(metavar="A", help="A snapshot, report or recording; 'here' is this machine.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other one.")],
    everything: Annotated[bool, typer.Option("--all", help="Also what no rule reads.")] = False,
    quick: o.Quick = False,
    deadline: o.Deadline = o.DEADLINE_S,
    format_: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="NAME[=FILE]", help="terminal, json or markdown; repeatable."),
    ] = None,
    redact: o.Redact = None,
) -> int:
    """Say what differs between two machines, and what of it matters.

    Exit code 0: nothing that matters differs, 1: something does, 2: bad call, 70: envcheck broke.
    """
    results = output.wanted(format_ or [], ("terminal", "json", "markdown"))
    o.check_deadline(deadline)
    if a == b and a in (HERE, "-"):
        raise BadCall(f"{_name(a)} can be looked at once only; name two different sides")
    snapshots = [_load(what, quick, deadline) for what in (a, b)]
    from envcheck.report.difference import difference
    from envcheck.report.difference_page import render
    from envcheck.rules import QUESTIONS

    from .law import with_plugins

    one, questions = with_plugins(snapshots[0], QUESTIONS, live=a == HERE)
    other, _ = with_plugins(snapshots[1], QUESTIONS, live=b == HERE)
    compared = difference(one, other, questions)
    from .sharing import fit

    told, called = fit(compared, redact), fit((_name(a), _name(b)), redact)

    def voice(name: str, page: Page) -> str:
        return render(name, told(name), called(name), page, everything=everything)

    output.emit(results, voice)
    return SOMETHING_MATTERS if compared.mattering else NOTHING_MATTERS


def _load(what: str, quick: bool, deadline: float) -> Snapshot:
    if what != HERE:
        from .source import load

        return load(what)
    from .collect import look

    return look(None, None, o.depth(quick, deep=False), False, deadline)


def _name(what: str) -> str:
    return {HERE: "this machine", "-": "standard input"}.get(what, what)
