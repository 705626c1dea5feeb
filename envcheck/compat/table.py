"""Loading: one JSON file, one row type, once.  A row that does not fit its type is an error, never skipped."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec

from .rows import (
    Companion,
    CondaBuild,
    DriverBranch,
    DriverPair,
    ForwardCompat,
    Gpu,
    JetsonRelease,
    Peak,
    RocmRelease,
    Row,
    SmRule,
    Toolkit,
    TorchBuild,
    TorchRelease,
    Xid,
)

R = TypeVar("R", bound=Row)

FOLDER = Path(__file__).parent / "tables"

TABLES: dict[str, type[Row]] = {
    "companions": Companion,
    "conda_forge": CondaBuild,
    "driver_branches": DriverBranch,
    "driver_pairs": DriverPair,
    "forward_compat": ForwardCompat,
    "gpus": Gpu,
    "jetson": JetsonRelease,
    "peaks": Peak,
    "sm_rules": SmRule,
    "toolkits": Toolkit,
    "torch_builds": TorchBuild,
    "torch_releases": TorchRelease,
    "torch_rocm": RocmRelease,
    "xid": Xid,
}
"""Every shipped table and the type of its rows."""


class Table(msgspec.Struct, Generic[R], frozen=True, forbid_unknown_fields=True):
    """A table as it is shipped: what it holds, its sources by key, and its rows."""

    about: str
    sources: dict[str, str]
    rows: list[R]


@cache
def read(name: str) -> Table[Row]:
    """The table ``name``, with what it says about itself.

    Raises :class:`msgspec.ValidationError` with the place, where a row does not fit.
    """
    kind: Any = Table.__class_getitem__(TABLES[name])  # type: ignore[attr-defined]
    table: Table[Row] = msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=kind)
    return table


def rows(name: str, kind: type[R]) -> list[R]:
    """The rows of the table ``name``.  ``kind`` is their type, as :data:`TABLES` has it."""
    if TABLES[name] is not kind:
        raise TypeError(f"{name} holds {TABLES[name].__name__} rows, not {kind.__name__}")
    return read(name).rows  # type: ignore[return-value]
