"""Datasheet peaks of the popular cards."""

from __future__ import annotations

from envcheck.facts import Fact, Unread

from . import table
from .rows import Peak


def peaks(gpu_name: str) -> Fact[Peak]:
    """The datasheet peaks of a card by the name that nvidia-smi prints ("NVIDIA H100 80GB HBM3").

    GB/s are 10^9 bytes per second, TFLOPS dense; a cell that is ``None`` is not known.  The exact name counts:
    a card's bandwidth depends on its board, so no near name is taken for it.
    """
    wanted = _plain(gpu_name)
    for row in table.rows("peaks", Peak):
        if wanted in (_plain(name) for name in [row.name, *row.names]):
            return row
    return Unread("missing", f"no datasheet figures for {gpu_name}")


def _plain(name: str) -> str:
    words = name.lower().replace("-", " ").split()
    return " ".join(w for w in words if w not in ("nvidia", "geforce", "tesla"))
