"""The versions that a reader asks for first."""

from __future__ import annotations

from envcheck.facts import Snapshot
from envcheck.report import phrases

from .markup import Markup, join, tag, text


def section(snapshot: Snapshot) -> Markup:
    """Name and version of all that was told."""
    rows = [join(tag("dt", text(name)), tag("dd", text(version))) for name, version in phrases.versions(snapshot)]
    return tag("section", tag("h2", text("Versions")), tag("dl", *rows, class_="facts"))
