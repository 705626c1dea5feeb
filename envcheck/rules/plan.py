"""A project's files instead of a machine: what they declare, and how a fix is written for them."""

from __future__ import annotations

from envcheck.compat.commands import INDEX, index_url, requirements
from envcheck.compat.rows import TorchBuild
from envcheck.compat.version import key
from envcheck.facts import Declared, DeclaredEnvironment, DeclaredPackage
from envcheck.judge import Case, Step

FILE_STEP = "file"
"""``where`` of a step that changes a file of the project; its note says which and how."""

_FACTS = ("platform", "python", "requires_python", "packages", "indexes", "channels", "system_packages", "builds")
_FACTS_OF_A_PACKAGE = ("version", "index", "url", "wheels")


def is_plan(case: Case) -> bool:
    """Were files read instead of a machine?"""
    return case.snapshot.declared is not None


def declaration(case: Case) -> tuple[str, DeclaredEnvironment]:
    """(pointer, declaration) of the environment, whose own facts are all known then.

    What its base image is made of stays to be asked for.  Raises :class:`~envcheck.judge.NotApplicable` on a machine.
    """
    case.present("/declared", Declared)
    at = case.at("env").rsplit("/", 1)[-1]
    pointer = f"/declared/environments/{at}"
    environment = case.present(pointer, DeclaredEnvironment)
    for name in _FACTS:
        case.known(f"{pointer}/{name}", object)
    for item, _ in case.records(f"{pointer}/packages", DeclaredPackage):
        for name in _FACTS_OF_A_PACKAGE:
            case.known(f"{item}/{name}", object)
    return pointer, environment


def package_of(case: Case, name: str) -> tuple[str, DeclaredPackage] | None:
    """(pointer, request) of the last line that names a version of the package, else of the last that names it."""
    here, _ = declaration(case)
    found = [(p, item) for p, item in case.records(f"{here}/packages", DeclaredPackage) if item.name == name]
    saying = [pair for pair in found if pair[1].wanted or isinstance(pair[1].url, str)]
    return (saying or found)[-1] if found else None


def read(case: Case) -> DeclaredEnvironment:
    """The declaration, or an empty one where there is none.  For wording and for fixes, never for judging."""
    declared, at = case.snapshot.declared, case.subject.places.get("env", "").rsplit("/", 1)[-1]
    found = declared.environments if isinstance(declared, Declared) else None
    if isinstance(found, list) and at.isdigit() and int(at) < len(found):
        return found[int(at)]
    return DeclaredEnvironment(name="the project", file="the project's files")


def line_of(case: Case, name: str) -> str:
    """The place of the line that asks for a package, else that of the environment."""
    packages = read(case).packages
    found = [p for p in (packages if isinstance(packages, list) else []) if p.name == name]
    saying = [package for package in found if package.wanted or isinstance(package.url, str)]
    return (saying or found)[-1].place if found else read(case).place


def write(case: Case, name: str, text: str, note: str = "") -> Step:
    """A step that writes a requirement into the file that asks for the package, at its line."""
    return Step(where=FILE_STEP, note=f"{line_of(case, name)}: {text}" + (f" ({note})" if note else ""))


def write_build(case: Case, build: TorchBuild, beside: list[str]) -> list[Step]:
    """The step that makes the files take this build of torch, in the manner of their tool."""
    plan, place = read(case), line_of(case, "torch")
    wanted = " ".join(requirements(build, beside))
    if build.default and key(build.version) >= (2,):
        where = "from the default index"
    elif plan.tool == "uv" and plan.file.endswith("pyproject.toml"):
        name = f"pytorch-{build.variant}"
        index = f'[[tool.uv.index]] name = "{name}", url = "{index_url(build)}", explicit = true'
        names = ["torch", *[line.partition("==")[0] for line in requirements(build, beside)[1:]]]
        sources = ", ".join(f'{name_} = {{ index = "{name}" }}' for name_ in names)
        where = f"with {index}; [tool.uv.sources] {sources}; then `uv lock`"
    else:
        old = key(build.version) < (1, 11)
        option = "--find-links" if old else "--extra-index-url" if key(build.version) < (2,) else "--index-url"
        where = f"{'under pip:, ' if plan.tool == 'conda' else ''}with {option} {index_url(build)}"
    return [Step(where=FILE_STEP, note=f"{place}: {wanted}, {where}")]


def index_line(variant: str) -> str:
    """``https://download.pytorch.org/whl/cu126``."""
    return f"{INDEX}/{variant}"
