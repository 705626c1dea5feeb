"""The files of a project that say what is to be installed: found below a folder, or named one by one."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

from .errors import BadCall, reason

LARGEST_BYTES = 16 << 20
"""The largest lock files in public repositories have a few MiB."""
MOST_FILES, DEEPEST = 500, 6
FOREIGN = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist", "venv", "env", "virtualenv"})
"""Folders whose files belong to somebody else."""
TOGETHER = ("pyproject.toml", "uv.lock", "poetry.lock", ".python-version")
"""Files that are read together, even if only one of them is named."""


def gather(paths: list[str]) -> dict[str, str]:
    """Path → text of every file that says something about packages.  Raises :class:`BadCall`."""
    from envcheck.read.declared import KINDS, kind_of

    found: dict[str, str] = {}
    for path in paths or ["."]:
        if os.path.isdir(path):  # noqa: PTH112  a path, verbatim
            for name in _below(path):
                found.setdefault(name, read(name))
            continue
        if kind_of(path) is None:
            kinds = ", ".join(kind for kind, _ in KINDS)
            raise BadCall(f"{path}: what kind of file is this? Its name tells none of {kinds}")
        found.setdefault(path, read(path))
        for other in _beside(path):
            found.setdefault(other, read(other))
    if not found:
        raise BadCall(f"{', '.join(paths) or '.'}: no file that says what is to be installed")
    return found


def fetch(path: str) -> str | None:
    """The text of a file that another one names; ``None`` where it is not there or not to be read."""
    try:
        return _decoded(Path(path).read_bytes()) if Path(path).is_file() else None
    except (OSError, ValueError):
        return None  # the reader says that the file was not among those it could read


def read(path: str) -> str:
    """The text of a file, whatever its encoding.  Raises :class:`BadCall`."""
    try:
        raw = Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise BadCall(f"{path}: {reason(error) if isinstance(error, OSError) else error}") from None
    if len(raw) > LARGEST_BYTES:
        raise BadCall(f"{path}: larger than {LARGEST_BYTES >> 20} MiB")
    return _decoded(raw)


def _decoded(raw: bytes) -> str:
    """PowerShell's ``pip freeze > requirements.txt`` writes UTF-16 with a mark, which pip understands as well."""
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, "replace")
    return raw.decode("utf-8-sig", "replace")


def _below(folder: str) -> list[str]:
    from envcheck.read.declared import kind_of

    found: list[str] = []
    for here, folders, names in os.walk(folder):
        depth = len(Path(here).relative_to(folder).parts)
        folders[:] = sorted(
            name
            for name in folders
            if depth < DEEPEST and not name.startswith(".") and name not in FOREIGN and not _is_venv(here, name)
        )
        found += [_shown(here, name) for name in sorted(names) if kind_of(_shown(here, name)) is not None]
        if len(found) > MOST_FILES:
            raise BadCall(f"{folder}: more than {MOST_FILES} files say what is to be installed; name a part of them")
    return found


def _is_venv(folder: str, name: str) -> bool:
    return Path(folder, name, "pyvenv.cfg").is_file()


def _beside(path: str) -> list[str]:
    if Path(path).name not in TOGETHER:
        return []
    beside = (_shown(str(Path(path).parent), name) for name in TOGETHER if name != Path(path).name)
    return [other for other in beside if Path(other).is_file()]


def _shown(folder: str, name: str) -> str:
    """The path as a person would write it, with forward slashes."""
    return Path(folder, name).as_posix()
