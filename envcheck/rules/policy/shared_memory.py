"""Is there as much shared memory as the policy requires?"""

from __future__ import annotations

from envcheck.judge import Bounds, Case, Fix, Problem, question
from envcheck.rules.device_nodes.limits import DevShmTooSmall

from .requirement import Requirement, wanted

MIB = 1 << 20


class PolicyShm(Requirement):
    """The shared memory in /dev/shm has another size than the policy requires.

    What it looks at
        The size of /dev/shm in MiB against require.shm_mib.
    Why it matters
        Data loader workers and NCCL hand tensors over through it; containers give 64 MiB unless asked for more.
    How to mend it
        Start the container with --shm-size, or remount /dev/shm; or change the policy.
    Cannot tell when
        The size could not be read.  Systems without /dev/shm (Windows, macOS) are not asked.
    References
        PyTorch, data loader; NCCL user guide, troubleshooting, shared memory.
    """

    code, name, rung = "POL121", "policy-shm", "device_nodes"
    explained_by = ("dev-shm-too-small",)

    @staticmethod
    def mend(case: Case) -> Fix:
        return DevShmTooSmall.mend(case)


@question("host", PolicyShm)
def is_there_the_shared_memory_that_the_policy_requires(case: Case) -> Problem | None:
    """The whole of it, not what is free at the moment."""
    asked = wanted(case.policy.require.shm_mib)
    have = case.present("/host/shm_total_bytes", int) / MIB
    if Bounds.parse(asked).meets(have):
        return None
    return case.problem(
        PolicyShm,
        f"the shared memory has {have:.0f} MiB, the policy requires {asked}",
        cause="a container engine or the system's configuration limits it",
        evidence=["/host/shm_total_bytes"],
        fix=PolicyShm.mend(case),
    )
