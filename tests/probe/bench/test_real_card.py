"""A real NVIDIA card: numbers right, the bench comes to a verdict, graphs are there, and the two clocks agree.

Skipped, with the reason, where ENVCHECK_TEST_TORCH_PYTHON names no torch that sees a CUDA device.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from envcheck.collect.bench import Wish, measure
from envcheck.facts import Bench, BenchDevice, Timing, Watch
from tests.probe.bench.conftest import PATIENCE_S, REPOSITORY

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def cuda_python(torch_python: str) -> str:
    ask = "import torch; print(torch.cuda.is_available() and torch.version.hip is None)"
    said = subprocess.run([torch_python, "-W", "ignore", "-c", ask], capture_output=True, text=True, timeout=PATIENCE_S)
    if said.stdout.strip() != "True":
        pytest.skip("torch sees no NVIDIA card here: nothing of a GPU is checked")
    return torch_python


@pytest.fixture(scope="module")
def bench(cuda_python: str) -> Bench:
    """One quick benchmark, looked at by all tests of this file."""
    return measure(Path(cuda_python), Wish(device="cuda:0", quick=True))


@pytest.fixture
def card(bench: Bench) -> BenchDevice:
    assert isinstance(bench.devices, list)
    (device,) = bench.devices
    assert device.trouble is None, device.trouble
    return device


def timing(card: BenchDevice, workload: str, variant: str = "", size: str = "") -> Timing:
    assert isinstance(card.timings, list)
    return next(t for t in card.timings if (t.workload, t.variant) == (workload, variant) and size in ("", t.size))


def middle(samples: object) -> float:
    assert isinstance(samples, list), samples
    return float(sorted(samples)[len(samples) // 2])


def test_every_number_is_right(card: BenchDevice) -> None:
    """No check is wrong, none died, and none is missing, the graph's step included."""
    assert isinstance(card.checks, list)
    assert {check.id: check.wrong for check in card.checks if check.wrong is not None} == {}
    assert {check.id: check.unavailable for check in card.checks if check.unavailable is not None} == {}
    assert card.product_class == "float32"


def test_the_graph_is_there_and_not_slower(card: BenchDevice) -> None:
    """At the course's size the replay takes less of the host than the eager step."""
    graph, eager = timing(card, "step", "cuda-graph", "course"), timing(card, "step", "eager", "course")
    assert graph.unavailable is None
    assert middle(graph.host_samples_s) < middle(eager.host_samples_s)


def test_the_events_agree_with_the_host(card: BenchDevice) -> None:
    """For work of milliseconds both clocks see the same: the device's time is within the host's, and most of it."""
    product = timing(card, "matmul")
    assert product.clock == "events"
    device, host = middle(product.samples_s), middle(product.host_samples_s)
    assert device <= 1.05 * host
    assert device >= 0.8 * host


def test_the_gauges_were_read_meanwhile(card: BenchDevice) -> None:
    """NVML was asked some ten times a second, also before the card was touched."""
    assert isinstance(card.watch, Watch), card.watch
    assert isinstance(card.watch.at_s, list)
    assert isinstance(card.touched_at_s, float)
    assert len(card.watch.at_s) > 20
    assert min(card.watch.at_s) < card.touched_at_s < max(card.watch.at_s)


def test_the_command_comes_to_a_verdict(cuda_python: str) -> None:
    """``envcheck bench --quick --device cuda:0``: a verdict, an exit code, and the rung numerics ok."""
    call = [sys.executable, "-m", "envcheck", "bench", "--quick", "--device", "cuda:0", "--python", cuda_python]
    done = subprocess.run(
        [*call, "--format", "json"], cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(done.stdout)
    assert report["verdict"] in ("fit", "unfit", "undetermined")
    assert {step["rung"]: step["outcome"] for step in report["ladder"]}["numerics"] == "ok"
    (measured,) = report["bench"]
    assert measured["device"] == "cuda:0"
    assert all(row["median_s"] > 0 for row in measured["rows"])
