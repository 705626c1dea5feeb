"""The gate's whole truth table: outcome, severity, essence and policy to answer and exit code."""

from __future__ import annotations

import itertools

import pytest

from envcheck.judge import (
    EXIT_FIT,
    EXIT_UNDETERMINED,
    EXIT_UNFIT,
    SEVERITIES,
    Finding,
    Policy,
    Severity,
    Unknowns,
    Verdict,
    answer,
    exit_code,
)


def verdict(
    outcome: str,
    severity: Severity,
    *,
    essential: bool = False,
    asked: bool = True,
    suspect: bool = False,
    required: bool = False,
    of_machine: bool = True,
) -> Verdict:
    finding = Finding(
        rule="r", code="R1", severity=severity, rung="nvml", subject="host", summary="s", cause="c", evidence=[]
    )
    return Verdict(
        rule="r",
        code="R1",
        rung="nvml",
        severity=severity,
        subject="host",
        outcome=outcome,  # type: ignore[arg-type]
        essential=essential,
        asked=asked,
        required=required,
        of_machine=of_machine,
        finding=finding if outcome in ("problem", "ignored") or suspect else None,
    )


OK = verdict("ok", "error")

# outcome, severity, essential, asked, suspect, strict, fail_on → answer.  "*" stands for every value.
TABLE: list[tuple[str, str, str, str, str, str, str, str]] = [
    ("ok", "*", "*", "*", "no", "*", "*", "fit"),
    ("not_applicable", "*", "*", "*", "no", "*", "*", "fit"),
    ("ignored", "*", "*", "*", "no", "*", "*", "fit"),
    ("problem", "error", "*", "*", "no", "*", "*", "unfit"),
    ("problem", "warning", "*", "*", "no", "*", "error", "fit"),
    ("problem", "warning", "*", "*", "no", "*", "warning", "unfit"),
    ("problem", "warning", "*", "*", "no", "*", "note", "unfit"),
    ("problem", "note", "*", "*", "no", "*", "error", "fit"),
    ("problem", "note", "*", "*", "no", "*", "warning", "fit"),
    ("problem", "note", "*", "*", "no", "*", "note", "unfit"),
    ("cannot_tell", "error", "*", "*", "yes", "*", "*", "unfit"),
    ("cannot_tell", "warning", "no", "*", "yes", "*", "error", "fit"),
    ("cannot_tell", "warning", "yes", "no", "yes", "no", "error", "fit"),
    ("cannot_tell", "warning", "yes", "no", "yes", "yes", "error", "undetermined"),
    ("cannot_tell", "warning", "yes", "yes", "yes", "*", "error", "undetermined"),
    ("cannot_tell", "warning", "*", "*", "yes", "*", "warning", "unfit"),
    ("cannot_tell", "*", "yes", "yes", "no", "*", "*", "undetermined"),
    ("cannot_tell", "*", "no", "*", "no", "no", "*", "fit"),
    ("cannot_tell", "*", "yes", "no", "no", "no", "*", "fit"),
    ("cannot_tell", "error", "*", "*", "no", "yes", "*", "undetermined"),
    ("crashed", "*", "yes", "*", "no", "*", "*", "undetermined"),
    ("crashed", "*", "no", "*", "no", "no", "*", "fit"),
    ("crashed", "error", "*", "*", "no", "yes", "*", "undetermined"),
]

ROWS = [
    (outcome, severity, essential, asked, suspect, strict, fail_on, want)
    for outcome, sev, ess, ask, sus, stri, fail, want in TABLE
    for severity, essential, asked, suspect, strict, fail_on in itertools.product(
        SEVERITIES if sev == "*" else [sev],
        ["yes", "no"] if ess == "*" else [ess],
        # A crash is never "not asked".
        ["yes"] if outcome == "crashed" else (["yes", "no"] if ask == "*" else [ask]),
        [sus],
        ["yes", "no"] if stri == "*" else [stri],
        SEVERITIES if fail == "*" else [fail],
    )
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row))
def test_truth_table(row: tuple[str, ...]) -> None:
    """One verdict beside an ok one gives the answer of the table."""
    outcome, severity, essential, asked, suspect, strict, fail_on, want = row
    one = verdict(
        outcome,
        severity,  # type: ignore[arg-type]
        essential=essential == "yes",
        asked=asked == "yes",
        suspect=suspect == "yes",
    )
    policy = Policy(strict=strict == "yes", fail_on=fail_on)  # type: ignore[arg-type]
    assert answer([OK, one], policy) == want
    assert answer([one, OK], policy) == want


def test_nothing_judged_is_not_a_pass() -> None:
    """No verdict at all, or none that saw anything, is never fit."""
    assert answer([], Policy()) == "undetermined"
    assert answer([verdict("cannot_tell", "note", asked=False)], Policy()) == "undetermined"
    assert answer([verdict("not_applicable", "error")] * 3, Policy()) == "undetermined"


@pytest.mark.parametrize("unknown", ["warn", "fail", "ignore"])
@pytest.mark.parametrize("outcome", ["ok", "problem", "ignored", "crashed", "not_applicable", "cannot_tell"])
def test_an_answer_about_the_policy_is_no_pass(outcome: str, unknown: Unknowns) -> None:
    """That an exception still holds, or that a plugin is broken, says nothing of a machine that nobody saw."""
    own = verdict(outcome, "warning", of_machine=False)
    assert answer([own], Policy(unknown=unknown)) == "undetermined"
    assert answer([own, OK], Policy(unknown=unknown)) == "fit"


@pytest.mark.parametrize("fail_on", SEVERITIES)
@pytest.mark.parametrize("unknown", ["warn", "fail", "ignore"])
@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("outcome", ["cannot_tell", "crashed"])
@pytest.mark.parametrize("suspect", [False, True])
def test_required_and_not_known_is_never_fit(
    outcome: str, severity: Severity, unknown: Unknowns, fail_on: Severity, suspect: bool
) -> None:
    """Whatever severity the policy gives it, however it treats unknowns, and whatever a message suggests."""
    policy = Policy(unknown=unknown, fail_on=fail_on)
    one = verdict(outcome, severity, essential=True, required=True, suspect=suspect)
    accused = suspect and outcome == "cannot_tell" and SEVERITIES.index(severity) <= SEVERITIES.index(fail_on)
    want = "unfit" if accused else "undetermined"
    assert answer([OK, one], policy) == want
    assert exit_code(want, undetermined_counts=True) in (EXIT_UNFIT, EXIT_UNDETERMINED)


@pytest.mark.parametrize(
    ("unknown", "severity", "essential", "asked", "want"),
    [
        ("warn", "error", True, True, "undetermined"),
        ("warn", "note", True, True, "undetermined"),
        ("warn", "error", True, False, "fit"),
        ("warn", "error", False, True, "fit"),
        ("fail", "error", False, False, "undetermined"),
        ("fail", "note", True, False, "undetermined"),
        ("fail", "warning", False, True, "fit"),
        ("ignore", "error", True, True, "fit"),
    ],
)
def test_which_unknowns_count(unknown: Unknowns, severity: Severity, essential: bool, asked: bool, want: str) -> None:
    """warn: the essential ones that were asked; fail: those at error level and every essential one; ignore: none."""
    one = verdict("cannot_tell", severity, essential=essential, asked=asked)
    assert answer([OK, one], Policy(unknown=unknown)) == want


@pytest.mark.parametrize(
    ("say", "counts", "code"),
    [
        ("fit", False, EXIT_FIT),
        ("fit", True, EXIT_FIT),
        ("unfit", False, EXIT_UNFIT),
        ("unfit", True, EXIT_UNFIT),
        ("undetermined", False, EXIT_FIT),
        ("undetermined", True, EXIT_UNDETERMINED),
    ],
)
def test_exit_codes(say: str, counts: bool, code: int) -> None:
    """fit 0, unfit 1, undetermined 3 where it counts (preflight, fleet, --strict)."""
    assert exit_code(say, undetermined_counts=counts) == code  # type: ignore[arg-type]


def test_the_gate_is_monotone() -> None:
    """A further problem or doubt never improves the answer: fit < undetermined < unfit."""
    order = {"fit": 0, "undetermined": 1, "unfit": 2}
    pool = [
        verdict(o, s, essential=e, asked=a)
        for o in ("ok", "problem", "cannot_tell", "crashed", "not_applicable")
        for s in SEVERITIES
        for e in (True, False)
        for a in (True, False)
    ]
    for policy in (Policy(), Policy(strict=True), Policy(fail_on="note")):
        for one, two in itertools.product(pool, pool):
            both = order[answer([OK, one, two], policy)]
            assert both >= order[answer([OK, one], policy)]
