"""Is the device slower than it was?"""

from __future__ import annotations

import shlex

from envcheck.facts import Timing
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.roofline import Comparison, Row, compare_all
from envcheck.roofline.comparison import CLEAR_GAP

from . import measured


class BenchSlowerThanStored(Rule):
    """The device has become slower than an earlier benchmark of it that was stored.

    What it looks at
        Each timing against the one of the same work in the stored file: medians, their intervals, and the fastest
        samples, which interference leaves alone.  On a processor, whose speed no gauge tells, what all timings of
        one kind have in common is weather as long as it stays below a factor of two.
    Why it matters
        What changed in between (a driver, a torch, a fan, a neighbour) costs time at every step.
    How to mend it
        Run both again, in turns; compare what differs between the two snapshots.
    Cannot tell when
        One of the two runs was disturbed, only the slow samples differ, or everything on a processor moved together.
    References
        NVIDIA nvbench, "ambiguous" as a result; SuperBench, baselines.
    """

    code, name, rung = "SPD603", "bench-slower-than-stored", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        path = case.maybe(lambda: case.known("/bench/stored/path", str)) if case.told("/bench/stored") else None
        command = f"envcheck bench --compare {shlex.quote(path) if isinstance(path, str) else 'FILE'}"
        return Fix(
            title="Measure again, and see what has changed since",
            steps=[Step(where="env", command=command, note="once more, with nothing else at work")],
            verify=command,
        )


def is_compared(timing: Timing) -> bool:
    """Everything that is judged, and the step at the course's size with its products."""
    small = timing.size == "course" and (timing.workload == "products" or timing.variant in measured.JUDGED_STEPS)
    return measured.is_judged(timing) or small


@question("host", BenchSlowerThanStored)
def is_it_slower_than_the_stored_figure(case: Case) -> Problem | None:
    """The device of the same name and model in the stored file is what it is compared with."""
    stored = measured.stored_devices(case)
    return measured.on_each(case, lambda at: _judge(case, at, stored))


def _judge(case: Case, at: str, stored: list[str]) -> Problem | None:
    measured.need_use(case, at)
    before = _same_device(case, at, stored)
    now = measured.rows(case, at, is_compared)
    then = {row.key: (pointer, row) for pointer, row in measured.rows(case, before, is_compared)}
    pairs = [(pointer, row, *then[row.key]) for pointer, row in now if row.key in then]
    if not pairs:
        raise NotApplicable("the stored file holds no timing of the same work")
    processor = case.known(f"{at}/backend", str) == "cpu"
    threads = [case.known(f"{device}/threads", int) for device in (before, at)] if processor else [0, 0]
    same_threads = threads[0] == threads[1]
    results = compare_all((old for *_, old in pairs), (row for _, row in now), drifts=processor and same_threads)
    slower = []
    doubts: list[Comparison] = []
    for pointer, row, old_pointer, _ in pairs:
        result = results[row.key]
        if result.answer == "slower":
            slower.append((result, row, pointer, old_pointer))
        elif result.answer == "ambiguous":
            doubts.append(result)
    if slower:
        measured.need_idle_before(case, at)
        words = "" if same_threads else f"{threads[0]} threads then, {threads[1]} now; "
        return _problem(case, at, slower, len(pairs), words)
    slow_looking = [doubt for doubt in doubts if doubt.ratio > 1.0 + CLEAR_GAP]
    if slow_looking or len(doubts) == len(pairs):
        why = (slow_looking or doubts)[0].reasons[0]
        raise CannotTell(f"{measured.device_name(case, at)}: {why}", f"{at}/timings")
    return None


def _problem(case: Case, at: str, slower: list[tuple[Comparison, Row, str, str]], compared: int, words: str) -> Problem:
    slower.sort(key=lambda item: -item[0].ratio)
    result, row, pointer, old_pointer = slower[0]
    summary = (
        f"{measured.device_name(case, at)}: {row.name} takes {_ms(result.now_s)}, {result.ratio:.2f} times "
        f"the stored {_ms(result.before_s)}"
    )
    if len(slower) > 1:
        summary += f"; {len(slower)} of {compared} timings are slower"
    cause = "everything is slower: the device or its surroundings" if len(slower) == compared else "see what changed"
    return case.problem(
        BenchSlowerThanStored,
        summary,
        cause=f"{words}{cause}; {result.reasons[0]}",
        evidence=[f"{pointer}/samples_s", f"{old_pointer}/samples_s"],
        fix=BenchSlowerThanStored.mend(case),
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.3g} ms"


def _same_device(case: Case, at: str, stored: list[str]) -> str:
    """The stored record of this device.  Raises :class:`NotApplicable` where the file holds another model alone."""
    name, model = case.known(f"{at}/device", str), case.known(f"{at}/name", str)
    for pointer in stored:
        if case.known(f"{pointer}/device", str) == name and case.known(f"{pointer}/name", str) == model:
            return pointer
    raise NotApplicable(f"the stored file holds no {measured.device_name(case, at)}")
