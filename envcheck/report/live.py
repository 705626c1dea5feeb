"""Rungs light up while the collectors answer, on an interactive terminal and nowhere else.

Written to stderr, erased before the report is printed.  A rung lights up when all its collectors have answered;
what the answers mean is for the court, so no rung is called good or bad here.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TextIO

from envcheck.facts import CollectorRun

from .page import is_interactive, page_of
from .paint import Painter
from .phrases import RUNG_NAMES
from .words import clean, shorten

COLLECTORS: dict[str, tuple[str, ...]] = {
    "hardware": ("devices", "host"),
    "kernel_module": ("driver", "kernel log"),
    "device_nodes": ("device nodes", "container"),
    "nvml": ("nvml", "nvidia-smi"),
    "cuda_driver": ("cuda", "cuda without mask"),
    "cuda_libraries": ("toolkit",),
    "torch_build": ("interpreter",),
    "torch_runtime": ("torch",),
    "python": ("environment", "jupyter", "environments"),
}
"""Rung → names of the collector runs that it waits for."""

PATIENCE_S = 0.3
"""A look that is over before this shows nothing: a picture that flashes up tells nobody anything."""
TICK_S = 0.1


class Lights:
    """``with Lights(sys.stderr, os.environ) as lights: snapshot_here(options, lights.watch)``."""

    def __init__(self, stream: TextIO | None, environ: Mapping[str, str], *, leave_out: tuple[str, ...] = ()) -> None:
        self._stream = stream if stream is not None and is_interactive(stream, environ) else None
        self._leave_out = leave_out
        self._runs: dict[str, CollectorRun] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._height = 0
        self._thread: threading.Thread | None = None
        if self._stream is not None:
            self._page = page_of(stream, environ)
            self._rows = _rows(self._stream)

    def __enter__(self) -> Lights:
        if self._stream is not None:
            self._thread = threading.Thread(target=self._tick, name="lights", daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        with self._lock:
            self._write(self._erased())

    def watch(self, run: CollectorRun) -> None:
        """One collector has answered."""
        with self._lock:
            self._runs[run.name] = run

    def picture(self) -> str:
        """The ladder as it stands: lit, waited for, or answered by nobody in time."""
        painter = Painter(self._page)
        waited = time.monotonic() - self._began
        if self._rows < len(COLLECTORS) + 3:
            open_ones = [RUNG_NAMES[rung] for rung in COLLECTORS if self._state(rung)[0] == "wait"]
            line = f"looking, {waited:.0f} s: waiting for {', '.join(open_ones) or 'the last answers'}"
            painter.raw(shorten(line, self._page.width - 1), "dim")
            return painter.finish()
        painter.raw(f"Looking at this machine, {waited:.0f} s", "bold")
        widest = max(map(len, RUNG_NAMES.values()))
        lit, dark = ("●", "○") if self._page.unicode else ("*", ".")
        for rung in COLLECTORS:
            state, words = self._state(rung)
            mark = {"lit": lit, "wait": dark, "fail": "?"}[state]
            style = {"lit": "green", "wait": "dim", "fail": "yellow"}[state]
            painter.raw(shorten(f"  {mark} {RUNG_NAMES[rung].ljust(widest)}  {words}", self._page.width - 1), style)
        return painter.finish()

    def _state(self, rung: str) -> tuple[str, str]:
        names = [name for name in COLLECTORS[rung] if name not in self._leave_out]
        missing = [name for name in names if name not in self._runs]
        if missing:
            return "wait", f"asking {', '.join(missing)}"
        runs = [self._runs[name] for name in names]
        bad = [run for run in runs if run.outcome in ("timeout", "crashed")]
        if bad:
            return "fail", clean(bad[0].detail or bad[0].outcome)
        return "lit", f"{max((run.seconds for run in runs), default=0.0):.2f} s"

    def _tick(self) -> None:
        if self._stop.wait(PATIENCE_S):
            return
        while not self._stop.wait(TICK_S):
            with self._lock:
                picture = self.picture()
                self._write(self._erased() + picture)
                self._height = picture.count("\n")

    def _erased(self) -> str:
        height, self._height = self._height, 0
        return f"\x1b[{height}F\x1b[J" if height else ""

    def _write(self, text: str) -> None:
        """A terminal that went away takes the picture with it, not the diagnosis."""
        if self._stream is None or not text:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._stream = None


def _rows(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).lines
    except (OSError, ValueError):
        return 0
