"""Is this Python of an age that torch and envcheck can work with?"""

from __future__ import annotations

from envcheck.judge import Case, Fix, Problem, Rule, Step, question

OLDEST_PROBED = (3, 6)
"""The oldest Python that envcheck's probe runs in."""


class PythonTooOld(Rule):
    """This Python is too old: no torch of today exists for it, and it cannot be looked into.

    What it looks at
        The interpreter's version.
    Why it matters
        Python before 3.6 has had no torch since 1.4, and its packages cannot be examined by the probe; a report on it
        says little.
    How to mend it
        Make an environment with a Python that is supported.
    Cannot tell when
        The interpreter's version is not known.
    References
        torch wheels on the default index; https://devguide.python.org/versions/.
    """

    code, name, rung = "PYE150", "python-too-old", "python"
    severity = "note"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Make an environment with a supported Python",
            steps=[
                Step(where="env", command="uv venv --python 3.12 study", tool="uv"),
                Step(where="env", command="conda create -n study python=3.12", tool="conda"),
                Step(where="env", command="python3 -m venv study", tool="pip"),
            ],
            verify="envcheck doctor --env study",
        )


@question("env", PythonTooOld)
def is_this_python_of_our_time(case: Case) -> Problem | None:
    """By the version alone, which is known even where nothing else could be asked."""
    pointer = f"{case.at('env')}/version"
    version = case.present(pointer, str)
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if len(numbers) < 2 or numbers >= OLDEST_PROBED:
        return None
    return case.problem(
        PythonTooOld,
        f"Python {version} is too old to probe: {'.'.join(map(str, OLDEST_PROBED))} is the oldest",
        cause="it is past its end of life, and no torch of today is made for it",
        evidence=[pointer],
        fix=PythonTooOld.mend(case),
    )
