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
    Verdict,
    answer,
    exit_code,
)


def verdict(
    outcome: str, severity: Severity, *, essential: bool = False, asked: bool = True, suspect: bool = False
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
    ("cannot_tell", "warning", "*", "*", "yes", "*", "error", "fit"),
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
