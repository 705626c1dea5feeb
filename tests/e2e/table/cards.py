"""What is wrong with cards: eight of them in one machine, each with a fault of its own, show eight rules in one run."""

from __future__ import annotations

from tests.e2e.rows import Row, server
from tests.fakes import Machine, Scenario, gtx_1080_ti, healthy_h100, hgx_h100, rtx_5090, t4, v100

GIB = 1 << 30
INSUFFICIENT_POWER, GPU_IS_LOST, RESET_REQUIRED, UNKNOWN = 8, 15, 16, 999  # nvmlReturn_t
NODE_REBOOT = 2  # field 230, the recovery action
HW_SLOWDOWN, HW_THERMAL, POWER_BRAKE = 0x8, 0x40, 0x80  # nvmlClocksEventReasons


def sick_memory() -> Machine:
    eight = hgx_h100()
    return server(
        eight.gpu(0, ecc_volatile_uncorrected=2)
        .gpu(1, ecc_aggregate_corrected=30_000_000)
        .gpu(2, remapped_rows_pending=1)
        .gpu(3, remapped_rows_failed=1)
        .gpu(4, ecc=0, ecc_pending=0)
        .gpu(5, {"nvlink.3.active": 0})
        .gpu(6, {"nvlink.4.errors.1": 7})
        .gpu(7, inforom_valid=0)
    )


def process(pid: int, held: int) -> dict[str, str | int]:
    return {"process.0.pid": pid, "process.0.memory_bytes": held, "process.0.name": "/usr/bin/python3"}


def held_down() -> Machine:
    eight = hgx_h100()
    return server(
        eight.gpu(0, clock_reasons=HW_SLOWDOWN | HW_THERMAL, temperature_c=94, temperature_margin_c=1)
        .gpu(1, clock_reasons=POWER_BRAKE)
        .gpu(2, power_limit_enforced_mw=400_000)
        .gpu(3, clock_graphics_application_mhz=900)
        .gpu(4, persistence=0)
        .gpu(5, process(4242, 75 * GIB), memory_used_bytes=76 * GIB)
        .gpu(6, memory_used_bytes=20 * GIB)
        .gpu(7, process(4243, GIB), memory_used_bytes=GIB, compute_mode=3)
    )


def silent(scenario: Scenario, gpu: int, code: int, function: str | None = None) -> Scenario:
    """A card that NVML counts and that answers with an error; CUDA leaves it out."""
    return scenario.fault(function, gpu=gpu, code=code).gpu(gpu, {"cuda.hidden": 1})


def lost_and_refused() -> Machine:
    eight = hgx_h100()
    bus = [eight.get(f"gpu.{n}.bus_id") for n in range(8)]
    eight = silent(silent(silent(eight, 0, GPU_IS_LOST), 1, RESET_REQUIRED), 2, INSUFFICIENT_POWER)
    eight = silent(eight, 6, UNKNOWN, "nvmlDeviceGetHandleByIndex")
    return server(
        eight.gpu(3, {"field.230": NODE_REBOOT})
        .gpu(4, pcie_generation=3, performance_state=0, clock_reasons=0)
        .gpu(5, pcie_replays=2_000_000_000)
        .gpu(7, {"field.230": None}),
        f"[    9.100000] NVRM: GPU {bus[6]}: RmInitAdapter failed! (0x26:0xffff:1290)",
        f"[   10.500000] NVRM: Xid (PCI:{bus[7][:-2]}): 48, pid=1234, name=python, An uncorrectable double bit error",
    )


def switch_fault() -> Machine:
    return server(
        healthy_h100(2),
        "[   11.200000] nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 20034, Fatal, Link 30 LTSSM Fault Up",
    )


ROWS = {
    "healthy H100": Row(lambda: server(healthy_h100(2)), {}),
    "memory, links and boards": Row(
        sick_memory,
        {
            "ecc-uncorrectable": "error 0",
            "ecc-correctable-high": "note 1",
            "row-remap-pending": "warning 2",
            "row-remap-failed": "error 3",
            "ecc-disabled": "note 4",
            "nvlink-inactive": "warning 5",
            "nvlink-errors": "warning 6",
            "inforom-corrupt": "warning 7",
        },
    ),
    "clocks, power, memory and modes": Row(
        held_down,
        {
            "thermal-throttling": "warning 0",
            "power-brake": "warning 1",
            "power-cap-lowered": "warning 2",
            "clocks-locked": "warning 3",
            "persistence-off": "warning 4",
            "gpu-memory-held-by-others": "warning 5",
            "gpu-memory-orphaned": "warning 6",
            "compute-mode-exclusive": "warning 7",
        },
    ),
    "cards that do not answer": Row(
        lost_and_refused,
        {
            "gpu-fallen-off-bus": "error 0",
            "nvml-reset-required": "error 1 3",
            "gpu-aux-power-missing": "error 2",
            "pcie-link-degraded": "warning 4",
            "pcie-replay-or-aer-errors": "warning 5",
            "gpu-init-failed": "error 6",
            "xid-in-log": "error 7",
        },
    ),
    "NVSwitch": Row(switch_fault, {"nvswitch-fatal": "error"}),
    "Volta's pages": Row(
        lambda: server(v100(2).gpu(1, retired_pages_pending=1)),
        {"retired-pages": "warning 1", "gpu-older-than-torch-archs": "error"},
    ),
    "one card that CUDA leaves out": Row(
        lambda: server(healthy_h100(2).gpu(1, {"cuda.hidden": 1})), {"gpu-count-below-expected": "error"}
    ),
    "T4 in a cloud": Row(lambda: server(t4()), {"pcie-link-degraded": "note 0"}),
    "idle GeForce": Row(
        lambda: server(rtx_5090().gpu(0, bar1_total_bytes=256 << 20)).put({"sys/class/dmi/id/chassis_type": "3\n"}),
        {"pcie-link-idle-downshift": "note 0", "resizable-bar-off": "note 0", "persistence-off": "note 0"},
        arguments=("--pedantic",),
    ),
    "GeForce with a display": Row(
        lambda: server(gtx_1080_ti()).put({"sys/class/dmi/id/chassis_type": "3\n"}),
        {"gpu-older-than-torch-archs": "error", "pcie-link-idle-downshift": "note 0"},
    ),
}
