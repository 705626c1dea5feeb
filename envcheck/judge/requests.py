"""What to ask of somebody whose machine cannot be touched: the commands whose output would settle what is open.

Derived from what the questions missed: a suspicion is settled on its rung, and a question that ended without an answer
names the fact that it lacked, which some program prints.
"""

from __future__ import annotations

import msgspec

from .report import Report

LONGEST = 3
"""Commands that are asked for at once: more are not answered."""


class Request(msgspec.Struct, frozen=True):
    """One command for the reporter to run, where, and the rules that its output would settle."""

    command: str
    where: str
    settles: tuple[str, ...]


_COLLECT_ENV = ("python -m torch.utils.collect_env", "in the environment that fails")
_SMI = ("nvidia-smi", "on the machine, and inside the container if there is one")
_MODULE = ("lspci -nnk -d 10de: && cat /proc/driver/nvidia/version", "on the machine")
_LOG = ("sudo dmesg | grep -iE 'NVRM|Xid|nvidia'", "on the machine")
_VARIABLES = ("env | grep -E '^(CUDA|NVIDIA|NCCL|LD_)'", "in the shell that starts the program")
_PACKAGES = ("python -m pip list", "in the environment that fails")
_ERROR = ('python -c "import torch; torch.cuda.init()"', "in the environment that fails, with the whole traceback")
EVERYTHING = ("envcheck collect -o snapshot.json", "on the machine; attach the file")

_ASKED: tuple[tuple[str, tuple[str, str]], ...] = (
    ("/driver/recovery_log", _LOG),
    ("/driver/module", _MODULE),
    ("/driver/libraries", EVERYTHING),
    ("/driver", _SMI),
    ("/nvml", _SMI),
    ("/smi", _SMI),
    ("/devices/nodes", EVERYTHING),
    ("/devices", _MODULE),
    ("/host", _COLLECT_ENV),
    ("/cuda", _ERROR),
    ("/container", EVERYTHING),
    ("/environment", _VARIABLES),
    ("/toolkit", _COLLECT_ENV),
    ("/symptoms", _ERROR),
    ("/jupyter", EVERYTHING),
    ("/bench", EVERYTHING),
)
_BY_RUNG: dict[str, tuple[tuple[str, str], ...]] = {
    "hardware": (_MODULE, _SMI),
    "kernel_module": (_SMI, _LOG),
    "device_nodes": (_SMI, EVERYTHING),
    "nvml": (_SMI, _MODULE),
    "cuda_driver": (_SMI, _VARIABLES),
    "cuda_libraries": (_COLLECT_ENV, _VARIABLES),
    "torch_build": (_COLLECT_ENV, _SMI),
    "torch_runtime": (_COLLECT_ENV, _ERROR),
    "python": (_COLLECT_ENV, _PACKAGES),
}
"""What tells whether a suspicion on this rung is right."""

_OF_PYTHON: tuple[tuple[str, tuple[str, str]], ...] = (
    ("distributions", _PACKAGES),
    ("conda_packages", _PACKAGES),
    ("runtime/import", _ERROR),
    ("runtime/init", _ERROR),
)


def requests(report: Report) -> list[Request]:
    """The commands to ask for, the most telling first; none where every root cause is established.

    For a suspicion they are those that would settle it; where nothing was found, those that most questions about
    faults wait for.
    """
    causes = report.root_causes
    if causes and all(finding.confidence == "established" for finding in causes):
        return []
    suspects = [finding for finding in causes if finding.confidence == "suggested"]
    open_ = [v for v in report.verdicts if v.outcome == "cannot_tell" and v.severity == "error"]
    waiting: dict[tuple[str, str], dict[str, None]] = {}
    for finding in suspects:
        for asked in _BY_RUNG.get(finding.rung, (_COLLECT_ENV,)):
            waiting.setdefault(asked, {})[finding.rule] = None
    for verdict in [] if suspects else open_:
        missed = _command(verdict.pointer)
        if missed is not None:
            waiting.setdefault(missed, {})[verdict.rule] = None
    ranked = sorted(waiting.items(), key=lambda item: (item[0] == EVERYTHING, -len(item[1])))[: LONGEST - 1]
    if not any(asked == EVERYTHING for asked, _ in ranked):
        ranked.append((EVERYTHING, {}))
    return [Request(command, where, tuple(rules)) for (command, where), rules in ranked]


def _command(pointer: str) -> tuple[str, str] | None:
    """The program that prints the fact at ``pointer``."""
    if pointer.startswith(("/interpreters", "/target")):
        field = "/".join(pointer.split("/")[3:])
        return next((asked for prefix, asked in _OF_PYTHON if field.startswith(prefix)), _COLLECT_ENV)
    return next((asked for prefix, asked in _ASKED if pointer.startswith(prefix)), None)
