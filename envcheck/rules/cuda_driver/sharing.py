"""Can this user have the card?  Memory that others hold, memory that nobody seems to hold, exclusive modes."""

from __future__ import annotations

from envcheck.facts import GpuProcess
from envcheck.judge import CannotTell, Case, Fix, NotApplicable, Problem, Rule, Step, question
from envcheck.rules.gauges import gauges

MIB = 1 << 20
DEVICE_UNAVAILABLE = 46  # CUresult of cuda.h
FULL = 0.90
"""Share of a card's memory in use from which the next model hardly fits."""

ORPHAN_BYTES = 500 * MIB
"""Memory without an owner from which it is no driver bookkeeping any more (stas00/ml-engineering, Slurm admin)."""


class GpuMemoryHeldByOthers(Rule):
    """Other processes hold most of the card's memory.

    What it looks at
        Used against total memory, and the processes that NVML lists on the card.
    Why it matters
        The next program fails with "CUDA out of memory" although its own model is small.
    How to mend it
        Wait for the job, choose another card, or end the process if it is your own.
    Cannot tell when
        The driver does not answer for this card, or does not list processes (containers, WSL, Windows).
    References
        nvmlDeviceGetMemoryInfo_v2, nvmlDeviceGetComputeRunningProcesses_v3.
    """

    code, name, rung = "DRV501", "gpu-memory-held-by-others", "cuda_driver"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Choose a free card, or wait",
            steps=[
                Step(where="env", command="nvidia-smi --query-gpu=index,memory.free --format=csv"),
                Step(where="env", command="export CUDA_VISIBLE_DEVICES=<index of a free card>"),
            ],
            verify="nvidia-smi",
        )


class GpuMemoryOrphaned(Rule):
    """Memory of the card is in use and no process owns it.

    What it looks at
        Used memory less what the driver reserves and what the listed processes hold.
    Why it matters
        A child of a killed job, or a process stuck in the driver, keeps it; it does not come back by itself.
    How to mend it
        End the leftover processes; when nothing else uses the card, reset it.
    Cannot tell when
        The driver does not answer for this card, a process does not tell its memory, or this is a container (host
        processes are hidden there).
    References
        stas00/ml-engineering, Slurm administration; facebookresearch/gcm check_nvidia_smi.
    """

    code, name, rung = "DRV502", "gpu-memory-orphaned", "cuda_driver"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Find and end what still holds the card",
            steps=[
                Step(where="host", command="sudo fuser -v /dev/nvidia*", root=True),
                Step(
                    where="host",
                    command="sudo nvidia-smi --gpu-reset -i <index>",
                    root=True,
                    note="when nothing else uses it; linked cards are reset together",
                ),
            ],
            safety="disruptive",
            verify="nvidia-smi",
        )


@question("gpu", GpuMemoryHeldByOthers, GpuMemoryOrphaned)
def who_holds_the_memory(case: Case) -> Problem | None:
    """Little memory in use is nobody's business; otherwise the owners decide."""
    at = gauges(case)
    total = case.present(f"{at}/memory_total_bytes", int)
    used = case.present(f"{at}/memory_used_bytes", int)
    if used < min(ORPHAN_BYTES, FULL * total):
        return None
    processes = case.records(f"{at}/processes", GpuProcess)
    if not processes:
        return _unowned(case, at, used)
    held = sum(case.known(f"{p}/memory_bytes", int) or 0 for p, _ in processes)
    if used >= FULL * total:
        biggest = max(processes, key=lambda item: case.known(f"{item[0]}/memory_bytes", int) or 0)
        share = case.known(f"{biggest[0]}/memory_bytes", int) or 0
        return case.problem(
            GpuMemoryHeldByOthers,
            f"{case.subject.label}: {used // MIB:,} of {total // MIB:,} MiB are in use",
            cause=f"{len(processes)} processes hold it; pid {biggest[1].pid} alone {share // MIB:,} MiB",
            evidence=[f"{at}/memory_used_bytes", f"{at}/memory_total_bytes", f"{at}/processes"],
            fix=GpuMemoryHeldByOthers.mend(case),
        )
    return _unowned(case, at, used - held)


def _unowned(case: Case, at: str, lost: int) -> Problem | None:
    if lost < ORPHAN_BYTES:
        return None
    if case.known("/container/engine", str) is not None:
        raise NotApplicable("a container does not see the processes of the host")
    if case.known("/host/wsl", int) is not None or case.known("/host/system", str) == "Windows":
        raise NotApplicable("Windows does not tell the memory of each process")
    if case.known(f"{at}/display_active", bool):
        raise NotApplicable("the card drives a display, whose memory no process is listed for")
    return case.problem(
        GpuMemoryOrphaned,
        f"{case.subject.label}: {lost // MIB:,} MiB are in use and no process owns them",
        cause="a leftover child, a zombie or a process stuck in the driver keeps the memory",
        evidence=[f"{at}/memory_used_bytes", f"{at}/processes"],
        fix=GpuMemoryOrphaned.mend(case),
    )


class ComputeModeExclusive(Rule):
    """The card is set to serve one process only, or none.

    What it looks at
        The compute mode, and whether a process is on the card.
    Why it matters
        A second program fails with "all CUDA-capable devices are busy or unavailable" although memory is free.
    How to mend it
        Set the mode to default (on a shared node ask: it is often the owner's policy), or end your other process.
    Cannot tell when
        The driver does not answer for this card, or does not list processes.
    References
        nvmlDeviceGetComputeMode; CUDA error 46.
    """

    code, name, rung = "DRV503", "compute-mode-exclusive", "cuda_driver"
    explains = ("cuda-init-unknown-error", "torch-cuda-unavailable", "torch-kernel-fails")

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Let several processes share the card",
            steps=[Step(where="host", command="sudo nvidia-smi -c DEFAULT", root=True, note="on a shared node: ask")],
            safety="careful",
            verify="nvidia-smi --query-gpu=compute_mode --format=csv",
        )


@question("gpu", ComputeModeExclusive)
def may_processes_share_the_card(case: Case) -> Problem | None:
    """Exclusive without another process on the card is a setting; with one it is a closed door."""
    at = gauges(case)
    mode = case.present(f"{at}/compute_mode", str)
    if mode == "default":
        return None
    busy = []
    if mode != "prohibited":
        try:
            busy = case.records(f"{at}/processes", GpuProcess)
        except CannotTell as unread:
            raise CannotTell(unread.why, unread.pointer) from unread
    # A process in its own exclusive card is what the mode is for; that somebody else was turned away makes it a fault.
    closed = mode == "prohibited" or (bool(busy) and _was_turned_away(case))
    return case.problem(
        ComputeModeExclusive,
        f"{case.subject.label} is in compute mode {mode}" + (" and a process has it" if busy else ""),
        cause="the mode was set with nvidia-smi -c and lets in one process at most"
        if mode != "prohibited"
        else "the mode was set with nvidia-smi -c and lets in no CUDA process",
        evidence=[f"{at}/compute_mode", *([f"{at}/processes"] if busy else [])],
        fix=ComputeModeExclusive.mend(case),
        severity=None if closed else "warning",
    )


def _was_turned_away(case: Case) -> bool:
    """Did a CUDA program here meet error 46, "busy or unavailable"?  For the severity only."""
    if case.maybe(lambda: case.known("/cuda/init_code", int)) == DEVICE_UNAVAILABLE:
        return True
    target = case.maybe(lambda: case.known("/target/interpreter", int))
    error = case.maybe(lambda: case.known(f"/interpreters/{target}/runtime/init_error", str))
    return isinstance(target, int) and isinstance(error, str) and "busy or unavailable" in error


class HostOomKilled(Rule):
    """The kernel ended a process because the machine, or this container, ran out of main memory.

    What it looks at
        The oom_kill counter of the own cgroup.
    Why it matters
        A data loader worker or the whole program disappears with "Killed" or exit code 137; GPU memory plays no part.
    How to mend it
        Fewer workers, memory-mapped loading, or a higher limit.
    Cannot tell when
        The cgroup's memory.events cannot be read.
    References
        Linux cgroup v2 documentation, memory.events.
    """

    code, name, rung = "RUN302", "host-oom-killed", "torch_runtime"
    severity = "warning"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Use less main memory, or raise the limit",
            steps=[
                Step(where="env", note="in the program: fewer DataLoader workers, torch.load(..., mmap=True)"),
                Step(where="container_host", command="docker run --memory=64g …", note="a higher limit"),
            ],
            verify="cat /sys/fs/cgroup/memory.events   # oom_kill stays",
        )


@question("host", HostOomKilled)
def was_a_process_killed_for_memory(case: Case) -> Problem | None:
    """The counter of the own cgroup only: a whole host's past says nothing about this user's program."""
    limit = case.known("/host/memory_limit_bytes", int)
    if limit is None:
        raise NotApplicable("this process has no memory limit of its own")
    kills = case.present("/host/oom_kills", int)
    if kills == 0:
        return None
    return case.problem(
        HostOomKilled,
        f"the kernel killed {kills} processes of this cgroup for want of memory",
        cause=f"the cgroup's limit is {limit // MIB:,} MiB",
        evidence=["/host/oom_kills", "/host/memory_limit_bytes"],
        fix=HostOomKilled.mend(case),
    )
