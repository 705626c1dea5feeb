"""Wall 3: collectors run side by side; one that hangs or raises costs its own section and nothing else."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from envcheck.facts import CollectorRun, Record, Section, Unread

T = TypeVar("T")

_OUTCOMES = {"timeout": "timeout", "crashed": "crashed", "garbled": "crashed", "not_asked": "skipped"}


class Task(Generic[T]):
    """One collector at work."""

    def __init__(self, name: str, function: Callable[..., T], args: tuple[Any, ...], until: float) -> None:
        self.name = name
        self.until = until
        self.began = time.monotonic()
        self.value: T | Unread | None = None
        self.ended = threading.Event()
        self._function = function
        self._args = args

    def work(self, done: Callable[[Task[Any]], None]) -> None:
        try:
            self.value = self._function(*self._args)
        except Exception as error:  # noqa: BLE001 - the wall: what was caught is the section's Unread
            self.value = Unread("crashed", describe(error))
        self.ended.set()
        done(self)

    def result(self) -> T | Unread:
        """The collector's answer; waits for it until the collector's deadline."""
        if not self.ended.wait(max(0.0, self.until - time.monotonic())):
            return Unread("timeout", f"{self.name}: no answer in {self.until - self.began:.3g} s")
        return self.value  # type: ignore[return-value]


class Pool:
    """Starts collectors, each in a thread of its own, and gathers them until a common deadline.

    The threads are daemons: one that sits in a system call that never returns (a dead network file system) is left
    behind, and does not keep the program from ending.
    """

    def __init__(self, deadline_s: float) -> None:
        self.until = time.monotonic() + deadline_s
        self._tasks: list[Task[Any]] = []
        self._done: queue.SimpleQueue[Task[Any]] = queue.SimpleQueue()

    def left(self) -> float:
        """Seconds until the common deadline; 0 when it has passed."""
        return max(0.0, self.until - time.monotonic())

    def close(self) -> None:
        """Let no collector begin anything that takes time: the deadline is now."""
        self.until = time.monotonic()

    def start(self, name: str, function: Callable[..., T], *args: Any, deadline_s: float | None = None) -> Task[T]:
        """Start one collector.  ``deadline_s`` is its own; the common one bounds it."""
        until = self.until if deadline_s is None else min(self.until, time.monotonic() + deadline_s)
        task = Task(name, function, args, until)
        self._tasks.append(task)
        thread = threading.Thread(target=task.work, args=(self._done.put,), name=f"collect {name}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # no more threads: a container's limit of processes is reached
            task.value = Unread("crashed", describe(error))
            task.ended.set()
            self._done.put(task)
        return task

    def skip(self, name: str, why: str) -> None:
        """Record a collector that has nothing to do."""
        self.start(name, lambda: Unread("not_asked", why))

    def gather(self, watch: Callable[[CollectorRun], None] | None = None) -> list[CollectorRun]:
        """Wait for all collectors, telling ``watch`` of each as it ends, in the calling thread."""
        runs: list[CollectorRun] = []
        open_tasks = dict.fromkeys(self._tasks)
        while open_tasks:
            now = time.monotonic()
            late = [task for task in open_tasks if task.until <= now and not task.ended.is_set()]
            for task in late:
                del open_tasks[task]
                _note(_run_of(task, now), runs, watch)
            if not open_tasks:
                break
            wait = min(task.until for task in open_tasks) - now
            try:
                task = self._done.get(timeout=max(0.001, wait))
            except queue.Empty:
                continue
            if task in open_tasks:
                del open_tasks[task]
                _note(_run_of(task, time.monotonic()), runs, watch)
        return runs


def describe(error: BaseException) -> str:
    """``Type: message`` on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())


def _note(run: CollectorRun, runs: list[CollectorRun], watch: Callable[[CollectorRun], None] | None) -> None:
    runs.append(run)
    if watch is not None:
        watch(run)


def _run_of(task: Task[Any], now: float) -> CollectorRun:
    trouble = _trouble(task.result())
    return CollectorRun(
        name=task.name,
        seconds=round(now - task.began, 4),
        outcome=_OUTCOMES.get(trouble.why, "ok") if trouble else "ok",
        detail=str(trouble) if trouble else "",
    )


def _trouble(value: object) -> Unread | None:
    """Why a collector gave nothing, or only a part: the hang or crash that its section tells of."""
    if isinstance(value, Unread):
        return value
    if not isinstance(value, Section | Record):
        return None
    facts = [getattr(value, name) for name in value.__struct_fields__]
    unread = [fact for fact in facts if isinstance(fact, Unread)]
    return next((fact for why in ("timeout", "crashed") for fact in unread if fact.why == why), None)
