"""Is the device as fast as the policy requires?  The figures are the benchmark's; here they meet a floor."""

from __future__ import annotations

from envcheck.facts import Bench, Gpu
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Step, question
from envcheck.roofline import Row, Table
from envcheck.roofline.peaks import bandwidth as peak_bandwidth
from envcheck.rules.speed import measured

from .requirement import Requirement


class PolicyBench(Requirement):
    """The device is slower than the policy requires.

    What it looks at
        The benchmark of the same run: each judged workload against what the device did at best in this run
        (bench.min_ratio_to_ceiling), and the memory bandwidth against the card's theoretical peak, twice the highest
        memory clock times the bus width (bench.min_ratio_to_peak).
    Why it matters
        A slow card holds up every job that it takes part in, and nothing fails.
    How to mend it
        Look at the warnings beside it: heat, power limit, PCIe link and other programs are told apart there.
    Cannot tell when
        No benchmark was run, the samples are too noisy or disturbed, or the card's peak is not known.
    References
        S. Williams et al., Roofline, CACM 52 (2009); docs of envcheck bench.
    """

    code, name, rung = "POL161", "policy-bench", "speed"
    explained_by = ("thermal-throttling", "power-brake", "power-cap-lowered", "clocks-locked", "cpu-fallback")

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Measure again on an idle machine, and look at what holds the card down",
            steps=[
                Step(where="host", command="nvidia-smi -q -d PERFORMANCE,CLOCK,POWER,TEMPERATURE"),
                Step(where="env", command="envcheck bench"),
            ],
            verify="envcheck preflight",
        )


@question("host", PolicyBench)
def is_the_device_as_fast_as_the_policy_requires(case: Case) -> Problem | None:
    """Every measured device against every floor; one that is surely too slow settles it."""
    if not case.policy.bench.asked:
        raise NotApplicable("the policy does not ask for it")
    if case.known("/bench", Bench) is None:
        raise CannotTell("no benchmark was run", "/bench")
    return measured.on_each(case, lambda at: _judge(case, at))


def _judge(case: Case, at: str) -> Problem | None:
    measured.need_use(case, at)
    table, pointers = measured.table(case, at)
    floors = case.policy.bench
    doubt: CannotTell | None = None
    if floors.min_ratio_to_ceiling:
        for row in table.rows:
            share = table.efficiency(row)
            if share is None or share >= floors.min_ratio_to_ceiling:
                continue
            pointer = f"{pointers[row.name]}/samples_s"
            if row.is_trusted:
                what = f"{row.name} reaches {share:.0%} of what the device does at best"
                return _slow(case, at, what, floors.min_ratio_to_ceiling, pointer)
            doubt = doubt or CannotTell(f"{row.name}: the samples are {row.trust}", pointer)
    if floors.min_ratio_to_peak:
        row, share = _of_peak(case, at, table)
        if share < floors.min_ratio_to_peak:
            pointer = f"{pointers[row.name]}/samples_s"
            if row.is_trusted:
                what = f"memory is copied at {share:.0%} of the card's theoretical bandwidth"
                return _slow(case, at, what, floors.min_ratio_to_peak, pointer)
            doubt = doubt or CannotTell(f"{row.name}: the samples are {row.trust}", pointer)
    if doubt is not None:
        raise doubt
    return None


def _of_peak(case: Case, at: str, table: Table) -> tuple[Row, float]:
    """The fastest copy beyond the caches, and its share of the theoretical bandwidth."""
    copies = [row for row in table.rows if row.workload == "copy" and row.bytes_per_s]
    if not copies:
        raise CannotTell("no copy was measured", f"{at}/timings")
    fastest = max(copies, key=lambda row: row.bytes_per_s or 0.0)
    return fastest, (fastest.bytes_per_s or 0.0) / _peak(case, at)


def _peak(case: Case, at: str) -> float:
    """Bytes a second, from the attributes that NVML gives of the measured card."""
    uuid = case.present(f"{at}/uuid", str)
    for pointer, _ in case.records("/nvml/gpus", Gpu):
        if case.known(f"{pointer}/uuid", str) == uuid:
            clock = case.present(f"{pointer}/clock_memory_max_mhz", int)
            return peak_bandwidth(clock, case.present(f"{pointer}/bus_width_bits", int))
    raise CannotTell("the peak of the measured device is not known", f"{at}/uuid")


def _slow(case: Case, at: str, what: str, floor: float, pointer: str) -> Problem:
    return case.problem(
        PolicyBench,
        f"{measured.device_name(case, at)}: {what}, the policy requires {floor:.0%}",
        cause="something holds the device down, or the policy is meant for another",
        evidence=[pointer],
        fix=PolicyBench.mend(case),
    )
