"""A machine of the cast with a change: the way all rule tests make their data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from envcheck.facts import Snapshot, Unread, resolve


def change(snapshot: Snapshot, pointer: str, value: object) -> Snapshot:
    """The snapshot with the value at ``pointer`` replaced.

    ``/interpreters/-`` style appending is not supported: replace the whole list.  The result is checked against
    the types, so a test cannot invent a shape that no collector could write.
    """
    changed = _set(snapshot, pointer.split("/")[1:], value, pointer)
    assert isinstance(changed, Snapshot)
    return msgspec.convert(msgspec.to_builtins(changed), Snapshot)


def _set(here: object, parts: list[str], value: object, pointer: str) -> object:
    if not parts:
        return value
    name, rest = parts[0], parts[1:]
    if isinstance(here, list):
        items = list(here)
        items[int(name)] = _set(items[int(name)], rest, value, pointer)
        return items
    if not isinstance(here, msgspec.Struct) or name not in here.__struct_fields__ or isinstance(here, Unread):
        raise LookupError(f"{pointer}: there is no {name} to change (is the section unread?)")
    return replace(here, **{name: _set(getattr(here, name), rest, value, pointer)})


@dataclass(frozen=True)
class Machine:
    """One member of the cast."""

    name: str
    snapshot: Snapshot

    def but(self, changes: Mapping[str, object]) -> Machine:
        """The same machine with facts changed, by pointer."""
        snapshot = self.snapshot
        for pointer, value in changes.items():
            snapshot = change(snapshot, pointer, value)
        return Machine(f"{self.name} but {', '.join(changes)}", snapshot)


def blank(snapshot: Snapshot, pointer: str, why: str = "refused") -> Snapshot:
    """The snapshot as it would be had nobody been able to read the fact at ``pointer``."""
    return change(snapshot, pointer, Unread(why, "blanked by a test"))  # type: ignore[arg-type]


def fact_pointers(snapshot: Snapshot) -> Iterator[str]:
    """The pointer of every known fact: sections, fields and fields of list items (what :func:`blank` takes)."""
    yield from _walk(snapshot, "")


def _walk(here: object, at: str) -> Iterator[str]:
    if isinstance(here, list):
        for i, item in enumerate(here):
            if isinstance(item, msgspec.Struct):
                yield from _walk(item, f"{at}/{i}")
        return
    if not isinstance(here, msgspec.Struct) or isinstance(here, Unread):
        return
    for field in msgspec.structs.fields(here):
        value = getattr(here, field.name)
        if isinstance(value, Unread):
            continue
        if isinstance(field.default, Unread):  # only facts may be unread
            yield f"{at}/{field.name}"
        if isinstance(value, (msgspec.Struct, list)):
            yield from _walk(value, f"{at}/{field.name}")


def quoted(snapshot: Snapshot, pointer: str) -> object:
    """The plain value at ``pointer``, as evidence quotes it."""
    return msgspec.to_builtins(resolve(snapshot, pointer))
