"""Do torch and NumPy understand each other?"""

from __future__ import annotations

from envcheck.compat.torch_builds import numpy2_ok
from envcheck.compat.version import key
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, question

from . import build, remedy
from .messages import said
from .requirements import find, version_of


class NumpyAbiMismatch(Rule):
    """This torch was compiled for NumPy 1, and NumPy 2 is installed.

    What it looks at
        Whether libtorch knows NumPy 2 (from its library, else from its release), the installed NumPy, and whether
        tensor.numpy() works.
    Why it matters
        "Numpy is not available", or a crash: tensors cannot be exchanged with NumPy, so data loaders fail.
    How to mend it
        Install NumPy below 2, or a torch that knows NumPy 2 (2.3 and newer on Linux, 2.4.1 on Windows).
    Cannot tell when
        NumPy's version is not known, or neither torch's library nor the table says which NumPy it was built for.
    References
        NumPy 2.0 migration guide; torch_python library (numpy._core); torch release notes.
    """

    code, name, rung = "TOR501", "numpy-abi-mismatch", "torch_build"
    explains = ("dependency-conflict",)

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Install a NumPy that this torch was compiled for",
            steps=[remedy.install(case, "numpy<2", note="or upgrade the package whose module the traceback names")],
            safety="careful",
            verify=remedy.code(case, "import torch; print(torch.ones(1).numpy())"),
        )


@question("env", NumpyAbiMismatch)
def do_torch_and_numpy_fit(case: Case) -> Problem | None:
    """The library against the installed NumPy; where it does not tell, the trial in the child."""
    env = build.require_torch(case)
    found = find(case, env, "numpy")
    if found is None:
        raise NotApplicable("NumPy is not installed, and torch does without")
    version = version_of(case, found[0])
    if version is None:
        raise CannotTell("NumPy has no metadata", f"{found[0]}/version")
    if key(version)[0] < 2:
        return None
    try:
        for_one, witness = _compiled_for_numpy_1(case, env)
    except CannotTell as unread:
        for_one, witness = _trial_fails(case, env, unread)
    return _problem(case, env, version, found[0], witness) if for_one else None


def _compiled_for_numpy_1(case: Case, env: str) -> tuple[bool, str]:
    """(was torch compiled for NumPy 1 only, what says so): its library, else the release by the table."""
    pointer = f"{env}/torch/needs_numpy1"
    try:
        return bool(case.known(pointer, bool)), pointer
    except CannotTell as unread:
        known = numpy2_ok(build.version(case, env), case.present("/host/system", str))
        if not isinstance(known, bool):
            raise unread
        return not known, build.told(case, env, "version")[0]


def _trial_fails(case: Case, env: str, silent: CannotTell) -> tuple[bool, str]:
    pointer = f"{env}/runtime/numpy_ok"
    works = case.known(pointer, bool)
    if works is None:
        raise silent
    return not works, pointer


def _problem(case: Case, env: str, version: str, numpy: str, witness: str) -> Problem:
    torch = remedy.torch_version(case)
    words = remedy.fact(case, f"{env}/runtime/numpy_error")
    error = [f"{env}/runtime/numpy_error"] if isinstance(words, str) and words.strip() else []
    said_so = f": {words.strip().splitlines()[0][:200]}" if isinstance(words, str) and error else ""
    return case.problem(
        NumpyAbiMismatch,
        f"torch {torch or 'here'} was compiled for NumPy 1, and NumPy {version} is installed{said_so}",
        cause="NumPy 2 changed its binary interface; modules compiled for NumPy 1 cannot use it",
        evidence=[f"{numpy}/version", witness, *error, *said(case, NumpyAbiMismatch)],
        fix=NumpyAbiMismatch.mend(case),
    )
