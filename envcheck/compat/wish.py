"""A wish: what is wanted of torch, for which machine, and the builds that come into question."""

from __future__ import annotations

import msgspec

from .machine import Machine, Unclear
from .rows import Platform, TorchBuild, TorchRelease
from .torch_builds import builds_of, releases
from .version import cuda_of, key, split_local

MANAGERS = ("pip", "uv", "conda")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted: the machine, and, where it matters, torch (a specifier), CUDA ("12.8", "12", "cpu").

    ``have`` is a build to be judged beside: "2.7.1+cu128", or "2.10.0" for what a plain install gives.
    """

    machine: Machine
    torch: str | None = None
    cuda: str | None = None
    manager: str | None = None
    have: str | None = None


def check(
    *, torch: str | None = None, cuda: str | None = None, manager: str | None = None, have: str | None = None
) -> None:
    """Raise :class:`~envcheck.compat.machine.Unclear` with one line where a part of a wish is no such thing."""
    if manager is not None and manager not in MANAGERS:
        raise Unclear(f"--manager {manager}: one of {', '.join(MANAGERS)}")
    if cuda is not None and cuda != "cpu":
        _number("--cuda", cuda_of(cuda) or cuda, "12.8, a major such as 12, or cpu")
    if have is not None:
        _number("--have", split_local(have)[0], "2.10.0, or a build such as 2.7.1+cu128")
    releases_within(torch)


def releases_within(spec: str | None) -> list[TorchRelease]:
    """The releases that a specifier allows, oldest first: "2.9", "2.9.1", ">=2.6,<2.10", ``None`` for all.

    Raises :class:`~envcheck.compat.machine.Unclear` for what is no specifier.
    """
    rows = releases()
    if spec is None:
        return rows
    plain, _ = split_local(spec)
    if plain and all(part.isdigit() for part in plain.split(".")):
        return [row for row in rows if key(row.version)[: len(key(plain))] == key(plain)]
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        allowed = SpecifierSet(spec)
    except InvalidSpecifier:
        raise Unclear(f"--torch {spec}: a version such as 2.9, or a specifier such as '>=2.6,<2.10'") from None
    return [row for row in rows if row.version in allowed]


def candidates(found: TorchRelease, platform: Platform, cuda: str | None) -> list[TorchBuild]:
    """The builds of a release that answer a CUDA wish: the CUDA ones, and the default one where it is for CPU."""
    number = cuda_of(cuda) or cuda if cuda else None
    out = []
    for build in builds_of(found.version, platform):
        own = cuda_of(build.variant)
        if own is None:
            fits = cuda == "cpu" or (cuda is None and build.default)
        else:
            fits = number is None or (number != "cpu" and key(own)[: len(key(number))] == key(number))
        if fits:
            out.append(build)
    return out


def wants_cpu(wish: Wish) -> bool:
    """Is a CPU build the answer: asked for, or there is no NVIDIA GPU (on macOS: none was named)?"""
    machine = wish.machine
    if wish.cuda is not None:
        return wish.cuda == "cpu"
    on_mac = isinstance(machine.platform, str) and machine.platform.startswith("macos")
    return machine.has_no_cards or (on_mac and not machine.has_cards)


def _number(option: str, text: str, example: str) -> None:
    if not all(part.isdigit() for part in text.split(".")):
        raise Unclear(f"{option} {text}: a version such as {example}")
