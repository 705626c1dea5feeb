"""Do two OpenMP runtimes meet in one process?"""

from __future__ import annotations

from envcheck.facts import LibraryCopy
from envcheck.judge import CannotTell, Case, Fix, Problem, Rule, Step, question
from envcheck.rules.torch_build import remedy
from envcheck.rules.torch_build.consequences import UNAVAILABLE
from envcheck.rules.torch_build.messages import matching

from .loader import import_error


class OpenmpDuplicateRuntime(Rule):
    """Two Intel OpenMP runtimes were loaded into one process.

    What it looks at
        The runtime's own message (OMP: Error #15) and the copies in the environment; and whether
        KMP_DUPLICATE_LIB_OK hides the clash.
    Why it matters
        torch brings one and a conda numpy with MKL another: the process is stopped.  KMP_DUPLICATE_LIB_OK=TRUE lets
        it go on and may give wrong numbers.
    How to mend it
        A fresh environment with everything from pip, or everything from conda-forge; unset the variable.
    Cannot tell when
        No message was seen and the environment was not read.  Several copies on disk are normal.
    References
        Intel OpenMP runtime, error 15; conda-forge documentation, switching BLAS implementation.
    """

    code, name, rung = "WIN103", "openmp-duplicate-runtime", "cuda_libraries"
    explains = UNAVAILABLE

    @staticmethod
    def mend(case: Case) -> Fix:
        create = 'conda create -n torch --override-channels -c conda-forge python=3.12 pytorch "libblas=*=*openblas"'
        unset = "Remove-Item Env:KMP_DUPLICATE_LIB_OK" if remedy.on_windows(case) else "unset KMP_DUPLICATE_LIB_OK"
        return Fix(
            title="One OpenMP runtime: everything from one source, in a fresh environment",
            steps=[
                Step(where="env", tool="conda", command=create),
                Step(where="env", tool="pip", command=f"{remedy.python(case)} -m venv .venv", note="then all by pip"),
                Step(where="env", command=unset, note="where it is set: it hides the clash"),
            ],
            verify=remedy.import_test(case),
        )


@question("env", OpenmpDuplicateRuntime)
def are_two_openmp_runtimes_loaded(case: Case) -> Problem | None:
    """The runtime's own message, or the variable that hides it.  Each alone is enough."""
    silent: CannotTell | None = None
    for witness in (_by_import, _by_message, _by_variable):
        try:
            problem = witness(case)
        except CannotTell as unread:
            silent = silent or unread
            continue
        if problem is not None:
            return problem
    if silent is not None:
        raise silent
    return None


def _by_import(case: Case) -> Problem | None:
    pointer, words = import_error(case)
    if words is None or "OMP: Error #15" not in words:
        return None
    return _openmp(case, "`import torch` stops: two OpenMP runtimes meet in one process", [pointer])


def _by_message(case: Case) -> Problem | None:
    messages = matching(case, "OMP: Error #15")
    return _openmp(case, "two OpenMP runtimes met in one process", messages) if messages else None


def _by_variable(case: Case) -> Problem | None:
    hidden = case.variable("KMP_DUPLICATE_LIB_OK")
    if hidden is None or hidden[1].strip().lower() not in ("true", "1", "yes", "on"):
        return None
    return case.problem(
        OpenmpDuplicateRuntime,
        "KMP_DUPLICATE_LIB_OK lets two OpenMP runtimes run in one process",
        cause="the variable hides the clash; crashes and wrong numbers may follow",
        evidence=[hidden[0]],
        fix=OpenmpDuplicateRuntime.mend(case),
        severity="warning",
    )


def _openmp(case: Case, summary: str, evidence: list[str]) -> Problem:
    env = case.at("env")
    copies = case.maybe_records(f"{env}/library_copies", LibraryCopy)
    found = [f"{p}/path" for p, item in copies if item.soname.startswith(("libiomp5", "libomp"))]
    return case.problem(
        OpenmpDuplicateRuntime,
        summary,
        cause="torch brings one OpenMP runtime and another package a second",
        evidence=[*evidence, *found[:3]],
        fix=OpenmpDuplicateRuntime.mend(case),
    )
