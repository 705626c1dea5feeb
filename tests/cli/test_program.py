"""The real program in a child: closed and odd streams, poor environments, signals, completion, help."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import envcheck
from envcheck.__main__ import main
from envcheck.cli.app import COMMANDS

pytestmark = pytest.mark.wheel
Program = Callable[..., Any]
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX shell and signals")
POOR = {"HOME": "UNSET", "PATH": "", "LANG": "C", "PYTHONIOENCODING": "ascii", "COLUMNS": "40", "TERM": "dumb"}


def test_version(program: Program) -> None:
    """One line, both spellings, and nothing on stderr."""
    for args in (["--version"], ["-V"], ["--version", "doctor"]):
        done = program(*args)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout.split() == [b"envcheck", envcheck.__version__.encode()]


@pytest.mark.parametrize("args", [[], ["--help"], ["-h"]])
def test_help_names_every_command(program: Program, args: list[str]) -> None:
    """Help goes to stdout, is short, and ends with 0; so does a call without any command."""
    done = program(*args)
    text = done.stdout.decode()
    assert (done.returncode, done.stderr) == (0, b"")
    assert all(f"  {name} " in text for name in COMMANDS)
    assert len(text.splitlines()) <= 30


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command(program: Program, name: str) -> None:
    """Each fits on a screen, opens with the sentence that the list shows, and never promises rich text."""
    done = program(name, "--help", env={"COLUMNS": "80"})
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0
    assert len(lines) <= 40
    assert all(len(line) <= 80 for line in lines)
    assert COMMANDS[name][1] in " ".join(" ".join(lines).split())


@pytest.mark.parametrize("machine", ["fit", "unfit", "undetermined"])
@pytest.mark.parametrize("voice", ["terminal", "json", "markdown"])
def test_poor_surroundings(program: Program, recorded: Callable[[str], str], machine: str, voice: str) -> None:
    """No HOME, an empty PATH, ASCII, 40 columns, a dumb terminal: the same codes, ASCII bytes, no complaint."""
    done = program("doctor", "--from", recorded(machine), "--format", voice, env=POOR)
    assert done.returncode in (0, 1)
    assert done.stderr == b""
    assert done.stdout and done.stdout.isascii()
    assert b"\x1b" not in done.stdout


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-16", "utf-8"])
def test_any_encoding(program: Program, tmp_path: Path, encoding: str) -> None:
    """No text raises UnicodeEncodeError, a path with bytes that are no UTF-8 neither."""
    for voice in ("terminal", "markdown", "json"):
        done = program(
            "doctor", "--from", f"{tmp_path}/日本\udcff✓", "--format", voice, env={"PYTHONIOENCODING": encoding}
        )
        assert done.returncode == 2
        assert b"Traceback" not in done.stderr
        assert done.stderr.count("\n".encode(encoding if encoding != "utf-16" else "utf-16-le")) == 1


@posix
def test_a_reader_that_goes_away(program: Program) -> None:
    """`envcheck rules | head -1` ends quietly."""
    read, write = os.pipe()
    os.close(read)
    try:
        for args in (["rules"], ["rules", "--format", "json"], ["--version"], ["--help"]):
            done = program(*args, capture_output=False, stdout=write, stderr=subprocess.PIPE)
            assert (done.returncode, done.stderr) == (0, b"")
    finally:
        os.close(write)


@posix
def test_closed_streams(program: Program, recorded: Callable[[str], str]) -> None:
    """`>&-` and `2>&-`: the verdict is the exit code all the same, and no child's output gets lost in a file."""
    path = recorded("fit")
    module = f"{sys.executable} -m envcheck"
    for shell in (
        f"{module} doctor --from {path} >&-",
        f"{module} doctor --from {path} 2>&-",
        f"{module} doctor --from {path} <&- >&- 2>&-",
        f"{module} --version >&-",
    ):
        environ = {"PYTHONPATH": str(Path(envcheck.__file__).parent.parent), "PATH": os.environ["PATH"]}
        done = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, timeout=60, env=environ, check=False)
        assert (done.returncode, done.stderr) == (0, b""), shell
    done = subprocess.run(["/bin/sh", "-c", f"{module} nonsense >&- 2>&-"], timeout=60, env=environ, check=False)
    assert done.returncode == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(program: Program) -> None:
    """A result that could not be written is one line and 2, not a silent success."""
    with open("/dev/full", "wb") as full:
        done = program("rules", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 2
    assert done.stderr == b"envcheck: standard output: No space left on device\n"


@posix
def test_ctrl_c(program: Program, tmp_path: Path) -> None:
    """An interrupt while it waits is 130, at once and without a traceback."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    environ = {"PYTHONPATH": str(Path(envcheck.__file__).parent.parent)}
    argv = [sys.executable, "-m", "envcheck", "doctor", "--from", str(fifo)]
    child = subprocess.Popen(
        argv,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        # Tests that a shell runs in the background ignore interrupts, and what they start would, too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        with open(fifo, "wb"):  # opens when the child reads: it is in the middle of its work
            time.sleep(0.1)
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=30)
    finally:
        child.kill()
    assert (child.returncode, out, err) == (130, b"", b"")


def test_module_and_entry_point_are_one(program: Program) -> None:
    """`python -m envcheck` and the command's function give the same answer."""
    code = "import sys; from envcheck.__main__ import main; sys.exit(main())"
    assert program("rules", "DRV201", code=code).stdout == program("rules", "DRV201").stdout


@pytest.mark.parametrize(
    ("typed", "offered", "hidden"),
    [
        ("doc", b"doctor", b"rules"),
        ("doctor --for", b"--format", b"--quick"),
        ("doctor --format js", b"json", b"markdown"),
        ("doctor --ignore stub", b"stub-libcuda-loaded", b"json"),
        ("rules stub", b"stub-libcuda-loaded", b"no-driver"),
    ],
)
def test_shell_completion(program: Program, typed: str, offered: bytes, hidden: bytes) -> None:
    """Commands, options, formats and rule names complete."""
    words = f"envcheck {typed}"
    done = program(
        env={"_ENVCHECK_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
    )
    assert done.returncode == 0
    assert offered in done.stdout
    assert hidden not in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script(program: Program, shell: str) -> None:
    """--show-completion prints a script for the shell that calls envcheck back."""
    named = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}  # otherwise the calling shell is looked up
    done = program("--show-completion", shell, env=named)
    assert done.returncode == 0
    assert b"_ENVCHECK_COMPLETE=complete_" in done.stdout


def test_installing_completion_for_an_unknown_shell_is_a_bad_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """typer ends such a call with 1; exit code 1 means "unfit" here and nothing else."""

    class Command:
        def main(self, *args: object, **settings: object) -> int:
            return 1

    monkeypatch.setattr("typer.main.get_command", lambda app: Command())
    assert main(["--install-completion"]) == 2
    assert main(["--show-completion"]) == 2
    assert main(["doctor"]) == 1
