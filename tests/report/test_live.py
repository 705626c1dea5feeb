"""Rungs light up on a terminal, and nothing is written anywhere else."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable

import pytest

from envcheck.facts import CollectorRun
from envcheck.judge import RUNGS
from envcheck.report import live
from envcheck.report.live import COLLECTORS, Lights
from envcheck.report.paint import width_of


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def lights(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Lights, Terminal]]:
    monkeypatch.setattr(live, "PATIENCE_S", 0.0)
    monkeypatch.setattr(live, "TICK_S", 0.001)
    monkeypatch.setattr("envcheck.report.page.sys.platform", "linux")

    def make(rows: int = 30, width: int = 80, **more: object) -> tuple[Lights, Terminal]:
        monkeypatch.setattr(live, "_rows", lambda stream: rows)
        stream = Terminal()
        return Lights(stream, {"COLUMNS": str(width)}, **more), stream  # type: ignore[arg-type]

    return make


def test_a_pipe_sees_nothing_and_no_thread_starts() -> None:
    """It costs nothing where nobody looks."""
    for stream, environ in ((io.StringIO(), {}), (Terminal(), {"TERM": "dumb"}), (None, {})):
        with Lights(stream, environ) as dark:
            dark.watch(CollectorRun(name="nvml", seconds=0.1))
            assert dark._thread is None
        assert stream is None or stream.getvalue() == ""


def test_a_rung_lights_up_when_all_its_collectors_answered(lights: Callable[..., tuple[Lights, Terminal]]) -> None:
    """Half an answer is none; a collector that gave up is told with its reason."""
    ladder, _ = lights()
    ladder.watch(CollectorRun(name="nvml", seconds=0.25))
    assert "○ NVML            asking nvidia-smi" in ladder.picture()
    ladder.watch(CollectorRun(name="nvidia-smi", seconds=0.5))
    assert "● NVML            0.50 s" in ladder.picture()
    ladder.watch(CollectorRun(name="toolkit", seconds=15.0, outcome="timeout", detail="no answer in\x1b[2J 15 s"))
    assert "? CUDA libraries  no answer in 15 s" in ladder.picture()


def test_what_is_not_asked_is_not_waited_for(lights: Callable[..., tuple[Lights, Terminal]]) -> None:
    """--quick imports no torch: its rung does not stay dark to the end."""
    ladder, _ = lights(leave_out=("torch",))
    assert "● torch runtime" in ladder.picture()


@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("rows", [30, 5, 0])
def test_no_line_wraps(lights: Callable[..., tuple[Lights, Terminal]], rows: int, width: int) -> None:
    """A line that wrapped would be erased in part only; a low terminal gets one line."""
    ladder, _ = lights(rows=rows, width=width)
    ladder.watch(CollectorRun(name="toolkit", seconds=1.0, outcome="crashed", detail="x" * 200))
    lines = ladder.picture().rstrip("\n").split("\n")
    assert all(width_of(line.replace("\x1b[2m", "").replace("\x1b[0m", "")) < width + 20 for line in lines)
    assert len(lines) == (1 if rows < 12 else 1 + len(COLLECTORS))


def test_the_picture_is_gone_at_the_end(lights: Callable[..., tuple[Lights, Terminal]]) -> None:
    """Whatever was drawn is erased before the report comes, after an exception too."""
    ladder, stream = lights()
    with pytest.raises(KeyboardInterrupt), ladder:
        deadline = time.monotonic() + 5
        while "Looking" not in stream.getvalue() and time.monotonic() < deadline:
            time.sleep(0.002)
        raise KeyboardInterrupt
    text = stream.getvalue()
    assert "Looking at this machine" in text
    assert text.endswith(f"\x1b[{1 + len(COLLECTORS)}F\x1b[J")


def test_a_quick_look_shows_nothing(
    lights: Callable[..., tuple[Lights, Terminal]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture that flashes up tells nobody anything."""
    ladder, stream = lights()
    monkeypatch.setattr(live, "PATIENCE_S", 60.0)
    with ladder:
        ladder.watch(CollectorRun(name="nvml", seconds=0.1))
    assert stream.getvalue() == ""


def test_a_terminal_that_goes_away_costs_the_picture_only(lights: Callable[..., tuple[Lights, Terminal]]) -> None:
    """A write error ends the drawing, not the diagnosis."""

    class Gone(Terminal):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    ladder, _ = lights()
    ladder._stream = Gone()
    with ladder:
        deadline = time.monotonic() + 5
        while ladder._stream is not None and time.monotonic() < deadline:
            time.sleep(0.002)
    assert ladder._stream is None


def test_every_rung_that_collectors_serve_is_a_rung() -> None:
    """The picture shows the ladder's own rungs, bottom first."""
    assert [rung for rung in RUNGS if rung in COLLECTORS] == list(COLLECTORS)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at the collectors of Linux")
def test_every_collector_belongs_to_a_rung() -> None:
    """A collector that no rung waits for could keep the page dark without anybody knowing why."""
    from envcheck.collect import Options, snapshot_here

    known = {name for names in COLLECTORS.values() for name in names}
    ran = {run.name for run in snapshot_here(Options(depth="quick", deadline_s=20.0)).runs}
    assert ran <= known | {"target"}
    assert known - ran <= {"torch"}
