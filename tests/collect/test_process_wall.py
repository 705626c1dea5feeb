"""Wall 1: real misbehaving programs, each bounded in time and memory and told apart."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from envcheck.collect import process
from envcheck.collect.pipes import SelectorReader, ThreadReader
from envcheck.collect.process import ProcessResult, clean_environment, kill_all, process_state, run_bounded

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and sh")
DEADLINE = 0.25
SLACK = 2.0  # what the issue allows beyond the deadline


@pytest.fixture(params=[SelectorReader, ThreadReader], ids=["selector", "threads"], autouse=True)
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every law holds for the reader of POSIX and for that of Windows, and neither leaves a file open."""
    monkeypatch.setattr(process, "READER", request.param)
    yield
    gc.collect()  # a pipe left open is a ResourceWarning, and warnings are errors here


def python(code: str, *, deadline: float = 20.0, cap_bytes: int = process.CAP_BYTES) -> ProcessResult:
    return run_bounded([sys.executable, "-I", "-S", "-c", code], deadline=deadline, cap_bytes=cap_bytes)


def shell(script: str, *, deadline: float = 20.0) -> ProcessResult:
    return run_bounded(["/bin/sh", "-c", script], deadline=deadline)


def test_an_answer_comes_through_whole() -> None:
    """Both streams, every byte, the exit code, and no reason to call it unread."""
    result = python("import sys; sys.stdout.write('a' * 300000); sys.stderr.write('b' * 300000); sys.exit(3)")
    assert (len(result.stdout), len(result.stderr), result.exit_code, result.signal) == (300000, 300000, 3, None)
    assert result.ended
    assert result.unread() is None


def test_a_program_gets_no_input() -> None:
    """A program that asks a question gets the end of its input, not the user's keyboard."""
    result = shell("cat; echo done")
    assert (result.stdout, result.exit_code) == (b"done\n", 0)


def test_a_hang_ends_at_the_deadline() -> None:
    """Named as a timeout with the seconds it was given, with what it said before."""
    result = shell("echo early; sleep 60", deadline=DEADLINE)
    assert result.timed_out
    assert result.signal == signal.SIGTERM
    assert result.seconds < DEADLINE + SLACK
    assert result.stdout == b"early\n"
    assert result.state == "S"
    assert str(result.unread()) == "no answer in time: no answer in 0.25 s"


def test_one_that_ignores_sigterm_is_killed() -> None:
    """SIGKILL follows after a short grace."""
    result = python(
        "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)", deadline=1.0
    )
    assert result.timed_out
    assert result.signal == signal.SIGKILL
    assert result.seconds < 1.0 + SLACK


def test_one_that_closes_its_pipes_and_stays_is_bounded_too() -> None:
    """The end of the output is not the end of the program."""
    result = shell("exec >&- 2>&-; sleep 60", deadline=DEADLINE)
    assert result.timed_out
    assert result.seconds < DEADLINE + SLACK


def test_one_that_closes_its_pipes_and_ends_is_not_a_timeout() -> None:
    """Its exit code still counts."""
    assert shell("exec >&- 2>&-; sleep 0.1; exit 7").exit_code == 7


@pytest.mark.skipif(sys.platform != "linux", reason="state letters are Linux")
def test_uninterruptible_sleep_is_named() -> None:
    """A parent in vfork sleeps in state D, as one does in a driver that never returns: the result has the letter."""
    result = python("import ctypes, time; ctypes.CDLL(None).vfork(); time.sleep(60)", deadline=1.0)
    assert result.state == "D"
    assert str(result.unread()).endswith("it was in uninterruptible sleep (state D)")


def test_the_whole_group_dies(tmp_path: Path) -> None:
    """What the program started goes with it."""
    note = tmp_path / "pid"
    result = shell(f"sleep 60 & echo $! > {note}; wait", deadline=DEADLINE)
    assert result.timed_out
    assert wait_until_gone(int(note.read_text()))


def test_a_descendant_that_holds_the_pipe_delays_nothing(tmp_path: Path) -> None:
    """A daemon left behind with our pipe in its hands: the answer is there, so take it and end the daemon."""
    note = tmp_path / "pid"
    result = shell(f"sleep 60 & echo $! > {note}; echo answer")
    assert (result.stdout, result.exit_code, result.timed_out) == (b"answer\n", 0, False)
    assert result.seconds < SLACK
    assert wait_until_gone(int(note.read_text()))


@pytest.mark.parametrize("stream", [1, 2])
def test_a_flood_is_stopped_at_the_cap(stream: int) -> None:
    """A program that never stops talking is killed once it has said enough, on either stream."""
    result = python(f"import os\nwhile True: os.write({stream}, b'x' * 65536)", cap_bytes=200_000)
    assert result.truncated
    assert not result.timed_out
    assert len(result.stdout) + len(result.stderr) == 200_000
    unread = result.unread()
    assert unread is not None
    assert unread.why == "garbled"
    assert "200000 bytes" in unread.detail


def test_a_flood_of_a_gigabyte_costs_no_memory() -> None:
    """Under 150 MB and at once: the issue's own figures, measured in a process of its own."""
    code = """
import resource, sys, time
from envcheck.collect import process
from envcheck.collect.pipes import SelectorReader, ThreadReader
process.READER = {"SelectorReader": SelectorReader, "ThreadReader": ThreadReader}[sys.argv[1]]
flood = "import os, signal; signal.signal(15, signal.SIG_IGN)\\nfor _ in range(15259): os.write(1, b'x' * 65536)"
began = time.monotonic()
result = process.run_bounded([sys.executable, "-I", "-S", "-c", flood], deadline=20)
if sys.platform == "linux":  # ru_maxrss begins at the size of whoever forked this process, and pytest is large
    peak = next(int(line.split()[1]) // 1024 for line in open("/proc/self/status") if line.startswith("VmHWM"))
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 20
print(result.truncated, time.monotonic() - began, peak)
"""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", code, process.READER.__name__]
    said = subprocess.run(argv, capture_output=True, text=True, env=environ, check=True).stdout.split()
    assert said[0] == "True"
    assert float(said[1]) < SLACK
    assert int(said[2]) < 150


@pytest.mark.parametrize(("number", "name"), [(11, "SIGSEGV"), (7, "SIGBUS"), (4, "SIGILL"), (9, "SIGKILL")])
def test_a_death_by_signal_is_named(number: int, name: str) -> None:
    """A crash is not an exit code."""
    result = python(f"import os; os.kill(os.getpid(), {number})")
    assert (result.exit_code, result.signal, result.timed_out) == (None, number, False)
    unread = result.unread()
    assert unread is not None
    assert unread.why == "crashed"
    assert name in unread.detail


def test_what_cannot_be_started_is_a_result(tmp_path: Path) -> None:
    """Missing and refused are told apart; nothing raises."""
    plain = tmp_path / "plain"
    plain.write_text("x")
    missing, refused = run_bounded([str(tmp_path / "none")], deadline=1), run_bounded([str(plain)], deadline=1)
    strange = run_bounded(["/bin/true", "nul\0byte"], deadline=1)
    for result, why in ((missing, "missing"), (refused, "refused"), (strange, "missing")):
        unread = result.unread()
        assert unread is not None
        assert unread.why == why
        assert result.exit_code is None
    assert missing.start_error == f"{tmp_path}/none: No such file or directory"


def test_a_deadline_that_has_passed_starts_nothing(tmp_path: Path) -> None:
    """When the time is used up, a further program would only be one more to kill."""
    result = shell(f"touch {tmp_path}/started", deadline=0.0)
    assert result.timed_out
    assert not (tmp_path / "started").exists()


def test_one_that_survives_the_kill_is_abandoned_and_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process in state D does not die of SIGKILL: the wait after the kill is bounded, and the result says so.

    State D cannot be made at will; a kill that does not arrive has the same effect.
    """
    children: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda pid, number: children.append(pid))
    monkeypatch.setattr(process.subprocess.Popen, "kill", lambda self: children.append(self.pid))
    result = shell("exec sleep 60", deadline=DEADLINE)
    monkeypatch.undo()
    try:
        assert result.abandoned
        assert (result.exit_code, result.signal, result.state) == (None, None, "S")
        assert result.seconds < DEADLINE + SLACK
        assert str(result.unread()).endswith("it could not be killed (state S) and was left behind")
        assert process_state(children[0]) == "S"
    finally:
        os.kill(children[0], signal.SIGKILL)
    assert wait_until_gone(children[0]), "an abandoned child that dies at last is reaped, not left as a zombie"


@pytest.mark.parametrize(("script", "deadline"), [("exit 3", 20.0), ("exec sleep 60", DEADLINE), ("kill -9 $$", 20.0)])
def test_no_zombies_are_left(script: str, deadline: float) -> None:
    """Whatever became of a child, it is reaped."""
    result = shell(f"echo $$; {script}", deadline=deadline)
    assert process_state(int(result.stdout)) is None


def test_kill_all_ends_what_is_running() -> None:
    """An interrupt in the middle of a diagnosis leaves no child behind."""
    import threading

    results: list[ProcessResult] = []
    thread = threading.Thread(target=lambda: results.append(shell("sleep 60")))
    began = time.monotonic()
    thread.start()
    while not results and time.monotonic() - began < 10:
        kill_all()
        time.sleep(0.02)
    thread.join()
    assert results[0].signal == signal.SIGKILL
    assert not results[0].timed_out


def test_a_child_has_a_session_of_its_own() -> None:
    """The user's Ctrl-C reaches envcheck alone, which then ends its children in order."""
    assert int(python("import os; print(os.getsid(0) == os.getpid())").stdout == b"True\n")


def test_the_environment_is_clean_but_the_users_libraries_stay() -> None:
    """C locale and no Python or shell settings; what decides which driver library is loaded stays."""
    clean = clean_environment(
        {
            "LANG": "de_DE.UTF-8",
            "LC_MESSAGES": "de_DE.UTF-8",
            "PYTHONPATH": "/x",
            "BASH_ENV": "/y",
            "LD_LIBRARY_PATH": "/opt/cuda/lib64",
            "CUDA_VISIBLE_DEVICES": "",
            "PATH": "/bin",
        }
    )
    assert clean == {"LC_ALL": "C", "LD_LIBRARY_PATH": "/opt/cuda/lib64", "CUDA_VISIBLE_DEVICES": "", "PATH": "/bin"}


def test_a_deleted_working_folder_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's terminal may stand in a folder that is gone."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    try:
        assert shell("echo here").stdout == b"here\n"
    finally:
        os.chdir(tmp_path)


def wait_until_gone(pid: int) -> bool:
    """True once the process has ended (a zombie has: whoever inherited it reaps it)."""
    until = time.monotonic() + 5
    while time.monotonic() < until:
        if process_state(pid) in (None, "Z", "X"):
            return True
        time.sleep(0.01)
    return False
