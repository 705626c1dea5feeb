"""What a probe answered, read strictly: nothing that a broken library or a foreign Python wrote gets past the types.

Death by signal, a refused start, silence, garbage and a wrong shape are each a different
:class:`~envcheck.facts.Unread`; what was answered before a hang or a crash is kept.
"""

from __future__ import annotations

import threading
from typing import Any, TypeVar

import msgspec

from envcheck.facts import NOT_ASKED, Record, Section, Unread

from .process import ProcessResult

S = TypeVar("S", bound="Section | Record")

TYPES = threading.Lock()
"""Held while msgspec reads into a struct type.  When it meets one for the first time it works out the fields, runs
Python for that, and shows the unfinished result to other threads, which then die of SIGSEGV (seen with msgspec 0.22,
where several children answered in the same moment)."""

CAP_BYTES = 32 << 20
"""Answers are written whole at every stage; the longest seen holds some hundred kilobytes."""


def read_answer(result: ProcessResult, kind: type[S], *, keep: tuple[str, ...] = ()) -> S | Unread:
    """The facts in the last complete line that a probe wrote.

    If the probe did not end well, every fact that it had not reached says why; ``keep`` names fields that no probe
    fills, which stay as they are.
    """
    failure = why_incomplete(result)
    line = last_line(result.stdout)
    if line is None:
        return failure or Unread("garbled", f"the probe ended without an answer{_last_words(result)}")
    section = decode_answer(line, kind)
    if failure is None or isinstance(section, Unread):
        return section
    return fill(section, failure, keep)


def why_incomplete(result: ProcessResult) -> Unread | None:
    """Why the answer is not the whole one; ``None`` after a good end."""
    unread = result.unread()
    if unread is not None and unread.why == "crashed":
        return Unread("crashed", unread.detail + _last_words(result))
    if unread is not None or result.exit_code == 0:
        return unread
    return Unread("crashed", f"exit status {result.exit_code}{_last_words(result)}")


def last_line(stdout: bytes) -> bytes | None:
    """The last line that was written to its end and is not blank."""
    end = stdout.rfind(b"\n")
    while end >= 0:
        start = stdout.rfind(b"\n", 0, end)
        line = stdout[start + 1 : end]
        if line.strip():
            return line
        end = start
    return None


def decode_answer(line: bytes, kind: type[S]) -> S | Unread:
    """One answer as facts.  A fact of the wrong shape is unread by itself; the others are kept."""
    try:
        plain = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Unread("garbled", f"the answer is not JSON ({error}): {line[:80].decode('utf-8', 'backslashreplace')}")
    if not isinstance(plain, dict):
        return Unread("garbled", f"the answer is a {type(plain).__name__}, not a set of facts")
    with TYPES:
        try:
            if plain.get("kind") == "unread":
                return msgspec.convert(plain, Unread)
            return msgspec.convert(plain, kind)
        except msgspec.ValidationError as error:
            return _salvage(plain, kind, str(error))


def fill(section: S, why: Unread, keep: tuple[str, ...] = ()) -> S:
    """The section with ``why`` in every field that nobody has asked."""
    open_fields = {
        name: why for name in section.__struct_fields__ if name not in keep and getattr(section, name) == NOT_ASKED
    }
    return msgspec.structs.replace(section, **open_fields) if open_fields else section


def _salvage(plain: dict[str, Any], kind: type[S], complaint: str) -> S | Unread:
    good: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.encode_name not in plain:
            continue
        try:
            good[field.name] = msgspec.convert(plain[field.encode_name], field.type)
        except msgspec.ValidationError as error:
            if field.required:
                return Unread("garbled", f"not the shape expected: {complaint}")
            good[field.name] = Unread("garbled", f"not the shape expected: {error}")
    try:
        return kind(**good)
    except TypeError:  # a required field is missing
        return Unread("garbled", f"not the shape expected: {complaint}")


def _last_words(result: ProcessResult) -> str:
    lines = [line.strip() for line in result.stderr.decode("utf-8", "backslashreplace").splitlines() if line.strip()]
    return f": {lines[-1][:300]}" if lines else ""
