"""When envcheck itself breaks: a report that is ready to be pasted into an issue."""

from __future__ import annotations

import os
import shlex
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from envcheck import __version__


def describe(error: BaseException, args: Sequence[str]) -> str:
    """Version, system, command and traceback, without names and paths below home: it is made to be posted."""
    frames = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    version = ".".join(map(str, sys.version_info[:3]))
    return fit_to_post(
        "\n".join(
            [
                f"envcheck {__version__}, Python {version} ({sys.implementation.name}) on {sys.platform}",
                f"command: {shlex.join(['envcheck', *args])}",
                frames.rstrip(),
            ]
        )
    )


def fit_to_post(text: str) -> str:
    """The text without what identifies people and machines; our own files are called as they are everywhere."""
    text = text.replace(f"{Path(__file__).parents[2]}{os.sep}", "")
    try:
        home = str(Path.home())
    except (RuntimeError, KeyError):  # no HOME and no entry in the password file
        home = ""
    text = text.replace(home, "~") if len(home) > 1 else text
    try:
        from envcheck.report.redact import redact_text

        from .sharing import own_names

        return redact_text(text, *own_names())
    except Exception as broken:  # noqa: BLE001  what broke may be the redaction itself
        return f"(names are left in, because of {type(broken).__name__}: read it before you post it)\n{text}"


def show(error: BaseException, args: Sequence[str]) -> None:
    """Write the report to stderr, with how to file it."""
    from .output import to_stderr

    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    to_stderr(
        f"envcheck: envcheck itself broke ({' '.join(fit_to_post(what).split())[:200]})\n"
        "\n"
        "This is a fault in envcheck and says nothing about this machine. Please open an issue in envcheck's\n"
        "repository with the lines below, and attach snapshot.json if this still works:\n"
        "    envcheck collect --redact -o snapshot.json\n"
        "\n" + "".join(f"    {line}\n" for line in describe(error, args).splitlines())
    )
