"""NVML in trouble: whatever fails, hangs or dies costs its own facts and keeps all others."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pynvml
import pytest

from envcheck.facts import Unread
from tests.fakes import scenarios
from tests.fakes.machine import Deployed
from tests.fakes.scenario import Scenario
from tests.probe.conftest import ALONE, PYNVML, Ask, Nvml, unread_facts


def test_no_library(ask: Ask, tmp_path: Path) -> None:
    """Without libnvidia-ml the answer is code 12 and the loader's own words, and pynvml is not needed for it."""
    told = ask("nvml", f"path={tmp_path}", flags=ALONE, environ={"LD_LIBRARY_PATH": str(tmp_path)})
    if told.facts.library is not None:
        pytest.skip("this machine has a driver")
    assert told.facts.init_code == 12
    assert "libnvidia-ml.so.1" in told.facts.init_error
    assert unread_facts(told.facts)["gpus"] == "missing"


def test_a_damaged_library_is_told_from_a_missing_one(ask: Ask, tmp_path: Path) -> None:
    """The loader's words say that the file is there."""
    (tmp_path / "libnvidia-ml.so.1").write_bytes(b"")
    told = ask("nvml", f"path={PYNVML}", flags=ALONE, environ={"LD_LIBRARY_PATH": str(tmp_path)})
    assert told.facts.init_error == f"{tmp_path}/libnvidia-ml.so.1: file too short"


@pytest.mark.parametrize(
    ("scenario", "code", "text", "why"),
    [
        (scenarios.version_mismatch(), 18, "RM has detected an NVML/RM version mismatch.", "missing"),
        (scenarios.driver_not_loaded(), 9, "Driver Not Loaded", "missing"),
        (scenarios.no_permission(), 4, "Insufficient Permissions", "refused"),
    ],
    ids=["version mismatch", "driver not loaded", "no permission"],
)
def test_an_init_that_fails(nvml: Nvml, scenario: Scenario, code: int, text: str, why: str) -> None:
    """The code and NVML's words are kept; everything behind it is unread for that reason."""
    facts = nvml(scenario).facts
    assert (facts.init_code, facts.init_error) == (code, text)
    for name in ("driver_version", "device_count", "gpus", "pairs"):
        assert getattr(facts, name) == Unread(why, text)
    assert Path(facts.library).name.startswith("libnvidia-ml.so")


@pytest.mark.parametrize("handle_answers", [False, True])
def test_a_lost_gpu_does_not_cost_the_others(nvml: Nvml, handle_answers: bool) -> None:
    """Its code is kept, its neighbours and its place in the list too."""
    lost = scenarios.gpu_lost(0, count=2, handle_answers=handle_answers)
    first, second = nvml(lost).facts.gpus
    assert (first.index, first.error_code, first.error_text) == (0, 15, "GPU is lost")
    assert (second.error_code, second.compute_capability) == (None, 90)


def test_a_gpu_that_is_lost_half_way(nvml: Nvml) -> None:
    """What it said before is kept; what follows was never asked."""
    scenario = scenarios.healthy_h100(2).fault("nvmlDeviceGetPowerUsage", gpu=0, code=16)
    facts = nvml(scenario).facts
    first = facts.gpus[0]
    assert (first.error_code, first.error_text) == (16, "GPU requires restart")
    assert first.name == "NVIDIA H100 80GB HBM3"
    assert first.processes == Unread("not_asked")
    assert facts.pairs == []


@pytest.mark.parametrize(
    ("code", "why"),
    [(3, "unsupported"), (4, "refused"), (6, "missing"), (10, "timeout"), (13, "unsupported"), (999, "garbled")],
)
def test_each_refusal_has_its_reason(nvml: Nvml, code: int, why: str) -> None:
    """One call's error is that fact's alone, with the reason that fits the code."""
    gpu = nvml(scenarios.healthy_h100(1).fault("nvmlDeviceGetPowerUsage", code=code)).facts.gpus[0]
    assert unread_facts(gpu) == {"power_w": why}


def test_a_hang_on_one_gpu_keeps_those_before_it(nvml: Nvml) -> None:
    """What was seen is on disk when the parent loses patience, and the others stand in the list by their index."""
    told = nvml(scenarios.gpu_hang(2, 4), until=lambda plain: "name" in (plain.get("gpus") or [{}, {}])[1])
    assert told.code is None
    assert [isinstance(gpu.name, str) for gpu in told.facts.gpus] == [True, True, False, False]
    assert [gpu.index for gpu in told.facts.gpus] == [0, 1, 2, 3]
    assert unread_facts(told.facts.gpus[3])["error_code"] == "not_asked"


def test_one_gpu_alone_can_be_asked(nvml: Nvml) -> None:
    """With gpu=N the neighbour that hangs is never touched."""
    told = nvml(scenarios.gpu_hang(2, 4), "gpu=3")
    assert told.code == 0
    (gpu,) = told.facts.gpus
    assert (gpu.index, gpu.name) == (3, "NVIDIA H100 80GB HBM3")
    assert told.facts.device_count == 4
    assert told.facts.pairs.why == "not_asked"


@pytest.mark.parametrize(
    ("scenario", "code"), [(scenarios.nvml_hang(), None), (scenarios.nvml_crash(), -11)], ids=["hang", "crash"]
)
def test_the_library_is_known_before_it_is_started(nvml: Nvml, scenario: Scenario, code: int | None) -> None:
    """A hanging or crashing nvmlInit leaves the path of the library that did it."""
    told = nvml(scenario, until=lambda plain: "library" in plain and code is None)
    assert told.code == code
    assert Path(told.facts.library).name == "libnvidia-ml.so.580.105.08"
    assert told.facts.init_code == Unread("not_asked")


def test_an_old_package_named_pynvml_is_passed_over(
    ask: Ask,
    deploy: Callable[[Scenario], Deployed],
    tmp_path: Path,
) -> None:
    """pynvml 11 brings a folder of that name, which an import would prefer to nvidia-ml-py's file."""
    site = tmp_path / "site"
    (site / "pynvml").mkdir(parents=True)
    (site / "pynvml" / "__init__.py").write_text("raise RuntimeError('the old one')\n")
    shutil.copy(pynvml.__file__, site / "pynvml.py")
    environ = deploy(scenarios.t4()).environ
    assert ask("nvml", f"path={site}", flags=ALONE, environ=environ).facts.device_count == 1


def test_without_nvidia_ml_py(ask: Ask, deploy: Callable[[Scenario], Deployed], tmp_path: Path) -> None:
    """A missing binding is told as what it is, not as a missing driver."""
    told = ask("nvml", f"path={tmp_path}", flags=ALONE, environ=deploy(scenarios.t4()).environ)
    assert told.code == 0
    assert told.facts.init_code.why == "crashed"
    assert "pynvml.py" in told.facts.init_code.detail
