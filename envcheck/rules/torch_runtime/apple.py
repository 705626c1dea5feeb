"""Apple machines: the right processor's Python, and does MPS work?"""

from __future__ import annotations

from envcheck.compat.version import at_least
from envcheck.facts import Symptom, TorchInstall
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, RuleType, Step, by_message, question
from envcheck.rules.torch_build import remedy
from envcheck.rules.torch_build.messages import defer_to_messages, said

MPS_NEEDS = "14.0"
"""The oldest macOS of MPS in torch 2.9 and later (text of the macOS wheel; 13.0 up to 2.8)."""
ASKED_AND_FALSE = "mps-is-available-false"
"""The message that read/torch_words.py makes of a typed torch.backends.mps.is_available() and its False."""


class MacosRosettaPython(Rule):
    """This Python is one for Intel processors and runs on an Apple processor under Rosetta.

    What it looks at
        The processor that the interpreter was built for, against the machine's own.
    Why it matters
        It gets no torch newer than 2.2.2, no MPS, and runs slowly.
    How to mend it
        Install an arm64 Python (Miniforge or uv bring one) and make the environment anew.
    Cannot tell when
        The interpreter was not asked, or it is not known which processor the machine has.
    References
        Apple documentation, Rosetta translation environment (sysctl.proc_translated, hw.optional.arm64).
    """

    code, name, rung = "MAC102", "macos-rosetta-python", "python"
    explains = ("macos-intel-unsupported", "mps-macos-too-old", "torch-not-installed", "torch-python-unsupported")

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Make the environment with a Python for Apple processors",
            steps=[
                Step(where="env", tool="uv", command="uv venv --python cpython-3.12-macos-aarch64"),
                Step(
                    where="env",
                    tool="conda",
                    command="CONDA_SUBDIR=osx-arm64 conda create -n torch -c conda-forge python=3.12 pytorch",
                ),
            ],
            verify='python -c "import platform; print(platform.machine())"   # arm64',
        )


class MpsMacosTooOld(Rule):
    """MPS, torch's way to the Apple GPU, is not available here.

    What it looks at
        torch.backends.mps.is_available() in an arm64 Python, and the version of macOS.
    Why it matters
        torch computes on the CPU.  Below macOS 14 the system is too old for it; from 14 on no Metal device is
        visible to the process (a sandbox, a virtual machine, a CI runner): torch's words are the same.
    How to mend it
        Upgrade macOS, or run the program in a plain terminal outside of the sandbox.
    Cannot tell when
        torch was not imported, or the version of macOS is not known.
    References
        torch/backends/mps/__init__.py; text of the macOS wheel.
    """

    code, name, rung = "MAC104", "mps-macos-too-old", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Upgrade macOS, or run where a Metal device is visible",
            steps=[
                Step(where="host", command="softwareupdate --list", note=f"macOS {MPS_NEEDS} or newer is needed"),
                Step(where="host", note="on such a macOS: a plain Terminal, outside of a sandbox or a virtual machine"),
            ],
            verify=remedy.code(case, "import torch; print(torch.backends.mps.is_available())"),
        )


class MpsOpNotImplemented(Rule):
    """An operation is not implemented for MPS.

    What it looks at
        The message of torch that names the operation.
    Why it matters
        The program stops there.  float64 is not supported by MPS either.
    How to mend it
        A newer torch; or let such operations fall back to the CPU, which is slow.
    Cannot tell when
        No message was seen.
    References
        aten/src/ATen/mps/MPSFallback.mm; PyTorch MPS environment variables.
    """

    code, name, rung = "MAC105", "mps-op-not-implemented", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Take a torch that has the operation, or let the CPU do it",
            steps=[
                remedy.install(case, "torch", options="--upgrade"),
                Step(where="env", command="export PYTORCH_ENABLE_MPS_FALLBACK=1", note="instead; before Python starts"),
            ],
            verify="run the failing program again",
        )


class MpsOutOfMemory(Rule):
    """The memory that MPS may use is full.

    What it looks at
        The message of torch, and PYTORCH_MPS_HIGH_WATERMARK_RATIO.
    Why it matters
        Memory is shared with the system.  A ratio of 0.0 lifts the limit and can freeze the whole machine.
    How to mend it
        A smaller batch; leave the ratio alone.
    Cannot tell when
        No message was seen and the environment was not read.
    References
        PyTorch MPS environment variables.
    """

    code, name, rung = "MAC106", "mps-out-of-memory", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Use less memory",
            steps=[
                Step(where="env", note="a smaller batch"),
                Step(where="env", command="unset PYTORCH_MPS_HIGH_WATERMARK_RATIO", note="where it is set"),
            ],
            verify="run the failing program again",
        )


@question("env", MacosRosettaPython)
def is_this_python_for_the_processor(case: Case) -> Problem | None:
    """x86_64 on Apple silicon; each witness of the processor alone is enough."""
    if case.known("/host/system", str) != "Darwin":
        raise NotApplicable("this is no Mac")
    env = case.at("env")
    if case.present(f"{env}/machine", str) != "x86_64":
        return None
    native = case.known("/host/machine", str) == "arm64"
    evidence = "/host/machine" if native else "/host/apple_silicon"
    if not native and not case.known("/host/apple_silicon", bool):
        return None
    return case.problem(
        MacosRosettaPython,
        "this Python is an x86_64 program on an Apple processor",
        cause="it came from an installer for Intel Macs (an old Miniconda, Homebrew in /usr/local)",
        evidence=[f"{env}/machine", evidence],
        fix=MacosRosettaPython.mend(case),
        severity=None if case.policy.require_gpu or _wanted(case, MacosRosettaPython, MpsMacosTooOld) else "warning",
    )


@question("env", MpsMacosTooOld)
def does_mps_work(case: Case) -> Problem | None:
    """Without MPS torch still computes, on the CPU: an error only where somebody asked for it."""
    if case.known("/host/system", str) != "Darwin" or case.known("/host/machine", str) != "arm64":
        raise NotApplicable("MPS needs a Mac with an Apple processor")
    env = case.at("env")
    case.present(f"{env}/torch", TorchInstall)
    if case.known(f"{env}/runtime/imported", bool) is not True:
        raise NotApplicable("torch could not be imported")
    if case.known(f"{env}/runtime/mps_available", bool):
        return None
    version = case.present("/host/os_version", str)
    too_old = not at_least(version, MPS_NEEDS)
    cause = f"torch's MPS needs macOS {MPS_NEEDS}" if too_old else "no Metal device is visible to this process"
    asked = _wanted(case, MpsMacosTooOld)
    return case.problem(
        MpsMacosTooOld,
        f"MPS is not available on macOS {version}",
        cause=cause,
        evidence=[f"{env}/runtime/mps_available", "/host/os_version", *asked],
        fix=MpsMacosTooOld.mend(case),
        severity=None if asked else "warning" if too_old else "note",
    )


def _wanted(case: Case, *rules: RuleType) -> list[str]:
    """The messages of programs that stopped for it, and the answers to people who asked by hand."""
    by_hand = [pointer for pointer, item in case.maybe_records("/symptoms", Symptom) if item.id == ASKED_AND_FALSE]
    return [*said(case, *rules), *by_hand]


@question("env", MpsOutOfMemory)
def is_the_limit_of_mps_lifted(case: Case) -> Problem | None:
    """A ratio of 0.0 is a hazard by itself."""
    found = case.variable("PYTORCH_MPS_HIGH_WATERMARK_RATIO")
    if found is None:
        defer_to_messages(case, MpsOutOfMemory)
        raise NotApplicable("PYTORCH_MPS_HIGH_WATERMARK_RATIO is not set")
    try:
        lifted = float(found[1]) == 0
    except ValueError:
        lifted = False
    if not lifted:
        return None
    return case.problem(
        MpsOutOfMemory,
        f"PYTORCH_MPS_HIGH_WATERMARK_RATIO={found[1]} lifts the memory limit of MPS",
        cause="the variable is set in this environment; running out of memory can freeze the machine",
        evidence=[found[0], *said(case, MpsOutOfMemory)],
        fix=MpsOutOfMemory.mend(case),
        severity=None if said(case, MpsOutOfMemory) else "warning",
    )


what_did_mps_say = by_message("what_did_mps_say", "env", MpsOpNotImplemented)
