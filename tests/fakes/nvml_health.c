/* What NVML answers about a device's health: ECC, pages, rows, repairs, field values, events. */
#define _GNU_SOURCE
#include "nvml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- ECC ---------------------------------------------------------------------------------- */

PAIR_CALL(nvmlDeviceGetEccMode, "ecc", "ecc_pending")

static const char *const error_types[] = {"corrected", "uncorrected"};
static const char *const counter_types[] = {"volatile", "aggregate"};

EXPORT nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t device, unsigned error, unsigned counter,
                                                unsigned long long *out)
{
    ENTER_DEVICE(device);
    if (error >= COUNT(error_types) || counter >= COUNT(counter_types))
        return INVALID_ARGUMENT;
    return answer_ulong(out, "%s.ecc_%s_%s", at, counter_types[counter], error_types[error]);
}

/* Locations: 0 L1, 1 L2, 2 DRAM, 3 register file, 4 texture memory, 5 texture shared, 6 CBU, 7 SRAM. */
EXPORT nvmlReturn_t nvmlDeviceGetMemoryErrorCounter(nvmlDevice_t device, unsigned error, unsigned counter,
                                                    unsigned location, unsigned long long *out)
{
    ENTER_DEVICE(device);
    if (error >= COUNT(error_types) || counter >= COUNT(counter_types))
        return INVALID_ARGUMENT;
    return answer_ulong(out, "%s.ecc_%s_%s.%u", at, counter_types[counter], error_types[error], location);
}

EXPORT nvmlReturn_t nvmlDeviceGetDetailedEccErrors(nvmlDevice_t device, unsigned error, unsigned counter,
                                                   struct c_nvmlEccErrorCounts_t *out)
{
    ENTER_DEVICE(device);
    unsigned long long counts[4];
    if (!out || error >= COUNT(error_types) || counter >= COUNT(counter_types))
        return INVALID_ARGUMENT;
    for (unsigned location = 0; location < COUNT(counts); location++) {
        nvmlReturn_t code = answer_ulong(&counts[location], "%s.ecc_%s_%s.%u", at, counter_types[counter],
                                         error_types[error], location);
        if (code)
            return code;
    }
    *out = (struct c_nvmlEccErrorCounts_t){counts[0], counts[1], counts[2], counts[3]};
    return SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetSramEccErrorStatus(nvmlDevice_t device, struct c_nvmlEccSramErrorStatus_v1_t *out)
{
    static const char *const keys[] = {"aggregate_unc_parity", "aggregate_unc_secded", "aggregate_cor",
                                       "volatile_unc_parity", "volatile_unc_secded", "volatile_cor",
                                       "bucket_l2", "bucket_sm", "bucket_pcie", "bucket_mcu", "bucket_other"};
    _Static_assert(COUNT(keys) == COUNT(out->counts), "a key for each counter");
    ENTER_DEVICE(device);
    if (!out)
        return INVALID_ARGUMENT;
    if (!knows_version(__func__, out->version, sizeof *out, 1))
        return ARGUMENT_VERSION_MISMATCH;
    nvmlReturn_t code = answer_uint(&out->bThresholdExceeded, "%s.sram.threshold_exceeded", at);
    for (size_t i = 0; !code && i < COUNT(keys); i++)
        out->counts[i] = scenario_integer_or(0, "%s.sram.%s", at, keys[i]);
    return code;
}

/* ---- pages and rows ----------------------------------------------------------------------- */

/* "retired_pages.CAUSE = 0xADDRESS@TIME, ..."; CAUSE 0 single bit, 1 double bit; an empty value is an empty list. */
static nvmlReturn_t list_retired_pages(const char *at, unsigned cause, unsigned *count, unsigned long long *addresses,
                                       unsigned long long *times)
{
    const char *text = scenario_text("%s.retired_pages.%u", at, cause);
    if (!count)
        return INVALID_ARGUMENT;
    if (!text)
        return NOT_SUPPORTED;
    unsigned room = addresses ? *count : 0, pages = 0;
    for (const char *rest = text; *rest;) {
        char *end;
        unsigned long long address = strtoull(rest, &end, 0), time = 0;
        if (end == rest)
            return UNKNOWN; /* not a list of addresses */
        if (*end == '@')
            time = strtoull(end + 1, &end, 0);
        if (pages < room) {
            addresses[pages] = address;
            if (times)
                times[pages] = time;
        }
        pages++;
        rest = end + strspn(end, ", ");
    }
    *count = pages;
    return pages > room ? INSUFFICIENT_SIZE : SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetRetiredPages(nvmlDevice_t device, unsigned cause, unsigned *count,
                                              unsigned long long *addresses)
{
    ENTER_DEVICE(device);
    return list_retired_pages(at, cause, count, addresses, NULL);
}

EXPORT nvmlReturn_t nvmlDeviceGetRetiredPages_v2(nvmlDevice_t device, unsigned cause, unsigned *count,
                                                 unsigned long long *addresses, unsigned long long *times)
{
    /* The binding's first call passes no fifth argument at all: `times` counts only beside `addresses`. */
    ENTER_DEVICE(device);
    return list_retired_pages(at, cause, count, addresses, addresses ? times : NULL);
}

UINT_CALL(nvmlDeviceGetRetiredPagesPendingStatus, "retired_pages_pending")

EXPORT nvmlReturn_t nvmlDeviceGetRemappedRows(nvmlDevice_t device, unsigned *corrected, unsigned *uncorrected,
                                              unsigned *pending, unsigned *failed)
{
    ENTER_DEVICE(device);
    if (!uncorrected || !pending || !failed)
        return INVALID_ARGUMENT;
    nvmlReturn_t code = answer_uint(corrected, "%s.remapped_rows_corrected", at);
    if (!code) {
        *uncorrected = (unsigned)scenario_integer_or(0, "%s.remapped_rows_uncorrected", at);
        *pending = (unsigned)scenario_integer_or(0, "%s.remapped_rows_pending", at);
        *failed = (unsigned)scenario_integer_or(0, "%s.remapped_rows_failed", at);
    }
    return code;
}

EXPORT nvmlReturn_t nvmlDeviceGetRemappedRows_v2(nvmlDevice_t device, struct c_nvmlRemappedRowsInfo_v2_t *out)
{
    ENTER_DEVICE(device);
    nvmlReturn_t code = answer_uint(out ? &out->corrActiveRemaps : NULL, "%s.remapped_rows_corrected", at);
    if (!code) {
        out->corrInactiveRemaps = (uint32_t)scenario_integer_or(0, "%s.remapped_rows_corrected_inactive", at);
        out->uncActiveRemaps = (uint32_t)scenario_integer_or(0, "%s.remapped_rows_uncorrected", at);
        out->uncInactiveRemaps = (uint32_t)scenario_integer_or(0, "%s.remapped_rows_uncorrected_inactive", at);
        out->bPending = (uint32_t)scenario_integer_or(0, "%s.remapped_rows_pending", at);
        out->bFailure = (uint32_t)scenario_integer_or(0, "%s.remapped_rows_failed", at);
    }
    return code;
}

EXPORT nvmlReturn_t nvmlDeviceGetRowRemapperHistogram(nvmlDevice_t device,
                                                      struct c_nvmlRowRemapperHistogramValues *out)
{
    ENTER_DEVICE(device);
    nvmlReturn_t code = answer_uint(out ? &out->max : NULL, "%s.remapped_banks.max", at);
    if (!code) {
        out->high = (uint32_t)scenario_integer_or(0, "%s.remapped_banks.high", at);
        out->partial = (uint32_t)scenario_integer_or(0, "%s.remapped_banks.partial", at);
        out->low = (uint32_t)scenario_integer_or(0, "%s.remapped_banks.low", at);
        out->none = (uint32_t)scenario_integer_or(0, "%s.remapped_banks.none", at);
    }
    return code;
}

/* ---- repairs and board data --------------------------------------------------------------- */

EXPORT nvmlReturn_t nvmlDeviceGetRepairStatus(nvmlDevice_t device, struct c_nvmlRepairStatus_t *out)
{
    ENTER_DEVICE(device);
    if (!out)
        return INVALID_ARGUMENT;
    if (!knows_version(__func__, out->version, sizeof *out, 1))
        return ARGUMENT_VERSION_MISMATCH;
    nvmlReturn_t code = answer_uint(&out->bChannelRepairPending, "%s.repair_channel_pending", at);
    return code ? code : answer_uint(&out->bTpcRepairPending, "%s.repair_tpc_pending", at);
}

EXPORT nvmlReturn_t nvmlDeviceValidateInforom(nvmlDevice_t device)
{
    ENTER_DEVICE(device);
    uint32_t valid;
    nvmlReturn_t code = answer_uint(&valid, "%s.inforom_valid", at);
    return code ? code : valid ? SUCCESS : CORRUPTED_INFOROM;
}

/* ---- field values ------------------------------------------------------------------------- */

/*
 * "field.ID[.SCOPE] = value", with ".type" (an nvmlValueType_t, 1 unsigned int unless set) and
 * ".return" for this one value.  The call succeeds although single values may not.
 */
static void answer_field(struct c_nvmlFieldValue_t *field, const char *at)
{
    enum { DOUBLE = 0, UNSIGNED_INT = 1, SIGNED_INT = 5, UNSIGNED_SHORT = 6 };
    char key[96];
    snprintf(key, sizeof key, "%s.field.%u.%u", at, field->fieldId, field->scopeId);
    if (!scenario_text("%s", key))
        snprintf(key, sizeof key, "%s.field.%u", at, field->fieldId);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    field->timestamp = now.tv_sec * 1000000 + now.tv_nsec / 1000;
    field->latencyUsec = 0;
    field->valueType = (uint32_t)scenario_integer_or(UNSIGNED_INT, "%s.type", key);
    field->nvmlReturn = (nvmlReturn_t)scenario_integer_or(SUCCESS, "%s.return", key);
    field->value.ullVal = 0;
    unsigned long long value = 0;
    bool known = field->valueType == DOUBLE ? scenario_real(&field->value.dVal, "%s", key)
                                            : scenario_integer(&value, "%s", key);
    if (!known && !field->nvmlReturn)
        field->nvmlReturn = NOT_SUPPORTED;
    if (!known || field->valueType == DOUBLE)
        return;
    if (field->valueType == UNSIGNED_INT || field->valueType == SIGNED_INT)
        field->value.uiVal = (uint32_t)value;
    else if (field->valueType == UNSIGNED_SHORT)
        field->value.usVal = (uint16_t)value;
    else
        field->value.ullVal = value;
}

EXPORT nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, struct c_nvmlFieldValue_t *fields)
{
    ENTER_DEVICE(device);
    if (count < 0 || (count && !fields))
        return INVALID_ARGUMENT;
    for (int i = 0; i < count; i++)
        answer_field(&fields[i], at);
    return SUCCESS;
}
