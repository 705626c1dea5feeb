"""Groups of figures that boards share."""

from __future__ import annotations

import hashlib

from .scenario import Value

Board = dict[str, Value]

MIB = 1 << 20
IDLE = 0x1  # clock event reason
ECC_ZERO: Board = {
    f"ecc_{counter}_{error}{location}": 0
    for counter in ("volatile", "aggregate")
    for error in ("corrected", "uncorrected")
    for location in ("", ".0", ".1", ".2", ".3")
}
NO_RETIRED_PAGES: Board = {"retired_pages.0": "", "retired_pages.1": "", "retired_pages_pending": 0}


def identify(board: str, index: int, prefix: str = "GPU-") -> str:
    """A UUID that is the same in every run."""
    digits = hashlib.sha256(f"{board} {index}".encode()).hexdigest()
    return f"{prefix}{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


def memory(total_mib: int, reserved_mib: int, bar1_mib: int) -> Board:
    """Sizes in MiB; nothing used."""
    return {
        "memory_total_bytes": total_mib * MIB,
        "memory_reserved_bytes": reserved_mib * MIB,
        "memory_used_bytes": 0,
        "bar1_total_bytes": bar1_mib * MIB,
        "bar1_used_bytes": 2 * MIB,
    }


def clocks(graphics: int, memory: int, sm_max: int, memory_max: int, video: int, video_max: int) -> Board:
    """MHz now and at most; the SM clock is the graphics clock."""
    return {
        "clock_graphics_mhz": graphics,
        "clock_sm_mhz": graphics,
        "clock_memory_mhz": memory,
        "clock_video_mhz": video,
        "clock_graphics_max_mhz": sm_max,
        "clock_sm_max_mhz": sm_max,
        "clock_memory_max_mhz": memory_max,
        "clock_video_max_mhz": video_max,
        "clock_reasons": IDLE,
        "clock_reasons_supported": 0x1FF,
    }


def application_clocks(sm: int, memory: int, boost: int) -> Board:
    """MHz: as set and by default, and the customer boost."""
    set_to = {f"clock_{kind}_{which}_mhz": sm for kind in ("graphics", "sm") for which in _WHICH}
    memory_set_to = {f"clock_memory_{which}_mhz": memory for which in _WHICH}
    return {**set_to, **memory_set_to, "clock_graphics_boost_mhz": boost, "clock_sm_boost_mhz": boost}


_WHICH = ("application", "default_application")


def power(now_w: float, limit_w: int, least_w: int, most_w: int) -> Board:
    """Watts: now, limit, least and most that may be set."""
    limits = dict.fromkeys(("power_limit_mw", "power_limit_enforced_mw", "power_limit_default_mw"), limit_w * 1000)
    return {
        "power_mw": round(now_w * 1000),
        **limits,
        "power_limit_min_mw": least_w * 1000,
        "power_limit_max_mw": most_w * 1000,
    }


def link(generation: int, now: int | None = None) -> Board:
    """PCIe x16 of a generation; ``now`` is the generation that an idle card has dropped to."""
    return {
        "pcie_generation": now or generation,
        "pcie_generation_max": generation,
        "pcie_generation_card_max": generation,
        "pcie_width": 16,
        "pcie_width_max": 16,
        "pcie_replays": 0,
        "pcie_link_max_speed": generation,
        "pcie_tx_kbps": 502,
        "pcie_rx_kbps": 578,
    }


def nvlinks(count: int, version: int, switches: tuple[str, ...] = (), switch_id: int = 0) -> Board:
    """So many links of an nvmlNvlinkVersion, without errors; to switches where they are given."""
    board: Board = {}
    for link in range(count):
        at = f"nvlink.{link}"
        board |= {f"{at}.active": 1, f"{at}.version": version}
        board |= {f"{at}.errors.{counter}": 0 for counter in range(4)}
        if switches:
            board[f"{at}.remote_bus_id"] = switches[link % len(switches)]
            board[f"{at}.remote_device_id"] = switch_id
            board[f"{at}.remote_type"] = 2
    return board


COMMON: Board = {
    "performance_state": 0,
    "persistence": 1,
    "compute_mode": 0,
    "display_mode": 0,
    "display_active": 0,
    "utilization_percent": 0,
    "memory_utilization_percent": 0,
    "virtualization": 0,
    "multi_gpu_board": 0,
    "inforom_valid": 1,
    "event_types": 0x9F,
    "field.230": 0,
    "violation.0.time_ns": 0,
    "violation.1.time_ns": 0,
    "cpu_affinity": "0-63",
    "memory_affinity": "0",
}
