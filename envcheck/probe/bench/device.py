"""Devices that torch can have, behind one set of verbs: the rest of the benchmark is the same for all of them."""

import time

from ..answer import excuse, unread
from ..torch_kernels import properties
from . import host

SPIN_HZ = 2.0e9  # cycles a second that torch.cuda._sleep is taken to count; a guess too high only spins longer
LONGEST_SPIN_S = 0.05
FEW_UNITS = 16  # where nobody tells
SMALLEST_FLUSH, SMALLEST_FLUSH_CPU = 256 << 20, 64 << 20


class Unusable(Exception):
    """The device that was asked for is not there, or torch cannot use it.  The message says why."""


def choose(torch, wanted):
    """The :class:`Device` that ``auto``, ``cuda``, ``cuda:1``, ``cpu``, ``mps`` or ``xpu`` means here."""
    if wanted == "auto":
        for backend in ("cuda", "xpu", "mps"):
            if count(torch, backend):
                return Device(torch, backend)
        return Device(torch, "cpu")
    device = Device(torch, wanted)
    if device.backend not in ("cuda", "cpu", "mps", "xpu"):
        raise Unusable("torch has no device type %s" % device.backend)
    seen = count(torch, device.backend)
    if not seen:
        raise Unusable(absence(torch, device.backend))
    if device.index >= seen:
        raise Unusable("torch sees %d device(s) of type %s; there is no %s" % (seen, device.backend, wanted))
    return device


def count(torch, backend):
    """Devices of a backend that torch can use."""
    if backend == "cpu":
        return 1
    if backend == "mps":
        mps = getattr(torch.backends, "mps", None)
        return int(mps is not None and bool(mps.is_available()))
    module = getattr(torch, backend, None)
    if module is None or not module.is_available():
        return 0
    return int(module.device_count())


def absence(torch, backend):
    """Why there is no such device, in torch's own words where it has some."""
    if backend in ("cuda", "xpu") and hasattr(torch, backend):
        try:
            getattr(torch, backend).init()
        except Exception as error:
            return "%s: %s" % (type(error).__name__, str(error).split("\n")[0])
    return "torch.%s.is_available() is False" % ("backends.mps" if backend == "mps" else backend)


class Device(object):
    """One device: where tensors live, how to wait for it, and which clock it has."""

    def __init__(self, torch, name):
        self.torch = torch
        self.backend, _, index = name.partition(":")
        self.index = int(index) if index.isdigit() else 0
        self.name = self.backend if self.backend in ("cpu", "mps") else "%s:%d" % (self.backend, self.index)
        self.is_host = self.backend == "cpu"
        self.module = None if self.is_host else getattr(torch, self.backend, None)
        self.has_events = False  # until they have been tried: see try_events
        self.no_events = "the host's clock is used"
        self.flush_buffer = None

    # -- waiting and timing ----------------------------------------------------------------------------

    def synchronize(self):
        """Wait until the device has done all that was asked of it."""
        if self.module is not None:
            self.module.synchronize()

    def select(self):
        """Make it the current device, so that events and graphs belong to it."""
        if self.backend in ("cuda", "xpu"):
            self.module.set_device(self.index)

    def event(self):
        return self.module.Event(enable_timing=True)

    def try_events(self):
        """Are the device's events a clock?  Two products must take some time, and no more than the host saw."""
        if self.backend not in ("cuda", "xpu"):
            return
        torch = self.torch
        try:
            square = torch.ones(1024, 1024, device=self.name)
            torch.mm(square, square)
            self.synchronize()
            first, last = self.event(), self.event()
            begun = time.perf_counter()
            first.record()
            for _ in range(8):
                torch.mm(square, square)
            last.record()
            self.synchronize()
            host_s, device_s = time.perf_counter() - begun, first.elapsed_time(last) / 1e3
        except Exception as error:
            self.no_events = "its events raised %s: %s" % (type(error).__name__, error)
            return
        self.has_events = 0 < device_s <= host_s * 1.1
        if not self.has_events:
            self.no_events = "its events say %.3g s for what took the host %.3g s" % (device_s, host_s)

    def spin(self, seconds):
        """Keep the device busy for about so long, so that the work queued behind it runs without gaps."""
        sleep = getattr(self.module, "_sleep", None)
        if sleep is not None:
            sleep(int(min(seconds, LONGEST_SPIN_S) * SPIN_HZ))

    # -- memory ----------------------------------------------------------------------------------------

    def free_bytes(self):
        """Bytes that can still be allocated; None where nobody tells."""
        if self.is_host:
            return host.memory_free_bytes()
        ask = getattr(self.module, "mem_get_info", None)
        if self.backend == "mps":
            limit = getattr(self.module, "recommended_max_memory", None)
            return int(limit()) if limit is not None else None
        return int(ask(self.index)[0]) if ask is not None else None

    def cache_bytes(self):
        """Size of the last-level cache; None where nobody tells."""
        if self.is_host:
            return host.cache_bytes()
        if self.backend in ("cuda", "xpu"):
            told = self.module.get_device_properties(self.index)
            size = getattr(told, "L2_cache_size", None) or getattr(told, "last_level_cache_size", None)
            return int(size) if size else None
        return None

    def flush(self):
        """Overwrite the caches.  The buffer is larger than twice the last-level cache."""
        if self.flush_buffer is None:
            size = max(2 * (self.cache_bytes() or 0), SMALLEST_FLUSH_CPU if self.is_host else SMALLEST_FLUSH)
            free = self.free_bytes()
            if free is not None:
                size = min(size, max(free // 8, 1 << 20))
            self.flush_buffer = self.torch.zeros(size // 4, device=self.name)
        self.flush_buffer.add_(1.0)

    # -- what it can -----------------------------------------------------------------------------------

    def has(self, dtype):
        """Can it multiply numbers of this type?  (False with the words of the refusal.)"""
        try:
            small = self.torch.ones(8, 8, dtype=dtype, device=self.name)
            self.torch.mm(small, small)
            self.synchronize()
        except Exception as error:
            return False, "%s: %s" % (type(error).__name__, str(error).split("\n")[0])
        return True, None

    def has_double(self):
        return self.has(self.torch.float64)[0]

    def units(self):
        """Threads of a processor, multiprocessors of a GPU: by what the sizes of the workloads grow."""
        if self.is_host:
            return self.torch.get_num_threads()
        if self.backend in ("cuda", "xpu"):
            told = self.module.get_device_properties(self.index)
            return int(getattr(told, "multi_processor_count", 0) or getattr(told, "gpu_subslice_count", 0) or FEW_UNITS)
        return FEW_UNITS

    # -- who it is -------------------------------------------------------------------------------------

    def identity(self):
        """Facts of the device, as envcheck.facts.BenchDevice names them."""
        facts = {
            "device": self.name,
            "backend": self.backend,
            "siblings": count(self.torch, self.backend),
            "compute_capability": None,
            "uuid": None,
            "bus_id": None,
        }
        facts.update(self.properties())
        for fact, ask in (("memory_free_bytes", self.free_bytes), ("cache_bytes", self.cache_bytes)):
            try:
                known = ask()
                facts[fact] = unread("unsupported", "nobody tells") if known is None else known
            except Exception as error:
                facts[fact] = excuse(error)
        return facts

    def properties(self):
        if self.is_host:
            total = host.memory_total_bytes()
            return {
                "name": host.processor_name(),
                "multiprocessors": None,
                "memory_total_bytes": unread("unsupported", "nobody tells") if total is None else total,
            }
        if self.backend == "cuda":
            facts = properties(self.torch, self.index)
        elif self.backend == "xpu":
            told = self.module.get_device_properties(self.index)
            facts = {"name": str(told.name), "memory_total_bytes": int(told.total_memory)}
        else:
            facts = {"name": host.processor_name() or "Apple GPU"}
        if self.backend in ("cuda", "xpu"):
            told = self.module.get_device_properties(self.index)
            units = getattr(told, "multi_processor_count", None) or getattr(told, "gpu_subslice_count", None)
            facts["multiprocessors"] = int(units) if units else unread("unsupported", "this torch does not say")
        else:
            facts["multiprocessors"] = None
        return facts
