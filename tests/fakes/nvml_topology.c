/* What NVML answers about parts and neighbours: MIG devices, processes, NVLink, fabric, peers, NUMA. */
#include "nvml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- MIG ---------------------------------------------------------------------------------- */

PAIR_CALL(nvmlDeviceGetMigMode, "mig_mode", "mig_pending")
UINT_CALL(nvmlDeviceGetMaxMigDeviceCount, "mig_max_devices")
UINT_CALL(nvmlDeviceGetGpuInstanceId, "gpu_instance")
UINT_CALL(nvmlDeviceGetComputeInstanceId, "compute_instance")

EXPORT nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned index, nvmlDevice_t *out)
{
    ENTER_DEVICE(device);
    if (!out || device->mig >= 0)
        return INVALID_ARGUMENT;
    if (!scenario_text("%s.mig_mode", at))
        return NOT_SUPPORTED;
    if (index >= scenario_integer_or(0, "%s.mig_max_devices", at))
        return INVALID_ARGUMENT;
    if (!scenario_integer_or(0, "%s.mig_mode", at) || !device_is_there(device->gpu, (int)index))
        return NOT_FOUND;
    *out = device_of(device->gpu, (int)index);
    return SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetDeviceHandleFromMigDeviceHandle(nvmlDevice_t device, nvmlDevice_t *out)
{
    ENTER_DEVICE(device);
    if (!out || device->mig < 0)
        return INVALID_ARGUMENT;
    *out = device_of(device->gpu, -1);
    return SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceIsMigDeviceHandle(nvmlDevice_t device, unsigned *out)
{
    ENTER_DEVICE(device);
    if (!out)
        return INVALID_ARGUMENT;
    *out = device->mig >= 0;
    return SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetAttributes_v2(nvmlDevice_t device, struct c_nvmlDeviceAttributes *out)
{
    ENTER_DEVICE(device);
    unsigned long long total;
    if (!out)
        return INVALID_ARGUMENT;
    nvmlReturn_t code = answer_uint(&out->multiprocessorCount, "%s.multiprocessors", at);
    code = code ? code : answer_ulong(&total, "%s.memory_total_bytes", at);
    if (code)
        return code;
    uint32_t *const counts[] = {&out->sharedCopyEngineCount, &out->sharedDecoderCount, &out->sharedEncoderCount,
                                &out->sharedJpegCount, &out->sharedOfaCount, &out->gpuInstanceSliceCount,
                                &out->computeInstanceSliceCount};
    static const char *const keys[] = {"copy_engines", "decoders", "encoders", "jpeg_engines", "ofa_engines",
                                       "gpu_slices", "compute_slices"};
    for (size_t i = 0; i < COUNT(keys); i++)
        *counts[i] = (uint32_t)scenario_integer_or(0, "%s.%s", at, keys[i]);
    out->memorySizeMB = total >> 20;
    return SUCCESS;
}

/* ---- processes ---------------------------------------------------------------------------- */

struct process_v1 {
    uint32_t pid;
    uint64_t memory;
};

/* Writes the n-th process into entry `index` of the array at `out`; entries of 16, 24 and 32 bytes begin alike. */
static void write_process(void *out, size_t size, unsigned index, const char *at, int n)
{
    const unsigned long long not_available = ~0ull; /* NVML_VALUE_NOT_AVAILABLE: WDDM, WSL, containers */
    struct c_nvmlProcessDetail_v1_t process = {
        (uint32_t)scenario_integer_or(0, "%s.process.%d.pid", at, n),
        scenario_integer_or(not_available, "%s.process.%d.memory_bytes", at, n),
        (uint32_t)scenario_integer_or(0xffffffff, "%s.process.%d.gpu_instance", at, n),
        (uint32_t)scenario_integer_or(0xffffffff, "%s.process.%d.compute_instance", at, n),
        scenario_integer_or(not_available, "%s.process.%d.protected_memory_bytes", at, n)};
    memcpy((char *)out + index * size, &process, size);
}

static nvmlReturn_t list_processes(const char *at, const char *kind, size_t size, unsigned *count, void *out)
{
    if (!count)
        return INVALID_ARGUMENT;
    unsigned room = out ? *count : 0, found = 0;
    for (int n = 0; n < MAX_PROCESSES && scenario_text("%s.process.%d.pid", at, n); n++) {
        const char *own = scenario_text("%s.process.%d.kind", at, n);
        if (strcmp(own ? own : "compute", kind))
            continue;
        if (found < room)
            write_process(out, size, found, at, n);
        found++;
    }
    *count = found;
    return found > room ? INSUFFICIENT_SIZE : SUCCESS;
}

#define PROCESS_CALL(function, kind, size) \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, unsigned *count, void *out) \
    { \
        ENTER_DEVICE(device); \
        return list_processes(at, kind, size, count, out); \
    }

PROCESS_CALL(nvmlDeviceGetComputeRunningProcesses, "compute", sizeof(struct process_v1))
PROCESS_CALL(nvmlDeviceGetComputeRunningProcesses_v2, "compute", sizeof(struct c_nvmlProcessInfo_v2_t))
PROCESS_CALL(nvmlDeviceGetComputeRunningProcesses_v3, "compute", sizeof(struct c_nvmlProcessInfo_v2_t))
PROCESS_CALL(nvmlDeviceGetGraphicsRunningProcesses, "graphics", sizeof(struct process_v1))
PROCESS_CALL(nvmlDeviceGetGraphicsRunningProcesses_v2, "graphics", sizeof(struct c_nvmlProcessInfo_v2_t))
PROCESS_CALL(nvmlDeviceGetGraphicsRunningProcesses_v3, "graphics", sizeof(struct c_nvmlProcessInfo_v2_t))
PROCESS_CALL(nvmlDeviceGetMPSComputeRunningProcesses, "mps", sizeof(struct process_v1))
PROCESS_CALL(nvmlDeviceGetMPSComputeRunningProcesses_v2, "mps", sizeof(struct c_nvmlProcessInfo_v2_t))
PROCESS_CALL(nvmlDeviceGetMPSComputeRunningProcesses_v3, "mps", sizeof(struct c_nvmlProcessInfo_v2_t))

EXPORT nvmlReturn_t nvmlDeviceGetRunningProcessDetailList(nvmlDevice_t device, struct c_nvmlProcessDetailList_t *list)
{
    static const char *const kinds[] = {"compute", "graphics", "mps"};
    ENTER_DEVICE(device);
    if (!list || list->mode >= COUNT(kinds))
        return INVALID_ARGUMENT;
    if (!knows_version(__func__, list->version, sizeof *list, 1))
        return ARGUMENT_VERSION_MISMATCH;
    return list_processes(at, kinds[list->mode], sizeof *list->procArray, &list->numProcArrayEntries, list->procArray);
}

/* ---- NVLink ------------------------------------------------------------------------------- */

#define LINK_CALL(function, key) \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, unsigned link, unsigned *out) \
    { \
        ENTER_DEVICE(device); \
        return link < MAX_LINKS ? answer_uint(out, "%s.nvlink.%u." key, at, link) : INVALID_ARGUMENT; \
    }

LINK_CALL(nvmlDeviceGetNvLinkState, "active")
LINK_CALL(nvmlDeviceGetNvLinkVersion, "version")
LINK_CALL(nvmlDeviceGetNvLinkRemoteDeviceType, "remote_type")

EXPORT nvmlReturn_t nvmlDeviceGetNvLinkCapability(nvmlDevice_t device, unsigned link, unsigned which, unsigned *out)
{
    ENTER_DEVICE(device);
    return link < MAX_LINKS ? answer_uint(out, "%s.nvlink.%u.capability.%u", at, link, which) : INVALID_ARGUMENT;
}

/* Counters: 0 replay, 1 recovery, 2 CRC flit, 3 CRC data, 4 ECC data. */
EXPORT nvmlReturn_t nvmlDeviceGetNvLinkErrorCounter(nvmlDevice_t device, unsigned link, unsigned counter,
                                                    unsigned long long *out)
{
    ENTER_DEVICE(device);
    return link < MAX_LINKS ? answer_ulong(out, "%s.nvlink.%u.errors.%u", at, link, counter) : INVALID_ARGUMENT;
}

EXPORT nvmlReturn_t nvmlDeviceGetNvLinkRemotePciInfo_v2(nvmlDevice_t device, unsigned link, struct nvmlPciInfo_t *pci)
{
    ENTER_DEVICE(device);
    if (link >= MAX_LINKS)
        return INVALID_ARGUMENT;
    return fill_pci(pci, scenario_text("%s.nvlink.%u.remote_bus_id", at, link),
                    (unsigned)scenario_integer_or(0, "%s.nvlink.%u.remote_device_id", at, link), 0);
}

EXPORT nvmlReturn_t nvmlDeviceGetNvLinkInfo(nvmlDevice_t device, struct c_nvmlNvLinkInfo_v2_t *out)
{
    ENTER_DEVICE(device);
    if (!out)
        return INVALID_ARGUMENT;
    bool second = knows_version(__func__, out->version, sizeof *out, 2);
    if (!second && !knows_version(__func__, out->version, sizeof(struct c_nvmlNvLinkInfo_v1_t), 1))
        return ARGUMENT_VERSION_MISMATCH;
    nvmlReturn_t code = answer_uint(&out->isNvleEnabled, "%s.nvlink_encryption", at);
    if (!code && second)
        out->numValidEntries = 0; /* the pretended driver tells no link firmware */
    return code;
}

/* ---- fabric ------------------------------------------------------------------------------- */

static nvmlReturn_t read_fabric(struct c_nvmlGpuFabricInfo_t *fabric, const char *at)
{
    nvmlReturn_t code = answer_uint(&fabric->state, "%s.fabric.state", at);
    if (code)
        return code;
    memset(fabric->clusterUuid, 0, sizeof fabric->clusterUuid);
    const char *uuid = scenario_text("%s.fabric.cluster_uuid", at);
    if (uuid)
        scenario_uuid_bytes(fabric->clusterUuid, uuid);
    fabric->status = (nvmlReturn_t)scenario_integer_or(SUCCESS, "%s.fabric.status", at);
    fabric->cliqueId = (uint32_t)scenario_integer_or(0, "%s.fabric.clique", at);
    return SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetGpuFabricInfo(nvmlDevice_t device, struct c_nvmlGpuFabricInfo_t *out)
{
    ENTER_DEVICE(device);
    struct c_nvmlGpuFabricInfo_t fabric;
    nvmlReturn_t code = out ? read_fabric(&fabric, at) : INVALID_ARGUMENT;
    if (!code)
        *out = fabric;
    return code;
}

EXPORT nvmlReturn_t nvmlDeviceGetGpuFabricInfoV(nvmlDevice_t device, struct c_nvmlGpuFabricInfo_v3_t *out)
{
    ENTER_DEVICE(device);
    struct c_nvmlGpuFabricInfo_t fabric;
    if (!out)
        return INVALID_ARGUMENT;
    bool third = knows_version(__func__, out->version, sizeof *out, 3);
    if (!third && !knows_version(__func__, out->version, sizeof(struct c_nvmlGpuFabricInfo_v2_t), 2))
        return ARGUMENT_VERSION_MISMATCH;
    nvmlReturn_t code = read_fabric(&fabric, at);
    if (code)
        return code;
    memcpy(out->clusterUuid, &fabric, sizeof fabric);
    out->healthMask = (uint32_t)scenario_integer_or(0, "%s.fabric.health_mask", at);
    if (third)
        out->healthSummary = (uint8_t)scenario_integer_or(0, "%s.fabric.health_summary", at);
    return SUCCESS;
}

/* ---- peers and NUMA ----------------------------------------------------------------------- */

/* The key of a pair, whichever way round the scenario wrote it. */
static nvmlReturn_t answer_pair(unsigned *out, int a, int b, const char *key)
{
    nvmlReturn_t code = answer_uint(out, "pair.%d.%d.%s", a, b, key);
    return code == NOT_SUPPORTED ? answer_uint(out, "pair.%d.%d.%s", b, a, key) : code;
}

/* 0 one board, 10 one PCIe switch, 20 several, 30 host bridge, 40 NUMA node, 50 system. */
EXPORT nvmlReturn_t nvmlDeviceGetTopologyCommonAncestor(nvmlDevice_t device, nvmlDevice_t other, unsigned *out)
{
    char there[DEVICE_KEY];
    ENTER_DEVICE(device);
    nvmlReturn_t code = nvml_enter_device(__func__, other, there);
    return code ? code : answer_pair(out, device->gpu, other->gpu, "topology");
}

/* Capabilities: 0 read, 1 write, 2 NVLink, 3 atomics, 4 PCI.  Status 0 is OK. */
EXPORT nvmlReturn_t nvmlDeviceGetP2PStatus(nvmlDevice_t device, nvmlDevice_t other, unsigned which, unsigned *out)
{
    char there[DEVICE_KEY], key[16];
    ENTER_DEVICE(device);
    nvmlReturn_t code = nvml_enter_device(__func__, other, there);
    snprintf(key, sizeof key, "p2p.%u", which);
    return code ? code : answer_pair(out, device->gpu, other->gpu, key);
}

/* "0-51,104-155" into a bit set of `words` unsigned longs. */
static nvmlReturn_t answer_set(unsigned words, unsigned long *out, const char *text)
{
    if (!words || !out)
        return INVALID_ARGUMENT;
    if (!text)
        return NOT_SUPPORTED;
    memset(out, 0, words * sizeof *out);
    for (char *rest = (char *)text; *rest;) {
        char *begin = rest;
        unsigned long first = strtoul(begin, &rest, 10), last = first;
        if (rest == begin)
            return UNKNOWN; /* not a list of numbers */
        if (*rest == '-')
            last = strtoul(rest + 1, &rest, 10);
        for (unsigned long bit = first; bit <= last && bit < words * 64ul; bit++)
            out[bit / 64] |= 1ul << bit % 64;
        rest += strspn(rest, ", ");
    }
    return SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetCpuAffinity(nvmlDevice_t device, unsigned words, unsigned long *out)
{
    ENTER_DEVICE(device);
    return answer_set(words, out, scenario_text("%s.cpu_affinity", at));
}

EXPORT nvmlReturn_t nvmlDeviceGetMemoryAffinity(nvmlDevice_t device, unsigned words, unsigned long *out, unsigned scope)
{
    ENTER_DEVICE(device);
    return scope > 1 ? INVALID_ARGUMENT : answer_set(words, out, scenario_text("%s.memory_affinity", at));
}
