"""Processes on a GPU.  The pids are the host's, whoever asks."""

import ctypes
import os

from .answer import unread
from .nvml_words import FUNCTION_NOT_FOUND, INSUFFICIENT_SIZE, NOT_SUPPORTED
from .shared_library import plain

NOT_AVAILABLE = 0xFFFFFFFFFFFFFFFF  # NVML_VALUE_NOT_AVAILABLE
INITIAL_PID_NAMESPACE = "pid:[4026531836]"  # PROC_PID_INIT_INO of the kernel
KINDS = (("compute", "Compute"), ("graphics", "Graphics"), ("mps", "MPSCompute"))


class First(ctypes.Structure):
    """nvmlProcessInfo_v1_t, of drivers before 450.66."""

    _fields_ = [("pid", ctypes.c_uint), ("usedGpuMemory", ctypes.c_ulonglong)]


class Second(ctypes.Structure):
    """nvmlProcessInfo_v2_t, which _v3 of the calls fills as well."""

    _fields_ = First._fields_ + [("gpuInstanceId", ctypes.c_uint), ("computeInstanceId", ctypes.c_uint)]


def processes(board):
    """The list of a GPU's processes; of a MIG card, which tells none itself, those of its MIG devices."""
    session = board.session
    handles = [board.handle]
    try:
        try:
            return gather(session, handles)
        except session.Error as error:
            if error.value != NOT_SUPPORTED or board.record.get("mig_mode") is not True:
                raise
            return gather(session, board.mig_handles)
    except Exception as error:
        return session.excuse(error)


def gather(session, handles):
    found, seen = [], set()
    foreign = pid_namespace_is_own()
    for handle in handles:
        for kind, call in KINDS:
            try:
                infos = listing(session, handle, call)
            except session.Error as error:
                # A driver without MPS or a board without graphics still tells its compute processes.
                if kind == "compute" or error.value not in (NOT_SUPPORTED, FUNCTION_NOT_FOUND):
                    raise
                continue
            for info in infos:
                if (info.pid, kind) not in seen:
                    seen.add((info.pid, kind))
                    found.append(record(session, info, kind, foreign))
    return found


def listing(session, handle, call):
    """What nvmlDeviceGet<call>RunningProcesses lists, in the newest form whose layout is known.

    Drivers 535.43 to 535.86 changed the layout of _v3 without a new version, so it is passed over there.
    """
    forms = [("_v3", Second), ("_v2", Second), ("", First)]
    for suffix, layout in forms[1:] if changed_layout(session.version) else forms:
        symbol = "nvmlDeviceGet%sRunningProcesses%s" % (call, suffix)
        count = ctypes.c_uint(0)
        array = None
        while True:
            try:
                session.raw(symbol, handle, ctypes.byref(count), array)
                return list(array[: count.value]) if array is not None else []
            except session.Error as error:
                if error.value == FUNCTION_NOT_FOUND:
                    break
                if error.value != INSUFFICIENT_SIZE:
                    raise
            count = ctypes.c_uint(count.value * 2 + 5)  # more may start meanwhile
            array = (layout * count.value)()
    raise session.Error(FUNCTION_NOT_FOUND)


def changed_layout(version):
    branch, _, rest = version.partition(".")
    minor = rest.partition(".")[0]
    return branch == "535" and minor.isdigit() and 43 <= int(minor) <= 86


def record(session, info, kind, foreign):
    memory = info.usedGpuMemory
    facts = {"pid": info.pid, "kind": kind, "memory_bytes": memory}
    if memory == NOT_AVAILABLE:
        facts["memory_bytes"] = unread("unsupported", "not available on this system")
    if foreign:
        why = unread("unsupported", "the pids are the host's, and this process sees those of its own namespace")
        facts.update(name=why, own=why)
        return facts
    name = session.told(("nvmlSystemGetProcessName", info.pid))
    facts["name"] = plain(name)
    facts["own"] = is_own(info.pid)
    return facts


def pid_namespace_is_own():
    """Does this process live in a PID namespace of its own (a container), where the host's pids mean nothing?"""
    try:
        return os.readlink("/proc/self/ns/pid") != INITIAL_PID_NAMESPACE
    except OSError:  # not Linux, or no /proc
        return False


def is_own(pid):
    try:
        return os.stat("/proc/%d" % pid).st_uid == os.geteuid()
    except (OSError, AttributeError) as error:
        return unread("missing", str(error))
