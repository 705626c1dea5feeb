"""Which environment is judged: the one that is named, else the one that the user's shell means."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from envcheck.collect.shell import Shell

from .layout import (
    identity_of,
    is_ephemeral,
    is_tool_environment,
    lexists,
    manager_of,
    may_be_python,
    name_of,
    prefix_of,
    python_in,
    read_cfg,
)
from .search import Found
from .shims import resolve_shim


class BadTarget(ValueError):
    """The named interpreter is no Python, or no environment has that name.  The message is one line."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The interpreter to judge and why it is that one."""

    executable: Path | None  # None: the shell means no Python at all
    chosen_by: str = ""
    found_by: str = ""
    disagreements: tuple[str, ...] = ()


def choose_target(
    shell: Shell,
    *,
    python: str | None = None,
    env: str | None = None,
    own_prefix: Path | None = None,
    search: Callable[[], list[Found]] | None = None,
) -> Choice:
    """Choose by ``--python`` or ``--env`` where given, else ask what the shell means.

    ``own_prefix`` is the environment that envcheck itself runs in: that it runs there is no reason to judge it.
    ``search`` is only called for ``env``.  Raises :class:`BadTarget`.
    """
    if python is not None:
        return Choice(executable=_named_python(python, shell), chosen_by="--python", found_by="--python")
    if env is not None:
        return _named_environment(env, shell, search() if search is not None else [])
    return _meant_by_shell(shell, own_prefix)


def own_environment() -> Path:
    """The environment that envcheck itself is installed in."""
    return Path(sys.prefix)


def _meant_by_shell(shell: Shell, own_prefix: Path | None) -> Choice:
    answers: list[tuple[str, Path]] = []
    disagreements: list[str] = []
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        folder = shell.folder(name)
        if folder is None or is_passing(folder, own_prefix):
            continue
        executable = python_in(folder, windows=shell.windows)
        if executable is None:
            disagreements.append(f"{name}: {folder} holds no Python")
        else:
            answers.append((name, executable))
    for name in ("python", "python3"):
        found, note = first_on_path(name, shell, own_prefix)
        if note:
            disagreements.append(note)
        if found is not None:
            answers.append((f"{name} on PATH", found))
    if not answers:
        return Choice(executable=None, chosen_by="no Python found", disagreements=tuple(disagreements))
    chosen_by, executable = answers[0]
    mine = identity_of(executable)
    disagreements += [f"{name}: {other}" for name, other in answers[1:] if identity_of(other) != mine]
    return Choice(
        executable=executable,
        chosen_by=chosen_by,
        found_by=chosen_by if chosen_by.isupper() else "PATH",
        disagreements=tuple(disagreements),
    )


def first_on_path(name: str, shell: Shell, own_prefix: Path | None) -> tuple[Path | None, str]:
    """What the shell would start for ``name``, and a note where that is nothing."""
    for program in shell.programs(name):
        prefix = prefix_of(program)
        if is_passing(prefix, own_prefix):
            continue
        if own_prefix is not None and _same(prefix, own_prefix) and is_tool_environment(prefix):
            continue
        real = resolve_shim(program, shell)
        if real is not None:
            return real, ""
        return None, f"{name} on PATH: {program} wants a pyenv version that is not installed"
    return None, ""


def is_passing(prefix: Path, own_prefix: Path | None) -> bool:
    """An environment that is only there because uv started envcheck in (or over) it."""
    return own_prefix is not None and is_ephemeral(own_prefix) and is_ephemeral(prefix)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.resolve() == other.resolve()
    except (OSError, RuntimeError):
        return one == other


def _named_python(text: str, shell: Shell) -> Path:
    path = shell.expand(text)
    if path.is_dir():
        found = python_in(path, windows=shell.windows)
        if found is None:
            raise BadTarget(f"--python {text}: the folder holds no Python (no bin/python, no python.exe)")
        return found
    if not lexists(path):
        if "/" not in text and "\\" not in text:
            for program in shell.programs(text):
                return _resolved(program, text, shell)
        raise BadTarget(f"--python {text}: no such file{_near_files(path)}")
    if not may_be_python(path):
        # Nothing else is ever started: what rm or tee would do with the probe's path is not for us to find out.
        raise BadTarget(f"--python {text}: {path.name} is not the name of a Python interpreter")
    return _resolved(path, text, shell)


def _resolved(program: Path, text: str, shell: Shell) -> Path:
    real = resolve_shim(program, shell)
    if real is None:
        raise BadTarget(f"--python {text}: {program} is a pyenv shim, and no version in force here has that program")
    return real


def _named_environment(name: str, shell: Shell, found: list[Found]) -> Choice:
    matches: list[tuple[str, Found]] = []
    for item in found:
        match = next((kind for kind, names in _names(item, shell) if name in names), None)
        if match is not None:
            matches.append((match, item))
    if not matches:
        folder = shell.expand(name)
        executable = python_in(folder, windows=shell.windows) if folder.is_dir() else None
        if executable is not None:
            return Choice(executable=executable, chosen_by=f"--env {name}", found_by="--env")
        known = sorted({n for item in found for _, names in _names(item, shell) for n in names})
        raise BadTarget(f"--env {name}: no environment has that name{_near(name, known)}")
    matches.sort(key=lambda match: _KINDS.index(match[0]))
    _, best = matches[0]
    others = tuple(f"--env {name}: {item.executable} ({kind})" for kind, item in matches[1:])
    return Choice(executable=best.executable, chosen_by=f"--env {name}", found_by="--env", disagreements=others)


_KINDS = ("conda", "folder", "kernelspec")


def _names(item: Found, shell: Shell) -> list[tuple[str, set[str]]]:
    """What an environment may be called, by the kind of the name."""
    prefix = prefix_of(item.executable)
    cfg = read_cfg(prefix)
    kinds = []
    given = name_of(prefix, manager_of(prefix, cfg))
    if given is not None:
        kinds.append(("conda", {given}))
    if cfg:
        names = {prefix.name}
        if prefix.name in (".venv", "venv", "env"):
            names.add(prefix.parent.name)  # the project's name is what people call it
        kinds.append(("folder", names))
    kernels = {word.removeprefix("kernelspec ") for word in item.found_by if word.startswith("kernelspec ")}
    if kernels:
        kinds.append(("kernelspec", kernels))
    return kinds


def _near_files(path: Path) -> str:
    try:
        names = [child.name for child in path.parent.iterdir()]
    except OSError:
        return ""
    return _near(path.name, names, all_known=False)  # the other files of a folder would say nothing


def _near(name: str, known: list[str], *, all_known: bool = True) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, known, n=3, cutoff=0.6)
    if close:
        return f"; did you mean {', '.join(close)}?"
    if not all_known:
        return ""
    shown = ", ".join(known[:8]) + (", ..." if len(known) > 8 else "")
    return f" (known: {shown})" if known and len(known) <= 40 else ""
