"""What NVML says of a machine arrives as facts: right for a healthy card, honest for everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.facts import CLOCK_REASONS, Unread
from envcheck.probe import nvml_words
from tests.fakes import scenarios
from tests.fakes.scenario import Scenario
from tests.probe.conftest import Nvml, unread_facts


def test_a_healthy_server(nvml: Nvml) -> None:
    """Every fact of an H100 is the scenario's, in the unit that the field names."""
    told = nvml(scenarios.healthy_h100(2))
    facts = told.facts
    assert (told.code, told.stderr) == (0, "")
    assert (facts.init_code, facts.init_error) == (0, None)
    assert Path(facts.library).name == "libnvidia-ml.so.580.105.08"
    assert (facts.driver_version, facts.nvml_version, facts.driver_branch) == ("580.105.08", "13.580.105.08", "r580_00")
    assert (facts.cuda_version, facts.cuda_version_kernel, facts.confidential_compute) == (13000, 13000, False)
    assert facts.device_count == 2
    gpu = facts.gpus[0]
    expected = {
        "error_code": None,
        "name": "NVIDIA H100 80GB HBM3",
        "bus_id": "0000:1b:00.0",
        "pci_device_id": 0x2330,
        "brand": "NVIDIA",
        "architecture": "Hopper",
        "compute_capability": 90,
        "cores": 16896,
        "bus_width_bits": 5120,
        "virtualization": "none",
        "driver_model": None,
        "license_status": None,
        "memory_reserved_bytes": 480 << 20,
        "compute_mode": "default",
        "addressing_mode": "HMM",
        "clock_sm_max_mhz": 1980,
        "clock_boost_mhz": 1980,
        "clock_reasons": ["idle"],
        "power_w": 68.57,
        "power_limit_w": 700.0,
        "power_limit_min_w": 200.0,
        "pcie_width": 16,
        "ecc_enabled": True,
        "ecc_sram_uncorrected": 0,
        "ecc_sram_threshold_exceeded": False,
        "retired_pages_pending": None,
        "remapped_rows_failed": False,
        "remapped_banks_exhausted": 0,
        "mig_mode": False,
        "mig_devices": [],
        "fabric_state": "completed",
        "fabric_health": [],
        "recovery_action": "none",
        "inforom_valid": True,
        "repair_pending": False,
        "processes": [],
    }
    assert {name: getattr(gpu, name) for name in expected} == expected
    assert len(gpu.nvlinks) == 18
    assert {(link.active, link.version, link.replay_errors) for link in gpu.nvlinks} == {(True, 4, 0)}
    assert unread_facts(gpu) == {}
    # Passive cooling, and thresholds that Hopper gives as a margin instead: all that this board does not have.
    assert (gpu.temperature_slowdown_c, gpu.temperature_shutdown_c) == (None, None)
    assert isinstance(gpu.temperature_margin_c, int)
    assert [(pair.a, pair.b, pair.read_status, pair.path) for pair in facts.pairs] == [(0, 1, "ok", "NV18")]


def test_geforce_has_no_data_centre_facts(nvml: Nvml) -> None:
    """NVML's "not supported" for what the board does not have is a known absence: None, not ignorance."""
    gpu = nvml(scenarios.rtx_5090()).facts.gpus[0]
    for name in ("ecc_enabled", "ecc_aggregate_uncorrected", "retired_pages_pending", "remapped_rows_failed"):
        assert getattr(gpu, name) is None, name
    assert (gpu.mig_mode, gpu.serial, gpu.clock_application_sm_mhz) == (None, None, None)
    assert (gpu.fabric_state, gpu.nvlinks, gpu.mig_devices) == ("not_supported", [], [])


def test_mig(nvml: Nvml) -> None:
    """Instances are listed, and what the cut card does not tell is unread: it may well have it."""
    gpu = nvml(scenarios.mig()).facts.gpus[0]
    assert (gpu.mig_mode, gpu.mig_pending) == (True, True)
    assert [item.profile for item in gpu.mig_devices] == ["3g.40gb", "2g.20gb", "1g.10gb", "1g.10gb"]
    assert gpu.mig_devices[0].uuid.startswith("MIG-")
    assert (gpu.mig_devices[0].gpu_instance, gpu.mig_devices[0].multiprocessors) == (1, 42)
    assert gpu.license_status is None
    assert gpu.remapped_rows_failed == Unread("unsupported", "Not Supported")
    assert nvml(scenarios.mig_without_instances()).facts.gpus[0].mig_devices == []


def test_a_guest_with_a_share_of_a_card(nvml: Nvml) -> None:
    """In a vGPU guest "not supported" may be the hypervisor's doing: unread.  The licence is told."""
    guest = scenarios.t4().gpu(0, {"virtualization": 2, "license.state": 0}).without("gpu.0.ecc")
    gpu = nvml(guest).facts.gpus[0]
    assert (gpu.virtualization, gpu.license_status) == ("vgpu", "Unlicensed")
    assert isinstance(gpu.ecc_enabled, Unread)
    assert nvml(guest.gpu(0, {"license.state": 1})).facts.gpus[0].license_status == "Licensed"


def test_a_soc_has_no_place_on_the_bus(nvml: Nvml) -> None:
    """Jetson's NVML supports next to nothing, and that is no fault of it."""
    gpu = nvml(scenarios.jetson()).facts.gpus[0]
    assert (gpu.error_code, gpu.bus_id, gpu.pci_device_id) == (None, None, None)
    assert gpu.name.startswith("Orin")
    assert set(unread_facts(gpu).values()) == {"unsupported"}


def test_an_old_driver_lacks_functions_and_not_their_facts(nvml: Nvml) -> None:
    """Newer forms of a call are missing on 470: the older ones give the fact, and what has none is unread."""
    scenario = scenarios.old_driver()
    facts = nvml(scenario).facts
    gpu = facts.gpus[0]
    assert gpu.clock_reasons == ["idle"]
    assert isinstance(gpu.temperature_c, int)
    assert gpu.memory_total_bytes == int(scenario.values["gpu.0.memory_total_bytes"])
    assert isinstance(gpu.memory_reserved_bytes, Unread)  # the older call counts it as used
    assert gpu.bus_id == "0000:1b:00.0"
    assert gpu.cores == Unread("unsupported", "function not found")
    assert facts.driver_branch == Unread("unsupported", "function not found")


@pytest.mark.parametrize(
    "symbols",
    [
        ["nvmlInitWithFlags"],
        ["nvmlDeviceGetPciInfo_v3"],
        ["nvmlDeviceGetTemperatureV"],
        ["nvmlDeviceGetCurrentClocksEventReasons"],
        ["nvmlDeviceGetMemoryInfo_v2"],
        ["nvmlDeviceGetGpuFabricInfoV"],
        [f"nvmlDeviceGet{kind}RunningProcesses_v3" for kind in ("Compute", "Graphics", "MPSCompute")],
    ],
    ids=lambda symbols: symbols[0],
)
def test_each_older_form_gives_the_same_facts(nvml: Nvml, symbols: list[str]) -> None:
    """Hiding one newer symbol changes nothing but what the older form cannot tell."""
    scenario = busy(scenarios.healthy_h100(1))
    older = Scenario(scenario.values, scenario.hidden | frozenset(symbols), scenario.libraries)
    new, old = nvml(scenario).facts, nvml(older).facts
    assert old.init_code == 0
    different = {
        name for name in new.gpus[0].__struct_fields__ if getattr(new.gpus[0], name) != getattr(old.gpus[0], name)
    }
    cannot = {"nvmlDeviceGetMemoryInfo_v2": {"memory_reserved_bytes", "memory_used_bytes"}}
    cannot["nvmlDeviceGetGpuFabricInfoV"] = {"fabric_health"}
    assert different - {"energy_j"} == cannot.get(symbols[0], set())


def busy(scenario: Scenario) -> Scenario:
    """The first GPU with a compute and a graphics process."""
    return scenario.gpu(
        0,
        {
            "process.0.pid": 1,
            "process.0.memory_bytes": 3 << 30,
            "process.0.name": "/usr/bin/python3",
            "process.1.pid": 4000000,
            "process.1.kind": "graphics",
        },
    )


def test_processes(nvml: Nvml) -> None:
    """Kind and memory are NVML's; memory that it does not give is unread."""
    compute, graphics = nvml(busy(scenarios.healthy_h100(1))).facts.gpus[0].processes
    assert (compute.pid, compute.kind, compute.memory_bytes) == (1, "compute", 3 << 30)
    assert (graphics.pid, graphics.kind) == (4000000, "graphics")
    assert isinstance(graphics.memory_bytes, Unread)
    if isinstance(compute.own, Unread):  # in a PID namespace of its own the pids mean nothing here
        assert compute.own == compute.name
        assert compute.own.why == "unsupported"
    else:
        assert compute.name == "/usr/bin/python3"


def test_a_corrupted_inforom(nvml: Nvml) -> None:
    """Code 14 of the check is its answer, not a failure to answer."""
    assert nvml(scenarios.healthy_h100(1).gpu(0, inforom_valid=0)).facts.gpus[0].inforom_valid is False


def test_the_fabrics_health(nvml: Nvml) -> None:
    """The mask's fields are decoded: degraded bandwidth, and a configuration without a partition."""
    scenario = scenarios.healthy_h100(1).gpu(0, {"fabric.state": 2, "fabric.health_mask": 0b0100_10_10_10_01})
    gpu = nvml(scenario).facts.gpus[0]
    assert (gpu.fabric_state, gpu.fabric_health) == ("in_progress", ["degraded_bandwidth", "no_partition"])


def test_numbers_that_the_tables_lack(nvml: Nvml) -> None:
    """A newer NVML may answer with a number that has no name yet: unread, never a guess."""
    scenario = scenarios.healthy_h100(1).gpu(0, {"architecture": 77, "field.230": 99, "clock_reasons": 0x8001})
    gpu = nvml(scenario).facts.gpus[0]
    assert gpu.architecture == Unread("newer_than_table", "architecture 77")
    assert gpu.recovery_action == Unread("newer_than_table", "recovery action 99")
    assert gpu.clock_reasons == ["idle", "0x8000"]


def test_libcuda_missing_beside_nvml(nvml: Nvml) -> None:
    """NVML asks libcuda for the first of the two versions; the driver's own number stays."""
    facts = nvml(scenarios.without_libcuda()).facts
    assert facts.cuda_version == Unread("missing", "NVML could not load libcuda")
    assert facts.cuda_version_kernel == 13000


def test_pairs_without_nvlink(nvml: Nvml) -> None:
    """Two cards joined by the host are told by their common ancestor."""
    (pair,) = nvml(scenarios.unlike_pair()).facts.pairs
    assert (pair.a, pair.b) == (0, 1)
    assert pair.path in ("PIX", "PXB", "PHB", "NODE", "SYS")


def test_the_words_are_those_of_the_facts() -> None:
    """The probe cannot import the facts' table of clock reasons, so its own must be the same."""
    assert nvml_words.CLOCK_REASONS == CLOCK_REASONS
