"""Command lines that install packages: pip, uv, conda, poetry and apt, as Dockerfiles run them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace

from .conda import add_spec, read_conda
from .files import Files
from .recipe import Problem, Recipe, Told
from .requirement import COMPILED, FAMILY, Unclear, parse
from .requirements import INDEX_OPTIONS, read_constraints, read_requirements

Project = Callable[[str, str, str], Recipe | None]
"""(tool, extra, group) → the recipe of the project's own pyproject.toml or lock, or ``None`` where there is none."""

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PIP = re.compile(r"(.*/)?pip(3(\.\d+)?)?$")
_PYTHON = re.compile(r"(.*/)?python(3(\.\d+)?)?$")
_MINOR = re.compile(r"3\.\d+$")
_WITH_VALUE = frozenset(
    [
        *("--target", "-t", "--prefix", "--root", "--python", "-p", "--platform", "--python-version", "--abi"),
        *("--implementation", "--cache-dir", "--log", "--timeout", "--retries", "--trusted-host", "--no-binary"),
        *("--only-binary", "--progress-bar", "--index-strategy", "--keyring-provider", "--prerelease", "--resolution"),
        *("--exclude-newer", "--config-settings", "-C", "--src", "--report", "--use-feature", "--proxy", "--cert"),
        *("--upgrade-package", "-P", "--refresh-package", "--reinstall-package", "--no-binary-package", "--link-mode"),
        "--group",
    ]
)
"""Options of pip and uv that take a value and say nothing about torch."""
_PREFIXES = frozenset(("sudo", "exec", "time", "command", "env", "nice", "yes", "if", "then", "!"))
INDEX_VARIABLES = {
    "PIP_INDEX_URL": "index",
    "UV_INDEX_URL": "index",
    "UV_DEFAULT_INDEX": "index",
    "PIP_EXTRA_INDEX_URL": "extra",
    "UV_EXTRA_INDEX_URL": "extra",
    "UV_INDEX": "extra",
    "PIP_FIND_LINKS": "links",
    "UV_FIND_LINKS": "links",
    "UV_TORCH_BACKEND": "backend",
}
"""Variables of pip and uv that name an index → its kind."""


@dataclass
class Shell:
    """Reads the commands of one RUN line into a recipe."""

    files: Files
    recipe: Recipe
    problems: list[Problem]
    project: Project
    file: str
    line: int

    def run(self, script: str) -> None:
        """Read every command of a script; what installs nothing says nothing."""
        for part in _parts(script):
            words = _bare(part)
            for name, value in _assignments(part):
                if name in INDEX_VARIABLES:
                    self.recipe.index(INDEX_VARIABLES[name], value, self.file, self.line, self._scope)
            try:
                self._command(words)
            except Unclear as error:
                self.problems.append(Problem(self.file, self.line, str(error)))

    @property
    def _scope(self) -> str:
        return str(self.line)

    def _command(self, words: list[str]) -> None:
        if not words:
            return
        head, rest = words[0], words[1:]
        program = head.rsplit("/", 1)[-1]
        if program in ("bash", "sh") and rest[:1] and rest[0].startswith("-") and "c" in rest[0] and len(rest) > 1:
            self.run(rest[1])
        elif _PYTHON.match(head) and rest[:2] == ["-m", "pip"]:
            self._python_of(program)
            self._pip(rest[2:])
        elif _PIP.match(head):
            self._python_of(program)
            self._pip(rest)
        elif program == "uv":
            self._uv(rest)
        elif program in ("conda", "mamba", "micromamba"):
            self._conda(rest)
        elif program == "poetry" and rest[:1] == ["install"]:
            self._own("poetry", rest[1:], ("-E", "--extras"), ("--with", "--only"))
        elif program in ("apt-get", "apt") and "install" in rest:
            self.recipe.system_packages += [w.split("=")[0] for w in rest if not w.startswith("-") and w != "install"]

    def _python_of(self, program: str) -> None:
        """``pip3.11`` and ``python3.11 -m pip`` say which Python is meant."""
        found = _MINOR.search(program)
        if found is not None:
            self.recipe.python = Told(found.group(), f"{self.file}:{self.line}")

    def _pip(self, words: list[str], tool: str = "pip") -> None:
        if words[:1] != ["install"]:
            return
        asks: list[str] = []
        building, at = False, 1
        while at < len(words):
            word, _, value = words[at].partition("=") if words[at].startswith("--") else (words[at], "", "")
            at += 1
            if word in INDEX_OPTIONS or word in ("-r", "--requirement", "-c", "--constraint", "-e", "--editable"):
                if not value and at < len(words):
                    value, at = words[at], at + 1
                if word in ("-e", "--editable"):
                    self._project_or_ask(value, asks)
                else:
                    self._pip_option(word, value)
            elif word in _WITH_VALUE:
                at += 0 if value else 1
            elif word == "--no-index":
                self.recipe.index("none", "", self.file, self.line, self._scope)
            elif word == "--no-build-isolation":
                building = True
            elif not word.startswith("-"):
                self._project_or_ask(words[at - 1], asks)
        found = [replace(parse(text), file=self.file, line=self.line, scope=self._scope) for text in asks]
        self.recipe.asks += found
        self.recipe.builds += [a for a in found if a.name in COMPILED or (building and a.name not in FAMILY)]
        if tool == "uv":
            self.recipe.tool = "uv"

    def _pip_option(self, word: str, value: str) -> None:
        if word in INDEX_OPTIONS:
            self.recipe.index(INDEX_OPTIONS[word], value, self.file, self.line, self._scope)
            return
        path = self.files.named(self.file, value)
        if path is None:
            self.problems.append(Problem(self.file, self.line, f"{value} is not among the files that were read"))
            return
        read = read_requirements if word in ("-r", "--requirement") else read_constraints
        read(self.files, path, self.recipe, self.problems, scope=self._scope)

    def _project_or_ask(self, word: str, asks: list[str]) -> None:
        """``.[cu128]`` installs the project itself; anything else is a requirement."""
        own = re.match(r"(\.{1,2}|/[\w./-]+|\.{1,2}/[\w./-]*)(?:\[([\w., -]*)\])?$", word)
        if own is None:
            asks.append(word)
            return
        if not word.endswith(".whl"):
            self._adopt(self.project("pip", (own.group(2) or "").split(",")[0].strip(), ""))
            return
        asks.append(word)

    def _uv(self, words: list[str]) -> None:
        if words[:1] == ["pip"]:
            for i, word in enumerate(words):
                value = word.partition("=")[2] or (words[i + 1] if i + 1 < len(words) else "")
                if word.split("=")[0] in ("--python", "-p") and re.fullmatch(r"3\.\d+(\.\d+)?", value):
                    self.recipe.python = Told(value, f"{self.file}:{self.line}")
            self._pip(words[1:], "uv")
        elif words[:1] == ["sync"] or words[:1] == ["export"]:
            self._own("uv", words[1:], ("--extra",), ("--group",))
        elif words[:1] == ["venv"] or words[:2] == ["python", "install"]:
            for i, word in enumerate(words):
                value = words[i + 1] if word in ("--python", "-p") and i + 1 < len(words) else word.partition("=")[2]
                if words[:2] == ["python", "install"] and i > 1 and not word.startswith("-"):
                    value = word
                if re.fullmatch(r"3\.\d+(\.\d+)?", value):
                    self.recipe.python = Told(value, f"{self.file}:{self.line}")

    def _own(self, tool: str, words: list[str], extras: tuple[str, ...], groups: tuple[str, ...]) -> None:
        chosen = {"extra": "", "group": ""}
        for i, word in enumerate(words):
            option, _, value = word.partition("=")
            value = value or (words[i + 1] if i + 1 < len(words) else "")
            if option in extras:
                chosen["extra"] = value.split(",")[0].split()[0] if value else ""
            elif option in groups:
                chosen["group"] = value.split(",")[0]
        self._adopt(self.project(tool, chosen["extra"], chosen["group"]))

    def _adopt(self, other: Recipe | None) -> None:
        """Install what another recipe asks for as well."""
        if other is None:
            return
        mine = self.recipe
        mine.asks += [replace(ask, scope=self._scope) for ask in other.asks]
        mine.constraints += [replace(ask, scope=self._scope) for ask in other.constraints]
        from msgspec.structs import replace as changed

        mine.indexes += [changed(index, scope=self._scope) for index in other.indexes]
        mine.beside_lock += other.beside_lock
        mine.used |= other.used
        mine.tool, mine.lock = other.tool, other.lock or mine.lock
        mine.requires_python = other.requires_python or mine.requires_python

    def _conda(self, words: list[str]) -> None:
        if words[:2] in (["env", "create"], ["env", "update"]):
            path = next((words[i + 1] for i, w in enumerate(words[:-1]) if w in ("-f", "--file")), "environment.yml")
            found = self.files.named(self.file, path)
            if found is not None:
                read_conda(self.files, found, self.recipe, self.problems)
            return
        if words[:1] not in (["install"], ["create"]):
            return
        self.recipe.tool = "conda"
        at = 1
        while at < len(words):
            word, _, value = words[at].partition("=") if words[at].startswith("--") else (words[at], "", "")
            at += 1
            if word in ("-c", "--channel"):
                self.recipe.channels.append(value or (words[at] if at < len(words) else ""))
                at += 0 if value else 1
            elif word in ("-n", "--name", "-p", "--prefix", "--file", "--solver"):
                at += 0 if value else 1
            elif not word.startswith("-"):
                add_spec(self.recipe, words[at - 1], self.file, self.line, self._scope)


def _parts(script: str) -> list[list[str]]:
    """The simple commands of a script, split into words.  What no shell would accept is left out."""
    lexer = shlex.shlex(script, posix=True, punctuation_chars=";&|()\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    out: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word and set(word) <= set(";&|()\n"):
                out.append([])
            else:
                out[-1].append(word)
    except ValueError:  # an open quote: the words before it were still read
        pass
    return [words for words in out if words]


def _assignments(words: list[str]) -> list[tuple[str, str]]:
    """``PIP_INDEX_URL=… pip install``, ``export NAME=value``."""
    out = []
    for word in words[1:] if words[0] == "export" else words:
        if not _ASSIGNMENT.match(word):
            break
        name, _, value = word.partition("=")
        out.append((name, value))
    return out


def _bare(words: list[str]) -> list[str]:
    """The command without what stands before it: assignments, sudo, env, if."""
    at = 0
    while at < len(words) and (
        _ASSIGNMENT.match(words[at]) or words[at] in _PREFIXES or words[at] in ("if", "then", "!")
    ):
        at += 1
    if words[at : at + 1] and words[at] in ("conda", "mamba", "micromamba") and words[at + 1 : at + 2] == ["run"]:
        rest = words[at + 2 :]
        while rest and rest[0].startswith("-"):
            rest = rest[2:] if rest[0] in ("-n", "-p", "--name", "--prefix") else rest[1:]
        return rest
    return words[at:]
