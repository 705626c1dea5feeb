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

    from .law import find
    from .law import rules as every_rule

    results = output.wanted(format_ or [], FORMATS)
    if name is None:
        listed = every_rule()
        output.emit(results, lambda voice, page: render_list(voice, listed, page))
        return 0
    rule = find(name)
    if rule is None:
        known = [word for rule in every_rule() for word in (rule.name, rule.code.lower())]
        raise BadCall(f"no rule is called {name}{near(name, known)}")
    output.emit(results, lambda voice, page: render_page(voice, rule, page))
    return 0
