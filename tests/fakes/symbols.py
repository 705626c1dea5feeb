"""Which NVML functions a driver of a given age has.

Source: ``src/nvml.h`` in the history of NVIDIA/nvidia-settings, 375.20 to 610.43.03: the first
version whose header names the function.  Functions that 375.20 already has are not listed.
"""

from __future__ import annotations

from .build import exported_functions

SINCE: dict[str, str] = {
    "nvmlDeviceGetCudaComputeCapability": "378.09",
    "nvmlSystemGetCudaDriverVersion": "378.09",
    "nvmlDeviceGetFieldValues": "384.47",
    "nvmlDeviceGetTotalEnergyConsumption": "384.47",
    "nvmlDeviceGetNvLinkRemotePciInfo_v2": "410.104",
    "nvmlDeviceGetPciInfo_v3": "410.104",
    "nvmlDeviceGetRetiredPages_v2": "410.104",
    "nvmlInitWithFlags": "410.104",
    "nvmlSystemGetCudaDriverVersion_v2": "410.104",
    "nvmlDeviceGetFanSpeed_v2": "418.30",
    "nvmlDeviceGetArchitecture": "450.51",
    "nvmlDeviceGetAttributes_v2": "450.51",
    "nvmlDeviceGetComputeInstanceId": "450.51",
    "nvmlDeviceGetDeviceHandleFromMigDeviceHandle": "450.51",
    "nvmlDeviceGetGpuInstanceId": "450.51",
    "nvmlDeviceGetMaxMigDeviceCount": "450.51",
    "nvmlDeviceGetMemoryAffinity": "450.51",
    "nvmlDeviceGetMigDeviceHandleByIndex": "450.51",
    "nvmlDeviceGetMigMode": "450.51",
    "nvmlDeviceGetRemappedRows": "450.51",
    "nvmlDeviceGetRowRemapperHistogram": "450.51",
    "nvmlDeviceIsMigDeviceHandle": "450.51",
    "nvmlEventSetWait_v2": "450.51",
    "nvmlDeviceGetComputeRunningProcesses_v2": "450.66",
    "nvmlDeviceGetGraphicsRunningProcesses_v2": "450.66",
    "nvmlDeviceGetMPSComputeRunningProcesses": "470.42.01",
    "nvmlDeviceGetMPSComputeRunningProcesses_v2": "470.42.01",
    "nvmlDeviceGetNvLinkRemoteDeviceType": "470.42.01",
    "nvmlDeviceGetGridLicensableFeatures_v4": "470.57.02",
    "nvmlDeviceGetComputeRunningProcesses_v3": "510.39.01",
    "nvmlDeviceGetGraphicsRunningProcesses_v3": "510.39.01",
    "nvmlDeviceGetMPSComputeRunningProcesses_v3": "510.39.01",
    "nvmlDeviceGetMemoryBusWidth": "510.39.01",
    "nvmlDeviceGetMemoryInfo_v2": "510.39.01",
    "nvmlDeviceGetNumFans": "510.39.01",
    "nvmlDeviceGetNumGpuCores": "510.39.01",
    "nvmlDeviceGetPcieLinkMaxSpeed": "510.39.01",
    "nvmlDeviceGetGspFirmwareMode": "510.68.02",
    "nvmlDeviceGetGspFirmwareVersion": "510.68.02",
    "nvmlDeviceGetPcieSpeed": "515.43.04",
    "nvmlGpmMetricsGet": "520.56.06",
    "nvmlGpmQueryDeviceSupport": "520.56.06",
    "nvmlGpmSampleAlloc": "520.56.06",
    "nvmlGpmSampleFree": "520.56.06",
    "nvmlGpmSampleGet": "520.56.06",
    "nvmlDeviceGetGpuFabricInfo": "525.53",
    "nvmlDeviceGetGpuMaxPcieLinkGeneration": "525.53",
    "nvmlDeviceGetCurrentClocksEventReasons": "535.43.02",
    "nvmlDeviceGetModuleId": "535.43.02",
    "nvmlDeviceGetSupportedClocksEventReasons": "535.43.02",
    "nvmlSystemGetConfComputeCapabilities": "535.43.02",
    "nvmlSystemGetConfComputeGpusReadyState": "535.43.02",
    "nvmlSystemGetConfComputeState": "535.43.02",
    "nvmlDeviceGetRunningProcessDetailList": "535.104.05",
    "nvmlDeviceGetSramEccErrorStatus": "535.161.07",
    "nvmlDeviceGetC2cModeInfoV": "545.23.06",
    "nvmlDeviceGetGpuFabricInfoV": "550.40.07",
    "nvmlDeviceGetNumaNodeId": "550.40.07",
    "nvmlSystemGetConfComputeSettings": "550.54.14",
    "nvmlDeviceGetDriverModel_v2": "555.42.02",
    "nvmlSystemGetDriverBranch": "560.28.03",
    "nvmlDeviceGetPlatformInfo": "565.57.01",
    "nvmlDeviceGetTemperatureV": "565.57.01",
    "nvmlDeviceGetDramEncryptionMode": "570.86.16",
    "nvmlDeviceGetMarginTemperature": "570.86.16",
    "nvmlDeviceGetAddressingMode": "580.65.06",
    "nvmlDeviceGetNvLinkInfo": "580.65.06",
    "nvmlDeviceGetPdi": "580.65.06",
    "nvmlDeviceGetRepairStatus": "580.65.06",
    "nvmlDeviceGetRemappedRows_v2": "580.159.03",
}


def missing_in(driver: str) -> frozenset[str]:
    """The functions of the fake that a driver of this version ("470.256.02") does not have yet."""
    own = _numbers(driver)
    return frozenset(name for name, since in SINCE.items() if _numbers(since) > own) & exported_functions()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
