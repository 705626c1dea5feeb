"""Which torchvision and torchaudio come beside a torch."""

from __future__ import annotations

from collections.abc import Sequence

from envcheck.compat import table
from envcheck.compat.companions import companion_fits
from envcheck.compat.rows import Companion, Platform, TorchBuild, TorchRelease
from envcheck.compat.torch_builds import default_build, python_supported, release, releases, torch_build
from envcheck.compat.version import is_prerelease, key, split_local
from envcheck.facts import NOT_ASKED, DeclaredEnvironment, DeclaredPackage, Fact, Unread

from .offers import Offers, offers_of
from .resolved import Resolved, from_url, platform_for
from .wanted import allows, exact


def choose_companion(
    environment: DeclaredEnvironment, package: DeclaredPackage, torch: str, python: Sequence[str]
) -> Resolved:
    """The release that answers the request beside this torch ("" where that is not known)."""
    if isinstance(package.url, str):
        return from_url(package)
    pinned = exact(package.wanted)
    if pinned is None and package.manager != "conda":
        chosen = _chosen(environment, package, torch, python)
        return Resolved(package, chosen, _build(environment, package, chosen))
    return Resolved(package, pinned or NOT_ASKED, _build(environment, package, pinned or NOT_ASKED))


def _chosen(environment: DeclaredEnvironment, package: DeclaredPackage, torch: str, python: Sequence[str]) -> Fact[str]:
    """The newest release that its own metadata let stand beside this torch; else the newest that is allowed at all."""
    offers = offers_of(environment, package)
    if not torch or is_prerelease(torch) or not offers.clear:
        return NOT_ASKED
    rows = [row for row in _rows(package.name) if allows(package.wanted, row.version)]
    where = platform_for(environment)
    rows = [row for row in rows if _is_offered(row, offers, where)]
    possible = [row for row in rows if _may_stand_beside(row, torch)]
    if not possible:
        return rows[0].version if rows else NOT_ASKED
    for row in possible:
        runs = [minor for minor in python if _runs_on(row, minor, where)]
        if len(runs) == len(python):
            return row.version
        if runs:
            return Unread("missing", f"which {package.name} comes depends on the Python")
    return NOT_ASKED


def _may_stand_beside(row: Companion, torch: str) -> bool:
    """Do the metadata allow it?  One that asks for no torch is always allowed, right or wrong."""
    return row.requires_torch is None or companion_fits(row.package, row.version, torch) is True


def has_companion(package: DeclaredPackage, torch: str) -> bool:
    """Is there a release of the companion that the files allow and that fits this torch?"""
    pinned = exact(package.wanted)
    if package.manager == "conda" or isinstance(package.url, str):
        return True
    if pinned is not None:
        return companion_fits(package.name, pinned, torch) is not False
    return any(allows(package.wanted, row.version) and _may_stand_beside(row, torch) for row in _rows(package.name))


def _build(environment: DeclaredEnvironment, package: DeclaredPackage, version: Fact[str]) -> Fact[str]:
    """The build variant of a companion, where the index tells it."""
    where = platform_for(environment)
    if not isinstance(version, str) or package.manager == "conda" or where is None:
        return NOT_ASKED
    local = split_local(version)[1]
    if local is not None:
        return local
    offers = offers_of(environment, package)
    row = row_of(package.name, version)
    if not offers.clear or row is None:
        return NOT_ASKED
    found = [offer for offer in offers.items if _is_offered(row, Offers((offer,), True), where)]
    if not found:
        return NOT_ASKED
    best = found[0] if offers.first else max(found, key=lambda offer: (offer.kind == "variant", offer.variant))
    if best.kind == "variant":
        return best.variant
    if where == "linux_x86_64" and row.default:
        return row.default
    torch = torch_of(row)
    return default_build(torch, where) if torch is not None else NOT_ASKED


def _is_offered(row: Companion, offers: Offers, platform: Platform | None) -> bool:
    """Does one of the indexes have this release?  A variant's index has it where it has its torch."""
    if offers.default:
        return True
    torch = torch_of(row)
    if torch is None or platform is None:
        return False
    return any(isinstance(torch_build(torch, v, platform), TorchBuild) for v in offers.variants)


def _runs_on(row: Companion, minor: str, platform: Platform | None) -> bool:
    """Companions are published for the Pythons of the torch that they were made for."""
    torch = torch_of(row)
    return torch is not None and platform is not None and python_supported(torch, minor, platform) is True


def torch_of(row: Companion) -> str | None:
    """The torch release that a companion was made for."""
    made = [found.version for found in releases() if row.version in (found.torchvision, found.torchaudio)]
    if made:
        return made[-1]
    wanted = split_local((row.requires_torch or "")[2:])[0]
    return wanted if wanted and isinstance(release(wanted), TorchRelease) else None


def row_of(package: str, version: str) -> Companion | None:
    """The table's row of a companion's release."""
    return next((row for row in _rows(package) if row.version == split_local(version)[0]), None)


def _rows(package: str) -> list[Companion]:
    """The releases of a companion, newest first."""
    rows = [row for row in table.rows("companions", Companion) if row.package == package]
    return sorted(rows, key=lambda row: key(row.version), reverse=True)
