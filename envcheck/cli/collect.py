"""``envcheck collect``: the snapshot, which is what to attach to a bug report."""

from __future__ import annotations

import os
import sys
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from envcheck.report.page import is_interactive

from . import options as o
from . import output
from .errors import BadCall

if TYPE_CHECKING:
    from envcheck.facts import Snapshot
    from envcheck.report.page import Page

FORMATS = ("json", "markdown")


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("collect")(collect)


def collect(
    out: Annotated[str | None, typer.Option("-o", "--output", metavar="FILE", help="Write it to this file.")] = None,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of a snapshot and stop.")] = False,
    python: o.Python = None,
    env: o.Env = None,
    quick: o.Quick = False,
    deep: o.Deep = False,
    all_envs: o.AllEnvs = False,
    deadline: o.Deadline = o.DEADLINE_S,
    root: o.Root = "/",
    redact: o.Redact = None,
    format_: Annotated[
        list[str] | None,
        typer.Option("--format", metavar="NAME[=FILE]", help="json or markdown (for an issue); repeatable."),
    ] = None,
) -> int:
    """Write down what can be seen of this machine, as JSON.

    Nothing is judged and nothing is sent anywhere. Read it before you share it: paths stand in it, unless --redact.
    """
    if out is not None and format_:
        raise BadCall("-o FILE and --format json=FILE say the same; give one of them")
    results = output.wanted([f"json={out}"] if out is not None else format_ or [], FORMATS, default="json")
    if schema:
        from envcheck.facts.schema import json_schema
        from envcheck.report.json_report import to_text

        text = to_text(json_schema())
        output.emit(results, lambda name, page: text)
    else:
        from .law import with_collectors

        snapshot = look(python, env, o.depth(quick, deep), all_envs, o.check_deadline(deadline), root=root)
        snapshot = with_collectors(snapshot)
        from .sharing import fit

        told = fit(snapshot, redact)
        output.emit(results, lambda name, page: written(told(name), name, page))
    for result in results:
        if result.path != output.STDOUT:
            output.to_stderr(f"envcheck: wrote {result.path}\n")
    return 0


def written(snapshot: Snapshot, name: str, page: Page) -> str:
    """The snapshot in one format."""
    if name == "markdown":
        from envcheck.report.attachment import render

        return render(snapshot, page)
    from envcheck.report.json_report import snapshot_text

    return snapshot_text(snapshot)


def look(
    python: str | None,
    env: str | None,
    depth: str,
    all_envs: bool,
    deadline_s: float,
    meanwhile: tuple[str, ...] = (),
    *,
    root: str = "/",
    probe_envs: bool = False,
) -> Snapshot:
    """Look at this machine, with the rungs lighting up on an interactive stderr.

    ``meanwhile`` names modules to import while the collectors' children work.  Raises :class:`BadCall`.
    """
    if python is not None and env is not None:
        raise BadCall("--python and --env exclude each other")
    from envcheck.collect import BadTarget, Options, snapshot_here

    wish = Options(
        python=python,
        env=env,
        depth=cast("Literal['quick', 'normal', 'deep']", depth),
        all_envs=all_envs,
        probe_envs=probe_envs,
        deadline_s=deadline_s,
        root=root,
    )
    _import_meanwhile(meanwhile)
    try:
        if not _is_watched():
            return snapshot_here(wish)
        from envcheck.report.live import Lights

        with Lights(sys.stderr, os.environ, leave_out=("torch",) if depth == "quick" else ()) as lights:
            return snapshot_here(wish, lights.watch)
    except BadTarget as error:
        raise BadCall(str(error)) from None


def _is_watched() -> bool:
    """Does a person see stderr, where the rungs light up?  Asked before anything for it is imported."""
    return sys.stderr is not None and is_interactive(sys.stderr, os.environ)


def _import_meanwhile(modules: tuple[str, ...]) -> None:
    """Import modules in a thread: the collectors' children take longer than that."""

    def work() -> None:
        try:
            for module in modules:
                import_module(module)
        except Exception:  # noqa: BLE001, S110  the main thread imports it again and meets the same error
            pass

    if modules:
        threading.Thread(target=work, name="imports", daemon=True).start()
