"""Nothing fits: what would have to be another one, and which build would run then."""

from __future__ import annotations

from envcheck.facts import Fact

from .driver import driver_branch, driver_dropped, forward_compat, last_branch
from .judgement import Needs, Rejection, unproven
from .machine import Card, Machine
from .rows import TorchBuild
from .sm import INTEGRATED
from .torch_builds import pythons_of
from .version import cuda_of, key

Judged = tuple[TorchBuild, list[Rejection]]

EASY: tuple[Needs, ...] = ("driver", "python", "libc")
"""What can be changed, the easiest first."""

HARD: tuple[Needs, ...] = ("card", "build", "platform")
"""Named only where nothing easy helps."""


def changes(judged: list[Judged], machine: Machine) -> list[str]:
    """One sentence for every single change that would let a build run; else what all of them lack.

    ``judged`` are the builds that were looked at, newest release first, each with its rejections.
    """
    open_ones = [
        why
        for build, rejections in sorted(judged, key=lambda pair: pair[0].published != "yes" or pair[0].archs is None)
        if not rejections and (why := unproven(build, machine))
    ]
    known = [(b, r) for b, r in judged if r and not unproven(b, machine)]
    easy, hard = ([s for needs in group for s in _single(needs, known, machine)] for group in (EASY, HARD))
    out = ["no build is known to run here as it is" if open_ones else "no build runs here as it is"]
    if any(_integrated(card) for card in _cards(machine)):
        out.append("a Jetson takes the torch that NVIDIA builds for its JetPack; its driver comes with the JetPack")
    if not easy and open_ones:
        out.append(f"it cannot be told for every build: {open_ones[0]}")
    return out + (easy or hard or ([] if open_ones else _together(known)))


def _single(needs: Needs, known: list[Judged], machine: Machine) -> list[str]:
    only = [(build, rejections) for build, rejections in known if {r.needs for r in rejections} == {needs}]
    return _sentence(needs, only, machine) if only else []


def _sentence(needs: Needs, only: list[Judged], machine: Machine) -> list[str]:
    build, rejections = only[0]
    if needs == "driver":
        return _driver(only, machine)
    if needs == "python":
        pythons = pythons_of(build.version, build.platform)
        listed = ", ".join(pythons) if isinstance(pythons, list) else "another version"
        return [f"with another Python ({listed}): {build.name}"]
    if needs == "libc":
        return [f"with another system: {build.name}; {rejections[0].why}"]
    if needs == "card":
        return [f"with another GPU only: {rejections[0].why} ({build.name})"]
    if needs == "build":
        return ["a CPU build can be installed, but does not use the GPU (--cuda cpu)"]
    return [rejections[0].why]


def _driver(only: list[Judged], machine: Machine) -> list[str]:
    """The newest build that another driver would run, and the least driver that is enough for any."""
    last = [branch for card in _cards(machine) if isinstance(branch := _last(card), int)]
    at_most = f", branch {min(last)} at most" if last else ""
    reachable = [(b, floor) for b, r in only if (floor := _floor(r)) is None or not _drops(floor, machine)]
    if not reachable:
        return [only[0][1][0].why]
    build, floor = reachable[0]
    if floor is None:  # the driver is too new for the card, not too old for the build
        return [f"with a driver of branch {min(last)}: {build.name}" if last else only[0][1][0].why]
    out = [f"with a driver >= {floor}{at_most}: {build.name}"]
    easy, least = min(((b, f) for b, f in reachable if f is not None), key=lambda pair: key(pair[1]))
    if key(least) < key(floor):
        out.append(f"with a driver >= {least}{at_most}: {easy.name}")
    return out + _compat(only, machine)


def _floor(rejections: list[Rejection]) -> str | None:
    floors = [r.floor for r in rejections if r.floor]
    return max(floors, key=key) if floors else None


def _last(card: Card) -> Fact[int]:
    return last_branch(card.cc) if isinstance(card.cc, int) else None


def _cards(machine: Machine) -> list[Card]:
    return machine.cards if isinstance(machine.cards, list) else []


def _integrated(card: Card) -> bool:
    return card.cc in INTEGRATED


def _drops(floor: str, machine: Machine) -> bool:
    branch = driver_branch(floor, machine.driver_system)
    return isinstance(branch, int) and any(
        isinstance(card.cc, int) and driver_dropped(branch, card.cc) is True for card in _cards(machine)
    )


def _compat(only: list[Judged], machine: Machine) -> list[str]:
    """Without a new kernel driver: a cuda-compat package, on Linux, on data-centre cards only."""
    if machine.driver_system != "Linux" or not isinstance(machine.driver, str) or not machine.has_cards:
        return []
    branch = driver_branch(machine.driver)
    if not isinstance(branch, int) or any(w in c.name for c in _cards(machine) for w in ("GeForce", "TITAN")):
        return []
    for build, rejections in only:
        cuda = cuda_of(build.variant)
        if cuda is None or any(r.rule != "driver-too-old-for-torch" for r in rejections):
            continue
        package = f"cuda-compat-{cuda.replace('.', '-')}"
        if forward_compat(package, branch) == "yes":
            return [f"with {package} over driver branch {branch} (data-centre cards only): {build.name}"]
    return []


def _together(known: list[Judged]) -> list[str]:
    """No single change is enough: the build that needs the fewest, and all that it needs."""
    if not known:
        return ["the tables know no build for this wish and platform"]
    fewest = min(len({r.needs for r in rejections}) for _, rejections in known)
    build, rejections = next((b, r) for b, r in known if len({x.needs for x in r}) == fewest)
    return [f"{build.name} would need several changes: " + "; ".join(r.why for r in rejections)]
