"""A collector: plain values by name."""

from __future__ import annotations

import os


def collect() -> dict[str, object]:
    """Free space of the scratch disk in GiB; here as a variable says, so that a test can choose."""
    return {"free_gib": int(os.environ.get("ACME_FREE_GIB", "500")), "mounts": ["/scratch"]}


def breaks() -> dict[str, object]:
    """A collector that raises."""
    raise OSError("planted: no answer from the file server")
