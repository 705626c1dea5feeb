"""Is TORCH_CUDA_ARCH_LIST something that torch's extension builder reads, and does it name the cards?"""

from __future__ import annotations

import re

from envcheck.compat.version import spoken
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.torch_build import build
from envcheck.rules.torch_build.cards import visible_cards
from envcheck.rules.torch_build.messages import defer_to_messages, said

from .toolkit import severity


class ArchListInvalid(Rule):
    """TORCH_CUDA_ARCH_LIST is set to something that torch's extension builder does not accept, or misses the card.

    What it looks at
        The value, read as torch.utils.cpp_extension reads it, and the compute capability of the visible cards.
    Why it matters
        Building an extension fails, or gives one that has no code for the card that is here.
    How to mend it
        Write numbers such as "8.9;12.0" or names, separated by ";", or unset it where the card is visible.
    Cannot tell when
        The environment was not read; for the omission, when the cards are not known.
    References
        torch/utils/cpp_extension.py, _get_cuda_arch_flags.
    """

    code, name, rung = "TLK104", "arch-list-invalid", "cuda_libraries"

    @staticmethod
    def mend(case: Case) -> Fix:
        seen = case.maybe(lambda: visible_cards(case))
        capabilities = [] if isinstance(seen, CannotTell) else sorted({card.cc for card in seen.cards})
        archs = ";".join(spoken(cc) for cc in capabilities) or "8.6;9.0"
        return Fix(
            title="Name the cards in the form that torch reads",
            steps=[
                Step(where="env", command=f'export TORCH_CUDA_ARCH_LIST="{archs}"'),
                Step(where="env", command="unset TORCH_CUDA_ARCH_LIST", note="instead, where the card is visible"),
            ],
            verify="build the extension again",
        )


NAMES = frozenset({"kepler", "maxwell", "pascal", "volta", "turing", "ampere", "ada", "hopper", "blackwell"})
_ARCH = re.compile(r"\d{1,2}\.\d[a]?(?:\+PTX)?")


def bad_arch(value: str) -> str | None:
    """The first entry of TORCH_CUDA_ARCH_LIST that torch does not accept; ``None`` where it accepts all.

    Tried on torch 2.13: ``X.Y[a][+PTX]``, ``native`` and names such as ``Ada``, separated by ``;`` or blanks; a
    trailing separator leaves an empty entry, which it refuses.
    """
    for entry in value.replace(" ", ";").split(";"):
        name = entry.partition("+")[0].lower()
        if entry != "native" and name not in NAMES and not _ARCH.fullmatch(entry):
            return entry
    return None


@question("host", ArchListInvalid)
def is_the_arch_list_valid(case: Case) -> Problem | None:
    """First the form, then whether the present cards are in it."""
    found = case.variable("TORCH_CUDA_ARCH_LIST")
    if found is None or not found[1]:
        defer_to_messages(case, ArchListInvalid)
        raise NotApplicable("TORCH_CUDA_ARCH_LIST is not set")
    pointer, value = found
    bad = bad_arch(value)
    if bad is not None:
        return case.problem(
            ArchListInvalid,
            f"TORCH_CUDA_ARCH_LIST={value!r}: torch does not accept {bad!r}",
            cause='an entry is a number such as "8.9" (also "9.0a", "8.6+PTX"), "native" or a name, separated by ";"',
            evidence=[pointer, *said(case, ArchListInvalid)],
            fix=ArchListInvalid.mend(case),
            severity=severity(case, ArchListInvalid, "warning"),
        )
    return _omits_the_card(case, pointer, value)


def _omits_the_card(case: Case, pointer: str, value: str) -> Problem | None:
    entries = value.replace(" ", ";").split(";")
    if any(not entry[:1].isdigit() for entry in entries):
        return None  # native means the card that is here, and a name covers a generation
    targets = [f"sm_{entry.partition('+')[0].replace('.', '')}" for entry in entries]
    targets += [f"compute_{entry.partition('+')[0].replace('.', '')}" for entry in entries if entry.endswith("+PTX")]
    seen = visible_cards(case)
    for card in seen.cards:
        if build.coverage(card.cc, targets, None) is None:
            return case.problem(
                ArchListInvalid,
                f"TORCH_CUDA_ARCH_LIST={value!r} leaves out {card.name} (compute capability {spoken(card.cc)})",
                cause="extensions that are compiled with it will have no code for this card",
                evidence=[pointer, card.pointer],
                fix=ArchListInvalid.mend(case),
                severity="warning",
                confidence="established" if seen.sure else "suggested",
            )
    if seen.silent is not None:
        raise seen.silent
    return None
