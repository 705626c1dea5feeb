/* What NVML answers about a device's present state: clocks, PCIe link, power, temperature. */
#include "nvml.h"

/* ---- clocks ------------------------------------------------------------------------------- */

static nvmlReturn_t answer_clock(const char *at, unsigned type, const char *which, unsigned *out)
{
    static const char *const types[] = {"graphics", "sm", "memory", "video"};
    return type < COUNT(types) ? answer_uint(out, "%s.clock_%s%s_mhz", at, types[type], which) : INVALID_ARGUMENT;
}

#define CLOCK_CALL(function, which) \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, unsigned type, unsigned *out) \
    { \
        ENTER_DEVICE(device); \
        return answer_clock(at, type, which, out); \
    }

CLOCK_CALL(nvmlDeviceGetClockInfo, "")
CLOCK_CALL(nvmlDeviceGetMaxClockInfo, "_max")
CLOCK_CALL(nvmlDeviceGetApplicationsClock, "_application")
CLOCK_CALL(nvmlDeviceGetDefaultApplicationsClock, "_default_application")
CLOCK_CALL(nvmlDeviceGetMaxCustomerBoostClock, "_boost")

EXPORT nvmlReturn_t nvmlDeviceGetClock(nvmlDevice_t device, unsigned type, unsigned id, unsigned *out)
{
    static const char *const which[] = {"", "_application", "_default_application", "_boost"};
    ENTER_DEVICE(device);
    return id < COUNT(which) ? answer_clock(at, type, which[id], out) : INVALID_ARGUMENT;
}

ULONG_CALL(nvmlDeviceGetCurrentClocksEventReasons, "clock_reasons")
ULONG_CALL(nvmlDeviceGetCurrentClocksThrottleReasons, "clock_reasons")
ULONG_CALL(nvmlDeviceGetSupportedClocksEventReasons, "clock_reasons_supported")
ULONG_CALL(nvmlDeviceGetSupportedClocksThrottleReasons, "clock_reasons_supported")

/* Policies: 0 power, 1 thermal, 2 sync boost, 3 board limit, 4 low utilisation, 5 reliability. */
EXPORT nvmlReturn_t nvmlDeviceGetViolationStatus(nvmlDevice_t device, unsigned policy,
                                                 struct c_nvmlViolationTime_t *out)
{
    ENTER_DEVICE(device);
    unsigned long long time;
    nvmlReturn_t code = out ? answer_ulong(&time, "%s.violation.%u.time_ns", at, policy) : INVALID_ARGUMENT;
    if (!code)
        *out = (struct c_nvmlViolationTime_t){
            scenario_integer_or(scenario_elapsed_ms() * 1000, "%s.violation.%u.reference_us", at, policy), time};
    return code;
}

/* ---- PCIe link ---------------------------------------------------------------------------- */

UINT_CALL(nvmlDeviceGetCurrPcieLinkGeneration, "pcie_generation")
UINT_CALL(nvmlDeviceGetMaxPcieLinkGeneration, "pcie_generation_max")
UINT_CALL(nvmlDeviceGetGpuMaxPcieLinkGeneration, "pcie_generation_card_max")
UINT_CALL(nvmlDeviceGetCurrPcieLinkWidth, "pcie_width")
UINT_CALL(nvmlDeviceGetMaxPcieLinkWidth, "pcie_width_max")
UINT_CALL(nvmlDeviceGetPcieReplayCounter, "pcie_replays")
UINT_CALL(nvmlDeviceGetPcieLinkMaxSpeed, "pcie_link_max_speed")
UINT_CALL(nvmlDeviceGetPcieSpeed, "pcie_speed_mbps")

EXPORT nvmlReturn_t nvmlDeviceGetPcieThroughput(nvmlDevice_t device, unsigned counter, unsigned *out)
{
    ENTER_DEVICE(device);
    return answer_uint(out, "%s.pcie_%s_kbps", at, counter ? "rx" : "tx");
}

/* ---- power -------------------------------------------------------------------------------- */

UINT_CALL(nvmlDeviceGetPowerUsage, "power_mw")
UINT_CALL(nvmlDeviceGetPowerManagementLimit, "power_limit_mw")
UINT_CALL(nvmlDeviceGetPowerManagementDefaultLimit, "power_limit_default_mw")
UINT_CALL(nvmlDeviceGetEnforcedPowerLimit, "power_limit_enforced_mw")
ULONG_CALL(nvmlDeviceGetTotalEnergyConsumption, "energy_mj")

EXPORT nvmlReturn_t nvmlDeviceGetPowerManagementLimitConstraints(nvmlDevice_t device, unsigned *min, unsigned *max)
{
    ENTER_DEVICE(device);
    nvmlReturn_t code = answer_uint(min, "%s.power_limit_min_mw", at);
    return code ? code : answer_uint(max, "%s.power_limit_max_mw", at);
}

/* ---- temperature and fans ----------------------------------------------------------------- */

EXPORT nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, unsigned sensor, unsigned *out)
{
    ENTER_DEVICE(device);
    return sensor ? INVALID_ARGUMENT : answer_uint(out, "%s.temperature_c", at); /* 0 is the only sensor */
}

EXPORT nvmlReturn_t nvmlDeviceGetTemperatureV(nvmlDevice_t device, struct c_nvmlTemperature_v1_t *out)
{
    ENTER_DEVICE(device);
    if (!out)
        return INVALID_ARGUMENT;
    if (!knows_version(__func__, out->version, sizeof *out, 1))
        return ARGUMENT_VERSION_MISMATCH;
    return out->sensorType ? INVALID_ARGUMENT : answer_uint((uint32_t *)&out->temperature, "%s.temperature_c", at);
}

EXPORT nvmlReturn_t nvmlDeviceGetTemperatureThreshold(nvmlDevice_t device, unsigned type, unsigned *out)
{
    static const char *const types[] = {"shutdown", "slowdown", "memory_max", "gpu_max"};
    ENTER_DEVICE(device);
    return type < COUNT(types) ? answer_uint(out, "%s.temperature_%s_c", at, types[type]) : NOT_SUPPORTED;
}

EXPORT nvmlReturn_t nvmlDeviceGetMarginTemperature(nvmlDevice_t device, struct c_nvmlMarginTemperature_v1_t *out)
{
    ENTER_DEVICE(device);
    if (!out)
        return INVALID_ARGUMENT;
    if (!knows_version(__func__, out->version, sizeof *out, 1))
        return ARGUMENT_VERSION_MISMATCH;
    return answer_uint((uint32_t *)&out->marginTemperature, "%s.temperature_margin_c", at);
}

UINT_CALL(nvmlDeviceGetFanSpeed, "fan.0.percent")
UINT_CALL(nvmlDeviceGetNumFans, "fans")

EXPORT nvmlReturn_t nvmlDeviceGetFanSpeed_v2(nvmlDevice_t device, unsigned fan, unsigned *out)
{
    ENTER_DEVICE(device);
    return answer_uint(out, "%s.fan.%u.percent", at, fan);
}
