"""Is NumPy kept below 2 where torch was compiled for NumPy 1?"""

from __future__ import annotations

from envcheck.compat.declared.resolved import requested
from envcheck.compat.declared.wanted import allows, exact
from envcheck.compat.torch_builds import numpy2_ok
from envcheck.compat.version import key
from envcheck.facts import DeclaredPackage, Unread
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, question
from envcheck.rules import plan

NUMPY_2, NUMPY_2_PYTHON = "2.0.2", (3, 9)
"""The last NumPy 2.0, and the lowest Python that NumPy 2.0 has wheels for (NumPy release notes)."""


class NumpyLeftOpen(Rule):
    """torch was compiled for NumPy 1, and nothing keeps NumPy below 2.

    What it looks at
        The release of torch, the line that asks for NumPy, and the Python.
    Why it matters
        The installer takes NumPy 2: "Numpy is not available", or a crash where tensors are exchanged with it.
    How to mend it
        Write numpy<2, or take a torch that knows NumPy 2 (2.3 and newer on Linux, 2.4.1 on Windows).
    Cannot tell when
        The files name no Python, or it is not known which torch comes.
    References
        NumPy 2.0 migration guide; torch_python library (numpy._core).
    """

    code, name, rung = "LNT112", "numpy-left-open", "torch_build"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(title="Keep NumPy below 2", steps=[plan.write(case, "numpy", "numpy<2")])


@question("env", NumpyLeftOpen)
def is_numpy_kept_below_2(case: Case) -> Problem | None:
    """Only where a line asks for NumPy: what nobody names is chosen by other packages' pins."""
    here, environment = plan.declaration(case)
    asked = requested(environment, "numpy")
    if asked is None or environment.lock or asked.manager == "conda":
        raise NotApplicable("the files do not ask for NumPy themselves")
    if exact(asked.wanted) is not None or not allows(asked.wanted, NUMPY_2) or plan.package_of(case, "d2l"):
        return None
    torch = case.present(f"{case.at('env')}/torch/version", str)
    knows = numpy2_ok(torch, case.present("/host/system", str))
    if isinstance(knows, Unread):
        raise CannotTell(str(knows))
    if knows is not False or key(case.present(f"{case.at('env')}/version", str))[:2] < NUMPY_2_PYTHON:
        return None
    at = [p for p, i in case.records(f"{here}/packages", DeclaredPackage) if i.name == "numpy"]
    return case.problem(
        NumpyLeftOpen,
        f"torch {torch} was compiled for NumPy 1, and nothing keeps NumPy below 2",
        cause="an installer takes the newest NumPy that the lines allow",
        evidence=[f"{at[-1]}/wanted", f"{case.at('env')}/torch/version"],
        fix=NumpyLeftOpen.mend(case),
    )
