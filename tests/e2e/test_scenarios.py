"""Whole runs of ``envcheck doctor`` on pretended machines: the right first root cause, no other error."""

from __future__ import annotations

import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Doctor
from tests.fakes import (
    Machine,
    Scenario,
    cu_init,
    driver_too_old,
    fabric_not_started,
    gpu_lost,
    healthy_h100,
    mig_without_instances,
    nvml_hang,
    rtx_5090,
    smi_xml,
    stub_libcuda,
    v100,
    version_mismatch,
)
from tests.fakes.programs import answering
from tests.probe.packages import install, torch_files

CU130 = b"sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"
CU126 = b"sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90"


@pytest.fixture
def python(tmp_path: Path) -> Callable[..., str]:
    """``python(version, cuda, archs)``: a venv with a torch of that build, as far as files tell."""

    def make(version: str = "2.14.1+cu130", cuda: str | None = "13.0", archs: bytes = CU130) -> str:
        folder = tmp_path / "study"
        venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
        site = next(folder.glob("lib/python*/site-packages"))
        install(site, "torch", version.split("+")[0], torch_files(version, cuda=cuda, archs=archs))
        return str(folder / "bin" / "python")

    return make


def with_smi(scenario: Scenario) -> Machine:
    return Machine(scenario).program("nvidia-smi", answering({"-q -x": smi_xml(scenario)}))


def test_healthy(doctor: Doctor, python: Callable[..., str]) -> None:
    """Two H100: a clean page, exit code 0, both cards read."""
    run = doctor(with_smi(healthy_h100(2)), "--quick", "--python", python())
    report = run.report
    assert (run.exit_code, report["verdict"]) == (0, "fit"), report["cannot_tell"]
    assert report["root_causes"] == []
    assert report["warnings"] == []
    gpus = report["snapshot"]["nvml"]["gpus"]
    assert [gpu["name"] for gpu in gpus] == ["NVIDIA H100 80GB HBM3"] * 2
    rungs = {step["rung"]: step["outcome"] for step in report["ladder"]}
    assert {rungs[r] for r in ("hardware", "kernel_module", "device_nodes", "nvml", "cuda_driver", "torch_build")} == {
        "ok"
    }


CASES: dict[str, tuple[Callable[[], Machine], str, dict[str, str]]] = {
    "driver too old for the build": (lambda: with_smi(driver_too_old()), "driver-too-old-for-torch", {}),
    "library and module of two versions": (
        lambda: Machine(version_mismatch()),
        "driver-library-version-mismatch",
        {},
    ),
    "one of two cards lost": (lambda: Machine(gpu_lost(1, count=2)), "gpu-fallen-off-bus", {}),
    "cuInit 802": (lambda: with_smi(fabric_not_started()), "fabric-manager-not-running", {}),
    "cuInit 803": (lambda: with_smi(cu_init(803)), "cuda-driver-combination-mismatch", {}),
    "cuInit 804": (lambda: with_smi(cu_init(804)), "forward-compat-unsupported-hw", {}),
    "cuInit 999": (lambda: with_smi(cu_init(999)), "cuda-init-unknown-error", {}),
    "cuInit 999 without the UVM node": (
        lambda: with_smi(cu_init(999)).without("dev/nvidia-uvm"),
        "uvm-node-missing",
        {},
    ),
    "stub of libcuda": (lambda: with_smi(stub_libcuda()), "stub-libcuda-loaded", {}),
    "hidden by the mask": (lambda: with_smi(healthy_h100(2)), "cvd-empty", {"CUDA_VISIBLE_DEVICES": "-1"}),
    "MIG without instances": (lambda: with_smi(mig_without_instances()), "mig-enabled-no-instances", {}),
}


@pytest.mark.parametrize("case", CASES)
def test_broken(case: str, doctor: Doctor, python: Callable[..., str]) -> None:
    """Each fault is injected below envcheck, in the library or the file tree, and named from above."""
    machine, rule, variables = CASES[case]
    run = doctor(machine(), "--quick", "--python", python(), **variables)
    report = run.report
    errors = [cause["rule"] for cause in report["root_causes"] if cause["severity"] == "error"]
    assert errors == [rule], (errors, report["cannot_tell"])
    assert (run.exit_code, report["verdict"]) == (1, "unfit")
    assert report["root_causes"][0]["fix"]["steps"]


@pytest.mark.parametrize(
    ("scenario", "version", "cuda", "archs", "rule"),
    [
        (rtx_5090, "2.7.1+cu126", "12.6", CU126, "gpu-newer-than-torch-archs"),
        (v100, "2.14.1+cu130", "13.0", CU130, "gpu-older-than-torch-archs"),
        (rtx_5090, "2.14.1+cpu", None, b"", "torch-cpu-only-build"),
    ],
)
def test_build_and_card(
    scenario: Callable[[], Scenario],
    version: str,
    cuda: str | None,
    archs: bytes,
    rule: str,
    doctor: Doctor,
    python: Callable[..., str],
) -> None:
    """The build's SM list against the card's compute capability, without importing torch."""
    run = doctor(with_smi(scenario()), "--quick", "--python", python(version, cuda, archs))
    assert [cause["rule"] for cause in run.report["root_causes"] if cause["severity"] == "error"] == [rule]
    assert run.exit_code == 1


@pytest.mark.slow
def test_nvml_hangs(doctor: Doctor, python: Callable[..., str]) -> None:
    """An NVML that never answers is named once its patience is over, and what else was seen is kept."""
    run = doctor(Machine(nvml_hang(deaf=True)), "--quick", "--python", python())
    report = run.report
    assert [cause["rule"] for cause in report["root_causes"] if cause["severity"] == "error"] == ["nvml-hang"]
    assert report["snapshot"]["nvml"]["init_code"]["why"] == "timeout"
    assert len(report["snapshot"]["devices"]["pci"]) >= 1
    assert run.exit_code == 1


def test_nvml_hangs_within_the_users_deadline(doctor: Doctor, python: Callable[..., str]) -> None:
    """A short deadline is kept, and four seconds of silence are told as what they are: no verdict on the card."""
    run = doctor(Machine(nvml_hang(deaf=True)), "--quick", "--deadline", "4", "--python", python())
    report = run.report
    assert report["root_causes"] == []
    assert report["verdict"] == "undetermined"
    assert any(item["rule"] == "nvml-hang" for item in report["cannot_tell"])
    assert run.seconds < 4 + 2 + 1  # one second for the interpreter's own start on a busy machine
