"""Does something outside of the environment come before its own packages?"""

from __future__ import annotations

import re

from envcheck.facts import TorchInstall
from envcheck.judge import Case, Fix, Problem, Rule, Step, question
from envcheck.rules.torch_build import remedy
from envcheck.rules.torch_build.messages import said
from envcheck.rules.torch_build.requirements import installed

from .folders import below, plain

WATCHED = ("torch", "torchvision", "torchaudio", "numpy", "triton")
"""Packages that hurt when they come from another place."""

_MINOR = re.compile(r"python(\d\.\d+)")


class UserSiteShadowing(Rule):
    """torch comes from the user's own site-packages (~/.local) although the environment has one.

    What it looks at
        The folder that an import of torch would use, against the user site, and the copies along the search path.
    Why it matters
        The user site comes before the environment's packages in conda and system Pythons: an old `pip install
        --user` wins over what was installed since.
    How to mend it
        Remove the copy in the user site, or set PYTHONNOUSERSITE=1.
    Cannot tell when
        The interpreter was not asked.
    References
        Python documentation, site (USER_SITE, PYTHONNOUSERSITE).
    """

    code, name, rung = "PYE121", "user-site-shadowing", "python"
    severity = "warning"
    explains = (
        "two-torch-copies-on-path",
        "torch-import-fails",
        "numpy-abi-mismatch",
        "torchvision-mismatch",
        "torchaudio-mismatch",
        "dependency-conflict",
        "torch-cuda-unavailable",
    )

    @staticmethod
    def mend(case: Case) -> Fix:
        env = remedy.env_of(case)
        lasting = Step(where="env", command="export PYTHONNOUSERSITE=1", note="afterwards; 0 or empty does nothing")
        if env is not None and remedy.is_conda(case, env):
            command = "conda env config vars set PYTHONNOUSERSITE=1"
            lasting = Step(where="env", tool="conda", command=command, note="afterwards")
        return Fix(
            title="Remove the copy in the user site",
            steps=[
                # With the variable set first, pip would remove the environment's good copy instead.
                Step(
                    where="env",
                    tool="pip",
                    command=f"{remedy.python(case)} -m pip uninstall -y torch",
                    note="removes the copy that is found first; do it before the next step",
                ),
                lasting,
            ],
            safety="careful",
            verify=remedy.code(case, "import torch; print(torch.__file__)"),
        )


class PythonpathShadowing(Rule):
    """PYTHONPATH brings packages of another place before the environment's own.

    What it looks at
        The entries of PYTHONPATH, the packages found there (torch, numpy …), and Python versions in their names.
    Why it matters
        PYTHONPATH comes before everything, even in a virtual environment.  Compiled packages of another Python fail
        to import; those of another version are used silently.
    How to mend it
        Unset it, or take the entry out.  Entries without such packages (ROS, your own source) do no harm.
    Cannot tell when
        The environment variables or the interpreter were not read.
    References
        Python documentation, PYTHONPATH.
    """

    code, name, rung = "PYE122", "pythonpath-shadowing", "python"
    severity = "warning"
    explains = (
        "two-torch-copies-on-path",
        "torch-import-fails",
        "torch-shadowed-by-local-file",
        "numpy-abi-mismatch",
        "torchvision-mismatch",
        "torchaudio-mismatch",
        "dependency-conflict",
        "torch-cuda-unavailable",
    )

    @staticmethod
    def mend(case: Case) -> Fix:
        unset = "Remove-Item Env:PYTHONPATH" if remedy.on_windows(case) else "unset PYTHONPATH"
        return Fix(
            title="Start Python without that PYTHONPATH",
            steps=[Step(where="env", command=unset, note="lasting: where it is set (shell profile, module, launcher)")],
            verify=remedy.code(case, "import torch; print(torch.__file__)"),
        )


class TwoTorchCopiesOnPath(Rule):
    """Several copies of torch lie on the search path, and the order decides which one runs.

    What it looks at
        Every torch/version.py along the path that Python searches.
    Why it matters
        What is imported may change with the folder that a program is started in.
    How to mend it
        Uninstall all but one.
    Cannot tell when
        The interpreter was not asked.
    References
        Python documentation, the initialization of the sys.path module search path.
    """

    code, name, rung = "PYE123", "two-torch-copies-on-path", "python"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Leave one copy of torch",
            steps=[
                remedy.uninstall(
                    case, "torch", note="each call removes the copy that is found first; repeat until none"
                ),
                *remedy.same_again(case),
            ],
            safety="careful",
            verify=remedy.code(case, "import torch; print(torch.__file__)"),
        )


@question("env", UserSiteShadowing, PythonpathShadowing, TwoTorchCopiesOnPath)
def where_do_the_packages_come_from(case: Case) -> Problem | None:
    """PYTHONPATH comes first on the path, then the user site; otherwise only the number of copies is left."""
    env = case.at("env")
    foreign = _by_pythonpath(case, env)
    if foreign is not None:
        return foreign
    if case.known(f"{env}/torch", TorchInstall) is None:
        return None
    copies = case.known(f"{env}/torch/copies", list) or []
    if len(copies) < 2:
        return None
    location = case.present(f"{env}/torch/location", str)
    user = case.known(f"{env}/user_site", str)
    if user is not None and below(location, user):
        error = _import_error(case, env)
        return case.problem(
            UserSiteShadowing,
            f"torch comes from {location}, and the environment has a copy of its own",
            cause="the user's own site-packages come before the environment's",
            evidence=[f"{env}/torch/location", f"{env}/user_site", f"{env}/torch/copies", *error],
            fix=UserSiteShadowing.mend(case),
            severity="error" if error else None,
        )
    return case.problem(
        TwoTorchCopiesOnPath,
        f"{len(copies)} copies of torch lie on the search path; {location} is imported",
        cause="torch was installed into several of the folders that Python searches",
        evidence=[f"{env}/torch/copies", f"{env}/torch/location"],
        fix=TwoTorchCopiesOnPath.mend(case),
    )


def _by_pythonpath(case: Case, env: str) -> Problem | None:
    found = case.variable("PYTHONPATH")
    if found is None:
        return None
    pointer, value = found
    windows = case.known("/host/system", str) == "Windows"
    entries = [entry for entry in value.split(";" if windows else ":") if entry]
    sites = case.known(f"{env}/site_packages", list) or []
    outside = [entry for entry in entries if not any(plain(entry) == plain(str(site)) for site in sites)]
    if not outside:
        return None
    packages = [
        (p, d)
        for p, d in installed(case, env)
        if d.name in WATCHED and any(plain(d.location) == plain(e) for e in outside)
    ]
    minor = ".".join(case.present(f"{env}/version", str).split(".")[:2])
    other = next((e for e in outside if (m := _MINOR.search(plain(e))) and m[1] != minor and _is_site(e)), None)
    location = case.known(f"{env}/torch/location", str) if case.known(f"{env}/torch", TorchInstall) else None
    torch = location is not None and any(below(location, entry) for entry in outside)
    if not packages and other is None and not torch:
        return None
    what = ", ".join(sorted({d.name for _, d in packages} | ({"torch"} if torch else set())))
    summary = f"PYTHONPATH brings {what} from outside of the environment" if what else ""
    evidence = [pointer, *([f"{env}/torch/location"] if torch else []), *[f"{p}/location" for p, _ in packages[:2]]]
    error = _import_error(case, env)
    return case.problem(
        PythonpathShadowing,
        summary or f"PYTHONPATH leads to the packages of another Python ({other}); this one is {minor}",
        cause="entries of PYTHONPATH come before the environment's own packages",
        evidence=[*evidence, *error, *said(case, PythonpathShadowing)],
        fix=PythonpathShadowing.mend(case),
        severity="error" if error else None,
    )


def _import_error(case: Case, env: str) -> list[str]:
    """The pointer of the error that `import torch` ended with: what was found first does not even work."""
    pointer = f"{env}/runtime/import_error"
    return [pointer] if isinstance(remedy.fact(case, pointer), str) else []


def _is_site(entry: str) -> bool:
    """Does the path look like a folder of installed packages (and not only like some Python's home)?"""
    return plain(entry).rsplit("/", 1)[-1] in ("site-packages", "dist-packages")
