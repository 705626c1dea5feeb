"""Does the environment that the shell says is activated also start?"""

from __future__ import annotations

from envcheck.facts.snapshot import RUNNING, RUNNING_NOTEBOOK
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.torch_build import remedy
from envcheck.rules.torch_build.messages import said

VARIABLES = ("VIRTUAL_ENV", "CONDA_PREFIX")


class ActivationNotInEffect(Rule):
    """An environment is activated by its variable, and `python` starts another one.

    What it looks at
        The folder that VIRTUAL_ENV (else CONDA_PREFIX) names, against the environment of the interpreter that `python`
        on PATH starts; links and pyenv's shims are followed.
    Why it matters
        The prompt shows one environment, and programs run in another: what is installed into the one is missing in
        the other.
    How to mend it
        Activate the environment again as the last thing; where its folder was deleted or moved, deactivate it.
    Cannot tell when
        PATH or the variables were not read, or no `python` is on PATH.
    References
        Python documentation, venv, how venvs work; conda documentation, managing environments.
    """

    code, name, rung = "PYE106", "activation-not-in-effect", "python"
    severity = "warning"
    explains = ("pip-of-another-python",)

    @staticmethod
    def mend(case: Case) -> Fix:
        variable = case.maybe(lambda: _activated(case))
        name, folder = (variable[1], variable[2]) if isinstance(variable, tuple) else ("VIRTUAL_ENV", "")
        there = remedy.fact(case, "/environment/activated_interpreter") is not None
        if name == "CONDA_PREFIX":
            again = f"conda activate {remedy.quoted(case, folder)}"
            steps = [
                Step(where="env", tool="conda", command="conda deactivate"),
                Step(where="env", tool="conda", command=again),
            ]
        elif remedy.on_windows(case):
            unset = "Remove-Item Env:VIRTUAL_ENV"
            again = remedy.quoted(case, folder + "\\Scripts\\activate")
            steps = [Step(where="env", command=again if there else unset)]
        else:
            steps = [Step(where="env", command="deactivate 2>/dev/null || unset VIRTUAL_ENV")]
            if there:
                steps.append(Step(where="env", command=f". {remedy.quoted(case, folder + '/bin/activate')}"))
        return Fix(
            title="Activate the environment again" if there else "Deactivate what is not there any more",
            steps=steps,
            verify='python -c "import sys; print(sys.prefix)"',
        )


@question("env", ActivationNotInEffect)
def does_the_activated_environment_start(case: Case) -> Problem | None:
    """The variable against PATH, where the environment is the one that the shell means."""
    env = case.at("env")
    target = case.known("/target/interpreter", int)
    if target is None or f"/interpreters/{target}" != env:
        raise NotApplicable("the shell does not mean this environment")
    chosen = case.snapshot.target.chosen_by
    if chosen.startswith("--") or chosen in (RUNNING, RUNNING_NOTEBOOK):
        raise NotApplicable("the environment was named: the shell's own is another matter")
    in_effect = case.known("/environment/activation_in_effect", bool)
    if in_effect is None:
        raise NotApplicable("no environment is activated")
    if in_effect:
        return None
    variable = _activated(case)
    if variable is None:
        raise NotApplicable("no environment is activated")
    pointer, name, folder = variable
    named = case.known("/environment/activated_interpreter", str)
    if named is None:
        return case.problem(
            ActivationNotInEffect,
            f"{name} names {folder}, which holds no Python",
            cause="the environment was deleted or moved after it had been activated",
            evidence=[pointer, "/environment/activated_interpreter", *said(case, ActivationNotInEffect)],
            fix=ActivationNotInEffect.mend(case),
        )
    started = case.known("/environment/python_interpreter", str)
    return case.problem(
        ActivationNotInEffect,
        f"{name} names {folder}, and python starts {started}",
        cause="another folder comes before the environment's own on PATH: a shell profile, conda's start-up or a "
        "module was read after the activation",
        evidence=[pointer, "/environment/python_interpreter", *said(case, ActivationNotInEffect)],
        fix=ActivationNotInEffect.mend(case),
    )


def _activated(case: Case) -> tuple[str, str, str] | None:
    """(pointer, name, value) of the variable that counts; ``None`` where neither is set."""
    for name in VARIABLES:
        found = case.variable(name)
        if found is not None and found[1]:
            return found[0], name, found[1]
    return None
