"""Does a given build run on a machine?  The question of somebody who has it already, or thinks of it."""

from __future__ import annotations

import msgspec

from envcheck.facts import Unread

from .judgement import Code, Rejection, doubts, judge_build, judge_code
from .machine import Machine
from .rows import Platform, TorchBuild
from .torch_builds import default_build, release, torch_build
from .version import cuda_of, split_local
from .wording import running


class Have(msgspec.Struct, frozen=True):
    """The answer.  ``works`` is ``None`` where it cannot be told; ``rule`` names what speaks against the build."""

    build: str
    works: bool | None
    rule: str | None
    why: list[str]


def judge_have(text: str, machine: Machine) -> Have:
    """Judge "2.7.1+cu128", or "2.10.0": what a plain install gives on the machine's platform.

    That nobody told the Python or the C library leaves the answer open to nothing: they are not asked about here.
    """
    version, variant = split_local(text)
    if not isinstance(machine.platform, str):
        return Have(text, None, None, ["the platform is not known, or torch has no wheels for it"])
    if variant is None:
        plain = default_build(version, machine.platform)
        if isinstance(plain, Unread):
            return Have(text, None, None, [str(plain)])
        if plain is None:
            return _unpublished(text, version, machine.platform)
        variant = plain
    name = f"{version}+{variant}"
    if variant.startswith(("rocm", "xpu")):
        return _foreign(name, variant, machine)
    build = torch_build(version, variant, machine.platform)
    if isinstance(build, Unread):
        return _unlisted(name, variant, str(build), machine)
    if build is None:
        return _unpublished(name, version, machine.platform)
    rejections = judge_build(build, machine)
    if rejections:
        return _refused(name, rejections)
    unsure = [d.why for d in doubts(build, machine) if d.about in ("driver", "card") or _codeless(build, d.about)]
    if unsure:
        return Have(name, None, None, unsure)
    return Have(name, True, None, running(build, machine))


def _codeless(build: TorchBuild, about: str) -> bool:
    return about == "build" and build.archs is None


def _refused(name: str, rejections: list[Rejection]) -> Have:
    return Have(name, False, rejections[0].rule, [rejection.why for rejection in rejections])


def _foreign(name: str, variant: str, machine: Machine) -> Have:
    if machine.has_cards:
        return Have(name, False, "torch-rocm-on-nvidia", [f"a {variant} build does not drive NVIDIA GPUs"])
    return Have(name, None, None, [f"a {variant} build is for GPUs of another maker, which are not judged here"])


def _unpublished(name: str, version: str, platform: Platform) -> Have:
    if release(version) is None:
        return Have(name, False, "torch-python-unsupported", [f"there is no torch release {version}"])
    return Have(name, False, "torch-python-unsupported", [f"{name} was not published for {platform}"])


def _unlisted(name: str, variant: str, why: str, machine: Machine) -> Have:
    """A build that the table does not list can still be refused by its CUDA alone."""
    cuda = cuda_of(variant)
    rejections = judge_code(Code(cuda, None, None), machine) if cuda is not None else []
    return _refused(name, rejections) if rejections else Have(name, None, None, [why])
