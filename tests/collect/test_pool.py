"""Wall 3: a collector that hangs or raises costs its own section."""

from __future__ import annotations

import threading
import time

import pytest

from envcheck.collect.pool import Pool
from envcheck.facts import CollectorRun, Cuda, Host, Nvml, Smi, Unread


def test_collectors_run_side_by_side() -> None:
    """Two that wait for each other both come to an end."""
    pool = Pool(10.0)
    barrier = threading.Barrier(2, timeout=5.0)
    tasks = [pool.start(name, barrier.wait) for name in ("one", "two")]
    runs = pool.gather()
    assert sorted(run.name for run in runs) == ["one", "two"]
    assert {task.result() for task in tasks} == {0, 1}


def test_an_exception_becomes_the_sections_unread() -> None:
    """Type and message on one line; the others are not touched."""

    def broken() -> Host:
        raise KeyError("no\nsuch key")

    pool = Pool(10.0)
    bad, good = pool.start("host", broken), pool.start("smi", Smi)
    runs = {run.name: run for run in pool.gather()}
    assert bad.result() == Unread("crashed", r"KeyError: 'no\nsuch key'")
    assert (runs["host"].outcome, runs["smi"].outcome) == ("crashed", "ok")
    assert good.result() == Smi()


@pytest.mark.parametrize(("own", "common"), [(0.1, 10.0), (None, 0.1), (10.0, 0.1)])
def test_a_collector_that_never_returns_is_left_behind(own: float | None, common: float) -> None:
    """Its own deadline or the common one, whichever comes first, ends the wait; the thread keeps nothing alive."""
    never = threading.Event()
    pool = Pool(common)
    began = time.monotonic()
    task = pool.start("stuck", never.wait, deadline_s=own)
    runs = pool.gather()
    try:
        assert time.monotonic() - began < 1.0
        assert task.result() == Unread("timeout", "stuck: no answer in 0.1 s")
        assert [(run.name, run.outcome) for run in runs] == [("stuck", "timeout")]
        assert all(thread.daemon for thread in threading.enumerate() if thread.name == "collect stuck")
    finally:
        never.set()


def test_an_answer_after_the_deadline_is_not_taken_for_two_runs() -> None:
    """A late one is told of once: as a timeout."""
    release = threading.Event()
    pool = Pool(0.15)
    pool.start("late", release.wait, deadline_s=0.05)
    pool.start("punctual", time.sleep, 0.1)
    seen: list[CollectorRun] = []

    def watch(run: CollectorRun) -> None:
        seen.append(run)
        release.set()

    runs = pool.gather(watch)
    assert [(run.name, run.outcome) for run in runs] == [("late", "timeout"), ("punctual", "ok")]
    assert seen == runs


def test_the_watcher_hears_in_the_callers_thread_as_they_end() -> None:
    """A live display draws from one thread only."""
    pool = Pool(10.0)
    pool.start("slow", time.sleep, 0.1)
    pool.start("quick", time.sleep, 0.0)
    heard: list[tuple[str, threading.Thread]] = []
    pool.gather(lambda run: heard.append((run.name, threading.current_thread())))
    assert heard == [("quick", threading.current_thread()), ("slow", threading.current_thread())]


def test_an_interrupt_passes_through() -> None:
    """What the watcher raises (the user's Ctrl-C among it) ends the gathering at once."""

    def interrupt(run: CollectorRun) -> None:
        raise KeyboardInterrupt

    pool = Pool(10.0)
    pool.start("quick", time.sleep, 0.0)
    with pytest.raises(KeyboardInterrupt):
        pool.gather(interrupt)


@pytest.mark.parametrize(
    ("section", "outcome"),
    [
        (Nvml(init_code=0), "ok"),
        (Nvml(init_code=9, gpus=Unread("missing", "driver not loaded")), "ok"),
        (Nvml(init_code=0, gpus=Unread("timeout", "x")), "timeout"),
        (Nvml(init_code=Unread("crashed", "x"), gpus=Unread("crashed", "x")), "crashed"),
        (Unread("not_asked", "skipped"), "skipped"),
        (Unread("refused", "x"), "ok"),
        (None, "ok"),
        ([1], "ok"),
    ],
)
def test_a_partial_answer_is_no_quiet_success(section: object, outcome: str) -> None:
    """A section in which a hang or a crash stands is reported as such, though it is a section."""
    pool = Pool(10.0)
    pool.start("x", lambda: section)
    assert [run.outcome for run in pool.gather()] == [outcome]


def test_one_collector_may_wait_for_another() -> None:
    """What follows from an answer starts when it is there, and a hang of the first is a timeout for the second."""
    pool = Pool(0.3)
    never = threading.Event()
    first = pool.start("first", lambda: Cuda(init_code=0))
    second = pool.start("second", lambda: (first.result(), "after"))
    stuck = pool.start("stuck", never.wait)
    third = pool.start("third", stuck.result)
    pool.gather()
    never.set()
    assert second.result() == (Cuda(init_code=0), "after")
    assert isinstance(third.result(), Unread)


def test_after_closing_no_time_is_left() -> None:
    """Collectors that were not yet at work find the deadline passed and start no program."""
    pool = Pool(10.0)
    assert pool.left() > 9
    pool.close()
    assert pool.left() == 0.0
