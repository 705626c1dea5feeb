/*
 * The parts of NVML's interface that the fake answers: struct layouts for x86-64 and the helpers
 * that every file of the fake uses.  Sizes are those of nvml.h; the assertions below hold them, and
 * a test compares each with the ctypes structure of the Python binding.
 */
#ifndef ENVCHECK_FAKE_NVML_H
#define ENVCHECK_FAKE_NVML_H

#include "scenario.h"

#include <stdint.h>

typedef int nvmlReturn_t;
typedef const struct device *nvmlDevice_t;

enum {
    SUCCESS = 0,
    UNINITIALIZED = 1,
    INVALID_ARGUMENT = 2,
    NOT_SUPPORTED = 3,
    NOT_FOUND = 6,
    INSUFFICIENT_SIZE = 7,
    TIMEOUT = 10,
    LIBRARY_NOT_FOUND = 12,
    FUNCTION_NOT_FOUND = 13,
    CORRUPTED_INFOROM = 14,
    OUT_OF_MEMORY = 20,
    ARGUMENT_VERSION_MISMATCH = 25,
    UNKNOWN = 999,
};

/* One handle: a GPU, or one of its MIG devices. */
struct device {
    int gpu;
    int mig; /* -1: the GPU itself */
};

/* A GPU has eight MIG slots at most in the fake (seven in reality) and 36 NVLinks (NVML_NVLINK_MAX_LINKS). */
enum { MAX_GPUS = 64, MAX_MIG = 8, MAX_LINKS = 36, MAX_PROCESSES = 256 };

/* "Version word" of a versioned struct: its size and, in the top byte, the version. */
#define VERSION_WORD(type, version) ((unsigned)sizeof(type) | (unsigned)(version) << 24)

#define STRUCTS(STRUCT) \
    STRUCT(c_nvmlMemory_t, 24, { uint64_t total, free, used; }) \
    STRUCT(c_nvmlMemory_v2_t, 40, { uint32_t version; uint64_t total, reserved, free, used; }) \
    STRUCT(nvmlPciInfo_t, 68, { \
        char busIdLegacy[16]; \
        uint32_t domain, bus, device, pciDeviceId, pciSubSystemId; \
        char busId[32]; \
    }) \
    STRUCT(nvmlPciInfo_v2_t, 52, { \
        char busId[16]; \
        uint32_t domain, bus, device, pciDeviceId, pciSubSystemId, reserved[4]; \
    }) \
    STRUCT(c_nvmlUtilization_t, 8, { uint32_t gpu, memory; }) \
    STRUCT(c_nvmlBAR1Memory_t, 24, { uint64_t total, free, used; }) \
    STRUCT(c_nvmlProcessInfo_v2_t, 24, { \
        uint32_t pid; uint64_t usedGpuMemory; uint32_t gpuInstanceId, computeInstanceId; \
    }) \
    STRUCT(c_nvmlProcessDetail_v1_t, 32, { \
        uint32_t pid; uint64_t usedGpuMemory; uint32_t gpuInstanceId, computeInstanceId; \
        uint64_t usedGpuCcProtectedMemory; \
    }) \
    STRUCT(c_nvmlProcessDetailList_t, 24, { \
        uint32_t version, mode, numProcArrayEntries; struct c_nvmlProcessDetail_v1_t *procArray; \
    }) \
    STRUCT(c_nvmlEccErrorCounts_t, 32, { uint64_t l1Cache, l2Cache, deviceMemory, registerFile; }) \
    STRUCT(c_nvmlFieldValue_t, 40, { \
        uint32_t fieldId, scopeId; int64_t timestamp, latencyUsec; uint32_t valueType; nvmlReturn_t nvmlReturn; \
        union { double dVal; uint32_t uiVal; uint64_t ullVal; int32_t siVal; uint16_t usVal; } value; \
    }) \
    STRUCT(c_nvmlGpuFabricInfo_t, 28, { uint8_t clusterUuid[16]; nvmlReturn_t status; uint32_t cliqueId, state; }) \
    STRUCT(c_nvmlGpuFabricInfo_v2_t, 36, { \
        uint32_t version; uint8_t clusterUuid[16]; nvmlReturn_t status; uint32_t cliqueId, state, healthMask; \
    }) \
    STRUCT(c_nvmlGpuFabricInfo_v3_t, 40, { \
        uint32_t version; uint8_t clusterUuid[16]; nvmlReturn_t status; uint32_t cliqueId, state, healthMask; \
        uint8_t healthSummary; \
    }) \
    STRUCT(c_nvmlEventData_t, 32, { \
        nvmlDevice_t device; uint64_t eventType, eventData; uint32_t gpuInstanceId, computeInstanceId; \
    }) \
    STRUCT(c_nvmlDeviceAttributes, 40, { \
        uint32_t multiprocessorCount, sharedCopyEngineCount, sharedDecoderCount, sharedEncoderCount, \
            sharedJpegCount, sharedOfaCount, gpuInstanceSliceCount, computeInstanceSliceCount; \
        uint64_t memorySizeMB; \
    }) \
    STRUCT(c_nvmlRowRemapperHistogramValues, 20, { uint32_t max, high, partial, low, none; }) \
    STRUCT(c_nvmlRemappedRowsInfo_v2_t, 24, { \
        uint32_t corrActiveRemaps, corrInactiveRemaps, uncActiveRemaps, uncInactiveRemaps, bPending, bFailure; \
    }) \
    STRUCT(c_nvmlViolationTime_t, 16, { uint64_t referenceTime, violationTime; }) \
    STRUCT(c_nvmlTemperature_v1_t, 12, { uint32_t version, sensorType; int32_t temperature; }) \
    STRUCT(c_nvmlMarginTemperature_v1_t, 8, { uint32_t version; int32_t marginTemperature; }) \
    STRUCT(c_nvmlEccSramErrorStatus_v1_t, 104, { uint32_t version; uint64_t counts[11]; uint32_t bThresholdExceeded; }) \
    STRUCT(c_nvmlRepairStatus_t, 12, { uint32_t version, bChannelRepairPending, bTpcRepairPending; }) \
    STRUCT(c_nvmlDeviceAddressingMode_t, 8, { uint32_t version, value; }) \
    STRUCT(c_nvmlPdi_t, 16, { uint32_t version; uint64_t value; }) \
    STRUCT(c_nvmlNvLinkInfo_v1_t, 8, { uint32_t version, isNvleEnabled; }) \
    STRUCT(c_nvmlNvLinkInfo_v2_t, 1612, { \
        uint32_t version, isNvleEnabled; \
        struct { uint8_t ucodeType; uint32_t major, minor, subMinor; } firmwareVersion[100]; \
        uint32_t numValidEntries; \
    }) \
    STRUCT(c_nvmlC2cModeInfo_v1_t, 4, { uint32_t isC2cEnabled; }) \
    STRUCT(c_nvmlDramEncryptionInfo_t, 8, { uint32_t version, encryptionState; }) \
    STRUCT(c_nvmlPlatformInfo_v2_t, 44, { \
        uint32_t version; uint8_t ibGuid[16]; char chassisSerialNumber[16]; \
        uint8_t slotNumber, trayIndex, hostId, peerType, moduleId; \
    }) \
    STRUCT(c_nvmlGpmSupport_t, 8, { uint32_t version, isSupportedDevice; }) \
    STRUCT(c_nvmlGpmMetric_t, 40, { \
        uint32_t metricId; nvmlReturn_t nvmlReturn; double value; const char *shortName, *longName, *unit; \
    }) \
    STRUCT(c_nvmlSystemDriverBranchInfo_v1_t, 84, { uint32_t version; char branch[80]; }) \
    STRUCT(c_nvmlConfComputeSystemCaps_t, 8, { uint32_t cpuCaps, gpusCaps; }) \
    STRUCT(c_nvmlConfComputeSystemState_t, 12, { uint32_t environment, ccFeature, devToolsMode; }) \
    STRUCT(c_nvmlSystemConfComputeSettings_v1_t, 20, { \
        uint32_t version, environment, ccFeature, devToolsMode, multiGpuMode; \
    }) \
    STRUCT(c_nvmlGridLicenseExpiry_t, 16, { uint32_t year; uint16_t month, day, hour, min, sec; uint8_t status; }) \
    STRUCT(c_nvmlGridLicensableFeature_v4_t, 284, { \
        uint32_t featureCode, featureState; char licenseInfo[128], productName[128]; uint32_t featureEnabled; \
        struct c_nvmlGridLicenseExpiry_t licenseExpiry; \
    }) \
    STRUCT(c_nvmlGridLicensableFeatures_v4_t, 860, { \
        int32_t isGridLicenseSupported; uint32_t licensableFeaturesCount; \
        struct c_nvmlGridLicensableFeature_v4_t gridLicensableFeatures[3]; \
    })

/* Names are those of the ctypes structures in the Python binding. */
#define DECLARE(name, size, ...) \
    struct name __VA_ARGS__; \
    _Static_assert(sizeof(struct name) == size, "layout of " #name);
STRUCTS(DECLARE)
#undef DECLARE

/* ---- what every function begins with ------------------------------------------------------ */

nvmlReturn_t nvml_enter(const char *function);
nvmlReturn_t nvml_enter_device(const char *function, nvmlDevice_t device, char at[DEVICE_KEY]);

#define ENTER() \
    do { \
        nvmlReturn_t code_ = nvml_enter(__func__); \
        if (code_) \
            return code_; \
    } while (0)

/* Leaves the key prefix of the device ("gpu.0", "gpu.0.mig.1") in `at`. */
#define ENTER_DEVICE(device) \
    char at[DEVICE_KEY]; \
    do { \
        nvmlReturn_t code_ = nvml_enter_device(__func__, device, at); \
        if (code_) \
            return code_; \
    } while (0)

/* ---- answers: SUCCESS, NOT_SUPPORTED without such a key, INVALID_ARGUMENT without a place -- */

nvmlReturn_t answer_uint(uint32_t *out, const char *format, ...) FORMAT(2, 3);
nvmlReturn_t answer_ulong(unsigned long long *out, const char *format, ...) FORMAT(2, 3);
nvmlReturn_t answer_text(char *out, unsigned room, const char *format, ...) FORMAT(3, 4);

/* Is `word` a version of this struct that the pretended driver knows?  "nvml.FUNCTION.max_version" bounds it. */
bool knows_version(const char *function, unsigned word, unsigned size, unsigned version);

/* The handle behind a prefix; NULL where there is none. */
nvmlDevice_t device_of(int gpu, int mig);
bool device_is_there(int gpu, int mig);
int gpu_count(void);
nvmlReturn_t fill_pci(struct nvmlPciInfo_t *pci, const char *bus_id, unsigned device_id, unsigned subsystem_id);

/* ---- the usual shapes of a device call ------------------------------------------------------ */

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define TEXT_CALL(function, key) \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, char *out, unsigned room) \
    { \
        ENTER_DEVICE(device); \
        return answer_text(out, room, "%s." key, at); \
    }

#define UINT_CALL(function, key) \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, unsigned *out) \
    { \
        ENTER_DEVICE(device); \
        return answer_uint(out, "%s." key, at); \
    }

#define ULONG_CALL(function, key) \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, unsigned long long *out) \
    { \
        ENTER_DEVICE(device); \
        return answer_ulong(out, "%s." key, at); \
    }

/* Two values of one kind: now and pending, or enabled and default.  The second equals the first unless it is set. */
#define PAIR_CALL(function, key, second_key) \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, unsigned *first, unsigned *second) \
    { \
        ENTER_DEVICE(device); \
        nvmlReturn_t code = second ? answer_uint(first, "%s." key, at) : INVALID_ARGUMENT; \
        if (!code) \
            *second = (unsigned)scenario_integer_or(*first, "%s." second_key, at); \
        return code; \
    }

/* A versioned struct with one field to fill. */
#define STRUCT_CALL(function, type, field, key) \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, struct type *out) \
    { \
        ENTER_DEVICE(device); \
        unsigned long long value; \
        if (!out) \
            return INVALID_ARGUMENT; \
        if (!knows_version(__func__, out->version, sizeof *out, 1)) \
            return ARGUMENT_VERSION_MISMATCH; \
        nvmlReturn_t code = answer_ulong(&value, "%s." key, at); \
        if (!code) \
            out->field = (__typeof__(out->field))value; \
        return code; \
    }

#endif
