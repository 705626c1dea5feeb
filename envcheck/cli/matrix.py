"""``envcheck matrix``: torch releases against CUDA variants, for this machine or one that is described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import options as o
from . import output
from .errors import BadCall
from .recommend import Arch, Capability, Driver, Glibc, GpuName, Python, System, Torch, machine_meant

if TYPE_CHECKING:
    from envcheck.report.page import Page

FORMATS = ("terminal", "json", "markdown", "html", "csv")

Format = Annotated[
    list[str] | None,
    typer.Option("--format", metavar="NAME[=FILE]", help="terminal, json, markdown, html or csv; repeatable."),
]


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("matrix")(matrix)


def matrix(
    driver: Driver = None,
    gpu: GpuName = None,
    cc: Capability = None,
    python: Python = None,
    os: System = None,
    arch: Arch = None,
    glibc: Glibc = None,
    torch: Torch = None,
    format_: Format = None,
    redact: o.Redact = None,
) -> int:
    """Show which torch builds run: every release against every CUDA variant.

    Each cell says: runs, needs driver N, card not in the build, no wheel for this Python, or no such build.
    """
    results = output.wanted(format_ or [], FORMATS)
    from envcheck.compat import grid
    from envcheck.compat.machine import Unclear
    from envcheck.compat.matrix import matrix as judge_all
    from envcheck.compat.wish import releases_within

    try:
        releases_within(torch)
        machine = machine_meant(driver=driver, gpu=gpu, cc=cc, python=python, os=os, arch=arch, glibc=glibc)
        table = judge_all(machine, torch)
    except Unclear as unclear:
        raise BadCall(str(unclear)) from None
    voices = {"json": grid.to_json, "markdown": grid.to_markdown, "html": grid.to_html, "csv": grid.to_csv}

    from .sharing import fit

    told = fit(table, redact)

    def render(name: str, page: Page) -> str:
        return grid.to_terminal(told(name), page.width) if name == "terminal" else voices[name](told(name))

    output.emit(results, render)
    return 0
