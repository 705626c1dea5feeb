"""``envcheck envs``: every Python environment of this machine, and whether its torch can use the GPU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import options as o
from . import output
from .errors import BadCall

if TYPE_CHECKING:
    from envcheck.report.page import Page

FORMATS = ("terminal", "json", "markdown")
PROBE_DEADLINE_S = 300.0
"""Importing torch takes seconds in each environment."""

MEANWHILE = ("envcheck.judge", "envcheck.judge.environments", "envcheck.rules", "envcheck.report.env_table")


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("envs")(envs)


def envs(
    probe: Annotated[
        bool, typer.Option("--probe", help="Ask each interpreter, and import torch where it is installed.")
    ] = False,
    deadline: Annotated[
        float | None,
        typer.Option("--deadline", metavar="S", help="Stop looking after so many seconds (45; with --probe 300)."),
    ] = None,
    root: o.Root = "/",
    source: Annotated[
        str | None, typer.Option("--from", metavar="FILE", help="List those of this snapshot (collect --all-envs).")
    ] = None,
    format_: o.Format = None,
    redact: o.Redact = None,
) -> int:
    """List every environment and whether its torch can use the GPU.

    Of venv, conda, uv, pyenv, poetry, pipx, hatch, the system and Jupyter's kernels, found without running any of
    them. Exit code 0, whatever the answers are.
    """
    results = output.wanted(format_ or [], FORMATS)
    if deadline is not None:
        o.check_deadline(deadline)
    if source is not None:
        if probe:
            raise BadCall("--from lists what was recorded; --probe has no meaning beside it")
        from .source import load

        snapshot = load(source)
    else:
        from .collect import look

        snapshot = look(
            None,
            None,
            "normal" if probe else "quick",
            True,
            deadline if deadline is not None else PROBE_DEADLINE_S if probe else o.DEADLINE_S,
            MEANWHILE,
            root=root,
            probe_envs=probe,
        )
    from envcheck.facts import ProcessEnvironment
    from envcheck.judge import judge
    from envcheck.judge.environments import POLICY, list_environments
    from envcheck.report.env_table import render
    from envcheck.rules import QUESTIONS

    from .law import with_plugins
    from .sharing import fit

    snapshot, questions = with_plugins(snapshot, QUESTIONS, live=root is None)
    told = fit(judge(snapshot, questions, POLICY), redact)

    def voice(name: str, page: Page) -> str:
        report = told(name)
        shell = report.snapshot.environment
        home = shell.home if isinstance(shell, ProcessEnvironment) and isinstance(shell.home, str) else None
        return render(name, list_environments(report), page, home=home)

    output.emit(results, voice)
    return 0
