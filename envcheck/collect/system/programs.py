"""How this room's collectors start a program: through the process wall, with the user's own variables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envcheck.collect.process import ProcessResult

Run = Callable[[Sequence[str]], "ProcessResult"]
"""Starts a program and answers what became of it; it never raises for what the program does."""


def bounded(environ: Mapping[str, str], *, deadline: float, cap_bytes: int) -> Run:
    """A :data:`Run` that gives each program ``deadline`` seconds and ``cap_bytes`` of output."""

    def run(argv: Sequence[str]) -> ProcessResult:
        # Here, not above: most collectors of this room start no program, and subprocess costs start-up time.
        from envcheck.collect.process import clean_environment, run_bounded

        return run_bounded(argv, deadline=deadline, cap_bytes=cap_bytes, environ=clean_environment(environ))

    return run
