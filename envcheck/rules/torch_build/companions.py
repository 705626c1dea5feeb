"""Do torchvision and torchaudio belong to this torch?"""

from __future__ import annotations

import re

from msgspec import structs

from envcheck.compat.companions import LAST_TORCHAUDIO, Trio, companion_fits, trio
from envcheck.compat.version import cuda_of, key, split_local
from envcheck.facts import Distribution, ImportTrial, Unread
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, RuleType, question

from . import build, remedy
from .messages import said
from .requirements import find, satisfied, version_of

VISION_WORDS = re.compile(
    r"torchvision::nms|Couldn't load custom C\+\+ ops|Could not load this library: \S*torchvision"
    r"|torchvision\S*: undefined symbol"
)
AUDIO_WORDS = re.compile(r"torchaudio\S*: undefined symbol|libtorchaudio")


class TorchvisionMismatch(Rule):
    """torchvision belongs to another torch than the one that is installed.

    What it looks at
        The torch that torchvision's metadata ask for, the CUDA tags in both version.py files, and whether importing
        torchvision finds its operators.
    Why it matters
        "operator torchvision::nms does not exist": its compiled part does not load.  A CUDA torchvision beside a CPU
        torch says the same, although every pin is satisfied.
    How to mend it
        Install both in one command, from one index.
    Cannot tell when
        The metadata or version.py files were not read, and the pair is not in the table.
    References
        Requires-Dist of torchvision; torchvision/extension.py; pytorch/vision README, compatibility table.
    """

    code, name, rung = "TOR301", "torchvision-mismatch", "torch_build"
    explains = ("torchvision-cuda-major-mismatch", "dependency-conflict")

    @staticmethod
    def mend(case: Case) -> Fix:
        return remedy.pair(case, "Install torch and torchvision together", "torchvision")


class TorchvisionCudaMajorMismatch(Rule):
    """torch and torchvision were built for different CUDA major versions, or only one of them for CUDA.

    What it looks at
        The CUDA tags in both version.py files.
    Why it matters
        torchvision refuses another CUDA major version; a CPU torchvision has no CUDA operators.
    How to mend it
        Install both in one command, from one index.
    Cannot tell when
        A version.py was not read, or carries no tag.
    References
        torchvision/extension.py, _check_cuda_version.
    """

    code, name, rung = "TOR302", "torchvision-cuda-major-mismatch", "torch_build"

    @staticmethod
    def mend(case: Case) -> Fix:
        return remedy.pair(case, "Install torch and torchvision from one index", "torchvision")


class TorchaudioMismatch(Rule):
    """torchaudio belongs to another torch than the one that is installed.

    What it looks at
        The torch that torchaudio's metadata ask for; for 2.11.0, the last one, which asks for none, that torch is
        not older.
    Why it matters
        Importing torchaudio ends in an undefined symbol.
    How to mend it
        Install the torchaudio of this torch; with torch 2.11 or newer 2.11.0, or none.
    Cannot tell when
        The metadata were not read, and the pair is not in the table.
    References
        Requires-Dist of torchaudio; pytorch/audio issues 4189 and 4212.
    """

    code, name, rung = "TOR303", "torchaudio-mismatch", "torch_build"
    explains = ("dependency-conflict",)

    @staticmethod
    def mend(case: Case) -> Fix:
        version = remedy.torch_version(case)
        public, local = split_local(version) if version is not None else (None, None)
        found = trio(public) if public is not None else None
        wanted = (found.torchaudio if isinstance(found, Trio) else None) or LAST_TORCHAUDIO
        steps = [
            remedy.install(case, f"torchaudio=={wanted}", options=remedy.index_option(case, local)),
            remedy.uninstall(case, "torchaudio", note="instead, where the program does without"),
        ]
        return Fix(
            title="Install the torchaudio of this torch",
            steps=steps,
            safety="careful",
            verify=remedy.code(case, "import torch, torchaudio"),
        )


@question("env", TorchvisionMismatch, TorchvisionCudaMajorMismatch)
def does_torchvision_belong_to_torch(case: Case) -> Problem | None:
    """Pins, then CUDA tags, then the import's own word: each alone is enough (failure-modes §11)."""
    env = build.require_torch(case)
    pointer, _ = _installed(case, env, "torchvision")
    return _first_problem(
        case,
        lambda: _by_release(case, env, pointer, "torchvision", TorchvisionMismatch),
        lambda: _by_tag(case, env, pointer),
        lambda: _by_trial(case, env, "torchvision", VISION_WORDS, TorchvisionMismatch),
    )


@question("env", TorchaudioMismatch)
def does_torchaudio_belong_to_torch(case: Case) -> Problem | None:
    """Pins, then the import's own word."""
    env = build.require_torch(case)
    pointer, _ = _installed(case, env, "torchaudio")
    return _first_problem(
        case,
        lambda: _by_release(case, env, pointer, "torchaudio", TorchaudioMismatch),
        lambda: _by_trial(case, env, "torchaudio", AUDIO_WORDS, TorchaudioMismatch),
    )


def _installed(case: Case, env: str, name: str) -> tuple[str, Distribution]:
    found = find(case, env, name)
    if found is None:
        raise NotApplicable(f"{name} is not installed in this environment")
    return found


def _first_problem(case: Case, *witnesses: object) -> Problem | None:
    """The first witness with a problem; a silent one leaves the others' word, and no acquittal.

    What a later witness says of another rule is a suspicion only, as long as an earlier one is silent: with its word
    the first rule might have been the answer.
    """
    silent: CannotTell | None = None
    for ask in witnesses:
        assert callable(ask)
        try:
            problem: Problem | None = ask()
        except CannotTell as unread:
            silent = silent or unread
            continue
        if problem is not None and silent is not None and problem.rule is TorchvisionCudaMajorMismatch:
            return structs.replace(problem, confidence="suggested")
        if problem is not None:
            return problem
    if silent is not None:
        raise silent
    return None


def _by_release(case: Case, env: str, pointer: str, name: str, rule: RuleType) -> Problem | None:
    """What the package's metadata ask for, else what the table says of the pair."""
    have = build.version(case, env)
    version = version_of(case, pointer)
    if version is None:
        raise CannotTell(f"{name} has no metadata", f"{pointer}/version")
    wanted = _pin(case, pointer)
    if wanted:
        fits: object = satisfied(wanted, have)
    else:
        fits = companion_fits(name, version, have)
    if isinstance(fits, Unread):
        if wanted == "":
            return None  # it asks for no particular torch, and the table knows no better
        raise CannotTell(str(fits), f"{pointer}/requires")
    if fits is not False:
        return None
    asks = f"it asks for torch{wanted}" if wanted else "it was made for another torch"
    works = _trial(case, env, name) is True
    return case.problem(
        rule,
        f"{name} {version} does not belong to torch {have}: {asks}",
        cause="one of the two was installed or upgraded alone",
        evidence=[f"{pointer}/version", *build.told(case, env, "version"), *said(case, rule)],
        fix=rule.mend(case),
        severity="warning" if works else None,
    )


def _pin(case: Case, pointer: str) -> str | None:
    """The specifier on torch in the metadata: "==2.9.1"; "" where they name none; ``None`` where they are unread."""
    requires = case.maybe(lambda: case.known(f"{pointer}/requires", list))
    if isinstance(requires, CannotTell):
        return None
    from packaging.requirements import InvalidRequirement, Requirement

    for text in requires or []:
        try:
            requirement = Requirement(str(text))
        except InvalidRequirement:
            continue
        if requirement.name == "torch":
            return str(requirement.specifier)
    return ""


def _by_tag(case: Case, env: str, pointer: str) -> Problem | None:
    """``+cu130`` of torchvision/version.py against torch's CUDA.  Only the major version is ever checked."""
    tag = split_local(case.known(f"{pointer}/tag_version", str) or "")[1]
    theirs = cuda_of(tag) if tag else None
    if tag is None or (theirs is None and tag != "cpu"):
        return None
    ours = build.cuda(case, env)
    if ours is None and build.hip(case, env) is not None:
        return None
    if (theirs is None) == (ours is None) and (theirs is None or ours is None or key(theirs)[0] == key(ours)[0]):
        return None
    rule: RuleType = TorchvisionCudaMajorMismatch if ours is not None else TorchvisionMismatch
    mine = f"CUDA {ours}" if ours else "no CUDA"
    other = f"CUDA {theirs}" if theirs else "no CUDA"
    return case.problem(
        rule,
        f"torch is built with {mine}, and torchvision with {other}",
        cause="the two came from different indexes",
        evidence=[f"{pointer}/tag_version", *build.told(case, env, "cuda"), *said(case, rule)],
        fix=rule.mend(case),
    )


def _trials(case: Case, env: str) -> list[tuple[str, ImportTrial]]:
    return case.records(f"{env}/runtime/companions", ImportTrial)


def _trial(case: Case, env: str, name: str) -> bool | None:
    """Did the package import after torch?  For severities only."""
    found = case.maybe(lambda: _trials(case, env))
    if isinstance(found, CannotTell):
        return None
    return next((item.ok for _, item in found if item.module == name), None)


def _by_trial(case: Case, env: str, name: str, words: re.Pattern[str], rule: RuleType) -> Problem | None:
    """The import's own words, where nothing else told."""
    for pointer, item in _trials(case, env):
        if item.module != name or item.ok:
            continue
        error = case.known(f"{pointer}/error", str) or ""
        if words.search(error):
            return case.problem(
                rule,
                f"{name} does not work with this torch: {error.strip().splitlines()[0][:200]}",
                cause="its compiled part was built for another torch",
                evidence=[f"{pointer}/error", *build.told(case, env, "version")],
                fix=rule.mend(case),
            )
    return None
