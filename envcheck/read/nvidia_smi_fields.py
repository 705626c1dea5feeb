"""The words of nvidia-smi's reports as values: which field stands where, and what "N/A" means for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from envcheck.facts import Unread

from .lines import Line

MOST_GPUS = 256
"""GPUs that are taken from a text: no machine has as many, and a text may be hostile."""

Read = Callable[[str], Any]
Note: TypeAlias = Callable[[str, Line], None]
"""Told of every fact that is read from a text: its pointer below /smi, and the line that states it."""

MIB = 1 << 20

_NUMBER = re.compile(r"-?\d{1,12}(?:\.\d{1,12})?(?!\d)")  # no reading is longer, and a hostile text may be
_HEX = re.compile(r"(?:0x)?[0-9a-fA-F]{1,8}")
_BUS_ID = re.compile(r"([0-9a-fA-F]{4,8}):([0-9a-fA-F]{2}):([0-9a-fA-F]{2})\.([0-7])$")
_ERRORS = frozenset({"err!", "unknown error", "gpu requires reset"})


def read_value(text: str, read: Read, none: bool) -> Any:
    """The fact behind one reading's text.

    ``none`` says what "N/A" means: the board has no such thing (``None``), or its value cannot be told (unread).
    """
    plain = text.strip("[]").strip()
    low = plain.lower()
    if low in ("n/a", ""):
        return None if none and plain else Unread("unsupported" if plain else "garbled", text)
    if low in ("not supported", "function not found", "unknown") or low.startswith(
        ("requested functionality", "not available")
    ):
        return Unread("unsupported", text)
    if "insufficient permissions" in low:
        return Unread("refused", text)
    if low in _ERRORS or low.startswith("gpu is lost"):
        return Unread("garbled", text)
    try:
        return read(plain)
    except ValueError:
        return Unread("garbled", text)


# Readings: text of one element → value.  ValueError: not in the form expected.


def as_word(text: str) -> str:
    return text


def as_mode(text: str) -> str | None:
    return None if text == "None" else text.lower()


def as_whole(text: str) -> int:
    return int(as_number(text))


def as_number(text: str) -> float:
    match = _NUMBER.match(text)
    if not match:
        raise ValueError(text)
    return float(match[0])


def as_bytes(text: str) -> int:
    return as_whole(text) * MIB


_ON = frozenset({"enabled", "yes", "active", "on"})
_OFF = frozenset({"disabled", "no", "not active", "off"})


def as_switch(text: str) -> bool:
    if text.lower() not in _ON | _OFF:
        raise ValueError(text)
    return text.lower() in _ON


def as_bus_id(text: str) -> str:
    match = _BUS_ID.match(text)
    if not match:
        raise ValueError(text)
    return f"{int(match[1], 16):04x}:{match[2]}:{match[3]}.{match[4]}".lower()


def as_pstate(text: str) -> int:
    if not re.fullmatch(r"P\d{1,2}", text):
        raise ValueError(text)
    return int(text[1:])


def as_device_id(text: str) -> int:
    """0x2330 of "233010DE": the lower half is the vendor."""
    return as_full_id(text) >> 16


def as_full_id(text: str) -> int:
    if not _HEX.fullmatch(text):
        raise ValueError(text)
    return int(text, 16)


def as_snake(text: str) -> str:
    return re.sub(r"[\s/-]+", "_", text.strip().lower())


def as_virtualization(text: str) -> str:
    # NVML's own names are "passthrough" and "vgpu"; nvidia-smi writes "Pass-Through", "VGPU", "Host VGPU".
    return {"pass-through": "passthrough", "host vgpu": "host-vgpu", "host vsga": "host-vsga"}.get(
        text.lower(), text.lower()
    )


def as_success(text: str) -> int:
    """nvmlReturn_t of the fabric's registration; only success is one word in every driver."""
    if text != "Success":
        raise ValueError(text)
    return 0


_POWER = ("gpu_power_readings", "power_readings")


class Field(NamedTuple):
    """Where one field of :class:`~envcheck.facts.Gpu` stands."""

    name: str
    read: Read
    none: bool  # "N/A" means that the board has no such thing, not that its value cannot be told
    paths: tuple[str, ...]  # below <gpu>, newest DTD first


FIELDS: tuple[Field, ...] = (
    Field("name", as_word, False, ("product_name",)),
    Field("brand", as_word, False, ("product_brand",)),
    Field("architecture", as_word, False, ("product_architecture",)),
    Field("uuid", as_word, False, ("uuid",)),
    Field("minor", as_whole, True, ("minor_number",)),
    Field("serial", as_word, True, ("serial",)),
    Field("vbios", as_word, False, ("vbios_version",)),
    Field("gsp_firmware", as_word, True, ("gsp_firmware_version",)),
    Field("virtualization", as_virtualization, False, ("gpu_virtualization_mode/virtualization_mode",)),
    Field("driver_model", as_word, True, ("driver_model/current_dm",)),
    Field("license_status", as_word, True, ("vgpu_software_licensed_product/license_status",)),
    Field("bus_id", as_bus_id, False, ("pci/pci_bus_id",)),
    Field("pci_device_id", as_device_id, False, ("pci/pci_device_id",)),
    Field("pci_subsystem_id", as_full_id, False, ("pci/pci_sub_system_id",)),
    Field("memory_total_bytes", as_bytes, False, ("fb_memory_usage/total",)),
    Field("memory_used_bytes", as_bytes, False, ("fb_memory_usage/used",)),
    Field("memory_free_bytes", as_bytes, False, ("fb_memory_usage/free",)),
    Field("memory_reserved_bytes", as_bytes, False, ("fb_memory_usage/reserved",)),
    Field("bar1_total_bytes", as_bytes, False, ("bar1_memory_usage/total",)),
    Field("bar1_used_bytes", as_bytes, False, ("bar1_memory_usage/used",)),
    Field("utilization_percent", as_whole, False, ("utilization/gpu_util",)),
    Field("memory_utilization_percent", as_whole, False, ("utilization/memory_util",)),
    Field("performance_state", as_pstate, False, ("performance_state",)),
    Field("persistence", as_switch, True, ("persistence_mode",)),
    Field("compute_mode", as_snake, False, ("compute_mode",)),
    Field("display_mode", as_switch, True, ("display_attached", "display_mode")),
    Field("display_active", as_switch, True, ("display_active",)),
    Field("addressing_mode", as_mode, True, ("addressing_mode",)),
    Field("clock_sm_mhz", as_whole, False, ("clocks/sm_clock",)),
    Field("clock_memory_mhz", as_whole, False, ("clocks/mem_clock",)),
    Field("clock_graphics_mhz", as_whole, False, ("clocks/graphics_clock",)),
    Field("clock_sm_max_mhz", as_whole, False, ("max_clocks/sm_clock",)),
    Field("clock_memory_max_mhz", as_whole, False, ("max_clocks/mem_clock",)),
    Field("clock_boost_mhz", as_whole, True, ("max_customer_boost_clocks/graphics_clock",)),
    Field("clock_application_sm_mhz", as_whole, True, ("applications_clocks/graphics_clock",)),
    Field("clock_default_application_sm_mhz", as_whole, True, ("default_applications_clocks/graphics_clock",)),
    Field("temperature_c", as_whole, False, ("temperature/gpu_temp",)),
    Field("temperature_memory_c", as_whole, True, ("temperature/memory_temp",)),
    Field("temperature_slowdown_c", as_whole, True, ("temperature/gpu_temp_slow_threshold",)),
    Field("temperature_shutdown_c", as_whole, True, ("temperature/gpu_temp_max_threshold",)),
    Field("temperature_margin_c", as_whole, True, ("temperature/gpu_temp_tlimit",)),
    Field("fan_percent", as_whole, True, ("fan_speed",)),
    Field("power_w", as_number, False, tuple(f"{p}/{n}" for n in ("average_power_draw", "power_draw") for p in _POWER)),
    Field(
        "power_limit_w",
        as_number,
        True,
        ("gpu_power_readings/current_power_limit", "power_readings/enforced_power_limit"),
    ),
    Field("power_limit_default_w", as_number, True, tuple(f"{p}/default_power_limit" for p in _POWER)),
    Field("power_limit_min_w", as_number, True, tuple(f"{p}/min_power_limit" for p in _POWER)),
    Field("power_limit_max_w", as_number, True, tuple(f"{p}/max_power_limit" for p in _POWER)),
    Field("pcie_generation", as_whole, False, ("pci/pci_gpu_link_info/pcie_gen/current_link_gen",)),
    Field("pcie_generation_max", as_whole, False, ("pci/pci_gpu_link_info/pcie_gen/max_link_gen",)),
    Field("pcie_generation_card_max", as_whole, False, ("pci/pci_gpu_link_info/pcie_gen/max_device_link_gen",)),
    Field("pcie_width", as_whole, False, ("pci/pci_gpu_link_info/link_widths/current_link_width",)),
    Field("pcie_width_max", as_whole, False, ("pci/pci_gpu_link_info/link_widths/max_link_width",)),
    Field("pcie_replays", as_whole, False, ("pci/replay_counter",)),
    Field("ecc_enabled", as_switch, True, ("ecc_mode/current_ecc",)),
    Field("ecc_pending", as_switch, True, ("ecc_mode/pending_ecc",)),
    Field("ecc_sram_threshold_exceeded", as_switch, True, ("ecc_errors/aggregate/sram_threshold_exceeded",)),
    Field("retired_pages_single_bit", as_whole, True, ("retired_pages/multiple_single_bit_retirement/retired_count",)),
    Field("retired_pages_double_bit", as_whole, True, ("retired_pages/double_bit_retirement/retired_count",)),
    Field("retired_pages_pending", as_switch, True, ("retired_pages/pending_retirement",)),
    Field("remapped_rows_corrected", as_whole, True, ("remapped_rows/remapped_row_corr",)),
    Field("remapped_rows_uncorrected", as_whole, True, ("remapped_rows/remapped_row_unc",)),
    Field("remapped_rows_pending", as_switch, True, ("remapped_rows/remapped_row_pending",)),
    Field("remapped_rows_failed", as_switch, True, ("remapped_rows/remapped_row_failure",)),
    Field(
        "remapped_banks_exhausted",
        as_whole,
        True,
        ("remapped_rows/row_remapper_histogram/row_remapper_histogram_none",),
    ),
    Field("mig_mode", as_switch, True, ("mig_mode/current_mig",)),
    Field("mig_pending", as_switch, True, ("mig_mode/pending_mig",)),
    Field("fabric_state", as_snake, True, ("fabric/state",)),
    Field("fabric_status", as_success, True, ("fabric/status",)),
    Field("fabric_clique", as_whole, True, ("fabric/cliqueId",)),
    Field("recovery_action", as_snake, True, ("gpu_recovery_action",)),
)

_BY_NAME = {field.name: field for field in FIELDS}


def read_field(name: str, text: str) -> Any:
    """The fact of one field of :class:`~envcheck.facts.Gpu` behind its reading's text, in whatever form it stands."""
    field = _BY_NAME[name]
    return read_value(text.strip(), field.read, field.none)


# Counters that a newer DTD splits (SRAM parity and SEC-DED apart) are summed.
SUMS: dict[str, tuple[str, ...]] = {
    f"ecc_{kind}_{sort}": tuple(f"ecc_errors/{kind}/{name}" for name in names)
    for kind in ("volatile", "aggregate")
    for sort, names in {
        "corrected": ("sram_correctable", "dram_correctable", "single_bit/total"),
        "uncorrected": (
            "sram_uncorrectable",
            "sram_uncorrectable_parity",
            "sram_uncorrectable_secded",
            "dram_uncorrectable",
            "double_bit/total",
        ),
    }.items()
} | {
    "ecc_sram_uncorrected": tuple(
        f"ecc_errors/aggregate/{name}"
        for name in ("sram_uncorrectable", "sram_uncorrectable_parity", "sram_uncorrectable_secded")
    )
}

# Bits of nvmlClocksEventReasons by the tail of the element's name; "clocks_throttle_reason_" before driver 535.
REASONS = {
    "gpu_idle": "idle",
    "applications_clocks_setting": "application_clocks",
    "sw_power_cap": "sw_power_cap",
    "hw_slowdown": "hw_slowdown",
    "hw_thermal_slowdown": "hw_thermal",
    "hw_power_brake_slowdown": "hw_power_brake",
    "sync_boost": "sync_boost",
    "sw_thermal_slowdown": "sw_thermal",
    "display_clocks_setting": "display_clocks",
}
