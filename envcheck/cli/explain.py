"""``envcheck explain``: a report or an error message from somebody else's machine, explained."""

from __future__ import annotations

from typing import Annotated

import typer

from . import options as o
from . import output

FORMATS = ("terminal", "json", "markdown")


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("explain")(explain)


def explain(
    what: Annotated[
        str,
        typer.Argument(metavar="FILE|-|TEXT", help="A file, - for standard input, or the message itself in quotes."),
    ],
    format_: Annotated[
        list[str] | None,
        typer.Option(
            "--format", metavar="NAME[=FILE]", help="terminal, json or markdown (a reply to post); repeatable."
        ),
    ] = None,
    redact: o.Redact = None,
) -> int:
    """Say what is wrong on another machine, from what was pasted of it.

    Reads collect_env of torch, vLLM and others, nvidia-smi, tracebacks, logs, package lists, and snapshots.
    Exit code 0: no root cause found, 1: there is one, 2: bad call, 70: envcheck broke.
    """
    results = output.wanted(format_ or [], FORMATS)
    from envcheck.judge import Policy, exit_code, judge
    from envcheck.judge.requests import requests
    from envcheck.report.explanation import render
    from envcheck.rules import QUESTIONS

    from .law import with_plugins
    from .sharing import fit
    from .source import read

    snapshot, questions = with_plugins(read(what), QUESTIONS, live=False)
    # Strict: what a text does not tell is no sign of health, so that only findings and "undetermined" come out.
    report = judge(snapshot, questions, Policy(strict=True))
    told = fit(report, redact)
    output.emit(results, lambda name, page: render(name, told(name), requests(told(name)), page))
    return exit_code(report.verdict, undetermined_counts=False)
