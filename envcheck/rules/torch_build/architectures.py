"""Was this torch compiled for these cards?"""

from __future__ import annotations

from dataclasses import dataclass

from envcheck.compat.sm import INTEGRATED, first_toolkit, parse_target
from envcheck.compat.version import key, spoken
from envcheck.facts import TorchDevice
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, RuleType, Step, question

from . import build, remedy
from .cards import Card, Sight, visible_cards
from .messages import defer_to_messages, matching, proven, said

NO_KERNEL_IMAGE = r"no kernel image is available"
CONSEQUENCES = ("torch-kernel-fails", "cudnn-drops-gpu", "torch-cuda-unavailable")
"""What a build without code for the card makes fail."""


class GpuNewerThanTorchArchs(Rule):
    """This torch was compiled before the card existed and has no code that runs on it.

    What it looks at
        The compute capability of every visible card against the GPU targets compiled into libtorch, by the rules of
        binary compatibility: code for X.y runs on X.z with z not below y, PTX on anything newer.
    Why it matters
        torch.cuda.is_available() is True, and every kernel fails: release wheels carry no PTX that could be
        compiled for a newer card.
    How to mend it
        Install a build for a CUDA that knows the card, at a version that the driver runs.
    Cannot tell when
        The targets of the build or the compute capability of a card are not known.
    References
        CUDA C++ programming guide, binary and PTX compatibility; torch/cuda/__init__.py; pytorch/pytorch issue 167244.
    """

    code, name, rung = "TOR102", "gpu-newer-than-torch-archs", "torch_build"
    essential = True
    explains = CONSEQUENCES

    @staticmethod
    def mend(case: Case) -> Fix:
        return remedy.fitting(case, "Install a torch that was compiled for this card")


class GpuOlderThanTorchArchs(Rule):
    """This torch is compiled for newer cards only and has no code that runs on this one.

    What it looks at
        The compute capability of every visible card against the GPU targets compiled into libtorch.
    Why it matters
        CUDA 13 builds begin at 7.5 (Turing): on Maxwell, Pascal and Volta every kernel fails, although
        torch.cuda.is_available() is True.  The command that torch's own warning advises does nothing as long as
        pip takes the installed build for the wanted one.
    How to mend it
        Install the build of the last CUDA that has code for the card (cu126 up to torch 2.14.1 on x86_64).
    Cannot tell when
        The targets of the build or the compute capability of a card are not known.
    References
        torch/cuda/__init__.py; pytorch/pytorch issue 157517; CUDA 13.0 release notes, dropped architectures.
    """

    code, name, rung = "TOR103", "gpu-older-than-torch-archs", "torch_build"
    essential = True
    explains = CONSEQUENCES

    @staticmethod
    def mend(case: Case) -> Fix:
        return remedy.fitting(case, "Install a torch that still has code for this card")


class PtxJitSlowFirstRun(Rule):
    """This torch has no ready code for the card: the driver compiles every kernel when it is first used.

    What it looks at
        The GPU targets compiled into libtorch: PTX that the driver can translate for the card, but no binary code.
    Why it matters
        The first use of CUDA takes minutes, and with a disabled or small compute cache it does so every time.
    How to mend it
        Install a build with code for the card, or leave the compute cache on and large enough.
    Cannot tell when
        The targets of the build or the compute capability of a card are not known.
    References
        CUDA C++ programming guide, just-in-time compilation; CUDA environment variables.
    """

    code, name, rung = "TOR106", "ptx-jit-slow-first-run", "torch_build"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        fix = remedy.fitting(case, "Install a build with code for this card, or let the cache grow")
        cache = Step(where="env", command="export CUDA_CACHE_MAXSIZE=4294967296", note="instead: a cache of 4 GiB")
        return Fix(title=fix.title, steps=[*fix.steps, cache], safety="careful", verify=fix.verify)


class ExtensionMissingKernelImage(Rule):
    """torch itself computes on the card; an extension package has no code for it.

    What it looks at
        A "no kernel image" message beside a torch whose own kernels run on every visible card.
    Why it matters
        Packages such as flash-attn, xformers or bitsandbytes are compiled for a list of cards of their own.
    How to mend it
        Install a newer wheel of the package that the traceback names, or build it for this card.
    Cannot tell when
        No message was seen, or it is not known whether torch's own kernels run.
    References
        CUDA Runtime API, error 209 (cudaErrorNoKernelImageForDevice); torch/utils/cpp_extension.py.
    """

    code, name, rung = "TOR105", "extension-missing-kernel-image", "torch_build"

    @staticmethod
    def mend(case: Case) -> Fix:
        seen = case.maybe(lambda: visible_cards(case))
        capabilities = sorted({card.cc for card in seen.cards}) if isinstance(seen, Sight) else []
        archs = ";".join(spoken(cc) for cc in capabilities) or "<compute capability of the card>"
        build_it = (
            f'TORCH_CUDA_ARCH_LIST="{archs}" {remedy.python(case)} -m pip install --no-build-isolation --no-deps '
            "--force-reinstall --no-binary <package> <package>"
        )
        return Fix(
            title="Take a build of the extension that has code for this card",
            steps=[
                Step(where="env", command=f"{remedy.python(case)} -m pip install --upgrade --no-deps <package>"),
                Step(where="env", command=build_it, note="instead, where no newer wheel has it; needs nvcc"),
            ],
            safety="careful",
            verify="run the failing program again",
        )


RULES = (GpuNewerThanTorchArchs, GpuOlderThanTorchArchs, PtxJitSlowFirstRun, ExtensionMissingKernelImage)


@dataclass(frozen=True)
class _Code:
    """The GPU side of a build."""

    targets: list[str]
    source: str
    cuda: str | None

    @property
    def spoken(self) -> str:
        return " ".join(self.targets)


@question("env", *RULES)
def was_torch_compiled_for_these_cards(case: Case) -> Problem | None:
    """Every visible card against the build's targets (failure-modes §11)."""
    env = build.require_torch(case)
    cuda = build.cuda(case, env)
    if cuda is None:
        raise NotApplicable("torch was built without CUDA")
    seen = visible_cards(case)
    if not seen.cards and seen.silent is None:
        raise NotApplicable("CUDA shows no card to torch")
    code = _Code(*build.gpu_code(case, env), cuda)
    silent = seen.silent
    without: list[Card] = []
    translated: list[Card] = []
    for card in seen.cards:
        try:
            how = build.coverage(card.cc, code.targets, code.cuda)
        except CannotTell as unread:
            silent = silent or unread
            continue
        if how is None:
            without.append(card)
        elif how == "ptx":
            translated.append(card)
    if without:
        return _no_code(case, env, code, without, seen)
    if silent is not None:
        raise silent
    if translated:
        return _only_ptx(case, code, translated)
    return _extension(case, env, code, seen)


def _no_code(case: Case, env: str, code: _Code, without: list[Card], seen: Sight) -> Problem:
    card = min(without, key=lambda c: c.ordinal)
    rule: RuleType = GpuNewerThanTorchArchs if is_newer(card.cc, code.targets, code.cuda) else GpuOlderThanTorchArchs
    others = [c for c in seen.cards if c not in without]
    usable = f"; {len(others)} other card{'s' if len(others) > 1 else ''} can be used" if others else ""
    jetson = "; a Jetson's integrated GPU runs only code that was compiled for it" if card.cc in INTEGRATED else ""
    return case.problem(
        rule,
        f"torch has no code for {card.name} (compute capability {spoken(card.cc)}){usable}",
        cause=f"this build was compiled for {code.spoken}, and none of it runs on {spoken(card.cc)}{jetson}",
        evidence=[card.pointer, code.source, *build.told(case, env, "version"), *said(case, rule)],
        fix=rule.mend(case),
        # Where the default card computes, an unusable second one (an old display card) stops nobody.
        severity="warning" if others and card.ordinal != 0 else None,
        confidence="established" if seen.sure or proven(case, rule) else "suggested",
    )


def _only_ptx(case: Case, code: _Code, translated: list[Card]) -> Problem:
    card = translated[0]
    return case.problem(
        PtxJitSlowFirstRun,
        f"torch has only PTX for {card.name} (compute capability {spoken(card.cc)})",
        cause=f"this build was compiled for {code.spoken}; the driver translates it when a kernel is first used",
        evidence=[card.pointer, code.source],
        fix=PtxJitSlowFirstRun.mend(case),
    )


def _extension(case: Case, env: str, code: _Code, seen: Sight) -> Problem | None:
    """torch has code for every card: a "no kernel image" message then speaks of another package."""
    try:
        messages = matching(case, NO_KERNEL_IMAGE)
        fails = bool(messages) and any(
            case.known(f"{pointer}/kernel_ok", bool) is False
            for pointer, _ in case.records(f"{env}/runtime/devices", TorchDevice)
        )
    except CannotTell as unread:
        raise CannotTell(unread.why, unread.pointer, (ExtensionMissingKernelImage,), unread.asked) from unread
    if not messages:
        defer_to_messages(case, ExtensionMissingKernelImage)
        return None
    if fails:
        return None  # torch's own kernels fail as well: that is judged on its own
    return case.problem(
        ExtensionMissingKernelImage,
        "a program found no code for the card, and torch's own kernels run on it",
        cause="an extension package was compiled without code for this card",
        evidence=[*messages, code.source, *[card.pointer for card in seen.cards]],
        fix=ExtensionMissingKernelImage.mend(case),
    )


def is_newer(cc: int, targets: list[str], cuda: str | None) -> bool:
    """Is the card newer than the build (rather than dropped by it)?

    Newer: above every target, or of a kind that the build's CUDA did not know yet.
    """
    numbers = [parse_target(target).cc for target in targets]
    if cc > max(numbers):
        return True
    first = first_toolkit(cc)
    return isinstance(first, str) and cuda is not None and key(cuda) < key(first)
