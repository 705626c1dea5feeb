"""Which torch to install here: the newest build that runs without touching the driver, and the exact command.

Pure: a :class:`~envcheck.compat.wish.Wish` in, a :class:`Recommendation` out, the same every time.
"""

from __future__ import annotations

import msgspec

from envcheck.facts import Unread

from .changes import Judged, changes
from .choice import Choice, choose, chosen, preference
from .have import Have, judge_have
from .judgement import doubts, judge_build, unproven
from .machine import Machine, Unclear
from .rows import Platform, TorchBuild
from .torch_builds import releases
from .wish import Wish, candidates, check, releases_within, wants_cpu
from .wording import asides, running

__all__ = ["Recommendation", "Rejected", "Unclear", "Wish", "check", "recommend"]


class Rejected(msgspec.Struct, frozen=True):
    """A build that was not chosen: ``rule`` names the rule that rejects it, ``None`` where none does."""

    torch: str
    build: str
    rule: str | None
    why: str


class Recommendation(msgspec.Struct, frozen=True):
    """The answer.  ``choice`` is ``None`` only where no build can work: then ``why`` says what would have to change."""

    choice: Choice | None
    why: list[str]
    rejected: list[Rejected]
    have: Have | None

    @property
    def fits(self) -> bool:
        """False where nothing fits, or where the build that was asked about does not work."""
        return self.choice is not None and (self.have is None or self.have.works is not False)


def recommend(wish: Wish) -> Recommendation:
    """Answer a wish.  Raises :class:`~envcheck.compat.machine.Unclear` with one line where it cannot be understood."""
    check(torch=wish.torch, cuda=wish.cuda, manager=wish.manager, have=wish.have)
    machine = wish.machine
    have = judge_have(wish.have, machine) if wish.have is not None else None
    platform = machine.platform
    if platform is None or isinstance(platform, Unread):
        why = "torch has no wheels for this platform" if platform is None else f"the platform is not known ({platform})"
        return Recommendation(None, [why], [], have)
    wanted = releases_within(wish.torch)
    if not wanted:
        newest = releases()[-1].version
        return Recommendation(None, [f"no torch release within {wish.torch}; the table ends at {newest}"], [], have)
    cuda = wish.cuda
    if wants_cpu(wish):
        machine, cuda = msgspec.structs.replace(machine, cards=[]), "cpu"
    rejected: list[Rejected] = []
    judged: list[Judged] = []
    for found in reversed(wanted):
        fitting = []
        for build in candidates(found, platform, cuda):
            rejections = judge_build(build, machine)
            judged.append((build, rejections))
            unready = unproven(build, machine)
            if rejections:
                why = "; ".join(rejection.why for rejection in rejections)
                rejected.append(Rejected(build.version, build.variant, rejections[0].rule, why))
            elif unready:
                rejected.append(Rejected(build.version, build.variant, None, unready))
            else:
                fitting.append(build)
        if fitting:
            best = choose(fitting, platform)
            for build in fitting:
                if build is not best:
                    why = f"runs too; {preference(best, build, platform)}"
                    rejected.append(Rejected(build.version, build.variant, None, why))
            first = found is wanted[-1]
            reasons = [*_reasons(best, machine, wish, first), *_gaps(judged, best, platform)]
            return Recommendation(chosen(best, machine), reasons, rejected, have)
    verdict, *ways = changes(judged, machine)
    return Recommendation(None, [verdict, *_freed(wish), *ways], rejected, have)


def _gaps(judged: list[Judged], best: TorchBuild, platform: Platform) -> list[str]:
    """Newer releases that may have CUDA builds on this platform which the tables do not list."""
    if best.variant == "cpu":
        return []
    newer = {build.version: False for build, _ in judged if build.version != best.version}
    newer |= {build.version: True for build, _ in judged if build.variant != "cpu" and build.version in newer}
    silent = [version for version, listed in newer.items() if not listed]
    return [f"which CUDA builds torch {' and '.join(silent)} has on {platform} is not known here"] if silent else []


def _freed(wish: Wish) -> list[str]:
    """What would run if the wish for a torch or a CUDA were given up."""
    if wish.torch is None and wish.cuda is None:
        return []
    wishes = [f"torch {wish.torch}" if wish.torch else "", f"CUDA {wish.cuda}" if wish.cuda else ""]
    other = recommend(Wish(machine=wish.machine)).choice
    named = " and ".join(text for text in wishes if text)
    return [f"without the wish for {named}: {other.torch}+{other.build} runs here"] if other else []


def _reasons(best: TorchBuild, machine: Machine, wish: Wish, first: bool) -> list[str]:
    within = f" within {wish.torch}" if wish.torch else ""
    open_questions = doubts(best, machine)
    sure = not any(doubt.about in ("driver", "card") for doubt in open_questions)
    lines = [f"torch {best.version} is the newest release{within}{'' if first else ' with a build that runs here'}"]
    lines.append(f"{best.variant} runs here" if sure else f"nothing that is known speaks against {best.variant}")
    if wish.cuda not in (None, "cpu") and wish.machine.has_no_cards:
        lines.append("this machine has no NVIDIA GPU; CUDA was asked for all the same")
    lines += running(best, machine)
    lines += [doubt.why for doubt in open_questions]
    return lines + asides(best, machine, wish.manager)
