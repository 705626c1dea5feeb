"""Snapshot ↔ JSON, strict in both directions, with the upgrade path of older schemas."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec

from .snapshot import SCHEMA, Snapshot

Plain = dict[str, Any]

UPGRADES: dict[int, Callable[[Plain], Plain]] = {}
"""``UPGRADES[n]`` turns the plain form of schema *n* into that of *n + 1*."""

_encoder = msgspec.json.Encoder(order="deterministic")


@cache
def _decoder() -> msgspec.json.Decoder[Snapshot]:
    """Built when the first snapshot is read: it costs 14 ms, which a diagnosis of this machine does not need."""
    return msgspec.json.Decoder(Snapshot)


class SnapshotError(ValueError):
    """The text is not a snapshot that this version can read.  The message is one line for the user."""


def encode(snapshot: Snapshot, *, indent: int = 0) -> bytes:
    """The JSON form: UTF-8, keys sorted, facts that nobody asked for left out."""
    raw = _encoder.encode(snapshot)
    return msgspec.json.format(raw, indent=indent) if indent else raw


def to_plain(snapshot: Snapshot) -> Plain:
    """The same as :func:`encode`, as dictionaries and lists."""
    plain: Plain = msgspec.to_builtins(snapshot)
    return plain


def decode(raw: bytes | str) -> Snapshot:
    """Read a snapshot of this schema or of an older one.

    Raises :class:`SnapshotError` with the place and the reason; nothing is dropped silently.
    """
    try:
        head = msgspec.json.decode(raw, type=_Head)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:  # ValidationError is a DecodeError
        raise SnapshotError(f"not an envcheck snapshot: {error}") from error
    if head.schema > SCHEMA:
        raise SnapshotError(
            f"snapshot schema {head.schema} is newer than this envcheck knows ({SCHEMA}); upgrade envcheck"
        )
    try:
        if head.schema == SCHEMA:
            return _decoder().decode(raw)
        plain: Plain = msgspec.json.decode(raw)
        for version in range(head.schema, SCHEMA):
            if version not in UPGRADES:
                raise SnapshotError(f"snapshot schema {head.schema} is not known")
            plain = UPGRADES[version](plain)
        plain["schema"] = SCHEMA
        return msgspec.convert(plain, Snapshot)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise SnapshotError(f"not a valid snapshot: {error}") from error


class _Head(msgspec.Struct):
    schema: int
