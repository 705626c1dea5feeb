"""Sentences about a pairing that works: what the driver, the card and the Python have to do with it."""

from __future__ import annotations

from .conda import conda_builds, conda_line
from .driver import driver_floor
from .machine import Card, Machine
from .rows import TorchBuild
from .sm import INTEGRATED, coverage
from .torch_builds import default_build, rocm_variants
from .version import cuda_of, key, spoken


def running(build: TorchBuild, machine: Machine) -> list[str]:
    """Why the build runs: one sentence each for the driver, every card, and the Python, as far as they are known."""
    cuda = cuda_of(build.variant)
    out = []
    if build.platform.startswith("macos"):
        out.append("macOS builds compute on the CPU and on Apple GPUs (MPS), never on NVIDIA ones")
    elif machine.has_no_cards:
        out.append("there is no NVIDIA GPU: it computes on the CPU")
    elif cuda is not None:
        floor = driver_floor(cuda, machine.driver_system)
        if isinstance(machine.driver, str) and isinstance(floor, str):
            out.append(f"CUDA {cuda} needs driver >= {floor}; this is {machine.driver}")
        for card in machine.cards if isinstance(machine.cards, list) else []:
            out += _card_line(build, card)
    if isinstance(machine.python, str):
        threaded = "t" if machine.free_threaded is True else ""
        out.append(f"there is a wheel for Python {machine.python}{threaded} on {build.platform}")
    return out


def asides(build: TorchBuild, machine: Machine, manager: str | None) -> list[str]:
    """What else somebody should know who installs this build."""
    out = []
    if default_build(build.version, build.platform) == "cpu" and build.variant != "cpu":
        out.append(f"a plain install gives a CPU build on {build.platform}: the index is needed")
    rocm = rocm_variants(build.version) if machine.amd else None
    if isinstance(rocm, list):
        out.append(f"an AMD GPU is there: torch {build.version} has {', '.join(rocm)} for it, which is not judged here")
    elif machine.amd:
        out.append("an AMD GPU is there: torch's ROCm builds are for it, which are not judged here")
    if key(build.version) >= (2, 12):
        out.append("torchaudio ends at 2.11.0, which asks for no particular torch; add it only if it is needed")
    if manager == "conda" and build.variant != "cpu":
        own = conda_builds(build.version, machine)
        newest = conda_builds(None, machine)
        if not own and newest:
            line = conda_line(newest[-1])
            out.append(f"conda-forge: not known to have {build.version} for this; the newest is: {line}")
        elif not own:
            out.append("conda-forge: no build known that runs here; environment.yml takes the wheel through pip")
    if isinstance(machine.cards, list) and any(_integrated(card) for card in machine.cards):
        out.append("on a Jetson prefer the wheels that NVIDIA makes for its JetPack; desktop wheels may not fit it")
    if isinstance(machine.python, str) and key(machine.python)[:2] == (3, 14):
        out.append("torchvision refuses Python 3.14.1: use another patch release")
    return out


def _card_line(build: TorchBuild, card: Card) -> list[str]:
    if not isinstance(card.cc, int) or build.archs is None:
        return []
    cuda = cuda_of(build.variant)
    if coverage(card.cc, build.archs, (), cuda) == "cubin":
        code = max(arch for arch in build.archs if coverage(card.cc, [arch], (), cuda) == "cubin")
        return [f"{card.label} runs the {spoken(code)} code in it"]
    if coverage(card.cc, build.archs, build.ptx or (), cuda) == "ptx":
        return [f"{card.label} gets its code compiled by the driver from PTX: the first start is slow"]
    return []


def _integrated(card: Card) -> bool:
    return card.cc in INTEGRATED or "jetson" in card.name.lower()
