"""Eyes on the machine: the only rooms that touch it.  :func:`snapshot_here` is the door."""

from .options import Options
from .pythons import BadTarget
from .snapshot import snapshot_here

__all__ = ["BadTarget", "Options", "snapshot_here"]
