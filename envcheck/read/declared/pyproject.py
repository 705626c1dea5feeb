"""pyproject.toml: PEP 621 dependencies, dependency groups (PEP 735), uv's sources and indexes, poetry's tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from envcheck.compat.declared.indexes import clean_url
from envcheck.compat.declared.wanted import normal

from .recipe import Problem, Recipe, Told
from .requirement import Ask, Unclear, from_poetry, parse
from .toml import Toml, TomlError, tables, text, texts


@dataclass(frozen=True)
class Source:
    """Where uv takes one package from: an index by name or a file, perhaps only for a marker, an extra or a group."""

    package: str
    index: str = ""
    url: str = ""
    marker: str = ""
    extra: str = ""
    group: str = ""


@dataclass
class Pyproject:
    """What the file says, before anybody chose an extra."""

    file: str
    name: str = ""
    tool: str = "pip"
    base: list[Ask] = field(default_factory=list)
    extras: dict[str, list[Ask]] = field(default_factory=dict)
    groups: dict[str, list[Ask]] = field(default_factory=dict)
    default_groups: list[str] = field(default_factory=list)
    constraints: list[Ask] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    named: dict[str, str] = field(default_factory=dict)  # name of an index → its URL
    indexes: Recipe = field(default_factory=lambda: Recipe(name="", file=""))
    requires_python: Told | None = None

    def recipe(self, name: str, extra: str = "", group: str = "") -> Recipe:
        """The environment with one extra or group beside the base, or with none."""
        asks = [*self.base, *(a for g in self.default_groups if g != group for a in self.groups.get(g, []))]
        asks += self.extras.get(extra, []) + self.groups.get(group, [])
        made = Recipe(name=name, file=self.file, tool=self.tool, requires_python=self.requires_python)
        made.asks = [self._bound(ask, extra, group) for ask in asks]
        made.constraints = list(self.constraints)
        made.indexes = list(self.indexes.indexes)
        made.used = {self.file}
        return made

    def _bound(self, ask: Ask, extra: str, group: str) -> Ask:
        """The request with the indexes that uv's sources may bind it to, each with the marker that must hold."""
        choices = tuple(
            (source.marker, self.named.get(source.index, source.index), source.url)
            for source in self.sources
            if source.package == ask.name and source.extra in ("", extra) and source.group in ("", group)
        )
        return replace(ask, choices=choices)


def read_pyproject(file: str, content: str, problems: list[Problem]) -> Pyproject | None:
    """The file's requests, or ``None`` where it is no TOML (which is noted)."""
    try:
        toml = Toml(content)
    except TomlError as error:
        problems.append(Problem(file, error.line, f"no valid TOML: {error}"))
        return None
    found = Pyproject(file)
    reader = _Reader(found, toml, problems)
    reader.project()
    reader.groups()
    reader.uv()
    reader.poetry()
    reader.pdm()
    return found


@dataclass
class _Reader:
    found: Pyproject
    toml: Toml
    problems: list[Problem]

    def project(self) -> None:
        project = self.toml.table("project")
        self.found.name = normal(text(project.get("name")))
        python = text(project.get("requires-python"))
        if python:
            self.found.requires_python = self._told(python, "project", "requires-python")
        self.found.base += self._asks(texts(project.get("dependencies")), "project")
        for extra, wanted in self.toml.table("project", "optional-dependencies").items():
            asks = self._asks(texts(wanted), "project.optional-dependencies")
            self.found.extras[normal(extra)] = asks

    def groups(self) -> None:
        every = self.toml.table("dependency-groups")
        for group in every:
            self.found.groups[normal(group)] = self._group(every, group, ())
        if self.toml.table("tool", "uv") or every:
            listed = self.toml.table("tool", "uv").get("default-groups", ["dev"])
            names = list(self.found.groups) if listed == "all" else [normal(name) for name in texts(listed)]
            self.found.default_groups = [name for name in names if name in self.found.groups]

    def _group(self, every: dict[str, Any], name: str, above: tuple[str, ...]) -> list[Ask]:
        found: list[Ask] = []
        items = every.get(name)
        for item in items if isinstance(items, list) else []:
            if isinstance(item, str):
                found += self._asks([item], "dependency-groups")
            elif isinstance(item, dict) and text(item.get("include-group")) not in (*above, name, ""):
                wanted = normal(item["include-group"])
                other = next((group for group in every if normal(group) == wanted), "")
                found += self._group(every, other, (*above, name))
        return found

    def uv(self) -> None:
        uv = self.toml.table("tool", "uv")
        if uv:
            self.found.tool = "uv"
        explicit: set[str] = set()
        for nth, index in enumerate(tables(uv.get("index"))):
            url, name = text(index.get("url")), text(index.get("name"))
            self.found.named[name] = clean_url(url)
            if index.get("explicit") is True:
                explicit.add(name)
            elif url:
                kind = "index" if index.get("default") is True else "extra"
                line = self.toml.line_of("tool.uv.index", url, nth=nth)
                self.found.indexes.index(kind, url, self.found.file, line)
        for key, kind in (("index-url", "index"), ("extra-index-url", "extra"), ("find-links", "links")):
            for section, values in (("tool.uv", uv), ("tool.uv.pip", self.toml.table("tool", "uv", "pip"))):
                value = values.get(key)
                for url in [value] if isinstance(value, str) else texts(value):
                    line = self.toml.line_of(section, url)
                    self.found.indexes.index(kind, url, self.found.file, line)
        for backend in (text(uv.get("torch-backend")), text(self.toml.table("tool", "uv", "pip").get("torch-backend"))):
            if backend:
                line = self.toml.line_of("tool.uv.pip", "torch-backend")
                self.found.indexes.index("backend", backend, self.found.file, line)
        for package, wanted in self.toml.table("tool", "uv", "sources").items():
            self.found.sources += [self._source(normal(package), item) for item in tables(wanted)]
        self.found.constraints += self._asks(texts(uv.get("constraint-dependencies")), "tool.uv")
        self.found.base += self._asks(texts(uv.get("dev-dependencies")), "tool.uv")

    def _source(self, package: str, item: dict[str, Any]) -> Source:
        elsewhere = text(item.get("url")) or text(item.get("git")) or text(item.get("path"))
        return Source(
            package,
            index=text(item.get("index")),
            url=clean_url(elsewhere),
            marker=text(item.get("marker")),
            extra=normal(text(item.get("extra"))),
            group=normal(text(item.get("group"))),
        )

    def poetry(self) -> None:
        poetry = self.toml.table("tool", "poetry")
        if not poetry:
            return
        self.found.tool = "poetry"
        for nth, source in enumerate(tables(poetry.get("source"))):
            url, name = text(source.get("url")), text(source.get("name"))
            self.found.named[name] = clean_url(url)
            priority = text(source.get("priority")) or ("supplemental" if source.get("secondary") else "primary")
            if url and priority != "explicit":
                line = self.toml.line_of("tool.poetry.source", url, nth=nth)
                kind = "index" if priority in ("primary", "default") else "extra"
                self.found.indexes.index(kind, url, self.found.file, line)
        needs = self.toml.table("tool", "poetry", "dependencies")
        python = text(needs.pop("python", ""))
        if python and self.found.requires_python is None:
            told = self._told(python, "tool.poetry.dependencies", "python")
            self.found.requires_python = Told(from_poetry(python), told.place)
        optional = {normal(n) for group in self.toml.table("tool", "poetry", "extras").values() for n in texts(group)}
        self.found.base += [a for a in self._poetry_asks(needs, "tool.poetry.dependencies") if a.name not in optional]
        for extra, names in self.toml.table("tool", "poetry", "extras").items():
            chosen = {normal(name) for name in texts(names)}
            asks = [a for a in self._poetry_asks(needs, "tool.poetry.dependencies") if a.name in chosen]
            self.found.extras[normal(extra)] = asks
        self.found.base += self._poetry_asks(
            self.toml.table("tool", "poetry", "dev-dependencies"), "tool.poetry.dev-dependencies"
        )
        for group, items in self.toml.table("tool", "poetry", "group").items():
            section = f"tool.poetry.group.{group}.dependencies"
            wanted = items.get("dependencies", {}) if isinstance(items, dict) else {}
            self.found.groups[normal(group)] = self._poetry_asks(wanted, section)
            if not (isinstance(items, dict) and items.get("optional")):
                self.found.default_groups.append(normal(group))

    def _poetry_asks(self, needs: dict[str, Any], section: str) -> list[Ask]:
        out = []
        for name, wanted in needs.items():
            line = self.toml.line_of(section, name)
            if isinstance(wanted, str):
                out.append(Ask(normal(name), from_poetry(wanted)).at(self.found.file, line))
                continue
            for item in tables(wanted):
                url = text(item.get("url")) or text(item.get("git")) or text(item.get("path"))
                ask = Ask(
                    normal(name),
                    from_poetry(text(item.get("version"))),
                    marker=_poetry_marker(item),
                    url=clean_url(url),
                    index=self.found.named.get(text(item.get("source")), ""),
                )
                out.append(ask.at(self.found.file, line))
        return out

    def pdm(self) -> None:
        for nth, source in enumerate(tables(self.toml.table("tool", "pdm").get("source"))):
            url = text(source.get("url"))
            if url:
                line = self.toml.line_of("tool.pdm.source", url, nth=nth)
                self.found.indexes.index("extra", url, self.found.file, line)

    def _asks(self, wanted: list[str], section: str) -> list[Ask]:
        out = []
        for item in wanted:
            line = self.toml.line_of(section, item)
            try:
                out.append(parse(item).at(self.found.file, line))
            except Unclear as error:
                self.problems.append(Problem(self.found.file, line, str(error)))
        return out

    def _told(self, value: str, section: str, word: str) -> Told:
        return Told(value, f"{self.found.file}:{self.toml.line_of(section, word)}")


def _poetry_marker(item: dict[str, Any]) -> str:
    """poetry's markers, platform and python of one dependency as one PEP 508 marker."""
    parts = [text(item.get("markers"))]
    if text(item.get("platform")):
        parts.append(f'sys_platform == "{item["platform"]}"')
    for bound in filter(None, from_poetry(text(item.get("python"))).split(",")):
        sign = bound.rstrip("0123456789.*")
        parts.append(f'python_version {sign} "{bound[len(sign) :]}"')
    return " and ".join(f"({part})" for part in parts if part)
