"""What NVML's numbers mean (nvml.h), in the words that the facts use."""

from .answer import unread

NOT_SUPPORTED, NO_PERMISSION, INVALID_ARGUMENT = 3, 4, 2
INSUFFICIENT_SIZE, FUNCTION_NOT_FOUND, TIMEOUT = 7, 13, 10
LIBRARY_NOT_FOUND, GPU_IS_LOST, RESET_REQUIRED = 12, 15, 16
VERSION_MISMATCH, DEPRECATED = 25, 26

ABSENT = {1, 6, 9, 12, 21, 28}  # uninitialised, not found, driver not loaded, library not found, no data, no GPU

BRANDS = {  # as nvidia-smi spells them
    0: "Unknown",
    1: "Quadro",
    2: "Tesla",
    3: "NVS",
    4: "GRID",
    5: "GeForce",
    6: "Titan",
    7: "NVIDIA Virtual Applications",
    8: "NVIDIA Virtual PC",
    9: "NVIDIA Virtual Compute Server",
    10: "NVIDIA RTX Virtual Workstation",
    11: "NVIDIA Cloud Gaming",
    12: "Quadro RTX",
    13: "NVIDIA RTX",
    14: "NVIDIA",
    15: "GeForce RTX",
    16: "Titan RTX",
    18: "NVIDIA RTX Virtual Game Dev",
}
ARCHITECTURES = {
    2: "Kepler",
    3: "Maxwell",
    4: "Pascal",
    5: "Volta",
    6: "Turing",
    7: "Ampere",
    8: "Ada Lovelace",
    9: "Hopper",
    10: "Blackwell",
    13: "Rubin",
}
VIRTUALIZATION = {0: "none", 1: "passthrough", 2: "vgpu", 3: "host-vgpu", 4: "host-vsga"}
DRIVER_MODELS = {0: "WDDM", 1: "TCC", 2: "MCDM"}
COMPUTE_MODES = {0: "default", 1: "exclusive_thread", 2: "prohibited", 3: "exclusive_process"}
ADDRESSING_MODES = {0: "none", 1: "HMM", 2: "ATS"}
RECOVERY_ACTIONS = {
    0: "none",
    1: "gpu_reset",
    2: "node_reboot",
    3: "drain_p2p",
    4: "drain_and_reset",
    5: "recover_imex",
    6: "bus_reset",
    7: "system_reboot",
}
FABRIC_STATES = {0: "not_supported", 1: "not_started", 2: "in_progress", 3: "completed"}
FABRIC_SWITCHES = (  # bit at which a two-bit field begins whose value 1 is bad
    (0, "degraded_bandwidth"),
    (2, "route_recovery"),
    (4, "route_unhealthy"),
    (6, "access_timeout_recovery"),
)
FABRIC_CONFIGURATIONS = {  # four bits at 8; 0 not told, 1 right
    2: "incorrect_system_guid",
    3: "incorrect_chassis_serial",
    4: "no_partition",
    5: "insufficient_nvlinks",
    6: "incompatible_gpu_firmware",
    7: "invalid_location",
    8: "invalid_gpu_state",
}
CLOCK_REASONS = {
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
LICENSES = {False: "Unlicensed", True: "Licensed"}
NVLINK_GENERATIONS = {1: 1, 2: 2, 3: 2, 4: 3, 5: 3, 6: 4, 7: 5, 8: 6}  # 3 is NVLink 2.2, 5 is 3.1
P2P_STATUS = {0: "ok", 1: "chipset", 2: "gpu", 3: "topology", 4: "disabled", 5: "not_supported"}
TOPOLOGY = {0: "PIX", 10: "PIX", 20: "PXB", 30: "PHB", 40: "NODE", 50: "SYS"}  # 0: both on one board


def word(table, what):
    """A reader of numbers: the table's word, or an Unread that says which number it lacks."""

    def read(number):
        known = table.get(number)
        return unread("newer_than_table", "%s %d" % (what, number)) if known is None else known

    return read


def clock_reasons(bits):
    """Names of the bits that are set; a bit without a name is given as a number."""
    found, bit = [], 1
    while bit <= bits:
        if bits & bit:
            found.append(CLOCK_REASONS.get(bit, "0x%x" % bit))
        bit <<= 1
    return found


def fabric_health(mask):
    """What a fabric health mask reports as bad."""
    found = [name for shift, name in FABRIC_SWITCHES if mask >> shift & 3 == 1]
    wrong = FABRIC_CONFIGURATIONS.get(mask >> 8 & 0xF)
    return found + [wrong] if wrong else found
