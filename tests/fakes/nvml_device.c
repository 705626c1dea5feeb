/* What NVML answers about one device: identity, memory, clocks, link, power, temperature. */
#include "nvml.h"

#include <stdio.h>
#include <string.h>

/* ---- identity ----------------------------------------------------------------------------- */

TEXT_CALL(nvmlDeviceGetName, "name")
TEXT_CALL(nvmlDeviceGetUUID, "uuid")
TEXT_CALL(nvmlDeviceGetSerial, "serial")
TEXT_CALL(nvmlDeviceGetVbiosVersion, "vbios")
TEXT_CALL(nvmlDeviceGetBoardPartNumber, "board_part")
TEXT_CALL(nvmlDeviceGetInforomImageVersion, "inforom_image")
UINT_CALL(nvmlDeviceGetBrand, "brand")
UINT_CALL(nvmlDeviceGetArchitecture, "architecture")
UINT_CALL(nvmlDeviceGetMinorNumber, "minor")
UINT_CALL(nvmlDeviceGetBoardId, "board_id")
UINT_CALL(nvmlDeviceGetMultiGpuBoard, "multi_gpu_board")
UINT_CALL(nvmlDeviceGetModuleId, "module_id")
UINT_CALL(nvmlDeviceGetNumGpuCores, "cores")
UINT_CALL(nvmlDeviceGetMemoryBusWidth, "bus_width_bits")
UINT_CALL(nvmlDeviceGetVirtualizationMode, "virtualization")
UINT_CALL(nvmlDeviceGetNumaNodeId, "numa_node")
PAIR_CALL(nvmlDeviceGetDriverModel, "driver_model", "driver_model_pending")
PAIR_CALL(nvmlDeviceGetDriverModel_v2, "driver_model", "driver_model_pending")
PAIR_CALL(nvmlDeviceGetGspFirmwareMode, "gsp_enabled", "gsp_default")
STRUCT_CALL(nvmlDeviceGetAddressingMode, c_nvmlDeviceAddressingMode_t, value, "addressing_mode")
STRUCT_CALL(nvmlDeviceGetPdi, c_nvmlPdi_t, value, "pdi")

EXPORT nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t device, unsigned *out)
{
    ENTER_DEVICE(device);
    if (!out)
        return INVALID_ARGUMENT;
    *out = (unsigned)(device->mig < 0 ? device->gpu : device->mig);
    return SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetGspFirmwareVersion(nvmlDevice_t device, char *out)
{
    ENTER_DEVICE(device);
    return answer_text(out, 64, "%s.gsp_firmware", at); /* NVML_GSP_FIRMWARE_VERSION_BUF_SIZE */
}

EXPORT nvmlReturn_t nvmlDeviceGetCudaComputeCapability(nvmlDevice_t device, int *major, int *minor)
{
    ENTER_DEVICE(device);
    uint32_t capability;
    nvmlReturn_t code = major && minor ? answer_uint(&capability, "%s.compute_capability", at) : INVALID_ARGUMENT;
    if (!code) {
        *major = (int)capability / 10;
        *minor = (int)capability % 10;
    }
    return code;
}

nvmlReturn_t fill_pci(struct nvmlPciInfo_t *pci, const char *bus_id, unsigned device_id, unsigned subsystem_id)
{
    if (!pci)
        return INVALID_ARGUMENT;
    memset(pci, 0, sizeof *pci);
    if (!scenario_pci_address(&pci->domain, &pci->bus, &pci->device, bus_id))
        return NOT_SUPPORTED;
    pci->pciDeviceId = device_id << 16 | 0x10de;
    pci->pciSubSystemId = subsystem_id;
    snprintf(pci->busIdLegacy, sizeof pci->busIdLegacy, "%04X:%02X:%02X.0", pci->domain & 0xffff, pci->bus & 0xff,
             pci->device & 0xff);
    snprintf(pci->busId, sizeof pci->busId, "%08X:%02X:%02X.0", pci->domain, pci->bus & 0xff, pci->device & 0xff);
    return SUCCESS;
}

static nvmlReturn_t device_pci(struct nvmlPciInfo_t *pci, const char *at)
{
    return fill_pci(pci, scenario_text("%s.bus_id", at), (unsigned)scenario_integer_or(0, "%s.pci_device_id", at),
                    (unsigned)scenario_integer_or(0, "%s.pci_subsystem_id", at));
}

EXPORT nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, struct nvmlPciInfo_t *pci)
{
    ENTER_DEVICE(device);
    return device_pci(pci, at);
}

EXPORT nvmlReturn_t nvmlDeviceGetPciInfo_v2(nvmlDevice_t device, struct nvmlPciInfo_v2_t *old)
{
    ENTER_DEVICE(device);
    struct nvmlPciInfo_t pci;
    nvmlReturn_t code = old ? device_pci(&pci, at) : INVALID_ARGUMENT;
    if (!code) {
        memset(old, 0, sizeof *old);
        memcpy(old->busId, pci.busIdLegacy, sizeof old->busId);
        memcpy(&old->domain, &pci.domain, 5 * sizeof pci.domain);
    }
    return code;
}

EXPORT nvmlReturn_t nvmlDeviceGetC2cModeInfoV(nvmlDevice_t device, struct c_nvmlC2cModeInfo_v1_t *info)
{
    ENTER_DEVICE(device);
    return answer_uint(info ? &info->isC2cEnabled : NULL, "%s.c2c_enabled", at);
}

EXPORT nvmlReturn_t nvmlDeviceGetDramEncryptionMode(nvmlDevice_t device, struct c_nvmlDramEncryptionInfo_t *current,
                                                    struct c_nvmlDramEncryptionInfo_t *pending)
{
    ENTER_DEVICE(device);
    if (!current || !pending)
        return INVALID_ARGUMENT;
    if (!knows_version(__func__, current->version, sizeof *current, 1) || pending->version != current->version)
        return ARGUMENT_VERSION_MISMATCH;
    nvmlReturn_t code = answer_uint(&current->encryptionState, "%s.dram_encryption", at);
    if (!code)
        pending->encryptionState =
            (uint32_t)scenario_integer_or(current->encryptionState, "%s.dram_encryption_pending", at);
    return code;
}

EXPORT nvmlReturn_t nvmlDeviceGetPlatformInfo(nvmlDevice_t device, struct c_nvmlPlatformInfo_v2_t *info)
{
    ENTER_DEVICE(device);
    if (!info)
        return INVALID_ARGUMENT;
    if (!knows_version(__func__, info->version, sizeof *info, 2))
        return ARGUMENT_VERSION_MISMATCH;
    const char *chassis = scenario_text("%s.platform.chassis", at);
    if (!chassis)
        return NOT_SUPPORTED;
    memset(info->ibGuid, 0, sizeof info->ibGuid);
    memset(info->chassisSerialNumber, 0, sizeof info->chassisSerialNumber);
    memcpy(info->chassisSerialNumber, chassis, strnlen(chassis, sizeof info->chassisSerialNumber));
    uint8_t *const bytes[] = {&info->slotNumber, &info->trayIndex, &info->hostId, &info->peerType, &info->moduleId};
    static const char *const keys[] = {"slot", "tray", "host", "peer", "module"};
    for (size_t i = 0; i < COUNT(keys); i++)
        *bytes[i] = (uint8_t)scenario_integer_or(0, "%s.platform.%s", at, keys[i]);
    return SUCCESS;
}

/* vGPU guests only.  featureState: "Non-zero if feature is currently licensed, otherwise zero" (nvml.h). */
EXPORT nvmlReturn_t nvmlDeviceGetGridLicensableFeatures_v4(nvmlDevice_t device,
                                                           struct c_nvmlGridLicensableFeatures_v4_t *features)
{
    ENTER_DEVICE(device);
    unsigned long long state;
    nvmlReturn_t code = features ? answer_ulong(&state, "%s.license.state", at) : INVALID_ARGUMENT;
    if (code)
        return code;
    memset(features, 0, sizeof *features);
    features->isGridLicenseSupported = 1;
    features->licensableFeaturesCount = 1;
    struct c_nvmlGridLicensableFeature_v4_t *feature = &features->gridLicensableFeatures[0];
    feature->featureCode = (uint32_t)scenario_integer_or(1, "%s.license.feature", at);
    feature->featureState = (uint32_t)state;
    feature->featureEnabled = state != 0;
    feature->licenseExpiry.status = (uint8_t)scenario_integer_or(0, "%s.license.expiry_status", at);
    const char *product = scenario_text("%s.license.product", at);
    snprintf(feature->productName, sizeof feature->productName, "%s", product ? product : "");
    return SUCCESS;
}

/* ---- memory and use ----------------------------------------------------------------------- */

struct memory {
    unsigned long long total, reserved, used, free;
};

static nvmlReturn_t read_memory(struct memory *memory, const char *at)
{
    nvmlReturn_t code = answer_ulong(&memory->total, "%s.memory_total_bytes", at);
    if (code)
        return code;
    memory->reserved = scenario_integer_or(0, "%s.memory_reserved_bytes", at);
    memory->used = scenario_integer_or(0, "%s.memory_used_bytes", at);
    memory->free = scenario_integer_or(memory->total - memory->reserved - memory->used, "%s.memory_free_bytes", at);
    return SUCCESS;
}

/* The old call counts reserved memory as used (drivers from 510 on). */
EXPORT nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, struct c_nvmlMemory_t *out)
{
    ENTER_DEVICE(device);
    struct memory memory;
    nvmlReturn_t code = out ? read_memory(&memory, at) : INVALID_ARGUMENT;
    if (!code)
        *out = (struct c_nvmlMemory_t){memory.total, memory.free, memory.used + memory.reserved};
    return code;
}

EXPORT nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, struct c_nvmlMemory_v2_t *out)
{
    ENTER_DEVICE(device);
    struct memory memory;
    if (!out)
        return INVALID_ARGUMENT;
    if (!knows_version(__func__, out->version, sizeof *out, 2))
        return ARGUMENT_VERSION_MISMATCH;
    nvmlReturn_t code = read_memory(&memory, at);
    if (!code)
        *out = (struct c_nvmlMemory_v2_t){out->version, memory.total, memory.reserved, memory.free, memory.used};
    return code;
}

EXPORT nvmlReturn_t nvmlDeviceGetBAR1MemoryInfo(nvmlDevice_t device, struct c_nvmlBAR1Memory_t *out)
{
    ENTER_DEVICE(device);
    unsigned long long total;
    nvmlReturn_t code = out ? answer_ulong(&total, "%s.bar1_total_bytes", at) : INVALID_ARGUMENT;
    if (!code) {
        unsigned long long used = scenario_integer_or(0, "%s.bar1_used_bytes", at);
        *out = (struct c_nvmlBAR1Memory_t){total, total - used, used};
    }
    return code;
}

EXPORT nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, struct c_nvmlUtilization_t *out)
{
    ENTER_DEVICE(device);
    nvmlReturn_t code = answer_uint(out ? &out->gpu : NULL, "%s.utilization_percent", at);
    if (!code)
        out->memory = (uint32_t)scenario_integer_or(0, "%s.memory_utilization_percent", at);
    return code;
}

UINT_CALL(nvmlDeviceGetPerformanceState, "performance_state")
UINT_CALL(nvmlDeviceGetPowerState, "performance_state")
UINT_CALL(nvmlDeviceGetPersistenceMode, "persistence")
UINT_CALL(nvmlDeviceGetComputeMode, "compute_mode")
UINT_CALL(nvmlDeviceGetDisplayMode, "display_mode")
UINT_CALL(nvmlDeviceGetDisplayActive, "display_active")
