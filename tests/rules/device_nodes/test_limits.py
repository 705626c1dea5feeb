"""Limits: shared memory, locked memory, the view of processes.  A container's defaults are no fault by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from envcheck.facts import GpuProcess, Unread
from envcheck.judge import Verdict
from envcheck.testing import Machine, judge_one, machine

SHM, MEMLOCK, PIDS = "dev-shm-too-small", "memlock-limit-low", "container-pid-namespace"
SIZE, LIMIT, PORTS = "/host/shm_total_bytes", "/host/memlock_limit_bytes", "/host/infiniband"
USED, PROCESSES = "/nvml/gpus/0/memory_used_bytes", "/nvml/gpus/0/processes"
IB = {PORTS: ["mlx5_0/1 4: ACTIVE 400 Gb/sec"]}
BUS_ERROR = "DataLoader worker (pid 123) is killed by signal: Bus error."
GIB = 1 << 30


@pytest.mark.parametrize(
    ("rule", "cast", "changes", "outcome"),
    [
        (SHM, "docker-a100", {}, "problem"),  # a remark: see below
        (SHM, "docker-a100", {SIZE: 8 * GIB}, "ok"),
        (SHM, "docker-a100", {SIZE: Unread("refused")}, "cannot_tell"),
        (SHM, "docker-a100", {"/symptoms": Unread("not_asked")}, "cannot_tell"),
        (SHM, "h100", {SIZE: 64 << 20}, "not_applicable"),
        (SHM, "windows-rtx4090", {}, "not_applicable"),
        (MEMLOCK, "h100", {**IB, LIMIT: 8 << 20}, "problem"),
        (MEMLOCK, "h100", {**IB, LIMIT: 64 << 10}, "problem"),
        (MEMLOCK, "h100", {**IB, LIMIT: None}, "ok"),  # unlimited
        (MEMLOCK, "h100", {**IB, LIMIT: 16 * GIB}, "ok"),
        (MEMLOCK, "h100", {**IB, LIMIT: Unread("unsupported")}, "cannot_tell"),
        (MEMLOCK, "h100", {PORTS: Unread("refused")}, "cannot_tell"),
        (MEMLOCK, "h100", {LIMIT: 64 << 10}, "not_applicable"),  # no RDMA
        (PIDS, "docker-a100", {USED: 40 * GIB}, "problem"),
        (PIDS, "docker-a100", {USED: 40 * GIB, PROCESSES: [GpuProcess(pid=7)]}, "ok"),
        (PIDS, "docker-a100", {}, "ok"),
        (PIDS, "docker-a100", {USED: Unread("unsupported")}, "cannot_tell"),
        (PIDS, "docker-a100", {USED: 40 * GIB, PROCESSES: Unread("unsupported")}, "cannot_tell"),
        (PIDS, "rtx4090-desktop", {USED: 20 * GIB}, "not_applicable"),  # on a host it is orphaned memory
    ],
)
def test_outcomes(rule: str, cast: str, changes: dict[str, Any], outcome: str) -> None:
    """Both sides of each rule, and both kinds of silence."""
    assert judge_one(rule, machine(cast).but(changes)).outcome == outcome


def test_a_worker_that_died_makes_it_an_error(heard: Callable[..., Machine]) -> None:
    """64 MiB alone is every container's default and a remark; with a bus error it is the cause."""
    assert judge_one(SHM, machine("docker-a100")).severity == "note"
    seen = judge_one(SHM, heard(machine("docker-a100"), SHM, BUS_ERROR))
    assert (seen.outcome, seen.severity) == ("problem", "error")
    assert seen.finding is not None and seen.finding.answers_symptom


def test_a_larger_shm_neither_accuses_nor_acquits(heard: Callable[..., Machine]) -> None:
    """The room is free again once the workers are gone: the message stays a suspicion."""
    roomy = heard(machine("docker-a100").but({SIZE: 8 * GIB}), SHM, BUS_ERROR)
    verdict = judge_one(SHM, roomy)
    assert verdict.outcome == "cannot_tell"
    assert verdict.finding is not None and verdict.finding.confidence == "suggested"


def test_a_message_is_heard_outside_of_containers(heard: Callable[..., Machine]) -> None:
    """A host with a small /dev/shm fails in the same way."""
    host = machine("h100").but({SIZE: 32 << 20})
    assert judge_one(SHM, heard(host, SHM, BUS_ERROR)).outcome == "problem"


@pytest.mark.parametrize(
    ("rule", "cast", "changes"),
    [
        (SHM, "docker-a100", {}),
        (SHM, "docker-a100", {"/container/engine": "kubernetes"}),
        (MEMLOCK, "h100", {**IB, LIMIT: 8 << 20}),
        (PIDS, "docker-a100", {USED: 40 * GIB}),
    ],
)
def test_text(rule: str, cast: str, changes: dict[str, Any], text: Callable[[Verdict], Any], snapshot: Any) -> None:
    """What a user reads, whole."""
    assert text(judge_one(rule, machine(cast).but(changes))) == snapshot
