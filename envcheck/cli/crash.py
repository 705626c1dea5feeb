"""When envcheck itself breaks: a report that is ready to be pasted into an issue."""

from __future__ import annotations

import shlex
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from envcheck import __version__


def describe(error: BaseException, args: Sequence[str]) -> str:
    """Version, system, command and traceback, with the home folder written as ``~``."""
    frames = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    version = ".".join(map(str, sys.version_info[:3]))
    text = "\n".join(
        [
            f"envcheck {__version__}, Python {version} ({sys.implementation.name}) on {sys.platform}",
            f"command: {shlex.join(['envcheck', *args])}",
            frames.rstrip(),
        ]
    )
    try:
        home = str(Path.home())
    except (RuntimeError, KeyError):  # no HOME and no entry in the password file
        home = ""
    return text.replace(home, "~") if len(home) > 1 else text


def show(error: BaseException, args: Sequence[str]) -> None:
    """Write the report to stderr, with how to file it."""
    from .output import to_stderr

    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    to_stderr(
        f"envcheck: envcheck itself broke ({' '.join(what.split())[:200]})\n"
        "\n"
        "This is a fault in envcheck and says nothing about this machine. Please open an issue in envcheck's\n"
        "repository with the lines below, and attach snapshot.json if this still works:\n"
        "    envcheck collect -o snapshot.json\n"
        "\n" + "".join(f"    {line}\n" for line in describe(error, args).splitlines())
    )
