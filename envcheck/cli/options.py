"""Options that several commands share, with one wording each."""

from __future__ import annotations

from typing import Annotated

import typer

from .errors import BadCall


def complete_formats(incomplete: str) -> list[tuple[str, str]]:
    """Names and descriptions of the report formats, for the shell."""
    from envcheck.report import FORMATS

    return [(voice.name, voice.about) for voice in FORMATS.values() if voice.name.startswith(incomplete)]


def complete_rules(incomplete: str) -> list[str]:
    """Names of the rules, for the shell."""
    from envcheck.rules import RULES

    return [rule.name for rule in RULES if rule.name.startswith(incomplete)]


Python = Annotated[
    str | None, typer.Option("--python", metavar="PATH", help="Judge this Python, or the one of this folder.")
]
Env = Annotated[
    str | None, typer.Option("--env", metavar="NAME", help="Judge this conda, venv or Jupyter environment.")
]
Quick = Annotated[bool, typer.Option("--quick", help="Do not import torch.")]
Deep = Annotated[bool, typer.Option("--deep", help="Look longer and closer.")]
AllEnvs = Annotated[bool, typer.Option("--all-envs", help="Every Python found, not only the one the shell means.")]
Root = Annotated[
    str,
    typer.Option("--root", metavar="DIR", hidden=True, help="Prefix of /sys, /proc, /dev and /etc: a mounted system."),
]
Deadline = Annotated[
    float, typer.Option("--deadline", metavar="S", help="Stop looking after so many seconds.", show_default=True)
]
ReportFormat = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="NAME[=FILE]",
        help="terminal, json, markdown, junit, sarif, github, gitlab or html; repeatable.",
        autocompletion=complete_formats,
    ),
]
Format = Annotated[
    list[str] | None,
    typer.Option(
        "--format",
        metavar="NAME[=FILE]",
        help="terminal, json or markdown; repeatable.",
        autocompletion=complete_formats,
    ),
]
Redact = Annotated[
    bool | None,
    typer.Option(
        "--redact/--no-redact",
        help="Take out names, paths below home, addresses and credentials; the default where a format is for others.",
        show_default=False,
    ),
]
DEADLINE_S = 45.0
SHORTEST_S, LONGEST_S = 0.1, 3600.0


def depth(quick: bool, deep: bool) -> str:
    """``--quick`` and ``--deep`` as one word.  Raises :class:`BadCall` for both."""
    if quick and deep:
        raise BadCall("--quick and --deep exclude each other")
    return "quick" if quick else "deep" if deep else "normal"


def refuse_beside_from(**options: object) -> None:
    """Raises :class:`BadCall` for an option that says how to look at a machine, where a recorded one is judged."""
    given = [f"--{name}" for name, value in options.items() if value]
    if given:
        raise BadCall(f"--from judges what was recorded; {given[0]} has no meaning beside it")


def check_deadline(seconds: float) -> float:
    """The deadline, if it is a sensible number of seconds."""
    if not SHORTEST_S <= seconds <= LONGEST_S:  # false for NaN too
        raise BadCall(f"--deadline {seconds:g}: give seconds between {SHORTEST_S} and {LONGEST_S:g}")
    return seconds
