"""Is this torch built for the kind of device that is here?"""

from __future__ import annotations

from envcheck.compat.version import split_local
from envcheck.facts import Symptom
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, RuleType, Step, question

from . import build, remedy
from .cards import amd_card, cards_here
from .consequences import UNAVAILABLE
from .messages import proven, said

ASKED_AND_FALSE = "cuda-is-available-false"
"""The message that read/python_session.py makes of a typed torch.cuda.is_available() and the False below it."""


class TorchCpuOnlyBuild(Rule):
    """This torch was built without CUDA, so it can never use the NVIDIA card of this machine.

    What it looks at
        The CUDA, ROCm and XPU lines of torch/version.py, and whether an NVIDIA card is there for programs to use.
    Why it matters
        torch.cuda.is_available() is False whatever the driver: nothing below torch needs mending for that, and
        nothing mended below it will help.
    How to mend it
        Replace torch (and torchvision) by a build for a CUDA that the driver runs and that has code for the card.
    Cannot tell when
        version.py was not read, or nothing says whether there is a card.
    References
        torch/version.py and torch/cuda/__init__.py of the CPU wheels; conda-forge pytorch-cpu feedstock.
    """

    code, name, rung = "TOR101", "torch-cpu-only-build", "torch_build"
    essential = True
    # Extensions and a torchvision that were built for CUDA do not load beside a torch without it.
    explains = (*UNAVAILABLE, "cxx11-abi-extension", "torchvision-mismatch")

    @staticmethod
    def mend(case: Case) -> Fix:
        return remedy.fitting(case, "Replace the CPU build by one with CUDA")


class WindowsDefaultIndexCpu(Rule):
    """On Windows a plain `pip install torch` gives a build without CUDA.

    What it looks at
        The operating system, the `+cpu` of torch's version, and whether an NVIDIA card is there.
    Why it matters
        The default index has CPU wheels only for Windows; CUDA builds come from PyTorch's own index.
    How to mend it
        Reinstall from https://download.pytorch.org/whl/cuXXX, with the XXX that fits the driver and the card.
    Cannot tell when
        version.py was not read, or NVML did not answer.
    References
        torch/version.py of the win_amd64 wheels on the default index; pytorch.org, Get Started.
    """

    code, name, rung = "WIN101", "windows-default-index-cpu", "torch_build"
    essential = True
    explains = UNAVAILABLE

    @staticmethod
    def mend(case: Case) -> Fix:
        return remedy.fitting(case, "Reinstall torch from PyTorch's own index")


class TorchRocmOnNvidia(Rule):
    """This torch was built for the cards of another maker: for AMD's ROCm beside an NVIDIA card, or the reverse.

    What it looks at
        The CUDA and hip lines of torch/version.py, and the vendors of the cards on the PCI bus.
    Why it matters
        A ROCm build answers through the name torch.cuda and sees AMD cards only, a CUDA build NVIDIA cards only:
        is_available() is False.
    How to mend it
        Replace torch by the build for the card.  On a machine with cards of both makers either may be meant, and a
        CUDA build on a machine with nothing but AMD graphics is what a plain install gives: a remark.
    Cannot tell when
        version.py was not read, or the PCI bus was not (an AMD card might be there).
    References
        torch/version.py of the rocm wheels; PyTorch HIP semantics.
    """

    code, name, rung = "TOR104", "torch-rocm-on-nvidia", "torch_build"
    explains = UNAVAILABLE

    @staticmethod
    def mend(case: Case) -> Fix:
        env = remedy.env_of(case)
        if env is not None and remedy.fact(case, f"{env}/torch/cuda") is not None:
            return Fix(
                title="Replace the CUDA build by one for ROCm, to use the AMD card",
                steps=remedy.rocm_steps(case),
                safety="careful",
                verify=remedy.test(case),
            )
        return remedy.fitting(case, "Replace the ROCm build by one with CUDA")


class MacosNoCuda(Rule):
    """There is no CUDA on macOS; Apple silicon computes through MPS.

    What it looks at
        The operating system, and whether a program asked for CUDA.
    Why it matters
        The program names the device "cuda" outright.  Nothing is broken and no build of torch can change it.
    How to mend it
        Let the program take the accelerator that is there: "mps" on Apple silicon, else "cpu".
    Cannot tell when
        Nobody looked for messages.
    References
        torch/version.py of the macOS wheels (cuda = None); PyTorch MPS notes.
    """

    code, name, rung = "MAC101", "macos-no-cuda", "torch_build"
    severity = "warning"  # it speaks only where a program stopped for it

    @staticmethod
    def mend(case: Case) -> Fix:
        take = "device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else 'cpu'"
        return Fix(
            title="Let the program choose the device",
            steps=[Step(where="env", command=take, note="in the program; torch 2.6 or newer, else 'mps' by hand")],
            verify=remedy.code(case, "import torch; print(torch.backends.mps.is_available())"),
        )


@question("env", TorchCpuOnlyBuild, WindowsDefaultIndexCpu, TorchRocmOnNvidia, MacosNoCuda)
def is_torch_built_for_this_kind_of_device(case: Case) -> Problem | None:
    """version.py against the cards (failure-modes §0, master rule 1)."""
    on_mac = _is_mac(case)
    if said(case, MacosNoCuda) or (on_mac and said(case, TorchCpuOnlyBuild)):
        return _on_macos(case)  # whatever is known of torch: a message names it, and there is no CUDA on macOS
    env = build.require_torch(case)
    if build.cuda(case, env) is not None:
        return _cuda_on_amd(case, env)
    if on_mac:
        return _on_macos(case)
    try:
        shown = cards_here(case)
    except CannotTell as unread:
        return _asked_for_cuda(case, env, unread)
    if not shown:
        raise NotApplicable("there is no NVIDIA card that this torch could use")
    version = build.version(case, env)
    plainly_cpu = split_local(version)[1] == "cpu"
    if not plainly_cpu:
        if build.hip(case, env) is not None:
            return _rocm(case, env, version, shown)
        if case.known(f"{env}/torch/xpu", str) is not None:
            raise NotApplicable("a build for Intel's XPU is not judged by NVIDIA's rules")
    return _without_cuda(case, env, version, shown, plainly_cpu)


def _cuda_on_amd(case: Case, env: str) -> Problem | None:
    """A CUDA build is right wherever an NVIDIA card is, and no fault where no card is."""
    try:
        other = None if cards_here(case) else amd_card(case)
    except CannotTell as unread:
        raise CannotTell(unread.why, unread.pointer, (TorchRocmOnNvidia,), unread.asked) from unread
    if other is None:
        return None
    return case.problem(
        TorchRocmOnNvidia,
        f"torch {build.version(case, env)} is a build for CUDA, and the only GPU here is AMD's",
        cause="a plain install on Linux brings a CUDA build; torch computes on the CPU here",
        evidence=[*build.told(case, env, "version", "cuda"), other],
        fix=TorchRocmOnNvidia.mend(case),
        severity=None if case.policy.require_gpu else "note",
    )


def _asked_for_cuda(case: Case, env: str, unread: CannotTell) -> Problem:
    """Nothing tells of a card, but somebody asked torch for CUDA by hand and got "False": that is a suspicion."""
    asked = [pointer for pointer, item in case.maybe_records("/symptoms", Symptom) if item.id == ASKED_AND_FALSE]
    if not asked or isinstance(case.maybe(lambda: build.hip(case, env)), str):
        raise unread
    return case.problem(
        TorchCpuOnlyBuild,
        f"torch {remedy.torch_version(case) or 'here'} is a build without CUDA, and somebody asked it for CUDA",
        cause="torch was installed as a build without CUDA",
        evidence=[*build.told(case, env, "version", "cuda"), *asked],
        fix=TorchCpuOnlyBuild.mend(case),
        confidence="suggested",
    )


def _without_cuda(case: Case, env: str, version: str, shown: list[str], plainly_cpu: bool) -> Problem:
    rule: RuleType = TorchCpuOnlyBuild
    cause = "torch was installed as a build without CUDA"
    system = case.maybe(lambda: case.known("/host/system", str))
    unsure = isinstance(system, CannotTell) and not proven(case, TorchCpuOnlyBuild)
    if system == "Windows" and plainly_cpu:
        rule = WindowsDefaultIndexCpu
        cause = "the default index has no CUDA builds of torch for Windows; they come from PyTorch's own index"
    return case.problem(
        rule,
        f"torch {version} is a build without CUDA, and an NVIDIA GPU is here",
        cause=cause,
        evidence=[*build.told(case, env, "version", "cuda"), *shown, *said(case, TorchCpuOnlyBuild, rule)],
        fix=rule.mend(case),
        confidence="suggested" if unsure else "established",
    )


def _rocm(case: Case, env: str, version: str, shown: list[str]) -> Problem | None:
    unsure = False
    try:
        other = amd_card(case)
    except CannotTell as unread:
        if remedy.fact(case, f"{env}/runtime/available") is not False:
            raise CannotTell(unread.why, unread.pointer, (TorchRocmOnNvidia,), unread.asked) from unread
        other, unsure = None, True  # nobody looked for an AMD card; torch says that it finds none
    if other is not None:
        return None
    return case.problem(
        TorchRocmOnNvidia,
        f"torch {version} is a build for AMD's ROCm, and the GPU here is NVIDIA's",
        cause="the wheel came from a ROCm index",
        evidence=[*build.told(case, env, "version", "hip"), *shown],
        fix=TorchRocmOnNvidia.mend(case),
        confidence="suggested" if unsure else "established",
    )


def _on_macos(case: Case) -> Problem | None:
    asked = said(case, TorchCpuOnlyBuild, MacosNoCuda)
    if not asked:
        raise NotApplicable("there is no CUDA on macOS")
    return case.problem(
        MacosNoCuda,
        "a program asked for CUDA, which macOS does not have",
        cause="the program names the device 'cuda' outright",
        evidence=[*(["/host/system"] if _is_mac(case) else []), *asked],
        fix=MacosNoCuda.mend(case),
        confidence="established" if _is_mac(case) else "suggested",
    )


def _is_mac(case: Case) -> bool:
    return case.maybe(lambda: case.known("/host/system", str)) == "Darwin"
