"""``envcheck explain``: a file, standard input or the words themselves, in three formats."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from envcheck.facts import encode
from envcheck.testing import machine

Run = Callable[..., "object"]
MESSAGE = "AssertionError: Torch not compiled with CUDA enabled"
REPORT = """\
> PyTorch version: 2.5.1+cpu
> CUDA used to build PyTorch: Could not collect
> Python platform: Linux-6.8.0-60-generic-x86_64-with-glibc2.39
> Is CUDA available: False
> GPU models and configuration: GPU 0: NVIDIA GeForce RTX 4090
> Nvidia driver version: 550.90.07
"""


@pytest.fixture
def report(tmp_path: Path) -> str:
    path = tmp_path / "issue.md"
    path.write_text(REPORT)
    return str(path)


def test_a_message_in_quotes(cli: Run) -> None:
    """The shortest way: the words of the error."""
    result = cli("explain", MESSAGE)
    assert result.code == 1
    assert "torch-cpu-only-build (TOR101): established by the message, which leaves no" in result.out
    assert f"line 1: {MESSAGE}" in result.out
    assert result.err == ""


def test_a_file_is_read_with_the_line_of_every_fact(cli: Run, report: str) -> None:
    """The answer names the lines that it rests on, and the command that mends it."""
    result = cli("explain", report)
    assert result.code == 1
    assert "established by the facts" in result.out
    assert "line 1: PyTorch version: 2.5.1+cpu" in result.out
    assert "line 5: GPU 0: NVIDIA GeForce RTX 4090" in result.out or "line 5: GPU models" in result.out
    assert "--index-url https://download.pytorch.org/whl/cu124" in result.out
    assert "ask the reporter" not in result.out


def test_standard_input(program: Callable[..., object]) -> None:
    """What another program prints can be piped in."""
    done = program("explain", "-", input=REPORT.encode())
    assert done.returncode == 1
    assert b"torch-cpu-only-build" in done.stdout


def test_a_suspicion_is_called_one_and_says_what_to_ask_for(cli: Run) -> None:
    """A message that several causes share accuses none of them."""
    result = cli("explain", "RuntimeError: No CUDA GPUs are available")
    assert "suggested by the message" in result.out
    assert "To be sure, ask the reporter for the output of" in result.out
    assert "$ lspci -nnk -d 10de:" in result.out


def test_a_text_that_tells_nothing_is_no_bad_call(cli: Run) -> None:
    """Nothing found is an answer: what is missing, and how to get it."""
    result = cli("explain", "es geht nicht")
    assert result.code == 0
    assert "No root cause can be told from this text." in result.out
    assert "$ python -m torch.utils.collect_env" in result.out


def test_json_is_the_contract_of_doctor(cli: Run, report: str, tmp_path: Path) -> None:
    """Another program reads both with the same code."""
    recorded = tmp_path / "h100.json"
    recorded.write_bytes(encode(machine("h100").snapshot))
    explained = json.loads(cli("explain", report, "--format", "json").out)
    judged = json.loads(cli("doctor", "--from", str(recorded), "--format", "json").out)
    assert list(explained) == list(judged)
    assert explained["root_causes"][0]["rule"] == "torch-cpu-only-build"
    assert explained["snapshot"]["source"] == "pasted"
    assert explained["verdict"] == "unfit"


def test_a_text_proves_no_machine_fit(cli: Run) -> None:
    """What a report does not tell is no sign of health."""
    assert json.loads(cli("explain", "hello", "--format", "json").out)["verdict"] == "undetermined"


def test_markdown_is_a_reply_to_post(cli: Run, report: str) -> None:
    """Cause, lines, fix in a fence; nothing of the text can leave its fence."""
    text = cli("explain", report, "--format", "markdown").out
    assert text.startswith("**Root cause: `torch-cpu-only-build`** (established by the facts)")
    assert "It rests on:\n\n```text\nline 1: PyTorch version: 2.5.1+cpu" in text
    assert re.search(r"```sh\n.*uninstall", text)


def test_hostile_words_stay_in_their_fence(cli: Run) -> None:
    """A pasted fence or tag neither ends the reply's fences nor reaches the page."""
    text = cli("explain", f"``` </details> @admin {MESSAGE} ```", "--format", "markdown").out
    outside = re.sub(r"(`{3,}).*?\n\1", "", text, flags=re.DOTALL)
    assert "</details>" not in outside
    assert "@admin" not in outside


@pytest.mark.parametrize("name", ["no-such-file.txt", "logs/run.log", "C:\\x\\report.txt"])
def test_a_file_that_is_not_there_is_a_bad_call(cli: Run, name: str) -> None:
    """A mistyped name is not judged as a message."""
    result = cli("explain", name)
    assert result.code == 2
    assert "no such file" in result.err


def test_a_snapshot_is_explained_like_a_text(cli: Run, tmp_path: Path) -> None:
    """Whoever attached what ``collect`` wrote is answered from it."""
    path = tmp_path / "snapshot.json"
    path.write_bytes(encode(machine("secure-boot").snapshot))
    assert "secure-boot-unsigned-module" in cli("explain", str(path)).out


def test_doctor_judges_a_paste_too(cli: Run, report: str) -> None:
    """``doctor --from`` takes whatever ``explain`` takes from a file."""
    result = cli("doctor", "--from", report)
    assert result.code == 1
    assert "torch-cpu-only-build" in result.out


def test_powershell_writes_utf_16(cli: Run, tmp_path: Path) -> None:
    """``> report.txt`` in PowerShell."""
    path = tmp_path / "report.txt"
    path.write_bytes(REPORT.replace("\n", "\r\n").encode("utf-16"))
    assert "torch-cpu-only-build" in cli("explain", str(path)).out


@pytest.mark.parametrize("voice", ["terminal", "json", "markdown"])
def test_poor_surroundings(program: Callable[..., object], voice: str) -> None:
    """ASCII, 40 columns, no HOME, no PATH: the same answer, ASCII bytes, no complaint."""
    poor = {"HOME": "UNSET", "PATH": "", "COLUMNS": "40", "PYTHONIOENCODING": "ascii", "TERM": "dumb"}
    done = program("explain", f"显卡 {MESSAGE}", "--format", voice, env=poor)
    assert done.returncode == 1
    assert done.stderr == b""
    assert done.stdout.isascii()


def test_a_binary_file_is_read(cli: Run, tmp_path: Path) -> None:
    """Rubbish tells nothing, and breaks nothing."""
    path = tmp_path / "core"
    path.write_bytes(bytes(range(256)) * 40)
    assert cli("explain", str(path)).code == 0


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_text_is_a_bad_call(cli: Run, text: str) -> None:
    """Nothing was given, so nothing can be explained: one line says so."""
    result = cli("explain", text)
    assert result.code == 2
    assert result.err.count("\n") == 1
    assert "empty" in result.err
