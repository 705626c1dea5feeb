"""Do the packages around torch still agree with each other?"""

from __future__ import annotations

from dataclasses import dataclass

from envcheck.facts import Distribution
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, question
from envcheck.rules.torch_build import remedy
from envcheck.rules.torch_build.messages import said
from envcheck.rules.torch_build.requirements import Pin, installed, pins, satisfied, version_of

ECOSYSTEM = ("torch", "numpy", "triton")
"""Requirements on these decide whether compiled packages work; others are the packages' own affair."""

JUDGED_APART = ("torch", "torchvision", "torchaudio")
"""What these three ask for has rules of its own."""


class DependencyConflict(Rule):
    """A package asks for another version of torch, NumPy or triton than the one that is installed.

    What it looks at
        The requirements of the packages around torch whose markers hold here, against what is installed.
    Why it matters
        A later installation changed what an earlier one needed; compiled packages then fail in odd places.
    How to mend it
        Install the packages that must agree in one command, so that the resolver sees them all.
    Cannot tell when
        The requirements of a package were not read: without them nobody can say that all agree.
    References
        pip documentation, dependency resolution; Python packaging: dependency specifiers.
    """

    code, name, rung = "PYE131", "dependency-conflict", "python"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        env = remedy.env_of(case)
        found = case.maybe(lambda: _conflicts(case, env)) if env is not None else None
        conflicts = found[0] if isinstance(found, tuple) else []
        wanted = [f"{c.pin.name}{c.pin.specifier}" for c in conflicts[:1]]
        packages = [c.package for c in conflicts[:1]]
        return Fix(
            title="Install the packages that must agree in one command",
            steps=[remedy.install(case, *packages, *wanted) if wanted else remedy.install(case, "<the packages>")],
            safety="careful",
            verify=f"{remedy.python(case)} -m pip check",
        )


@dataclass(frozen=True)
class _Conflict:
    """One requirement that the installed version does not meet."""

    package: str
    requires: str
    pin: Pin
    installed: str
    have: str


@question("env", DependencyConflict)
def do_the_packages_agree(case: Case) -> Problem | None:
    """Every requirement on torch, NumPy and triton of the packages whose metadata are read."""
    env = case.at("env")
    conflicts, silent = _conflicts(case, env)
    if not conflicts:
        if silent is not None:
            raise silent
        return None
    first = conflicts[0]
    more = f" (and {len(conflicts) - 1} more)" if len(conflicts) > 1 else ""
    return case.problem(
        DependencyConflict,
        f"{first.package} asks for {first.pin.name}{first.pin.specifier}, and {first.have} is installed{more}",
        cause="something was installed later that changed it",
        evidence=[first.requires, first.installed, *said(case, DependencyConflict)],
        fix=DependencyConflict.mend(case),
    )


def _conflicts(case: Case, env: str) -> tuple[list[_Conflict], CannotTell | None]:
    """The unmet requirements, and the first package whose own were not read."""
    packages = installed(case, env)
    first: dict[str, tuple[str, Distribution]] = {}
    for pointer, item in packages:
        first.setdefault(item.name, (pointer, item))
    if not any(name in first for name in ECOSYSTEM):
        raise NotApplicable("neither torch nor NumPy is installed in this environment")
    found: list[_Conflict] = []
    silent: CannotTell | None = None
    for name, (pointer, _) in first.items():
        if name in JUDGED_APART:
            continue
        try:
            for pin in pins(case, env, pointer):
                target = first.get(pin.name)
                if pin.name not in ECOSYSTEM or target is None:
                    continue
                have = version_of(case, target[0])
                if have is not None and not satisfied(pin.specifier, have):
                    found.append(_Conflict(name, f"{pointer}/requires", pin, f"{target[0]}/version", have))
        except CannotTell as unread:
            silent = silent or unread
    return found, silent
