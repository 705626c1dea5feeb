"""Jetson boards: which CUDA the driver of their Linux runs.  The driver is part of a release and changes with it."""

from __future__ import annotations

from functools import cache

from envcheck.facts import Fact, Unread

from . import table
from .rows import JetsonRelease
from .version import key


def cuda_of_l4t(release: str) -> Fact[str]:
    """The CUDA of a Jetson Linux release's driver: ``"12.6"`` for 36.4.3 (JetPack 6.2)."""
    wanted = key(release)
    for row in _rows():
        have = key(row.l4t)
        if wanted[: len(have)] == have:
            return row.cuda
    newest = max(_rows(), key=lambda row: key(row.l4t))
    if wanted > key(newest.l4t):
        return Unread("newer_than_table", f"Jetson Linux {release}; the table ends at {newest.l4t}")
    return Unread("missing", f"Jetson Linux {release} is not in the table")


def l4t_of_jetpack(jetpack: str) -> Fact[str]:
    """The Jetson Linux release of a JetPack, by its first numbers: ``"36.4"`` for 6.2."""
    for row in _rows():
        if jetpack in row.jetpack:
            return row.l4t
    return Unread("missing", f"JetPack {jetpack} is not in the table")


@cache
def _rows() -> list[JetsonRelease]:
    return table.rows("jetson", JetsonRelease)
