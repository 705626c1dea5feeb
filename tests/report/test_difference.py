"""Works there, not here: what decides is found by trying it out, and what only follows is told apart."""

from __future__ import annotations

import json
from typing import Any

import pytest

from envcheck.facts import NOT_ASKED, Driver, Smi, Snapshot, Unread, make
from envcheck.report.alignment import compare, target_of
from envcheck.report.difference import Comparison, difference
from envcheck.report.difference_page import FORMATS, answer, render
from envcheck.report.page import Page
from envcheck.rules import QUESTIONS
from envcheck.testing import CAST, machine

NAMES = ("works.json", "broken.json")


def between(a: Snapshot, b: Snapshot) -> Comparison:
    return difference(a, b, QUESTIONS)


def cast(a: str, b: str) -> Comparison:
    return between(machine(a).snapshot, machine(b).snapshot)


DECIDES = [
    # works, broken, the fact, the rule
    ("rtx4090-desktop", "driver-too-old", "driver", "driver-too-old-for-torch"),
    ("h100-driver-535-cu126", "driver-too-old", "python.torch.cuda", "driver-too-old-for-torch"),
    ("h100", "masked", "environment.variables.CUDA_VISIBLE_DEVICES", "cvd-empty"),
    ("rtx5090", "gpu-newer-than-build", "python.torch.arch_list", "gpu-newer-than-torch-archs"),
    ("rtx4090-desktop", "cpu-build-on-gpu-box", "python.torch.cuda", "torch-cpu-only-build"),
    ("h100", "nodes-missing", "devices.nodes", "device-nodes-missing"),
    ("h100", "uvm-node-missing", "devices.nodes./dev/nvidia-uvm", "uvm-node-missing"),
    ("rtx4090-desktop", "torch-damaged", "python.torch.damaged", "torch-library-damaged"),
    ("rtx4090-desktop", "secure-boot", "host.secure_boot", "secure-boot-unsigned-module"),
]


@pytest.mark.parametrize(("works", "broken", "fact", "rule"), DECIDES)
def test_the_difference_that_decides(works: str, broken: str, fact: str, rule: str) -> None:
    """Given the working side's value, the broken side has its root cause no more; the direction does not matter."""
    for a, b in ((works, broken), (broken, works)):
        found = cast(a, b)
        decided = {d.name: d.rules for d in found.differences if d.weight == "decides"}
        assert rule in decided.get(fact, ())
        assert found.differences[0].weight == "decides"
        assert fact in {d.name for d in found.telling}


def test_what_a_program_said_is_no_cause() -> None:
    """torch's own error and CUDA's code differ because something else does: they are told after it."""
    found = cast("h100", "uvm-node-missing")
    assert [d.name for d in found.telling] == ["devices.nodes./dev/nvidia-uvm"]
    code = next(d for d in found.differences if d.name == "cuda.init_code")
    assert code.result
    assert code.matters


def test_a_machine_and_itself() -> None:
    """No difference, whatever the machine."""
    for name in CAST:
        found = cast(name, name)
        assert found.differences == []
        assert found.moving == found.only_a == found.only_b == 0


def test_healthy_machines_of_another_kind_do_not_differ_in_what_matters() -> None:
    """Another card, another size: rules read it, and none of them minds."""
    found = cast("h100", "rtx4090-desktop")
    assert found.differences
    assert found.mattering == []
    assert answer(found, NAMES) == "works in both: nothing that differs matters to a rule"


def test_readings_and_identities_are_left_out() -> None:
    """Temperature, free memory and UUIDs differ between any two machines."""
    whole = machine("h100").snapshot
    other = machine("h100").but(
        {
            "/nvml/gpus/0/temperature_c": 80,
            "/nvml/gpus/0/uuid": "GPU-77777777-aaaa-bbbb-cccc-000000000000",
            "/host/memory_available_bytes": 1,
        }
    )
    found = between(whole, other.snapshot)
    assert found.differences == []
    assert found.moving == 3


def test_a_reading_that_a_finding_quotes_is_not_left_out() -> None:
    """Memory that is full decides, although memory in use changes by itself."""
    total = machine("h100").snapshot.nvml.gpus[0].memory_total_bytes  # type: ignore[union-attr,index]
    full = machine("h100").but({"/nvml/gpus/0/memory_used_bytes": total, "/nvml/gpus/0/processes": []})
    found = between(machine("h100").snapshot, full.snapshot)
    assert "nvml.gpus.0.memory_used_bytes" in {d.name for d in found.mattering}


def test_what_one_side_never_asked_is_no_difference() -> None:
    """A recording tells little: only what both sides tell is compared."""
    recording = make(source="recorded", smi=Smi(driver_version="535.183.06"), driver=Driver(nvidia_smi="535.183.06"))
    found = between(machine("rtx4090-desktop").snapshot, recording)
    assert {d.name for d in found.differences} == {"driver"}
    assert found.only_a > 30


def test_an_unread_fact_is_a_difference_and_ignorance_of_the_question_is_none() -> None:
    """NVML that did not answer is news; NVML that nobody asked is not."""
    silent = machine("h100").but({"/nvml/init_code": Unread("timeout", "no answer in 30 s")})
    unasked = machine("h100").but({"/nvml/init_code": NOT_ASKED})
    assert [d.name for d in between(machine("h100").snapshot, silent.snapshot).differences] == ["nvml.init_code"]
    assert between(machine("h100").snapshot, unasked.snapshot).differences == []


def test_the_driver_is_one_difference_whoever_tells_it() -> None:
    """NVML here, nvidia-smi there, libraries and modules that carry its version: one line."""
    found = cast("rtx4090-desktop", "driver-too-old")
    assert [d.name for d in found.differences if "535.183.06" in str(d.b)] == ["driver"]


def test_records_are_paired_by_name() -> None:
    """A variable more moves no other variable; a package is compared with its namesake."""
    a = machine("h100").but({"/environment/variables": [{"name": "B", "value": "1"}]}).snapshot
    b = (
        machine("h100")
        .but({"/environment/variables": [{"name": "A", "value": "2"}, {"name": "B", "value": "1"}]})
        .snapshot
    )
    pairs = compare(a, b).pairs
    assert [(pair.name, pair.absent) for pair in pairs] == [("environment.variables.A", "a")]
    assert pairs[0].pointer_b == "/environment/variables/0"


def test_only_the_judged_environments_are_compared() -> None:
    """Where one side has none, its packages are no difference."""
    assert target_of(machine("h100").snapshot) == "/interpreters/0"
    none = machine("h100").but({"/target/interpreter": None}).snapshot
    assert target_of(none) is None
    assert [pair for pair in compare(machine("h100").snapshot, none).pairs if pair.name.startswith("python")] == []


@pytest.mark.parametrize(
    ("a", "b", "words"),
    [
        ("rtx4090-desktop", "driver-too-old", "not in broken.json: driver 580.95.05 → 535.183.06 is the difference"),
        ("driver-too-old", "rtx4090-desktop", "not in works.json: driver 535.183.06 → 580.95.05 is the difference"),
        ("masked", "driver-too-old", "fails in both: "),
        ("h100", "masked", "environment.variables.CUDA_VISIBLE_DEVICES not there → -1 is the difference that matters"),
    ],
)  # fmt: skip
def test_the_answer_in_one_sentence(a: str, b: str, words: str) -> None:
    """Who works, who does not, and why."""
    assert words in answer(cast(a, b), NAMES)


@pytest.mark.parametrize("voice", FORMATS)
@pytest.mark.parametrize(("a", "b"), [("h100", "masked"), ("h100", "rtx4090-desktop"), ("gpu-lost", "nvml-hang")])
def test_every_voice_tells_it(voice: str, a: str, b: str) -> None:
    """The sentence stands in each; a narrow ASCII page holds it too."""
    found = cast(a, b)
    text = render(voice, found, NAMES, Page(width=100))
    assert answer(found, NAMES).split(":")[0].split(" ")[0] in text
    narrow = render(voice, found, NAMES, Page(width=40, unicode=False))
    assert narrow.isascii()
    if voice == "json":
        told: dict[str, Any] = json.loads(text)
        assert told["answer"] == answer(found, NAMES)
        assert [d["fact"] for d in told["differences"]] == [d.name for d in found.differences]
        assert [d["matters"] for d in told["differences"]] == [d.matters for d in found.differences]


def test_everything_is_shown_when_asked_for() -> None:
    """What no rule reads is counted, and listed with --all."""
    found = cast("h100", "rtx4090-desktop")
    other = next(d.name for d in found.differences if d.weight == "other")
    for voice in ("terminal", "markdown"):
        assert other not in render(voice, found, NAMES, Page())
        assert other.replace(".", "") in render(voice, found, NAMES, Page(), everything=True).replace(".", "")


def test_comparing_large_machines_takes_a_moment() -> None:
    """Each difference is tried out at most once, and their number is bounded."""
    import time

    started = time.perf_counter()
    cast("h100-driver-535-cu126", "cu-init-804")
    assert time.perf_counter() - started < 8
