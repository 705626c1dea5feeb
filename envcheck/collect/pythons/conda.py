"""Where conda, mamba, micromamba and pixi keep their environments."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from envcheck.collect.shell import Shell

_ROOT_NAMES = ("miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", "miniconda", "anaconda", "conda")
_SYSTEM_ROOTS = ("/opt", "/usr/local", "/opt/homebrew/Caskroom/miniforge", "/opt/homebrew/Caskroom/miniconda")


def conda_roots(shell: Shell) -> Iterator[Path]:
    """Folders of the installations themselves (the environment "base"), most telling first.  May not exist."""
    for name in ("CONDA_EXE", "_CONDA_EXE", "MAMBA_EXE", "CONDA_PYTHON_EXE"):
        program = shell.folder(name)
        if program is not None:
            yield program.parent.parent if program.parent.name in ("bin", "Scripts", "condabin") else program.parent
    for name in ("MAMBA_ROOT_PREFIX", "_CONDA_ROOT", "CONDA_ROOT"):
        folder = shell.folder(name)
        if folder is not None:
            yield folder
    active = shell.folder("CONDA_PREFIX")
    if active is not None:
        yield active.parent.parent if active.parent.name == "envs" else active
    for program in shell.programs("conda"):
        yield program.parent.parent
    homes = [shell.home] if shell.home is not None else []
    if shell.windows:
        homes += [folder for name in ("ProgramData", "LOCALAPPDATA") if (folder := shell.folder(name)) is not None]
    else:
        homes += [shell.system(folder) for folder in _SYSTEM_ROOTS]
    for home in homes:
        for name in _ROOT_NAMES:
            yield home / name
    for home in homes[1:]:
        yield home / "base"


def environments_txt(shell: Shell) -> Iterator[Path]:
    """Every prefix that conda ever noted for this user; some may be gone."""
    path = shell.at_home(".conda", "environments.txt")
    for line in _lines(path):
        if line.strip():
            yield shell.expand(line.strip())


def environment_folders(shell: Shell, roots: list[Path]) -> Iterator[Path]:
    """Folders whose sub-folders are named environments."""
    for root in roots:
        yield root / "envs"
    own = shell.at_home(".conda", "envs")
    if own is not None:
        yield own
    for name in ("CONDA_ENVS_PATH", "CONDA_ENVS_DIRS"):
        for entry in (shell.variable(name) or "").split(shell.separator):
            if entry:
                yield shell.expand(entry)
    for settings in _settings(shell, roots):
        for entry in envs_dirs(settings):
            yield shell.expand(entry)


def pixi_folders(shell: Shell) -> Iterator[Path]:
    """Folders of pixi's environments: of the project at hand and of global tools."""
    for base in (shell.cwd, shell.home):
        if base is not None:
            yield base / ".pixi" / "envs"


def envs_dirs(path: Path) -> list[str]:
    """The ``envs_dirs`` of a ``.condarc``, in block or in flow form.

    Not a YAML parser: the two forms that conda itself writes and documents are enough to find folders by.
    """
    found: list[str] = []
    inside = False
    for line in _lines(path):
        text = line.split(" #")[0].rstrip()
        if text.startswith(("envs_dirs:", "envs_path:")):
            rest = text.partition(":")[2].strip()
            inside = not rest
            found += [_unquote(part) for part in rest.strip("[]").split(",") if part.strip()]
        elif inside and text.lstrip().startswith("- "):
            found.append(_unquote(text.lstrip()[2:]))
        elif text and not text.lstrip().startswith("#"):
            inside = False
    return found


def _settings(shell: Shell, roots: list[Path]) -> Iterator[Path]:
    named = shell.folder("CONDARC")
    if named is not None:
        yield named
    for path in (shell.at_home(".condarc"), shell.at_home(".conda", ".condarc"), shell.at_home(".mambarc")):
        if path is not None:
            yield path
    for root in roots:
        yield root / ".condarc"
    if not shell.windows:
        yield shell.system("/etc/conda/.condarc")


def _unquote(text: str) -> str:
    return text.strip().strip("'\"")


def _lines(path: Path | None) -> list[str]:
    if path is None:
        return []
    try:
        return path.read_text("utf-8", "surrogateescape").splitlines()
    except (OSError, ValueError):
        return []
