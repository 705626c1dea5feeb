"""What is wanted of this machine: the expectations that rules and the gate may look at."""

from __future__ import annotations

import msgspec

from .rule import Severity


class Ignore(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that the owner accepts, and why.  It stays visible in every report."""

    rule: str
    reason: str
    subject: str = ""  # empty: every subject


class Policy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The defaults are those of a plain ``envcheck doctor``."""

    require_gpu: bool = False
    gpus: int = 0  # at least so many; 0: no expectation
    strict: bool = False  # what cannot be told at error level makes the machine undetermined
    pedantic: bool = False  # ask the heuristic rules too
    all_envs: bool = False  # judge every interpreter found, not the target alone
    fail_on: Severity = "error"
    severity: dict[str, Severity] = {}  # rule → severity that replaces its own
    ignore: list[Ignore] = []
