"""``envcheck bench``: does the device compute, rightly, and as fast as it should?"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import options as o
from . import output
from .errors import BadCall

if TYPE_CHECKING:
    from envcheck.collect.bench import Wish
    from envcheck.facts import Bench, Snapshot, StoredBench
    from envcheck.judge import Report
    from envcheck.report import Page

DEVICE = re.compile(r"auto|cpu|mps|(cuda|xpu)(:\d{1,3})?")


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("bench")(bench)


def bench(
    device: Annotated[
        str, typer.Option("--device", metavar="DEVICE", help="auto, cuda[:N], cpu, mps or xpu[:N].")
    ] = "auto",
    gpu: Annotated[
        str | None, typer.Option("--gpu", metavar="N|all", help="That CUDA device, or all of them in turn.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Some ten seconds instead of a minute.")] = False,
    save: Annotated[
        str | None, typer.Option("--save", metavar="FILE", help="Store the run, to be compared with later.")
    ] = None,
    compare: Annotated[str | None, typer.Option("--compare", metavar="FILE", help="Compare with a stored run.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Derive every formula and figure in a few lines.")] = False,
    python: o.Python = None,
    env: o.Env = None,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", min=1, max=2**32 - 1, help="Of the random inputs.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Whatever cannot be told makes it undetermined.")] = False,
    deadline: Annotated[
        float | None, typer.Option("--deadline", metavar="S", help="Stop a device's measurement after so long.")
    ] = None,
    format_: o.ReportFormat = None,
    redact: o.Redact = None,
) -> int:
    """Prove that the device computes, correctly and as fast as it should.

    The torch of your environment is measured, in a process of its own. Exit code 0: fit, 1: unfit, 2: bad call,
    3: undetermined (nothing was proven), 70: envcheck broke.
    """
    from envcheck.report import FORMATS

    results = output.wanted(format_ or [], FORMATS)
    stored_at = output.wanted([f"json={save}"], ("json",)) if save is not None else []
    wish = _wish(device, gpu, quick, seed, deadline)
    stored = _stored(compare) if compare is not None else None
    snapshot = _measured(python, env, wish, stored)

    from envcheck.judge import Policy, exit_code, judge
    from envcheck.rules import QUESTIONS

    from .law import with_plugins

    snapshot, questions = with_plugins(snapshot, QUESTIONS, live=True)
    asked_for_gpu = gpu is not None or wish.device.startswith("cuda")
    report = judge(snapshot, questions, Policy(strict=strict, require_gpu=asked_for_gpu))
    from .results import hand_over
    from .sharing import fit

    def speak(name: str, told: Report, page: Page) -> str:
        return _render(name, told, page, explain)

    hand_over(results, report, redact=redact, speak=speak)
    if stored_at:
        from envcheck.report.json_report import snapshot_text

        output.to_file(stored_at[0].path, snapshot_text(fit(snapshot, redact)("json")))
        output.to_stderr(f"envcheck: wrote {stored_at[0].path}\n")
    # Who asks for a proof and gets none has not passed: unlike doctor's, this silence is never exit code 0.
    return exit_code(report.verdict, undetermined_counts=True)


def _wish(device: str, gpu: str | None, quick: bool, seed: int | None, deadline: float | None) -> Wish:
    from envcheck.collect.bench import Wish

    if gpu is not None:
        if device != "auto":
            raise BadCall("--device and --gpu name the same thing; give one of them")
        if gpu != "all" and not gpu.isdigit():
            raise BadCall(f"--gpu {gpu}: give an index, or all")
        device = "cuda" if gpu == "all" else f"cuda:{gpu}"
    if not DEVICE.fullmatch(device):
        raise BadCall(f"--device {device}: give auto, cuda, cuda:N, cpu, mps, xpu or xpu:N")
    if deadline is not None:
        o.check_deadline(deadline)
    return Wish(device=device, every=gpu == "all", quick=quick, seed=seed, deadline_s=deadline)


def _stored(path: str) -> StoredBench:
    """The benchmark in a file of ``--save`` or of ``--format json``.  Raises :class:`BadCall`."""
    from envcheck.facts import Bench, StoredBench

    from .source import load

    snapshot = load(path)
    if not isinstance(snapshot.bench, Bench):
        raise BadCall(f"{path}: it holds no benchmark; envcheck bench --save FILE writes one")
    return StoredBench(path=path, taken_at=snapshot.taken_at, tool=snapshot.tool, devices=snapshot.bench.devices)


def _measured(python: str | None, env: str | None, wish: Wish, stored: StoredBench | None) -> Snapshot:
    """This machine, looked at quickly, with the benchmark of the judged environment."""
    from msgspec.structs import replace

    from envcheck.report.phrases import target

    from .collect import look

    snapshot = look(python, env, "quick", False, o.DEADLINE_S)
    interpreter = target(snapshot)
    if interpreter is None:
        raise BadCall("no Python was found whose torch could be measured; name one with --python or --env")
    measured = _run(Path(interpreter.executable), wish)
    return replace(snapshot, bench=replace(measured, stored=stored))


def _run(python: Path, wish: Wish) -> Bench:
    from envcheck.collect.bench import measure
    from envcheck.report.bench_progress import Bar

    with Bar(sys.stderr, os.environ) as bar:
        return measure(python, wish, lambda at: bar.tell(at.device, at.done, at.steps, at.words))


def _render(name: str, report: Report, page: Page, explain: bool) -> str:
    """The report in that format; where people read, with the benchmark's figures in front of it (JSON: beside it)."""
    from envcheck.report import bench_table, render

    text = render(name, report, page)
    if name == "json":
        import json

        from envcheck.report.json_report import to_text

        return to_text({**json.loads(text), "bench": bench_table.to_plain(report.snapshot)})
    if name not in ("terminal", "markdown"):
        return text
    table = bench_table.render(report.snapshot, page, explain=explain)
    if name == "markdown":
        return f"{text}\n## Benchmark\n\n```text\n{table}```\n"
    return f"{table}\n{text}"
