"""Every environment of a machine: which torch it has, whether that torch can use the GPU here, and which one is meant.

No law of its own: a listing reads the verdicts that the court has given.  They have to be those of a court that asked
about every environment and for which a GPU was required (:data:`POLICY`).
"""

from __future__ import annotations

import msgspec

from envcheck.facts import Fact, Interpreter, Snapshot, TorchInstall, TorchRuntime, Unread

from .finding import Finding
from .policy import Policy
from .report import Report
from .rule import RUNGS
from .subject import subjects

POLICY = Policy(require_gpu=True, all_envs=True)
"""What a court has to be told, so that its report can be listed."""

BELOW_TORCH = RUNGS[: RUNGS.index("cuda_driver") + 1]
"""The rungs that all environments of a machine stand on."""

COMMANDS = ("python", "python3", "pip", "jupyter")


class Usable(msgspec.Struct, frozen=True):
    """Can the GPU be used?  ``answer`` is ``None`` where that cannot be told; ``rule`` names what forbids it."""

    answer: bool | None
    why: str
    rule: str = ""


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """One environment."""

    executable: str
    prefix: str
    name: str | None  # what its manager calls it
    manager: str | None
    python: Fact[str]
    torch: Fact[str]  # None: not installed
    cuda: Fact[str]  # the CUDA that its torch was built with; None: without
    usable: Usable
    means: tuple[str, ...]  # commands of the shell that lead here now
    found_by: tuple[str, ...]
    judged: bool  # the one that ``doctor`` judges
    probed: bool  # its interpreter was asked; otherwise its files were read


class Command(msgspec.Struct, frozen=True):
    """What a command of the shell leads to; ``None``: there is no such command."""

    name: str
    interpreter: Fact[str]


class LostKernel(msgspec.Struct, frozen=True):
    """A Jupyter kernel whose program is not there any more."""

    name: str
    program: str


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """All environments, in the order of a user's interest."""

    machine: Usable
    environments: list[Environment]
    commands: list[Command]
    lost_kernels: list[LostKernel]
    unread: Unread | None = None  # why the search gave nothing


def list_environments(report: Report) -> Listing:
    """Read a report that was made under :data:`POLICY`."""
    snapshot = report.snapshot
    machine = _machine(report)
    pythons = snapshot.interpreters
    environments = []
    if isinstance(pythons, list):
        people = [subject for subject in subjects(snapshot, all_envs=True) if subject.kind == "env"]
        for at, (python, subject) in enumerate(zip(pythons, people, strict=True)):
            usable = _usable(report, python, subject.key, machine)
            environments.append(_environment(python, usable, judged=at == snapshot.target.interpreter))
    return Listing(
        machine=machine,
        environments=sorted(environments, key=_interest),
        commands=_commands(snapshot),
        lost_kernels=_lost_kernels(snapshot),
        unread=pythons if isinstance(pythons, Unread) else None,
    )


def _environment(python: Interpreter, usable: Usable, *, judged: bool) -> Environment:
    torch = python.torch if isinstance(python.torch, TorchInstall) else None
    unread = python.torch if isinstance(python.torch, Unread) else None
    means = python.means if isinstance(python.means, list) else []
    return Environment(
        executable=python.executable,
        prefix=python.prefix if isinstance(python.prefix, str) else python.executable,
        name=python.name if isinstance(python.name, str) else None,
        manager=python.manager if isinstance(python.manager, str) else None,
        python=python.version,
        torch=unread or (torch.version if torch is not None else None),
        cuda=unread or (torch.cuda if torch is not None else None),
        usable=usable,
        means=tuple(word for word in means if word != "python3" or "python" not in means),
        found_by=tuple(python.found_by),
        judged=judged,
        probed=python.probe == "ok",
    )


def _interest(environment: Environment) -> tuple[bool, bool, int]:
    """What the shell means comes first, then what can use the GPU, then what has a torch at all."""
    usable = environment.usable.answer
    return (
        not environment.judged,
        not environment.means,
        0 if usable else 1 if usable is None else 2 if environment.torch is not None else 3,
    )


# --- can it use the GPU? ------------------------------------------------------------------------------------------


def _errors(report: Report) -> list[Finding]:
    """Findings at error level, causes before their consequences."""
    found = [*report.root_causes, *(item.finding for item in report.consequences)]
    return [finding for finding in found if finding.severity == "error"]


def _machine(report: Report) -> Usable:
    """Everything below torch: a fault of the host, or of every card, stops all environments alike."""
    host = report.snapshot.host
    if not isinstance(host, Unread) and host.system == "Darwin":
        return Usable(None, "only NVIDIA cards are judged")
    errors = [finding for finding in _errors(report) if finding.rung in BELOW_TORCH]
    for finding in errors:
        if finding.subject == "host":
            return _forbidden(finding)
    cards = {subject.key for subject in subjects(report.snapshot) if subject.kind == "gpu"}
    broken = {finding.subject: finding for finding in reversed(errors) if finding.subject in cards}
    if cards and cards == set(broken):
        return _forbidden(next(finding for finding in errors if finding.subject in cards))
    for verdict in report.cannot_tell:
        if verdict.rung in BELOW_TORCH and verdict.essential and verdict.asked and verdict.finding is None:
            return Usable(None, verdict.why, verdict.rule)
    return Usable(True, "driver and card answer")


def _usable(report: Report, python: Interpreter, key: str, machine: Usable) -> Usable:
    """The environment's own faults first; then what kind of build it is; then the machine's answer."""
    own = [finding for finding in report.root_causes if finding.subject == key]
    # What follows from a fault below (a driver that is gone) is the machine's answer, not this environment's.
    own += [effect.finding for effect in report.consequences if effect.finding.subject == effect.because_subject == key]
    for finding in own:
        if finding.severity == "error":
            return _forbidden(finding)
    if python.torch is None:
        return Usable(False, "torch is not installed", "torch-not-installed")
    if isinstance(python.torch, Unread):
        return Usable(None, f"its torch: {python.torch}")
    for name, build in (("ROCm", python.torch.hip), ("XPU", python.torch.xpu)):
        if isinstance(build, str):
            return Usable(None, f"its torch is built for {name} {build}; only NVIDIA cards are judged")
    if machine.answer is not True:
        return machine
    if isinstance(python.torch.cuda, Unread):
        return Usable(None, f"what its torch is built for: {python.torch.cuda}")
    if python.torch.cuda is None:
        return Usable(False, "its torch is built without CUDA")
    for verdict in report.cannot_tell:
        if verdict.subject == key and verdict.essential and verdict.asked and verdict.finding is None:
            return Usable(None, verdict.why, verdict.rule)
    return Usable(True, "it computed there" if _computed(python.runtime) else "its files fit the driver and the card")


def _computed(runtime: TorchRuntime | Unread | None) -> bool:
    devices = runtime.devices if isinstance(runtime, TorchRuntime) else None
    return isinstance(devices, list) and any(device.kernel_ok is True for device in devices)


def _forbidden(finding: Finding) -> Usable:
    """``False`` by what was seen; ``None`` where a message only makes it likely."""
    return Usable(False if finding.confidence == "established" else None, finding.summary, finding.rule)


# --- what the shell means -----------------------------------------------------------------------------------------


def _commands(snapshot: Snapshot) -> list[Command]:
    shell = snapshot.environment
    if isinstance(shell, Unread):
        return [Command(name, shell) for name in ("python", "pip", "jupyter")]
    return [
        Command("python", shell.python_interpreter),
        Command("pip", shell.pip_interpreter),
        Command("jupyter", shell.jupyter_interpreter),
    ]


def _lost_kernels(snapshot: Snapshot) -> list[LostKernel]:
    kernels = None if isinstance(snapshot.jupyter, Unread) else snapshot.jupyter.kernels
    lost = []
    for kernel in kernels if isinstance(kernels, list) else []:
        if kernel.interpreter is None:
            program = kernel.argv[0] if isinstance(kernel.argv, list) and kernel.argv else "a program"
            lost.append(LostKernel(kernel.name, program))
    return lost
