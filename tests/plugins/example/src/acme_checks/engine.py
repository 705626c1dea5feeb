"""An engine: where the nodes of Acme's cluster are."""

from __future__ import annotations


def nodes() -> list[str]:
    """Their names."""
    return ["acme-1", "acme-2"]
