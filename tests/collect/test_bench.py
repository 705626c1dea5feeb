"""What a benchmark's child left behind when it did not come to its end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from envcheck.collect.bench import _read
from envcheck.collect.process import ProcessResult
from envcheck.facts import NumericCheck, Timing, Unread
from envcheck.probe.bench.clock import Member
from envcheck.probe.bench.lab import pending

HELD = {"error": 1e-7, "limit": 1e-5, "wrong": None, "unavailable": None}


def answer(**how: Any) -> ProcessResult:
    """A child that had one check right, one begun, and one timing waiting for its turn."""
    facts = {
        "kind": "bench_device",
        "device": "cpu",
        "trouble": None,
        "checks": [{**pending("gradient", "dy/dx"), **HELD}, pending("softmax", "e^z / sum")],
        "timings": [Member("copy", None, [16]).record],
    }
    return ProcessResult(stdout=json.dumps(facts).encode() + b"\n", **how)


@pytest.mark.parametrize(
    ("how", "why", "words"),
    [
        ({"timed_out": True, "deadline": 45.0}, "timeout", "no answer in 45 s"),
        ({"signal": 11}, "crashed", "killed by signal 11 (SIGSEGV)"),
        ({"exit_code": 3, "stderr": b"CUDA driver is shutting down\n"}, "crashed", "CUDA driver is shutting down"),
        ({"exit_code": 0}, "crashed", "the benchmark did not get so far"),
    ],
    ids=["hung", "died", "left", "ended"],
)
def test_what_was_begun_says_what_became_of_the_child(how: dict[str, Any], why: str, words: str) -> None:
    """A check in which the child hung is no check in which it died; what was shown before stays."""
    device = _read(answer(**how), "cpu")
    assert isinstance(device.checks, list)
    assert isinstance(device.timings, list)
    held, begun = device.checks
    assert isinstance(held, NumericCheck)
    assert (held.wrong, held.unavailable, held.error) == (None, None, 1e-7)
    (timing,) = device.timings
    assert isinstance(timing, Timing)
    for fact in (begun.wrong, begun.unavailable, timing.samples_s, timing.unavailable):
        assert isinstance(fact, Unread)
        assert fact.why == why
        assert words in fact.detail
