"""Was the card held down while it was measured?"""

from __future__ import annotations

from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.roofline import Row

from . import measured


class BenchThrottled(Rule):
    """The card was held down while it was measured.

    What it looks at
        The reasons for the clocks that NVML gave some ten times a second beside the benchmark.
    Why it matters
        Every figure of the run is that of a card in trouble, and training will run like this too.
    How to mend it
        For heat: air flow, fans, dust. For the brake: the machine's power supplies.
    Cannot tell when
        NVML did not answer while it was measured. The ordinary power cap is no trouble and is not reported here.
    References
        nvmlClocksEventReasons (nvml.h); NVIDIA DCGM.
    """

    code, name, rung = "SPD602", "bench-throttled", "speed"
    severity = "warning"
    explains = ("bench-slow-vs-roofline", "bench-slower-than-stored", "gpu-slow-vs-peers")

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Find what holds the card down",
            steps=[
                Step(where="host", command="nvidia-smi -q -d PERFORMANCE,TEMPERATURE,POWER", note="under load"),
                Step(where="host", note="heat: fans, dust, air flow; brake: power supplies, see the BMC's log"),
            ],
            verify="envcheck bench",
        )


HELD = {
    "hw_slowdown": "the hardware slowed it down",
    "sw_thermal": "too hot, by the driver",
    "hw_thermal": "too hot, by the hardware",
    "hw_power_brake": "the power supply's brake",
}


def held_by(row: Row) -> list[str]:
    """The reasons of trouble that held the clock down while the row was measured."""
    return [reason for reason in (row.spell.reasons if row.spell else ()) if reason in HELD]


@question("host", BenchThrottled)
def was_the_card_held_down(case: Case) -> Problem | None:
    """Heat and the brake, in a tenth of the readings of one timing or more; a device without gauges is not asked."""
    return measured.on_each(case, lambda at: _judge(case, at))


def _judge(case: Case, at: str) -> Problem | None:
    measured.need_use(case, at)
    watch = measured.readings(case, at)
    if watch is None or watch.clock_reasons is None:
        raise NotApplicable("NVML knows no reasons for this device's clocks")
    table, pointers = measured.table(case, at)
    for row in table.rows:
        held = held_by(row)
        if not held or row.spell is None:
            continue
        hot = f" at {row.spell.temperature_c} °C" if row.spell.temperature_c is not None else ""
        return case.problem(
            BenchThrottled,
            f"{measured.device_name(case, at)} was held down while {row.name} was measured{hot}",
            cause=", ".join(HELD[reason] for reason in held),
            evidence=[f"{at}/watch/clock_reasons", f"{pointers[row.name]}/at_s"],
            fix=BenchThrottled.mend(case),
        )
    if not any(row.spell is not None and row.spell.readings for row in table.rows):
        raise CannotTell("NVML gave no reading while it was measured", f"{at}/watch/at_s")
    return None
