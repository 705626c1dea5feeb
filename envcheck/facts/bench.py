"""What a benchmark measured.  Filled by the bench collector only."""

from __future__ import annotations

from .fact import NOT_ASKED, Fact, Section


class Bench(Section, frozen=True, kw_only=True, tag="bench"):
    """One benchmark session on one device."""

    device: Fact[str] = NOT_ASKED
