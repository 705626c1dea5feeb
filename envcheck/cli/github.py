"""What a GitHub runner reads beside the log: the job's summary and the step's outputs.

Both files are named by the runner and appended to; without the variables nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .errors import BadCall, reason

if TYPE_CHECKING:
    from envcheck.judge import Report

SUMMARY_BYTES = 1024 * 1024
"""A step's summary that is larger than this is not shown at all (GitHub docs, workflow commands)."""

CUT = "\n\n(The rest of the report does not fit into a job summary.)\n"


def write(report: Report, environ: Mapping[str, str]) -> None:
    """Append to ``$GITHUB_STEP_SUMMARY`` and ``$GITHUB_OUTPUT``.  Raises :class:`BadCall` where that fails."""
    if environ.get("GITHUB_STEP_SUMMARY"):
        from envcheck.report import Page, render

        _append(environ["GITHUB_STEP_SUMMARY"], fitting(render("markdown", report, Page())), SUMMARY_BYTES)
    if environ.get("GITHUB_OUTPUT"):
        _append(environ["GITHUB_OUTPUT"], outputs(report))


def outputs(report: Report) -> str:
    """The step's outputs, one a line: names of rules and words of the contract, nothing that was collected."""
    roots = ",".join(dict.fromkeys(finding.rule for finding in report.root_causes))
    return f"status={report.verdict}\nroots={roots}\nwarnings={len(report.warnings)}\n"


def fitting(text: str, room: int = SUMMARY_BYTES) -> str:
    """The text in at most ``room`` bytes of UTF-8, cut between two blocks."""
    raw = text.encode("utf-8", "backslashreplace")
    if len(raw) <= room:
        return text
    kept = raw[: room - len(CUT)].decode("utf-8", "ignore")
    return kept[: max(kept.rfind("\n\n"), 0)] + CUT


def _append(path: str, text: str, limit: int = 0) -> None:
    try:
        with open(path, "ab") as file:  # noqa: PTH123  a path, verbatim
            room = limit - file.tell() if limit else 0
            if limit and room <= len(CUT):  # earlier commands of the same step have filled it
                return
            file.write((fitting(text, room) if limit else text).encode("utf-8", "backslashreplace"))
    except (OSError, ValueError) as error:
        raise BadCall(f"{path}: {reason(error) if isinstance(error, OSError) else error}") from None
