"""uv.lock, poetry.lock and pylock.toml (PEP 751): the versions that were chosen, and the files that exist for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from envcheck.compat.declared.indexes import clean_url
from envcheck.compat.declared.wanted import normal

from .recipe import Problem, Told
from .requirement import Ask
from .toml import Toml, TomlError, tables, text, texts


@dataclass(frozen=True)
class Locked:
    """One package of a lock file, with the markers of which one must hold."""

    ask: Ask
    markers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edge:
    """A package that the project itself asks for: perhaps for a marker, of a version, from a source."""

    name: str
    marker: str = ""
    version: str = ""
    index: str = ""


@dataclass
class Lock:
    """One lock file.  ``edges`` are the project's own wishes by extra or group ("": always)."""

    file: str
    tool: str
    packages: list[Locked] = field(default_factory=list)
    edges: dict[str, list[Edge]] = field(default_factory=dict)
    requires_python: Told | None = None


def read_lock(file: str, kind: str, content: str, problems: list[Problem]) -> Lock | None:
    """A lock file of kind "uv.lock", "poetry.lock" or "pylock"; ``None`` where it is no TOML (which is noted)."""
    try:
        toml = Toml(content)
    except TomlError as error:
        problems.append(Problem(file, error.line, f"no valid TOML: {error}"))
        return None
    return {"uv.lock": _uv, "poetry.lock": _poetry, "pylock": _pylock}[kind](file, toml)


def _uv(file: str, toml: Toml) -> Lock:
    lock = Lock(file, "uv")
    python = text(toml.data.get("requires-python"))
    if python:
        lock.requires_python = Told(python, f"{file}:{toml.line_of('', 'requires-python')}")
    for nth, package in enumerate(tables(toml.data.get("package"))):
        source = package.get("source")
        where = source if isinstance(source, dict) else {}
        if any(key in where for key in ("virtual", "editable")):
            _uv_edges(lock, package)
            continue
        wheels = [text(item.get("url")) or text(item.get("path")) for item in tables(package.get("wheels"))]
        ask = Ask(
            name=normal(text(package.get("name"))),
            version=text(package.get("version")),
            index=clean_url(text(where.get("registry"))),
            url=clean_url(text(where.get("url")) or text(where.get("git"))),
            wheels=_names(wheels),
        )
        line = toml.header("package", nth)
        lock.packages.append(Locked(ask.at(file, line), tuple(texts(package.get("resolution-markers")))))
    return lock


def _uv_edges(lock: Lock, package: dict[str, Any]) -> None:
    lock.edges.setdefault("", []).extend(_edges(package.get("dependencies")))
    for key in ("optional-dependencies", "dev-dependencies"):
        named = package.get(key)
        for name, items in named.items() if isinstance(named, dict) else ():
            lock.edges.setdefault(normal(name), []).extend(_edges(items))


def _edges(items: object) -> list[Edge]:
    out = []
    for item in tables(items):
        source = item.get("source")
        index = clean_url(text(source.get("registry"))) if isinstance(source, dict) else ""
        out.append(Edge(normal(text(item.get("name"))), text(item.get("marker")), text(item.get("version")), index))
    return out


def _poetry(file: str, toml: Toml) -> Lock:
    lock = Lock(file, "poetry")
    python = text(toml.table("metadata").get("python-versions"))
    if python:
        from .requirement import from_poetry

        place = f"{file}:{toml.line_of('metadata', 'python-versions')}"
        lock.requires_python = Told(from_poetry(python), place)
    for nth, package in enumerate(tables(toml.data.get("package"))):
        source = package.get("source")
        where = source if isinstance(source, dict) else {}
        legacy = text(where.get("type")) == "legacy"
        markers = package.get("markers")
        spoken = [markers] if isinstance(markers, str) else [m for m in _values(markers) if isinstance(m, str)]
        ask = Ask(
            name=normal(text(package.get("name"))),
            version=text(package.get("version")),
            index=clean_url(text(where.get("url"))) if legacy else "",
            url="" if legacy else clean_url(text(where.get("url"))),
            wheels=_names([text(item.get("file")) for item in tables(package.get("files"))]),
        )
        lock.packages.append(Locked(ask.at(file, toml.header("package", nth)), tuple(filter(None, spoken))))
    return lock


def _values(value: object) -> list[object]:
    return list(value.values()) if isinstance(value, dict) else []


def _pylock(file: str, toml: Toml) -> Lock:
    lock = Lock(file, "pylock")
    python = text(toml.data.get("requires-python"))
    if python:
        lock.requires_python = Told(python, f"{file}:{toml.line_of('', 'requires-python')}")
    for nth, package in enumerate(tables(toml.data.get("packages"))):
        wheels = [text(item.get("name")) or text(item.get("url")) for item in tables(package.get("wheels"))]
        archive = package.get("archive")
        ask = Ask(
            name=normal(text(package.get("name"))),
            version=text(package.get("version")),
            index=clean_url(text(package.get("index"))),
            url=clean_url(text(archive.get("url"))) if isinstance(archive, dict) else "",
            wheels=_names(wheels),
        )
        marker = text(package.get("marker"))
        lock.packages.append(Locked(ask.at(file, toml.header("packages", nth)), (marker,) if marker else ()))
    return lock


def _names(urls: list[str]) -> tuple[str, ...]:
    """File names of wheels, without folders and escapes."""
    names = (url.split("#")[0].rsplit("/", 1)[-1].replace("%2B", "+").replace("%2b", "+") for url in urls)
    return tuple(name for name in names if name.endswith(".whl"))
