"""Every Python on this machine that can be found without running anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from envcheck.collect.shell import Shell

from .conda import conda_roots, environment_folders, environments_txt, pixi_folders
from .layout import identity_of, lexists, python_in
from .places import children, pdm_python, system_pythons, tool_places
from .shims import resolve_shim


class Found(msgspec.Struct):
    """One environment and every way that led to it, the first one first."""

    executable: Path
    found_by: list[str]


def find_interpreters(shell: Shell, extra: Iterable[tuple[str, Path]] = ()) -> list[Found]:
    """Look in every place that a manager, the shell or the system uses; ``extra`` adds sightings of others.

    Two names of one environment are one entry.  The order is that of a user's interest: the shell's answers, the
    project at hand, conda, the other managers, the system.
    """
    found: dict[str, Found] = {}
    for found_by, executable in _sightings(shell, extra):
        if not lexists(executable):
            continue
        known = found.setdefault(identity_of(executable), Found(executable, []))
        if found_by not in known.found_by:
            known.found_by.append(found_by)
    return list(found.values())


def _sightings(shell: Shell, extra: Iterable[tuple[str, Path]]) -> Iterator[tuple[str, Path]]:
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        folder = shell.folder(name)
        if folder is not None:
            yield from _one(name, folder, shell)
    yield from pythons_on_path(shell)
    yield from extra
    roots = list(dict.fromkeys(conda_roots(shell)))
    for root in roots:
        yield from _one("conda root", root, shell) if (root / "conda-meta").is_dir() else ()
    for folder in environments_txt(shell):
        yield from _one("conda environments.txt", folder, shell)
    for parent in dict.fromkeys(environment_folders(shell, roots)):
        for folder in children(parent):
            yield from _one("conda envs folder", folder, shell)
    for parent in pixi_folders(shell):
        for folder in children(parent):
            yield from _one("pixi", folder, shell)
    for place in tool_places(shell):
        for folder in _below(place.folder, place.depth):
            yield from _one(place.found_by, folder, shell)
    chosen = pdm_python(shell)
    if chosen is not None:
        yield "pdm", chosen
    yield from system_pythons(shell)


def pythons_on_path(shell: Shell) -> Iterator[tuple[str, Path]]:
    """The interpreters that ``python`` and ``python3`` mean along PATH, pyenv shims resolved."""
    for name in ("python", "python3"):
        for program in shell.programs(name):
            real = resolve_shim(program, shell)
            if real is not None:
                yield "PATH", real


def _one(found_by: str, folder: Path, shell: Shell) -> Iterator[tuple[str, Path]]:
    executable = python_in(folder, windows=shell.windows)
    if executable is not None:
        yield found_by, executable


def _below(folder: Path, depth: int) -> list[Path]:
    if depth == 0:
        return [folder]
    folders = children(folder)
    for _ in range(depth - 1):
        folders = [child for parent in folders if parent.is_dir() for child in children(parent)]
    return folders
