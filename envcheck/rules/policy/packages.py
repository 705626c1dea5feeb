"""Are the packages there that the policy requires, and none that it forbids?"""

from __future__ import annotations

from envcheck.judge import CannotTell, Case, Fix, Problem, Step, question
from envcheck.rules.torch_build import remedy
from envcheck.rules.torch_build.requirements import find, installed, satisfied, version_of

from .requirement import Requirement, specified, wanted


class PolicyPackages(Requirement):
    """A package is not there, or has another version than the policy requires.

    What it looks at
        The distributions of the judged environment against require.packages.
    Why it matters
        The project is tested with these.
    How to mend it
        Install them into the judged environment, or change the policy.
    Cannot tell when
        The environment's packages were not read, or the metadata of one is gone.
    References
        PEP 440, version specifiers; PEP 503, normalised names.
    """

    code, name, rung = "POL143", "policy-packages", "python"
    explained_by = ("torch-not-installed",)

    @staticmethod
    def mend(case: Case) -> Fix:
        unmet = case.maybe(lambda: _unmet(case)[0])
        names = list(case.policy.require.packages) if isinstance(unmet, CannotTell) else [name for name, _, _ in unmet]
        wishes = " ".join(f'"{name}{case.policy.require.packages[name]}"' for name in names)
        return _install("Install the packages that the policy requires", case, f"install {wishes}")


@question("env", PolicyPackages)
def are_the_packages_there_that_the_policy_requires(case: Case) -> Problem | None:
    """Every package of the list; one that is known to be wrong settles it."""
    asked = wanted(case.policy.require.packages)
    unmet, unread = _unmet(case)
    if not unmet:
        if unread is not None:
            raise unread
        return None
    told = [f"{name} {specified(asked[name])} ({have or 'not installed'})" for name, have, _ in unmet]
    return case.problem(
        PolicyPackages,
        f"the policy requires {', '.join(told)}",
        cause="the environment was made from other requirements than the policy's",
        evidence=[pointer for _, _, pointer in unmet if pointer] or [f"{case.at('env')}/executable"],
        fix=PolicyPackages.mend(case),
    )


def _unmet(case: Case) -> tuple[list[tuple[str, str, str]], CannotTell | None]:
    """(name, version or "", its pointer or "") of what is missing or wrong; and the first that cannot be told."""
    env = case.at("env")
    installed(case, env)
    unmet, unread = [], None
    for name, specifier in case.policy.require.packages.items():
        found = find(case, env, name)
        if found is None:
            unmet.append((name, "", ""))
            continue
        try:
            version = version_of(case, found[0])
        except CannotTell as silent:
            unread = unread or silent
            continue
        if version is None:
            unread = unread or CannotTell(f"the metadata of {name} are gone", found[0])
        elif not satisfied(specifier, version):
            unmet.append((name, version, f"{found[0]}/version"))
    return unmet, unread


class PolicyPackageForbidden(Requirement):
    """A package is there that the policy forbids.

    What it looks at
        The distributions of the judged environment against forbid.packages.
    Why it matters
        A package that was replaced, or that brings its own CUDA, breaks others by being there.
    How to mend it
        Uninstall it from the judged environment, or change the policy.
    Cannot tell when
        The environment's packages were not read.
    References
        PEP 503, normalised names.
    """

    code, name, rung = "POL144", "policy-package-forbidden", "python"

    @staticmethod
    def mend(case: Case) -> Fix:
        there = case.maybe(lambda: _forbidden(case))
        names = case.policy.forbid.packages if isinstance(there, CannotTell) else [name for name, _ in there]
        return _install("Uninstall what the policy forbids", case, f"uninstall {' '.join(names)}")


@question("env", PolicyPackageForbidden)
def is_a_package_there_that_the_policy_forbids(case: Case) -> Problem | None:
    """By normalised name; an absent list of packages is no empty one."""
    wanted(case.policy.forbid.packages)
    there = _forbidden(case)
    if not there:
        return None
    return case.problem(
        PolicyPackageForbidden,
        f"the policy forbids {', '.join(name for name, _ in there)}, and the environment has it",
        cause="another package or a person installed it",
        evidence=[f"{pointer}/version" for _, pointer in there],
        fix=PolicyPackageForbidden.mend(case),
    )


def _forbidden(case: Case) -> list[tuple[str, str]]:
    """(name, pointer) of the forbidden packages that are there."""
    env = case.at("env")
    found = [(name, find(case, env, name)) for name in case.policy.forbid.packages]
    return [(name, there[0]) for name, there in found if there is not None]


def _install(title: str, case: Case, what: str) -> Fix:
    python = remedy.python(case)
    return Fix(
        title=title,
        steps=[
            Step(where="env", tool="pip", command=f"{python} -m pip {what}"),
            Step(where="env", tool="uv", command=f"uv pip {what.replace(' ', f' --python {python} ', 1)}"),
        ],
        safety="careful",
        verify=f"{python} -m pip list",
    )
