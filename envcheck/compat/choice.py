"""The build that is chosen among those that run, and everything needed to install it."""

from __future__ import annotations

import msgspec

from .commands import environment_yml, index_url, pip_install, pyproject, uv_install
from .companions import Trio, trio
from .conda import conda_command
from .machine import Machine
from .rows import Platform, TorchBuild
from .torch_builds import default_build, is_experimental
from .version import cuda_of, key


class Choice(msgspec.Struct, frozen=True):
    """A build with its companions and commands.  ``commands["conda"]`` is ``None`` where conda-forge has none."""

    torch: str
    torchvision: str
    torchaudio: str | None
    build: str
    index_url: str
    commands: dict[str, str | None]
    files: dict[str, str]


def choose(fitting: list[TorchBuild], platform: Platform) -> TorchBuild:
    """The best of the builds of one release that run: stable before experimental, the default before others, then
    the newer CUDA."""
    return max(fitting, key=lambda build: _rank(build, platform))


def preference(best: TorchBuild, other: TorchBuild, platform: Platform) -> str:
    """Why ``best`` is preferred to ``other``, which runs as well."""
    for ours, theirs, words in zip(
        _rank(best, platform),
        _rank(other, platform),
        (f"{other.variant} was experimental in this release", f"{best.variant} is what most people run", ""),
        strict=True,
    ):
        if ours != theirs:
            return words or f"{best.variant} is the newer CUDA"
    raise ValueError(f"{best.name} and {other.name} rank alike")


def chosen(build: TorchBuild, machine: Machine) -> Choice:
    """Everything about a build that somebody needs who installs it."""
    known = trio(build.version, build)
    assert isinstance(known, Trio), f"{build.name} has no release row"
    return Choice(
        torch=build.version,
        torchvision=known.torchvision,
        torchaudio=known.torchaudio,
        build=build.variant,
        index_url=index_url(build),
        commands={
            "pip": pip_install(build),
            "uv": uv_install(build),
            "conda": conda_command(build.version, machine) if cuda_of(build.variant) else None,
        },
        files={"pyproject.toml": pyproject(build), "environment.yml": environment_yml(build, machine.python)},
    )


def _rank(build: TorchBuild, platform: Platform) -> tuple[bool, bool, tuple[int, ...]]:
    usual = {default_build(build.version, platform), default_build(build.version, "linux_x86_64")}
    cuda = cuda_of(build.variant)
    return (not is_experimental(build.version, build.variant), build.variant in usual, key(cuda) if cuda else ())
