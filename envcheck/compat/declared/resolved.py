"""One package as an installation would bring it, and what decides that."""

from __future__ import annotations

from dataclasses import dataclass

from envcheck.compat.rows import PLATFORMS, Platform
from envcheck.compat.torch_builds import releases
from envcheck.compat.version import key, split_local
from envcheck.facts import NOT_ASKED, DeclaredEnvironment, DeclaredPackage, Fact, Unread

from .wanted import admits, exact, wheel_parts

OPEN = Unread("missing", "no index whose contents are known has it")


@dataclass(frozen=True)
class Resolved:
    """One package as it would be installed: the release, its build variant, and the line that decides.

    ``variant`` is ``None`` where the package has no builds, unread where it is not known which build comes.
    """

    package: DeclaredPackage
    version: Fact[str]
    variant: Fact[str] = NOT_ASKED

    @property
    def full(self) -> Fact[str]:
        """``"2.7.1+cu126"``: the version as version.py will say it."""
        if not isinstance(self.version, str) or not isinstance(self.variant, str):
            return self.version
        return f"{split_local(self.version)[0]}+{self.variant}"


def requested(environment: DeclaredEnvironment, name: str) -> DeclaredPackage | None:
    """What the environment asks of a package, all its lines taken together; ``None`` where it asks nothing.

    Lines of one command bind together.  Of several commands the last that names a version decides.
    """
    packages = environment.packages if isinstance(environment.packages, list) else []
    here = [package for package in packages if package.name == name]
    if not here:
        return None
    saying = [package for package in here if package.wanted or package.url] or here
    last = [p for p in saying if (p.scope, p.manager) == (saying[-1].scope, saying[-1].manager)]
    if len(last) == 1:
        return last[0]
    wanted = ",".join(dict.fromkeys(filter(None, (package.wanted for package in last))))
    from msgspec.structs import replace

    return replace(next((p for p in last if p.wanted), last[0]), wanted=wanted, version=exact(wanted))


def platform_for(environment: DeclaredEnvironment) -> Platform | None:
    """The wheel platform that the environment was read for."""
    return next((name for name in PLATFORMS if name == environment.platform), None)


def pythons(environment: DeclaredEnvironment, told: str = "") -> list[str]:
    """The Python minors that the environment may get: the one that is named, or all that ``requires-python`` admits."""
    named = environment.python if isinstance(environment.python, str) else told
    if named:
        return [".".join(named.split(".")[:2])]
    wanted = environment.requires_python if isinstance(environment.requires_python, str) else ""
    every = sorted({v for row in releases() for found in row.python.values() for v in found if v[-1] != "t"}, key=key)
    return [version for version in every if admits(wanted, version)]


def from_url(package: DeclaredPackage) -> Resolved:
    """A package that is named by the address of a wheel."""
    parts = wheel_parts(str(package.url))
    if parts is None:
        return Resolved(package, NOT_ASKED, OPEN)
    version, local = split_local(parts[1])
    if local is not None:
        return Resolved(package, parts[1], local)
    return Resolved(package, version, OPEN)
