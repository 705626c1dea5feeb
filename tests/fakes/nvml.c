/*
 * A pretended libnvidia-ml.so.1 for tests: session and handles.  Calls are in nvml_system.c,
 * nvml_device.c, nvml_health.c and nvml_topology.c.
 */
#define _GNU_SOURCE
#include "nvml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static int sessions; /* nvmlInit counts, each needs its nvmlShutdown */
static struct device devices[MAX_GPUS][1 + MAX_MIG];

/* ---- helpers ------------------------------------------------------------------------------ */

nvmlReturn_t nvml_enter(const char *function)
{
    nvmlReturn_t code = scenario_enter("nvml", function, NULL);
    return code ? code : __atomic_load_n(&sessions, __ATOMIC_ACQUIRE) ? SUCCESS : UNINITIALIZED;
}

nvmlReturn_t nvml_enter_device(const char *function, nvmlDevice_t device, char at[DEVICE_KEY])
{
    if (!__atomic_load_n(&sessions, __ATOMIC_ACQUIRE))
        return UNINITIALIZED;
    const struct device *first = &devices[0][0], *end = first + MAX_GPUS * (1 + MAX_MIG);
    if (device < first || device >= end || ((const char *)device - (const char *)first) % sizeof *device ||
        !device_is_there(device->gpu, device->mig))
        return INVALID_ARGUMENT;
    if (device->mig < 0)
        snprintf(at, DEVICE_KEY, "gpu.%d", device->gpu);
    else
        snprintf(at, DEVICE_KEY, "gpu.%d.mig.%d", device->gpu, device->mig);
    return scenario_enter("nvml", function, at);
}

#define COMPOSE(key, format) \
    char key[160]; \
    do { \
        va_list arguments_; \
        va_start(arguments_, format); \
        vsnprintf(key, sizeof key, format, arguments_); \
        va_end(arguments_); \
    } while (0)

nvmlReturn_t answer_ulong(unsigned long long *out, const char *format, ...)
{
    COMPOSE(key, format);
    if (!out)
        return INVALID_ARGUMENT;
    return scenario_integer(out, "%s", key) ? SUCCESS : NOT_SUPPORTED;
}

nvmlReturn_t answer_uint(uint32_t *out, const char *format, ...)
{
    COMPOSE(key, format);
    unsigned long long value;
    if (!out)
        return INVALID_ARGUMENT;
    if (!scenario_integer(&value, "%s", key))
        return NOT_SUPPORTED;
    *out = (uint32_t)value;
    return SUCCESS;
}

nvmlReturn_t answer_text(char *out, unsigned room, const char *format, ...)
{
    COMPOSE(key, format);
    const char *text = scenario_text("%s", key);
    if (!out)
        return INVALID_ARGUMENT;
    if (!text)
        return NOT_SUPPORTED;
    if (strlen(text) + 1 > room)
        return INSUFFICIENT_SIZE;
    memcpy(out, text, strlen(text) + 1);
    return SUCCESS;
}

bool knows_version(const char *function, unsigned word, unsigned size, unsigned version)
{
    return word == (size | version << 24) && version <= scenario_integer_or(version, "nvml.%s.max_version", function);
}

int gpu_count(void)
{
    unsigned long long count = scenario_integer_or(0, "gpus");
    return count > MAX_GPUS ? MAX_GPUS : (int)count;
}

bool device_is_there(int gpu, int mig)
{
    if (gpu < 0 || gpu >= gpu_count() || mig >= MAX_MIG)
        return false;
    return mig < 0 || scenario_text("gpu.%d.mig.%d.uuid", gpu, mig) != NULL;
}

nvmlDevice_t device_of(int gpu, int mig)
{
    return device_is_there(gpu, mig) ? &devices[gpu][1 + mig] : NULL;
}

/* ---- session ------------------------------------------------------------------------------ */

static nvmlReturn_t begin(const char *function)
{
    nvmlReturn_t code = scenario_enter("nvml", function, NULL);
    if (code)
        return code;
    for (int gpu = 0; gpu < MAX_GPUS; gpu++)
        for (int mig = -1; mig < MAX_MIG; mig++)
            devices[gpu][1 + mig] = (struct device){gpu, mig};
    __atomic_add_fetch(&sessions, 1, __ATOMIC_ACQ_REL);
    return SUCCESS;
}

EXPORT nvmlReturn_t nvmlInit(void) { return begin(__func__); } /* torch's own count calls this name */
EXPORT nvmlReturn_t nvmlInit_v2(void) { return begin(__func__); }
EXPORT nvmlReturn_t nvmlInitWithFlags(unsigned flags)
{
    (void)flags;
    return begin(__func__);
}

EXPORT nvmlReturn_t nvmlShutdown(void)
{
    ENTER();
    __atomic_sub_fetch(&sessions, 1, __ATOMIC_ACQ_REL);
    return SUCCESS;
}

/* ---- handles ------------------------------------------------------------------------------ */

static nvmlReturn_t count_devices(const char *function, unsigned *count)
{
    nvmlReturn_t code = nvml_enter(function);
    if (!code && !count)
        code = INVALID_ARGUMENT;
    if (!code)
        *count = (unsigned)gpu_count();
    return code;
}

EXPORT nvmlReturn_t nvmlDeviceGetCount(unsigned *count) { return count_devices(__func__, count); }
EXPORT nvmlReturn_t nvmlDeviceGetCount_v2(unsigned *count) { return count_devices(__func__, count); }

/* A lost GPU is still counted and fails here ("gpu.1.return = 15"). */
static nvmlReturn_t give_handle(const char *function, int gpu, int mig, nvmlDevice_t *out)
{
    char at[DEVICE_KEY];
    nvmlDevice_t device = device_of(gpu, mig);
    nvmlReturn_t code = device ? nvml_enter_device(function, device, at) : INVALID_ARGUMENT;
    if (!code)
        *out = device;
    return code;
}

static nvmlReturn_t handle_by_index(const char *function, unsigned index, nvmlDevice_t *out)
{
    if (!__atomic_load_n(&sessions, __ATOMIC_ACQUIRE))
        return UNINITIALIZED;
    if (!out || index >= (unsigned)gpu_count())
        return INVALID_ARGUMENT;
    return give_handle(function, (int)index, -1, out);
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByIndex(unsigned index, nvmlDevice_t *out)
{
    return handle_by_index(__func__, index, out);
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t *out)
{
    return handle_by_index(__func__, index, out);
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *out)
{
    if (!__atomic_load_n(&sessions, __ATOMIC_ACQUIRE))
        return UNINITIALIZED;
    if (!uuid || !out)
        return INVALID_ARGUMENT;
    for (int gpu = 0; gpu < gpu_count(); gpu++)
        for (int mig = -1; mig < MAX_MIG; mig++) {
            const char *own = mig < 0 ? scenario_text("gpu.%d.uuid", gpu) : scenario_text("gpu.%d.mig.%d.uuid", gpu, mig);
            if (own && !strcmp(own, uuid))
                return give_handle(__func__, gpu, mig, out);
        }
    ENTER();
    return NOT_FOUND;
}

static nvmlReturn_t handle_by_bus_id(const char *function, const char *bus_id, nvmlDevice_t *out)
{
    unsigned asked[3], own[3];
    if (!__atomic_load_n(&sessions, __ATOMIC_ACQUIRE))
        return UNINITIALIZED;
    if (!out || !scenario_pci_address(&asked[0], &asked[1], &asked[2], bus_id))
        return INVALID_ARGUMENT;
    for (int gpu = 0; gpu < gpu_count(); gpu++)
        if (scenario_pci_address(&own[0], &own[1], &own[2], scenario_text("gpu.%d.bus_id", gpu)) &&
            !memcmp(asked, own, sizeof own))
            return give_handle(function, gpu, -1, out);
    nvmlReturn_t code = nvml_enter(function);
    return code ? code : NOT_FOUND;
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByPciBusId(const char *bus_id, nvmlDevice_t *out)
{
    return handle_by_bus_id(__func__, bus_id, out);
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id, nvmlDevice_t *out)
{
    return handle_by_bus_id(__func__, bus_id, out);
}

/* ---- for the tests of the fake itself ----------------------------------------------------- */

/* Size of a struct by the name of its ctypes twin; 0 for an unknown name. */
EXPORT size_t envcheck_fake_sizeof(const char *name)
{
#define MATCH(struct_name, size, ...) \
    if (!strcmp(name, #struct_name)) \
        return sizeof(struct struct_name);
    STRUCTS(MATCH)
#undef MATCH
    return 0;
}
