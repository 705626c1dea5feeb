"""Task ``cuda``: ask libcuda itself, without torch and without a context.

The answer is written after each call, since any of them can hang or crash in a broken driver.
"""

import ctypes
import sys

from . import shared_library
from .answer import excuse, unread

OPTIONS = ()
FACTS = ("library", "load_error", "driver_version", "init_code", "init_name", "device_count", "devices")

LIBRARIES = {"win32": ("nvcuda.dll",)}
STEM = "libcuda.so"
ATTRIBUTES = (  # fact, CUdevice_attribute of cuda.h
    ("multiprocessors", 16),
    ("clock_khz", 13),
    ("memory_clock_khz", 36),
    ("bus_width_bits", 37),
    ("l2_bytes", 38),
    ("compute_mode", 20),
)
SWITCHES = (("kernel_timeout", 17), ("integrated", 18))
MAJOR, MINOR = 75, 76
NAMELESS = {34: "CUDA_ERROR_STUB_LIBRARY"}  # the toolkit's stub answers so to the question for its name, too


def run(call):
    answer = call.answer
    library, said = shared_library.load(LIBRARIES.get(sys.platform, ("libcuda.so.1",)))
    if library is None:
        answer.put(library=None, load_error=said)
        answer.excuse_all(FACTS, unread("missing", "libcuda could not be loaded"))
        return
    answer.put(library=shared_library.path(library, "cuInit", STEM), load_error=None)
    answer.write()
    driver = Driver(library)
    answer.put(driver_version=driver.told(driver.number, "cuDriverGetVersion"))
    answer.write()
    code = driver.told(driver.call, "cuInit", 0)
    answer.put(init_code=code, init_name=driver.error_name(code) if isinstance(code, int) else code)
    if code != 0:
        answer.excuse_all(FACTS, unread("missing", "cuInit answered %s" % code) if isinstance(code, int) else code)
        return
    answer.write()
    count = driver.told(driver.number, "cuDeviceGetCount")
    answer.put(device_count=count)
    if not isinstance(count, int):
        answer.put(devices=count)
        return
    devices = []
    answer.put(devices=devices)
    for ordinal in range(count):
        devices.append({"ordinal": ordinal})
        driver.describe(devices[-1])
        answer.write()


class Refusal(Exception):
    """A call of libcuda that did not answer CUDA_SUCCESS."""


class Driver(object):
    """libcuda's functions, with the number and name of what they refuse."""

    def __init__(self, library):
        self.library = library

    def call(self, name, *args):
        """The CUresult of one call.  Raises AttributeError where this driver is too old to have it."""
        return int(getattr(self.library, name)(*args))

    def ask(self, name, *args):
        code = self.call(name, *args)
        if code:
            raise Refusal("%s answered %d" % (name, code))

    def number(self, name, *args):
        """The int that a function writes to its first argument."""
        value = ctypes.c_int()
        self.ask(name, ctypes.byref(value), *args)
        return value.value

    def error_name(self, code):
        """``CUDA_ERROR_NO_DEVICE``; works before and after a failed cuInit."""
        name = ctypes.c_char_p()
        try:
            if self.call("cuGetErrorName", code, ctypes.byref(name)) == 0 and name.value:
                return shared_library.plain(name.value)
        except AttributeError:  # drivers before CUDA 6.0
            pass
        return NAMELESS.get(code) or unread("unsupported", "the driver has no name for %d" % code)

    def told(self, ask, *args):
        """What ``ask`` answers, or the excuse for its failing."""
        try:
            return ask(*args)
        except Refusal as error:
            return unread("unsupported", str(error))
        except AttributeError as error:
            return unread("unsupported", "the driver is older: %s" % error)
        except Exception as error:
            return excuse(error)

    # -- one device ----------------------------------------------------------------------------------

    def describe(self, record):
        device = self.told(self.number, "cuDeviceGet", record["ordinal"])
        if not isinstance(device, int):
            record["name"] = device
            return
        for fact, ask in (
            ("name", self.name),
            ("uuid", self.uuid),
            ("bus_id", self.bus_id),
            ("compute_capability", self.capability),
            ("memory_total_bytes", self.memory),
        ):
            record[fact] = self.told(ask, device)
        for fact, attribute in ATTRIBUTES:
            record[fact] = self.told(self.attribute, attribute, device)
        for fact, attribute in SWITCHES:
            value = self.told(self.attribute, attribute, device)
            record[fact] = bool(value) if isinstance(value, int) else value

    def name(self, device):
        buffer = ctypes.create_string_buffer(256)
        self.ask("cuDeviceGetName", buffer, len(buffer), device)
        return shared_library.plain(buffer.value)

    def uuid(self, device):
        """The device's UUID; of a MIG device its own, which only the second form of the call gives."""
        whole = self.sixteen_bytes("cuDeviceGetUuid", device)
        try:
            own = self.sixteen_bytes("cuDeviceGetUuid_v2", device)
        except AttributeError:  # drivers before CUDA 11.4
            own = whole
        text = "%s-%s-%s-%s-%s" % (own[:8], own[8:12], own[12:16], own[16:20], own[20:])
        return ("GPU-" if own == whole else "MIG-") + text

    def sixteen_bytes(self, name, device):
        buffer = ctypes.create_string_buffer(16)
        self.ask(name, buffer, device)
        return "".join("%02x" % byte for byte in bytearray(buffer.raw))

    def bus_id(self, device):
        buffer = ctypes.create_string_buffer(32)
        self.ask("cuDeviceGetPCIBusId", buffer, len(buffer), device)
        return shared_library.bus_id(buffer.value)

    def capability(self, device):
        return self.attribute(MAJOR, device) * 10 + self.attribute(MINOR, device)

    def memory(self, device):
        total = ctypes.c_size_t()
        self.ask("cuDeviceTotalMem_v2", ctypes.byref(total), device)
        return total.value

    def attribute(self, attribute, device):
        return self.number("cuDeviceGetAttribute", attribute, device)
