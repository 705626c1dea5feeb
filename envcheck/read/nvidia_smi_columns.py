"""The columns of nvidia-smi's CSV: which field each tells, and how its cells are read.

Names are those of ``nvidia-smi --help-query-gpu`` of drivers 530 to 595, with the short forms that the same help gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

from envcheck.facts import CLOCK_REASONS

from .nvidia_smi_fields import Read, as_whole, read_field, read_value

# Field of Gpu → columns that tell it, the best first.
_COLUMNS: dict[str, tuple[str, ...]] = {
    "name": ("name", "gpu_name"),
    "uuid": ("uuid", "gpu_uuid"),
    "serial": ("serial", "gpu_serial"),
    "bus_id": ("pci.bus_id", "gpu_bus_id"),
    "pci_device_id": ("pci.device_id",),
    "pci_subsystem_id": ("pci.sub_device_id",),
    "vbios": ("vbios_version",),
    "driver_model": ("driver_model.current",),
    "memory_total_bytes": ("memory.total",),
    "memory_used_bytes": ("memory.used",),
    "memory_free_bytes": ("memory.free",),
    "memory_reserved_bytes": ("memory.reserved",),
    "utilization_percent": ("utilization.gpu",),
    "memory_utilization_percent": ("utilization.memory",),
    "performance_state": ("pstate",),
    "persistence": ("persistence_mode",),
    "compute_mode": ("compute_mode",),
    "display_mode": ("display_attached", "display_mode"),
    "display_active": ("display_active",),
    "addressing_mode": ("addressing_mode",),
    "clock_sm_mhz": ("clocks.current.sm", "clocks.sm"),
    "clock_memory_mhz": ("clocks.current.memory", "clocks.mem"),
    "clock_graphics_mhz": ("clocks.current.graphics", "clocks.gr"),
    "clock_sm_max_mhz": ("clocks.max.sm",),
    "clock_memory_max_mhz": ("clocks.max.memory", "clocks.max.mem"),
    "clock_application_sm_mhz": ("clocks.applications.graphics", "clocks.applications.gr"),
    "clock_default_application_sm_mhz": ("clocks.default_applications.graphics", "clocks.default_applications.gr"),
    "temperature_c": ("temperature.gpu",),
    "temperature_memory_c": ("temperature.memory",),
    "temperature_margin_c": ("temperature.gpu.tlimit",),
    "fan_percent": ("fan.speed",),
    "power_w": ("power.draw.average", "power.draw", "power.draw.instant"),
    "power_limit_w": ("enforced.power.limit", "power.limit"),
    "power_limit_default_w": ("power.default_limit",),
    "power_limit_min_w": ("power.min_limit",),
    "power_limit_max_w": ("power.max_limit",),
    "pcie_generation": ("pcie.link.gen.current", "pcie.link.gen.gpucurrent"),
    "pcie_generation_max": ("pcie.link.gen.max",),
    "pcie_generation_card_max": ("pcie.link.gen.gpumax",),
    "pcie_width": ("pcie.link.width.current",),
    "pcie_width_max": ("pcie.link.width.max",),
    "ecc_enabled": ("ecc.mode.current",),
    "ecc_pending": ("ecc.mode.pending",),
    "ecc_sram_threshold_exceeded": ("ecc.errors.uncorrected.aggregate.sram.thresholdExceeded",),
    "retired_pages_single_bit": ("retired_pages.single_bit_ecc.count", "retired_pages.sbe"),
    "retired_pages_double_bit": ("retired_pages.double_bit.count", "retired_pages.dbe"),
    "retired_pages_pending": ("retired_pages.pending",),
    "remapped_rows_corrected": ("remapped_rows.correctable",),
    "remapped_rows_uncorrected": ("remapped_rows.uncorrectable",),
    "remapped_rows_pending": ("remapped_rows.pending",),
    "remapped_rows_failed": ("remapped_rows.failure",),
    "remapped_banks_exhausted": ("remapped_rows.histogram.none",),
    "mig_mode": ("mig.mode.current",),
    "mig_pending": ("mig.mode.pending",),
    "fabric_state": ("fabric.state",),
    "fabric_status": ("fabric.status",),
    "fabric_clique": ("fabric.cliqueId",),
    "recovery_action": ("gpu_recovery_action",),
}


def _as_capability(text: str) -> int:
    found = re.fullmatch(r"(\d{1,2})\.(\d)", text)
    if not found:
        raise ValueError(text)
    return int(found[1]) * 10 + int(found[2])


def _as_validity(text: str) -> bool:
    if text.lower() not in ("valid", "invalid"):
        raise ValueError(text)
    return text.lower() == "valid"


def _as_reasons(text: str) -> list[str]:
    bits = int(text, 16)
    if bits >> 64:
        raise ValueError(text)
    return [CLOCK_REASONS.get(1 << n, f"0x{1 << n:x}") for n in range(64) if bits >> n & 1]


def _reader(read: Read, none: bool) -> Callable[[str], Any]:
    return lambda text: read_value(text, read, none)


READINGS: dict[str, tuple[tuple[str, ...], Callable[[str], Any]]] = {
    name: (columns, partial(read_field, name)) for name, columns in _COLUMNS.items()
}
READINGS |= {
    "compute_capability": (("compute_cap",), _reader(_as_capability, False)),
    "inforom_valid": (("inforom.checksum_validation",), _reader(_as_validity, True)),
    "clock_reasons": (
        ("clocks_event_reasons.active", "clocks_throttle_reasons.active"),
        _reader(_as_reasons, False),
    ),
    "ecc_sram_uncorrected": (("ecc.errors.uncorrected.aggregate.sram",), _reader(as_whole, True)),
}
READINGS |= {
    f"ecc_{kind}_{sort}": ((f"ecc.errors.{sort}.{kind}.total",), _reader(as_whole, True))
    for kind in ("volatile", "aggregate")
    for sort in ("corrected", "uncorrected")
}

_OF_THE_REPORT = frozenset({"driver_version", "kmd_version", "count", "timestamp", "index"})
_OF_APPS = frozenset(
    {"pid", "process_name", "used_gpu_memory", "used_memory", "gpu_utilization", "mem_utilization", "max_memory_usage"}
    | {"retired_pages.address", "retired_pages.cause", "retired_pages.timestamp"}
)
KNOWN = frozenset(column for columns, _ in READINGS.values() for column in columns) | _OF_THE_REPORT | _OF_APPS
