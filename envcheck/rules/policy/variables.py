"""Are the environment variables set that the policy requires, and none that it forbids?"""

from __future__ import annotations

import shlex

from envcheck.judge import CannotTell, Case, Fix, Problem, Step, question

from .requirement import Requirement, wanted

READ = "/environment/variables"


class PolicyEnv(Requirement):
    """An environment variable is not set as the policy requires.

    What it looks at
        The variables that the user's shell hands on, against require.env.
    Why it matters
        Networks, caches and allocators of a cluster are set up through them, and a job without runs slow or not at
        all.
    How to mend it
        Export it before the program is started, or change the policy.
    Cannot tell when
        The environment was not read.
    References
        envcheck policy show.
    """

    code, name, rung = "POL151", "policy-env", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        asked = case.policy.require.env
        return Fix(
            title="Export what the policy requires",
            steps=[Step(where="env", command=f"export {name}={shlex.quote(asked[name] or 'VALUE')}") for name in asked],
            verify="envcheck preflight   # in a new shell",
        )


@question("host", PolicyEnv)
def are_the_variables_set_that_the_policy_requires(case: Case) -> Problem | None:
    """Set to that value, where the policy gives one; an empty value counts as set."""
    asked = wanted(case.policy.require.env)
    wrong, evidence = [], []
    for name, value in asked.items():
        found = case.variable(name)
        if found is None:
            wrong.append(f"{name}{f'={value}' if value else ''} (not set)")
        elif value and found[1] != value:
            wrong.append(f"{name}={value} (it is {found[1]!r})")
            evidence.append(found[0])
    if not wrong:
        return None
    return case.problem(
        PolicyEnv,
        f"the policy requires {', '.join(wrong)}",
        cause="the job script, image or shell does not export it",
        evidence=evidence or [READ],
        fix=PolicyEnv.mend(case),
    )


class PolicyEnvForbidden(Requirement):
    """An environment variable is set that the policy forbids.

    What it looks at
        The variables that the user's shell hands on, against forbid.env.
    Why it matters
        Switches of a debugging session that stay behind make every later job slow, or change its numbers.
    How to mend it
        Unset it where it is set, or change the policy.
    Cannot tell when
        The environment was not read.
    References
        envcheck policy show.
    """

    code, name, rung = "POL152", "policy-env-forbidden", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        there = case.maybe(lambda: _set(case))
        names = case.policy.forbid.env if isinstance(there, CannotTell) else [name for name, _, _ in there]
        return Fix(
            title="Unset what the policy forbids",
            steps=[Step(where="env", command=f"unset {' '.join(names)}")],
            verify="envcheck preflight   # in a new shell",
        )


@question("host", PolicyEnvForbidden)
def is_a_variable_set_that_the_policy_forbids(case: Case) -> Problem | None:
    """Set at all: an empty value is a value to CUDA."""
    wanted(case.policy.forbid.env)
    there = _set(case)
    if not there:
        return None
    return case.problem(
        PolicyEnvForbidden,
        f"the policy forbids {', '.join(f'{name} (it is {value!r})' for name, _, value in there)}",
        cause="the job script, image or shell exports it",
        evidence=[pointer for _, pointer, _ in there],
        fix=PolicyEnvForbidden.mend(case),
    )


def _set(case: Case) -> list[tuple[str, str, str]]:
    """(name, pointer, value) of the forbidden variables that are set."""
    found = [(name, case.variable(name)) for name in case.policy.forbid.env]
    return [(name, *pair) for name, pair in found if pair is not None]
