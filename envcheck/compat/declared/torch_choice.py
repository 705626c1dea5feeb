"""Which torch comes: the release, and the build of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from envcheck.compat.rows import Platform, TorchBuild
from envcheck.compat.torch_builds import default_build, python_supported, releases, torch_build
from envcheck.compat.version import is_prerelease, key, split_local
from envcheck.facts import NOT_ASKED, DeclaredEnvironment, DeclaredPackage, Fact

from .offers import Offers, offers_of
from .resolved import OPEN, Resolved, from_url, platform_for
from .wanted import allows, exact

CHANNEL, LAST_OF_CHANNEL = "pytorch", "2.5.1"
"""conda's channel of PyTorch, and its last release (pytorch/pytorch issue 138506)."""


def choose_torch(
    environment: DeclaredEnvironment, package: DeclaredPackage, python: Sequence[str], suits: Callable[[str], bool]
) -> Resolved:
    """The torch that answers the request.  ``suits`` says of a release whether the companions can follow it."""
    if isinstance(package.url, str):
        return from_url(package)
    if package.manager == "conda":
        return Resolved(package, _of_conda(environment, package))
    offers, where = offers_of(environment, package), platform_for(environment)
    version = exact(package.wanted)
    if where is None:
        return Resolved(package, version or NOT_ASKED)
    if version is not None:
        return pinned(package, version, offers, where)
    versions = [row.version for row in reversed(releases()) if allows(package.wanted, row.version)]
    versions = [v for v in versions if any(python_supported(v, minor, where) for minor in python)]
    return _newest(package, [v for v in versions if suits(v)] or versions, offers, where)


def _of_conda(environment: DeclaredEnvironment, package: DeclaredPackage) -> Fact[str]:
    """The release that conda takes: the only one that is allowed, or the newest that the pytorch channel had."""
    allowed = [row.version for row in releases() if allows(package.wanted, row.version)]
    channels = environment.channels if isinstance(environment.channels, list) else []
    if channels[:1] == [CHANNEL]:
        allowed = [version for version in allowed if key(version) <= key(LAST_OF_CHANNEL)][-1:] or allowed
    return exact(package.wanted) or (allowed[0] if len(allowed) == 1 else NOT_ASKED)


def pinned(package: DeclaredPackage, version: str, offers: Offers, platform: Platform) -> Resolved:
    """The build of one release that these indexes give."""
    local = split_local(version)[1]
    if local is not None:
        return Resolved(package, version, local)
    if is_prerelease(version) or not offers.clear:
        return Resolved(package, version, OPEN)
    found = _variants(version, offers, platform)
    if not found:
        alone = offers.variants[0] if len(set(offers.variants)) == 1 and not offers.default else None
        return Resolved(package, version, alone if alone is not None else OPEN)
    return Resolved(package, version, _best(found, offers))


def _newest(package: DeclaredPackage, versions: Sequence[str], offers: Offers, platform: Platform) -> Resolved:
    """The newest version that an index has: of all indexes, or of the first that has any."""
    if not offers.clear or not versions:
        return Resolved(package, NOT_ASKED, OPEN)
    groups = [Offers((offer,), True) for offer in offers.items] if offers.first else [offers]
    for group in groups:
        for version in versions:
            found = _variants(version, group, platform)
            if found:
                return Resolved(package, version, _best(found, group))
    return Resolved(package, NOT_ASKED, OPEN)


def _variants(version: str, offers: Offers, platform: Platform) -> list[str]:
    """The builds of a release that these indexes have, in their order; "" for one that nobody can vouch for."""
    out = []
    for offer in offers.items:
        if offer.kind == "variant":
            build = torch_build(version, offer.variant, platform)
            if offer.variant.startswith(("rocm", "xpu")):
                out.append(offer.variant)
            elif isinstance(build, TorchBuild):
                out.append(offer.variant if build.published == "yes" else "")
        elif offer.kind == "default":
            plain = default_build(version, platform)
            out += [plain] if isinstance(plain, str) else []
    return out


def _best(found: Sequence[str], offers: Offers) -> Fact[str]:
    """Of the builds of one release the one that is taken; unread where one of them is in doubt.

    pip takes the larger local part, and the default index's files carry none; uv and poetry take the first.
    """
    if "" in found:
        return OPEN
    named = set(offers.variants)
    return found[0] if offers.first else max(found, key=lambda variant: (variant in named, variant))
