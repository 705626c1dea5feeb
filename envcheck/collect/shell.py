"""The user's shell as this process inherited it: variables, home, working folder, programs on PATH."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

# What execvp and the shells look through when PATH is not set at all (confstr(_CS_PATH) of glibc).
_DEFAULT_PATH = "/bin:/usr/bin"
_DEFAULT_PATHEXT = ".COM;.EXE;.BAT;.CMD"


class Shell(msgspec.Struct, frozen=True, kw_only=True):
    """Where a search starts.  Tests build one for a pretended user; :func:`inherit` builds the real one."""

    environ: Mapping[str, str]
    platform: str = "linux"
    home: Path | None = None
    cwd: Path | None = None
    root: Path = Path("/")  # stands before the places that belong to the system, not to the user

    @property
    def windows(self) -> bool:
        return self.platform == "win32"

    @property
    def macos(self) -> bool:
        return self.platform == "darwin"

    @property
    def separator(self) -> str:
        """What stands between the folders of PATH and its like."""
        return ";" if self.windows else ":"

    def variable(self, name: str) -> str | None:
        """The variable's value; ``None`` where it is unset or empty."""
        return self.environ.get(name) or None

    def folder(self, name: str) -> Path | None:
        """The folder that a variable names, ``~`` expanded."""
        value = self.variable(name)
        return self.expand(value) if value else None

    def expand(self, text: str) -> Path:
        """A path as the user wrote it: ``~`` is home, a relative one starts at the working folder."""
        if self.home is not None and (text == "~" or text.startswith(("~/", "~\\"))):
            return self.home / text[2:]
        path = Path(text)
        return path if path.is_absolute() or self.cwd is None else self.cwd / path

    def at_home(self, *parts: str) -> Path | None:
        return self.home.joinpath(*parts) if self.home is not None else None

    def system(self, path: str) -> Path:
        """A place of the system, below the root prefix."""
        return self.root / path.lstrip("/")

    def path_entries(self) -> list[str]:
        """The folders of PATH in order, as written.  An empty entry is the working folder."""
        value = self.environ.get("PATH")
        if value is None:
            value = "" if self.windows else _DEFAULT_PATH
        if not value:
            return []
        return [entry.strip('"') if self.windows else entry for entry in value.split(self.separator)]

    def programs(self, name: str) -> Iterator[Path]:
        """Every program of that name along PATH, as ``which -a`` lists them."""
        names = [name]
        if self.windows and not Path(name).suffix:
            names = [name + ext.lower() for ext in self.environ.get("PATHEXT", _DEFAULT_PATHEXT).split(";") if ext]
        seen = set()
        for entry in self.path_entries():
            folder = self.expand(entry) if entry else self.cwd
            if folder is None or folder in seen:
                continue
            seen.add(folder)
            for full in names:
                if self._is_program(folder / full):
                    yield folder / full

    def _is_program(self, path: Path) -> bool:
        try:
            if not path.is_file():
                return False
            if self.windows:
                # An app execution alias: an empty file that opens the Store instead of running anything.
                return path.stat().st_size > 0
        except (OSError, ValueError):  # ValueError: a NUL in PATH
            return False
        return os.access(path, os.X_OK)


def inherit(environ: Mapping[str, str] | None = None, platform: str | None = None, root: str = "/") -> Shell:
    """The shell that this process was started from."""
    variables = os.environ if environ is None else environ
    system = platform or sys.platform
    return Shell(environ=variables, platform=system, home=_home(variables, system, root), cwd=_cwd(), root=Path(root))


def _home(environ: Mapping[str, str], platform: str, root: str) -> Path | None:
    value = environ.get("USERPROFILE" if platform == "win32" else "HOME")
    if value:
        return Path(value)
    if platform == "win32" or root != "/":
        return None
    try:
        import pwd

        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except (ImportError, KeyError):  # a user id without an entry, as containers have
        return None


def _cwd() -> Path | None:
    try:
        return Path.cwd()
    except OSError:  # the folder was deleted under us
        return None
