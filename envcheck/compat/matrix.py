"""The table of torch releases against CUDA variants for one machine: what runs, and what each other cell lacks."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from envcheck.facts import Unread

from .driver import driver_floor
from .judgement import Rejection, doubts, judge_build
from .machine import Machine
from .rows import Platform, TorchBuild, TorchRelease
from .torch_builds import builds_of, default_build
from .version import cuda_of, key
from .wish import releases_within

State: TypeAlias = Literal["runs", "driver", "card", "python", "libc", "platform", "build", "unknown", "none"]
"""runs · another driver is needed · card not in the build · no wheel for this Python · C library too old · wrong
platform · CPU build beside a GPU · cannot tell · no such build."""

RECENT = ">=2.0"
"""The releases shown unless others are asked for: the newest patch of each minor."""


class Cell(msgspec.Struct, frozen=True):
    """One build: its state, a few words for the table, the whole reason, and the rule that rejects it."""

    build: str
    state: State
    label: str
    why: str = ""
    rule: str | None = None
    default: bool = False


class Line(msgspec.Struct, frozen=True):
    """One torch release: a cell for each column of the matrix that it has."""

    torch: str
    date: str
    cells: list[Cell]


class Matrix(msgspec.Struct, frozen=True):
    """The whole table.  ``variants`` are its columns, oldest CUDA first; a missing cell is "no such build"."""

    machine: str
    platform: str
    variants: list[str]
    lines: list[Line]


def matrix(machine: Machine, spec: str | None = None) -> Matrix:
    """Judge every build of the releases within ``spec`` (``None``: the newest patch of each minor from 2.0 on).

    Raises :class:`~envcheck.compat.machine.Unclear` for what is no specifier.
    """
    platform = machine.platform
    if platform is None or isinstance(platform, Unread):
        return Matrix(describe(machine), "unknown" if platform is not None else "no wheels", [], [])
    wanted = releases_within(spec or RECENT)
    if spec is None:
        wanted = _newest_patches(wanted)
    lines = [_line(found, platform, machine) for found in reversed(wanted)]
    variants = {cell.build for line in lines for cell in line.cells}
    return Matrix(describe(machine), platform, sorted(variants, key=_order), lines)


def describe(machine: Machine) -> str:
    """The machine in one line: "driver 535.104.05, GeForce RTX 4090 (8.9), Python 3.12"."""
    parts = []
    if isinstance(machine.driver, str):
        parts.append(f"driver {machine.driver}")
    elif machine.driver is None:
        parts.append("no NVIDIA driver")
    if machine.has_no_cards:
        parts.append("no NVIDIA GPU")
    elif isinstance(machine.cards, list):
        parts += dict.fromkeys(card.label for card in machine.cards)
    if isinstance(machine.python, str):
        parts.append(f"Python {machine.python}{'t' if machine.free_threaded is True else ''}")
    if isinstance(machine.glibc, str):
        parts.append(f"glibc {machine.glibc}")
    return ", ".join(parts) or "a machine that nothing is known of"


def _line(found: TorchRelease, platform: Platform, machine: Machine) -> Line:
    shown = [b for b in builds_of(found.version, platform) if b.variant != "cpu" or b.default]
    plain = default_build(found.version, platform)
    return Line(found.version, found.date, [_cell(build, build.variant == plain, machine) for build in shown])


def _cell(build: TorchBuild, default: bool, machine: Machine) -> Cell:
    rejections = judge_build(build, machine)
    if rejections:
        first = rejections[0]
        why = "; ".join(rejection.why for rejection in rejections)
        return Cell(build.variant, first.needs, _label(first), why, first.rule, default)
    unsure = {d.about: d.why for d in doubts(build, machine) if d.about in ("driver", "card", "build")}
    if not unsure:
        return Cell(build.variant, "runs", "runs", "", None, default)
    label = "?"
    if set(unsure) <= {"driver", "card"} and "driver" in unsure:  # not told which driver: say which it takes
        floor = driver_floor(cuda_of(build.variant) or "", machine.driver_system)
        label = _least(floor) if isinstance(floor, str) else "?"
    elif set(unsure) == {"card"}:
        label = "card?"
    return Cell(build.variant, "unknown", label, "; ".join(unsure.values()), None, default)


def _label(rejection: Rejection) -> str:
    if rejection.needs == "driver":
        if rejection.floor is not None:
            return _least(rejection.floor)
        return f"<={rejection.ceiling}" if rejection.ceiling is not None else "driver"
    return {"card": "card", "python": "python", "libc": "glibc", "platform": "system", "build": "cpu"}[rejection.needs]


def _least(floor: str) -> str:
    return ">=" + ".".join(floor.split(".")[:2])


def _newest_patches(rows: list[TorchRelease]) -> list[TorchRelease]:
    newest = {key(row.version)[:2]: row for row in rows}
    return list(newest.values())


def _order(variant: str) -> tuple[int, ...]:
    cuda = cuda_of(variant)
    return key(cuda) if cuda else (0,)
