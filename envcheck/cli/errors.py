"""A call that cannot be answered: one line on stderr, exit 2."""

from __future__ import annotations

from collections.abc import Iterable


class BadCall(Exception):
    """The command line, a file or a configuration is wrong.  The message is one line for the user."""

    code = 2
    """The exit code; ``--exit-style`` has another one for it."""


def near(word: str, known: Iterable[str]) -> str:
    """``; did you mean a, b?`` for a word that is not known, or nothing."""
    from difflib import get_close_matches

    close = get_close_matches(word.lower(), list(known), n=3, cutoff=0.5)
    return f"; did you mean {', '.join(close)}?" if close else ""


def reason(error: OSError) -> str:
    """What the system says, without number and path: ``No such file or directory``."""
    return error.strerror or str(error)
