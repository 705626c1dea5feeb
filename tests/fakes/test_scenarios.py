"""Ready machines are what their names say, as NVML and CUDA show them, and scenarios refuse slips of the pen."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from . import scenarios
from .child import ask
from .machine import Deployed
from .scenario import Scenario
from .smi_xml import smi_xml

Deploy = Callable[[Scenario], Deployed]

# Name of the function: (nvmlInit, GPUs counted, name of the first, driver, cuInit, devices of CUDA).
H100, A100, V100 = "NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB", "Tesla V100-SXM2-16GB"
PASCAL, BLACKWELL = "NVIDIA GeForce GTX 1080 Ti", "NVIDIA GeForce RTX 5090"
LATEST = "580.105.08"
READY = {
    "healthy_h100": (0, 2, H100, LATEST, 0, 2),
    "hgx_h100": (0, 8, H100, LATEST, 0, 8),
    "v100": (0, 1, V100, LATEST, 0, 1),
    "t4": (0, 1, "Tesla T4", LATEST, 0, 1),
    "rtx_5090": (0, 1, BLACKWELL, LATEST, 0, 1),
    "gtx_1080_ti": (0, 1, PASCAL, LATEST, 0, 1),
    "unlike_pair": (0, 2, PASCAL, LATEST, 0, 2),
    "jetson": (0, 1, "Orin (nvgpu)", "540.4.0", 0, 1),
    "mig": (0, 1, A100, LATEST, 0, 1),
    "mig_without_instances": (0, 1, A100, LATEST, 100, None),
    "driver_too_old": (0, 2, H100, "535.183.01", 0, 2),
    "old_driver": (0, 2, V100, "470.256.02", 0, 2),
    "version_mismatch": (18, None, None, None, 803, None),
    "driver_not_loaded": (9, None, None, None, 100, None),
    "no_permission": (4, None, None, None, 100, None),
    "gpu_lost": (0, 2, H100, LATEST, 0, 1),
    "stub_libcuda": (0, 2, H100, LATEST, 34, None),
    "fabric_not_started": (0, 2, H100, LATEST, 802, None),
}

SUMMARY = """
init = code(nvmlInit)
answer = [init, None, None, None]
if not init:
    first = nvmlDeviceGetHandleByIndex(0)
    answer = [init, nvmlDeviceGetCount(), nvmlDeviceGetName(first), nvmlSystemGetDriverVersion()]
cuda, number = ctypes.CDLL("libcuda.so.1"), ctypes.c_int()
answer.append(cuda.cuInit(0))
answer.append(number.value if cuda.cuDeviceGetCount(ctypes.byref(number)) == 0 else None)
"""


@pytest.mark.parametrize("name", READY)
def test_ready_machines_are_what_they_are_called(deploy: Deploy, name: str) -> None:
    """What a probe would find first on each of them."""
    assert tuple(ask(deploy(getattr(scenarios, name)()), SUMMARY)) == READY[name]


def test_a_geforce_does_not_support_a_third_of_the_calls(deploy: Deploy) -> None:
    """No ECC, no row remapping, no NVLink, no fabric, no MIG, no boost clock; that is its health, not its fault."""
    body = """
nvmlInit()
h = nvmlDeviceGetHandleByIndex(0)
answer = [code(call, h, *more) for call, *more in (
    [nvmlDeviceGetEccMode], [nvmlDeviceGetTotalEccErrors, 1, 0], [nvmlDeviceGetRemappedRows],
    [nvmlDeviceGetNvLinkState, 0], [nvmlDeviceGetMigMode], [nvmlDeviceGetMaxCustomerBoostClock, 1],
    [nvmlDeviceGetSerial], [nvmlDeviceGetMarginTemperature], [nvmlDeviceGetTemperatureThreshold, 1])]
fabric = c_nvmlGpuFabricInfo_v2_t()
answer.append(code(nvmlDeviceGetGpuFabricInfoV, h, ctypes.byref(fabric)))
"""
    assert ask(deploy(scenarios.gtx_1080_ti()), body) == [3, 3, 3, 3, 3, 3, 3, 3, 0, 3]
    assert ask(deploy(scenarios.rtx_5090()), body) == [3, 3, 3, 3, 3, 3, 3, 0, 3, 3]


def test_uuids_differ_and_stay_the_same() -> None:
    """Identifiers are unlike within a machine and alike between runs."""
    machine = scenarios.hgx_h100()
    uuids = [machine.get(f"gpu.{index}.uuid") for index in range(8)]
    assert len(set(uuids)) == 8
    assert uuids[0] == scenarios.hgx_h100().get("gpu.0.uuid") == "GPU-588c1167-8055-0783-bab6-e9ad8f6348d6"


@pytest.mark.parametrize(
    "key",
    [
        "gpu.0.temprature_c",
        "gpu.0.nvmlDeviceGetTemprature.return",
        "gpu.0.nvmlDeviceGetTemperature.retrun",
        "nvml.cuda.return",
        "nvml.nvmlDeviceGetName.max_versions",
        "gpus.0",
        "mig.0.uuid",
        "",
    ],
)
def test_a_slip_of_the_pen_is_an_error(key: str) -> None:
    """A key that no call looks at would make a test that tests nothing."""
    with pytest.raises(ValueError, match="knows no key"):
        Scenario().but({key: 1})


def test_changes_leave_the_original_alone() -> None:
    """A scenario is a value: set, take away, remove whole branches, add faults."""
    first = Scenario().but({"gpus": 1, "gpu.0.persistence": True})
    second = first.gpu(0, {"fabric.state": 2}, temperature_c=95).fault("cuInit", code=802).but({"gpus": None})
    assert first.text() == "gpu.0.persistence = 1\ngpus = 1\n"
    assert second.text() == (
        "cuda.cuInit.return = 802\ngpu.0.fabric.state = 2\ngpu.0.persistence = 1\ngpu.0.temperature_c = 95\n"
    )
    assert second.without("gpu.0").text() == "cuda.cuInit.return = 802\n"
    assert (second.gpus, second.number("gpu.0.temperature_c"), second.first("gpu.0.name")) == (0, 95, None)


def test_first_reads_past_growth_and_series() -> None:
    """What a changing value answers first; a name keeps its signs."""
    scenario = Scenario().but(
        {"gpu.0.energy_mj": "5 +3/call", "gpu.0.pcie_generation": "1 | 5", "gpu.0.name": "A + B | C"}
    )
    assert [scenario.first(f"gpu.0.{key}") for key in ("energy_mj", "pcie_generation", "name")] == [
        "5",
        "1",
        "A + B | C",
    ]


@pytest.mark.parametrize("name", [name for name, expected in READY.items() if expected[0] == 0])
def test_the_xml_report_agrees_with_the_scenario(name: str) -> None:
    """nvidia-smi's XML of a machine says what NVML says there, and N/A where NVML does not support it."""
    scenario = getattr(scenarios, name)()
    root = ElementTree.fromstring(smi_xml(scenario))
    gpus = root.findall("gpu")
    assert root.findtext("driver_version") == scenario.get("driver_version")
    assert root.findtext("attached_gpus") == str(len(gpus)) == scenario.get("gpus")
    for index, gpu in enumerate(gpus):
        at = f"gpu.{index}."
        total = scenario.first(at + "memory_total_bytes")
        power = scenario.first(at + "power_limit_enforced_mw")
        assert gpu.findtext("product_name") == scenario.get(at + "name")
        assert gpu.findtext("fb_memory_usage/total") == (f"{int(total) >> 20} MiB" if total else "N/A")
        assert gpu.findtext("gpu_power_readings/current_power_limit") == (
            f"{int(power) / 1000:.2f} W" if power else "N/A"
        )
        assert gpu.findtext("pci/pci_bus_id") == (
            f"0000{scenario.get(at + 'bus_id').upper()}" if scenario.get(at + "bus_id") else "N/A"
        )
        ecc = {"1": "Enabled", "0": "Disabled", None: "N/A"}[scenario.first(at + "ecc")]
        assert gpu.findtext("ecc_mode/current_ecc") == gpu.findtext("ecc_mode/pending_ecc") == ecc
        migs = [key for key in scenario.values if key.startswith(at + "mig.") and key.endswith(".uuid")]
        assert len(gpu.findall("mig_devices/mig_device")) == len(migs)
        assert all(leaf.text for leaf in gpu.iter() if not len(leaf))
