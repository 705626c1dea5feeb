"""Where a snapshot comes from when it is not this machine: ``--from FILE``.

One place for every kind of input: our own snapshots and reports here, pasted texts of other programs through
``envcheck.read``.
"""

from __future__ import annotations

import sys

import msgspec

from envcheck.facts import Snapshot, SnapshotError, decode

from .errors import BadCall, reason

LARGEST_BYTES = 64 << 20
"""A snapshot of the largest node is well below 1 MiB; what is bigger is some other file."""


def load(path: str) -> Snapshot:
    """The snapshot in a file (``-`` is standard input): one by ``envcheck collect``, or a JSON report's.

    Raises :class:`BadCall`.
    """
    raw = _read(path)
    try:
        return decode(_snapshot_in(raw))
    except SnapshotError as error:
        raise BadCall(f"{path}: {error}") from None
    except UnicodeDecodeError:
        raise BadCall(f"{path}: not an envcheck snapshot: not UTF-8") from None
    except RecursionError:
        raise BadCall(f"{path}: not an envcheck snapshot: nested too deeply") from None


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


def _snapshot_in(raw: bytes) -> bytes:
    """The ``snapshot`` member of a JSON report; any other text as it is."""
    try:
        return bytes(msgspec.json.decode(raw, type=_Report).snapshot)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw
