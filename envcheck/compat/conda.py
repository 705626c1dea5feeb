"""conda-forge: which CUDA builds of pytorch it has, and which of them runs on a machine."""

from __future__ import annotations

from envcheck.facts import Unread

from . import table
from .judgement import Code, judge_code
from .machine import Machine
from .rows import CondaBuild
from .version import key


def conda_builds(version: str | None, machine: Machine) -> list[CondaBuild]:
    """The conda-forge builds of this torch release (or of any) that run on the machine, best last.

    Their GPU code is not that of the wheels: the channel compiles for more cards, and adds PTX.
    """
    fitting = []
    for row in table.rows("conda_forge", CondaBuild):
        if version not in (None, row.version) or machine.platform != row.platform:
            continue
        if isinstance(machine.python, str) and _python(machine) not in row.python:
            continue
        if machine.has_no_cards or judge_code(Code(row.cuda, row.archs, row.ptx), machine):
            continue
        fitting.append(row)
    return sorted(fitting, key=lambda row: (key(row.version), key(row.cuda)))


def conda_line(row: CondaBuild) -> str:
    """The command that installs this build into the active environment."""
    return f'conda install -c conda-forge "pytorch-gpu={row.version}" "cuda-version={row.cuda}" torchvision'


def conda_command(version: str, machine: Machine) -> str | None:
    """The command for this torch release from conda-forge; ``None`` where the table has no build that runs."""
    fitting = conda_builds(version, machine)
    return conda_line(fitting[-1]) if fitting else None


def _python(machine: Machine) -> str:
    threaded = machine.free_threaded is True and not isinstance(machine.free_threaded, Unread)
    return f"{machine.python}{'t' if threaded else ''}"
