"""What an Xid number means and what NVIDIA's catalogue asks for."""

from __future__ import annotations

from . import table
from .rows import Xid

SYMPATHETIC = frozenset({45, 154})
"""Events that only accompany another one and are never a cause."""


def xid(number: int) -> Xid | None:
    """The catalogue's row, or ``None`` for a number that it does not list (newer drivers add some)."""
    return next((row for row in table.rows("xid", Xid) if row.xid == number), None)
