"""Does torch reach the cards, and does every card compute?"""

from __future__ import annotations

from envcheck.facts import Symptom, TorchDevice, TorchRuntime
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, RuleType, Step, question
from envcheck.rules.torch_build import build, remedy
from envcheck.rules.torch_build.cards import cards_here
from envcheck.rules.torch_build.messages import said

SIGNALS = {4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV"}
WATCHDOG = "the launch timed out and was terminated"
ASKED_AND_FALSE = "cuda-is-available-false"
"""The message that read/python_session.py makes of a typed torch.cuda.is_available() and the False below it."""


class TorchCudaUnavailable(Rule):
    """torch cannot use CUDA here, and no more particular reason was seen.

    What it looks at
        torch.cuda.is_available() and the words of torch.cuda.init(), in a child process, for a build with CUDA on a
        machine with an NVIDIA card.
    Why it matters
        Programs fall back to the CPU, or stop.  Everything below torch that was looked at is in order, or could not
        be looked at.
    How to mend it
        Read the words of torch.cuda.init(); look at what could not be told in this report; restart the machine or
        the container.
    Cannot tell when
        torch was not imported, or nothing says whether there is a card.
    References
        torch/cuda/__init__.py; PyTorch CUDA semantics.
    """

    code, name, rung = "RUN111", "torch-cuda-unavailable", "torch_runtime"
    essential = True
    explains = ("torch-kernel-fails",)

    @staticmethod
    def mend(case: Case) -> Fix:
        asked = f'{remedy.python(case)} -c "import torch; torch.cuda.init()"'
        clean = f'env -u CUDA_VISIBLE_DEVICES -u LD_LIBRARY_PATH -u LD_PRELOAD {remedy.python(case)} -c "import torch; '
        steps = [Step(where="env", command=asked, note="the last line is torch's own reason")]
        if not remedy.on_windows(case):
            steps.append(
                Step(
                    where="env",
                    command=f'{clean}print(torch.cuda.is_available())"',
                    note="True: one of these variables is the cause",
                )
            )
        return Fix(title="Find torch's own reason", steps=steps, verify=remedy.test(case))


class TorchKernelFails(Rule):
    """torch sees the card, and a small computation on it fails or gives wrong numbers.

    What it looks at
        The result of a small sum and matrix product on every device that torch shows, in a child process.
    Why it matters
        torch.cuda.is_available() is True all the same; every program that uses the card fails.
    How to mend it
        Read the error: it mostly names the layer.  Wrong numbers without an error are the hardware's.
    Cannot tell when
        torch was not imported, or a device gave no answer in time.
    References
        CUDA Runtime API, cudaError_t; PyTorch CUDA semantics.
    """

    code, name, rung = "RUN112", "torch-kernel-fails", "torch_runtime"
    essential = True

    @staticmethod
    def mend(case: Case) -> Fix:
        steps = [
            Step(where="env", command=f"CUDA_LAUNCH_BLOCKING=1 {remedy.test(case)}", note="the error at its own line")
        ]
        if remedy.on_windows(case):
            steps = [Step(where="env", command=remedy.test(case))]
        else:
            steps.append(
                Step(
                    where="host",
                    command="sudo dmesg | grep -E 'NVRM|Xid' | tail -n 20",
                    root=True,
                    note="the card's own",
                )
            )
        return Fix(title="Find the layer that fails", steps=steps, verify=remedy.test(case))


class WindowsTdrTimeout(Rule):
    """A kernel ran longer than the display's watchdog allows and was ended.

    What it looks at
        The error of a computation on a card that also drives a display.
    Why it matters
        On such a card the system ends every kernel that takes longer than about two seconds.
    How to mend it
        Compute on a card without a display, or with smaller steps; the watchdog's delay is the last resort.
    Cannot tell when
        torch was not imported, or a device gave no answer in time.
    References
        CUDA Runtime API, error 702 (cudaErrorLaunchTimeout); Windows display driver documentation, TDR.
    """

    code, name, rung = "WIN106", "windows-tdr-timeout", "torch_runtime"
    explains = ("torch-kernel-fails",)

    @staticmethod
    def mend(case: Case) -> Fix:
        steps = [Step(where="env", note="use a card without a display, or smaller batches")]
        if remedy.on_windows(case):
            delay = (
                "reg add HKLM\\SYSTEM\\CurrentControlSet\\Control\\GraphicsDrivers /v TdrDelay /t REG_DWORD /d 60 /f"
            )
            steps.append(Step(where="windows", command=delay, root=True, reboot=True, note="last resort"))
        return Fix(
            title="Keep long kernels off the display's card", steps=steps, safety="careful", verify=remedy.test(case)
        )


@question("env", TorchCudaUnavailable)
def does_torch_reach_the_cards(case: Case) -> Problem | None:
    """torch's own answer; the reasons stand below it on the ladder and fold this finding under them."""
    runtime = f"{case.at('env')}/runtime"
    try:
        build.require_torch(case)
        if case.known(f"{runtime}/imported", bool) is not True:
            raise NotApplicable("torch could not be imported")
        if case.known(f"{runtime}/cuda", str) is None:
            raise NotApplicable("torch was built without CUDA")
        shown = cards_here(case)
    except CannotTell as unread:
        return _asked_in_vain(case, runtime, unread)
    if not shown:
        raise NotApplicable("there is no NVIDIA card that torch could reach")
    available = case.known(f"{runtime}/available", bool)
    # A check that only counts cards (PYTORCH_NVML_BASED_CUDA_CHECK) says True where CUDA does not start.
    if available and case.known(f"{runtime}/init_error", str) is None:
        return None
    words = remedy.fact(case, f"{runtime}/init_error")
    first = words.strip().splitlines()[0][:200] if isinstance(words, str) and words.strip() else ""
    return case.problem(
        TorchCudaUnavailable,
        f"torch.cuda.{'init() fails' if available else 'is_available() is False'}{f': {first}' if first else ''}",
        cause="torch is built with CUDA and a card is here; nothing more particular was seen",
        evidence=[
            f"{runtime}/available",
            *([f"{runtime}/init_error"] if words is not None else []),
            *shown,
            *said(case, TorchCudaUnavailable),
        ],
        fix=TorchCudaUnavailable.mend(case),
        # "Nothing more particular" is not sure where a message names something: that one is the answer.
        confidence="suggested" if _named_by_a_message(case) else "established",
    )


def _asked_in_vain(case: Case, runtime: str, unread: CannotTell) -> Problem:
    """Neither the build nor a card is told, but somebody asked torch for CUDA by hand and got "False": a suspicion."""
    asked = [pointer for pointer, item in case.maybe_records("/symptoms", Symptom) if item.id == ASKED_AND_FALSE]
    if not asked or remedy.fact(case, f"{runtime}/available") is not False:
        raise unread
    built = isinstance(remedy.fact(case, f"{runtime}/cuda"), str)
    unknown = "whether a card and a driver are there"
    return case.problem(
        TorchCudaUnavailable,
        "torch.cuda.is_available() is False, and somebody asked it for CUDA",
        cause=f"torch is built with CUDA; nothing tells yet {unknown}"
        if built
        else f"nothing tells yet whether torch is built with CUDA, nor {unknown}",
        evidence=[f"{runtime}/cuda" if built else f"{runtime}/available", *asked],
        fix=TorchCudaUnavailable.mend(case),
        confidence="suggested",
    )


def _named_by_a_message(case: Case) -> bool:
    """Does a message suggest a rule that would explain why torch does not reach the cards?"""
    from envcheck.rules import RULES  # the whole law is there once a question is asked

    reasons = {rule.name for rule in RULES if TorchCudaUnavailable.name in rule.explains}
    return any(item.suggests in reasons for _, item in case.maybe_records("/symptoms", Symptom))


@question("env", TorchKernelFails, WindowsTdrTimeout)
def does_every_card_compute(case: Case) -> Problem | None:
    """The first device whose small kernel failed."""
    env = build.require_torch(case)
    if case.known(f"{env}/runtime", TorchRuntime) is None:
        raise NotApplicable("torch is not installed in this environment")
    died = _died(case, env)
    if died is not None:
        return died
    devices = case.records(f"{env}/runtime/devices", TorchDevice)
    if not devices:
        raise NotApplicable("torch shows no device")
    silent: CannotTell | None = None
    failed: list[str] = []
    for pointer, _ in devices:
        try:
            if case.known(f"{pointer}/kernel_ok", bool) is False:
                failed.append(pointer)
        except CannotTell as unread:
            silent = silent or unread
    if failed:
        return _failed(case, failed)
    if silent is not None:
        raise silent
    return None


def _died(case: Case, env: str) -> Problem | None:
    """A signal that ended the child after the import had passed: torch died while it computed."""
    runtime = f"{env}/runtime"
    if not case.known(f"{runtime}/imported", bool):
        return None
    signal = case.known(f"{runtime}/signal", int)
    if signal is None:
        return None
    return case.problem(
        TorchKernelFails,
        f"torch was imported and then killed by {SIGNALS.get(signal, signal)} while it computed",
        cause="a library below torch crashed: the driver's, or a foreign one that is loaded first",
        evidence=[f"{runtime}/imported", f"{runtime}/signal"],
        fix=TorchKernelFails.mend(case),
    )


def _failed(case: Case, failed: list[str]) -> Problem:
    """Which rule it is hangs on the error's words: without them only that it failed is known."""
    pointer = failed[0]
    error = f"{pointer}/kernel_error"
    words = case.known(error, str)
    rule: RuleType = WindowsTdrTimeout if words is not None and WATCHDOG in words else TorchKernelFails
    name = remedy.fact(case, f"{pointer}/name")
    index = remedy.fact(case, f"{pointer}/index")
    card = f"cuda:{index}" + (f" ({name})" if isinstance(name, str) else "")
    first = (words or "no reason was given").strip().splitlines()[0][:200]
    cause = (
        "the display's watchdog ended the kernel" if rule is WindowsTdrTimeout else "the error's words name the layer"
    )
    more = f"; so does {len(failed) - 1} more" if len(failed) > 1 else ""
    return case.problem(
        rule,
        f"a small computation on {card} fails: {first}{more}",
        cause=cause,
        evidence=[f"{pointer}/kernel_ok", *([error] if words is not None else []), *said(case, rule)],
        fix=rule.mend(case),
    )
