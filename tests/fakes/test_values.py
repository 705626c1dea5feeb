"""Every documented key comes through the real pynvml, unchanged and in its own field."""

from __future__ import annotations

from collections.abc import Callable

from .child import ask_gpu
from .keys import documented_keys
from .machine import Deployed
from .scenario import Scenario, Value

Deploy = Callable[[Scenario], Deployed]

# A call of the binding and the keys whose values it must give, in the order of its fields.  "#..." is that literal.
# Keys are those of GPU 0 ("gpu.0." is left out) unless they begin with "/".
ROWS = """
nvmlDeviceGetName(h) | name
nvmlDeviceGetUUID(h) | uuid
nvmlDeviceGetSerial(h) | serial
nvmlDeviceGetVbiosVersion(h) | vbios
nvmlDeviceGetBoardPartNumber(h) | board_part
nvmlDeviceGetBoardId(h) | board_id
nvmlDeviceGetMultiGpuBoard(h) | multi_gpu_board
nvmlDeviceGetModuleId(h) | module_id
nvmlDeviceGetInforomImageVersion(h) | inforom_image
nvmlDeviceGetBrand(h) | brand
nvmlDeviceGetArchitecture(h) | architecture
[10 * a + b for a, b in [nvmlDeviceGetCudaComputeCapability(h)]] | compute_capability
nvmlDeviceGetMinorNumber(h) | minor
nvmlDeviceGetIndex(h) | #0
nvmlDeviceGetNumGpuCores(h) | cores
nvmlDeviceGetMemoryBusWidth(h) | bus_width_bits
nvmlDeviceGetGspFirmwareVersion(h) | gsp_firmware
nvmlDeviceGetGspFirmwareMode(h) | gsp_enabled gsp_default
nvmlDeviceGetVirtualizationMode(h) | virtualization
nvmlDeviceGetDriverModel(h) | driver_model driver_model_pending
nvmlDeviceGetDriverModel_v2(h) | driver_model driver_model_pending
nvmlDeviceGetAddressingMode(h) | addressing_mode
nvmlDeviceGetPdi(h) | pdi
nvmlDeviceGetNumaNodeId(h) | numa_node
nvmlDeviceGetC2cModeInfoV(h) | c2c_enabled
nvmlDeviceGetDramEncryptionMode(h) | dram_encryption dram_encryption_pending
nvmlDeviceGetMemoryInfo(h, nvmlMemory_v2) | memory_total_bytes memory_reserved_bytes memory_free_bytes memory_used_bytes
nvmlDeviceGetBAR1MemoryInfo(h).bar1Total | bar1_total_bytes
nvmlDeviceGetBAR1MemoryInfo(h).bar1Used | bar1_used_bytes
nvmlDeviceGetUtilizationRates(h) | utilization_percent memory_utilization_percent
nvmlDeviceGetPerformanceState(h) | performance_state
nvmlDeviceGetPowerState(h) | performance_state
nvmlDeviceGetPersistenceMode(h) | persistence
nvmlDeviceGetComputeMode(h) | compute_mode
nvmlDeviceGetDisplayMode(h) | display_mode
nvmlDeviceGetDisplayActive(h) | display_active
[nvmlDeviceGetClockInfo(h, t) for t in range(4)] | clock_graphics_mhz clock_sm_mhz clock_memory_mhz clock_video_mhz
nvmlDeviceGetClock(h, 1, 0) | clock_sm_mhz
[nvmlDeviceGetMaxClockInfo(h, t) for t in (0, 1)] | clock_graphics_max_mhz clock_sm_max_mhz
[nvmlDeviceGetMaxClockInfo(h, t) for t in (2, 3)] | clock_memory_max_mhz clock_video_max_mhz
[nvmlDeviceGetMaxCustomerBoostClock(h, t) for t in (0, 1)] | clock_graphics_boost_mhz clock_sm_boost_mhz
[nvmlDeviceGetMaxCustomerBoostClock(h, t) for t in (2, 3)] | clock_memory_boost_mhz clock_video_boost_mhz
[nvmlDeviceGetApplicationsClock(h, t) for t in (0, 1)] | clock_graphics_application_mhz clock_sm_application_mhz
[nvmlDeviceGetApplicationsClock(h, t) for t in (2, 3)] | clock_memory_application_mhz clock_video_application_mhz
nvmlDeviceGetDefaultApplicationsClock(h, 0) | clock_graphics_default_application_mhz
nvmlDeviceGetDefaultApplicationsClock(h, 1) | clock_sm_default_application_mhz
nvmlDeviceGetDefaultApplicationsClock(h, 2) | clock_memory_default_application_mhz
nvmlDeviceGetDefaultApplicationsClock(h, 3) | clock_video_default_application_mhz
nvmlDeviceGetCurrentClocksEventReasons(h) | clock_reasons
nvmlDeviceGetCurrentClocksThrottleReasons(h) | clock_reasons
nvmlDeviceGetSupportedClocksEventReasons(h) | clock_reasons_supported
nvmlDeviceGetSupportedClocksThrottleReasons(h) | clock_reasons_supported
nvmlDeviceGetViolationStatus(h, 1) | violation.1.reference_us violation.1.time_ns
nvmlDeviceGetCurrPcieLinkGeneration(h) | pcie_generation
nvmlDeviceGetMaxPcieLinkGeneration(h) | pcie_generation_max
nvmlDeviceGetGpuMaxPcieLinkGeneration(h) | pcie_generation_card_max
nvmlDeviceGetCurrPcieLinkWidth(h) | pcie_width
nvmlDeviceGetMaxPcieLinkWidth(h) | pcie_width_max
nvmlDeviceGetPcieReplayCounter(h) | pcie_replays
nvmlDeviceGetPcieLinkMaxSpeed(h) | pcie_link_max_speed
nvmlDeviceGetPcieSpeed(h) | pcie_speed_mbps
[nvmlDeviceGetPcieThroughput(h, counter) for counter in (0, 1)] | pcie_tx_kbps pcie_rx_kbps
nvmlDeviceGetPowerUsage(h) | power_mw
nvmlDeviceGetPowerManagementLimit(h) | power_limit_mw
nvmlDeviceGetEnforcedPowerLimit(h) | power_limit_enforced_mw
nvmlDeviceGetPowerManagementDefaultLimit(h) | power_limit_default_mw
nvmlDeviceGetPowerManagementLimitConstraints(h) | power_limit_min_mw power_limit_max_mw
nvmlDeviceGetTotalEnergyConsumption(h) | energy_mj
nvmlDeviceGetTemperature(h, 0) | temperature_c
nvmlDeviceGetTemperatureV(h, 0) | temperature_c
[nvmlDeviceGetTemperatureThreshold(h, t) for t in (0, 1)] | temperature_shutdown_c temperature_slowdown_c
[nvmlDeviceGetTemperatureThreshold(h, t) for t in (2, 3)] | temperature_memory_max_c temperature_gpu_max_c
nvmlDeviceGetMarginTemperature(h) | temperature_margin_c
nvmlDeviceGetNumFans(h) | fans
nvmlDeviceGetFanSpeed_v2(h, 1) | fan.1.percent
nvmlDeviceGetEccMode(h) | ecc ecc_pending
[nvmlDeviceGetTotalEccErrors(h, e, 0) for e in (0, 1)] | ecc_volatile_corrected ecc_volatile_uncorrected
[nvmlDeviceGetTotalEccErrors(h, e, 1) for e in (0, 1)] | ecc_aggregate_corrected ecc_aggregate_uncorrected
[nvmlDeviceGetMemoryErrorCounter(h, e, 0, 2) for e in (0, 1)] | ecc_volatile_corrected.2 ecc_volatile_uncorrected.2
[nvmlDeviceGetMemoryErrorCounter(h, e, 1, 2) for e in (0, 1)] | ecc_aggregate_corrected.2 ecc_aggregate_uncorrected.2
plain(nvmlDeviceGetDetailedEccErrors(h, 0, 0))[:2] | ecc_volatile_corrected.0 ecc_volatile_corrected.1
plain(nvmlDeviceGetDetailedEccErrors(h, 0, 0))[2:] | ecc_volatile_corrected.2 ecc_volatile_corrected.3
nvmlDeviceGetRetiredPagesPendingStatus(h) | retired_pages_pending
nvmlDeviceGetRepairStatus(h) | repair_channel_pending repair_tpc_pending
nvmlDeviceGetSupportedEventTypes(h) | event_types
nvmlGpmQueryDeviceSupport(h) | gpm_supported
nvmlDeviceGetMigMode(h) | mig_mode mig_pending
nvmlDeviceGetMaxMigDeviceCount(h) | mig_max_devices
nvmlDeviceGetGpuInstanceId(h) | gpu_instance
nvmlDeviceGetComputeInstanceId(h) | compute_instance
nvmlDeviceGetNvLinkState(h, 3) | nvlink.3.active
nvmlDeviceGetNvLinkVersion(h, 3) | nvlink.3.version
nvmlDeviceGetNvLinkErrorCounter(h, 3, 1) | nvlink.3.errors.1
nvmlDeviceGetNvLinkCapability(h, 3, 2) | nvlink.3.capability.2
nvmlDeviceGetNvLinkRemoteDeviceType(h, 3) | nvlink.3.remote_type
nvmlSystemGetDriverVersion() | /driver_version
nvmlSystemGetDriverBranch() | /driver_branch
nvmlSystemGetNVMLVersion() | /nvml_version
nvmlSystemGetCudaDriverVersion() | /cuda_version_kernel
nvmlSystemGetCudaDriverVersion_v2() | /cuda_version
nvmlSystemGetConfComputeCapabilities() | /confidential.cpu_caps /confidential.gpus_caps
nvmlSystemGetConfComputeState() | /confidential.environment /confidential.feature /confidential.dev_tools
system_settings() | /confidential.environment /confidential.feature /confidential.dev_tools /confidential.multi_gpu
ready_state() | /confidential.gpus_ready
nvmlDeviceGetCount() | /gpus
nvmlDeviceGetTopologyCommonAncestor(h, nvmlDeviceGetHandleByIndex(1)) | /pair.0.1.topology
nvmlDeviceGetTopologyCommonAncestor(nvmlDeviceGetHandleByIndex(1), h) | /pair.0.1.topology
nvmlDeviceGetP2PStatus(h, nvmlDeviceGetHandleByIndex(1), 2) | /pair.0.1.p2p.2
platform()[1] | platform.chassis
[ord(part) for part in platform()[2:4]] | platform.slot platform.tray
[ord(part) for part in platform()[4:6]] | platform.host platform.peer
ord(platform()[6]) | platform.module
feature().featureState | license.state
feature().featureCode | license.feature
feature().productName | license.product
feature().licenseExpiry.status | license.expiry_status
sram()[:2] | sram.aggregate_unc_parity sram.aggregate_unc_secded
sram()[2:4] | sram.aggregate_cor sram.volatile_unc_parity
sram()[4:6] | sram.volatile_unc_secded sram.volatile_cor
sram()[6:8] | sram.bucket_l2 sram.bucket_sm
sram()[8:10] | sram.bucket_pcie sram.bucket_mcu
sram()[10:] | sram.bucket_other sram.threshold_exceeded
nvmlDeviceGetRemappedRows(h)[:2] | remapped_rows_corrected remapped_rows_uncorrected
nvmlDeviceGetRemappedRows(h)[2:] | remapped_rows_pending remapped_rows_failed
remapped_v2()[:2] | remapped_rows_corrected remapped_rows_corrected_inactive
remapped_v2()[2:4] | remapped_rows_uncorrected remapped_rows_uncorrected_inactive
remapped_v2()[4:] | remapped_rows_pending remapped_rows_failed
plain(nvmlDeviceGetRowRemapperHistogram(h))[:3] | remapped_banks.max remapped_banks.high remapped_banks.partial
plain(nvmlDeviceGetRowRemapperHistogram(h))[3:] | remapped_banks.low remapped_banks.none
plain(nvmlDeviceGetAttributes_v2(h))[:3] | multiprocessors copy_engines decoders
plain(nvmlDeviceGetAttributes_v2(h))[3:6] | encoders jpeg_engines ofa_engines
plain(nvmlDeviceGetAttributes_v2(h))[6:8] | gpu_slices compute_slices
nvmlDeviceGetNvLinkRemotePciInfo(h, 3).busId.lower()[4:] | nvlink.3.remote_bus_id
nvmlDeviceGetNvLinkRemotePciInfo(h, 3).pciDeviceId >> 16 | nvlink.3.remote_device_id
fill(c_nvmlNvLinkInfo_v1_t(), nvmlDeviceGetNvLinkInfo) | nvlink_encryption
fill(c_nvmlNvLinkInfo_v2_t(), nvmlDeviceGetNvLinkInfo)[0] | nvlink_encryption
fill(c_nvmlGpuFabricInfo_t(), nvmlDeviceGetGpuFabricInfo)[16:] | fabric.status fabric.clique fabric.state
fill(c_nvmlGpuFabricInfo_v2_t(), nvmlDeviceGetGpuFabricInfoV)[18:] | fabric.state fabric.health_mask
fill(c_nvmlGpuFabricInfo_v3_t(), nvmlDeviceGetGpuFabricInfoV)[19:] | fabric.health_mask fabric.health_summary
"CLU-" + bytes(fill(c_nvmlGpuFabricInfo_v3_t(), nvmlDeviceGetGpuFabricInfoV)[:16]).hex() | fabric.cluster_uuid
nvmlDeviceGetPciInfo(h).busId.lower()[4:] | bus_id
nvmlDeviceGetPciInfo(h).busIdLegacy.lower() | bus_id
nvmlDeviceGetPciInfo(h).pciDeviceId >> 16 | pci_device_id
nvmlDeviceGetPciInfo(h).pciSubSystemId | pci_subsystem_id
nvmlErrorString(9) | #Driver Not Loaded
"""

HELPERS = """
def fill(struct, call):
    call(h, ctypes.byref(struct))
    return plain(struct)

def sram():
    return fill(c_nvmlEccSramErrorStatus_v1_t(), nvmlDeviceGetSramEccErrorStatus)

def platform():
    return fill(c_nvmlPlatformInfo_v2_t(), nvmlDeviceGetPlatformInfo)

def feature():
    return nvmlDeviceGetGridLicensableFeatures_v4(h).gridLicensableFeatures[0]

def system_settings():
    settings = c_nvmlSystemConfComputeSettings_v1_t()
    assert nvmlSystemGetConfComputeSettings(ctypes.byref(settings)) == 0
    return plain(settings)

def ready_state():
    ready = ctypes.c_uint()
    assert pynvml.nvmlLib.nvmlSystemGetConfComputeGpusReadyState(ctypes.byref(ready)) == 0
    return ready.value

def remapped_v2():
    info = c_nvmlRemappedRowsInfo_v2_t()
    nvmlDeviceGetRemappedRows_v2(h, ctypes.byref(info))
    return plain(info)
"""

# Keys that the rows above do not read one to one, and the test that reads them.
ELSEWHERE = {
    "test_lists.py": (
        "process.",
        "retired_pages.",
        "field.",
        "mig.",
        "gpm.",
        "cpu_affinity",
        "memory_affinity",
        "event.",
    ),
    "test_cuda.py": ("cuda.",),
    "test_faults.py": ("trace", "inforom_valid"),
}

TEXTS: dict[str, Value] = {
    "/gpus": 2,
    "/driver_version": "580.105.08",
    "/driver_branch": "r580_00",
    "/nvml_version": "13.580.105.08",
    "name": "NVIDIA H100 80GB HBM3",
    "uuid": "GPU-588c1167-8055-0783-bab6-e9ad8f6348d6",
    "serial": "1650000000001",
    "vbios": "96.00.99.00.01",
    "board_part": "692-2G520-0200-000",
    "inforom_image": "G520.0200.00.05",
    "gsp_firmware": "580.105.08",
    "bus_id": "0000:1b:00.0",
    "pci_device_id": 0x2330,
    "nvlink.3.remote_bus_id": "0000:05:00.0",
    "nvlink.3.remote_device_id": 0x22A3,
    "platform.chassis": "1234567890123456",
    "license.product": "NVIDIA RTX Virtual Workstation",
    "fabric.cluster_uuid": "CLU-7a1f0c2e93d44b588e600d5c2b1f9a47",
    "compute_capability": 103,
}


def rows() -> list[tuple[str, list[str]]]:
    """The calls and the keys that each must give."""
    parted = (line.rsplit(" | ", 1) for line in ROWS.strip().splitlines())
    return [(call, keys.split(" ") if not keys.startswith("#") else [keys]) for call, keys in parted]


def full_key(key: str) -> str:
    return key[1:] if key.startswith("/") else f"gpu.0.{key}"


def distinct_values() -> dict[str, Value]:
    """A different value for every key of the rows, so that no field can stand in for another."""
    values: dict[str, Value] = dict(TEXTS)
    number = 10  # one byte holds the first of them: some fields are no wider
    for key in sorted({key for _, keys in rows() for key in keys}, key=lambda key: (not key.startswith(SMALL), key)):
        if key not in values and not key.startswith("#"):
            number += 1
            values[key] = number
    return values


SMALL = ("platform.", "license.", "fabric.health_summary")


def test_every_value_comes_through_in_its_own_field(deploy: Deploy) -> None:
    """A key's value is what the binding gives for it: no field is mixed up, cut or shifted."""
    values = distinct_values()
    wanted = {
        call: [key[1:] if key.startswith("#") else values[key] for key in keys] if keys != ["#0"] else [0]
        for call, keys in rows()
    }
    scenario = Scenario().but({full_key(key): value for key, value in values.items()})
    body = f"{HELPERS}\nanswer = {{}}\nfor call in {list(wanted)!r}:\n    answer[call] = plain(eval(call))"
    assert ask_gpu(deploy(scenario), body) == wanted


def test_every_documented_key_is_tested() -> None:
    """The README promises no key that no test reads."""
    read = {full_key(key) for _, keys in rows() for key in keys}
    read_patterns = {".".join("N" if part.isdigit() else part for part in key.split(".")) for key in read}
    elsewhere = tuple(prefix for prefixes in ELSEWHERE.values() for prefix in prefixes)
    untested = {
        key for key in documented_keys() - read_patterns if not key.removeprefix("gpu.N.").startswith(elsewhere)
    }
    assert not untested


def test_old_memory_call_counts_reserved_as_used(deploy: Deploy) -> None:
    """As drivers from 510 on do: the call without _v2 has no field for reserved memory."""
    scenario = Scenario().but(
        {"gpus": 1, "gpu.0.memory_total_bytes": 100, "gpu.0.memory_reserved_bytes": 7, "gpu.0.memory_used_bytes": 20}
    )
    assert ask_gpu(deploy(scenario), "answer = plain(nvmlDeviceGetMemoryInfo(h))") == [100, 73, 27]


def test_what_a_board_lacks_is_not_supported(deploy: Deploy) -> None:
    """An absent key answers 3 and nothing else: a GeForce is a scenario with fewer keys."""
    calls = [call for call, keys in rows() if not any(key.startswith(("/", "#")) for key in keys) and "h" in call]
    body = (
        f"{HELPERS}\nanswer = {{call: code(eval, call, globals()) for call in {calls!r}}}\n"
        "answer['fan'] = code(nvmlDeviceGetFanSpeed, h)"
    )
    answers = ask_gpu(deploy(Scenario().but({"gpus": 1})), body)
    # Whether profiling metrics are supported is itself an answer.
    wrong = {call: code for call, code in answers.items() if code != 3 and "GpmQuery" not in call}
    assert not wrong
