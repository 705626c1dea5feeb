/* Events (Xid, ECC) and the profiling metrics: what NVML hands out over time. */
#define _GNU_SOURCE
#include "nvml.h"

#include <stdlib.h>
#include <time.h>

/* ---- events ------------------------------------------------------------------------------- */

struct event_set {
    unsigned long long types[MAX_GPUS]; /* registered event types of each GPU */
    int delivered;                      /* events before this number have been handed out or passed over */
};

ULONG_CALL(nvmlDeviceGetSupportedEventTypes, "event_types")

EXPORT nvmlReturn_t nvmlEventSetCreate(struct event_set **out)
{
    ENTER();
    if (!out)
        return INVALID_ARGUMENT;
    *out = calloc(1, sizeof **out);
    return *out ? SUCCESS : OUT_OF_MEMORY;
}

EXPORT nvmlReturn_t nvmlEventSetFree(struct event_set *set)
{
    ENTER();
    free(set);
    return SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceRegisterEvents(nvmlDevice_t device, unsigned long long types, struct event_set *set)
{
    ENTER_DEVICE(device);
    unsigned long long supported;
    nvmlReturn_t code = set ? answer_ulong(&supported, "%s.event_types", at) : INVALID_ARGUMENT;
    if (code)
        return code;
    if (types & ~supported)
        return NOT_SUPPORTED;
    set->types[device->gpu] |= types;
    return SUCCESS;
}

/* Hands out "event.N" in order, each once its "after_ms" (since loading) is over. */
static nvmlReturn_t wait_for_event(const char *function, struct event_set *set, struct c_nvmlEventData_t *out,
                                   unsigned timeout_ms)
{
    nvmlReturn_t code = nvml_enter(function);
    if (code)
        return code;
    if (!set || !out)
        return INVALID_ARGUMENT;
    unsigned long long deadline = scenario_elapsed_ms() + timeout_ms;
    for (;;) {
        unsigned long long type;
        while (scenario_integer(&type, "event.%d.type", set->delivered)) {
            int number = set->delivered, gpu = (int)scenario_integer_or(0, "event.%d.gpu", number);
            if (scenario_integer_or(0, "event.%d.after_ms", number) > scenario_elapsed_ms())
                break;
            set->delivered++;
            if (gpu >= MAX_GPUS || !(set->types[gpu] & type))
                continue;
            *out = (struct c_nvmlEventData_t){device_of(gpu, -1), type,
                                              scenario_integer_or(0, "event.%d.data", number), 0xffffffff, 0xffffffff};
            return SUCCESS;
        }
        if (scenario_elapsed_ms() >= deadline)
            return TIMEOUT;
        nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
}

EXPORT nvmlReturn_t nvmlEventSetWait(struct event_set *set, struct c_nvmlEventData_t *out, unsigned timeout_ms)
{
    return wait_for_event(__func__, set, out, timeout_ms);
}

EXPORT nvmlReturn_t nvmlEventSetWait_v2(struct event_set *set, struct c_nvmlEventData_t *out, unsigned timeout_ms)
{
    return wait_for_event(__func__, set, out, timeout_ms);
}

/* ---- profiling metrics (GPM) -------------------------------------------------------------- */

struct sample {
    int gpu; /* -1: nothing sampled yet */
};

/* The header has an array of NVML_GPM_METRIC_MAX metrics, which grows with every release: only the asked ones count. */
struct metrics_get {
    uint32_t version, count;
    struct sample *first, *second;
    struct c_nvmlGpmMetric_t metrics[];
};

EXPORT nvmlReturn_t nvmlGpmQueryDeviceSupport(nvmlDevice_t device, struct c_nvmlGpmSupport_t *out)
{
    ENTER_DEVICE(device);
    if (!out)
        return INVALID_ARGUMENT;
    if (out->version != 1) /* NVML_GPM_SUPPORT_VERSION is a plain 1 */
        return ARGUMENT_VERSION_MISMATCH;
    out->isSupportedDevice = (uint32_t)scenario_integer_or(0, "%s.gpm_supported", at);
    return SUCCESS;
}

EXPORT nvmlReturn_t nvmlGpmSampleAlloc(struct sample **out)
{
    ENTER();
    if (!out)
        return INVALID_ARGUMENT;
    if (!(*out = malloc(sizeof **out)))
        return OUT_OF_MEMORY;
    (*out)->gpu = -1;
    return SUCCESS;
}

EXPORT nvmlReturn_t nvmlGpmSampleFree(struct sample *sample)
{
    ENTER();
    free(sample);
    return SUCCESS;
}

EXPORT nvmlReturn_t nvmlGpmSampleGet(nvmlDevice_t device, struct sample *sample)
{
    ENTER_DEVICE(device);
    if (!sample)
        return INVALID_ARGUMENT;
    if (!scenario_integer_or(0, "%s.gpm_supported", at))
        return NOT_SUPPORTED;
    sample->gpu = device->gpu;
    return SUCCESS;
}

EXPORT nvmlReturn_t nvmlGpmMetricsGet(struct metrics_get *get)
{
    ENTER();
    if (!get || !get->first || !get->second || get->first->gpu < 0 || get->first->gpu != get->second->gpu)
        return INVALID_ARGUMENT;
    if (get->version != 1)
        return ARGUMENT_VERSION_MISMATCH;
    for (uint32_t i = 0; i < get->count; i++) {
        struct c_nvmlGpmMetric_t *metric = &get->metrics[i];
        bool known = scenario_real(&metric->value, "gpu.%d.gpm.%u", get->first->gpu, metric->metricId);
        metric->nvmlReturn = known ? SUCCESS : NOT_SUPPORTED;
    }
    return SUCCESS;
}
