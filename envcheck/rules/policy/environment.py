"""Is there a Python for the policy to speak of, and is it the one that it requires?"""

from __future__ import annotations

from envcheck.facts import Interpreter
from envcheck.judge import Case, Fix, NotApplicable, Problem, Step, question
from envcheck.rules.torch_build.requirements import satisfied

from .requirement import Requirement, wanted


class PolicyEnvironment(Requirement):
    """The policy speaks of a Python environment, and none was found.

    What it looks at
        The interpreter that --python, --env or the user's shell names, when the policy requires a Python, a torch or
        packages.
    Why it matters
        Requirements on an environment that is not there would be met by silence.
    How to mend it
        Activate the environment, or name it with --python or --env.
    Cannot tell when
        The shell's Python was not looked for.
    References
        envcheck doctor --help.
    """

    code, name, rung = "POL141", "policy-environment", "python"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Name the environment that the policy is about",
            steps=[Step(where="host", command="envcheck preflight --python .venv")],
        )


@question("host", PolicyEnvironment)
def is_there_a_python_for_the_policy(case: Case) -> Problem | None:
    """The requirements themselves are judged on that interpreter; here only that there is one."""
    if not case.policy.require.needs_environment:
        raise NotApplicable("the policy does not ask for it")
    target = case.known("/target/interpreter", int)
    if target is not None and target < len(case.records("/interpreters", Interpreter)):
        return None
    return case.problem(
        PolicyEnvironment,
        "the policy speaks of a Python environment, and no Python was found",
        cause="no environment is active, and none was named",
        evidence=["/target/interpreter"],
        fix=PolicyEnvironment.mend(case),
    )


class PolicyPython(Requirement):
    """Python has another version than the policy requires.

    What it looks at
        The version of the judged interpreter against require.python (a version specifier: ">=3.11,<3.14").
    Why it matters
        Wheels are made for one minor version; another finds none, or compiles for an hour.
    How to mend it
        Make the environment with a Python within the specifier, or change the policy.
    Cannot tell when
        The interpreter could not be started.
    References
        PEP 440, version specifiers.
    """

    code, name, rung = "POL142", "policy-python", "python"

    @staticmethod
    def mend(case: Case) -> Fix:
        asked = case.policy.require.python
        return Fix(
            title="Make the environment with the Python that the policy requires",
            steps=[Step(where="host", tool="uv", command=f'uv venv --python "{asked}"' if asked else "uv venv")],
            safety="careful",
            verify="python --version",
        )


@question("env", PolicyPython)
def is_it_the_python_that_the_policy_requires(case: Case) -> Problem | None:
    """The interpreter's own answer."""
    asked = wanted(case.policy.require.python)
    pointer = f"{case.at('env')}/version"
    have = case.present(pointer, str)
    if satisfied(asked, have):
        return None
    return case.problem(
        PolicyPython,
        f"the policy requires Python {asked}, the environment has {have}",
        cause="the environment was made with another Python",
        evidence=[pointer, f"{case.at('env')}/executable"],
        fix=PolicyPython.mend(case),
    )
