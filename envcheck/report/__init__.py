"""Voices: a Report as text.  One file a format; a voice is a function of (report, page) and of nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from .page import Page

if TYPE_CHECKING:
    from envcheck.judge import Report

__all__ = ["FORMATS", "Format", "Page", "render"]


@dataclass(frozen=True)
class Format:
    """One voice.  Its module is imported when it speaks, and has ``render(report, page) -> str``."""

    name: str
    module: str
    about: str


FORMATS: dict[str, Format] = {
    voice.name: voice
    for voice in (
        Format("terminal", "envcheck.report.terminal", "for a person at a terminal"),
        Format("json", "envcheck.report.json_report", "the contract for other programs"),
        Format("markdown", "envcheck.report.markdown", "for an issue or a forum"),
        Format("junit", "envcheck.report.junit", "for the test tab of a CI system"),
        Format("sarif", "envcheck.report.sarif", "for code scanning"),
        Format("github", "envcheck.report.github", "annotations, job summary and outputs of a GitHub runner"),
        Format("gitlab", "envcheck.report.gitlab", "GitLab code quality"),
        Format("html", "envcheck.report.webpage", "one page for a browser or a printer"),
    )
}


def render(name: str, report: Report, page: Page) -> str:
    """The report in the format of that name.  Raises ``KeyError`` for a name that :data:`FORMATS` does not have."""
    voice: Callable[[Report, Page], str] = import_module(FORMATS[name].module).render
    return voice(report, page)
