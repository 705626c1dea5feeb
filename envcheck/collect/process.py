"""Wall 1: programs are run so that none can hang, flood or outlive the diagnosis unnoticed.

Every child gets its own session, no input, a deadline and a cap on what it may say.  A child that does not
end is asked to (SIGTERM), then killed with its whole group, then given a short time to die; one that still
stands (uninterruptible sleep, state D) is abandoned, and the result says so.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

from envcheck.facts import Unread

from .pipes import Reader, SelectorReader, ThreadReader

CAP_BYTES = 4 << 20
GRACE_S = 0.3
"""From SIGTERM to SIGKILL, and again from SIGKILL until the child is given up."""

_WINDOWS = sys.platform == "win32"

READER: type[Reader] = ThreadReader if _WINDOWS else SelectorReader

# Variables that change what a program says or which code it starts with, and that no driver library reads.
_FOREIGN = frozenset({"LANG", "LANGUAGE", "BASH_ENV", "ENV", "CDPATH", "IFS", "GREP_OPTIONS", "COLUMNS", "LINES"})
_FOREIGN_PREFIXES = ("LC_", "PYTHON", "BASH_FUNC_")


class ProcessResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one program."""

    exit_code: int | None = None  # None: it never started, was killed by a signal, or was abandoned
    signal: int | None = None  # the signal that ended it (POSIX)
    stdout: bytes = b""
    stderr: bytes = b""
    timed_out: bool = False  # it was still running at its deadline
    truncated: bool = False  # it said more than the cap and was killed for it
    abandoned: bool = False  # it outlived SIGKILL and still runs
    state: str | None = None  # letter of /proc/<pid>/stat when the deadline struck: "D" is uninterruptible
    deadline: float = 0.0  # seconds that it was given
    seconds: float = 0.0  # from start to end, the killing included
    start_error: str = ""  # why it could not be started
    start_refused: bool = False  # ... and that was a question of permission

    @property
    def ended(self) -> bool:
        """True if the program came to an end of its own accord, whatever its exit code."""
        return self.exit_code is not None and not (self.timed_out or self.truncated)

    def unread(self) -> Unread | None:
        """Why the program gave no whole answer; ``None`` if it ended by itself."""
        if self.start_error:
            return Unread("refused" if self.start_refused else "missing", self.start_error)
        if self.timed_out:
            words = f"no answer in {self.deadline:.3g} s"
            if self.abandoned:
                words += f"; it could not be killed (state {self.state or 'unknown'}) and was left behind"
            elif self.state == "D":
                words += "; it was in uninterruptible sleep (state D)"
            return Unread("timeout", words)
        if self.truncated:
            return Unread("garbled", f"stopped after {len(self.stdout) + len(self.stderr)} bytes of output")
        if self.signal is not None:
            return Unread("crashed", f"killed by signal {self.signal} ({signal_name(self.signal)})")
        return None


def signal_name(number: int) -> str:
    """``"SIGSEGV"`` for 11; ``"unnamed"`` for a number that this system has no name for."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unnamed"


def clean_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The user's variables in the C locale, without those that steer shells and Pythons.

    LD_LIBRARY_PATH and all CUDA variables stay: with them the user's own program would run.
    """
    source = os.environ if environ is None else environ
    clean = {k: v for k, v in source.items() if k not in _FOREIGN and not k.startswith(_FOREIGN_PREFIXES)}
    clean["LC_ALL"] = "C"
    return clean


def run_bounded(
    argv: Sequence[str],
    *,
    deadline: float,
    cap_bytes: int = CAP_BYTES,
    environ: Mapping[str, str] | None = None,
    cwd: str | None = None,
    hear: Callable[[bytes], None] | None = None,
) -> ProcessResult:
    """Run a program for at most ``deadline`` seconds (plus the grace after the kill) and keep what it said.

    ``cap_bytes`` bounds stdout and stderr together.  ``hear`` is told of what comes on stderr, as it comes.
    ``environ`` is handed over verbatim; ``None`` means the cleaned environment of this process.  Never raises for
    what the program or the system does: an unstartable program is a result with ``start_error``.
    """
    began = time.monotonic()
    if deadline <= 0:
        return ProcessResult(timed_out=True)  # there is no time left to start it
    try:
        child = _start(argv, clean_environment() if environ is None else environ, cwd)
    except (OSError, ValueError) as error:  # ValueError: a NUL or an "=" where none may be
        return ProcessResult(
            start_error=_describe(error, argv[0]),
            start_refused=isinstance(error, PermissionError),
            deadline=deadline,
            seconds=time.monotonic() - began,
        )
    reader = READER(child, cap_bytes, lambda: _has_ended(child))
    reader.hear = hear
    _running.add(child)
    try:
        reader.read_until(began + deadline)
        running = not _has_ended(child)
        state = process_state(child.pid) if running else None
        if running or reader.held_open:
            _end_group(child)
        reader.read_rest()
    finally:
        reader.close()
        _running.discard(child)
    code = _reap(child)
    return ProcessResult(
        exit_code=code if code is not None and code >= 0 else None,
        signal=-code if code is not None and code < 0 else None,
        stdout=bytes(reader.stdout),
        stderr=bytes(reader.stderr),
        timed_out=running and not reader.truncated,
        truncated=reader.truncated,
        abandoned=code is None,
        state=state,
        deadline=deadline,
        seconds=time.monotonic() - began,
    )


def _describe(error: OSError | ValueError, program: str) -> str:
    if not isinstance(error, OSError):
        return f"{program}: {error}"
    name = error.filename or program
    return f"{os.fsdecode(name)}: {error.strerror or error}"


def kill_all() -> None:
    """Kill every child that is still being read: for a diagnosis that ends early (an interrupt, its own deadline)."""
    for child in list(_running):
        if not _has_ended(child):
            _signal_group(child, _ENDINGS[-1])


_running: set[subprocess.Popen[bytes]] = set()


def process_state(pid: int) -> str | None:
    """The state letter of a process (R, S, D, Z …) from /proc/<pid>/stat; ``None`` where there is no such file."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    return stat.rpartition(b") ")[2][:1].decode("ascii", "replace") or None


def _start(argv: Sequence[str], environ: Mapping[str, str], cwd: str | None) -> subprocess.Popen[bytes]:
    flags = 0
    if _WINDOWS:
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW  # type: ignore[attr-defined,unused-ignore]
    child = subprocess.Popen(
        list(argv),
        # A pipe that is closed at once, not /dev/null: a minimal container may have no /dev.
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(environ),
        cwd=cwd,
        bufsize=0,
        close_fds=True,
        start_new_session=not _WINDOWS,
        creationflags=flags,
    )
    assert child.stdin is not None
    child.stdin.close()
    return child


def _has_ended(child: subprocess.Popen[bytes]) -> bool:
    """Whether the child has ended, without reaping it: until then its number stays its own, so that its
    group can be signalled without hitting a stranger."""
    if child.returncode is not None or not hasattr(os, "waitid"):  # Windows, and macOS before Python 3.13
        return child.poll() is not None
    try:
        return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:  # somebody in this process reaps all children (SIGCHLD ignored)
        return True


def _end_group(child: subprocess.Popen[bytes]) -> None:
    for number in _ENDINGS:
        _signal_group(child, number)
        until = time.monotonic() + GRACE_S
        while not _has_ended(child):
            if time.monotonic() >= until:
                break
            time.sleep(0.005)
        else:
            # The child is gone; whatever else is left of its group goes too.
            _signal_group(child, _ENDINGS[-1])
            return


_ENDINGS = (signal.SIGTERM,) if _WINDOWS else (signal.SIGTERM, signal.SIGKILL)


def _signal_group(child: subprocess.Popen[bytes], number: int) -> None:
    try:
        if _WINDOWS:
            # TerminateProcess: there is no gentler way that reaches a process without a console.  The
            # python.exe of a venv holds its real interpreter in a job object that dies with it.
            child.kill()
        else:
            os.killpg(child.pid, number)
    except (ProcessLookupError, PermissionError):  # gone, or a set-uid program: the wait decides
        pass


def _reap(child: subprocess.Popen[bytes]) -> int | None:
    if not _has_ended(child):
        # A thread waits for it as long as this process lives, so that it never stays as a zombie.
        threading.Thread(target=child.wait, name=f"reaper-{child.pid}", daemon=True).start()
        return None
    return child.wait()
