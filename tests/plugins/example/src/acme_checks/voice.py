"""Voices: the verdict on one line, and one that returns no text."""

from __future__ import annotations

from envcheck.judge import Report
from envcheck.report import Page


def render(report: Report, page: Page) -> str:
    """The verdict and the root causes on one line."""
    return f"ACME {report.verdict} {','.join(finding.rule for finding in report.root_causes) or '-'}\n"


def number(report: Report, page: Page) -> int:
    """Not what a voice returns."""
    return 42
