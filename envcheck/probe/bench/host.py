"""The machine around a benchmark: processor, memory that may be taken, and whether the processors are shared.

Standard library only; a figure that this system does not tell is None.
"""

import os
import sys

WAITING = "/proc/self/task"
MOST_THREADS = 200


def processor_name():
    """The processor's model name."""
    for line in lines("/proc/cpuinfo"):
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return value.strip()
    import platform

    return platform.processor() or platform.machine() or None


def cache_bytes():
    """The largest cache of the first processor."""
    folder, largest = "/sys/devices/system/cpu/cpu0/cache", None
    try:
        names = os.listdir(folder)
    except OSError:
        return None
    for name in names:
        text = "".join(lines(os.path.join(folder, name, "size"))).strip()
        unit = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1:], 1)
        digits = text.rstrip("KMG")
        if digits.isdigit():
            largest = max(largest or 0, int(digits) * unit)
    return largest


def processors():
    """How many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count()


# -- memory ----------------------------------------------------------------------------------------------------


def memory_total_bytes():
    total = meminfo("MemTotal")
    limits = [limit for limit, _ in cgroup_memory()]
    return min(limits + [total]) if total is not None else windows_memory("total")


def memory_free_bytes():
    """What may still be taken: of the machine, and of every control group that this process lives in."""
    free = meminfo("MemAvailable")
    if free is None:
        return windows_memory("free")
    return min([free] + [max(0, limit - used) for limit, used in cgroup_memory()])


def meminfo(name):
    for line in lines("/proc/meminfo"):
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    return None


def cgroup_memory():
    """``[(limit, used)]`` in bytes of the control groups from this process's own up to the root."""
    found = []
    for line in lines("/proc/self/cgroup"):
        _, controllers, path = line.strip().split(":", 2)
        if controllers == "":
            base, names = "/sys/fs/cgroup", ("memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            base, names = "/sys/fs/cgroup/memory", ("memory.limit_in_bytes", "memory.usage_in_bytes")
        else:
            continue
        parts = [part for part in path.split("/") if part]
        for depth in range(len(parts), -1, -1):
            folder = os.path.join(base, *parts[:depth])
            limit, used = ["".join(lines(os.path.join(folder, name))).strip() for name in names]
            if limit.isdigit() and used.isdigit() and int(limit) < 1 << 60:  # version 1 writes "no limit" as 2**63
                found.append((int(limit), int(used)))
    return found


def windows_memory(which):
    if sys.platform != "win32":
        return None
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
            (name, ctypes.c_ulonglong)
            for name in ("total", "free", "total_page", "free_page", "total_virtual", "free_virtual", "extended")
        ]

    status = Status(length=ctypes.sizeof(Status))
    if not ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(getattr(status, which))


# -- sharing ---------------------------------------------------------------------------------------------------


def waited_s():
    """Seconds that the threads of this process were ready to run and stood in the queue for a processor, so far.

    Second figure of /proc/<pid>/task/<tid>/schedstat of the Linux kernel, in nanoseconds.  None on other systems, and
    with so many threads that asking would itself take a while.
    """
    try:
        threads = os.listdir(WAITING)
    except OSError:
        return None
    if len(threads) > MOST_THREADS:
        return None
    total = 0
    for thread in threads:
        try:
            with open("%s/%s/schedstat" % (WAITING, thread), "rb") as file:
                words = file.read().split()
        except OSError:  # it ended meanwhile
            continue
        if len(words) != 3:
            return None
        total += int(words[1])
    return total / 1e9


def lines(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
