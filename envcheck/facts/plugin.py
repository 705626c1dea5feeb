"""What became of each plugin that is installed beside envcheck, and the facts that it collected."""

from __future__ import annotations

from typing import Any

from .fact import NOT_ASKED, Fact, Record, Section, Unread


class PluginFacts(Section, frozen=True, kw_only=True, tag="plugin_facts"):
    """What a plugin's collector answered: its own names and plain values."""

    values: dict[str, Any] = {}


class Plugin(Record, frozen=True, kw_only=True):
    """One entry point of a group ``envcheck.*``."""

    group: str  # rules, collectors, renderers, engines
    name: str
    target: str = ""  # "acme_checks.rules:QUESTIONS"
    distribution: Fact[str] = NOT_ASKED  # "acme-checks 1.2"
    problem: Fact[str] = NOT_ASKED  # why it is not used; None: it is
    facts: PluginFacts | Unread | None = NOT_ASKED  # of a collector
