"""Any text is an answer: no paste makes the reader fail, and none makes it slow."""

from __future__ import annotations

import gc
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.facts import Unread, decode, encode
from envcheck.judge import judge
from envcheck.read.lines import clean_lines
from envcheck.read.paste import read_paste
from envcheck.read.symptoms import table
from envcheck.rules import QUESTIONS

from .pastes import PASTES

TEXTS = [text for text, _ in PASTES.values()] + ["\n".join(row.example for row in table()[:40])]
NOISE = st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(
    ["\x00", "\x1b[", "\x1b]0;", "\r", "> " * 30, "`" * 9, "\u2028", "\udcff", "\ud800", "[" * 50, "&#x41;", "<br>" * 9]
)


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """A report after an accident: cut, shuffled, repeated, joined, quoted, with noise inside."""
    lines = draw(st.sampled_from(TEXTS)).split("\n")
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines)))
        accident = draw(st.sampled_from(["cut", "noise", "shuffle", "repeat", "join", "quote", "bite", "mix"]))
        if accident == "cut":
            lines = lines[:at]
        elif accident == "noise":
            lines.insert(at, draw(NOISE))
        elif accident == "shuffle":
            lines = draw(st.permutations(lines))
        elif accident == "repeat":
            lines = lines * 2
        elif accident == "join":
            lines = [" ".join(lines)]
        elif accident == "quote":
            lines = [draw(st.sampled_from(["> ", ">>", "    ", "| ", "# "])) + line for line in lines]
        elif accident == "bite" and lines:
            line = lines[min(at, len(lines) - 1)]
            lines[min(at, len(lines) - 1)] = line[: len(line) // 2] + draw(NOISE) + line[len(line) // 2 :]
        else:
            lines += draw(st.sampled_from(TEXTS)).split("\n")
    return "\n".join(lines)


@given(mangled())
def test_a_mangled_report_is_read_and_judged(text: str) -> None:
    """Facts that a mangled text states are facts of the right form, and the court can judge them."""
    snapshot = read_paste(text)
    clean = text.encode("utf-8", "replace").decode()
    assert decode(encode(read_paste(clean))) == read_paste(clean)
    crashed = [v.why for v in judge(snapshot, QUESTIONS).verdicts if v.outcome == "crashed"]
    assert crashed == []


@given(st.text(max_size=400) | st.binary(max_size=400).map(lambda raw: raw.decode("utf-8", "replace")))
def test_any_text_is_read(text: str) -> None:
    """Binary rubbish, too."""
    assert read_paste(text).source == "pasted"


@given(st.text(max_size=300))
def test_lines_keep_their_numbers(text: str) -> None:
    """The number of a line is the one that an editor shows."""
    lines = clean_lines(text)
    assert [line.number for line in lines] == sorted(line.number for line in lines)
    assert lines[-1].number == text.count("\n") + 1


@pytest.mark.parametrize(
    "line",
    ["[pip3] torchaudio==on:", "[pip3] torch==(unknown)", "[pip3] numpy==٣", "PyTorch version: N/A"],
)
def test_what_is_no_version_is_no_fact(line: str) -> None:
    """The rules compare version numbers; a text can have anything in their place."""
    snapshot = read_paste(f"Collecting environment information...\nPyTorch version: 2.3.0+cu121\n{line}\n")
    [python] = snapshot.interpreters
    assert python.torch.version == "2.3.0+cu121"
    assert isinstance(python.distributions, Unread) or python.distributions == []
    assert [v.why for v in judge(snapshot, QUESTIONS).verdicts if v.outcome == "crashed"] == []


BAIT = {
    "a log": "2026-11-24 12:00:00 INFO step 123 loss 0.123 lr 1e-4 nothing to see\n",
    "labels": "PyTorch version: 2.3.0 Is debug build: False CUDA used to build PyTorch: 12.1 GPU 0: NVIDIA A100 ",
    "blanks": " " * 2000 + "x\n",
    "quoting": ">" * 500 + " x\n",
    "symbols": "undefined symbol: _Z" + "a" * 200 + "\n",
    "versions": "1" * 300 + "." + "2" * 300 + "\n",
    "gpus": "GPU 0,1,2,3 " + "1," * 400 + "\n",
    "paths": "/lib/python3.1" * 60 + "\n",
    "colons": "a: " * 300 + "\n",
    "assignments": "CUDA_VISIBLE_DEVICES=0 " * 50 + "\n",
    "packages": "Successfully installed " + "a-1.0 " * 2000 + "\n",
    "tags": "<br" * 400 + "\n",
    "prompts": "user@host:~$ python -c 'import torch; print(torch.__version__)'\n",
}


@pytest.mark.parametrize("name", BAIT)
def test_time_grows_with_the_length_and_not_faster(name: str) -> None:
    """Four times the text takes about four times as long: no pattern goes back over what it has read."""
    piece = BAIT[name]
    took = []
    for size in (60_000, 240_000):
        text = (piece * (size // len(piece) + 1))[:size]
        gc.collect()
        started = time.process_time()
        read_paste(text)
        took.append(time.process_time() - started)
    assert took[1] < 10 * max(took[0], 0.02), took


@pytest.mark.slow
def test_a_megabyte_of_reports_is_read_in_about_a_second() -> None:
    """The bound is generous for slow machines; the reader itself needs about a second with every format in the text."""
    text = "\n".join(TEXTS)
    read_paste(text)  # tables and patterns are made once
    text = (text * (1_000_000 // len(text) + 1))[:1_000_000]
    started = time.process_time()
    read_paste(text)
    assert time.process_time() - started < 5


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        lambda: "PyTorch version: 2.1.0 " * 430_000,
        lambda: "x" * 10_000_000,
        lambda: "a\n" * 1_000_000,
        lambda: ">" * 10_000_000,
        lambda: 'File "' * 1_600_000,
    ],
    ids=["10 MB of labels", "10 MB without a blank", "a million lines", "10 MB of quoting", "10 MB of seams"],
)
def test_enormous_texts_are_read(text: object) -> None:
    """Ten megabytes in one line, or a million lines."""
    assert callable(text)
    started = time.process_time()
    read_paste(text())
    assert time.process_time() - started < 40
