"""All that NVML tells of one GPU, fact by fact."""

import ctypes
import sys

from . import nvml_topology
from .answer import describe, excuse, unread
from .nvml_facts import OPTIONAL, PLAIN, field_value, licence, thousandth
from .nvml_processes import processes
from .nvml_session import Gone
from .nvml_words import (
    DRIVER_MODELS,
    FUNCTION_NOT_FOUND,
    NO_PERMISSION,
    NOT_SUPPORTED,
    RECOVERY_ACTIONS,
    VIRTUALIZATION,
    clock_reasons,
    word,
)
from .shared_library import bus_id, plain

HARMLESS = (NOT_SUPPORTED, NO_PERMISSION, FUNCTION_NOT_FOUND)
CORRUPTED_INFOROM = 14
MEMORY_TEMPERATURE, RECOVERY_ACTION = 82, 230  # NVML_FI_DEV_*


def fill(record, session):
    """Fill one GPU's record.  A GPU that is gone keeps the facts that it gave before, and the error."""
    try:
        handle = session.call(("nvmlDeviceGetHandleByIndex", record["index"]))
        record["uuid"] = first_word(session, handle)
        session.handles[record["index"]] = handle
        record.update(error_code=None, error_text=None)
        Board(record, session, handle).tell()
    except session.Error as error:
        record.update(error_code=int(error.value), error_text=str(error))
    except Gone as gone:
        session.handles.pop(record["index"], None)
        record.update(error_code=gone.code, error_text=gone.text)
    except Exception as error:  # a slip in reading one GPU must not cost the others their facts
        record.update(error_code=excuse(error), error_text=describe(error))


def first_word(session, handle):
    """The UUID.  Whatever else this first call answers than an ordinary refusal is the GPU's own trouble."""
    try:
        return session.call(("nvmlDeviceGetUUID", handle))
    except session.Error as error:
        if error.value not in HARMLESS:
            raise
        return session.excuse(error)


class Board(object):
    """One GPU being asked."""

    def __init__(self, record, session, handle):
        self.record, self.session, self.handle = record, session, handle
        self.whole = True  # neither cut by MIG nor a guest's share: "not supported" speaks of the board itself

    def tell(self):
        self.identity()
        for fact, name, args, read in PLAIN:
            self.put(fact, [("nvmlDeviceGet" + name, self.handle) + args], read)
        for fact, name, args, read in OPTIONAL:
            self.put(fact, [("nvmlDeviceGet" + name, self.handle) + args], read, none=True)
        self.memory()
        self.activity()
        self.power()
        self.ecc()
        self.pages()
        self.fields()
        self.record.update(nvml_topology.fabric(self))
        self.record["nvlinks"] = nvml_topology.nvlinks(self)
        self.record["mig_devices"] = nvml_topology.mig_devices(self)
        self.record["processes"] = processes(self)
        self.inforom()

    # -- asking --------------------------------------------------------------------------------------

    def ask(self, forms, read=None, none=False):
        """One value: read, excused, or None where ``none`` allows that "not supported" means "has none"."""
        try:
            value = self.session.call(*forms)
            return value if read is None else read(value)
        except self.session.Error as error:
            if none and self.whole and error.value == NOT_SUPPORTED:
                return None
            return self.session.excuse(error)
        except Exception as error:
            return self.session.excuse(error)

    def put(self, fact, forms, read=None, none=False):
        self.record[fact] = self.ask(forms, read, none)

    def put_all(self, facts, forms, read, none=False):
        """Several facts that one call gives; ``read`` returns their values in order."""
        values = self.ask(forms, read, none)
        for place, fact in enumerate(facts):
            self.record[fact] = values[place] if isinstance(values, (tuple, list)) else values

    def get(self, name, *args):
        """A form of one of the usual getters."""
        return ("nvmlDeviceGet" + name, self.handle) + args

    # -- subjects ------------------------------------------------------------------------------------

    def identity(self):
        self.put_all(("mig_mode", "mig_pending"), [self.get("MigMode")], switches, none=True)
        self.put("virtualization", [self.get("VirtualizationMode")], word(VIRTUALIZATION, "virtualization mode"))
        self.whole = self.record["virtualization"] != "vgpu"
        self.put("license_status", [self.get("GridLicensableFeatures_v4")], licence, none=True)
        self.whole = self.whole and self.record["mig_mode"] is not True
        self.put_all(
            ("bus_id", "pci_device_id", "pci_subsystem_id"),
            [(self.session.pci_info, self.handle)],
            lambda info: (
                bus_id(info.busId or info.busIdLegacy),
                info.pciDeviceId >> 16,
                info.pciSubSystemId,
            ),
            none=True,  # a GPU on the SoC
        )
        self.put("gsp_firmware", [(self.gsp_firmware,)])
        self.record["driver_model"] = None
        if sys.platform == "win32":
            self.put("driver_model", [self.get("DriverModel")], lambda pair: DRIVER_MODELS.get(pair[0], str(pair[0])))

    def gsp_firmware(self):
        """By hand: pynvml's wrapper has changed its arguments."""
        buffer = ctypes.create_string_buffer(64)  # NVML_GSP_FIRMWARE_VERSION_BUF_SIZE
        self.session.raw("nvmlDeviceGetGspFirmwareVersion", self.handle, buffer)
        return plain(buffer.value)

    def memory(self):
        second = getattr(self.session.binding, "nvmlMemory_v2", None)
        total, free, used, reserved = ("memory_%s_bytes" % part for part in ("total", "free", "used", "reserved"))
        self.put_all(
            (total, free, used, reserved),
            [self.get("MemoryInfo", second), self.get("MemoryInfo")],
            lambda told: (
                told.total,
                told.free,
                told.used,
                getattr(told, "reserved", unread("unsupported", "the driver counts it as used")),
            ),
        )
        self.put_all(
            ("bar1_total_bytes", "bar1_used_bytes"),
            [self.get("BAR1MemoryInfo")],
            lambda told: (told.bar1Total, told.bar1Used),
        )

    def activity(self):
        self.put_all(
            ("utilization_percent", "memory_utilization_percent"),
            [self.get("UtilizationRates")],
            lambda told: (told.gpu, told.memory),
        )
        self.put("temperature_c", [self.get("TemperatureV", 0), self.get("Temperature", 0)])
        self.put(
            "clock_reasons",
            [self.get("CurrentClocksEventReasons"), self.get("CurrentClocksThrottleReasons")],
            clock_reasons,
        )

    def power(self):
        self.put_all(
            ("power_limit_min_w", "power_limit_max_w"),
            [self.get("PowerManagementLimitConstraints")],
            lambda pair: [thousandth(x) for x in pair],
        )

    def ecc(self):
        self.put_all(("ecc_enabled", "ecc_pending"), [self.get("EccMode")], switches, none=True)
        self.put_all(
            ("ecc_sram_uncorrected", "ecc_sram_threshold_exceeded"),
            [(self.sram,)],
            lambda told: (told.aggregateUncParity + told.aggregateUncSecDed, bool(told.bThresholdExceeded)),
            none=True,
        )

    def sram(self):
        binding = self.session.binding
        status = binding.c_nvmlEccSramErrorStatus_v1_t()
        status.version = binding.nvmlEccSramErrorStatus_v1
        self.session.raw("nvmlDeviceGetSramEccErrorStatus", self.handle, ctypes.byref(status))
        return status

    def pages(self):
        for fact, cause in (("retired_pages_single_bit", 0), ("retired_pages_double_bit", 1)):
            self.put(fact, [self.get("RetiredPages_v2", cause), self.get("RetiredPages", cause)], len, none=True)
        rows = ("corrected", "uncorrected", "pending", "failed")
        self.put_all(
            ["remapped_rows_" + row for row in rows],
            [self.get("RemappedRows")],
            lambda told: (told[0], told[1], bool(told[2]), bool(told[3])),
            none=True,
        )

    def fields(self):
        """Values that NVML gives by number."""
        names = {MEMORY_TEMPERATURE: "temperature_memory_c", RECOVERY_ACTION: "recovery_action"}
        try:
            values = self.session.call(self.get("FieldValues", list(names)))
        except Exception as error:
            why = self.session.excuse(error)
            self.record.update((fact, why) for fact in names.values())
            return
        for value in values:
            if value.nvmlReturn:
                found = self.session.excuse(self.session.Error(value.nvmlReturn))
            else:
                found = field_value(value)
                if value.fieldId == RECOVERY_ACTION:
                    found = word(RECOVERY_ACTIONS, "recovery action")(found)
            self.record[names[value.fieldId]] = found

    def inforom(self):
        """Last, since NVML reads the whole infoROM from the board's flash for it."""
        try:
            self.session.call(("nvmlDeviceValidateInforom", self.handle))
            self.record["inforom_valid"] = True
        except self.session.Error as error:
            corrupted = error.value == CORRUPTED_INFOROM
            self.record["inforom_valid"] = False if corrupted else self.session.excuse(error)


def switches(pair):
    """(now, after the next reboot or reset) of two numbers."""
    return [bool(number) for number in pair]
