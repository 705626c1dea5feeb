"""Where results go: ``--format NAME[=FILE]``, stdout for the result alone, stderr for everything else.

Nothing here can fail because of what a text holds: a character that the stream's encoding lacks is written as an
escape.  A reader that goes away (``| head``) is no error; a full disk is one.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from envcheck.report.page import Page, page_of

from .errors import BadCall, near, reason

STDOUT = "-"


@dataclass(frozen=True)
class Wanted:
    """One result: in which format, and to which file (:data:`STDOUT` for standard output)."""

    name: str
    path: str = STDOUT


def wanted(options: Iterable[str], known: Iterable[str], default: str = "terminal") -> list[Wanted]:
    """Read the values of ``--format``.  Raises :class:`BadCall`.

    >>> wanted(["json=report.json"], ["terminal", "json"])
    [Wanted(name='json', path='report.json')]
    """
    names = list(known)
    found = []
    for option in options:
        name, given, path = option.partition("=")
        if name not in names:
            hint = near(name, names) or f" (known: {', '.join(names)})"
            raise BadCall(f"--format {name or option}: no such format{hint}")
        if given and not path:
            raise BadCall(f"--format {option}: a file name is missing after '='")
        found.append(Wanted(name, path or STDOUT))
    for i, one in enumerate(found):
        same = [other.name for other in found[: i + 1] if _is_same(other.path, one.path)]
        if len(same) > 1:
            place = "standard output" if one.path == STDOUT else one.path
            raise BadCall(f"--format: {' and '.join(same)} would both go to {place}; write NAME=FILE")
        if one.path != STDOUT:
            _check_folder(one.path)
    return found or [Wanted(default)]


def emit(results: Iterable[Wanted], render: Callable[[str, Page], str], *, gpu: int | None = None) -> None:
    """Render each result for the page that it goes to, and write it.  Raises :class:`BadCall` where that fails."""
    for result in results:
        if result.path == STDOUT:
            to_stdout(render(result.name, page_of(sys.stdout, os.environ, gpu=gpu)))
        else:
            to_file(result.path, render(result.name, Page(gpu=gpu)))


def to_stdout(text: str) -> None:
    """Write a result to standard output.  Raises :class:`BadCall` where it cannot be written (a full disk)."""
    try:
        _write(sys.stdout, text)
    except BrokenPipeError:
        _silence(sys.stdout)
    except OSError as error:
        _silence(sys.stdout)
        raise BadCall(f"standard output: {reason(error)}") from None


def to_stderr(text: str) -> None:
    """Write a message beside the result.  There is nobody left to tell where that fails."""
    try:
        _write(sys.stderr, text)
    except OSError:
        _silence(sys.stderr)


def to_file(path: str, text: str) -> None:
    """Write a whole file or nothing: beside it first, then renamed over it.  UTF-8.  Raises :class:`BadCall`.

    A device or a pipe (``/dev/stderr``, ``>(less)``) is written to as it is.
    """
    data = text.encode("utf-8", "backslashreplace")
    try:
        if os.path.exists(path) and not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH110, PTH116  a path, verbatim
            with open(path, "wb") as file:  # noqa: PTH123
                file.write(data)
        else:
            _replace(os.path.realpath(path), data)
    except BrokenPipeError:
        return
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise BadCall(f"{path}: {reason(error) if isinstance(error, OSError) else error}") from None


def _replace(path: str, data: bytes) -> None:
    folder, name = os.path.split(path)
    beside = os.path.join(folder, f".{name[:80]}.{os.getpid()}.tmp")  # noqa: PTH118
    try:
        with open(beside, "xb") as file:  # noqa: PTH123
            file.write(data)
        if os.path.exists(path):  # noqa: PTH110
            os.chmod(beside, stat.S_IMODE(os.stat(path).st_mode))  # noqa: PTH101, PTH116
        os.replace(beside, path)  # noqa: PTH105
    except BaseException:
        with suppress(OSError):  # it was never made
            os.unlink(beside)  # noqa: PTH108
        raise


def _is_same(path: str, other: str) -> bool:
    """One file, however it is written; standard output is no file."""
    if STDOUT in (path, other) or "\0" in path + other:
        return path == other
    return os.path.realpath(path) == os.path.realpath(other)


def _check_folder(path: str) -> None:
    """A wrong folder is told before a minute of collecting, not after it."""
    folder = os.path.dirname(path) or "."  # noqa: PTH120
    if "\0" not in path and not os.path.isdir(folder):  # noqa: PTH112
        raise BadCall(f"{path}: there is no folder {folder}")


def _write(stream: Any, text: str) -> None:
    if stream is None:  # closed by whoever started us
        return
    buffer = getattr(stream, "buffer", None)
    if buffer is None:  # a text stream without bytes below it
        stream.write(text)
        stream.flush()
        return
    try:
        data = text.encode(stream.encoding or "ascii", "backslashreplace")
    except LookupError:
        data = text.encode("ascii", "backslashreplace")
    stream.flush()
    buffer.write(data)
    buffer.flush()


def _silence(stream: Any) -> None:
    """Send what is left in the stream's buffer nowhere, so that Python's own end does not complain about it."""
    with suppress(OSError, ValueError):  # no descriptor: nothing can complain
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
