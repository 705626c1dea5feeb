"""What packages ask of each other (Requires-Dist), evaluated for the judged interpreter instead of our own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from envcheck.facts import Distribution
from envcheck.judge import CannotTell, Case

if TYPE_CHECKING:
    from packaging.requirements import Requirement

SYSTEMS = {"Linux": ("posix", "linux"), "Darwin": ("posix", "darwin"), "Windows": ("nt", "win32")}


@dataclass(frozen=True)
class Pin:
    """One requirement that holds on this machine: ``nvidia-cudnn-cu12`` with ``==9.10.2.21``."""

    name: str
    specifier: str
    text: str


def installed(case: Case, env: str) -> list[tuple[str, Distribution]]:
    """The distributions of an environment, the ones that an import finds first before the others."""
    return case.records(f"{env}/distributions", Distribution)


def find(case: Case, env: str, name: str) -> tuple[str, Distribution] | None:
    """The distribution of that (normalised) name that comes first on the path, with its pointer."""
    found = next(((p, d) for p, d in installed(case, env) if d.name == name), None)
    if found is None and case.maybe(lambda: case.known(f"{env}/distributions_partial", bool)) is True:
        raise CannotTell(f"the text does not say whether {name} is installed", f"{env}/distributions", asked=False)
    return found


def version_of(case: Case, pointer: str) -> str | None:
    """The version of a distribution; ``None`` where its metadata are gone."""
    return case.known(f"{pointer}/version", str)


def torch_pins(case: Case, env: str) -> list[Pin]:
    """What the installed torch asks for on this machine; empty where torch has no metadata of its own."""
    found = find(case, env, "torch")
    return pins(case, env, found[0]) if found is not None else []


def pins(case: Case, env: str, pointer: str) -> list[Pin]:
    """The requirements of one distribution whose markers hold on this machine, extras left out.

    Raises :class:`~envcheck.judge.CannotTell` where they, or what their markers ask for, are not known.
    """
    requires = case.known(f"{pointer}/requires", list) or []
    out = []
    for text in requires:
        requirement = _parse(str(text))
        if requirement is not None and _holds(case, env, requirement):
            out.append(Pin(_normalised(requirement.name), str(requirement.specifier), str(text)))
    return out


def satisfied(specifier: str, version: str) -> bool:
    """Does this version satisfy the specifier?  Pre-releases count; what is no version satisfies nothing."""
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        return SpecifierSet(specifier).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return not specifier


def _parse(text: str) -> Requirement | None:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(text)
    except InvalidRequirement:  # metadata of old packages; pip skips them as well
        return None


def _holds(case: Case, env: str, requirement: Requirement) -> bool:
    if requirement.marker is None:
        return True
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

    try:
        return requirement.marker.evaluate(_markers(case, env))
    except (UndefinedComparison, UndefinedEnvironmentName) as error:
        raise CannotTell(f"{requirement}: {error}") from error


def _markers(case: Case, env: str) -> dict[str, str]:
    """The marker variables of the judged interpreter.  All of them: packaging would fill in our own otherwise."""
    version = case.present(f"{env}/version", str)
    system = case.present("/host/system", str)
    os_name, sys_platform = SYSTEMS.get(system, ("posix", system.lower()))
    implementation = case.present(f"{env}/implementation", str)
    return {
        "implementation_name": implementation,
        "implementation_version": version,
        "os_name": os_name,
        "platform_machine": case.known(f"{env}/machine", str) or "",
        "platform_python_implementation": "PyPy" if implementation == "pypy" else "CPython",
        "platform_release": "",
        "platform_system": system,
        "platform_version": "",
        "python_full_version": version,
        "python_version": ".".join(version.split(".")[:2]),
        "sys_platform": sys_platform,
        "extra": "",
    }


def _normalised(name: str) -> str:
    from packaging.utils import canonicalize_name

    return canonicalize_name(name)
