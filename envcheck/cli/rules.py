"""``envcheck rules``: the manual of every rule."""

from __future__ import annotations

from typing import Annotated

import typer

from . import options as o
from . import output
from .errors import BadCall, near


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("rules")(rules)


def rules(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME|CODE]", help="A rule: driver-too-old-for-torch, DRV102.", autocompletion=o.complete_rules
        ),
    ] = None,
    format_: o.Format = None,
) -> int:
    """List the rules rung by rung, or show the manual page of one."""
    from envcheck.report.manual import FORMATS, render_list, render_page
    from envcheck.rules import RULES, find

    results = output.wanted(format_ or [], FORMATS)
    if name is None:
        output.emit(results, lambda voice, page: render_list(voice, RULES, page))
        return 0
    rule = find(name)
    if rule is None:
        known = [rule.name for rule in RULES] + [rule.code.lower() for rule in RULES]
        raise BadCall(f"no rule is called {name}{near(name, known)}")
    output.emit(results, lambda voice, page: render_page(voice, rule, page))
    return 0
