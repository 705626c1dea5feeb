"""The files of a project: which kinds there are, and the texts by path."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping

KINDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("pyproject", re.compile(r"pyproject\.toml")),
    ("uv.lock", re.compile(r"uv\.lock")),
    ("poetry.lock", re.compile(r"poetry\.lock")),
    ("pylock", re.compile(r"pylock(\.[^.]+)?\.toml")),
    ("conda", re.compile(r"(conda[-_.]?)?env(ironment)?([-_.][\w.-]+)?\.ya?ml")),
    ("dockerfile", re.compile(r"(Dockerfile|Containerfile)([-_.].+)?|.+\.(dockerfile|containerfile)", re.IGNORECASE)),
    ("requirements", re.compile(r"(.+[-_.])?requirements?([-_.].+)?\.(txt|in)|constraints?([-_.].+)?\.txt")),
    ("python-version", re.compile(r"\.python-version")),
)
"""Kind → the file names that mean it.  Files below a folder ``requirements`` count as requirement files as well."""


def kind_of(path: str) -> str | None:
    """What kind of file a path means, by its name; ``None`` for one that says nothing about packages."""
    folder, name = posixpath.split(path.replace("\\", "/"))
    for kind, pattern in KINDS:
        if pattern.fullmatch(name):
            return kind
    if posixpath.basename(folder) == "requirements" and name.endswith((".txt", ".in")):
        return "requirements"
    return None


class Files:
    """Texts by path, as the user gave the paths.

    ``fetch`` is asked for a file that another one names and that is not among them; it answers ``None`` for one that
    is not there.  What it brings is read where it is named, and is no environment of its own.
    """

    def __init__(self, texts: Mapping[str, str], fetch: Callable[[str], str | None] = lambda path: None) -> None:
        self._texts = {_plain(path): (path, text) for path, text in texts.items()}
        self._fetched: dict[str, tuple[str, str]] = {}
        self._fetch = fetch

    def paths(self, *kinds: str) -> list[str]:
        """The paths of these kinds, sorted."""
        return sorted(path for path, _ in self._texts.values() if kind_of(path) in kinds)

    def text(self, path: str) -> str | None:
        """The text of a file, or ``None`` where there is none."""
        plain = _plain(path)
        found = self._texts.get(plain) or self._fetched.get(plain)
        return found[1] if found is not None else None

    def beside(self, path: str, other: str) -> str | None:
        """The path of a file that is named from within ``path``, where there is one."""
        plain = _plain(posixpath.join(posixpath.dirname(path.replace("\\", "/")), other))
        found = self._texts.get(plain) or self._fetched.get(plain)
        if found is not None:
            return found[0]
        text = self._fetch(plain) if kind_of(plain) != "dockerfile" else None
        if text is None:
            return None
        self._fetched[plain] = (plain, text)
        return plain

    def named(self, path: str, other: str) -> str | None:
        """:meth:`beside`, or else the one file of that name anywhere: a Dockerfile names files from its context."""
        found = self.beside(path, other)
        if found is not None:
            return found
        tail = _plain(other).rsplit("/", 1)[-1]
        same = [mine for plain, (mine, _) in self._texts.items() if plain.rsplit("/", 1)[-1] == tail]
        return same[0] if len(same) == 1 else None


def _plain(path: str) -> str:
    return posixpath.normpath(path.replace("\\", "/"))
