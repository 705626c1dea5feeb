"""Does cuDNN go with torch, with the card, and with the memory that is left?"""

from __future__ import annotations

from envcheck.compat.version import spoken
from envcheck.judge import Case, Fix, NotApplicable, Problem, Rule, Step, by_message, question
from envcheck.rules.torch_build import build, remedy
from envcheck.rules.torch_build.cards import visible_cards
from envcheck.rules.torch_build.messages import proven, said
from envcheck.rules.torch_build.requirements import installed, version_of

from .loader import own_copy

DROPS_AT, LOWEST = 91100, 75
"""cuDNN 9.11 refuses devices below 7.5 (torch/backends/cudnn/__init__.py)."""


class CudnnDropsGpu(Rule):
    """The cuDNN of this torch refuses cards as old as one that is here.

    What it looks at
        The version of cuDNN, and the lowest compute capability among the cards that CUDA shows.
    Why it matters
        From 9.11 on cuDNN needs compute capability 7.5; torch refuses every convolution as soon as one visible card
        lies below, even where another one is used.
    How to mend it
        Install the build with the last cuDNN for the card (cu126 up to torch 2.14.1), or hide the old card.
    Cannot tell when
        The version of cuDNN or the compute capability of a card is not known.
    References
        torch/backends/cudnn/__init__.py; cuDNN support matrix.
    """

    code, name, rung = "LIB111", "cudnn-drops-gpu", "cuda_libraries"

    @staticmethod
    def mend(case: Case) -> Fix:
        fix = remedy.fitting(case, "Install a torch whose cuDNN still knows the card")
        hide = Step(
            where="env", command="export CUDA_VISIBLE_DEVICES=<the newer cards>", note="instead: hide the old card"
        )
        return Fix(title=fix.title, steps=[*fix.steps, hide], safety="careful", verify=fix.verify)


class CudnnVersionIncompatible(Rule):
    """Another cuDNN is loaded at run time than the one that torch was compiled against.

    What it looks at
        The message of torch that names both versions.
    Why it matters
        torch refuses to use a cuDNN of another major version, or of an older minor one.
    How to mend it
        Take the other cuDNN out of LD_LIBRARY_PATH, or install the cuDNN wheel that torch asks for.
    Cannot tell when
        No message was seen.
    References
        torch/backends/cudnn/__init__.py.
    """

    code, name, rung = "LIB112", "cudnn-version-incompatible", "cuda_libraries"

    @staticmethod
    def mend(case: Case) -> Fix:
        fix = own_copy(case, "Let torch load its own cuDNN", "cudnn")
        verify = remedy.code(case, "import torch; print(torch.backends.cudnn.version())")
        return Fix(title=fix.title, steps=fix.steps, safety=fix.safety, verify=verify)


class CudnnNotInitialized(Rule):
    """cuDNN could not start, mostly because the card's memory is full.

    What it looks at
        The message CUDNN_STATUS_NOT_INITIALIZED.
    Why it matters
        The first convolution fails; with memory left on the card a mix of libraries does the same.
    How to mend it
        Free memory on the card; with memory left, look for a foreign cuDNN on LD_LIBRARY_PATH.
    Cannot tell when
        No message was seen.
    References
        cuDNN API reference, cudnnStatus_t.
    """

    code, name, rung = "LIB113", "cudnn-not-initialized", "cuda_libraries"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Free memory on the card",
            steps=[
                Step(where="env", command="nvidia-smi", note="who holds the memory, and how much is left"),
                Step(where="env", command="unset LD_LIBRARY_PATH", note="where memory is left: a foreign cuDNN"),
            ],
            verify="run the failing program again",
        )


@question("env", CudnnDropsGpu)
def does_cudnn_still_know_the_cards(case: Case) -> Problem | None:
    """The oldest visible card decides."""
    env = build.require_torch(case)
    if build.cuda(case, env) is None:
        raise NotApplicable("torch was built without CUDA")
    seen = visible_cards(case)
    if not seen.cards and seen.silent is None:
        raise NotApplicable("CUDA shows no card to torch")
    old = [card for card in seen.cards if card.cc < LOWEST]
    if not old:
        if seen.silent is not None:
            raise seen.silent
        return None
    number, pointer = _cudnn(case, env)
    if number is None or number < DROPS_AT:
        return None
    card = old[0]
    return case.problem(
        CudnnDropsGpu,
        f"cuDNN {_spoken(number)} does not know {card.name} (compute capability {spoken(card.cc)})",
        cause=f"from 9.11 on cuDNN needs compute capability {spoken(LOWEST)}",
        evidence=[pointer, card.pointer, *said(case, CudnnDropsGpu)],
        fix=CudnnDropsGpu.mend(case),
        confidence="established" if seen.sure or proven(case, CudnnDropsGpu) else "suggested",
    )


def _cudnn(case: Case, env: str) -> tuple[int | None, str]:
    """(version as torch counts it: 91100 for 9.11.0, what says so); torch's own word, else its wheel."""
    if case.told(f"{env}/runtime/cudnn"):
        return case.known(f"{env}/runtime/cudnn", int), f"{env}/runtime/cudnn"
    for pointer, item in installed(case, env):
        if item.name.startswith("nvidia-cudnn-cu"):
            version = version_of(case, pointer)
            if version is not None:
                parts = [int(part) for part in version.split(".")[:3] if part.isdigit()] + [0, 0, 0]
                return parts[0] * 10000 + parts[1] * 100 + parts[2], f"{pointer}/version"
    return case.known(f"{env}/runtime/cudnn", int), f"{env}/runtime/cudnn"


def _spoken(number: int) -> str:
    return f"{number // 10000}.{number // 100 % 100}.{number % 100}"


what_did_cudnn_say = by_message("what_did_cudnn_say", "env", CudnnVersionIncompatible, CudnnNotInitialized)
