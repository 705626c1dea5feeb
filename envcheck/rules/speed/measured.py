"""A benchmark's facts as roofline's rows.  Every figure that a verdict rests on is read with ``known``: law 1."""

from __future__ import annotations

from collections.abc import Callable

from envcheck.facts import Bench, BenchDevice, Gpu, StoredBench, Timing, Watch
from envcheck.judge import CannotTell, Case, NotApplicable, Problem, normal_bus_id
from envcheck.roofline import Row, Table, row_of_timing, table_of
from envcheck.roofline.gauges import Readings
from envcheck.roofline.table import size_of

LARGE_ENOUGH = 1 << 26
JUDGED_STEPS = ("eager", "closed-form")
JUDGED_PRODUCTS = ("float32", "tf32", "bfloat16")


def devices(case: Case) -> list[str]:
    """Pointers of the measured devices.

    Raises :class:`NotApplicable` where no benchmark was asked for: a plain ``doctor`` measures nothing, also a strict
    one, and must not become undetermined by that.
    """
    if not case.told("/bench"):
        raise NotApplicable("no benchmark was run")
    case.present("/bench", Bench)
    found = [pointer for pointer, _ in case.records("/bench/devices", BenchDevice)]
    if not found:
        raise CannotTell("the benchmark reached no device", "/bench/devices")
    return found


def device_name(case: Case, at: str) -> str:
    """What the device is called, as ``cuda:0 (NVIDIA H100 80GB HBM3)``.  For wording."""
    name = case.maybe(lambda: case.known(f"{at}/device", str))
    model = case.maybe(lambda: case.known(f"{at}/name", str))
    words = name if isinstance(name, str) else "the device"
    return f"{words} ({model})" if isinstance(model, str) else words


def need_use(case: Case, at: str) -> None:
    """Raise :class:`CannotTell` where the device could not be used at all."""
    trouble = case.known(f"{at}/trouble", str)
    if trouble is not None:
        name = case.maybe(lambda: case.known(f"{at}/device", str))
        raise CannotTell(f"{name if isinstance(name, str) else 'the device'}: {trouble}", f"{at}/trouble")


def on_each(case: Case, ask: Callable[[str], Problem | None]) -> Problem | None:
    """Ask about every measured device: a problem of one counts whatever is not known of another."""
    doubt: CannotTell | None = None
    nothing: NotApplicable | None = None
    answered = False
    for at in devices(case):
        try:
            problem = ask(at)
        except CannotTell as unknown:
            doubt = doubt or unknown
        except NotApplicable as none:
            nothing = nothing or none
        else:
            if problem is not None:
                return problem
            answered = True
    if doubt is not None:
        raise doubt
    if nothing is not None and not answered:
        raise nothing
    return None


# -- rows ------------------------------------------------------------------------------------------------------


def is_judged(timing: Timing) -> bool:
    """Rows that verdicts rest on: beyond the caches, long enough, and of variants that every torch has."""
    if timing.workload in ("copy", "fill", "broadcast", "row-add"):
        return size_of(timing.size) >= LARGE_ENOUGH
    if timing.workload == "step":
        return timing.variant in JUDGED_STEPS and timing.size == "large"
    if timing.workload == "products":
        return timing.size == "large"
    return timing.workload == "matmul" and timing.dtype in JUDGED_PRODUCTS


def rows(case: Case, at: str, wanted: Callable[[Timing], bool] = is_judged) -> list[tuple[str, Row]]:
    """(pointer, row) of the wanted timings that this device has; those that it has not are left out."""
    found = []
    gauges = readings(case, at)
    for pointer, timing in case.records(f"{at}/timings", Timing):
        if not wanted(timing) or case.known(f"{pointer}/unavailable", str) is not None:
            continue
        waits = case.known(f"{pointer}/waits_s", list)
        wall = case.known(f"{pointer}/host_samples_s", list)
        row = row_of_timing(
            timing,
            samples_s=case.present(f"{pointer}/samples_s", list),
            at_s=case.present(f"{pointer}/at_s", list),
            waits_s=waits,
            host_samples_s=wall,
            readings=gauges,
        )
        found.append((pointer, row))
    return found


def table(case: Case, at: str) -> tuple[Table, dict[str, str]]:
    """The judged rows of a device with their ceilings, and the pointer of each by its name.

    Raises :class:`CannotTell` where nothing that could be judged was measured.
    """
    listed = rows(case, at)
    if not listed:
        raise CannotTell(f"{device_name(case, at)}: none of the timings that are judged was taken", f"{at}/timings")
    return table_of(row for _, row in listed), {row.name: pointer for pointer, row in listed}


def readings(case: Case, at: str) -> Readings | None:
    """The card's gauges; ``None`` for a device that NVML does not know."""
    watch = case.known(f"{at}/watch", Watch)
    if watch is None:
        return None
    here = f"{at}/watch"
    return Readings(
        at_s=case.present(f"{here}/at_s", list),
        clock_sm_mhz=case.known(f"{here}/clock_sm_mhz", list),
        clock_reasons=case.known(f"{here}/clock_reasons", list),
        temperature_c=case.known(f"{here}/temperature_c", list),
        power_w=case.known(f"{here}/power_w", list),
        utilization_percent=case.known(f"{here}/utilization_percent", list),
        pcie_generation=case.known(f"{here}/pcie_generation", list),
        pcie_width=case.known(f"{here}/pcie_width", list),
        others=case.known(f"{here}/others", list),
    )


BUSY_PERCENT = 5
"""A card that works this much before the benchmark has touched it works for somebody else."""


def was_busy_before(case: Case, at: str) -> int | None:
    """The most that the card was used before the benchmark touched it, in percent, where that is more than a little."""
    gauges = readings(case, at)
    if gauges is None or gauges.utilization_percent is None:
        return None
    touched = case.present(f"{at}/touched_at_s", float)
    before = [gauges.utilization_percent[i] for i, moment in enumerate(gauges.at_s) if moment < touched]
    most = max(before, default=0)
    return most if most >= BUSY_PERCENT else None


def need_idle_before(case: Case, at: str) -> None:
    """Raise :class:`CannotTell` where somebody else was using the card, so that nobody is called slow for it."""
    busy = was_busy_before(case, at)
    if busy is not None:
        words = f"{device_name(case, at)} was at {busy} % before the benchmark touched it: it was shared"
        raise CannotTell(words, f"{at}/watch/utilization_percent")


def stored_devices(case: Case) -> list[str]:
    """Pointers of the devices in the stored benchmark.  Raises :class:`NotApplicable` where there is none."""
    devices(case)
    case.present("/bench/stored", StoredBench)
    return [pointer for pointer, _ in case.records("/bench/stored/devices", BenchDevice)]


def card(case: Case, at: str) -> str | None:
    """Pointer of NVML's record of the measured card; ``None`` where it lists no such."""
    uuid = case.known(f"{at}/uuid", str)
    bus = case.known(f"{at}/bus_id", str)
    for pointer, _ in case.records("/nvml/gpus", Gpu):
        if uuid is not None and case.known(f"{pointer}/uuid", str) == uuid:
            return pointer
        other = case.known(f"{pointer}/bus_id", str)
        if bus is not None and other is not None and normal_bus_id(bus) == normal_bus_id(other):
            return pointer
    return None
