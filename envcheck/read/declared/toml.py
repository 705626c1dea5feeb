"""TOML with the line that a value stands on, which no parser of the standard library tells."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_HEADER = re.compile(r"""\s*\[\[?\s*([A-Za-z0-9_-][A-Za-z0-9_."' -]*?)\s*\]\]?\s*(?:#.*)?$""")
_LINE = re.compile(r"\(at line (\d+), column \d+\)")


class TomlError(ValueError):
    """The text is no TOML; ``line`` is where the parser stopped, 0 at its end."""

    def __init__(self, why: str, line: int) -> None:
        super().__init__(why)
        self.line = line


class Toml:
    """One parsed text.  Places are found by looking for the words of a value below the header of its table."""

    def __init__(self, text: str) -> None:
        """Parse.  Raises :class:`TomlError`."""
        try:
            self.data: dict[str, Any] = tomllib.loads(text.removeprefix("\ufeff"))
        except tomllib.TOMLDecodeError as error:
            found = _LINE.search(str(error))
            raise TomlError(str(error).split(" (at ")[0], int(found.group(1)) if found else 0) from error
        except RecursionError as error:
            raise TomlError("nested too deeply", 0) from error
        self._lines = text.splitlines()
        self._tables: list[tuple[str, int]] = [("", 0)]
        for number, line in enumerate(self._lines, 1):
            header = _HEADER.match(line)
            if header is not None:
                self._tables.append((re.sub(r"[\s\"']", "", header.group(1)), number))

    def table(self, *path: str) -> dict[str, Any]:
        """The table at a path of keys; empty where there is none."""
        here: Any = self.data
        for key in path:
            here = here.get(key) if isinstance(here, Mapping) else None
        return dict(here) if isinstance(here, Mapping) else {}

    def header(self, name: str, nth: int = 0) -> int:
        """The line of the n-th header ``[name]`` or ``[[name]]``; 0 where there is none."""
        found = [line for table, line in self._tables if table == name]
        return found[nth] if nth < len(found) else 0

    def line_of(self, table: str, *words: str, nth: int = 0) -> int:
        """The line below the n-th header of ``table`` that holds every word.

        Where the table is written another way (dotted keys, inline), the first such line of the file; else the header.
        """
        starts = [i for i, (name, _) in enumerate(self._tables) if name == table]
        if nth < len(starts):
            at = starts[nth]
            end = self._tables[at + 1][1] - 1 if at + 1 < len(self._tables) else len(self._lines)
            for number in range(self._tables[at][1] + 1, end + 1):
                if self._holds(number, words):
                    return number
        for number in range(1, len(self._lines) + 1):
            if self._holds(number, words):
                return number
        return self.header(table, nth)

    def _holds(self, number: int, words: tuple[str, ...]) -> bool:
        line = self._lines[number - 1]
        return not line.lstrip().startswith("#") and all(word in line for word in words)


def texts(value: object) -> list[str]:
    """The strings of a list; nothing for anything else."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def tables(value: object) -> list[dict[str, Any]]:
    """The tables of a list, or the one that stands in its place."""
    if isinstance(value, Mapping):
        return [dict(value)]
    return [dict(item) for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def text(value: object) -> str:
    """A string, or "" for anything else."""
    return value if isinstance(value, str) else ""
