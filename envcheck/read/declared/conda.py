"""conda's environment.yml: channels, packages and the pip section, read as the small part of YAML that such files use.

A YAML library would not tell the line of a value, and nothing else here needs one.  What goes beyond that part
(anchors, block scalars, nested maps) is noted as not understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from envcheck.compat.declared.wanted import exact

from .files import Files
from .recipe import Problem, Recipe, Told
from .requirement import Ask, Unclear, from_conda, parse
from .requirements import INDEX_OPTIONS, read_constraints, read_requirements

TORCH_NAMES = {"pytorch": "torch", "pytorch-cpu": "torch", "pytorch-gpu": "torch"}
"""conda's names of torch → the name of the package that an import finds."""

_KEY = re.compile(r"([A-Za-z_][\w-]*)\s*:(?:\s+(.*))?$")
_BEYOND = re.compile(r"[&*|>!%@`]")


@dataclass(frozen=True)
class Entry:
    """One list item: its key (``dependencies``, ``dependencies.pip``, ``channels``), text and line."""

    key: str
    text: str
    line: int


def read_conda(files: Files, path: str, recipe: Recipe, problems: list[Problem]) -> None:
    """Add what an environment.yml asks for to a recipe."""
    content = files.text(path)
    if content is None or path in recipe.used:
        return
    recipe.used.add(path)
    recipe.tool = "conda"
    for entry in entries(path, content, problems):
        try:
            if entry.key == "channels":
                recipe.channels.append(entry.text)
            elif entry.key == "dependencies":
                add_spec(recipe, entry.text, path, entry.line)
            elif entry.key == "dependencies.pip":
                _add_pip(files, path, recipe, problems, entry)
        except Unclear as error:
            problems.append(Problem(path, entry.line, str(error)))


def add_spec(recipe: Recipe, spec: str, file: str, line: int, scope: str = "") -> None:
    """Add one conda match spec.  Raises :class:`~.requirement.Unclear`."""
    name, wanted, build = from_conda(spec)
    channel = spec.rpartition("::")[0].strip()
    if channel:
        recipe.channels.append(channel)
    if name == "python":
        version = (exact(wanted) or wanted.removeprefix("==").removesuffix(".*")) if wanted else ""
        if re.fullmatch(r"\d+\.\d+(\.\d+)?", version):
            recipe.python = Told(version, f"{file}:{line}")
        elif wanted:
            recipe.requires_python = Told(wanted, f"{file}:{line}")
        return
    told = build or ("cpu" if name == "pytorch-cpu" else "cuda" if name == "pytorch-gpu" else "")
    ask = Ask(TORCH_NAMES.get(name, name), wanted, manager="conda", build=told, scope=scope)
    recipe.asks.append(ask.at(file, line))


def _add_pip(files: Files, path: str, recipe: Recipe, problems: list[Problem], entry: Entry) -> None:
    if not entry.text.startswith("-"):
        recipe.asks.append(parse(entry.text).at(path, entry.line))
        return
    name, _, value = entry.text.replace("=", " ", 1).partition(" ")
    value = value.strip().strip("\"'")
    if name in INDEX_OPTIONS:
        recipe.index(INDEX_OPTIONS[name], value, path, entry.line)
    elif name in ("-r", "--requirement", "-c", "--constraint"):
        other = files.beside(path, value)
        if other is None:
            problems.append(Problem(path, entry.line, f"{value} is not among the files that were read"))
            return
        (read_requirements if name in ("-r", "--requirement") else read_constraints)(files, other, recipe, problems)


def entries(path: str, content: str, problems: list[Problem]) -> list[Entry]:
    """The list items of the file, each with its key."""
    out: list[Entry] = []
    key, inner, outer_indent = "", "", -1
    for number, raw in enumerate(content.removeprefix("\ufeff").splitlines(), 1):
        line = re.sub(r"(^|\s)#.*$", "", raw).rstrip()
        if not line.strip() or line.strip() in ("---", "..."):
            continue
        indent = len(line) - len(line.lstrip())
        body = line.strip()
        if not body.startswith("-"):
            found = _KEY.match(body)
            if indent == 0 and found is not None:
                key, inner, outer_indent = found.group(1), "", -1
                out += _flow(key, found.group(2) or "", number)
            elif key in ("channels", "dependencies"):
                problems.append(Problem(path, number, f"not understood: {body[:60]}"))
            continue
        if outer_indent < 0:
            outer_indent = indent
        if inner and indent <= outer_indent:
            inner = ""
        item = body[1:].strip()
        nested = _KEY.match(item)
        if nested is not None and not inner:
            inner = f"{key}.{nested.group(1)}"
            out += _flow(inner, nested.group(2) or "", number)
            continue
        if _BEYOND.match(item):
            problems.append(Problem(path, number, f"not understood: {item[:60]}"))
            continue
        out.append(Entry(inner or key, item.strip("\"'"), number))
    return out


def _flow(key: str, value: str, line: int) -> list[Entry]:
    """``[conda-forge, nvidia]`` on the key's own line."""
    value = value.strip()
    if not (value.startswith("[") and value.endswith("]")):
        return []
    items = (item.strip().strip("\"'") for item in value[1:-1].split(","))
    return [Entry(key, item, line) for item in items if item]
