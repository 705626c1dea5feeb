/*
 * A pretended libcuda.so.1 for tests: the calls of the driver API that a diagnosis makes.  It never
 * creates a context.  README.md has the keys.
 */
#define _GNU_SOURCE
#include "cuda.h"

#include <stdio.h>
#include <string.h>

static bool initialised;
static struct visible devices[MAX_DEVICES];
static int device_count;

/* The stub of the toolkit answers 34 to every call. */
CUresult cuda_enter(const char *function, const char *device)
{
    return scenario_integer_or(0, "cuda.stub") ? STUB_LIBRARY : scenario_enter("cuda", function, device);
}

static CUresult enter_device(const char *function, CUdevice device, char gpu[DEVICE_KEY], char own[DEVICE_KEY])
{
    bool known = initialised && device >= 0 && device < device_count;
    if (known) {
        struct visible seen = devices[device];
        snprintf(gpu, DEVICE_KEY, "gpu.%d", seen.gpu);
        if (seen.mig < 0)
            snprintf(own, DEVICE_KEY, "gpu.%d", seen.gpu);
        else
            snprintf(own, DEVICE_KEY, "gpu.%d.mig.%d", seen.gpu, seen.mig);
    }
    CUresult code = cuda_enter(function, known ? own : NULL);
    return code ? code : !initialised ? NOT_INITIALIZED : known ? SUCCESS : INVALID_DEVICE;
}

/* `gpu` is the key prefix of the GPU, `own` that of what is enumerated: the same, or one of its MIG devices. */
#define ENTER_DEVICE(device) \
    char gpu[DEVICE_KEY], own[DEVICE_KEY]; \
    do { \
        CUresult code_ = enter_device(__func__, device, gpu, own); \
        if (code_) \
            return code_; \
    } while (0)

EXPORT CUresult cuInit(unsigned flags)
{
    ENTER();
    if (flags)
        return INVALID_VALUE;
    if (!initialised)
        device_count = cuda_enumerate(devices); /* the mask is read once, here */
    if (!device_count)
        return NO_DEVICE;
    initialised = true;
    return SUCCESS;
}

EXPORT CUresult cuDriverGetVersion(int *out)
{
    unsigned long long version;
    ENTER();
    if (!out || !scenario_integer(&version, "cuda_version"))
        return INVALID_VALUE;
    *out = (int)version;
    return SUCCESS;
}

EXPORT CUresult cuDeviceGetCount(int *out)
{
    ENTER();
    if (!initialised)
        return NOT_INITIALIZED;
    if (!out)
        return INVALID_VALUE;
    *out = device_count;
    return SUCCESS;
}

EXPORT CUresult cuDeviceGet(CUdevice *out, int ordinal)
{
    ENTER_DEVICE(ordinal);
    if (!out)
        return INVALID_VALUE;
    *out = ordinal;
    return SUCCESS;
}

EXPORT CUresult cuDeviceGetName(char *out, int room, CUdevice device)
{
    ENTER_DEVICE(device);
    const char *name = scenario_text("%s.cuda.name", own); /* set where CUDA's name is not NVML's (Jetson) */
    name = name ? name : scenario_text("%s.name", own);
    if (!out || room < 1 || !name)
        return INVALID_VALUE;
    snprintf(out, (size_t)room, "%s", name);
    return SUCCESS;
}

static CUresult answer_uuid(unsigned char out[16], const char *at)
{
    const char *uuid = scenario_text("%s.uuid", at);
    return out && uuid && scenario_uuid_bytes(out, uuid) ? SUCCESS : INVALID_VALUE;
}

EXPORT CUresult cuDeviceGetUuid(unsigned char out[16], CUdevice device)
{
    ENTER_DEVICE(device);
    return answer_uuid(out, gpu);
}

/* Since CUDA 11.4: a MIG device answers with its own UUID instead of its GPU's. */
EXPORT CUresult cuDeviceGetUuid_v2(unsigned char out[16], CUdevice device)
{
    ENTER_DEVICE(device);
    return answer_uuid(out, own);
}

static CUresult answer_memory(size_t *out, const char *own)
{
    unsigned long long total;
    if (!out)
        return INVALID_VALUE;
    if (!scenario_integer(&total, "%s.cuda.memory_total_bytes", own)) {
        if (!scenario_integer(&total, "%s.memory_total_bytes", own))
            return INVALID_VALUE;
        total -= scenario_integer_or(0, "%s.memory_reserved_bytes", own);
    }
    *out = total;
    return SUCCESS;
}

EXPORT CUresult cuDeviceTotalMem_v2(size_t *out, CUdevice device)
{
    ENTER_DEVICE(device);
    return answer_memory(out, own);
}

/* The name without _v2 is the call of CUDA 3, with 32 bits; a doctor that takes it must still not crash. */
EXPORT CUresult cuDeviceTotalMem(unsigned *out, CUdevice device)
{
    ENTER_DEVICE(device);
    size_t total;
    CUresult code = out ? answer_memory(&total, own) : INVALID_VALUE;
    if (!code)
        *out = total > 0xffffffff ? 0xffffffff : (unsigned)total;
    return code;
}

EXPORT CUresult cuDeviceComputeCapability(int *major, int *minor, CUdevice device)
{
    ENTER_DEVICE(device);
    unsigned long long capability;
    if (!major || !minor || !scenario_integer(&capability, "%s.compute_capability", gpu))
        return INVALID_VALUE;
    *major = (int)capability / 10;
    *minor = (int)capability % 10;
    return SUCCESS;
}

/* Where an attribute's value stands in the scenario.  Numbers are those of CUdevice_attribute in cuda.h. */
static const struct attribute {
    int number;
    const char *key;
    bool part;            /* a MIG device has its own value */
    long long otherwise;  /* -1: without the key the attribute is an invalid value */
} attributes[] = {
    {1, "cuda.max_threads_per_block", false, 1024},
    {10, "cuda.warp_size", false, 32},
    {13, "cuda.clock_khz", false, -1},
    {16, "multiprocessors", true, -1},
    {17, "cuda.kernel_timeout", false, 0},
    {18, "cuda.integrated", false, 0},
    {20, "compute_mode", false, 0},
    {32, "ecc", false, 0},
    {35, "cuda.tcc_driver", false, 0},
    {36, "cuda.memory_clock_khz", false, -1},
    {37, "bus_width_bits", false, -1},
    {38, "cuda.l2_bytes", false, -1},
    {39, "cuda.max_threads_per_multiprocessor", false, 2048},
};

static bool pci_address(unsigned *domain, unsigned *bus, unsigned *slot, const char *gpu)
{
    const char *own = scenario_text("%s.cuda.bus_id", gpu);
    return scenario_pci_address(domain, bus, slot, own ? own : scenario_text("%s.bus_id", gpu));
}

static bool answer_attribute(long long *value, int number, const char *gpu, const char *own)
{
    unsigned long long found;
    unsigned domain, bus, slot;
    if (scenario_integer(&found, "%s.cuda.attribute.%d", gpu, number)) {
        *value = (long long)found;
        return true;
    }
    if (number == 75 || number == 76) { /* compute capability, major and minor */
        if (!scenario_integer(&found, "%s.compute_capability", gpu))
            return false;
        *value = (long long)(number == 75 ? found / 10 : found % 10);
        return true;
    }
    if (number == 33 || number == 34 || number == 50) { /* PCI bus, device, domain */
        if (!pci_address(&domain, &bus, &slot, gpu))
            return false;
        *value = number == 33 ? bus : number == 34 ? slot : domain;
        return true;
    }
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        if (attributes[i].number == number) {
            bool known = scenario_integer(&found, "%s.%s", attributes[i].part ? own : gpu, attributes[i].key);
            *value = known ? (long long)found : attributes[i].otherwise;
            return *value >= 0;
        }
    return false;
}

EXPORT CUresult cuDeviceGetAttribute(int *out, int number, CUdevice device)
{
    ENTER_DEVICE(device);
    long long value;
    if (!out || !answer_attribute(&value, number, gpu, own))
        return INVALID_VALUE;
    *out = (int)value;
    return SUCCESS;
}

EXPORT CUresult cuDeviceGetPCIBusId(char *out, int room, CUdevice device)
{
    ENTER_DEVICE(device);
    unsigned domain, bus, slot;
    char text[16];
    if (!out || !pci_address(&domain, &bus, &slot, gpu))
        return INVALID_VALUE;
    int length = snprintf(text, sizeof text, "%04X:%02X:%02X.0", domain & 0xffff, bus & 0xff, slot & 0xff);
    if (room <= length)
        return INVALID_VALUE;
    memcpy(out, text, (size_t)length + 1);
    return SUCCESS;
}
