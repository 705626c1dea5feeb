"""Pretended programs do to their caller what the real ones do on bad days."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from . import programs
from .build import why_not
from .scenarios import healthy_h100
from .smi_xml import smi_xml

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason=why_not() or "")

BARE = {"PATH": ""}  # they need no PATH


def call(path: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([path, *arguments], env={**BARE, **environ}, capture_output=True, timeout=30)


def test_an_answer_depends_on_the_arguments(tmp_path: Path) -> None:
    """The XML for -q -x, a list for -L, and exit code 2 for what it does not know; every character survives."""
    odd = "100 % $HOME `id` \\n 'quotes' END_OF_ANSWER\nlast line without an end"
    answers = {"-q -x": smi_xml(healthy_h100(2)), "-L": odd}
    program = programs.write_program(tmp_path, "nvidia-smi", programs.answering(answers))
    assert call(program, "-q", "-x").stdout.decode() == answers["-q -x"]
    assert call(program, "-L").stdout.decode() == odd + "\n"
    unknown = call(program, "--nonsense")
    assert (unknown.returncode, unknown.stdout) == (2, b"")


@pytest.mark.parametrize("code", programs.SMI_FAILURES)
def test_failures_have_their_words_and_code(tmp_path: Path, code: int) -> None:
    """nvidia-smi prints its error on stdout and exits with the NVML code."""
    done = call(programs.write_program(tmp_path, "nvidia-smi", programs.failing(code)))
    assert done.returncode == code
    assert done.stdout.decode().strip() == programs.SMI_FAILURES[code].strip()


def test_a_hanging_program_ignores_all_but_sigkill(tmp_path: Path) -> None:
    """SIGTERM, SIGINT and SIGHUP do nothing; SIGKILL to its group ends it."""
    program = programs.write_program(tmp_path, "nvidia-smi", programs.hanging(first="starting"))
    with subprocess.Popen([program], env=BARE, stdout=subprocess.PIPE, start_new_session=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"starting\n"
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            os.killpg(child.pid, number)
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(0.3)
        os.killpg(child.pid, signal.SIGKILL)
        assert child.wait(10) == -signal.SIGKILL


def test_a_polite_hanging_program_ends_at_sigterm(tmp_path: Path) -> None:
    """The other kind: slow, but it can be asked to stop."""
    program = programs.write_program(tmp_path, "nvidia-smi", programs.hanging(ignore_signals=False))
    with subprocess.Popen([program], env=BARE, start_new_session=True) as child:
        time.sleep(0.1)
        os.killpg(child.pid, signal.SIGTERM)
        assert child.wait(10) == -signal.SIGTERM


def test_a_child_left_behind_keeps_the_pipe_open(tmp_path: Path) -> None:
    """The program is gone and its output never ends: reading to the end would wait for ever."""
    program = programs.write_program(tmp_path, "nvidia-smi", programs.leaving_a_child())
    with subprocess.Popen([program], env=BARE, stdout=subprocess.PIPE, start_new_session=True) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == b"started\n"
            assert child.wait(10) == 0
            os.set_blocking(child.stdout.fileno(), False)
            with pytest.raises(BlockingIOError):
                os.read(child.stdout.fileno(), 1)
        finally:
            os.killpg(child.pid, signal.SIGKILL)


@pytest.mark.parametrize("to", ["stdout", "stderr"])
def test_a_flood_has_the_size_asked_for(tmp_path: Path, to: str) -> None:
    """Exactly so many bytes, and fast enough that a cap on output is what ends it."""
    program = programs.write_program(tmp_path, "nvidia-smi", programs.flooding(20_000_000, to=to))
    done = call(program)
    assert (len(done.stdout), len(done.stderr)) == ((20_000_000, 0) if to == "stdout" else (0, 20_000_000))
    assert "1000000000" in programs.flooding()


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT, signal.SIGKILL])
def test_a_dying_program_dies_by_its_signal(tmp_path: Path, number: signal.Signals) -> None:
    """No answer and a negative exit code."""
    done = call(programs.write_program(tmp_path, "nvidia-smi", programs.dying(number)))
    assert (done.returncode, done.stdout) == (-number, b"")


def test_another_locale_writes_commas_unless_asked_for_c(tmp_path: Path) -> None:
    """A reader that does not set LC_ALL=C meets decimal commas; versions keep their points."""
    text = "<driver_version>580.105.08</driver_version>\n<power_draw>68.57 W</power_draw>\n"
    program = programs.write_program(tmp_path, "nvidia-smi", programs.localised(text))
    assert call(program, LC_ALL="C").stdout.decode() == text
    assert call(program, LC_ALL="de_DE.UTF-8").stdout.decode() == text.replace("68.57", "68,57")


def test_a_slow_program_answers_after_all(tmp_path: Path) -> None:
    """Slow is not dead."""
    begin = time.monotonic()
    done = call(programs.write_program(tmp_path, "nvidia-smi", programs.slow(0.2, "done")))
    assert done.stdout == b"done\n"
    assert time.monotonic() - begin >= 0.2


def test_garbage_is_no_text(tmp_path: Path) -> None:
    """Bytes that UTF-8 refuses."""
    done = call(programs.write_program(tmp_path, "nvidia-smi", programs.garbage(1024)))
    assert len(done.stdout) == 1024
    with pytest.raises(UnicodeDecodeError):
        done.stdout.decode()
