/*
 * Which devices CUDA enumerates, and in which order.
 *
 * The rules are those of the CUDA programming guide (environment variables) and, where the guide is
 * silent, those that torch/cuda/__init__.py follows: numbers read as by strtoul, a negative or
 * unparsable item ends the list, a repeated item empties it, UUIDs may be unambiguous beginnings,
 * numbers and UUIDs do not mix, a number without a device ends the list.
 */
#define _GNU_SOURCE
#include "cuda.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int gpu_count(void)
{
    unsigned long long count = scenario_integer_or(0, "gpus");
    return count > MAX_DEVICES ? MAX_DEVICES : (int)count;
}

static bool hidden(int gpu)
{
    return scenario_integer_or(0, "gpu.%d.cuda.hidden", gpu) != 0;
}

/* ---- order -------------------------------------------------------------------------------- */

static unsigned long long bus_position(int gpu)
{
    unsigned domain, bus, device;
    if (!scenario_pci_address(&domain, &bus, &device, scenario_text("gpu.%d.bus_id", gpu)))
        return (unsigned long long)gpu;
    return (unsigned long long)domain << 16 | bus << 8 | device;
}

static bool comes_before(int a, int b, bool by_bus)
{
    if (by_bus)
        return bus_position(a) < bus_position(b);
    /* The default, FASTEST_FIRST: a heuristic of the driver; here the scenario's "cuda.speed". */
    return scenario_integer_or(0, "gpu.%d.cuda.speed", a) > scenario_integer_or(0, "gpu.%d.cuda.speed", b);
}

static int order_gpus(int ordered[MAX_DEVICES])
{
    const char *order = getenv("CUDA_DEVICE_ORDER");
    bool by_bus = order && !strcmp(order, "PCI_BUS_ID");
    int count = 0;
    for (int gpu = 0; gpu < gpu_count(); gpu++) {
        if (hidden(gpu))
            continue;
        int place = count++;
        for (; place > 0 && comes_before(gpu, ordered[place - 1], by_bus); place--)
            ordered[place] = ordered[place - 1];
        ordered[place] = gpu;
    }
    return count;
}

/* ---- the mask ----------------------------------------------------------------------------- */

static bool same(struct visible a, struct visible b)
{
    return a.gpu == b.gpu && a.mig == b.mig;
}

/* Adds a device; false: it is there already, which empties the whole list. */
static bool add(struct visible *list, int *count, struct visible device)
{
    for (int i = 0; i < *count; i++)
        if (same(list[i], device))
            return false;
    if (*count < MAX_DEVICES)
        list[(*count)++] = device;
    return true;
}

/* The number that an item begins with; -1 for none. */
static long leading_number(const char *item)
{
    char *end;
    while (isspace((unsigned char)*item))
        item++;
    long number = strtol(item, &end, 10);
    return end == item ? -1 : number;
}

static int select_by_number(struct visible *list, char *mask, const int *ordered, int gpus)
{
    long numbers[MAX_DEVICES];
    int asked = 0, count = 0;
    for (char *item; (item = strsep(&mask, ",")) && asked < MAX_DEVICES;) {
        long number = leading_number(item);
        for (int i = 0; i < asked; i++)
            if (numbers[i] == number)
                return 0;
        if (number < 0)
            break;
        numbers[asked++] = number;
    }
    for (; count < asked && numbers[count] < gpus; count++)
        list[count] = (struct visible){ordered[numbers[count]], -1};
    return count;
}

/* The only device whose UUID begins with `item`; false: none, or several. */
static bool match_uuid(struct visible *device, const char *item, bool mig_devices)
{
    int matches = 0;
    for (int gpu = 0; gpu < gpu_count(); gpu++)
        for (int mig = mig_devices ? 0 : -1; mig < (mig_devices ? MAX_MIG : 0); mig++) {
            const char *uuid = mig < 0 ? scenario_text("gpu.%d.uuid", gpu) : scenario_text("gpu.%d.mig.%d.uuid", gpu, mig);
            if (!uuid || hidden(gpu) || strncmp(uuid, item, strlen(item)))
                continue;
            *device = (struct visible){gpu, mig};
            matches++;
        }
    return matches == 1;
}

/* "MIG-GPU-<uuid>/<gpu instance>/<compute instance>": the form of drivers before 470. */
static bool match_old_mig_form(struct visible *device, const char *item)
{
    const char *driver = scenario_text("driver_version"), *slash = strchr(item, '/');
    unsigned instance, part;
    if (!driver || atoi(driver) >= 470 || !slash || sscanf(slash, "/%u/%u", &instance, &part) != 2)
        return false;
    for (int gpu = 0; gpu < gpu_count(); gpu++) {
        const char *uuid = scenario_text("gpu.%d.uuid", gpu);
        if (!uuid || strncmp(uuid, item + 4, (size_t)(slash - item - 4)))
            continue;
        for (int mig = 0; mig < MAX_MIG; mig++)
            if (scenario_integer_or(~0ull, "gpu.%d.mig.%d.gpu_instance", gpu, mig) == instance &&
                scenario_integer_or(~0ull, "gpu.%d.mig.%d.compute_instance", gpu, mig) == part) {
                *device = (struct visible){gpu, mig};
                return true;
            }
    }
    return false;
}

static int select_by_uuid(struct visible *list, char *mask, const char *prefix)
{
    bool mig = *prefix == 'M';
    int count = 0;
    for (char *item; (item = strsep(&mask, ","));) {
        struct visible device;
        if (strncmp(item, prefix, strlen(prefix)))
            break;
        bool old = mig && !strncmp(item, "MIG-GPU-", 8);
        if (!(old ? match_old_mig_form(&device, item) : match_uuid(&device, item, mig)))
            break;
        if (!add(list, &count, device))
            return 0;
    }
    return count;
}

/* ---- MIG ---------------------------------------------------------------------------------- */

static int first_mig_device(int gpu)
{
    for (int mig = 0; mig < MAX_MIG; mig++)
        if (scenario_text("gpu.%d.mig.%d.uuid", gpu, mig))
            return mig;
    return -1;
}

/*
 * A GPU in MIG mode counts only through its instances; one compute instance at most is enumerated,
 * and with it no other GPU (MIG user guide, "CUDA visible devices").
 */
static int apply_mig(struct visible *list, int count)
{
    int kept = 0;
    for (int i = 0; i < count; i++) {
        struct visible device = list[i];
        if (device.mig < 0 && scenario_integer_or(0, "gpu.%d.mig_mode", device.gpu)) {
            device.mig = first_mig_device(device.gpu);
            if (device.mig < 0)
                continue;
        }
        if (device.mig >= 0) {
            list[0] = device;
            return 1;
        }
        list[kept++] = device;
    }
    return kept;
}

int cuda_enumerate(struct visible devices[MAX_DEVICES])
{
    int ordered[MAX_DEVICES], gpus = order_gpus(ordered), count = 0;
    const char *mask = getenv("CUDA_VISIBLE_DEVICES");
    if (!mask) {
        for (; count < gpus; count++)
            devices[count] = (struct visible){ordered[count], -1};
        return apply_mig(devices, count);
    }
    char *copy = strdup(mask);
    if (!copy)
        return 0;
    if (!strncmp(copy, "GPU-", 4))
        count = select_by_uuid(devices, copy, "GPU-");
    else if (!strncmp(copy, "MIG-", 4))
        count = select_by_uuid(devices, copy, "MIG-");
    else
        count = select_by_number(devices, copy, ordered, gpus);
    free(copy);
    return apply_mig(devices, count);
}
