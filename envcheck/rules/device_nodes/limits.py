"""Limits that a container or a login session sets: shared memory, locked memory, the view of processes."""

from __future__ import annotations

from envcheck.facts import GpuProcess, Symptom
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.hardware.machine import answering_card, require_linux, tell

MIB = 1 << 20
CONTAINER_SHM = 64 * MIB
"""The size of /dev/shm that container engines give where nothing else is asked for."""

SMALL_MEMLOCK = 8 * MIB
"""The kernel's default of RLIMIT_MEMLOCK since Linux 5.16; registering memory for RDMA needs gigabytes."""

UNSEEN_BYTES = 500 * MIB
"""Used memory that no listed process explains (NVIDIA's own contexts stay below it)."""


class DevShmTooSmall(Rule):
    """The shared memory in /dev/shm is too small for data loader workers or NCCL.

    What it looks at
        The size of /dev/shm, and messages of workers that died of a bus error or of NCCL that could not extend it.
    Why it matters
        64 MiB is every container's default; workers hand tensors over through it, and NCCL needs tens of MiB a rank.
        Without such a message the size alone is only a remark.
    How to mend it
        Start the container with --shm-size=8g (or --ipc=host); in Kubernetes mount a memory volume on /dev/shm.
    Cannot tell when
        The size could not be read; a larger /dev/shm may have been full when the message was written.
    References
        PyTorch, data loader messages; NCCL user guide, troubleshooting, shared memory.
    """

    code, name, rung = "CON141", "dev-shm-too-small", "device_nodes"

    @staticmethod
    def mend(case: Case) -> Fix:
        engine = case.maybe(lambda: case.known("/container/engine", str))
        docker = Step(where="container_host", command="docker run --shm-size=8g …", note="or --ipc=host")
        pod = Step(
            where="container_host",
            command="volumes: [{name: shm, emptyDir: {medium: Memory, sizeLimit: 8Gi}}]",
            note="in the pod, mounted on /dev/shm",
        )
        host = Step(where="host", command="sudo mount -o remount,size=8G /dev/shm", root=True)
        steps = [host] if engine is None else [pod] if engine == "kubernetes" else [docker, pod]
        if isinstance(engine, CannotTell):
            steps = [docker, pod]
        return Fix(title="Give /dev/shm more room", steps=steps, safety="careful", verify="df -h /dev/shm")


@question("host", DevShmTooSmall)
def is_the_shared_memory_large_enough(case: Case) -> Problem | None:
    """The size settles it where it is a container's default; a larger one neither accuses nor acquits."""
    heard = [p for p, item in case.records("/symptoms", Symptom) if item.suggests == DevShmTooSmall.name]
    if not heard:
        require_linux(case)
        if case.known("/container/engine", str) is None:
            raise NotApplicable("not in a container, and no message about it was seen")
    total = case.present("/host/shm_total_bytes", int)
    if total > CONTAINER_SHM:
        if heard:
            raise CannotTell(f"its size of {total // MIB} MiB may or may not have been enough", "/host/shm_total_bytes")
        return None
    return case.problem(
        DevShmTooSmall,
        f"the shared memory (/dev/shm) has only {total // MIB} MiB",
        cause="the container was started with the engine's default; data loader workers and NCCL need more",
        evidence=tell(case, *heard, "/host/shm_total_bytes", "/host/shm_free_bytes"),
        fix=DevShmTooSmall.mend(case),
        severity=None if heard else "note",
    )


class MemlockLimitLow(Rule):
    """Too little memory may be locked for RDMA, so NCCL over InfiniBand fails.

    What it looks at
        RLIMIT_MEMLOCK of this process where InfiniBand or RoCE ports exist.
    Why it matters
        NCCL registers its buffers with the network card, which locks them; `ibv_reg_mr` then fails.
    How to mend it
        Lift the limit where the program starts: ulimit of the container, LimitMEMLOCK of the service, limits.d.
    Cannot tell when
        The limit or /sys/class/infiniband could not be read.  A service may have other limits than this session.
    References
        NCCL user guide, troubleshooting; aws-samples/awsome-distributed-training, health checks.
    """

    code, name, rung = "CON142", "memlock-limit-low", "device_nodes"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Lift the limit where the program is started",
            steps=[
                Step(where="container_host", command="docker run --ulimit memlock=-1 …", note="in a container"),
                Step(
                    where="host",
                    command="sudo systemctl edit slurmd   # [Service] LimitMEMLOCK=infinity",
                    root=True,
                    note="under Slurm or another service",
                ),
                Step(
                    where="host",
                    command="echo '* - memlock unlimited' | sudo tee /etc/security/limits.d/90-memlock.conf",
                    root=True,
                    note="for login sessions; log in again",
                ),
            ],
            safety="careful",
            verify="ulimit -l   # unlimited",
        )


@question("host", MemlockLimitLow)
def may_enough_memory_be_locked(case: Case) -> Problem | None:
    """Irrelevant without RDMA ports."""
    if not case.known("/host/infiniband", list):
        raise NotApplicable("no InfiniBand or RoCE port")
    limit = case.known("/host/memlock_limit_bytes", int)
    if limit is None or limit > SMALL_MEMLOCK:
        return None
    return case.problem(
        MemlockLimitLow,
        f"only {limit // 1024} KiB may be locked, and this machine has RDMA ports",
        cause="the limit of locked memory is the kernel's default",
        evidence=["/host/memlock_limit_bytes", "/host/infiniband"],
        fix=MemlockLimitLow.mend(case),
    )


class ContainerPidNamespace(Rule):
    """The card's memory is in use by processes that cannot be seen from inside this container.

    What it looks at
        Used memory of the card that no listed process explains, inside a container.
    Why it matters
        Process numbers are those of the host and hidden here: it is neither a leak nor a fault.
    How to mend it
        Look on the host, with `nvidia-smi`.
    Cannot tell when
        The driver does not tell the card's memory or its processes.
    References
        NVML, running processes.
    """

    code, name, rung = "CON143", "container-pid-namespace", "device_nodes"
    severity = "note"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Look at the processes on the host", steps=[Step(where="container_host", command="nvidia-smi")]
        )


@question("gpu", ContainerPidNamespace)
def are_processes_hidden(case: Case) -> Problem | None:
    """Only in a container; on a host the same is judged as orphaned memory."""
    require_linux(case)
    engine = case.known("/container/engine", str)
    if engine is None:
        raise NotApplicable("not inside a container")
    at = answering_card(case)
    used = case.present(f"{at}/memory_used_bytes", int)
    if used < UNSEEN_BYTES or case.records(f"{at}/processes", GpuProcess):
        return None
    return case.problem(
        ContainerPidNamespace,
        f"{case.subject.label}: {used // MIB} MiB are in use, and no process is listed",
        cause=f"this container ({engine}) does not see the host's processes",
        evidence=[f"{at}/memory_used_bytes", f"{at}/processes", "/container/engine"],
        fix=ContainerPidNamespace.mend(case),
    )
