"""Is the Python that is named one that the project and the course's pins admit?"""

from __future__ import annotations

from envcheck.compat.declared.resolved import requested
from envcheck.compat.declared.wanted import admits, allows, exact
from envcheck.compat.version import key
from envcheck.facts import DeclaredPackage
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules import plan

COURSE_RELEASES = ("1.0.0", "1.0.1", "1.0.2", "1.0.3")
COURSE_NUMPY = "1.23.5"
COURSE_PYTHON_BELOW = (3, 12)
"""d2l 1.0.x pins numpy 1.23.5, whose wheels end with Python 3.11 (d2l-ai/d2l-en setup.py; failure-modes §11)."""


class DeclaredPythonRefused(Rule):
    """The files name a Python that the project itself does not admit.

    What it looks at
        The Python of the base image, of environment.yml or of .python-version, against requires-python.
    Why it matters
        pip, uv and poetry refuse to install the project with it.
    How to mend it
        Name a Python within requires-python, or widen that.
    Cannot tell when
        The files name no Python, or the project asks for none.
    References
        Core metadata specification, Requires-Python.
    """

    code, name, rung = "LNT110", "declared-python-refused", "python"

    @staticmethod
    def mend(case: Case) -> Fix:
        environment = plan.read(case)
        note = f"{environment.python_place or environment.place}: a Python within {environment.requires_python}"
        return Fix(title="Let the two agree", steps=[Step(where=plan.FILE_STEP, note=note)])


class CoursePinsOnNewPython(Rule):
    """The package of the course pins a NumPy that this Python, or another line, cannot have.

    What it looks at
        d2l 1.0.x, which pins numpy 1.23.5, beside the Python and the NumPy that the files ask for.
    Why it matters
        NumPy 1.23.5 has no wheels for Python 3.12 and newer, so it is built from source and that fails.
    How to mend it
        Python 3.11 for the course's pins; or the package with --no-deps beside current libraries.
    Cannot tell when
        The files name no Python, and the Pythons that they admit differ.
    References
        d2l-ai/d2l-en, setup.py and installation chapter.
    """

    code, name, rung = "LNT111", "course-pins-on-new-python", "python"

    @staticmethod
    def mend(case: Case) -> Fix:
        place = plan.read(case).python_place
        steps = [Step(where=plan.FILE_STEP, note=f"{place or 'the environment'}: Python 3.11")]
        steps.append(plan.write(case, "d2l", "install it with --no-deps", "instead, beside current libraries"))
        return Fix(title="Take Python 3.11 for the course's pins", steps=steps)


@question("env", DeclaredPythonRefused)
def does_the_project_admit_its_python(case: Case) -> Problem | None:
    """requires-python against the version that is named."""
    here, environment = plan.declaration(case)
    named = case.present(f"{here}/python", str)
    wanted = case.present(f"{here}/requires_python", str)
    if admits(wanted, ".".join(named.split(".")[:2])):
        return None
    return case.problem(
        DeclaredPythonRefused,
        f"Python {named} is named, and the project asks for {wanted}",
        cause=f"{environment.python_place} and {environment.requires_python_place} contradict each other",
        evidence=[f"{here}/python", f"{here}/requires_python"],
        fix=DeclaredPythonRefused.mend(case),
    )


@question("env", CoursePinsOnNewPython)
def do_the_course_pins_fit_this_python(case: Case) -> Problem | None:
    """NumPy 1.23.5 must be installable, and no other line may forbid it."""
    here, environment = plan.declaration(case)
    found = plan.package_of(case, "d2l")
    if found is None:
        raise NotApplicable("the course's package is not asked for")
    pointer, package = found
    version = exact(package.wanted)
    if version not in COURSE_RELEASES:
        return None
    numpy = requested(environment, "numpy")
    if numpy is not None and numpy.wanted and not allows(numpy.wanted, COURSE_NUMPY):
        at = next(p for p, i in case.records(f"{here}/packages", DeclaredPackage) if i.name == "numpy")
        return _problem(case, version, f"numpy {numpy.wanted} is asked for", [f"{pointer}/wanted", f"{at}/wanted"])
    python = case.known(f"{case.at('env')}/version", str)
    if python is None or key(python)[:2] < COURSE_PYTHON_BELOW:
        return None
    return _problem(
        case, version, f"Python {python} has no wheel of it", [f"{pointer}/wanted", f"{case.at('env')}/version"]
    )


def _problem(case: Case, version: str, why: str, evidence: list[str]) -> Problem:
    return case.problem(
        CoursePinsOnNewPython,
        f"d2l {version} pins numpy {COURSE_NUMPY}, and {why}",
        cause="the course's pins are of 2023",
        evidence=evidence,
        fix=CoursePinsOnNewPython.mend(case),
    )
