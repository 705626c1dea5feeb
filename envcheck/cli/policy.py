"""``envcheck policy``: the policy that holds here, a policy that this machine fulfils, and the schema of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import options as o
from . import output
from .preflight import PolicyPath, Profile

if TYPE_CHECKING:
    from envcheck.report.page import Page

SHOW_FORMATS = ("terminal", "json")

ShowFormat = Annotated[
    list[str] | None, typer.Option("--format", metavar="NAME[=FILE]", help="terminal or json; repeatable.")
]


def register(app: typer.Typer) -> None:
    """Add the command and its three verbs to an application."""
    part = typer.Typer(rich_markup_mode=None)
    part.command("show")(show)
    part.command("freeze")(freeze)
    part.command("schema")(schema)
    app.add_typer(part, name="policy", help="Show the policy that holds here, or write one.")


def show(policy: PolicyPath = None, profile: Profile = None, format_: ShowFormat = None) -> int:
    """Show the policy that preflight would judge by, and where each of its settings comes from."""
    results = output.wanted(format_ or [], SHOW_FORMATS)
    from .policy_file import settled
    from .policy_text import to_json, to_toml

    settings = settled(policy, profile, {})

    def render(name: str, page: Page) -> str:
        return to_json(settings) if name == "json" else to_toml(settings)

    output.emit(results, render)
    return 0


def freeze(
    out: Annotated[str | None, typer.Option("-o", "--output", metavar="FILE", help="Write it to this file.")] = None,
    python: o.Python = None,
    env: o.Env = None,
    quick: o.Quick = False,
    deadline: o.Deadline = o.DEADLINE_S,
    root: o.Root = "/",
    source: Annotated[
        str | None, typer.Option("--from", metavar="FILE", help="Freeze this snapshot instead of this machine.")
    ] = None,
    redact: o.Redact = None,
) -> int:
    """Write a policy that this machine fulfils today, as TOML: a starting point to loosen by hand.

    What could not be told stands there as a comment, and requires nothing.
    """
    results = output.wanted([f"toml={out}"] if out is not None else [], ("toml",), default="toml")
    o.check_deadline(deadline)
    if source is not None:
        o.refuse_beside_from(python=python, env=env, quick=quick)
        from .source import load

        snapshot = load(source)
    else:
        from .collect import look

        snapshot = look(python, env, o.depth(quick, False), False, deadline, root=root)
    from envcheck.rules.policy.freeze import frozen

    from .policy_text import frozen_toml
    from .sharing import fit

    told = fit(frozen_toml(*frozen(snapshot)), redact)
    output.emit(results, lambda name, page: told(name))
    if out is not None:
        output.to_stderr(f"envcheck: wrote {out}\n")
    return 0


def schema() -> int:
    """Print the JSON Schema of a policy file, for editors."""
    from envcheck.judge.policy_form import policy_schema
    from envcheck.report.json_report import to_text

    output.to_stdout(to_text(policy_schema()))
    return 0
