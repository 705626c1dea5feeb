"""Every rule that a pretended machine can show, on a machine that shows it: one table, a file a part of the ladder."""

from __future__ import annotations

from tests.e2e.rows import Row

from . import cards, containers, cuda, driver, environments, notebooks, policies, torch_runs, variables, wsl

ROWS: dict[str, Row] = {}
for part in (cards, driver, containers, wsl, cuda, variables, environments, torch_runs, notebooks, policies):
    assert not ROWS.keys() & part.ROWS.keys(), "a row's name is used twice"
    ROWS |= part.ROWS
