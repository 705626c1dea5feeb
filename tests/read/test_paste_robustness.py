"""Any text is an answer: no paste makes the reader fail, and none makes it slow."""

from __future__ import annotations

import gc
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.facts import Unread, decode, encode
from envcheck.judge import judge
from envcheck.read.lines import clean_lines
from envcheck.read.paste import read_paste
from envcheck.read.symptoms import table
from envcheck.report import explanation
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


def seconds(text: str, repeats: int = 3) -> float:
    """Processor time of one reading, the least of some: what else the machine does can only add to it."""
    took = []
    for _ in range(repeats):
        gc.collect()
        started = time.process_time()
        read_paste(text)
        took.append(time.process_time() - started)
    return min(took)


def of_length(piece: str, length: int) -> str:
    return (piece * (length // len(piece) + 1))[:length]


def counted(piece: str, length: int) -> str:
    """The piece again and again, each time with another number: no two lines are the same."""
    return "".join(piece.format(number) for number in range(length // len(piece)))


COUNTED = {
    "pip freeze": "package-{0}==1.{0}\n",
    "GPUs": "GPU {0}: NVIDIA A100 (UUID: GPU-{0:08x}-0000-0000-0000-000000000000)\n",
    "kernel log": "[{0}.000000] NVRM: Xid (PCI:0000:01:00): 79, pid={0}, name=python, Ch 00000008\n",
    "out of memory": "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {0}.00 MiB\n",
    "traceback": 'Traceback (most recent call last):\n  File "a{0}.py", line 1\nRuntimeError: CUDA error: unknown error\n',
    "samples": "# gpu   pwr  gtemp\n    0   {0}     35\n",
}


@pytest.mark.parametrize("name", BAIT)
def test_time_grows_with_the_length_and_not_faster(name: str) -> None:
    """Four times the text takes about four times as long: no pattern goes back over what it has read."""
    short, long = (seconds(of_length(BAIT[name], size), repeats=1) for size in (60_000, 240_000))
    assert long < 10 * max(short, 0.02), (short, long)


@pytest.mark.parametrize("name", COUNTED)
def test_time_grows_evenly_where_no_two_lines_are_the_same(name: str) -> None:
    """The same for lines that differ, each a fact or a message: no list that they fill is searched again and again."""
    head = "$ pip freeze\n" if name == "pip freeze" else ""
    short, long = (seconds(head + counted(COUNTED[name], size), repeats=2) for size in (60_000, 240_000))
    assert long < 10 * max(short, 0.02), (short, long)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*BAIT, *COUNTED])
def test_twice_the_text_takes_about_twice_as_long(name: str) -> None:
    """Over three doublings up to two megabytes; the least of three readings each, on the processor's clock."""
    whole = of_length(BAIT[name], 2_000_000) if name in BAIT else counted(COUNTED[name], 2_000_000)
    took = [seconds(whole[:size]) for size in (250_000, 500_000, 1_000_000, 2_000_000)]
    assert took[-1] < 12 * max(took[0], 0.02), took


@pytest.mark.slow
def test_a_megabyte_of_reports_is_read_in_a_fraction_of_a_second() -> None:
    """The bound is generous for slow machines; the reader itself needs a third of a second with every format there."""
    text = "\n".join(TEXTS)
    read_paste(text)  # tables and patterns are made once
    assert seconds(of_length(text, 1_000_000)) < 2


def test_repeated_lines_cost_little() -> None:
    """A line that stands in the text a thousand times is looked at once: it is cheaper than a thousand lines."""
    line = "2026-11-24 12:00:00 INFO epoch {} torch CUDA driver: module version 1.2 loss 0.1\n"
    same, different = seconds(line.format(1) * 4000), seconds("".join(line.format(n) for n in range(4000)))
    assert same < different


def test_what_is_too_much_to_be_read_is_told() -> None:
    """Of a list that no environment has, the beginning is taken, and the snapshot says that it is not the whole."""
    snapshot = read_paste("$ pip freeze\n" + "".join(f"package-{n}==1.0\n" for n in range(21_000)))
    [python] = items(snapshot.interpreters)
    assert len(items(python.distributions)) == 20_000
    assert python.distributions_partial is True
    assert [(run.outcome, run.detail) for run in snapshot.runs] == [("skipped", "packages behind the first 20000")]
    assert explanation.read(snapshot).endswith("; not read: packages behind the first 20000")


@pytest.mark.parametrize(
    "line",
    ["GPU {0}: NVIDIA A100 (UUID: GPU-{0:08x}-0000)\n", "GPU models and configuration: NVIDIA A100\n"],
    ids=["nvidia-smi -L", "collect_env"],
)
def test_no_more_cards_are_read_than_a_machine_has(line: str) -> None:
    """Each card is judged, so that a text with thousands would keep the judge busy; what is left out is told."""
    snapshot = read_paste("".join(line.format(n) for n in range(900)))
    assert not isinstance(snapshot.smi, Unread)
    assert len(items(snapshot.smi.gpus)) == 256
    assert "not read: GPUs behind the first 256" in explanation.read(snapshot)


def test_of_a_usual_text_all_is_read() -> None:
    """No remark where nothing was left out."""
    assert [name for name, (text, _) in PASTES.items() if read_paste(text).runs] == []


def items(fact: object) -> list[Any]:
    assert isinstance(fact, list)
    return fact


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        lambda: "PyTorch version: 2.1.0 " * 430_000,
        lambda: "x" * 10_000_000,
        lambda: "a\n" * 1_000_000,
        lambda: "ab: c\n" * 1_000_000,
        lambda: ">" * 10_000_000,
        lambda: 'File "' * 1_600_000,
    ],
    ids=[
        "10 MB of labels",
        "10 MB without a blank",
        "a million lines",
        "a million labels",
        "10 MB of quoting",
        "10 MB of seams",
    ],
)
def test_enormous_texts_are_read(text: object) -> None:
    """Ten megabytes in one line, or a million lines."""
    assert callable(text)
    started = time.process_time()
    read_paste(text())
    assert time.process_time() - started < 15
