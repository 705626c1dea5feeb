"""Does the host keep up with the card?"""

from __future__ import annotations

from envcheck.facts import Timing
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, question

from . import measured


class BenchHostBound(Rule):
    """The card waits for the host even where each step is large.

    What it looks at
        The wall time of a large step against the time that the device itself spends in it.
    Why it matters
        The card idles between kernels: a faster card would change nothing.
    How to mend it
        Look for variables that make every call wait, a slow or busy processor; fuse work with torch.compile or CUDA
        graphs, whose figures stand beside.
    Cannot tell when
        The host's samples were not taken, or the device's own scatter or were disturbed.
    References
        PyTorch performance tuning guide; CUDA graphs.
    """

    code, name, rung = "SPD608", "bench-host-bound", "speed"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Take work off the host",
            steps=[
                Step(where="env", command="env | grep -E 'CUDA_LAUNCH_BLOCKING|TORCH_|NCCL_DEBUG'"),
                Step(where="env", command="torch.compile(model, mode='reduce-overhead')", note="in the program"),
            ],
            verify="envcheck bench",
        )


MOST_RATIO = 1.5
"""Wall time by device time: above, the device is idle for a third of the step."""


def is_large_step(timing: Timing) -> bool:
    """The compute-bound step as it is taught.  At the course's size every fast card waits for its host, and may."""
    return timing.workload == "step" and timing.size == "large" and timing.variant == "eager"


@question("host", BenchHostBound)
def does_the_host_keep_up(case: Case) -> Problem | None:
    """Only where the device has a clock of its own."""
    return measured.on_each(case, lambda at: _judge(case, at))


def _judge(case: Case, at: str) -> Problem | None:
    measured.need_use(case, at)
    steps = measured.rows(case, at, is_large_step)
    timed = [(pointer, row) for pointer, row in steps if row.host_ratio is not None]
    if not timed:
        raise NotApplicable("the device has no clock of its own beside the host's")
    for pointer, row in timed:
        if row.host_ratio is None or row.host_ratio <= MOST_RATIO:
            continue
        words = f"{measured.device_name(case, at)}: {row.name} takes {row.host_ratio:.1f} times what the device works"
        if not row.is_trusted:
            raise CannotTell(f"{words}, and its samples are {row.trust}", f"{pointer}/samples_s")
        return case.problem(
            BenchHostBound,
            words,
            cause="the host does not ask for work fast enough",
            evidence=[f"{pointer}/host_samples_s", f"{pointer}/samples_s"],
            fix=BenchHostBound.mend(case),
        )
    return None
