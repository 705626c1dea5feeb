"""A report handed over: in every format that was asked for, and to the runner that asked for annotations."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from . import output

if TYPE_CHECKING:
    from envcheck.judge import Report


def hand_over(results: Sequence[output.Wanted], report: Report, *, gpu: int | None = None) -> None:
    """Render and write the report.  Raises :class:`~envcheck.cli.errors.BadCall` where it cannot be written."""
    from envcheck.report import render

    output.emit(results, lambda name, page: render(name, report, page), gpu=gpu)
    if any(result.name == "github" for result in results):
        from .github import write

        write(report, os.environ)
