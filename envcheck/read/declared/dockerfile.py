"""Dockerfiles: stages and their base images, ARG and ENV, and the packages that RUN lines install."""

from __future__ import annotations

import re

from envcheck.facts import DeclaredVariable

from .commands import INDEX_VARIABLES, Project, Shell
from .files import Files
from .images import SYSTEM_PYTHON, distribution, image_of, python_of
from .recipe import Problem, Recipe, Told

_INSTRUCTION = re.compile(r"\s*([A-Za-z]+)\s+(.*)$", re.DOTALL)
_REFERENCE = re.compile(r"\$(?:\{(\w+)(?::?([-+])([^}]*))?\}|(\w+))")
_HEREDOC = re.compile(r"<<-?\s*['\"]?(\w+)['\"]?")
_PAIR = re.compile(r"""(\w+)=("(?:[^"\\]|\\.)*"|'[^']*'|(?:\\.|[^\s"'])*)""")
_ARM = re.compile(r"arm64|aarch64")


def read_dockerfile(files: Files, path: str, problems: list[Problem], project: Project) -> list[Recipe]:
    """One recipe a stage, each with what it inherits from the stages that it is built on."""
    stages: list[Recipe] = []
    named: dict[str, Recipe] = {}
    words: dict[str, str] = {}
    here: Recipe | None = None
    for number, keyword, rest in _instructions(files.text(path) or ""):
        if keyword == "FROM":
            here = _stage(path, number, _filled(rest, words), stages, named)
        elif keyword == "ARG":
            name, _, value = rest.strip().partition("=")
            words.setdefault(name.strip(), _filled(value.strip().strip("\"'"), words))
        elif here is None:
            continue
        elif keyword == "ENV":
            for name, value in _pairs(rest):
                words[name] = _filled(value, words)
                here.variables.append(DeclaredVariable(name=name, value=words[name], file=path, line=number))
                if name in INDEX_VARIABLES:
                    here.index(INDEX_VARIABLES[name], words[name], path, number)
                if name == "UV_PYTHON" and re.fullmatch(r"3\.\d+(\.\d+)?", words[name]):
                    here.python = Told(words[name], f"{path}:{number}")
        elif keyword == "RUN":
            script = re.sub(r"^(\s*--\w+=\S+)+", "", rest)
            Shell(files, here, problems, project, path, number).run(_filled(_exec_form(script), words))
    for stage in stages:
        _system_python(stage)
    return stages


def _stage(path: str, number: int, rest: str, stages: list[Recipe], named: dict[str, Recipe]) -> Recipe:
    parts = [part for part in rest.split() if not part.startswith("--")]
    platform = next((part for part in rest.split() if part.startswith("--platform=")), "")
    image = parts[0] if parts else ""
    alias = parts[2] if len(parts) > 2 and parts[1].upper() == "AS" else ""
    name = f"{path} (stage {alias or len(stages) + 1})"
    base = named.get(image.lower())
    if base is not None:
        made = base.copy(name)
        made.line = number
    else:
        made = Recipe(name=name, file=path, line=number, system="Linux", image=image_of(image, path, number))
        python = python_of(image)
        if python is not None:
            made.python = Told(python, f"{path}:{number}")
        made.used = {path}
    if _ARM.search(platform):
        made.machine = "aarch64"
    stages.append(made)
    named[str(len(stages) - 1)] = made
    if alias:
        named[alias.lower()] = made
    return made


def _system_python(stage: Recipe) -> None:
    """The Python of the distribution, where apt installs it (or a named one) and nothing else was said."""
    if stage.python is not None or stage.image is None:
        return
    named = {p[len("python") :] for p in stage.system_packages if re.fullmatch(r"python3\.\d+", p)}
    plain = any(p in ("python3", "python3-pip", "python3-dev", "python3-venv") for p in stage.system_packages)
    default = SYSTEM_PYTHON.get(distribution(stage.image.name))
    if len(named) == 1 and not plain:
        stage.python = Told(min(named), stage.image.place)
    elif not named and plain and default is not None and stage.tool != "conda":
        stage.python = Told(default, stage.image.place)


def _instructions(text: str) -> list[tuple[int, str, str]]:
    """(first line, keyword, the rest) of every instruction: continued lines joined, here-documents taken in."""
    lines = text.removeprefix("\ufeff").splitlines()
    out: list[tuple[int, str, str]] = []
    at = 0
    while at < len(lines):
        start = at
        if not lines[at].strip() or lines[at].lstrip().startswith("#"):
            at += 1
            continue
        whole = ""
        while at < len(lines):
            line = lines[at]
            at += 1
            if line.lstrip().startswith("#"):
                continue
            if not line.rstrip().endswith("\\"):
                whole += line
                break
            whole += line.rstrip()[:-1] + " "
        found = _INSTRUCTION.match(whole)
        if found is None:
            continue
        keyword, rest = found.group(1).upper(), found.group(2)
        end = _HEREDOC.search(rest) if keyword in ("RUN", "COPY") else None
        if end is not None:
            body = []
            while at < len(lines) and lines[at].strip() != end.group(1):
                body.append(lines[at])
                at += 1
            at += 1
            rest = "\n".join(body) if keyword == "RUN" else ""
        out.append((start + 1, keyword, rest))
    return out


def _exec_form(script: str) -> str:
    """``["pip", "install", "torch"]`` as a shell would take it."""
    found = re.match(r"\s*\[(.*)\]\s*$", script, re.DOTALL)
    return " ".join(re.findall(r'"((?:[^"\\]|\\.)*)"', found.group(1))) if found else script


def _pairs(rest: str) -> list[tuple[str, str]]:
    """``NAME=value OTHER="b c"``, or the old form ``NAME value``."""
    found = [(m.group(1), m.group(2).strip("\"'")) for m in _PAIR.finditer(rest)]
    if found and "=" in rest.split()[0]:
        return found
    name, _, value = rest.strip().partition(" ")
    return [(name, value.strip())] if name else []


def _filled(text: str, words: dict[str, str]) -> str:
    """The text with ``$NAME`` and ``${NAME:-default}`` replaced, where the file says what they are."""

    def fill(found: re.Match[str]) -> str:
        name = found.group(1) or found.group(4)
        if found.group(2) == "-":
            return words.get(name) or found.group(3)
        if found.group(2) == "+":
            return found.group(3) if words.get(name) else ""
        return words.get(name, found.group())

    return _REFERENCE.sub(fill, text)
