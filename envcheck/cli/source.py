"""Where a snapshot comes from when it is not this machine: ``--from FILE``.

One place for every kind of input: our own snapshots and reports here, recorded outputs of other programs through
``envcheck.read``.
"""

from __future__ import annotations

import os
import re
import sys

import msgspec

from envcheck.facts import Snapshot, SnapshotError, Unread, decode

from .errors import BadCall, reason

NO_SNAPSHOT = "not an envcheck snapshot"
LARGEST_BYTES = 64 << 20
"""A snapshot of the largest node is well below 1 MiB; what is bigger is some other file."""


def load(path: str) -> Snapshot:
    """The snapshot in a file (``-`` is standard input).

    The file is one by ``envcheck collect``, a JSON report, or what another program printed: nvidia-smi in any form,
    lspci, deviceQuery, a kernel log, an error message, a pasted report of any kind.  Raises :class:`BadCall`.
    """
    raw = _read(path)
    try:
        return decode(_snapshot_in(raw))
    except SnapshotError as error:
        refusal = str(error)
    except UnicodeDecodeError:
        refusal = f"{NO_SNAPSHOT}: not UTF-8"
    except RecursionError:
        refusal = f"{NO_SNAPSHOT}: nested too deeply"
    if not raw.lstrip().startswith(b"{"):  # a JSON object is no other program's output
        recorded = _recorded(raw)
        if recorded is not None:
            return recorded
        refusal = f"{NO_SNAPSHOT}, and nothing in it is an output or a message that envcheck knows"
    raise BadCall(f"{path}: {refusal}")


def read(what: str) -> Snapshot:
    """The snapshot that a file, standard input (``-``) or a text tells; a text that tells nothing gives an empty one.

    What looks like the name of a file and is none is a bad call.  Raises :class:`BadCall`.
    """
    if what != "-" and not _is_file(what):
        if _looks_like_a_path(what):
            raise BadCall(f"{what}: no such file; put a message in quotes")
        if not what.strip():
            raise BadCall("the text is empty; give a file, - for standard input, or a message in quotes")
        return read_paste(what)
    raw = _read(what)
    try:
        return decode(_snapshot_in(raw))
    except (SnapshotError, UnicodeDecodeError, RecursionError):
        return read_paste(_text(raw))


def read_paste(text: str) -> Snapshot:
    """A pasted text as a snapshot: :func:`envcheck.read.paste.read_paste`, imported when there is one."""
    from envcheck.read import paste

    return paste.read_paste(text)


def _is_file(what: str) -> bool:
    try:
        return "\n" not in what and os.path.exists(what)  # noqa: PTH110  a path, verbatim
    except (OSError, ValueError):  # too long for a name, or a NUL in it
        return False


def _looks_like_a_path(what: str) -> bool:
    return len(what.split()) == 1 and ("/" in what or "\\" in what or "." in what)


def _recorded(raw: bytes) -> Snapshot | None:
    """What another program printed, alone or in a pasted report."""
    from envcheck.read.recording import read_recording

    text = _text(raw)
    pasted = read_paste(text)
    if isinstance(pasted.interpreters, list) or not isinstance(pasted.environment, Unread):
        return pasted
    recorded = read_recording(text)
    return recorded if recorded is not None or not pasted.origins else pasted


def _text(raw: bytes) -> str:
    """PowerShell's ``>`` writes UTF-16, which its mark at the beginning shows."""
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    return raw.decode(encoding, "replace")


def _read(path: str) -> bytes:
    try:
        if path == "-":
            raw = sys.stdin.buffer.read(LARGEST_BYTES + 1) if sys.stdin is not None else b""
        else:
            with open(path, "rb") as file:  # noqa: PTH123  a path, verbatim
                raw = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        raise BadCall(f"{path}: {reason(error) if isinstance(error, OSError) else error}") from None
    if len(raw) > LARGEST_BYTES:
        raise BadCall(f"{path}: larger than {LARGEST_BYTES >> 20} MiB; this is no snapshot")
    if not raw.strip():
        raise BadCall(f"{path}: empty")
    return raw.removeprefix(b"\xef\xbb\xbf")  # Windows editors put a mark before UTF-8


class _Report(msgspec.Struct):
    """What tells a report from a snapshot: it has a verdict, and the snapshot inside."""

    verdict: str
    snapshot: msgspec.Raw


_ATTACHED = re.compile(rb"^(`{3,})json[ \t]*\r?\n(\{.*?)\r?\n\1[ \t]*\r?$", re.DOTALL | re.MULTILINE)


def _snapshot_in(raw: bytes) -> bytes:
    """The ``snapshot`` member of a JSON report, or the snapshot in an issue's text; any other text as it is."""
    if not raw.lstrip().startswith(b"{"):
        attached = (found[2] for found in _ATTACHED.finditer(raw))
        raw = next((text for text in attached if b'"schema"' in text), raw)
    try:
        return bytes(msgspec.json.decode(raw, type=_Report).snapshot)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw
