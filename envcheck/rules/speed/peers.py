"""Are equal cards equally fast?"""

from __future__ import annotations

from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.roofline import Row, compare
from envcheck.roofline.statistics import median

from . import measured


class GpuSlowVsPeers(Rule):
    """One card is slower than its equals in the same machine.

    What it looks at
        The same work on every card of one model (``envcheck bench --gpu all``), against the median of the others.
    Why it matters
        A job over all cards runs at the speed of the slowest.
    How to mend it
        Measure again alone; swap the slot; run NVIDIA's diagnosis.
    Cannot tell when
        A run was disturbed, or only the slow samples differ.
    References
        SuperBench, 5 % below the baseline; NVIDIA NVRx, a straggler below 0.75 of the best.
    """

    code, name, rung = "SPD604", "gpu-slow-vs-peers", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Find out what is wrong with the slow card",
            steps=[
                Step(where="env", command="envcheck bench --gpu all", note="once more, with nothing else at work"),
                Step(where="host", command="dcgmi diag -r 2", note="NVIDIA's own diagnosis, minutes"),
            ],
            verify="envcheck bench --gpu all",
        )


GAP = 0.05
"""A card 5 % behind the median of its equals is worth a look (SuperBench)."""


@question("host", GpuSlowVsPeers)
def are_equal_gpus_equally_fast(case: Case) -> Problem | None:
    """Each card against the median of the others of its model: by clear gaps only."""
    cohort = peers(case)
    doubt: CannotTell | None = None
    rows = {at: {row.key: (pointer, row) for pointer, row in measured.rows(case, at)} for at in cohort}
    for at in cohort:
        for key, (pointer, row) in rows[at].items():
            others = [rows[other][key][1] for other in cohort if other != at and key in rows[other]]
            if not others:
                continue
            middle = _middle(others)
            result = compare(middle, row, GAP)
            name = measured.device_name(case, at)
            if result.answer == "ambiguous" and result.ratio > 1.0 + GAP:
                words = f"{name}: {row.name} takes {result.ratio:.2f} times as long as on its equals, and "
                doubt = doubt or CannotTell(words + result.reasons[0], f"{pointer}/samples_s")
            if result.answer == "slower":
                measured.need_idle_before(case, at)
                return case.problem(
                    GpuSlowVsPeers,
                    f"{name}: {row.name} takes {result.ratio:.2f} times as long as on its equals",
                    cause="the silicon, its cooling or its slot: the others do the same work in the same minute faster",
                    evidence=[f"{pointer}/samples_s"],
                    fix=GpuSlowVsPeers.mend(case),
                )
    if doubt is not None:
        raise doubt
    return None


def _middle(rows: list[Row]) -> Row:
    """The row whose median is nearest to the median of all."""
    target = median(sorted(row.seconds for row in rows))
    return min(rows, key=lambda row: abs(row.seconds - target))


def peers(case: Case) -> list[str]:
    """Measured devices of the commonest model that has two or more.  Raises :class:`NotApplicable` where none has."""
    models: dict[str, list[str]] = {}
    for at in measured.devices(case):
        if case.known(f"{at}/trouble", str) is None and case.known(f"{at}/backend", str) != "cpu":
            models.setdefault(case.present(f"{at}/name", str), []).append(at)
    cohort = max(models.values(), key=len, default=[])
    if len(cohort) < 2:
        raise NotApplicable("no two cards of one model were measured")
    return cohort
