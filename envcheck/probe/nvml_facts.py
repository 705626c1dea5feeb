"""Which call of NVML gives which fact of a GPU, where one call gives one fact."""

from .answer import unread
from .nvml_words import ADDRESSING_MODES, ARCHITECTURES, BRANDS, COMPUTE_MODES, LICENSES, word

UNKNOWN_STATE = 32  # NVML_PSTATE_UNKNOWN
GRAPHICS, SM, MEMORY = 0, 1, 2  # nvmlClockType_t
SHUTDOWN, SLOWDOWN = 0, 1  # nvmlTemperatureThresholds_t


def thousandth(number):
    """Watts of milliwatts, joules of millijoules."""
    return number / 1000.0


def performance_state(number):
    return unread("garbled", "NVML says: unknown") if number == UNKNOWN_STATE else number


# fact, nvmlDeviceGet..., arguments, how the answer is read
PLAIN = (
    ("name", "Name", (), None),
    ("minor", "MinorNumber", (), None),
    ("brand", "Brand", (), word(BRANDS, "brand")),
    ("architecture", "Architecture", (), word(ARCHITECTURES, "architecture")),
    ("compute_capability", "CudaComputeCapability", (), lambda pair: pair[0] * 10 + pair[1]),
    ("cores", "NumGpuCores", (), None),
    ("bus_width_bits", "MemoryBusWidth", (), None),
    ("vbios", "VbiosVersion", (), None),
    ("performance_state", "PerformanceState", (), performance_state),
    ("persistence", "PersistenceMode", (), bool),
    ("compute_mode", "ComputeMode", (), word(COMPUTE_MODES, "compute mode")),
    ("display_mode", "DisplayMode", (), bool),
    ("display_active", "DisplayActive", (), bool),
    ("addressing_mode", "AddressingMode", (), word(ADDRESSING_MODES, "addressing mode")),
    ("clock_sm_mhz", "ClockInfo", (SM,), None),
    ("clock_memory_mhz", "ClockInfo", (MEMORY,), None),
    ("clock_graphics_mhz", "ClockInfo", (GRAPHICS,), None),
    ("clock_sm_max_mhz", "MaxClockInfo", (SM,), None),
    ("clock_memory_max_mhz", "MaxClockInfo", (MEMORY,), None),
    ("power_w", "PowerUsage", (), thousandth),
    ("power_limit_w", "EnforcedPowerLimit", (), thousandth),
    ("power_limit_default_w", "PowerManagementDefaultLimit", (), thousandth),
    ("energy_j", "TotalEnergyConsumption", (), thousandth),
    ("pcie_generation", "CurrPcieLinkGeneration", (), None),
    ("pcie_generation_max", "MaxPcieLinkGeneration", (), None),
    ("pcie_generation_card_max", "GpuMaxPcieLinkGeneration", (), None),
    ("pcie_width", "CurrPcieLinkWidth", (), None),
    ("pcie_width_max", "MaxPcieLinkWidth", (), None),
    ("pcie_replays", "PcieReplayCounter", (), None),
    ("repair_pending", "RepairStatus", (), any),
)
# The same, where "not supported" means that the board has no such thing.
OPTIONAL = (
    ("serial", "Serial", (), None),
    ("fan_percent", "FanSpeed", (), None),
    # Boards since Ada tell the margin to the limit in place of the limits themselves.
    ("temperature_slowdown_c", "TemperatureThreshold", (SLOWDOWN,), None),
    ("temperature_shutdown_c", "TemperatureThreshold", (SHUTDOWN,), None),
    ("temperature_margin_c", "MarginTemperature", (), None),
    ("clock_boost_mhz", "MaxCustomerBoostClock", (GRAPHICS,), None),  # nvidia-smi asks these for graphics, too
    ("clock_application_sm_mhz", "ApplicationsClock", (GRAPHICS,), None),
    ("clock_default_application_sm_mhz", "DefaultApplicationsClock", (GRAPHICS,), None),
    ("ecc_volatile_corrected", "TotalEccErrors", (0, 0), None),
    ("ecc_volatile_uncorrected", "TotalEccErrors", (1, 0), None),
    ("ecc_aggregate_corrected", "TotalEccErrors", (0, 1), None),
    ("ecc_aggregate_uncorrected", "TotalEccErrors", (1, 1), None),
    ("retired_pages_pending", "RetiredPagesPendingStatus", (), bool),
    ("remapped_banks_exhausted", "RowRemapperHistogram", (), lambda histogram: histogram.none),
)


def licence(told):
    """A vGPU guest's licence; None where the board needs none.  featureState is zero for an unlicensed feature."""
    if not told.isGridLicenseSupported:
        return None
    features = told.gridLicensableFeatures[: told.licensableFeaturesCount]
    return LICENSES[any(feature.featureState for feature in features)]


def field_value(value):
    """The number in a field value: nvmlValueType_t says which member of the union holds it."""
    member = {0: "dVal", 1: "uiVal", 2: "ulVal", 3: "ullVal", 4: "sllVal", 5: "siVal", 6: "usVal"}[value.valueType]
    number = getattr(value.value, member)
    return int(number)
