"""The court: rules, subjects, findings, verdicts, causes and the gate.  Pure: no clock, no chance, no I/O."""

from collections.abc import Iterable

from envcheck.facts import Snapshot

from .bounds import Bounds
from .case import CannotTell, Case, NotApplicable
from .causes import excuse, explanations, fold, rank
from .court import try_all
from .finding import Evidence, Finding, Fix, Problem, Step
from .gate import (
    EXIT_BROKEN,
    EXIT_FIT,
    EXIT_INTERRUPTED,
    EXIT_UNDETERMINED,
    EXIT_UNFIT,
    EXIT_USAGE,
    answer,
    exit_code,
    ladder,
    weigh,
)
from .policy import Floors, Forbid, Ignore, Policy, Require, Unknowns
from .report import Consequence, Report, Verdict
from .rule import HEADINGS, RUNGS, SEVERITIES, Question, Rule, RuleType, Severity, by_message, manual, question
from .subject import DISPLAY_CLASS, HOST, NVIDIA, Subject, covers, is_nvidia_gpu, normal_bus_id, subjects

__all__ = [
    "DISPLAY_CLASS",
    "EXIT_BROKEN",
    "EXIT_FIT",
    "EXIT_INTERRUPTED",
    "EXIT_UNDETERMINED",
    "EXIT_UNFIT",
    "EXIT_USAGE",
    "HEADINGS",
    "HOST",
    "NVIDIA",
    "RUNGS",
    "SEVERITIES",
    "Bounds",
    "CannotTell",
    "Case",
    "Consequence",
    "Evidence",
    "Finding",
    "Fix",
    "Floors",
    "Forbid",
    "Ignore",
    "NotApplicable",
    "Policy",
    "Problem",
    "Question",
    "Report",
    "Require",
    "Rule",
    "RuleType",
    "Severity",
    "Step",
    "Subject",
    "Unknowns",
    "Verdict",
    "answer",
    "by_message",
    "covers",
    "excuse",
    "exit_code",
    "explanations",
    "fold",
    "is_nvidia_gpu",
    "judge",
    "ladder",
    "manual",
    "normal_bus_id",
    "question",
    "rank",
    "subjects",
    "try_all",
    "weigh",
]


def judge(snapshot: Snapshot, questions: Iterable[Question], policy: Policy | None = None) -> Report:
    """Try every question and fold the findings: the whole way from a snapshot to a report."""
    policy = policy or Policy()
    asked = tuple(questions)
    explains = explanations(asked)
    verdicts = excuse(try_all(snapshot, asked, policy), explains)
    findings = [v.finding for v in verdicts if v.finding is not None and v.outcome != "ignored"]
    roots, consequences = fold(findings, explains)
    blamed = {(one.because, one.because_subject) for one in consequences if one.finding.severity == "error"}

    def is_answer(finding: Finding) -> bool:
        """An error, or a warning that answers a message or that an error follows from."""
        return finding.severity == "error" or (
            finding.severity == "warning" and (finding.answers_symptom or (finding.rule, finding.subject) in blamed)
        )

    return Report(
        verdict=answer(verdicts, policy),
        ladder=ladder(verdicts),
        root_causes=[f for f in roots if is_answer(f)],
        consequences=consequences,
        warnings=[f for f in roots if f.severity == "warning" and not is_answer(f)],
        notes=[f for f in roots if f.severity == "note"],
        cannot_tell=[v for v in verdicts if v.outcome in ("cannot_tell", "crashed")],
        ignored=[v for v in verdicts if v.outcome == "ignored"],
        verdicts=verdicts,
        policy=policy,
        snapshot=snapshot,
    )
