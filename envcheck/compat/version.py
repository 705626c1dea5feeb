"""Version numbers: torch releases, drivers, CUDA levels and the wheel tags made of them.

Plain tuples of integers are all that the tables need; ``packaging`` costs more start-up time than it saves here.
"""

from __future__ import annotations

import re

Key = tuple[int, ...]

_NUMBER = re.compile(r"v?(\d+(?:\.\d+)*)")
_PRERELEASE = re.compile(r"\d(?:a|b|rc|\.?dev|\.?post)\d*|nv\d|alpha|beta", re.IGNORECASE)
_CUDA_TAG = re.compile(r"cu(\d+)(\d)")


def key(version: str) -> Key:
    """The comparable form: ``"535.104.05"`` → ``(535, 104, 5)``, ``"2.14.1+cu130"`` → ``(2, 14, 1)``.

    Raises :class:`ValueError` where the text does not begin with a version number.
    """
    found = _NUMBER.match(version.strip())
    if found is None:
        raise ValueError(f"{version!r} is not a version number")
    return tuple(int(part) for part in found.group(1).split("."))


def at_least(version: str, floor: str) -> bool:
    """Is ``version`` the same as ``floor`` or newer, as far as both are told?

    ``580.65.06`` is at least ``580``; a bare branch ``525`` stands for a release of it that is new enough.
    """
    have, want = key(version), key(floor)
    told = min(len(have), len(want))
    return have[:told] >= want[:told]


def split_local(version: str) -> tuple[str, str | None]:
    """``"2.7.1+cu128"`` → ``("2.7.1", "cu128")``; without a local part the second is ``None``."""
    public, plus, local = version.strip().partition("+")
    return public, local if plus and local else None


def is_prerelease(version: str) -> bool:
    """True for nightlies, release candidates and vendor builds: the tables hold final releases only."""
    public, local = split_local(version)
    return bool(_PRERELEASE.search(public)) or bool(local and (local.startswith("git") or ".nv" in local))


def cuda_of(variant: str) -> str | None:
    """The CUDA of a wheel tag: ``"cu126"`` → ``"12.6"``, ``"cu92"`` → ``"9.2"``; ``None`` for ``cpu``, ``rocm6.3`` …"""
    found = _CUDA_TAG.fullmatch(variant)
    return f"{found.group(1)}.{found.group(2)}" if found else None


def variant_of(cuda: str) -> str:
    """The wheel tag of a CUDA version: ``"12.6"`` → ``"cu126"``."""
    major, minor = key(cuda)[:2]
    return f"cu{major}{minor}"


def spoken(compute_capability: int) -> str:
    """A compute capability as people write it: ``89`` → ``"8.9"``, ``120`` → ``"12.0"``."""
    return f"{compute_capability // 10}.{compute_capability % 10}"
