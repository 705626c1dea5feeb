"""pip's requirement files: requirements, constraints, includes, indexes, hashes (pip documentation, file format)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .files import Files
from .recipe import Problem, Recipe
from .requirement import Unclear, parse

INDEX_OPTIONS = {
    "-i": "index",
    "--index-url": "index",
    "--pypi-url": "index",
    "--default-index": "index",
    "--extra-index-url": "extra",
    "--index": "extra",
    "-f": "links",
    "--find-links": "links",
    "--torch-backend": "backend",
}
"""Options of pip and uv that name an index → its kind."""

_COMMENT = re.compile(r"(^|\s)#.*$")
_PER_REQUIREMENT = re.compile(r"\s--(hash|config-settings|global-option|install-option)\b.*$")
_LONG = re.compile(r"(--[\w-]+)(?:=|\s+|$)(.*)$")
_SHORT = re.compile(r"(-\w)\s*(.*)$")


def read_requirements(files: Files, path: str, recipe: Recipe, problems: list[Problem], *, scope: str = "") -> None:
    """Add what a requirement file asks for to a recipe.  Each included file is read once."""
    _Reader(files, recipe, problems, scope).read(path, constraint=False)


def read_constraints(files: Files, path: str, recipe: Recipe, problems: list[Problem], *, scope: str = "") -> None:
    """Add what a constraint file allows: it installs nothing of its own."""
    _Reader(files, recipe, problems, scope).read(path, constraint=True)


def logical_lines(text: str) -> list[tuple[int, str]]:
    """(number of its first line, text) of every line that says something: continued lines joined, comments gone."""
    out: list[tuple[int, str]] = []
    start, held = 1, ""
    for number, raw in enumerate([*text.removeprefix("\ufeff").splitlines(), ""], 1):
        comment = raw.lstrip().startswith("#")
        if not held:
            start = number
        if raw.rstrip().endswith("\\") and not comment:
            held += raw.strip()[:-1] + " "
            continue
        whole = _COMMENT.sub("", held + ("" if comment else raw)).strip()
        held = ""
        if whole:
            out.append((start, whole))
    return out


@dataclass(frozen=True)
class _Reader:
    files: Files
    recipe: Recipe
    problems: list[Problem]
    scope: str

    def read(self, path: str, constraint: bool) -> None:
        text = self.files.text(path)
        if text is None or path in self.recipe.used:
            return
        self.recipe.used.add(path)
        for number, line in logical_lines(text):
            try:
                if line.startswith("-"):
                    self._option(path, number, line, constraint)
                else:
                    self._requirement(path, number, line, constraint)
            except Unclear as error:
                self.problems.append(Problem(path, number, str(error)))

    def _requirement(self, path: str, number: int, line: str, constraint: bool) -> None:
        ask = replace(parse(_PER_REQUIREMENT.sub("", line)), file=path, line=number, scope=self.scope)
        (self.recipe.constraints if constraint else self.recipe.asks).append(ask)

    def _option(self, path: str, number: int, line: str, constraint: bool) -> None:
        found = (_LONG if line.startswith("--") else _SHORT).match(line)
        name, value = (found.group(1), found.group(2).strip().strip("\"'")) if found else (line, "")
        if name in INDEX_OPTIONS:
            self.recipe.index(INDEX_OPTIONS[name], value, path, number, self.scope)
        elif name == "--no-index":
            self.recipe.index("none", "", path, number, self.scope)
        elif name in ("-r", "--requirement", "-c", "--constraint"):
            self._include(path, number, value, constraint or name in ("-c", "--constraint"))
        elif name in ("-e", "--editable") and not value.startswith((".", "/")):
            self._requirement(path, number, value, constraint)

    def _include(self, path: str, number: int, value: str, constraint: bool) -> None:
        other = self.files.beside(path, value)
        if other is not None:
            self.read(other, constraint)
        elif not re.match(r"https?://", value):
            self.problems.append(Problem(path, number, f"{value} is not among the files that were read"))
