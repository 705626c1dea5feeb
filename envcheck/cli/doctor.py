"""``envcheck doctor``: this machine, root cause first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from . import options as o
from .errors import BadCall, near

if TYPE_CHECKING:
    from envcheck.facts import Snapshot
    from envcheck.judge import Case, Ignore, Problem, Question, Subject

MEANWHILE = ("envcheck.judge", "envcheck.rules", "envcheck.report.terminal")


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("doctor")(doctor)


def doctor(
    python: o.Python = None,
    env: o.Env = None,
    quick: o.Quick = False,
    deep: o.Deep = False,
    all_envs: o.AllEnvs = False,
    gpu: Annotated[
        int | None, typer.Option("--gpu", metavar="N", min=0, help="Of the GPUs judge only this one.")
    ] = None,
    require_gpu: Annotated[bool, typer.Option("--require-gpu", help="A machine without a GPU is unfit.")] = False,
    gpus: Annotated[int, typer.Option("--gpus", metavar="N", min=0, help="Fewer than N GPUs are unfit.")] = 0,
    strict: Annotated[bool, typer.Option("--strict", help="What cannot be told makes exit code 3.")] = False,
    pedantic: Annotated[bool, typer.Option("--pedantic", help="Ask the heuristic rules too.")] = False,
    ignore: Annotated[
        list[str] | None,
        typer.Option(
            "--ignore",
            metavar="RULE=REASON",
            help="Accept a finding, and say why; repeatable.",
            autocompletion=o.complete_rules,
        ),
    ] = None,
    deadline: o.Deadline = o.DEADLINE_S,
    root: o.Root = "/",
    source: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="FILE", help="Judge a snapshot, or what explain reads, instead of this machine."
        ),
    ] = None,
    format_: o.ReportFormat = None,
    redact: o.Redact = None,
) -> int:
    """Say why the GPU is not used: root cause, evidence, fix.

    Exit code 0: fit, 1: unfit, 2: bad call, 3: undetermined (with --strict), 70: envcheck broke.
    """
    from .results import hand_over, wanted

    results = wanted(format_ or [])
    depth = o.depth(quick, deep)
    o.check_deadline(deadline)
    accepted = [_ignore(text) for text in ignore or []]
    if source is not None:
        o.refuse_beside_from(python=python, env=env, quick=quick, deep=deep)
        from .source import load

        snapshot = load(source)
    else:
        from .collect import look

        snapshot = look(python, env, depth, all_envs, deadline, MEANWHILE, root=root)
    from envcheck.judge import Policy, exit_code, judge
    from envcheck.rules import QUESTIONS

    from .law import with_plugins

    snapshot, questions = with_plugins(snapshot, QUESTIONS, live=source is None)
    policy = Policy(
        require_gpu=require_gpu or gpus > 0 or gpu is not None,
        gpus=gpus,
        strict=strict,
        pedantic=pedantic,
        all_envs=all_envs,
        ignore=accepted,
    )
    report = judge(snapshot, questions if gpu is None else _only(gpu, snapshot, questions), policy)
    hand_over(results, report, gpu=gpu, redact=redact)
    return exit_code(report.verdict, undetermined_counts=strict)


def _ignore(text: str) -> Ignore:
    """``RULE=reason`` as an exception to the law.  An unknown rule or a missing reason is a bad call."""
    from envcheck.judge import Ignore

    from .law import find, rules

    name, _, reason = text.partition("=")
    rule = find(name)
    if rule is None:
        hint = near(name, [rule.name for rule in rules()])
        raise BadCall(f"--ignore {name}: no such rule{hint}")
    if not reason.strip():
        raise BadCall(f"--ignore {name}: give a reason, --ignore '{name}=why this is accepted'")
    return Ignore(rule=rule.name, reason=reason.strip())


def _only(index: int, snapshot: Snapshot, questions: Sequence[Question]) -> list[Question]:
    """The questions, where those about GPUs are put to the GPU of this index alone.

    On a machine where no GPU is seen at all that is for the rules to say; an index that is not among those seen
    is a bad call.
    """
    from envcheck.judge import subjects

    cards = [person for person in subjects(snapshot) if person.kind == "gpu"]
    seen = {_index(snapshot, card, position): card.key for position, card in enumerate(cards)}
    if seen and index not in seen:
        raise BadCall(f"--gpu {index}: no such GPU (seen: {', '.join(str(i) for i in sorted(seen))})")
    return [_narrow(question, seen.get(index, "")) for question in questions]


def _index(snapshot: Snapshot, card: Subject, position: int) -> int:
    """The index that nvidia-smi and NVML give the card; where neither lists it, its place on the bus."""
    from envcheck.facts import Gpu, resolve

    for witness in ("nvml", "smi"):
        gpu = resolve(snapshot, card.places[witness]) if witness in card.places else None
        if isinstance(gpu, Gpu):
            return gpu.index
    return position


def _narrow(question: Question, key: str) -> Question:
    if question.subjects != "gpu":
        return question

    def answer(case: Case) -> Problem | None:
        from envcheck.judge import NotApplicable

        if case.subject.key != key:
            raise NotApplicable("--gpu asks about another GPU")
        return question.answer(case)

    return replace(question, answer=answer)
