"""What is not known is said once, with its reason, and nothing of it vanishes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from envcheck.facts import Gpu, Nvml, Snapshot, Unread, make
from envcheck.judge import CannotTell, Case, Policy, Problem, Question, Report, Rule, RuleType, judge
from envcheck.report.ignorance import Unknown, reasons

SILENCE = Unread("timeout", "5 s")


def rule(number: int) -> RuleType:
    return type("R", (Rule,), {"code": f"TST{number:03}", "name": f"rule-{number}", "rung": "nvml"})


def asking(number: int, subjects: str, read: Callable[[Case], object]) -> Question:
    def answer(case: Case) -> Problem | None:
        read(case)
        return None

    return Question(f"q{number}", subjects, (rule(number),), answer)  # type: ignore[arg-type]


def about(snapshot: Snapshot, *questions: Question) -> tuple[list[Unknown], int]:
    return reasons(judge(snapshot, questions, Policy()))


def test_facts_of_one_section_count_as_one_reason() -> None:
    """nvml.init_code and nvml.gpus silent for one reason are "nvml"; another reason stays another line."""
    snapshot = make(nvml=Nvml(init_code=SILENCE, gpus=SILENCE, driver_version=Unread("refused")), smi=SILENCE)
    found, not_asked = about(
        snapshot,
        asking(1, "host", lambda case: case.known("/nvml/init_code", int)),
        asking(2, "host", lambda case: case.known("/nvml/gpus", list)),
        asking(3, "host", lambda case: case.known("/nvml/driver_version", str)),
        asking(4, "host", lambda case: case.known("/smi/path", str)),
    )
    assert [(reason.why, reason.rules) for reason in found] == [
        ("nvml: no answer in time: 5 s", ("rule-1", "rule-2")),
        ("nvml.driver_version: not permitted", ("rule-3",)),
        ("smi.path: no answer in time: 5 s", ("rule-4",)),
    ]
    assert not_asked == 0


def test_a_sentence_about_each_gpu_is_said_once() -> None:
    """Eight GPUs that nvidia-smi does not list are one line; a single one keeps its name."""

    def read(case: Case) -> object:
        return case.at("smi")

    eight = make(nvml=Nvml(gpus=[Gpu(index=i, uuid=f"GPU-{i}") for i in range(8)]))
    assert [reason.why for reason in about(eight, asking(1, "gpu", read))[0]] == ["smi does not list 8 GPUs"]
    one = make(nvml=Nvml(gpus=[Gpu(index=0, uuid="GPU-0")]))
    assert [reason.why for reason in about(one, asking(1, "gpu", read))[0]] == ["smi does not list GPU 0"]


def test_crashes_come_first_and_the_unasked_are_a_number() -> None:
    """A broken rule is told before what merely was not readable; what nobody looked for is counted."""

    def explode(case: Case) -> None:
        raise ZeroDivisionError("planted")

    def refuse(case: Case) -> None:
        raise CannotTell("two witnesses disagree")

    found, not_asked = about(
        make(),
        asking(1, "host", lambda case: case.known("/nvml/init_code", int)),
        asking(2, "host", refuse),
        asking(3, "host", explode),
    )
    assert [(reason.why, reason.crashed) for reason in found] == [
        ("q3 crashed: ZeroDivisionError: planted", True),
        ("two witnesses disagree", False),
    ]
    assert not_asked == 1


@pytest.mark.parametrize("machine", ["sick", "silent", "hostile"])
def test_every_silent_rule_is_in_one_reason(report_of: Callable[[str], Report], machine: str) -> None:
    """Nothing vanishes: each rule that could not tell is named under a reason, or counted as not asked."""
    report = report_of(machine)
    found, not_asked = reasons(report)
    named = {name for reason in found for name in reason.rules}
    silent = {v.rule for v in report.cannot_tell if v.finding is None}
    assert len(named) + not_asked == len(silent)
    assert named <= silent
