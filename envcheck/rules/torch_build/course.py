"""Do the pins of a course still fit this Python and this card?"""

from __future__ import annotations

from envcheck.compat.version import spoken
from envcheck.facts import TorchInstall
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, question

from . import build, remedy
from .cards import visible_cards
from .requirements import find, version_of

COURSE = "d2l"
PINNED = ("1.0.0", "1.0.1", "1.0.2", "1.0.3")
"""Releases of the course's package that pin numpy 1.23.5 and go with torch 2.0 (d2l-ai/d2l-en, setup.py)."""
COURSE_TORCH = ("2.0",)


class CoursePinsTooOld(Rule):
    """The package of the course pins libraries, and a torch, that are older than this card.

    What it looks at
        The course's package (d2l), the torch beside it, and the compute capability of the cards.
    Why it matters
        torch 2.0.0 as the course names it ends at compute capability 8.6: "no kernel image" on an H100 or RTX 50.
    How to mend it
        A newer torch for this card, and the course's package without its pins.
    Cannot tell when
        The packages were not read, or the card's compute capability is not known.
    References
        d2l-ai/d2l-en, setup.py and installation chapter.
    """

    code, name, rung = "TOR110", "course-pins-too-old", "torch_build"
    explains = ("gpu-newer-than-torch-archs", "torch-kernel-fails", "dependency-conflict", "numpy-abi-mismatch")

    @staticmethod
    def mend(case: Case) -> Fix:
        advice = remedy.recommended(case).choice
        fix = remedy.fitting(case, "Take a torch that has code for this card")
        if advice is not None and advice.torch.startswith(COURSE_TORCH):
            return fix  # another build of the course's own torch runs here: its pins stay
        return Fix(
            title="Take a newer torch, and the course's package without its pins",
            steps=[
                *fix.steps,
                remedy.install(case, "d2l==1.0.3", options="--no-deps"),
                remedy.install(case, "numpy", "pandas", "scipy", "matplotlib", "matplotlib-inline", "requests"),
            ],
            safety="careful",
            verify=remedy.code(case, "import d2l.torch"),
        )


@question("env", CoursePinsTooOld)
def do_the_pins_of_the_course_fit(case: Case) -> Problem | None:
    """The course's torch on a card that it has no code for."""
    env = case.at("env")
    if case.known(f"{env}/torch", TorchInstall) is None:
        raise NotApplicable("torch is not installed in this environment")
    found = find(case, env, COURSE)
    if found is None:
        raise NotApplicable("the course's package is not installed")
    version = version_of(case, found[0])
    torch = build.version(case, env)
    cuda = build.cuda(case, env)
    if version not in PINNED or not torch.startswith(COURSE_TORCH) or cuda is None:
        return None
    seen = visible_cards(case)
    targets, source = build.gpu_code(case, env)
    silent = seen.silent
    for card in seen.cards:
        try:
            runs = build.coverage(card.cc, targets, cuda)
        except CannotTell as unread:
            silent = silent or unread
            continue
        if runs is None and card.cc > 86:
            return case.problem(
                CoursePinsTooOld,
                f"d2l {version} goes with torch {torch}, which is older than {card.name}",
                cause=f"the course's pins end at compute capability 8.6; this card has {spoken(card.cc)}",
                evidence=[f"{found[0]}/version", *build.told(case, env, "version"), card.pointer, source],
                fix=CoursePinsTooOld.mend(case),
                confidence="established" if seen.sure else "suggested",
            )
    if silent is not None:
        raise silent
    return None
