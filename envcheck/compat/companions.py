"""torchvision and torchaudio: which release goes with which torch."""

from __future__ import annotations

import msgspec

from envcheck.facts import Fact, Unread

from . import table
from .rows import Companion, TorchBuild, TorchRelease
from .torch_builds import release
from .version import is_prerelease, key, split_local

LAST_TORCHAUDIO = "2.11.0"
"""torchaudio ends here; it asks for no torch and works with 2.11 and later (pytorch/audio#4189)."""


class Trio(msgspec.Struct, frozen=True):
    """A torch release with its companions; ``torchaudio`` is ``None`` where none was made for it."""

    torch: str
    torchvision: str
    torchaudio: str | None


def trio(torch_version: str, build: TorchBuild | None = None) -> Fact[Trio]:
    """The torchvision and torchaudio that belong to a torch release.

    ``build`` matters for one old release whose index carries another torchvision than the default index.
    """
    found = release(torch_version)
    if not isinstance(found, TorchRelease):
        return found
    vision = build.torchvision if build is not None and build.torchvision else found.torchvision
    return Trio(found.version, vision, found.torchaudio)


def companion_fits(package: str, version: str, torch_version: str) -> Fact[bool]:
    """May this torchvision or torchaudio stand beside this torch, by what its metadata and its makers say?

    From torchvision 0.29.1 and torchaudio 2.11.0 on the metadata pin no torch: the minimum alone is judged there.
    """
    public, _ = split_local(version)
    torch, _ = split_local(torch_version)
    if is_prerelease(version) or is_prerelease(torch_version):
        return Unread("unsupported", "the table holds final releases only")
    rows = [row for row in table.rows("companions", Companion) if row.package == package]
    for row in rows:
        if row.version == public:
            return _fits(row, torch)
    newest = max((row.version for row in rows), key=key)
    if key(public) > key(newest):
        return Unread("newer_than_table", f"{package} {public}; the table ends at {newest}")
    return Unread("missing", f"{package} {public} is not in the table")


def torch_wanted_by(package: str, version: str) -> Fact[str]:
    """What a companion's metadata ask of torch: ``"==2.9.1"``; ``None`` where they ask nothing."""
    public, _ = split_local(version)
    for row in table.rows("companions", Companion):
        if row.package == package and row.version == public:
            return row.requires_torch
    return Unread("missing", f"{package} {public} is not in the table")


def _fits(row: Companion, torch: str) -> bool:
    wanted = row.requires_torch
    if wanted is None:
        return key(torch) >= key(LAST_TORCHAUDIO)
    operator, number = wanted[:2], split_local(wanted[2:])[0]
    if operator == "==":
        return key(torch) == key(number)
    assert operator == ">=", f"{row.package} {row.version}: {wanted}"
    return key(torch) >= key(number)
