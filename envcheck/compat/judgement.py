"""Does this build run on this machine, and if not, why: one judgement for recommend, matrix and the rules.

Every :class:`Rejection` names the rule that says the same of an installed build.  What is not known rejects nothing;
:func:`doubts` lists it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from envcheck.facts import Fact, Unread

from .driver import (
    cuda_level_of_driver,
    driver_branch,
    driver_dropped,
    driver_floor,
    gpu_driver_floor,
    last_branch,
)
from .machine import Card, Machine
from .rows import Platform, TorchBuild
from .sm import coverage, parse_target
from .torch_builds import cudnn_pin, glibc_floor, python_supported, pythons_of
from .version import at_least, cuda_of, key, spoken

Needs: TypeAlias = Literal["driver", "card", "python", "platform", "libc", "build"]
"""What would have to be another one for the rejection to fall."""

CUDNN_DROPS = ("9.11", 75)
"""cuDNN from this version on refuses devices below this compute capability (torch/backends/cudnn/__init__.py)."""

OLDEST_GLIBC = "2.17"
"""Every distribution that still runs has at least this one (manylinux2014)."""

RULES = (
    "driver-not-installed",
    "driver-dropped-gpu-arch",
    "driver-too-old-for-gpu",
    "driver-too-old-for-torch",
    "gpu-newer-than-torch-archs",
    "gpu-older-than-torch-archs",
    "ptx-unsupported-toolchain",
    "cudnn-drops-gpu",
    "torch-cpu-only-build",
    "torch-rocm-on-nvidia",
    "macos-no-cuda",
    "torch-python-unsupported",
)
"""The rules that a rejection can name."""


class Rejection(msgspec.Struct, frozen=True, omit_defaults=True):
    """One reason why a build cannot work: the rule's name, a sentence, and what would have to change.

    ``floor`` is the lowest driver, ``ceiling`` the last driver branch, that would do.
    """

    rule: str
    why: str
    needs: Needs
    floor: str | None = None
    ceiling: int | None = None


class Doubt(msgspec.Struct, frozen=True):
    """Something that is not known, so that the build is not sure to work."""

    about: Needs
    why: str


class Code(msgspec.Struct, frozen=True):
    """The GPU side of a build: its CUDA ("12.8"; ``None``: none), cubin and PTX targets, and its cuDNN.

    ``archs`` is ``None`` where they are not known.
    """

    cuda: str | None
    archs: Sequence[str | int] | None
    ptx: Sequence[str | int] | None = ()
    cudnn: Fact[str] = None


def code_of(build: TorchBuild) -> Code:
    """The GPU code of a build of the table."""
    return Code(cuda_of(build.variant), build.archs, build.ptx, cudnn_pin(build.version, build.variant))


def code_installed(cuda: str | None, arch_list: Sequence[str] | None, cudnn: Fact[str] = None) -> Code:
    """The GPU code of an installed torch, from its own arch list (``["sm_90", "compute_120"]``)."""
    if arch_list is None:
        return Code(cuda, None, None, cudnn)
    targets = [(text, parse_target(text)) for text in arch_list]
    return Code(cuda, [t for t, p in targets if not p.ptx], [t for t, p in targets if p.ptx], cudnn)


def judge_build(build: TorchBuild, machine: Machine) -> list[Rejection]:
    """Why this build does not run on this machine; empty where nothing that is known speaks against it."""
    return judge_code(code_of(build), machine) + judge_wheel(build, machine)


def judge_code(code: Code, machine: Machine) -> list[Rejection]:
    """Why GPU code does not run with this driver and these cards.

    A missing driver is held against a build only where a card is known to be there; a driver that is too old always.
    """
    if code.cuda is None:
        return _cpu_only(machine)
    cards = machine.cards if isinstance(machine.cards, list) else []
    out: list[Rejection] = []
    if machine.driver is None:
        out += _no_driver(code.cuda, machine)
    for card in cards:
        out += _driver_and_card(card, machine)
    out += _driver_and_cuda(code.cuda, machine)
    for card in cards:
        out += _code_and_card(code, card, machine)
    return list(dict.fromkeys(out))


def judge_wheel(build: TorchBuild, machine: Machine) -> list[Rejection]:
    """Why the wheel cannot be installed: no file for this Python or platform, or a C library that is too old."""
    out: list[Rejection] = []
    if isinstance(machine.platform, str) and machine.platform != build.platform:
        out.append(_wheel(f"the build is for {build.platform}, this is {machine.platform}", "platform"))
        return out
    if isinstance(machine.python, str):
        threaded = machine.free_threaded is True
        if python_supported(build.version, machine.python, build.platform, threaded) is False:
            label = f"{machine.python}{'t' if threaded else ''}"
            out.append(_wheel(f"no wheel for Python {label}: {_pythons(build.version, build.platform)}", "python"))
    if build.platform.startswith("linux"):
        floor = glibc_floor(build.version, build.variant, build.platform)
        if machine.glibc is None:
            out.append(_wheel("the wheels need glibc; this system has another C library (musl)", "libc"))
        elif isinstance(machine.glibc, str) and isinstance(floor, str) and not at_least(machine.glibc, floor):
            out.append(_wheel(f"the wheel needs glibc >= {floor}, this is {machine.glibc}", "libc"))
    return out


def doubts(build: TorchBuild, machine: Machine) -> list[Doubt]:
    """What is not known about this pairing, the build's own gaps included."""
    out: list[Doubt] = []
    cuda = cuda_of(build.variant)
    if cuda is not None and not machine.has_no_cards:
        if not isinstance(machine.driver, str) and not (machine.driver is None and machine.has_cards):
            state = "there is no driver" if machine.driver is None else "the driver is not known"
            floor = driver_floor(cuda, machine.driver_system)
            out.append(Doubt("driver", f"{state}; CUDA {cuda} needs {_bound(floor)}"))
        if isinstance(machine.cards, Unread):
            out.append(Doubt("card", "the GPU is not known"))
        elif machine.cards:
            out += [Doubt("card", why) for card in machine.cards for why in _card_doubts(build, card, machine)]
        if build.archs is None:
            out.append(Doubt("build", f"which GPU code {build.name} carries is not known"))
    if build.published == "unverified":
        out.append(Doubt("build", f"no listing proves that {build.name} was published for {build.platform}"))
    if isinstance(machine.python, Unread):
        out.append(Doubt("python", f"the Python is not known; {_pythons(build.version, build.platform)}"))
    if isinstance(machine.glibc, Unread) and build.platform.startswith("linux"):
        floor = glibc_floor(build.version, build.variant, build.platform)
        if isinstance(floor, str) and not at_least(OLDEST_GLIBC, floor):
            out.append(Doubt("libc", f"the C library is not known; the wheel needs glibc >= {floor}"))
    return out


def _cpu_only(machine: Machine) -> list[Rejection]:
    if not machine.has_cards:
        return []
    if isinstance(machine.platform, str) and machine.platform.startswith("macos"):
        return [Rejection("macos-no-cuda", "no torch build drives an NVIDIA GPU on macOS", "platform")]
    return [Rejection("torch-cpu-only-build", "a CPU build cannot use the GPU", "build")]


def _no_driver(cuda: str, machine: Machine) -> list[Rejection]:
    if not machine.has_cards:
        return []
    floor = driver_floor(cuda, machine.driver_system)
    why = f"no NVIDIA driver; CUDA {cuda} needs one, {_from(floor)}"
    return [Rejection("driver-not-installed", why, "driver", floor if isinstance(floor, str) else None)]


def _driver_and_card(card: Card, machine: Machine) -> list[Rejection]:
    if not isinstance(machine.driver, str) or not isinstance(card.cc, int):
        return []
    branch = driver_branch(machine.driver, machine.driver_system)
    major = branch if isinstance(branch, int) else key(machine.driver)[0]
    if driver_dropped(major, card.cc) is True:
        last = last_branch(card.cc)
        ceiling = last if isinstance(last, int) else None
        why = f"driver branch {major} no longer drives {card.label}; branch {ceiling} is the last that does"
        return [Rejection("driver-dropped-gpu-arch", why, "driver", ceiling=ceiling)]
    floor = gpu_driver_floor(card.gpu if card.gpu is not None else card.cc, machine.driver_system)
    if isinstance(floor, str) and not at_least(machine.driver, floor):
        why = f"{card.label} needs driver >= {floor} whatever the CUDA; this is {machine.driver}"
        return [Rejection("driver-too-old-for-gpu", why, "driver", floor)]
    return []


def _driver_and_cuda(cuda: str, machine: Machine) -> list[Rejection]:
    floor = driver_floor(cuda, machine.driver_system)
    if not isinstance(machine.driver, str) or not isinstance(floor, str) or at_least(machine.driver, floor):
        return []
    why = f"CUDA {cuda} needs driver >= {floor}, this is {machine.driver}"
    return [Rejection("driver-too-old-for-torch", why, "driver", floor)]


def _code_and_card(code: Code, card: Card, machine: Machine) -> list[Rejection]:
    if code.archs is None or not isinstance(card.cc, int):
        return []
    if _uncertain(code, card):
        return []
    how = coverage(card.cc, code.archs, code.ptx or (), code.cuda)
    has = f"it has {_spoken_list(code.archs, code.ptx)}"
    if how is None:
        newest = max((parse_target(a).cc for a in code.archs), default=0)
        if card.cc < newest:
            return [Rejection("gpu-older-than-torch-archs", f"no code for {card.label}: {has}", "card")]
        return [Rejection("gpu-newer-than-torch-archs", f"no code yet for {card.label}: {has}", "card")]
    if how == "ptx" and isinstance(machine.driver, str) and code.cuda:
        level = cuda_level_of_driver(machine.driver, machine.driver_system)
        if isinstance(level, str) and key(level) < key(code.cuda):
            why = f"only PTX of CUDA {code.cuda} fits {card.label}; the driver compiles PTX up to CUDA {level}"
            return [Rejection("ptx-unsupported-toolchain", why, "driver")]
    first_bad, lowest = CUDNN_DROPS
    if isinstance(code.cudnn, str) and card.cc < lowest and key(code.cudnn) >= key(first_bad):
        why = f"its cuDNN {code.cudnn} refuses {card.label}: from {first_bad} on it needs {spoken(lowest)}"
        return [Rejection("cudnn-drops-gpu", why, "card")]
    return []


def unproven(build: TorchBuild, machine: Machine) -> str:
    """Why a build that nothing speaks against should still not be offered: too little is known of it.  Else ""."""
    if build.published == "unverified":
        return f"no listing proves that {build.name} was published for {build.platform}"
    if cuda_of(build.variant) is None or machine.has_no_cards:
        return ""
    if build.archs is None:
        return f"which GPU code {build.name} carries is not known"
    cards = machine.cards if isinstance(machine.cards, list) else []
    return next((why for card in cards if (why := _uncertain(code_of(build), card))), "")


def _uncertain(code: Code, card: Card) -> str:
    """Whether the code covers the card cannot be told, and why; "" where it can."""
    if code.archs is None or not isinstance(card.cc, int):
        return ""
    how = coverage(card.cc, code.archs, code.ptx or (), code.cuda)
    if isinstance(how, Unread):
        return str(how)
    # "+PTX" is written for a number that is compiled as well: only such a one could help, and none above the card.
    if how is None and code.ptx is None and any(parse_target(arch).cc <= card.cc for arch in code.archs):
        return f"whether its CUDA {code.cuda} build carries PTX for {card.label} is not known"
    return ""


def _card_doubts(build: TorchBuild, card: Card, machine: Machine) -> list[str]:
    if isinstance(card.cc, Unread) or card.cc is None:
        return [f"the compute capability of {card.name} is not known"]
    uncertain = _uncertain(code_of(build), card)
    out = [uncertain] if uncertain else []
    if isinstance(machine.driver, str):
        branch = driver_branch(machine.driver, machine.driver_system)
        major = branch if isinstance(branch, int) else key(machine.driver)[0]
        dropped = driver_dropped(major, card.cc)
        if isinstance(dropped, Unread):
            out.append(str(dropped))
    return out


def _wheel(why: str, needs: Needs) -> Rejection:
    return Rejection("torch-python-unsupported", why, needs)


def _pythons(version: str, platform: Platform) -> str:
    pythons = pythons_of(version, platform)
    if not isinstance(pythons, list) or not pythons:
        return f"torch {version} has no wheels for {platform}"
    return f"torch {version} has {', '.join(pythons)} on {platform}"


def _spoken_list(archs: Sequence[str | int], ptx: Sequence[str | int] | None) -> str:
    names = [spoken(t.cc) + t.suffix for t in map(parse_target, archs)]
    names += [f"{spoken(parse_target(p).cc)}+PTX" for p in ptx or ()]
    return " ".join(names) or "none"


def _from(floor: Fact[str]) -> str:
    return f"from {floor} on" if isinstance(floor, str) else "of a branch that the table does not have"


def _bound(floor: Fact[str]) -> str:
    return f"driver >= {floor}" if isinstance(floor, str) else "a driver that the table does not have"
