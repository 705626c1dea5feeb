"""What NVML says, per GPU.  nvidia-smi's outputs are read into the same :class:`Gpu`."""

from __future__ import annotations

from .fact import NOT_ASKED, Fact, Record, Section


class GpuProcess(Record, frozen=True, kw_only=True):
    """A process on a GPU.  Memory is unread on WDDM, WSL and in containers; pids are the host's."""

    pid: int
    kind: str = "compute"  # compute, graphics, mps
    name: Fact[str] = NOT_ASKED
    memory_bytes: Fact[int] = NOT_ASKED
    own: Fact[bool] = NOT_ASKED  # runs under the uid that asked


class MigDevice(Record, frozen=True, kw_only=True):
    """One MIG device of a GPU."""

    uuid: Fact[str] = NOT_ASKED
    profile: Fact[str] = NOT_ASKED  # "1g.10gb"
    gpu_instance: Fact[int] = NOT_ASKED
    compute_instance: Fact[int] = NOT_ASKED
    memory_bytes: Fact[int] = NOT_ASKED
    multiprocessors: Fact[int] = NOT_ASKED


class NvLink(Record, frozen=True, kw_only=True):
    """One NVLink of a GPU."""

    link: int
    active: Fact[bool] = NOT_ASKED
    version: Fact[int] = NOT_ASKED
    replay_errors: Fact[int] = NOT_ASKED
    recovery_errors: Fact[int] = NOT_ASKED
    crc_errors: Fact[int] = NOT_ASKED
    remote_bus_id: Fact[str] = NOT_ASKED


class Gpu(Record, frozen=True, kw_only=True):
    """One physical GPU as NVML or nvidia-smi sees it.  Units stand in the field names.

    ``error_code`` is the nvmlReturn_t of the call that fetched the handle or of the first call on
    it (15 lost, 16 reset required); ``None`` means that the handle answered.
    """

    index: int
    error_code: Fact[int] = NOT_ASKED
    error_text: Fact[str] = NOT_ASKED
    uuid: Fact[str] = NOT_ASKED
    name: Fact[str] = NOT_ASKED
    bus_id: Fact[str] = NOT_ASKED  # "0000:17:00.0", lower case, 4-digit domain
    pci_device_id: Fact[int] = NOT_ASKED  # device id alone, without the vendor
    pci_subsystem_id: Fact[int] = NOT_ASKED
    minor: Fact[int] = NOT_ASKED
    brand: Fact[str] = NOT_ASKED
    architecture: Fact[str] = NOT_ASKED  # "Hopper"
    compute_capability: Fact[int] = NOT_ASKED  # major*10+minor: 90
    cores: Fact[int] = NOT_ASKED
    bus_width_bits: Fact[int] = NOT_ASKED
    vbios: Fact[str] = NOT_ASKED
    serial: Fact[str] = NOT_ASKED
    gsp_firmware: Fact[str] = NOT_ASKED
    virtualization: Fact[str] = NOT_ASKED  # none, passthrough, vgpu, host-vgpu, host-vsga
    driver_model: Fact[str] = NOT_ASKED  # WDDM, TCC, MCDM
    license_status: Fact[str] = NOT_ASKED

    memory_total_bytes: Fact[int] = NOT_ASKED
    memory_used_bytes: Fact[int] = NOT_ASKED
    memory_free_bytes: Fact[int] = NOT_ASKED
    memory_reserved_bytes: Fact[int] = NOT_ASKED
    bar1_total_bytes: Fact[int] = NOT_ASKED
    bar1_used_bytes: Fact[int] = NOT_ASKED
    processes: Fact[list[GpuProcess]] = NOT_ASKED

    utilization_percent: Fact[int] = NOT_ASKED
    memory_utilization_percent: Fact[int] = NOT_ASKED
    performance_state: Fact[int] = NOT_ASKED  # 0 = P0
    persistence: Fact[bool] = NOT_ASKED
    compute_mode: Fact[str] = NOT_ASKED  # default, exclusive_thread, prohibited, exclusive_process
    display_mode: Fact[bool] = NOT_ASKED
    display_active: Fact[bool] = NOT_ASKED
    addressing_mode: Fact[str] = NOT_ASKED

    clock_sm_mhz: Fact[int] = NOT_ASKED
    clock_memory_mhz: Fact[int] = NOT_ASKED
    clock_graphics_mhz: Fact[int] = NOT_ASKED
    clock_sm_max_mhz: Fact[int] = NOT_ASKED
    clock_memory_max_mhz: Fact[int] = NOT_ASKED
    clock_boost_mhz: Fact[int] = NOT_ASKED  # MaxCustomerBoostClock
    clock_application_sm_mhz: Fact[int] = NOT_ASKED
    clock_default_application_sm_mhz: Fact[int] = NOT_ASKED
    clock_reasons: Fact[list[str]] = NOT_ASKED  # names of compat-free bits: see CLOCK_REASONS

    temperature_c: Fact[int] = NOT_ASKED
    temperature_memory_c: Fact[int] = NOT_ASKED
    temperature_slowdown_c: Fact[int] = NOT_ASKED
    temperature_shutdown_c: Fact[int] = NOT_ASKED
    temperature_margin_c: Fact[int] = NOT_ASKED  # T.Limit of Ada, Hopper and newer
    fan_percent: Fact[int] = NOT_ASKED
    power_w: Fact[float] = NOT_ASKED
    power_limit_w: Fact[float] = NOT_ASKED  # enforced
    power_limit_default_w: Fact[float] = NOT_ASKED
    power_limit_min_w: Fact[float] = NOT_ASKED
    power_limit_max_w: Fact[float] = NOT_ASKED
    energy_j: Fact[float] = NOT_ASKED

    pcie_generation: Fact[int] = NOT_ASKED
    pcie_generation_max: Fact[int] = NOT_ASKED  # of card and system together
    pcie_generation_card_max: Fact[int] = NOT_ASKED
    pcie_width: Fact[int] = NOT_ASKED
    pcie_width_max: Fact[int] = NOT_ASKED
    pcie_replays: Fact[int] = NOT_ASKED

    ecc_enabled: Fact[bool] = NOT_ASKED  # None: the board has no ECC switch
    ecc_pending: Fact[bool] = NOT_ASKED
    ecc_volatile_corrected: Fact[int] = NOT_ASKED
    ecc_volatile_uncorrected: Fact[int] = NOT_ASKED
    ecc_aggregate_corrected: Fact[int] = NOT_ASKED
    ecc_aggregate_uncorrected: Fact[int] = NOT_ASKED
    ecc_sram_uncorrected: Fact[int] = NOT_ASKED
    ecc_sram_threshold_exceeded: Fact[bool] = NOT_ASKED
    retired_pages_single_bit: Fact[int] = NOT_ASKED
    retired_pages_double_bit: Fact[int] = NOT_ASKED
    retired_pages_pending: Fact[bool] = NOT_ASKED
    remapped_rows_corrected: Fact[int] = NOT_ASKED
    remapped_rows_uncorrected: Fact[int] = NOT_ASKED
    remapped_rows_pending: Fact[bool] = NOT_ASKED
    remapped_rows_failed: Fact[bool] = NOT_ASKED
    remapped_banks_exhausted: Fact[int] = NOT_ASKED  # histogram "none": banks without a spare row

    mig_mode: Fact[bool] = NOT_ASKED  # None: no MIG on this board
    mig_pending: Fact[bool] = NOT_ASKED
    mig_devices: Fact[list[MigDevice]] = NOT_ASKED
    fabric_state: Fact[str] = NOT_ASKED  # not_supported, not_started, in_progress, completed
    fabric_status: Fact[int] = NOT_ASKED  # nvmlReturn_t of the fabric registration
    fabric_clique: Fact[int] = NOT_ASKED
    fabric_health: Fact[list[str]] = NOT_ASKED  # what the health mask reports as bad
    nvlinks: Fact[list[NvLink]] = NOT_ASKED
    recovery_action: Fact[str] = NOT_ASKED  # none, gpu_reset, node_reboot, drain_p2p, drain_and_reset, recover_imex
    inforom_valid: Fact[bool] = NOT_ASKED
    repair_pending: Fact[bool] = NOT_ASKED


class P2p(Record, frozen=True, kw_only=True):
    """Peer-to-peer status of a pair of GPUs, and how they are joined."""

    a: int
    b: int
    read_status: Fact[str] = NOT_ASKED  # ok, chipset, gpu, topology, disabled, not_supported
    path: Fact[str] = NOT_ASKED  # NV18, PIX, PXB, PHB, NODE, SYS


class Nvml(Section, frozen=True, kw_only=True, tag="nvml"):
    """The NVML session of one child process."""

    library: Fact[str] = NOT_ASKED  # path of the library that was loaded
    init_code: Fact[int] = NOT_ASKED  # nvmlReturn_t of nvmlInit: 0 success, 9 driver not loaded, 18 mismatch
    init_error: Fact[str] = NOT_ASKED  # verbatim; None after success
    driver_version: Fact[str] = NOT_ASKED
    nvml_version: Fact[str] = NOT_ASKED
    driver_branch: Fact[str] = NOT_ASKED
    cuda_version: Fact[int] = NOT_ASKED  # 12040 = 12.4, by nvmlSystemGetCudaDriverVersion_v2 (asks libcuda)
    cuda_version_kernel: Fact[int] = NOT_ASKED  # by the call without _v2 (the driver's own number)
    confidential_compute: Fact[bool] = NOT_ASKED
    device_count: Fact[int] = NOT_ASKED
    gpus: Fact[list[Gpu]] = NOT_ASKED
    pairs: Fact[list[P2p]] = NOT_ASKED
    waited_seconds: Fact[float] = NOT_ASKED  # how long an answer was waited for in vain; None: it came
    process_state: Fact[str] = NOT_ASKED  # state letter of a child that never answered: "D" is uninterruptible


class Smi(Section, frozen=True, kw_only=True, tag="smi"):
    """nvidia-smi as a witness: its XML (live) or any recorded form of its output."""

    path: Fact[str] = NOT_ASKED  # None: no such program on PATH
    exit_code: Fact[int] = NOT_ASKED
    error: Fact[str] = NOT_ASKED  # the one line that it says instead of a report
    form: Fact[str] = NOT_ASKED  # xml, table, q, csv, list, topo
    driver_version: Fact[str] = NOT_ASKED
    nvml_version: Fact[str] = NOT_ASKED
    cuda_version: Fact[str] = NOT_ASKED  # "12.4"
    attached_gpus: Fact[int] = NOT_ASKED
    gpus: Fact[list[Gpu]] = NOT_ASKED
    pairs: Fact[list[P2p]] = NOT_ASKED


NVML_OK = 0
CLOCK_REASONS: dict[int, str] = {
    0x1: "idle",
    0x2: "application_clocks",
    0x4: "sw_power_cap",
    0x8: "hw_slowdown",
    0x10: "sync_boost",
    0x20: "sw_thermal",
    0x40: "hw_thermal",
    0x80: "hw_power_brake",
    0x100: "display_clocks",
}
"""Bits of nvmlClocksEventReasons (nvml.h)."""
