"""Calls that answer with lists: processes, retired pages, MIG devices, processor and memory sets."""

from __future__ import annotations

from collections.abc import Callable

from .child import ask_gpu
from .machine import Deployed
from .scenario import Scenario, Value
from .scenarios import healthy_h100, mig, mig_without_instances

Deploy = Callable[[Scenario], Deployed]

PROCESSES: dict[str, Value] = {
    "gpus": 1,
    "gpu.0.process.0.pid": 4242,
    "gpu.0.process.0.memory_bytes": 6 << 30,
    "gpu.0.process.0.gpu_instance": 3,
    "gpu.0.process.0.compute_instance": 1,
    "gpu.0.process.0.name": "/usr/bin/python3",
    "gpu.0.process.1.pid": 1000,
    "gpu.0.process.1.kind": "graphics",
    "gpu.0.process.1.memory_bytes": 9,
    "gpu.0.process.2.pid": 77,
    "gpu.0.process.3.pid": 88,
    "gpu.0.process.3.kind": "mps",
    "gpu.0.process.3.memory_bytes": 11,
    "gpu.0.process.3.protected_memory_bytes": 5,
}


def test_processes_are_listed_by_kind(deploy: Deploy) -> None:
    """Every field in its place; memory that is not known is None and never a number."""
    body = """
def rows(processes):
    return [[p.pid, p.usedGpuMemory, p.gpuInstanceId, p.computeInstanceId] for p in processes]
answer = [rows(nvmlDeviceGetComputeRunningProcesses_v3(h)), rows(nvmlDeviceGetComputeRunningProcesses_v2(h)),
          rows(nvmlDeviceGetGraphicsRunningProcesses(h)), rows(nvmlDeviceGetMPSComputeRunningProcesses(h)),
          nvmlSystemGetProcessName(4242), code(nvmlSystemGetProcessName, 5),
          [[p.pid, p.usedGpuMemory, p.gpuInstanceId, p.computeInstanceId, p.usedGpuCcProtectedMemory]
           for p in nvmlDeviceGetRunningProcessDetailList(h, nvmlProcessDetailList_v1, 2)]]
"""
    none = 0xFFFFFFFF
    compute = [[4242, 6 << 30, 3, 1], [77, None, none, none]]
    assert ask_gpu(deploy(Scenario().but(PROCESSES)), body) == [
        compute,
        compute,
        [[1000, 9, none, none]],
        [[88, 11, none, none]],
        "/usr/bin/python3",
        6,
        [[88, 11, none, none, 5]],
    ]


def test_lists_never_overrun_the_room_they_are_given(deploy: Deploy) -> None:
    """Too little room answers 7 with the number that would fit; entries beyond the room stay untouched."""
    body = """
fn = pynvml.nvmlLib.nvmlDeviceGetComputeRunningProcesses_v3
size = ctypes.sizeof(c_nvmlProcessInfo_v3_t)
buffer = (ctypes.c_ubyte * (3 * size))(*[0xA5] * (3 * size))
count = ctypes.c_uint(1)
rc = fn(h, ctypes.byref(count), buffer)
untouched = bytes(buffer)[size:] == b"\\xa5" * (2 * size)
old = (ctypes.c_ubyte * 32)(*[0xA5] * 32)
pages = ctypes.c_uint(2)
first = pynvml.nvmlLib.nvmlDeviceGetComputeRunningProcesses(h, ctypes.byref(pages), old)
answer = [rc, count.value, untouched, first, ctypes.c_uint.from_buffer(old, 16).value]
"""
    assert ask_gpu(deploy(Scenario().but(PROCESSES)), body) == [7, 2, True, 0, 77]


def test_no_processes_is_an_empty_list(deploy: Deploy) -> None:
    """An idle GPU answers with none, not with an error."""
    body = "answer = [len(nvmlDeviceGetComputeRunningProcesses(h)), len(nvmlDeviceGetGraphicsRunningProcesses(h))]"
    assert ask_gpu(deploy(healthy_h100(1)), body) == [0, 0]


def test_retired_pages_have_addresses_and_times(deploy: Deploy) -> None:
    """An empty value is an empty list; no key is not supported, as from Ampere on."""
    scenario = Scenario().but(
        {"gpus": 1, "gpu.0.retired_pages.0": "0x1000@1700000000, 0x2f000@1700000001", "gpu.0.retired_pages.1": ""}
    )
    body = """
answer = [[[p["address"], p["timestamp"]] for p in nvmlDeviceGetRetiredPages_v2(h, 0)],
          nvmlDeviceGetRetiredPages(h, 0), nvmlDeviceGetRetiredPages_v2(h, 1)]
"""
    assert ask_gpu(deploy(scenario), body) == [
        [[0x1000, 1700000000], [0x2F000, 1700000001]],
        [0x1000, 0x2F000],
        [],
    ]
    assert ask_gpu(deploy(healthy_h100(1)), "answer = code(nvmlDeviceGetRetiredPages_v2, h, 0)") == 3


def test_mig_devices_answer_for_themselves(deploy: Deploy) -> None:
    """Their own UUID, memory, size and instance ids; the parent is found; an empty slot is 6, beyond the last 2."""
    body = """
devices = []
for index in range(nvmlDeviceGetMaxMigDeviceCount(h)):
    if code(nvmlDeviceGetMigDeviceHandleByIndex, h, index):
        continue
    m = nvmlDeviceGetMigDeviceHandleByIndex(h, index)
    attributes = nvmlDeviceGetAttributes_v2(m)
    devices.append([nvmlDeviceGetName(m), nvmlDeviceGetUUID(m)[:4], nvmlDeviceGetGpuInstanceId(m),
                    nvmlDeviceGetComputeInstanceId(m), attributes.multiprocessorCount, attributes.memorySizeMB,
                    nvmlDeviceGetMemoryInfo(m).total >> 20, nvmlDeviceIsMigDeviceHandle(m).value,
                    nvmlDeviceGetUUID(nvmlDeviceGetDeviceHandleFromMigDeviceHandle(m)) == nvmlDeviceGetUUID(h),
                    nvmlDeviceGetIndex(nvmlDeviceGetHandleByUUID(nvmlDeviceGetUUID(m)))])
answer = [nvmlDeviceGetMigMode(h), devices, code(nvmlDeviceGetMigDeviceHandleByIndex, h, 6),
          code(nvmlDeviceGetMigDeviceHandleByIndex, h, 7), code(nvmlDeviceGetUtilizationRates, h),
          nvmlDeviceIsMigDeviceHandle(h).value]
"""
    board = "NVIDIA A100-SXM4-80GB MIG"
    assert ask_gpu(deploy(mig()), body) == [
        [1, 1],
        [
            [f"{board} 3g.40gb", "MIG-", 1, 0, 42, 40192, 40192, 1, True, 0],
            [f"{board} 2g.20gb", "MIG-", 2, 0, 28, 19968, 19968, 1, True, 1],
            [f"{board} 1g.10gb", "MIG-", 3, 0, 14, 9728, 9728, 1, True, 2],
            [f"{board} 1g.10gb", "MIG-", 4, 0, 14, 9728, 9728, 1, True, 3],
        ],
        6,
        2,
        3,
        0,
    ]
    assert ask_gpu(deploy(mig_without_instances()), body) == [[1, 1], [], 6, 2, 3, 0]


def test_mig_off_has_no_mig_devices(deploy: Deploy) -> None:
    """A board that could, in whole mode, answers 6; one that cannot answers 3."""
    body = "answer = code(nvmlDeviceGetMigDeviceHandleByIndex, h, 0)"
    assert ask_gpu(deploy(healthy_h100(1)), body) == 6
    assert ask_gpu(deploy(healthy_h100(1).without("gpu.0.mig_mode")), body) == 3


def test_affinities_are_bit_sets(deploy: Deploy) -> None:
    """Ranges and single numbers, over several words, cut at the room given."""
    scenario = Scenario().but({"gpus": 1, "gpu.0.cpu_affinity": "0-3,64,127", "gpu.0.memory_affinity": "1"})
    body = """
answer = [list(nvmlDeviceGetCpuAffinity(h, 2)), list(nvmlDeviceGetCpuAffinity(h, 1)),
          list(nvmlDeviceGetMemoryAffinity(h, 1, 0)), code(nvmlDeviceGetMemoryAffinity, h, 1, 2)]
"""
    assert ask_gpu(deploy(scenario), body) == [[0b1111, 1 << 63 | 1], [0b1111], [2], 2]
