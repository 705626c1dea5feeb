"""A rule of Acme's cluster: jobs need a scratch disk."""

from __future__ import annotations

from envcheck.judge import Case, Fix, Problem, Rule, Step, question

FACTS = "/plugins/collectors.acme/facts/values"


class ScratchTooSmall(Rule):
    """The scratch disk of this node is too small for a job.

    What it looks at
        The free space that Acme's collector reports.
    Why it matters
        Checkpoints fail in the middle of the night.
    How to mend it
        Empty the scratch disk.
    Cannot tell when
        The collector gave no answer.
    References
        Acme cluster handbook, chapter 4.
    """

    code, name, rung = "ACM101", "acme-scratch-too-small", "python"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(title="Empty the scratch disk", steps=[Step(where="host", command="acme-clean /scratch", root=True)])


@question("host", ScratchTooSmall)
def is_the_scratch_disk_large_enough(case: Case) -> Problem | None:
    """At least 100 GiB free."""
    free = case.present(f"{FACTS}/free_gib", int)
    if free >= 100:
        return None
    return case.problem(
        ScratchTooSmall,
        f"the scratch disk has {free} GiB free, and a job needs 100",
        cause="old checkpoints were left behind",
        evidence=[f"{FACTS}/free_gib"],
        fix=ScratchTooSmall.mend(case),
    )


QUESTIONS = (is_the_scratch_disk_large_enough,)
