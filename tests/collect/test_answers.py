"""Wall 2, the reading: what a probe wrote becomes facts, or the Unread that fits what went wrong."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.collect.answers import last_line, read_answer
from envcheck.collect.process import ProcessResult
from envcheck.facts import NOT_ASKED, Cuda, Gpu, Interpreter, Nvml, Section, Unread

GOOD = b'{"kind":"nvml","library":"/lib/libnvidia-ml.so.1","init_code":0,"device_count":1,"gpus":[{"index":0}]}\n'


def ended(stdout: bytes, stderr: bytes = b"", code: int = 0) -> ProcessResult:
    return ProcessResult(exit_code=code, stdout=stdout, stderr=stderr)


def test_a_whole_answer_is_read_as_it_is() -> None:
    """Nothing is added to an answer that came to its end, and what it left open stays not asked."""
    nvml = read_answer(ended(GOOD), Nvml)
    assert nvml == Nvml(library="/lib/libnvidia-ml.so.1", init_code=0, device_count=1, gpus=[Gpu(index=0)])
    assert nvml.pairs == NOT_ASKED


def test_the_last_complete_line_counts() -> None:
    """The answer is written at every stage; one that was being written when the child died is no answer."""
    first, second = b'{"kind":"cuda","init_code":0}\n', b'{"kind":"cuda","init_code":0,"device_count":2}\n'
    assert read_answer(ended(first + second), Cuda) == Cuda(init_code=0, device_count=2)
    assert read_answer(ended(first + second + b'{"kind":"cuda","init_co'), Cuda) == Cuda(init_code=0, device_count=2)
    assert last_line(b"") is None
    assert last_line(b"no end") is None
    assert last_line(b"a\n\n  \n") == b"a"


FAILURES = {
    "silence": (ended(b""), "garbled", "the probe ended without an answer"),
    "a start that failed": (ProcessResult(start_error="python: No such file or directory"), "missing", "No such file"),
    "a start that was refused": (ProcessResult(start_error="python: x", start_refused=True), "refused", "python: x"),
    "death by signal": (ProcessResult(signal=11, stderr=b"a\nlast words\n"), "crashed", "SIGSEGV): last words"),
    "a hang": (ProcessResult(timed_out=True, deadline=5.0, signal=15), "timeout", "no answer in 5 s"),
    "a flood": (ProcessResult(truncated=True, signal=15), "garbled", "stopped after"),
    "an error of Python": (
        ended(b"", b"Traceback ...\nImportError: x\n", 1),
        "crashed",
        "exit status 1: ImportError: x",
    ),
    "garbage": (ended(b"\x80\xff\n"), "garbled", "not JSON"),
    "text": (ended(b"Segmentation fault\n"), "garbled", "not JSON"),
    "a list": (ended(b"[1, 2]\n"), "garbled", "a list, not a set of facts"),
    "a number": (ended(b"42\n"), "garbled", "a int, not a set of facts"),
    "another section": (ended(b'{"kind":"cuda","gpus":3}\n'), "garbled", "not the shape expected"),
    "a refusal of the probe": (
        ended(b'{"kind":"unread","why":"unsupported","detail":"too old"}\n'),
        "unsupported",
        "too old",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_every_way_to_fail_is_told_apart(name: str) -> None:
    """Death by signal, silence, garbage and a wrong shape are each a different Unread."""
    result, why, words = FAILURES[name]
    answer = read_answer(result, Nvml)
    told = answer if isinstance(answer, Unread) else answer.gpus
    assert isinstance(told, Unread)
    assert told.why == why
    assert words in told.detail


@pytest.mark.parametrize(
    ("result", "why"),
    [
        (ProcessResult(stdout=GOOD, timed_out=True, deadline=5.0, signal=9), "timeout"),
        (ProcessResult(stdout=GOOD, signal=11), "crashed"),
        (ProcessResult(stdout=GOOD, exit_code=1), "crashed"),
        (ProcessResult(stdout=GOOD, truncated=True, signal=15), "garbled"),
    ],
)
def test_what_was_seen_before_the_end_is_kept(result: ProcessResult, why: str) -> None:
    """A hang or crash costs the facts that were still to come, and each of them says so."""
    nvml = read_answer(result, Nvml, keep=("process_state",))
    assert isinstance(nvml, Nvml)
    assert nvml.library == "/lib/libnvidia-ml.so.1"
    assert nvml.gpus == [Gpu(index=0)]
    assert isinstance(nvml.pairs, Unread)
    assert nvml.pairs.why == why
    assert nvml.process_state == NOT_ASKED


def test_a_fact_of_the_wrong_shape_costs_itself_alone() -> None:
    """One wrong value in an answer of a hundred is one Unread."""
    line = b'{"kind":"nvml","init_code":"zero","driver_version":"580.105.08","gpus":[{"index":0,"uuid":7}]}\n'
    nvml = read_answer(ended(line), Nvml)
    assert isinstance(nvml, Nvml)
    assert nvml.driver_version == "580.105.08"
    for fact in (nvml.init_code, nvml.gpus):
        assert isinstance(fact, Unread)
        assert fact.why == "garbled"
    assert "Expected" in str(nvml.init_code)


def test_a_record_without_what_makes_it_one_is_no_record() -> None:
    """An interpreter without an executable cannot be told from another."""
    answer = read_answer(ended(b'{"version":"3.11.7"}\n'), Interpreter)
    assert isinstance(answer, Unread)
    assert answer.why == "garbled"


FIELDS = ["kind", "why", "detail", "ordinal", *Cuda.__struct_fields__]
LEAVES = st.none() | st.booleans() | st.integers(-9, 99) | st.sampled_from(["cuda", "unread", "timeout", "x", ""])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5),
    max_leaves=12,
)


@given(plain=JSON)
def test_no_answer_gets_past_the_types(plain: object) -> None:
    """Whatever JSON a probe writes, what comes out is a valid section or an Unread: it survives a round trip."""
    answer = read_answer(ended(msgspec.json.encode(plain) + b"\n"), Cuda)
    assert isinstance(answer, Section | Unread)
    assert msgspec.json.decode(msgspec.json.encode(answer), type=Cuda | Unread) == answer


@given(noise=st.binary(max_size=200))
def test_no_noise_raises(noise: bytes) -> None:
    """Bytes of any kind are read as something."""
    assert isinstance(read_answer(ended(noise), Cuda), Cuda | Unread)


ANSWERS_AT_ONCE = """
import sys, threading
sys.setswitchinterval(1e-6)
from envcheck.collect.answers import decode_answer
from envcheck.facts import Cuda, Devices, Interpreter, Nvml, TorchRuntime
kinds = [Interpreter, Nvml, Interpreter, Cuda, Interpreter, Devices, Interpreter, TorchRuntime]
gate = threading.Barrier(len(kinds))
def work(kind):
    gate.wait()
    decode_answer(b'{"executable": "/x", "found_by": [], "torch": {"kind": "unread", "why": "missing"}}', kind)
threads = [threading.Thread(target=work, args=(kind,)) for kind in kinds]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_children_that_answer_at_once_do_not_crash_the_parent() -> None:
    """A type that several threads meet for the first time is worked out by one of them (else SIGSEGV)."""
    for _ in range(10):
        done = subprocess.run([sys.executable, "-c", ANSWERS_AT_ONCE], capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr[-400:]
