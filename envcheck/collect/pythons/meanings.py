"""What the commands of the user's shell mean right now: which Python each of them would start."""

from __future__ import annotations

from pathlib import Path

import msgspec

from envcheck.collect.shell import Shell
from envcheck.facts import Fact, Unread

from .layout import identity_of, python_in
from .scripts import interpreter_of_script
from .target import first_on_path, is_passing


class Meanings(msgspec.Struct, frozen=True):
    """The interpreter behind each command; ``None``: there is no such command."""

    python: Path | None
    python3: Path | None
    pip: Fact[str]  # pip, else pip3
    jupyter: Fact[str]

    def of(self, identity: str) -> list[str]:
        """The commands that lead to the environment of this identity."""
        found = []
        for name in self.__struct_fields__:
            interpreter = getattr(self, name)
            if isinstance(interpreter, (str, Path)) and identity_of(Path(interpreter)) == identity:
                found.append(name)
        return found


def meanings(shell: Shell, own_prefix: Path | None) -> Meanings:
    """Ask PATH, pyenv's files and the first lines of scripts; nothing is run.

    ``own_prefix`` is the environment that envcheck itself runs in: see :func:`~.target.choose_target`.
    """
    pip = next((program for name in ("pip", "pip3") for program in shell.programs(name)), None)
    jupyter = next(shell.programs("jupyter"), None)
    return Meanings(
        python=first_on_path("python", shell, own_prefix)[0],
        python3=first_on_path("python3", shell, own_prefix)[0],
        pip=interpreter_of_script(pip, shell) if pip is not None else None,
        jupyter=interpreter_of_script(jupyter, shell) if jupyter is not None else None,
    )


class Activation(msgspec.Struct, frozen=True):
    """The environment that the variables name, against the one that ``python`` starts."""

    interpreter: Fact[str]
    in_effect: Fact[bool]


def activation(shell: Shell, means: Meanings, own_prefix: Path | None) -> Activation:
    """VIRTUAL_ENV, which a venv on top of conda sets as well, comes before CONDA_PREFIX."""
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        folder = shell.folder(name)
        if folder is None or is_passing(folder, own_prefix):
            continue
        named = python_in(folder, windows=shell.windows)
        if named is None:
            # A conda environment may hold no Python; a virtual one that holds none is gone or was moved.
            return Activation(None, False if name == "VIRTUAL_ENV" else None)
        started = means.python or means.python3
        if started is None:
            return Activation(str(named), Unread("missing", "no python on PATH"))
        return Activation(str(named), identity_of(started) == identity_of(named))
    return Activation(None, None)
