"""envcheck as a library: look at this machine from inside a program or a notebook.

By default the interpreter that runs the call is judged.  Everything is still asked in child processes: it does not
matter whether torch has been imported here already, nor whether its import would crash.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from typing import Literal

    from envcheck.facts import Snapshot
    from envcheck.judge import Finding, Policy, Report
    from envcheck.judge.report import Answer

DEADLINE_S = 45.0
NEWEST_CAPABILITY, OLDEST_CAPABILITY = 999, 20


class Diagnosis:
    """What was found: the verdict, the root causes with evidence and fix, and all that it rests on.

    Shows itself in a notebook, and as text anywhere else.
    """

    def __init__(self, report: Report) -> None:
        self.report = report

    @property
    def verdict(self) -> Answer:
        """The word "fit", "unfit" or "undetermined" (what had to be known could not be read)."""
        return self.report.verdict

    @property
    def fit(self) -> bool:
        """True for the verdict "fit" alone."""
        return self.report.verdict == "fit"

    @property
    def root_causes(self) -> list[Finding]:
        """The first one is what to act on."""
        return self.report.root_causes

    @property
    def warnings(self) -> list[Finding]:
        return self.report.warnings

    @property
    def snapshot(self) -> Snapshot:
        """All facts, as ``envcheck collect`` writes them."""
        return self.report.snapshot

    def to_text(self, width: int = 80) -> str:
        """The report as ``envcheck doctor`` prints it, without colours, ``width`` columns wide."""
        return self._speak("terminal", width=width)

    def to_markdown(self, *, redact: bool = True) -> str:
        """The report for an issue or a forum: without names, paths below home, addresses and credentials."""
        if not redact:
            return self._speak("markdown")
        from envcheck.report.redact import redact as without_names

        return Diagnosis(without_names(self.report, *_own_names())).to_markdown(redact=False)

    def to_json(self) -> str:
        """The report for programs: the contract of ``envcheck doctor --format json``."""
        return self._speak("json")

    def _speak(self, voice: str, **page: Any) -> str:
        from envcheck.report import Page, render

        return render(voice, self.report, Page(**page))

    def __str__(self) -> str:
        return self.to_text()

    def __repr__(self) -> str:
        from envcheck.report.phrases import answer

        return f"<envcheck.Diagnosis: {answer(self.report)}>"

    def _repr_html_(self) -> str:
        from envcheck.report.notebook import render

        return render(self.report)

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str]:
        """What IPython asks for: the same report for every front end, the plain one for a terminal."""
        voices = {"text/plain": self.to_text, "text/markdown": self.to_markdown, "text/html": self._repr_html_}
        return {
            kind: speak()
            for kind, speak in voices.items()
            if (not include or kind in include) and not (exclude and kind in exclude)
        }


def _own_names() -> tuple[list[str], list[str]]:
    """Names of the user and of the host that the program runs as and on, as far as they are told."""
    import getpass
    import platform

    try:
        users = [getpass.getuser()]
    except (OSError, KeyError, ImportError):  # a container's user may have no name
        users = []
    return users, [name for name in [platform.node()] if name]


class Unfit(RuntimeError):
    """This machine, or this environment, does not meet what was required.

    The message names the first root cause and its fix; ``diagnosis`` is the whole report.
    """

    def __init__(self, diagnosis: Diagnosis) -> None:
        from envcheck.report.brief import complaint

        super().__init__(complaint(diagnosis.report))
        self.diagnosis = diagnosis

    def __reduce__(self) -> tuple[type[Unfit], tuple[Diagnosis]]:
        return type(self), (self.diagnosis,)


class Undetermined(Unfit):
    """What was required could not be read: neither fit nor unfit."""


def doctor(
    *,
    python: str | None = None,
    env: str | None = None,
    quick: bool = False,
    deep: bool = False,
    all_envs: bool = False,
    require_gpu: bool = False,
    gpus: int = 0,
    strict: bool = False,
    pedantic: bool = False,
    ignore: Mapping[str, str] | None = None,
    deadline: float = DEADLINE_S,
) -> Diagnosis:
    """Say why the GPU is not used here: the library's ``envcheck doctor``.

    ``python`` (an interpreter or its folder) or ``env`` (a name) choose another environment than the running one;
    ``quick`` leaves torch alone, otherwise a child imports it, which takes seconds; ``ignore`` maps rules to the
    reason for which their findings are accepted; ``deadline`` is in seconds.  Raises :class:`ValueError` for a bad
    argument; whatever is wrong with the machine is in the result.
    """
    from envcheck.judge import Ignore, Policy

    policy = Policy(
        require_gpu=require_gpu or gpus > 0,
        gpus=gpus,
        strict=strict,
        pedantic=pedantic,
        all_envs=all_envs,
        ignore=[Ignore(rule=_rule(name), reason=_reason(name, reason)) for name, reason in (ignore or {}).items()],
    )
    if quick and deep:
        raise ValueError("quick and deep exclude each other")
    depth: Literal["quick", "normal", "deep"] = "quick" if quick else "deep" if deep else "normal"
    return _judge(_look(python, env, depth, deadline, all_envs=all_envs), policy)


def require(
    *,
    cuda: bool = True,
    gpus: int | str | None = None,
    min_memory_gib: float | None = None,
    compute_capability: int | str | None = None,
    torch: str | None = None,
    torch_cuda: str | Sequence[str] | None = None,
    driver: str | None = None,
    packages: Mapping[str, str] | None = None,
    python: str | None = None,
    env: str | None = None,
    quick: bool = False,
    deadline: float = DEADLINE_S,
) -> Diagnosis:
    """Go on only where the running environment can do what the program needs.

    ``cuda``: torch has to reach a GPU.  ``gpus``: how many CUDA offers, a number (at least) or bounds (">=1,<=8").
    Of every GPU: ``min_memory_gib``, total memory in GiB as CUDA states it (a card sold as 16 GB may have 15.6), and
    ``compute_capability``, at least, as major * 10 + minor (80 is 8.0), or bounds (">=8.0,<10.0").  ``torch``,
    ``driver`` and the values of ``packages`` are version specifiers (">=2.4"); ``torch_cuda`` names CUDA releases of
    the build, any of them ("12", "12.8").

    Raises :class:`Unfit` with root cause and fix, :class:`Undetermined` where something required could not be read,
    and :class:`ValueError` for a bad argument.
    """
    wishes = {
        "gpus": gpus,
        "gpu_memory_gib": min_memory_gib,
        "compute_capability": _capability(compute_capability),
        "torch": torch,
        "torch_cuda": list(torch_cuda) if torch_cuda is not None and not isinstance(torch_cuda, str) else torch_cuda,
        "driver": driver,
        "packages": dict(packages) if packages is not None else None,
    }
    policy = _policy({name: wish for name, wish in wishes.items() if wish is not None}, cuda=cuda)
    diagnosis = _judge(_look(python, env, "quick" if quick else "normal", deadline), policy)
    if diagnosis.verdict == "unfit":
        raise Unfit(diagnosis)
    if diagnosis.verdict == "undetermined":
        raise Undetermined(diagnosis)
    return diagnosis


# --- asking -------------------------------------------------------------------------------------------------------


def _look(
    python: str | None,
    env: str | None,
    depth: Literal["quick", "normal", "deep"],
    deadline: float,
    *,
    all_envs: bool = False,
) -> Snapshot:
    if python is not None and env is not None:
        raise ValueError("python and env exclude each other")
    if not 0.1 <= deadline <= 3600:  # false for NaN too
        raise ValueError(f"deadline={deadline!r}: give seconds between 0.1 and 3600")
    from envcheck.collect import BadTarget, Options, snapshot_here

    running = python is None and env is None and bool(sys.executable)  # an embedded Python has no executable
    wish = Options(
        python=sys.executable if running else python, env=env, depth=depth, all_envs=all_envs, deadline_s=deadline
    )
    try:
        snapshot = snapshot_here(wish)
    except BadTarget as error:
        raise ValueError(str(error).replace("--python", "python").replace("--env", "env")) from None
    return _as_running(snapshot) if running else snapshot


def _as_running(snapshot: Snapshot) -> Snapshot:
    """The judged interpreter was not named on a command line: it is the one that runs this."""
    from envcheck.facts.snapshot import RUNNING, RUNNING_NOTEBOOK

    word = RUNNING_NOTEBOOK if "ipykernel" in sys.modules else RUNNING
    pythons = snapshot.interpreters
    if isinstance(pythons, list) and pythons:
        ways = [word if way == "--python" else way for way in pythons[0].found_by]
        pythons = [msgspec.structs.replace(pythons[0], found_by=ways), *pythons[1:]]
    target = msgspec.structs.replace(snapshot.target, chosen_by=word)
    return msgspec.structs.replace(snapshot, target=target, interpreters=pythons)


def _judge(snapshot: Snapshot, policy: Policy) -> Diagnosis:
    from envcheck.judge import judge
    from envcheck.rules import QUESTIONS

    return Diagnosis(judge(snapshot, QUESTIONS, policy))


# --- what is wished ------------------------------------------------------------------------------------------------


def _policy(wishes: dict[str, Any], *, cuda: bool) -> Policy:
    from envcheck.judge.policy_settings import Layer, settle
    from envcheck.rules import RULES

    names = {key: rule.name for rule in RULES for key in (rule.name, rule.code.lower())}
    if cuda:
        wishes.setdefault("gpus", 1)
    settled = settle([Layer({"require": wishes}, "envcheck.require")], names).policy
    return msgspec.structs.replace(settled, require_gpu=cuda or settled.require_gpu)


def _capability(wish: int | str | None) -> str | None:
    """80 and "8.0" as the bound ">=8.0"."""
    if not isinstance(wish, int):
        return wish
    if isinstance(wish, bool) or not OLDEST_CAPABILITY <= wish <= NEWEST_CAPABILITY:
        raise ValueError(f"compute_capability={wish!r}: write major * 10 + minor, 80 for 8.0")
    return f">={wish // 10}.{wish % 10}"


def _rule(name: str) -> str:
    from envcheck.rules import find

    rule = find(name)
    if rule is None:
        raise ValueError(f"ignore: no rule is called {name!r}")
    return rule.name


def _reason(name: str, reason: str) -> str:
    if not reason.strip():
        raise ValueError(f"ignore: give a reason for accepting {name!r}")
    return reason.strip()
