"""From the files of a project to the environments that they describe."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from envcheck.compat.declared.wanted import exact
from envcheck.compat.torch_builds import platform_of
from envcheck.facts import Declared, DeclaredEnvironment, DeclaredFile, DeclaredPackage, Fact

from .conda import read_conda
from .dockerfile import read_dockerfile
from .files import Files, kind_of
from .locks import Edge, Lock, Locked, read_lock
from .markers import Markers
from .pyproject import Pyproject, read_pyproject
from .recipe import Problem, Recipe, Told
from .requirement import COMPILED, FAMILY, Ask
from .requirements import logical_lines, read_requirements

LOCKS = {"uv": "uv.lock", "poetry": "poetry.lock"}
MATTERS = (*FAMILY, "d2l")
"""An environment that asks for none of these says nothing about torch."""


def read_project(files: Files, markers: Markers) -> Declared:
    """Every environment that the files describe and that is to have torch.

    ``markers`` tells the platform, and the Python where the files do not.
    """
    problems: list[Problem] = []
    project = _Project(files, markers, problems)
    recipes = [recipe for recipe in project.recipes() if any(ask.name in MATTERS for ask in recipe.asks)]
    recipes += [stage for stage in project.stages if _brings_torch(stage) and stage not in recipes]
    environments = [_environment(recipe, markers.of(recipe)) for recipe in recipes]
    return Declared(files=_files(files, problems), environments=environments)


def _brings_torch(stage: Recipe) -> bool:
    return stage.image is not None and isinstance(stage.image.torch, str)


class _Project:
    def __init__(self, files: Files, markers: Markers, problems: list[Problem]) -> None:
        self.files, self.markers, self.problems = files, markers, problems
        self.pyprojects = {path: self._pyproject(path) for path in files.paths("pyproject")}
        self.locks = {path: self._lock(path) for path in files.paths("uv.lock", "poetry.lock", "pylock")}
        self.stages: list[Recipe] = []

    def recipes(self) -> Iterator[Recipe]:
        """Every recipe; a file that another one takes in is no environment of its own."""
        self.stages = self._stages()
        kept = _outermost(self.stages)
        yield from kept
        used = {path for stage in kept for path in stage.used}
        conda = [recipe for path in self.files.paths("conda") if path not in used for recipe in [self._conda(path)]]
        yield from conda
        used |= {path for recipe in conda for path in recipe.used}
        plain = [self._requirements(path) for path in self.files.paths("requirements") if path not in used]
        taken = {path for recipe in plain for path in recipe.used if path != recipe.file}
        for recipe in plain:
            if recipe.file not in taken and recipe.asks:
                yield recipe
        for path in self.pyprojects:
            if path not in used:
                yield from self._own(path)
        for path, lock in self.locks.items():
            if path not in used and lock is not None and not self._has_pyproject(path):
                yield self._from_lock(lock, Recipe(name=path, file=path, tool=lock.tool), "")

    def _stages(self) -> list[Recipe]:
        found: list[Recipe] = []
        for path in self.files.paths("dockerfile"):

            def project(tool: str, extra: str, group: str, path: str = path) -> Recipe | None:
                own = self.files.named(path, "pyproject.toml")
                pyproject = self.pyprojects.get(own) if own is not None else None
                return self._environment_of(pyproject, tool, extra, group) if pyproject is not None else None

            found += read_dockerfile(self.files, path, self.problems, project)
        return found

    def _pyproject(self, path: str) -> Pyproject | None:
        return read_pyproject(path, self.files.text(path) or "", self.problems)

    def _lock(self, path: str) -> Lock | None:
        return read_lock(path, kind_of(path) or "", self.files.text(path) or "", self.problems)

    def _has_pyproject(self, lock: str) -> bool:
        beside = self.files.beside(lock, "pyproject.toml")
        return kind_of(lock) != "pylock" and beside is not None and self.pyprojects.get(beside) is not None

    def _conda(self, path: str) -> Recipe:
        recipe = Recipe(name=path, file=path, tool="conda")
        read_conda(self.files, path, recipe, self.problems)
        return recipe

    def _requirements(self, path: str) -> Recipe:
        recipe = Recipe(name=path, file=path)
        read_requirements(self.files, path, recipe, self.problems)
        recipe.python = self._python_version(path)
        return recipe

    def _own(self, path: str) -> Iterator[Recipe]:
        """The environments of a pyproject.toml: the base, and every extra and group that asks for torch itself."""
        found = self.pyprojects[path]
        if found is None:
            return
        yield self._environment_of(found, found.tool, "", "")
        base = {*found.base, *(ask for group in found.default_groups for ask in found.groups[group])}
        for extra, asks in found.extras.items():
            if any(ask.name in MATTERS and ask not in base for ask in asks):
                yield self._environment_of(found, found.tool, extra, "")
        for group, asks in found.groups.items():
            if any(ask.name in MATTERS and ask not in base for ask in asks):
                yield self._environment_of(found, found.tool, "", group)

    def _environment_of(self, found: Pyproject, tool: str, extra: str, group: str) -> Recipe:
        """One environment of a project: by its lock file where the tool has one and it is there."""
        chosen = extra or group
        recipe = found.recipe(f"{found.file} [{chosen}]" if chosen else found.file, extra, group)
        recipe.tool = tool if tool != "pip" else found.tool if tool == found.tool else "pip"
        recipe.python = self._python_version(found.file)
        lock_path = self.files.beside(found.file, LOCKS.get(recipe.tool, "-"))
        lock = self.locks.get(lock_path) if lock_path is not None else None
        return self._from_lock(lock, recipe, chosen) if lock is not None else recipe

    def _from_lock(self, lock: Lock, recipe: Recipe, chosen: str) -> Recipe:
        """The recipe as its lock decided it.  What the project asks for stays beside it, to be compared."""
        markers = self.markers.of(recipe)
        recipe.beside_lock = [ask for ask in recipe.asks if ask.name in MATTERS]
        recipe.lock = lock.file
        recipe.used |= {lock.file}
        recipe.requires_python = recipe.requires_python or lock.requires_python
        recipe.asks = [ask for name in _names(lock) for ask in _chosen(lock, name, chosen, markers)]
        recipe.indexes, recipe.constraints = [], []
        return recipe

    def _python_version(self, path: str) -> Told | None:
        """``.python-version`` beside the file: the first line that names one version."""
        where = self.files.beside(path, ".python-version")
        for number, line in logical_lines(self.files.text(where) or "") if where is not None else []:
            version = line.removeprefix("cpython-").removeprefix("python")
            if re.fullmatch(r"\d\.\d+(\.\d+)?", version):
                return Told(version, f"{where}:{number}")
        return None


def _outermost(stages: list[Recipe]) -> list[Recipe]:
    """The stages that no later stage with torch is built on: what they install is judged there."""
    asking = [stage for stage in stages if any(ask.name in MATTERS for ask in stage.asks)]
    out = []
    for i, stage in enumerate(asking):
        mine = {id(ask) for ask in stage.asks if ask.name in MATTERS}
        if not any(mine <= {id(ask) for ask in later.asks} for later in asking[i + 1 :]):
            out.append(stage)
    return out


def _names(lock: Lock) -> list[str]:
    return list(dict.fromkeys(locked.ask.name for locked in lock.packages))


def _chosen(lock: Lock, name: str, extra: str, markers: Markers) -> list[Ask]:
    """The one version of a package that the lock takes here; nothing where it cannot be told which."""
    here = [locked for locked in lock.packages if locked.ask.name == name]
    edges = [edge for key in ("", extra) for edge in lock.edges.get(key, []) if edge.name == name]
    holding = [edge for edge in edges if markers.hold(edge.marker)]
    if edges and not holding:
        return []
    if len(here) > 1:
        named = [one for one in here if any(_meant(edge, one) for edge in holding)]
        here = named or here
    if len(here) > 1:
        here = [one for one in here if not one.markers or any(markers.hold(text) for text in one.markers)]
    asks = [one.ask for one in here if not one.markers or any(markers.hold(text) for text in one.markers)]
    return [replace(asks[0], wanted=f"=={asks[0].version}" if asks[0].version else "")] if len(asks) == 1 else []


def _meant(edge: Edge, locked: Locked) -> bool:
    """Does the edge name this one of several versions?"""
    if edge.version:
        return edge.version == locked.ask.version and edge.index in ("", locked.ask.index)
    return bool(edge.index) and edge.index == locked.ask.index


def _files(files: Files, problems: list[Problem]) -> list[DeclaredFile]:
    out = []
    for path in files.paths(
        "pyproject", "uv.lock", "poetry.lock", "pylock", "conda", "dockerfile", "requirements", "python-version"
    ):
        mine = [problem for problem in problems if problem.file == path]
        kind = kind_of(path) or ""
        if not mine:
            out.append(DeclaredFile(file=path, kind=kind, problem=None))
        out += [DeclaredFile(file=path, line=p.line, kind=kind, problem=p.why) for p in mine]
    return out


def _environment(recipe: Recipe, markers: Markers) -> DeclaredEnvironment:
    """The facts of one environment: what holds on this platform, with what it is bound to."""
    return DeclaredEnvironment(
        name=recipe.name,
        tool=recipe.tool,
        platform=platform_of(markers.system, markers.machine),
        file=recipe.file,
        line=recipe.line,
        python=recipe.python.text if recipe.python else None,
        python_place=recipe.python.place if recipe.python else "",
        requires_python=recipe.requires_python.text if recipe.requires_python else None,
        requires_python_place=recipe.requires_python.place if recipe.requires_python else "",
        packages=_packages(recipe.asks, recipe, markers),
        indexes=list(recipe.indexes),
        channels=list(dict.fromkeys(recipe.channels)),
        image=recipe.image,
        system_packages=list(dict.fromkeys(recipe.system_packages)),
        variables=list(recipe.variables),
        builds=_packages(recipe.builds or [a for a in recipe.asks if a.name in COMPILED], recipe, markers),
        lock=recipe.lock,
        asked=_packages(recipe.beside_lock, recipe, markers) if recipe.lock else None,
    )


def _packages(asks: list[Ask], recipe: Recipe, markers: Markers) -> list[DeclaredPackage]:
    return [
        _package(markers.bound(ask), [c for c in recipe.constraints if c.name == ask.name and markers.hold(c.marker)])
        for ask in asks
        if markers.hold(ask.marker)
    ]


def _package(ask: Ask, constraints: list[Ask]) -> DeclaredPackage:
    wanted = ",".join(filter(None, [ask.wanted, *(c.wanted for c in constraints)]))
    named: Fact[str] = ask.version or exact(wanted)
    return DeclaredPackage(
        name=ask.name,
        wanted=wanted,
        version=named,
        manager=ask.manager,
        scope=ask.scope,
        index=ask.index or None,
        build=ask.build or None,
        url=ask.url or None,
        wheels=list(ask.wheels) or None,
        file=ask.file,
        line=ask.line,
    )
