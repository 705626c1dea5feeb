"""``envcheck recommend``: which torch to install here, or on a machine that is described, and the exact command."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from . import options as o
from . import output
from .errors import BadCall

if TYPE_CHECKING:
    from envcheck.compat.machine import Machine
    from envcheck.report.page import Page

FORMATS = ("terminal", "json", "markdown")

Driver = Annotated[str | None, typer.Option("--driver", metavar="VERSION", help="NVIDIA driver: 535.104.05.")]
GpuName = Annotated[
    str | None, typer.Option("--gpu", metavar="NAME", help='Card: "RTX 4090", "A100 SXM4 40GB", 10de:2684.')
]
Capability = Annotated[
    str | None, typer.Option("--cc", metavar="X.Y", help="Compute capability, instead of a card: 8.9.")
]
Python = Annotated[str | None, typer.Option("--python", metavar="VERSION", help="Python: 3.12, 3.13t.")]
System = Annotated[str | None, typer.Option("--os", metavar="OS", help="linux, windows, macos or wsl.")]
Arch = Annotated[str | None, typer.Option("--arch", metavar="ARCH", help="x86_64 or aarch64.")]
Glibc = Annotated[str | None, typer.Option("--glibc", metavar="VERSION", help="C library: 2.31.")]
Torch = Annotated[
    str | None, typer.Option("--torch", metavar="SPEC", help="Releases to choose from: 2.9, '>=2.6,<2.10'.")
]


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("recommend")(recommend)


def recommend(
    driver: Driver = None,
    gpu: GpuName = None,
    cc: Capability = None,
    python: Python = None,
    os: System = None,
    arch: Arch = None,
    glibc: Glibc = None,
    torch: Torch = None,
    cuda: Annotated[
        str | None, typer.Option("--cuda", metavar="VERSION", help="CUDA of the build: 12.8, 12, cpu.")
    ] = None,
    manager: Annotated[
        str | None, typer.Option("--manager", metavar="NAME", help="Only for pip, uv or conda, with its file.")
    ] = None,
    have: Annotated[
        str | None, typer.Option("--have", metavar="BUILD", help="Does this build run there? 2.7.1+cu128.")
    ] = None,
    format_: o.Format = None,
    redact: o.Redact = None,
) -> int:
    """Say which torch build to install, the exact command, and why not another.

    For this machine, or for one described by --driver, --gpu or --cc, --os and --arch.  Exit code 0: fits, 1: nothing
    fits, or the build of --have does not run there, 2: bad call.
    """
    results = output.wanted(format_ or [], FORMATS)
    from envcheck.compat import answer
    from envcheck.compat.recommend import Unclear, Wish, check
    from envcheck.compat.recommend import recommend as answer_to

    try:
        check(torch=torch, cuda=cuda, manager=manager, have=have)
        machine = machine_meant(driver=driver, gpu=gpu, cc=cc, python=python, os=os, arch=arch, glibc=glibc)
        found = answer_to(Wish(machine=machine, torch=torch, cuda=cuda, manager=manager, have=have))
    except Unclear as unclear:
        raise BadCall(str(unclear)) from None

    from .sharing import fit

    told = fit(found, redact)

    def render(name: str, page: Page) -> str:
        if name == "json":
            return answer.to_json(told(name))
        if name == "markdown":
            return answer.to_markdown(told(name))
        return answer.to_terminal(told(name), manager, page.width)

    output.emit(results, render)
    return 0 if found.fits else 1


def machine_meant(
    *,
    driver: str | None,
    gpu: str | None,
    cc: str | None,
    python: str | None,
    os: str | None,
    arch: str | None,
    glibc: str | None,
) -> Machine:
    """The machine that is described, or this one, perhaps with another Python or C library.

    Anything about driver, card or platform describes another machine, of which nothing else is known then.  Raises
    :class:`~envcheck.compat.machine.Unclear`.
    """
    from envcheck.compat.machine import Machine, describe, machine_of, with_python

    if any(told is not None for told in (driver, gpu, cc, os, arch)):
        here = "windows" if os is None and sys.platform == "win32" else os
        return describe(driver=driver, gpu=gpu, cc=cc, python=python, os=here, arch=arch, glibc=glibc)
    with_python(Machine(), python=python, glibc=glibc)  # a slip is told before the collecting, not after it
    from .collect import look

    snapshot = look(None, None, "quick", False, o.DEADLINE_S)
    return with_python(machine_of(snapshot), python=python, glibc=glibc)
