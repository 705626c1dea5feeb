"""Can the timings be trusted, or were other programs at work?"""

from __future__ import annotations

from envcheck.judge import Case, Fix, Problem, Rule, Step, question
from envcheck.roofline import Row

from . import measured


class BenchSharedCard(Rule):
    """Other programs used the device while it was measured, so its speed says little.

    What it looks at
        On a card: other compute processes, and its use before the benchmark touched it, by NVML. On a processor: how
        long the benchmark's threads stood in the queue for it.
    Why it matters
        Half of a busy device is not half of a bad one: nothing is called slow on such a run.
    How to mend it
        Run again with nothing else at work.
    Cannot tell when
        The system or the driver does not tell (Windows lists the desktop's programs, a container the host's numbers).
    References
        Linux kernel, /proc/<pid>/schedstat; nvmlDeviceGetComputeRunningProcesses.
    """

    code, name, rung = "SPD606", "bench-shared-card", "speed"
    severity = "note"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Measure again with nothing else at work",
            steps=[Step(where="host", command="nvidia-smi", note="lists the processes of a card; top those of a CPU")],
            verify="envcheck bench",
        )


class BenchTooNoisy(Rule):
    """The timings scatter too much to say anything about speed.

    What it looks at
        The interquartile range of the samples against their median, for the timings that are judged.
    Why it matters
        With a quarter between the quartiles, a difference of a third may be chance.
    How to mend it
        Run again, longer (without --quick), with nothing else at work and power saving off.
    Cannot tell when
        No timing that is judged was taken.
    References
        torch.utils.benchmark: a warning from 10 %, influence from outside from 25 %.
    """

    code, name, rung = "SPD607", "bench-too-noisy", "speed"
    severity = "note"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Measure again, longer and alone",
            steps=[Step(where="env", command="envcheck bench", note="without --quick, nothing else at work")],
            verify="envcheck bench",
        )


@question("host", BenchSharedCard, BenchTooNoisy)
def can_the_timings_be_trusted(case: Case) -> Problem | None:
    """Sharing is a reason for noise, so it is named first."""
    return measured.on_each(case, lambda at: _judge(case, at))


def _judge(case: Case, at: str) -> Problem | None:
    measured.need_use(case, at)
    table, pointers = measured.table(case, at)
    name = measured.device_name(case, at)
    busy = measured.was_busy_before(case, at)
    if busy is not None:
        return case.problem(
            BenchSharedCard,
            f"{name} was at {busy} % before the benchmark touched it",
            cause="another program uses the card",
            evidence=[f"{at}/watch/utilization_percent", f"{at}/touched_at_s"],
            fix=BenchSharedCard.mend(case),
        )
    shared = [row for row in table.rows if row.trust == "shared"]
    if shared:
        return _shared(case, at, name, shared, pointers)
    noisy = [row for row in table.rows if row.trust == "noisy"]
    if noisy:
        worst = max(noisy, key=lambda row: row.summary.spread)
        return case.problem(
            BenchTooNoisy,
            f"{name}: {worst.name}: {worst.doubt}"
            + (f"; {len(noisy) - 1} more timings say nothing either" if len(noisy) > 1 else ""),
            cause="something else on the machine, or a clock that does not settle; no speed is judged by such samples",
            evidence=[f"{pointers[worst.name]}/samples_s"],
            fix=BenchTooNoisy.mend(case),
        )
    return None


def _shared(case: Case, at: str, name: str, rows: list[Row], pointers: dict[str, str]) -> Problem:
    worst = max(rows, key=lambda row: row.disturbed / row.taken)
    if worst.spell is not None and worst.spell.others:
        others = worst.spell.others
        words = "1 other compute process" if others == 1 else f"{others} other compute processes"
        summary = f"{name}: {words} while {worst.name} was measured"
        evidence, cause = [f"{at}/watch/others"], "another program uses the card"
    else:
        summary = f"{name}: {worst.disturbed} of {worst.taken} samples of {worst.name} were disturbed"
        evidence = [f"{pointers[worst.name]}/waits_s"]
        cause = "its threads stood in the queue for a processor: other programs wanted the same ones"
    return case.problem(BenchSharedCard, summary, cause=cause, evidence=evidence, fix=BenchSharedCard.mend(case))
