"""The benchmark's collector: each device in a child process of the judged environment, NVML in another one beside it.

The child that computes is the user's own Python with the user's own torch.  The one that reads the gauges is ours, and
ends when the first does.  What a child had shown before it died or hung is kept.
"""

from __future__ import annotations

import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from envcheck.facts import Bench, BenchDevice, Fact, Section, Unread, Watch, value_or

from . import process
from .answers import fill, read_answer, why_incomplete
from .children import ask, pynvml_option
from .process import ProcessResult, clean_environment
from .shell import inherit

MARK = b"envcheck-bench: "
"""How the child begins its lines of progress."""
HERTZ = 12
SOFT_S = {True: 9.0, False: 70.0}
"""What a device's measurement aims at, in seconds; --quick and not."""
HARD_S = {True: 45.0, False: 200.0}
"""When it is stopped: a machine under load takes longer than it aims at."""
TAIL_S = 5.0
"""Between the two, where the caller names a deadline."""
MOST_DEVICES = 64


@dataclass(frozen=True)
class Wish:
    """What to measure.  ``device`` is ``auto``, ``cpu``, ``cuda``, ``cuda:1``, ``mps``, ``xpu`` or ``xpu:1``."""

    device: str = "auto"
    every: bool = False  # the siblings of that device too
    quick: bool = False
    deadline_s: float | None = None  # of one device; None: HARD_S
    seed: int | None = None  # None: a new one each time
    environ: Mapping[str, str] | None = None  # None: this process's


@dataclass(frozen=True)
class Progress:
    """Where a child stands: step ``done`` of ``steps``, and what it does."""

    device: str
    done: int
    steps: int
    words: str


Tell = Callable[[Progress], None]


class _Watches(Section, frozen=True, kw_only=True, tag="watches"):
    gpus: Fact[list[Watch]] = Unread("not_asked")


def measure(python: Path, wish: Wish, tell: Tell | None = None) -> Bench:
    """Measure one device, or with ``wish.every`` it and its siblings, one after another.

    ``tell`` is called from the reading thread whenever a child says where it stands.  Never raises for what a child
    does: that is in the facts.  No child outlives the call.
    """
    begun = time.monotonic()
    tell = tell or (lambda progress: None)
    scratch = None if wish.quick else _scratch()
    try:
        devices = [_measure_one(python, wish.device, wish, scratch, tell)]
        first = devices[0]
        if wish.every and isinstance(first.siblings, int) and isinstance(first.device, str):
            base = first.device.partition(":")[0]
            named = [f"{base}:{index}" for index in range(min(first.siblings, MOST_DEVICES))]
            for name in named if first.siblings > 1 else []:
                if name != first.device:
                    devices.append(_measure_one(python, name, wish, scratch, tell))
    finally:
        process.kill_all()
        if scratch is not None:
            shutil.rmtree(scratch, ignore_errors=True)
    return Bench(
        device="all" if wish.every else wish.device,
        python=str(python),
        quick=wish.quick,
        seconds=round(time.monotonic() - begun, 3),
        devices=devices,
        stored=None,
    )


def _scratch() -> Path | None:
    """A folder for torch.compile, which cannot do without; ``None`` where nothing can be written."""
    try:
        return Path(tempfile.mkdtemp(prefix="envcheck-bench-"))
    except OSError:
        return None


def _measure_one(python: Path, device: str, wish: Wish, scratch: Path | None, tell: Tell) -> BenchDevice:
    shell = inherit(wish.environ)
    hard = wish.deadline_s if wish.deadline_s is not None else HARD_S[wish.quick]
    soft = SOFT_S[wish.quick] if wish.deadline_s is None else max(2.0, min(SOFT_S[wish.quick], hard - TAIL_S))
    options = [f"device={device}", f"quick={int(wish.quick)}", f"seconds={soft:g}"]
    options += [f"seed={wish.seed}"] if wish.seed is not None else []
    options += [f"scratch={scratch}"] if scratch is not None else []
    watcher = _Watcher(clean_environment(shell.environ), hard + 2.0)
    ear = _Ear(device, tell, watcher.start if device not in ("cpu", "mps") else lambda pid: None)
    result = ask("bench", python, *options, environ=shell.environ, deadline=hard, hear=ear)
    answer = _read(result, device)
    return msgspec.structs.replace(answer, watch=_watch_of(answer, watcher))


def _read(result: ProcessResult, device: str) -> BenchDevice:
    """What the child told; what it had begun and not finished says what became of the child."""
    answer = read_answer(result, BenchDevice, keep=("watch",))
    if isinstance(answer, Unread):
        return fill(BenchDevice(device=device), answer, keep=("watch",))
    why = why_incomplete(result) or Unread("crashed", "the benchmark did not get so far")
    changes: dict[str, Any] = {}
    if isinstance(answer.checks, list):
        changes["checks"] = [fill(check, why) for check in answer.checks]
    if isinstance(answer.timings, list):
        changes["timings"] = [fill(timing, why) for timing in answer.timings]
    return msgspec.structs.replace(answer, **changes)


def _watch_of(answer: BenchDevice, watcher: _Watcher) -> Watch | Unread | None:
    """The gauges of the measured device; ``None`` for one that is no NVIDIA GPU."""
    if answer.backend != "cuda" or isinstance(answer.hip, str):
        return answer.backend if isinstance(answer.backend, Unread) else None
    gpus = watcher.result()
    if isinstance(gpus, Unread):
        return gpus
    for gpu in gpus:
        same_uuid = isinstance(gpu.uuid, str) and gpu.uuid == answer.uuid
        if same_uuid or (isinstance(gpu.bus_id, str) and _bus(gpu.bus_id) == _bus(value_or(answer.bus_id, ""))):
            return gpu
    if len(gpus) == 1 and answer.siblings == 1 and not (isinstance(answer.uuid, str) or isinstance(answer.bus_id, str)):
        return gpus[0]  # a torch too old to tell which card it has, and only one that it can be
    return Unread("missing", "NVML lists no card with the UUID or the bus address of the measured device")


def _bus(text: str) -> str:
    """Domain, bus and device: torch does not tell the function."""
    return text.lower().rpartition(".")[0]


class _Ear:
    """Picks the lines of progress out of what a child writes on standard error."""

    def __init__(self, device: str, tell: Tell, started: Callable[[int], None]) -> None:
        self.device, self.tell, self.started = device, tell, started
        self.rest = b""

    def __call__(self, data: bytes) -> None:
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            if line.startswith(MARK):
                self.take(line[len(MARK) :].decode("utf-8", "replace").strip())

    def take(self, words: str) -> None:
        started = re.fullmatch(r"pid (\d+)", words)
        if started:
            self.started(int(started[1]))
            return
        step = re.fullmatch(r"(\d+)/(\d+) (.*)", words)
        done, steps, what = (int(step[1]), int(step[2]), step[3]) if step else (0, 1, words)
        if what.startswith("device "):
            self.device = what.removeprefix("device ")
        self.tell(Progress(self.device, done, steps, what))


class _Watcher:
    """The child that reads the gauges, run in a thread of ours from the moment that there is something to watch."""

    def __init__(self, environ: Mapping[str, str], seconds: float) -> None:
        self.environ, self.seconds = environ, seconds
        self.thread: threading.Thread | None = None
        self.answer: _Watches | Unread = Unread("missing", "the child that is watched never started")

    def start(self, pid: int) -> None:
        if self.thread is None:
            self.thread = threading.Thread(target=self._run, args=(pid,), name="watch", daemon=True)
            self.thread.start()

    def _run(self, pid: int) -> None:
        options = (*pynvml_option(), f"pid={pid}", f"hz={HERTZ}", f"seconds={self.seconds:g}")
        flags = ("-I", "-S", "-B")
        result = ask("watch", sys.executable, *options, environ=self.environ, deadline=self.seconds + 5.0, flags=flags)
        self.answer = read_answer(result, _Watches)

    def result(self) -> list[Watch] | Unread:
        """What it saw.  Its process ends by itself once the watched one has; a driver that hangs is not waited for."""
        if self.thread is not None:
            self.thread.join(TAIL_S)
            if self.thread.is_alive():
                return Unread("timeout", f"the child that reads NVML did not end within {TAIL_S:g} s")
        if isinstance(self.answer, Unread):
            return self.answer
        gpus = self.answer.gpus
        return gpus if isinstance(gpus, list) else gpus or Unread("missing", "NVML lists no card")
