"""Is torch in this environment?"""

from __future__ import annotations

import shlex

from envcheck.compat.judgement import judge_wheel
from envcheck.compat.machine import Machine
from envcheck.compat.torch_builds import builds_of, platform_of, releases
from envcheck.compat.version import key
from envcheck.facts import Distribution, Interpreter, TorchInstall
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, RuleType, Step, question

from . import remedy
from .cards import cards_here
from .messages import defer_to_messages, matching, said

OTHER_FRAMEWORKS = ("jax", "jaxlib", "tensorflow", "tensorflow-cpu", "tensorflow-gpu", "cupy", "paddlepaddle-gpu")
NO_MATCHING_WHEEL = r"No matching distribution found for torch|torch==\S+ has no wheels with a matching"
APPLE_WHEELS_END = "2.2.2"
"""The last torch with wheels for Intel Macs (file list of the default index)."""


class TorchNotInstalled(Rule):
    """torch is not installed in this environment.

    What it looks at
        Whether an import of torch would find anything here, and what else the environment works with.
    Why it matters
        `import torch` fails with ModuleNotFoundError.  On a machine without an NVIDIA card, or one that works with
        another framework, that is only a remark.
    How to mend it
        Install the build that fits the driver and the card, through this environment's own interpreter.
    Cannot tell when
        The interpreter could not be asked, or nothing says whether there is a card.
    References
        pip user guide; pytorch.org, Get Started.
    """

    code, name, rung = "TOR111", "torch-not-installed", "torch_build"
    essential = True

    @staticmethod
    def mend(case: Case) -> Fix:
        steps = remedy.first_install(case) or [remedy.install(case, "torch", "torchvision")]
        return Fix(title="Install torch here", steps=steps, verify=remedy.test(case))


class WrongInterpreter(Rule):
    """torch is installed in another environment than the one that runs.

    What it looks at
        Whether an import of torch would find anything here, and which other environment of this machine has one.
    Why it matters
        Every Python has its own packages: what was installed with one is not there for another.
    How to mend it
        Run the environment that has torch, or install torch through the interpreter that runs.
    Cannot tell when
        The interpreter could not be asked.
    References
        pip user guide; Python documentation, venv; conda documentation, managing environments.
    """

    code, name, rung = "PYE101", "wrong-interpreter", "python"
    explains = ("torch-not-installed",)

    @staticmethod
    def mend(case: Case) -> Fix:
        steps = [_activate(case, other) for other in _with_torch(case)[:1]]
        fresh = remedy.first_install(case) or [remedy.install(case, "torch", "torchvision")]
        if steps:
            fresh = [
                Step(where=s.where, tool=s.tool, command=s.command, note=f"instead: install torch here{_more(s.note)}")
                for s in fresh
            ]
        return Fix(
            title="Use the environment that has torch",
            steps=[*steps, *fresh],
            verify='python -c "import torch; print(torch.__file__)"',
        )


class TorchPythonUnsupported(Rule):
    """There is no wheel of torch for this Python on this system.

    What it looks at
        The Python version and build, the platform and the C library against the wheels that each release has.
    Why it matters
        pip then says that no version satisfies the requirement, as though torch did not exist.
    How to mend it
        Make an environment with a Python that torch has wheels for.
    Cannot tell when
        The version of Python or the platform is not known, or is newer than the table.
    References
        Wheel file names of torch on the default index; PEP 600 (manylinux).
    """

    code, name, rung = "TOR112", "torch-python-unsupported", "python"
    explains = ("torch-not-installed",)

    @staticmethod
    def mend(case: Case) -> Fix:
        libc = remedy.fact(case, "/host/libc")
        system, machine = remedy.fact(case, "/host/system"), remedy.fact(case, "/host/machine")
        if isinstance(system, str) and isinstance(machine, str) and platform_of(system, machine) is None:
            title = "Work where torch has wheels"
            where = "Linux on x86_64 or aarch64, Windows on x86_64, or macOS; elsewhere torch is built from source"
            steps = [Step(where="host", note=where)]
        elif isinstance(libc, str) and not libc.startswith("glibc"):
            title = "Work in a system with glibc"
            image = "docker run -it --rm python:3.12-slim"
            steps = [Step(where="container_host", command=image, note="instead of an image based on musl (Alpine)")]
        else:
            title = "Make an environment with a Python that torch has wheels for"
            steps = [
                Step(where="env", tool="uv", command="uv venv --python 3.12"),
                Step(where="env", tool="conda", command="conda create -n torch -c conda-forge python=3.12"),
            ]
        return Fix(title=title, steps=steps, verify='python -c "import torch; print(torch.__version__)"')


class MacosIntelUnsupported(Rule):
    """torch has no wheels for Intel Macs after 2.2.2.

    What it looks at
        The operating system, the processor of the machine and of the interpreter, and whether torch is there.
    Why it matters
        pip finds no matching distribution for any newer torch.
    How to mend it
        Install torch 2.2.2 with numpy below 2 on Python 3.12 or older, or work on another machine.
    Cannot tell when
        It is not known whether the processor is Apple's: then it is an x86_64 Python on an Apple Mac.
    References
        Wheel file names of torch on the default index.
    """

    code, name, rung = "MAC103", "macos-intel-unsupported", "python"
    explains = ("torch-not-installed",)

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Take the last torch for Intel Macs",
            steps=[remedy.install(case, f"torch=={APPLE_WHEELS_END}", "numpy<2", note="Python 3.12 or older")],
            verify=remedy.import_test(case),
        )


@question("env", TorchNotInstalled)
def is_torch_in_this_environment(case: Case) -> Problem | None:
    """Would an import find anything here?"""
    env = case.at("env")
    if case.known(f"{env}/torch", TorchInstall) is not None:
        return None
    shown = cards_here(case)
    framework = _framework(case, env)
    cause = f"this environment works with {framework}" if framework else "it was never installed with this interpreter"
    wanted = (bool(shown) and framework is None) or case.policy.require_gpu
    return case.problem(
        TorchNotInstalled,
        "torch is not installed in this environment",
        cause=cause,
        evidence=[f"{env}/torch", *shown, *said(case, TorchNotInstalled, WrongInterpreter)],
        fix=TorchNotInstalled.mend(case),
        severity=None if wanted else "note",
    )


def _framework(case: Case, env: str) -> str | None:
    for _, item in case.records(f"{env}/distributions", Distribution):
        if item.name in OTHER_FRAMEWORKS:
            return item.name
    return None


@question("env", WrongInterpreter)
def does_another_environment_have_torch(case: Case) -> Problem | None:
    """The environment that was meant, where this one has no torch (failure-modes §19.13)."""
    env = _without_torch(case)
    silent: CannotTell | None = None
    for pointer, other in case.records("/interpreters", Interpreter):
        if pointer == env:
            continue
        try:
            if case.known(f"{pointer}/torch", TorchInstall) is None:
                continue
        except CannotTell as unread:
            silent = silent or unread
            continue
        return _elsewhere(case, env, pointer, other)
    if silent is not None:
        raise silent
    return None


def _elsewhere(case: Case, env: str, pointer: str, other: Interpreter) -> Problem:
    shown = cards_here(case)
    version = remedy.fact(case, f"{pointer}/torch/version")
    messages = said(case, WrongInterpreter)
    wanted = bool(shown or messages) and _framework(case, env) is None
    return case.problem(
        WrongInterpreter,
        f"torch is not installed in this environment; {other.executable} has torch {version or 'of unknown version'}",
        cause="the Python that runs is not the one that torch was installed with",
        evidence=[f"{env}/torch", f"{pointer}/executable", *shown, *messages],
        fix=WrongInterpreter.mend(case),
        severity=None if wanted or case.policy.require_gpu else "note",
    )


def _without_torch(case: Case) -> str:
    env = case.at("env")
    if case.known(f"{env}/torch", TorchInstall) is not None:
        raise NotApplicable("torch is installed in this environment")
    return env


@question("env", TorchPythonUnsupported, MacosIntelUnsupported)
def does_torch_have_wheels_for_this_python(case: Case) -> Problem | None:
    """The newest reason why not one release can be installed here."""
    try:
        env = _without_torch(case)
    except NotApplicable:
        defer_to_messages(case, TorchPythonUnsupported)  # another torch was wanted than the one that is there
        raise
    machine = _described(case, env)
    if machine.platform == "macos_x86_64":
        # On an Apple processor the Python is the mistake: that is judged on its own.
        rule: RuleType = MacosIntelUnsupported
        if case.known("/host/apple_silicon", bool):
            raise NotApplicable("an Apple processor: the interpreter is one for Intel")
        why: str | None = f"torch has no wheels for Intel Macs after {APPLE_WHEELS_END}"
    else:
        rule, why = TorchPythonUnsupported, _why_no_wheel(machine)
    if why is None:
        return None
    shown = cards_here(case)
    messages = matching(case, NO_MATCHING_WHEEL) if case.told("/symptoms") else []
    return case.problem(
        rule,
        f"torch is not installed here, and a plain install cannot succeed: {why}",
        cause="torch was not published for this Python on this system",
        evidence=[f"{env}/torch", f"{env}/version", "/host/machine", *messages],
        fix=rule.mend(case),
        severity=None if shown or messages or case.policy.require_gpu else "note",
    )


def _described(case: Case, env: str) -> Machine:
    """The machine as the wheels' file names see it."""
    system = case.present("/host/system", str)
    libc = case.known("/host/libc", str) if system == "Linux" else "glibc 0"
    name, _, number = (libc or "unknown").partition(" ")
    major, minor = case.present(f"{env}/version", str).split(".")[:2]
    return Machine(
        platform=platform_of(system, case.present("/host/machine", str)),
        python=f"{major}.{minor}",
        free_threaded=bool(case.known(f"{env}/free_threaded", bool)),
        glibc=number if name == "glibc" else None,
    )


def _why_no_wheel(machine: Machine) -> str | None:
    """Why no release has a wheel for it, in the newest release's words; ``None`` where one has."""
    if machine.platform is None:
        return "torch has no wheels for this platform"
    newest = ""
    for found in reversed(releases()):
        for wheel in builds_of(found.version, machine.platform if isinstance(machine.platform, str) else None):
            rejections = judge_wheel(wheel, machine)
            if not rejections:
                return None
            newest = newest or rejections[0].why
    if _is_newer_than_table(machine):
        raise CannotTell(f"Python {machine.python} is newer than the compatibility table")
    return newest


def _is_newer_than_table(machine: Machine) -> bool:
    pythons = [p.rstrip("t") for p in releases()[-1].python.get("linux_x86_64", [])]
    return isinstance(machine.python, str) and key(machine.python) > max(map(key, pythons))


def _with_torch(case: Case) -> list[Interpreter]:
    """Other environments whose files show a torch, for the fix."""
    mine = remedy.env_of(case)
    found = case.maybe_records("/interpreters", Interpreter)
    return [python for pointer, python in found if pointer != mine and isinstance(python.torch, TorchInstall)]


def _activate(case: Case, other: Interpreter) -> Step:
    """Run the environment that has torch, as its manager does it."""
    prefix = other.prefix if isinstance(other.prefix, str) else None
    if other.manager == "conda" and isinstance(other.name, str):
        return Step(where="env", tool="conda", command=f"conda activate {shlex.quote(other.name)}")
    if other.manager == "conda" and prefix is not None:
        return Step(where="env", tool="conda", command=f"conda activate {remedy.quoted(case, prefix)}")
    if prefix is not None and other.manager in ("venv", "virtualenv", "uv", "poetry", "hatch"):
        if remedy.on_windows(case):
            script = remedy.quoted(case, prefix + "\\Scripts\\activate")
            return Step(where="env", command=script)
        return Step(where="env", command=f". {shlex.quote(prefix + '/bin/activate')}")
    return Step(where="env", command=f"{remedy.quoted(case, other.executable)} your_program.py")


def _more(note: str) -> str:
    return f"; {note}" if note else ""
