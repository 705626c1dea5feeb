"""Do the interpreter, its pip and its environment belong together?"""

from __future__ import annotations

from functools import partial

from envcheck.compat.version import key
from envcheck.facts import Interpreter
from envcheck.facts.snapshot import RUNNING
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, by_message, question
from envcheck.rules.torch_build import remedy
from envcheck.rules.torch_build.messages import said

from .folders import belongs_to


class BrokenVenv(Rule):
    """This virtual environment has lost the Python that it was made from.

    What it looks at
        Whether the environment's interpreter can be started, and whether its minor version is still the one that
        the environment was made with (pyvenv.cfg).
    Why it matters
        After an upgrade or a removal of the base Python the interpreter does not start, or it looks for packages in
        another folder than the one they were installed into.
    How to mend it
        Make the environment anew and install its packages again.
    Cannot tell when
        Nobody tried to start the interpreter.
    References
        Python documentation, venv (virtual environments are disposable and not movable).
    """

    code, name, rung = "PYE103", "broken-venv", "python"
    essential = True
    explains = (
        "torch-not-installed",
        "wrong-interpreter",
        "torch-import-fails",
        "torch-cuda-unavailable",
        "activation-not-in-effect",
    )

    @staticmethod
    def mend(case: Case) -> Fix:
        env = remedy.env_of(case)
        prefix = remedy.fact(case, f"{env}/prefix") if env is not None else None
        folder = remedy.quoted(case, prefix) if isinstance(prefix, str) else ".venv"
        if env is not None and remedy.fact(case, f"{env}/manager") == "uv":
            steps = [
                Step(where="env", tool="uv", command=f"uv venv --clear {folder}", note="in a project: then uv sync")
            ]
        else:
            saved = f"{remedy.python(case)} -m pip freeze > requirements.txt"
            anew = f"{'python' if remedy.on_windows(case) else 'python3'} -m venv --clear {folder}"
            steps = [Step(where="env", tool="pip", command=anew, note="deletes its packages")]
            if env is None or remedy.fact(case, f"{env}/starts") is not False:
                steps.insert(0, Step(where="env", tool="pip", command=saved, note="if the interpreter still starts"))
        return Fix(title="Make the environment anew", steps=steps, safety="careful", verify=f"{remedy.python(case)} -V")


class PipOfAnotherPython(Rule):
    """The `pip` on PATH installs into another Python than the one that runs.

    What it looks at
        The interpreter that the first pip on PATH runs, against the judged environment.
    Why it matters
        "pip install torch" succeeds, and `import torch` fails all the same.
    How to mend it
        Call pip through the interpreter: `python -m pip` (in an environment of uv: `uv pip`).
    Cannot tell when
        PATH was not looked at, or what pip runs could not be read from its script.
    References
        pip documentation, user guide, running pip.
    """

    code, name, rung = "PYE102", "pip-of-another-python", "python"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Call pip through the interpreter that runs",
            steps=[remedy.install(case, "<package>")],
            verify=f"{remedy.python(case)} -m pip --version",
        )


class ExternallyManaged(Rule):
    """The system manages this Python and refuses packages from pip.

    What it looks at
        The message of pip or uv.
    Why it matters
        Nothing was installed.  --break-system-packages does what its name says.
    How to mend it
        Make a virtual environment and install there.
    Cannot tell when
        No message was seen.
    References
        PEP 668; pip documentation.
    """

    code, name, rung = "PYE104", "externally-managed", "python"

    @staticmethod
    def mend(case: Case) -> Fix:
        steps = [
            Step(where="env", tool="pip", command=f"{remedy.python(case)} -m venv .venv && . .venv/bin/activate"),
            Step(where="env", tool="uv", command="uv venv"),
        ]
        if remedy.fact(case, "/host/os_id") in ("ubuntu", "debian"):
            package = "sudo apt-get install python3-venv"
            steps.insert(0, Step(where="host", tool="apt", command=package, root=True, note="if venv is missing"))
        return Fix(title="Make a virtual environment", steps=steps, verify=".venv/bin/python -m pip --version")


class DiskOrCacheFull(Rule):
    """The disk filled up while packages were installed.

    What it looks at
        The message "No space left on device".
    Why it matters
        A CUDA build of torch needs several gigabytes in the temporary folder, the cache and the environment; a
        half-written library may remain.
    How to mend it
        Make room, or point TMPDIR at a larger disk and go without the cache.
    Cannot tell when
        No message was seen.
    References
        errno ENOSPC; pip documentation, caching.
    """

    code, name, rung = "PYE105", "disk-or-cache-full", "python"

    @staticmethod
    def mend(case: Case) -> Fix:
        python = remedy.python(case)
        return Fix(
            title="Make room for the installation",
            steps=[
                Step(where="env", command="df -h . ~ /tmp", note="which of them is full"),
                Step(where="env", tool="pip", command=f"{python} -m pip cache purge"),
                Step(
                    where="env",
                    tool="pip",
                    command=f"TMPDIR=<folder with room> {python} -m pip install --no-cache-dir …",
                ),
            ],
            safety="careful",
            verify=remedy.import_test(case),
        )


@question("env", BrokenVenv)
def does_the_environment_start(case: Case) -> Problem | None:
    """An interpreter that cannot be started, or one that is another version than its environment."""
    env = case.at("env")
    if case.known(f"{env}/cfg_version", str) is None:
        raise NotApplicable("this is no virtual environment")
    try:
        starts = case.known(f"{env}/starts", bool)
    except CannotTell as unread:
        return _by_files(case, env, unread)
    if starts is False:
        return _broken(case, env, "its interpreter cannot be started", [f"{env}/starts", f"{env}/executable"])
    return _by_version(case, env)


def _by_files(case: Case, env: str, silent: CannotTell) -> Problem | None:
    """Nobody tried to start it: one that answered a probe does start; a link that leads nowhere is a suspicion."""
    if case.maybe(lambda: case.known(f"{env}/probe", str)) == "ok":
        return _by_version(case, env)
    if not case.known(f"{env}/home_missing", bool):
        raise silent
    evidence = [f"{env}/home_missing", f"{env}/executable"]
    return _broken(case, env, "the Python that it was made from is gone", evidence, unsure=True)


def _by_version(case: Case, env: str) -> Problem | None:
    made = case.present(f"{env}/cfg_version", str)
    now = case.present(f"{env}/version", str)
    if key(made)[:2] == key(now)[:2]:
        return None
    why = f"it was made for Python {made}, and its interpreter is now {now}"
    return _broken(case, env, why, [f"{env}/cfg_version", f"{env}/version"])


def _broken(case: Case, env: str, why: str, evidence: list[str], *, unsure: bool = False) -> Problem:
    place = remedy.fact(case, f"{env}/prefix") or remedy.fact(case, f"{env}/executable")
    return case.problem(
        BrokenVenv,
        f"the virtual environment {place} is broken",
        cause=why,
        evidence=[*evidence, *said(case, BrokenVenv)],
        fix=BrokenVenv.mend(case),
        confidence="suggested" if unsure and not said(case, BrokenVenv) else "established",
    )


@question("env", PipOfAnotherPython)
def does_pip_belong_to_this_python(case: Case) -> Problem | None:
    """The first pip on PATH, where the environment is the one that the shell means."""
    env = case.at("env")
    if (
        case.known("/target/interpreter", int) is None
        or f"/interpreters/{case.known('/target/interpreter', int)}" != env
    ):
        raise NotApplicable("the shell does not mean this environment")
    chosen = case.snapshot.target.chosen_by
    if chosen.startswith("--") or chosen == RUNNING:  # in a notebook "!pip" is the shell's own, and that matters
        raise NotApplicable("the environment was named: the shell's own pip is for another one")
    pip = case.known("/environment/pip_interpreter", str)
    if pip is None:
        raise NotApplicable("there is no pip on PATH")
    if belongs_to(case, env, pip):
        return None
    owner = next((p.executable for _, p in _interpreters(case) if p.executable == pip), pip)
    no_pip = remedy.fact(case, f"{env}/has_pip") is False
    programs = remedy.fact(case, "/environment/shell_pip")
    own = isinstance(programs, list) and bool(programs) and case.maybe(partial(belongs_to, case, env, programs[0]))
    return case.problem(
        PipOfAnotherPython,
        f"the pip on PATH installs for {owner}, and {remedy.fact(case, f'{env}/executable')} runs",
        cause="the environment was moved or copied: its pip still names the Python that it was made with"
        if own is True
        else "the environment has no pip of its own, so another one is found"
        if no_pip
        else "the folder of another Python comes first on PATH",
        evidence=["/environment/pip_interpreter", f"{env}/executable", *said(case, PipOfAnotherPython)],
        fix=PipOfAnotherPython.mend(case),
        severity="note" if no_pip else None,
    )


def _interpreters(case: Case) -> list[tuple[str, Interpreter]]:
    return case.maybe_records("/interpreters", Interpreter)


what_refused_the_installation = by_message("what_refused_the_installation", "env", ExternallyManaged, DiskOrCacheFull)
