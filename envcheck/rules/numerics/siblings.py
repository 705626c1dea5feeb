"""Do equal cards compute equal numbers?"""

from __future__ import annotations

from collections import Counter

from envcheck.judge import Case, Fix, Problem, Rule, Step, question
from envcheck.rules.speed import measured
from envcheck.rules.speed.peers import peers


class EqualGpusDisagree(Rule):
    """Cards of one model give different bits for the same product.

    What it looks at
        A checksum of one matrix product of fixed inputs on every card (``envcheck bench --gpu all``).
    Why it matters
        Equal cards with equal libraries run equal instructions: the one that differs may corrupt silently.
    How to mend it
        Run it again; swap the card; run NVIDIA's diagnosis.
    Cannot tell when
        A card's checksum could not be had.
    References
        Oracle OCI, silent data corruption check of equal GPUs; NVIDIA DCGM, memory mismatch.
    """

    code, name, rung = "NUM203", "equal-gpus-disagree", "numerics"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Find out which card is at fault",
            steps=[
                Step(where="env", command="envcheck bench --gpu all", note="once more"),
                Step(where="host", command="dcgmi diag -r 3", note="NVIDIA's own diagnosis, half an hour"),
            ],
            verify="envcheck bench --gpu all",
        )


@question("host", EqualGpusDisagree)
def do_equal_gpus_agree(case: Case) -> Problem | None:
    """The bits of the majority are taken for right; of two cards, nobody can say which one is wrong."""
    cohort = peers(case)
    sums = {at: case.present(f"{at}/checksum", str) for at in cohort}
    counted = Counter(sums.values()).most_common()
    if len(counted) == 1:
        return None
    majority = counted[0][0] if counted[0][1] > counted[1][1] else None
    odd = [at for at, value in sums.items() if value != majority]
    names = ", ".join(measured.device_name(case, at) for at in odd)
    return case.problem(
        EqualGpusDisagree,
        f"the same product has other bits on {names}"
        if majority
        else f"the same product has different bits on {names}",
        cause="one of the cards, or its memory, does not compute what the others do",
        evidence=[f"{at}/checksum" for at in cohort],
        fix=EqualGpusDisagree.mend(case),
    )
