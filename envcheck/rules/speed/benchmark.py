"""Is the device as fast as the same run shows that it can be, and as its attributes say that it should be?"""

from __future__ import annotations

from envcheck.compat.peaks import peaks
from envcheck.compat.rows import Peak
from envcheck.judge import CannotTell, Case, Fix, Problem, Rule, Step, question
from envcheck.roofline import Row, Table
from envcheck.roofline.peaks import bandwidth

from . import measured
from .held_down import held_by


class BenchSlowVsRoofline(Rule):
    """The device is much slower than its roofline: the measured ceilings of the same run, or its theoretical peak.

    What it looks at
        Broadcasts beyond the caches against the fill and copy rates of the same run; a step of softmax regression
        against its two matrix products alone; copies and products of an NVIDIA card against its peak.
    Why it matters
        The time of a training step is lost somewhere between the numbers and the silicon: an operator that falls back
        to a slow path, threads that do not fit, a card that is not what it says.
    How to mend it
        Run again alone on the machine; compare with another torch build; on a card run NVIDIA's own diagnosis.
    Cannot tell when
        The timings scatter or other programs disturbed them: most of them, or those that look slow.
    References
        Williams, Waterman, Patterson, "Roofline", CACM 2009; torch.utils.benchmark; NVIDIA DCGM diagnostics.
    """

    code, name, rung = "SPD601", "bench-slow-vs-roofline", "speed"
    severity = "warning"
    essential = True

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Measure again with nothing else running, then look for what holds it back",
            steps=[
                Step(where="env", command="envcheck bench --explain"),
                Step(where="host", command="dcgmi diag -r 2", note="on an NVIDIA card: its own diagnosis, minutes"),
            ],
            verify="envcheck bench",
        )


LEAST_MEMORY = 0.50
"""Of the rate that copying and filling reach in the same run.  Below 0.9 is worth a look; a processor of two threads
in a memory that nobody else uses gave 0.72, for it cannot add as fast as that memory takes."""
MOST_STEP = {"closed-form": 2.0, "eager": 3.0}
"""Times the two matrix products of the step.  A quiet machine gives 1.0 to 1.2."""
LEAST_PEAK_BANDWIDTH, LEAST_PEAK_FLOPS = 0.60, 0.40
"""Of the theoretical peak, which nobody reaches: 0.90 and 0.80 are usual on data-centre cards, 0.75 and 0.5 on those
whose power is capped (T4, L4)."""


@question("host", BenchSlowVsRoofline)
def is_the_device_as_fast_as_it_should_be(case: Case) -> Problem | None:
    """By rows that are steady enough; who holds the card down is another question."""
    return measured.on_each(case, lambda at: _judge(case, at))


def _judge(case: Case, at: str) -> Problem | None:
    measured.need_use(case, at)
    table, pointers = measured.table(case, at)
    if any(held_by(row) for row in table.rows):
        return None  # its slowness has a name of its own: bench-throttled
    return _slow(case, at, table, pointers)


def _slow(case: Case, at: str, table: Table, pointers: dict[str, str]) -> Problem | None:
    name = measured.device_name(case, at)
    busy = measured.was_busy_before(case, at)
    doubt: str | None = None
    for row, summary, cause in (*_against_the_run(table), *_against_the_peak(case, at, table)):
        if not row.is_trusted or busy is not None:
            why = row.doubt or f"the card was at {busy} % before it was touched: it was shared"
            doubt = doubt or f"{name}: {row.name} looks slow, and {why}"
            continue
        spent = ", ".join(row.spell.reasons) if row.spell and row.spell.reasons else ""
        return case.problem(
            BenchSlowVsRoofline,
            f"{name}: {summary}",
            cause=f"{cause}; the driver gave as reasons for the clock: {spent}" if spent else cause,
            evidence=[f"{pointers[row.name]}/samples_s"],
            fix=BenchSlowVsRoofline.mend(case),
        )
    doubtful = [row for row in table.rows if not row.is_trusted]
    if doubt is None and 2 * len(doubtful) > len(table.rows):
        doubt = f"{name}: {len(doubtful)} of {len(table.rows)} timings say nothing: {doubtful[0].doubt}"
    if doubt is not None:
        raise CannotTell(doubt, f"{at}/timings")
    return None


def _against_the_run(table: Table) -> list[tuple[Row, str, str]]:
    """(row, summary, cause) of what is slow against the ceilings of the same run."""
    found = []
    for row in table.memory_rows():
        reached = table.efficiency(row)
        if reached is not None and reached < LEAST_MEMORY:
            summary = f"{row.name} runs at {reached:.0%} of what copying and filling reach in the same run"
            found.append((row, summary, "the operator is slower than the memory"))
    for variant, most in MOST_STEP.items():
        step, alone = table.find("step", variant, "large"), table.find("products", size="large")
        if step is not None and alone is not None and step.seconds > most * alone.seconds:
            times = step.seconds / alone.seconds
            summary = f"{step.name} takes {times:.1f} times as long as its two matrix products"
            found.append((step, summary, "the elementwise part or the host costs more than the products"))
    return found


def _against_the_peak(case: Case, at: str, table: Table) -> list[tuple[Row, str, str]]:
    found = []
    peak = card_peaks(case, at)
    copies = [row for row in table.rows if row.workload == "copy" and row.bytes_per_s]
    best = max(copies, key=lambda row: row.bytes_per_s or 0.0, default=None)
    if best is not None and "bandwidth" in peak:
        reached = (best.bytes_per_s or 0.0) / peak["bandwidth"]
        if reached < LEAST_PEAK_BANDWIDTH:
            rate, top = (best.bytes_per_s or 0.0) / 1e9, peak["bandwidth"] / 1e9
            summary = f"copies reach {rate:.0f} GB/s, {reached:.0%} of the card's {top:.0f} GB/s"
            found.append((best, summary, "the card's memory is slower than its clock and bus width say"))
    for row in table.rows:
        top = peak.get(row.dtype, 0.0)
        if row.workload == "matmul" and top and row.flops_per_s:
            reached = row.flops_per_s / top
            if reached < LEAST_PEAK_FLOPS:
                rate = row.flops_per_s / 1e12
                summary = f"{row.dtype} products reach {rate:.1f} TFLOP/s, {reached:.0%} of the card's {top / 1e12:.1f}"
                found.append((row, summary, "the card computes slower than its multiprocessors and clock say"))
    return found


def card_peaks(case: Case, at: str) -> dict[str, float]:
    """Theoretical peaks of a measured NVIDIA card, in bytes and operations a second: datasheet, else attributes.

    Empty for other devices, for a share of a card (MIG, vGPU), and for cards that NVML does not list.
    """
    if case.known(f"{at}/backend", str) != "cuda" or case.known(f"{at}/hip", str) is not None:
        return {}
    here = measured.card(case, at)
    if here is None:
        return {}
    if case.known(f"{here}/mig_mode", bool) or case.known(f"{here}/virtualization", str) == "vgpu":
        return {}
    sheet = peaks(case.present(f"{here}/name", str))
    known: dict[str, float] = {}
    if isinstance(sheet, Peak):
        known["float32"] = sheet.fp32_tflops * 1e12
        if sheet.bandwidth_gb_s is not None:
            known["bandwidth"] = sheet.bandwidth_gb_s * 1e9
        if sheet.bf16_dense_tflops is not None:
            known["bfloat16"] = sheet.bf16_dense_tflops * 1e12
    if "bandwidth" not in known:
        clock = case.known(f"{here}/clock_memory_max_mhz", int)
        width = case.known(f"{here}/bus_width_bits", int)
        if clock and width:
            known["bandwidth"] = bandwidth(clock, width)
    return known
