"""Does each Jupyter kernel lead to a Python that has what the notebook needs?"""

from __future__ import annotations

import shlex
from functools import partial

from envcheck.facts import Interpreter, Kernel, TorchInstall
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Severity, Step, question
from envcheck.rules.cuda_driver.visible_devices import parse
from envcheck.rules.torch_build import remedy
from envcheck.rules.torch_build.messages import said

from .folders import belongs_to

MASK = "CUDA_VISIBLE_DEVICES"


class StaleKernelspec(Rule):
    """A Jupyter kernel points to a Python that is no longer there.

    What it looks at
        The program that the kernelspec names first.
    Why it matters
        The notebook's kernel cannot start: the environment was deleted or moved.
    How to mend it
        Remove the kernelspec, and register the environment that is meant.
    Cannot tell when
        The kernelspec could not be read.
    References
        jupyter_client documentation, kernel specs.
    """

    code, name, rung = "JUP101", "stale-kernelspec", "python"
    explains = ("ipykernel-missing", "jupyter-kernel-other-env")

    @staticmethod
    def mend(case: Case) -> Fix:
        name = _name(case)
        return Fix(
            title="Remove the kernelspec, and register the right environment",
            steps=[
                Step(where="env", command=f"jupyter kernelspec remove {name}"),
                *_register(case, "instead, where it should live on"),
            ],
            safety="careful",
            verify="jupyter kernelspec list",
        )


class IpykernelMissing(Rule):
    """A Jupyter kernel points to a Python that has no ipykernel, so it dies before it answers.

    What it looks at
        Whether ipykernel is installed for the Python that the kernelspec names; other languages need none.
    Why it matters
        "No module named ipykernel_launcher", or "Kernel died before replying".
    How to mend it
        Install ipykernel with that very Python.
    Cannot tell when
        The kernelspec could not be read, or the packages of its Python were not looked at.
    References
        jupyter_client documentation; ipykernel, kernelspec.py.
    """

    code, name, rung = "JUP102", "ipykernel-missing", "python"

    @staticmethod
    def mend(case: Case) -> Fix:
        python = _kernel_python(case)
        if python is None:
            return Fix(
                title="Install ipykernel with the kernel's Python",
                steps=[remedy.install(case, "ipykernel")],
                verify="jupyter kernelspec list",
            )
        quoted = remedy.quoted(case, python)
        return Fix(
            title="Install ipykernel with the kernel's Python",
            steps=[
                Step(where="env", tool="pip", command=f"{quoted} -m pip install ipykernel"),
                Step(where="env", tool="uv", command=f"uv pip install --python {quoted} ipykernel"),
            ],
            verify=f"{quoted} -m ipykernel_launcher --version",
        )


class JupyterKernelOtherEnv(Rule):
    """A Jupyter kernel runs another environment than the one that has torch.

    What it looks at
        The Python that the kernelspec leads to, against the judged environment, and whether torch is in each.
    Why it matters
        `import torch` works in the terminal and fails in the notebook.
    How to mend it
        Register the environment that has torch as a kernel and select it; install from a notebook with %pip only.
    Cannot tell when
        The kernel's environment was not among those that were looked at.
    References
        ipykernel documentation, kernels for different environments; ipykernel, kernelspec.py.
    """

    code, name, rung = "JUP103", "jupyter-kernel-other-env", "python"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Register the environment that has torch as a kernel",
            steps=[
                *_register(case, "then select it in the notebook"),
                Step(
                    where="env",
                    note="in a notebook, write %pip install: it asks the kernel's own Python, !pip does not",
                ),
            ],
            verify="import sys; print(sys.executable)   # in a cell",
        )


class JupyterEnvVarsMissing(Rule):
    """A Jupyter kernel sets CUDA_VISIBLE_DEVICES to something else than the terminal has.

    What it looks at
        The env of the kernelspec, against the variable of the shell.
    Why it matters
        The cards that work in the terminal are hidden in the notebook, or others are used.
    How to mend it
        Edit the env of kernel.json and restart the kernel.
    Cannot tell when
        The kernelspec or the environment was not read.
    References
        jupyter_client documentation, kernel specs (env).
    """

    code, name, rung = "JUP104", "jupyter-env-vars-missing", "python"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        place = case.subject.places.get("kernel")
        path = remedy.fact(case, f"{place}/path") if place is not None else None
        file = f"{path}/kernel.json" if isinstance(path, str) else "kernel.json"
        return Fix(
            title="Edit the variables of the kernelspec",
            steps=[Step(where="env", note=f'take {MASK} out of "env" in {file}, then restart the kernel')],
            verify="import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'))   # in a cell",
        )


def _python_kernel(case: Case) -> str:
    """The pointer of a kernel that runs Python."""
    at = case.at("kernel")
    if case.known(f"{at}/language", str) not in (None, "python"):
        raise NotApplicable("the kernel is not for Python")
    return at


@question("kernel", StaleKernelspec)
def does_the_kernel_lead_anywhere(case: Case) -> Problem | None:
    """The program that would be started."""
    at = case.at("kernel")
    if case.known(f"{at}/interpreter", str) is not None:
        return None
    argv = remedy.fact(case, f"{at}/argv")
    program = argv[0] if isinstance(argv, list) and argv else "its program"
    return case.problem(
        StaleKernelspec,
        f"the Jupyter kernel {_name(case)} points to {program}, which is not there",
        cause="the environment was deleted or moved after the kernel had been registered",
        evidence=[f"{at}/interpreter", *([f"{at}/argv"] if argv is not None else []), *said(case, StaleKernelspec)],
        fix=StaleKernelspec.mend(case),
    )


@question("kernel", IpykernelMissing)
def has_the_kernel_ipykernel(case: Case) -> Problem | None:
    """ipykernel in the Python of the kernel."""
    at = _python_kernel(case)
    case.present(f"{at}/interpreter", str)
    if case.known(f"{at}/has_ipykernel", bool) is not False:
        return None
    return case.problem(
        IpykernelMissing,
        f"the Jupyter kernel {_name(case)} runs a Python without ipykernel",
        cause="the environment was registered by hand, or ipykernel was removed from it",
        evidence=[f"{at}/interpreter", f"{at}/has_ipykernel", *said(case, IpykernelMissing)],
        fix=IpykernelMissing.mend(case),
    )


@question("kernel", JupyterKernelOtherEnv)
def does_the_kernel_have_torch(case: Case) -> Problem | None:
    """The kernel's environment against the judged one.  A kernel without torch may be meant for other work."""
    at = _python_kernel(case)
    python = case.present(f"{at}/interpreter", str)
    target = case.present("/target/interpreter", int)
    env = f"/interpreters/{target}"
    if case.known(f"{env}/torch", TorchInstall) is None:
        raise NotApplicable("the judged environment has no torch either")
    if belongs_to(case, env, python):
        return None
    other = _environment_of(case, python)
    if other is None:
        raise CannotTell("the kernel's environment was not looked at", f"{at}/interpreter")
    if case.known(f"{other}/torch", TorchInstall) is not None:
        return None
    executable = remedy.fact(case, f"{env}/executable")
    messages = said(case, JupyterKernelOtherEnv)
    severity: Severity | None = None if messages or not _another_kernel_serves(case, env, at) else "note"
    return case.problem(
        JupyterKernelOtherEnv,
        f"the Jupyter kernel {_name(case)} runs {python}, which has no torch; {executable} has it",
        cause="notebooks run the Python of their kernel, not the one of the terminal",
        evidence=[f"{at}/interpreter", f"{other}/torch", f"{env}/executable", *messages],
        fix=JupyterKernelOtherEnv.mend(case),
        severity=severity,
    )


def _environment_of(case: Case, python: str) -> str | None:
    """The pointer of the environment that an interpreter belongs to, among those that were looked at."""
    for pointer, _ in case.records("/interpreters", Interpreter):
        if case.maybe(partial(belongs_to, case, pointer, python)) is True:
            return pointer
    return None


def _another_kernel_serves(case: Case, env: str, this: str) -> bool:
    """Does some other kernel run the judged environment?  For the severity only."""
    for pointer, kernel in case.maybe_records("/jupyter/kernels", Kernel):
        if pointer == this or not isinstance(kernel.interpreter, str):
            continue
        if case.maybe(partial(belongs_to, case, env, kernel.interpreter)) is True:
            return True
    return False


@question("kernel", JupyterEnvVarsMissing)
def does_the_kernel_hide_cards(case: Case) -> Problem | None:
    """CUDA_VISIBLE_DEVICES of kernel.json against the shell's."""
    at = _python_kernel(case)
    value = None
    for entry in case.known(f"{at}/variables", list) or []:
        name, _, text = str(entry).partition("=")
        if name == MASK:
            value = text
    if value is None:
        return None
    shell = case.variable(MASK)
    if shell is not None and shell[1] == value:
        return None
    hides = not parse(value).items
    terminal = f"has {shell[1]!r}" if shell is not None else "has none"
    return case.problem(
        JupyterEnvVarsMissing,
        f"the Jupyter kernel {_name(case)} sets {MASK}={value!r}, and the terminal {terminal}",
        cause="the kernelspec's env sets it" + ("; no card is left for the notebook" if hides else ""),
        evidence=[f"{at}/variables", *([shell[0]] if shell else []), *said(case, JupyterEnvVarsMissing)],
        fix=JupyterEnvVarsMissing.mend(case),
        severity=None if hides else "note",
    )


def _name(case: Case) -> str:
    place = case.subject.places.get("kernel")
    name = remedy.fact(case, f"{place}/name") if place is not None else None
    return shlex.quote(name) if isinstance(name, str) else "<kernel>"


def _kernel_python(case: Case) -> str | None:
    place = case.subject.places.get("kernel")
    python = remedy.fact(case, f"{place}/interpreter") if place is not None else None
    return python if isinstance(python, str) else None


def _register(case: Case, note: str) -> list[Step]:
    """Make the judged environment a kernel of its user."""
    env = remedy.env_of(case)
    prefix = remedy.fact(case, f"{env}/prefix") if env is not None else None
    folder = str(prefix).replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] if isinstance(prefix, str) else "torch"
    name = folder.lstrip(".") or "torch"
    command = f"{remedy.python(case)} -m ipykernel install --user --name {shlex.quote(name)}"
    return [remedy.install(case, "ipykernel"), Step(where="env", command=command, note=note)]
