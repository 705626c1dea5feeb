"""torch wheels: which exist, for which Python and platform, and what they carry."""

from __future__ import annotations

from functools import cache

from envcheck.facts import Fact, Unread

from . import table
from .rows import Platform, RocmRelease, TorchBuild, TorchRelease
from .version import cuda_of, is_prerelease, key, split_local

CPU_SOURCE = "torch_releases"
"""CPU builds have no rows of their own: every release has one wherever it has wheels."""


def platform_of(system: str, machine: str) -> Platform | None:
    """The wheel platform of an operating system and processor, as ``platform.system()`` and ``machine()`` name them.

    ``None`` where torch publishes no wheels at all (32-bit, ppc64le, Windows on ARM …).
    """
    arm = machine.lower() in ("aarch64", "arm64")
    intel = machine.lower() in ("x86_64", "amd64", "x64")
    if system == "Linux":
        return "linux_aarch64" if arm else "linux_x86_64" if intel else None
    if system == "Darwin":
        return "macos_arm64" if arm else "macos_x86_64" if intel else None
    return "windows_x86_64" if system == "Windows" and intel else None


def releases() -> list[TorchRelease]:
    """Every torch release on the default index that the table has, oldest first."""
    return table.rows("torch_releases", TorchRelease)


def release(version: str) -> Fact[TorchRelease]:
    """The release of this version (a local part such as ``+cu128`` is ignored).

    ``None``: there is no such release.  :class:`Unread`: newer or older than the table, or no final release.
    """
    public, _ = split_local(version)
    found = _by_version().get(public)
    if found is not None:
        return found
    if is_prerelease(version):
        return Unread("unsupported", f"{version} is no final release; the table holds those only")
    rows = releases()
    if key(public) > key(rows[-1].version):
        return Unread("newer_than_table", f"torch {public}; the table ends at {rows[-1].version}")
    if key(public) < key(rows[0].version):
        return Unread("missing", f"torch {public} is older than the table, which begins at {rows[0].version}")
    return None


def torch_build(version: str, variant: str, platform: Platform) -> Fact[TorchBuild]:
    """One build: ``torch_build("2.9.1", "cu128", "linux_x86_64")``.

    ``None``: no such release, or a variant that the table knows not to exist.  An unlisted CUDA variant of a known
    release is :class:`Unread`, since no listing of the index stands behind the table.
    """
    public, _ = split_local(version)
    for row in _builds().get((public, platform), ()):
        if row.variant == variant:
            return None if row.published == "no" else row
    found = release(version)
    if not isinstance(found, TorchRelease):
        return found
    if variant == "cpu":
        return _cpu_build(found, platform) if platform in found.python else None
    if platform.startswith("macos"):
        return None  # no CUDA on macOS since torch 1.8
    return Unread("missing", f"the table has no build {public}+{variant} for {platform}")


def builds_of(version: str, platform: Platform | None = None) -> list[TorchBuild]:
    """Every build of a release that the table lists (CUDA variants, then CPU), of one platform or of all."""
    public, _ = split_local(version)
    out = [
        row
        for (number, where), rows in _builds().items()
        if number == public and platform in (None, where)
        for row in rows
        if row.published != "no"
    ]
    found = release(version)
    if isinstance(found, TorchRelease):
        out += [_cpu_build(found, p) for p in found.python if platform in (None, p)]
    return out


def default_build(version: str, platform: Platform) -> Fact[str]:
    """The variant that a plain ``pip install torch`` gives there: ``"cu130"``, or ``"cpu"`` on Windows and macOS.

    ``None``: the release has no wheel for the platform.
    """
    found = release(version)
    return found.default.get(platform) if isinstance(found, TorchRelease) else found


def nearest_release(version: str, variant: str, platform: Platform) -> Fact[str]:
    """This torch release where the variant has it, else the nearest one that does: the next older, then newer.

    ``None``: no release has the variant there.  Only builds that are known to be published count.
    """
    having = [
        number
        for (number, where), rows in _builds().items()
        if where == platform and any(row.variant == variant and row.published == "yes" for row in rows)
    ]
    older = [number for number in having if key(number) <= key(version)]
    if older:
        return max(older, key=key)
    return min(having, key=key) if having else None


def is_experimental(version: str, variant: str) -> bool:
    """Did the release call this CUDA variant experimental (RELEASE.md, Release Compatibility Matrix)?"""
    found = release(version)
    return isinstance(found, TorchRelease) and variant in (found.experimental or ())


def pythons_of(version: str, platform: Platform) -> Fact[list[str]]:
    """The Python versions with a wheel of this release there; ``["3.13", "3.13t"]``: the second is free-threaded."""
    found = release(version)
    return found.python.get(platform, []) if isinstance(found, TorchRelease) else found


def python_supported(version: str, python: str, platform: Platform, free_threaded: bool = False) -> Fact[bool]:
    """Is there a wheel of this release for this Python ("3.12", "3.12.4", "3.13t") on this platform?

    From the file names on the default index; wheels of other CUDA variants are built for the same versions.
    """
    pythons = pythons_of(version, platform)
    if isinstance(pythons, Unread) or pythons is None:
        return pythons
    major, minor = key(python)[:2]
    threaded = free_threaded or python.endswith("t")
    return f"{major}.{minor}{'t' if threaded else ''}" in pythons


def glibc_floor(version: str, variant: str | None = None, platform: Platform = "linux_x86_64") -> Fact[str]:
    """The lowest glibc of the wheel: ``"2.17"`` up to torch 2.6, ``"2.28"`` from 2.7 on (manylinux tags)."""
    public, _ = split_local(version)
    for row in _builds().get((public, platform), ()):
        if row.variant == variant and row.glibc:
            return row.glibc
    found = release(version)
    return found.glibc.get(platform) if isinstance(found, TorchRelease) else found


def numpy2_ok(version: str, system: str) -> Fact[bool]:
    """Does this torch know NumPy 2?  On Linux from 2.3.0, on Windows from 2.4.1; on macOS nobody looked."""
    found = release(version)
    if not isinstance(found, TorchRelease):
        return found
    known = found.numpy2.get(system.lower())
    return Unread("missing", f"the table does not say it for {system}") if known is None else known


def cxx11_abi(version: str, variant: str | None = None) -> Fact[bool]:
    """Is the Linux x86_64 wheel built with the new C++ ABI?  From 2.7.0 on; 2.6.0+cu126 already."""
    public, _ = split_local(version)
    for row in _builds().get((public, "linux_x86_64"), ()):
        if row.variant == variant and row.cxx11_abi is not None:
            return row.cxx11_abi
    found = release(version)
    return found.cxx11_abi if isinstance(found, TorchRelease) else found


def cudnn_pin(version: str, variant: str) -> Fact[str]:
    """The cuDNN that this build carries: ``"9.10.2.21"``."""
    return _pin(version, variant, "cudnn")


def nccl_pin(version: str, variant: str) -> Fact[str]:
    """The NCCL that this build carries: ``"2.27.5"``."""
    return _pin(version, variant, "nccl")


def triton_pin(version: str, variant: str) -> Fact[str]:
    """The triton that this release asks for on Linux, as a specifier: ``"==3.5.1"``, ``"~=3.8.0"``.

    The pin belongs to the release: every CUDA variant of it carries the same (RELEASE.md, "Triton dependency").
    """
    if cuda_of(variant) is None:
        return None
    found = release(version)
    if not isinstance(found, TorchRelease):
        return found
    return found.triton if found.triton or key(version) < (2,) else Unread("missing", f"triton of torch {version}")


def rocm_variants(version: str) -> Fact[list[str]]:
    """The ROCm variants of a release, oldest first: ``["rocm6.3", "rocm6.4"]``."""
    public, _ = split_local(version)
    for row in table.rows("torch_rocm", RocmRelease):
        if row.version == public:
            return [f"rocm{number}" for number in row.rocm]
    found = release(version)
    return Unread("missing", f"ROCm variants of torch {public}") if isinstance(found, TorchRelease) else found


def _pin(version: str, variant: str, package: str) -> Fact[str]:
    if cuda_of(variant) is None:
        return None
    public, _ = split_local(version)
    for row in _builds().get((public, "linux_x86_64"), ()):
        if row.variant == variant:
            found: str | None = getattr(row, package)
            return found or Unread("missing", f"the table does not say it for {row.name}")
    known = release(version)
    if not isinstance(known, TorchRelease):
        return known
    return Unread("missing", f"the table has no build {public}+{variant}")


def _cpu_build(found: TorchRelease, platform: Platform) -> TorchBuild:
    return TorchBuild(
        version=found.version,
        variant="cpu",
        platform=platform,
        archs=[],
        ptx=[],
        evidence="wheel",
        published="yes",
        default=found.default.get(platform) == "cpu",
        source=CPU_SOURCE,
        retrieved=found.retrieved,
    )


@cache
def _by_version() -> dict[str, TorchRelease]:
    return {row.version: row for row in releases()}


@cache
def _builds() -> dict[tuple[str, Platform], list[TorchBuild]]:
    out: dict[tuple[str, Platform], list[TorchBuild]] = {}
    for row in table.rows("torch_builds", TorchBuild):
        out.setdefault((row.version, row.platform), []).append(row)
    return out
