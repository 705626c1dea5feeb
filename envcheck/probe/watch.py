"""Task ``watch``: read the gauges of every GPU some ten times a second, while another process is being measured.

A process of its own: NVML must not run in the one that is timed, and a hanging driver must not hang it.  It ends when
the watched process does.

Options: ``path=DIR`` is the folder that holds nvidia-ml-py's pynvml.py; ``pid=N`` the process to watch; ``hz=F``
readings a second; ``seconds=S`` the longest that it watches.
"""

import os
import sys
import time

from . import shared_library
from .answer import BadCall, excuse, unread
from .nvml import binding, names
from .nvml_words import NOT_SUPPORTED

OPTIONS = ("path", "pid", "hz", "seconds")
FACTS = ("gpus",)
SAVE_S = 2.0
GRAPHICS_SM, MEMORY = 1, 2  # NVML_CLOCK_SM, NVML_CLOCK_MEM
CORE_TEMPERATURE = 0  # NVML_TEMPERATURE_GPU


def run(call):
    answer = call.answer
    try:
        pid, hz = int(call.option("pid", "")), float(call.option("hz", "10"))
        seconds = float(call.option("seconds", "600"))
    except ValueError as error:
        raise BadCall(str(error))
    if hz <= 0:
        raise BadCall("hz=%g is no rate" % hz)
    library, said = shared_library.load(names())
    if library is None:
        answer.put(gpus=unread("missing", said))
        return

    from .nvml_session import Session

    session = Session(binding(call.option("path")), library)
    code, said = session.start()
    if code:
        answer.put(gpus=unread("missing", said))
        return
    count = session.told(("nvmlDeviceGetCount",))
    if not isinstance(count, int):
        answer.put(gpus=count)
        return
    boards = [Board(session, index, pid) for index in range(count)]
    answer.put(gpus=[board.record for board in boards])
    watch(answer, boards, pid, 1.0 / hz, time.time() + seconds)


def watch(answer, boards, pid, period, until):
    """Read all boards again and again until the watched process has ended."""
    tick = saved = time.time()
    while is_alive(pid) and time.time() < until:
        for board in boards:
            board.read()
        now = time.time()
        if now - saved >= SAVE_S:
            answer.write()
            saved = now
        tick = max(tick + period, now)  # a slow driver makes fewer readings, not a burst of late ones
        time.sleep(max(0.0, tick - time.time()))


class Board(object):
    """One GPU: columns of readings.  A gauge that refuses its first reading has no column."""

    def __init__(self, session, index, pid):
        from .nvml_session import Gone

        self.session, self.gone = session, Gone
        self.record = {"at_s": []}
        self.gauges = []
        try:
            handle = session.call(("nvmlDeviceGetHandleByIndex", index))
            self.record["uuid"] = session.told(("nvmlDeviceGetUUID", handle))
            self.record["bus_id"] = self.told(lambda: shared_library.bus_id(session.pci_info(handle).busId))
            self.open(handle, pid)
        except Gone as gone:
            self.close(unread("missing", gone.text))
        except Exception as error:
            self.close(excuse(error) if not isinstance(error, session.Error) else unread("missing", str(error)))

    def open(self, handle, pid):
        for name, ask in gauges(self.session, handle, pid):
            first = self.told(ask)
            if isinstance(first, dict):  # refused: for good where the board or the system has no such figure
                self.record[name] = None if first["why"] == "unsupported" else first
            else:
                self.record[name] = []
                self.gauges.append((name, ask))

    def told(self, ask):
        """A reading, or the Unread that its refusal stands for."""
        try:
            return ask()
        except Exception as error:
            return self.session.excuse(error)

    def read(self):
        """One row in all columns, or none: a gauge that fails for once costs that reading and no other."""
        if not self.gauges:
            return
        now = round(time.time(), 3)
        try:
            row = [ask() for _, ask in self.gauges]
        except self.gone:
            self.gauges = []
            return
        except Exception:  # what NVML refuses now and gave before: the row is left out, as a late one would be
            return
        self.record["at_s"].append(now)
        for (name, _), value in zip(self.gauges, row):
            self.record[name].append(value)

    def close(self, why):
        """Nothing can be read of this board."""
        for name in COLUMNS:
            self.record.setdefault(name, why)
        self.gauges = []


COLUMNS = (
    "uuid",
    "bus_id",
    "clock_sm_mhz",
    "clock_memory_mhz",
    "temperature_c",
    "power_w",
    "utilization_percent",
    "clock_reasons",
    "pcie_generation",
    "pcie_width",
    "others",
)


def gauges(session, handle, pid):
    """(column, function that reads it) of one GPU."""

    def call(*forms):
        """A reader of the first form that this driver has; a form is (name of pynvml's function, arguments ...)."""
        asked = [(name, handle) + args for name, args in forms]
        return lambda: session.call(*asked)

    clock, generation = "nvmlDeviceGetClockInfo", "nvmlDeviceGetCurrPcieLinkGeneration"
    temperature = call(
        ("nvmlDeviceGetTemperatureV", (CORE_TEMPERATURE,)), ("nvmlDeviceGetTemperature", (CORE_TEMPERATURE,))
    )
    power, busy = call(("nvmlDeviceGetPowerUsage", ())), call(("nvmlDeviceGetUtilizationRates", ()))
    reasons = call(("nvmlDeviceGetCurrentClocksEventReasons", ()), ("nvmlDeviceGetCurrentClocksThrottleReasons", ()))
    return (
        ("clock_sm_mhz", call((clock, (GRAPHICS_SM,)))),
        ("clock_memory_mhz", call((clock, (MEMORY,)))),
        ("temperature_c", temperature),
        ("power_w", lambda: power() / 1000.0),
        ("utilization_percent", lambda: int(busy().gpu)),
        ("clock_reasons", reasons),
        ("pcie_generation", call((generation, ()))),
        ("pcie_width", call(("nvmlDeviceGetCurrPcieLinkWidth", ()))),
        ("others", lambda: others(session, handle, pid)),
    )


def others(session, handle, pid):
    """Compute processes besides the watched one.  Raises where their numbers mean nothing to this process."""
    from .nvml_processes import listing, pid_namespace_is_own

    if sys.platform == "win32" or pid_namespace_is_own():
        # Windows lists the desktop's programs too; in a container the pids are the host's, and ours is among them.
        raise session.Error(NOT_SUPPORTED)
    return sum(info.pid != pid for info in listing(session, handle, "Compute"))


def is_alive(pid):
    """Does the process still run?"""
    if sys.platform == "win32":
        import ctypes

        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(0x00100000, False, pid)  # SYNCHRONIZE
        if not handle:
            return False
        running = kernel.WaitForSingleObject(handle, 0) == 0x102  # WAIT_TIMEOUT
        kernel.CloseHandle(handle)
        return bool(running)
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno == 1  # not ours to signal, so it is there
    return True
