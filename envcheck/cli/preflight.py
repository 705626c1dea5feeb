"""``envcheck preflight``: this machine against a policy, before a job starts."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from . import options as o
from .errors import BadCall

if TYPE_CHECKING:
    from envcheck.facts import Bench, Snapshot, Unread
    from envcheck.judge import Policy, Report

MEANWHILE = ("envcheck.judge", "envcheck.rules", "envcheck.report.terminal")
NAGIOS_OK, NAGIOS_WARNING, NAGIOS_CRITICAL, NAGIOS_UNKNOWN = 0, 1, 2, 3
SHORTEST_BENCH_S = 10.0
"""Below so many seconds importing torch alone may take all of it."""
_DURATION = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)\s*(s|sec|m|min)?", re.ASCII)

PolicyPath = Annotated[
    str | None,
    typer.Option("--policy", metavar="FILE", help="The policy; else envcheck.toml or [tool.envcheck] of the project."),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="Start from: student, training, inference, ci-build or fleet."),
]


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("preflight")(preflight)


def preflight(
    policy: PolicyPath = None,
    profile: Profile = None,
    fail_on: Annotated[
        str | None, typer.Option("--fail-on", metavar="SEVERITY", help="Instead of the policy's: error, warning, note.")
    ] = None,
    python: o.Python = None,
    env: o.Env = None,
    quick: o.Quick = False,
    deep: o.Deep = False,
    deadline: Annotated[
        str, typer.Option("--deadline", metavar="TIME", help="Stop looking after so long: 20s, 2m.", show_default=True)
    ] = f"{o.DEADLINE_S:g}s",
    root: o.Root = "/",
    source: Annotated[
        str | None, typer.Option("--from", metavar="FILE", help="Judge this snapshot instead of this machine.")
    ] = None,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Report, and let the job start anyhow.")] = False,
    exit_style: Annotated[
        str, typer.Option("--exit-style", metavar="STYLE", help="envcheck, or nagios: 0 ok, 1 warning, 2 critical, 3.")
    ] = "envcheck",
    format_: o.ReportFormat = None,
    redact: o.Redact = None,
) -> int:
    """Judge this machine against a policy: the gate before a job.

    Exit code 0: fit, 1: unfit, 2: bad call or policy, 3: what is required is not known, 70: envcheck broke.
    """
    if exit_style not in ("envcheck", "nagios"):
        raise BadCall(f"--exit-style {exit_style}: give envcheck or nagios")
    from .results import hand_over
    from .results import wanted as formats

    try:
        results = formats(format_ or [])
        depth, deadline_s = o.depth(quick, deep), o.check_deadline(seconds(deadline))
        if source is not None:
            o.refuse_beside_from(python=python, env=env, quick=quick, deep=deep)
        wanted = _policy(policy, profile, fail_on)
        if source is not None:
            from .source import load

            snapshot = load(source)
        else:
            snapshot = _look(wanted, python, env, depth, deadline_s, root)
        from envcheck.judge import exit_code, judge
        from envcheck.rules import QUESTIONS

        from .law import with_plugins

        snapshot, questions = with_plugins(snapshot, QUESTIONS, live=source is None)
        report = judge(snapshot, questions, wanted)
        hand_over(results, report, redact=redact)
    except BadCall as error:
        error.code = NAGIOS_UNKNOWN if exit_style == "nagios" else error.code
        raise
    if exit_zero:
        return 0
    return nagios_code(report) if exit_style == "nagios" else exit_code(report.verdict, undetermined_counts=True)


def _policy(path: str | None, profile: str | None, fail_on: str | None) -> Policy:
    from .policy_file import settled

    overrides: dict[str, tuple[str, object]] = {"--fail-on": ("fail_on", fail_on)} if fail_on is not None else {}
    return settled(path, profile, overrides).policy


def _look(policy: Policy, python: str | None, env: str | None, depth: str, deadline_s: float, root: str) -> Snapshot:
    from .collect import look

    begun = time.monotonic()
    snapshot = look(python, env, depth, False, deadline_s, MEANWHILE, root=root)
    if not policy.bench.asked:
        return snapshot
    left = deadline_s - (time.monotonic() - begun)
    return replace(snapshot, bench=_measure(snapshot, deep=depth == "deep", left_s=left))


def _measure(snapshot: Snapshot, *, deep: bool, left_s: float) -> Bench | Unread:
    """The benchmark that the policy asks for, in the time that the deadline leaves."""
    from envcheck.facts import Unread
    from envcheck.report.phrases import target

    python = target(snapshot)
    if python is None:
        return Unread("missing", "no Python was found that could measure")
    if left_s < SHORTEST_BENCH_S:
        return Unread("timeout", f"{max(left_s, 0.0):.0f} s of the deadline are left, a benchmark needs more")
    from envcheck.collect.bench import Wish, measure

    return measure(Path(python.executable), Wish(every=deep, quick=not deep, deadline_s=left_s))


def seconds(text: str) -> float:
    """``20s``, ``2m`` or a plain number of seconds.  Raises :class:`BadCall`."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise BadCall(f"--deadline {text}: give a time such as 20s or 2m")
    return float(found[1]) * (60 if (found[2] or "s").startswith("m") else 1)


def nagios_code(report: Report) -> int:
    """OK, WARNING (fit, with warnings), CRITICAL (unfit) or UNKNOWN (undetermined)."""
    if report.verdict == "unfit":
        return NAGIOS_CRITICAL
    if report.verdict == "undetermined":
        return NAGIOS_UNKNOWN
    severities = [finding.severity for finding in (*report.root_causes, *report.warnings)]
    return NAGIOS_WARNING if "warning" in severities else NAGIOS_OK
