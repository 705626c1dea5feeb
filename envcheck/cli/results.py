"""A report handed over: in every format that was asked for, and to the runner that asked for annotations."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from . import output
from .errors import BadCall

if TYPE_CHECKING:
    from envcheck.judge import Report
    from envcheck.report import Page

    Speak: TypeAlias = Callable[[str, Report, Page], str]


def wanted(options: Sequence[str]) -> list[output.Wanted]:
    """Read the values of ``--format``: the house's formats and those of plugins.  Raises :class:`BadCall`.

    Plugins are looked for only where a name is none of the house's.
    """
    from envcheck.report import FORMATS

    if all(option.partition("=")[0] in FORMATS for option in options):
        return output.wanted(options, FORMATS)
    from envcheck.plugins import renderers

    return output.wanted(options, [*FORMATS, *(name for name in renderers() if name not in FORMATS)])


def _spoken(name: str, report: Report, page: Page) -> str:
    """The report in a format of the house or of a plugin."""
    from envcheck.report import FORMATS, render

    if name in FORMATS:
        return render(name, report, page)
    from envcheck.plugins import Broken, renderer

    try:
        voice = renderer(name)
        if voice is None:
            raise Broken("it is gone")
        return voice(report, page)
    except Broken as error:
        raise BadCall(f"--format {name}: the plugin cannot be used: {error}") from None


def hand_over(
    results: Sequence[output.Wanted],
    report: Report,
    *,
    gpu: int | None = None,
    redact: bool | None,
    speak: Speak | None = None,
) -> None:
    """Render and write the report; what is for others without names, unless ``redact`` says otherwise.

    ``speak``: how a command says more than the report alone.
    Raises :class:`~envcheck.cli.errors.BadCall` where it cannot be written.
    """
    from .sharing import fit

    told = fit(report, redact)
    output.emit(results, lambda name, page: (speak or _spoken)(name, told(name), page), gpu=gpu)
    if any(result.name == "github" for result in results):
        from .github import write

        write(told("github"), os.environ)
