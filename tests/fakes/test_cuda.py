"""The pretended libcuda: what it answers, and which devices it shows under a mask."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .boards import H100
from .child import ask
from .machine import Deployed
from .scenario import Scenario, Value
from .scenarios import (
    cu_init,
    gpu_lost,
    healthy_h100,
    installed_driver,
    jetson,
    machine_of,
    mig,
    mig_without_instances,
    stub_libcuda,
    unlike_pair,
)

Deploy = Callable[[Scenario], Deployed]

LIBRARY = """
cuda = ctypes.CDLL("libcuda.so.1")
number = ctypes.c_int()

def attribute(which, device=0):
    rc = cuda.cuDeviceGetAttribute(ctypes.byref(number), which, device)
    return number.value if rc == 0 else f"error {rc}"

def count():
    rc = cuda.cuDeviceGetCount(ctypes.byref(number))
    return number.value if rc == 0 else f"error {rc}"

def text(call, *arguments):
    pointer = ctypes.c_char_p()
    rc = call(*arguments, ctypes.byref(pointer))
    return pointer.value.decode() if rc == 0 else f"error {rc}"

def uuid(device, call="cuDeviceGetUuid_v2"):
    buffer = (ctypes.c_ubyte * 16)()
    rc = getattr(cuda, call)(buffer, device)
    return bytes(buffer).hex() if rc == 0 else f"error {rc}"

def name(device=0, room=100):
    buffer = ctypes.create_string_buffer(b"?" * 120)
    rc = cuda.cuDeviceGetName(buffer, room, device)
    return buffer.value.decode() if rc == 0 else f"error {rc}"
"""


def digits(uuid: str) -> str:
    """A UUID as sixteen bytes in hexadecimal."""
    return uuid[4:].replace("-", "")


def test_a_device_answers_with_its_figures(deploy: Deploy) -> None:
    """Everything that a doctor reads of a CUDA device, by the numbers of cuda.h."""
    scenario = healthy_h100(2)
    body = f"""{LIBRARY}
answer = [cuda.cuDriverGetVersion(ctypes.byref(number)), number.value, cuda.cuInit(0), count(), name(), uuid(1)]
device = ctypes.c_int(-1)
answer += [cuda.cuDeviceGet(ctypes.byref(device), 1), device.value]
size = ctypes.c_size_t()
answer += [cuda.cuDeviceTotalMem_v2(ctypes.byref(size), 0), size.value]
bus = ctypes.create_string_buffer(b"?" * 32)
answer += [cuda.cuDeviceGetPCIBusId(bus, 13, 1), bus.value.decode(), cuda.cuDeviceGetPCIBusId(bus, 12, 1)]
answer += [[attribute(which) for which in (75, 76, 16, 13, 36, 37, 38, 17, 20, 18, 33, 34, 50, 32, 10)]]
answer += [attribute(9999), attribute(16, 7), name(room=8)]
"""
    assert ask(deploy(scenario), body) == [
        *(0, 13000, 0, 2, "NVIDIA H100 80GB HBM3", digits(scenario.get("gpu.1.uuid"))),
        *(0, 1, 0, 85045477376, 0, "0000:43:00.0", 1),
        [9, 0, 132, 1980000, 2619000, 5120, 52428800, 0, 0, 0, 0x1B, 0, 0, 1, 32],
        *("error 1", "error 101", "NVIDIA "),
    ]


def test_every_cuda_key_comes_through(deploy: Deploy) -> None:
    """The keys that only CUDA reads, each with a value of its own."""
    own: dict[str, Value] = {
        "cuda.name": "Orin",
        "cuda.bus_id": "0000:0a:0b.0",
        "cuda.memory_total_bytes": 1 << 40,
        "cuda.clock_khz": 11,
        "cuda.memory_clock_khz": 12,
        "cuda.l2_bytes": 13,
        "cuda.kernel_timeout": 14,
        "cuda.integrated": 15,
        "cuda.tcc_driver": 16,
        "cuda.warp_size": 17,
        "cuda.max_threads_per_block": 18,
        "cuda.max_threads_per_multiprocessor": 19,
        "cuda.attribute.95": 20,
    }
    body = f"""{LIBRARY}
assert cuda.cuInit(0) == 0
size = ctypes.c_size_t()
cuda.cuDeviceTotalMem_v2(ctypes.byref(size), 0)
small = ctypes.c_uint()
cuda.cuDeviceTotalMem(ctypes.byref(small), 0)
answer = [name(), size.value, small.value, attribute(33), attribute(34)]
answer += [attribute(which) for which in (13, 36, 38, 17, 18, 35, 10, 1, 39, 95)]
"""
    assert ask(deploy(healthy_h100(1).gpu(0, own)), body) == [
        *("Orin", 1 << 40, 0xFFFFFFFF, 0x0A, 0x0B),
        *range(11, 21),
    ]


@pytest.mark.parametrize("code", [3, 46, 100, 304, 802, 803, 804, 999])
def test_cuinit_fails_as_the_scenario_says(deploy: Deploy, code: int) -> None:
    """The version is still told; every device call answers 3; the code has a name and a text."""
    body = f"""{LIBRARY}
rc = cuda.cuInit(0)
answer = [rc, cuda.cuDriverGetVersion(ctypes.byref(number)), count(), name(), text(cuda.cuGetErrorName, rc)[:10]]
answer += [len(text(cuda.cuGetErrorString, rc)) > 9]
"""
    assert ask(deploy(cu_init(code)), body) == [code, 0, "error 3", "error 3", "CUDA_ERROR", True]


def test_the_stub_answers_34_to_everything(deploy: Deploy) -> None:
    """The toolkit's stub library has no driver behind it, not even a version."""
    body = f"""{LIBRARY}
answer = [cuda.cuInit(0), cuda.cuDriverGetVersion(ctypes.byref(number)), count(), text(cuda.cuGetErrorName, 34)]
"""
    assert ask(deploy(stub_libcuda()), body) == [34, 34, "error 34", "error 34"]


def test_faults_of_cuda_are_its_own(deploy: Deploy) -> None:
    """A GPU's NVML code does not leak into CUDA; a cu function can fail on one GPU."""
    scenario = healthy_h100(2).fault(gpu=1, code=15).fault("cuDeviceGetName", gpu=0, code=999)
    assert ask(deploy(scenario), f"{LIBRARY}\nanswer = [cuda.cuInit(0), count(), name(0), name(1)]") == [
        *(0, 2, "error 999", "NVIDIA H100 80GB HBM3")
    ]
    assert ask(deploy(gpu_lost(1)), f"{LIBRARY}\nanswer = [cuda.cuInit(0), count()]") == [0, 1]


# ---- masks ------------------------------------------------------------------------------------

# CUDA_VISIBLE_DEVICES on two H100 (A and B) and what is left.  None: not set.
A, B = "A", "B"
MASKS: dict[str | None, list[str]] = {
    None: [A, B],
    "": [],
    "0": [A],
    "1": [B],
    "0,1": [A, B],
    "1,0": [B, A],
    " 1 , 0 ": [B, A],
    "-1": [],
    "0,-1,1": [A],
    "0,0": [],
    "1,0,1": [],
    "2": [],
    "2,0": [],
    "0,2,1": [A],
    "0,5,5": [],
    "1gpu2,0ampere": [B, A],
    "+1": [B],
    "0;1": [A],
    "0 1": [A],
    "0x1": [A],
    "0,,1": [A],
    "0,GPU-": [A],
    "cuda:0": [],
    "'0'": [],
    '"0"': [],
    "all": [],
    "none": [],
    "NoDevFiles": [],
    "GPU-<A>": [A],
    "GPU-<B>,GPU-<A>": [B, A],
    "GPU-<B>, GPU-<A>": [B],
    "GPU-<A>,0": [A],
    "GPU-<A>,GPU-<A>": [],
    "GPU-<A8>,GPU-<A>": [],
    "GPU-<B8>": [B],
    "GPU-": [],
    "gpu-<A>": [],
    " GPU-<A>": [],
    "GPU-00000000-0000-0000-0000-000000000000": [],
    "MIG-<A>": [],
}

MASKED = f"""{LIBRARY}
answer = []
for mask in masks:
    reader, writer = os.pipe()
    if os.fork() == 0:  # the mask is read once, at cuInit: a process for each
        if mask is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = mask
        rc = cuda.cuInit(0)
        devices = [uuid(device) for device in range(count())] if rc == 0 else []
        os.write(writer, json.dumps([rc, devices]).encode())
        os._exit(0)
    os.close(writer)
    answer.append(json.loads(os.read(reader, 65536)))
    os.close(reader)
    os.wait()
"""


def masked(deployed: Deployed, masks: list[str | None], **variables: str) -> list[tuple[int, list[str]]]:
    """cuInit's code and the UUIDs that are visible under each mask."""
    answers = ask(deployed, f"masks = {masks!r}\n{MASKED}", **variables)
    return [(code, uuids) for code, uuids in answers]


def test_masks_are_read_as_cuda_reads_them(deploy: Deploy) -> None:
    """Every form of CUDA_VISIBLE_DEVICES, from the failure catalogue and torch's reading of it."""
    scenario = healthy_h100(2)
    own = {name: scenario.get(f"gpu.{index}.uuid") for index, name in enumerate((A, B))}

    def spell(mask: str | None) -> str | None:
        for name, uuid in own.items():
            mask = mask and mask.replace(f"<{name}>", uuid[4:]).replace(f"<{name}8>", uuid[4:12])
        return mask

    answers = masked(deploy(scenario), [spell(mask) for mask in MASKS])
    names = {digits(uuid): name for name, uuid in own.items()}
    seen = {mask: [names[uuid] for uuid in answer[1]] for mask, answer in zip(MASKS, answers, strict=True)}
    assert seen == MASKS
    assert [answer[0] for answer in answers] == [0 if devices else 100 for devices in MASKS.values()]


def test_order_is_fastest_first_or_by_bus(deploy: Deploy) -> None:
    """CUDA's order is not NVML's where GPUs are unlike, unless CUDA_DEVICE_ORDER asks for the bus; masks follow it."""
    scenario = unlike_pair()
    old, new = (digits(scenario.get(f"gpu.{index}.uuid")) for index in (0, 1))
    fastest = masked(deploy(scenario), [None, "0", "1,0"])
    by_bus = masked(deploy(scenario), [None, "0", "1,0"], CUDA_DEVICE_ORDER="PCI_BUS_ID")
    assert [answer[1] for answer in fastest] == [[new, old], [new], [old, new]]
    assert [answer[1] for answer in by_bus] == [[old, new], [old], [new, old]]


def test_of_mig_devices_one_is_visible(deploy: Deploy) -> None:
    """One compute instance at most, and with it no other GPU; the old form of the name only on old drivers."""
    scenario = mig()
    first, second = (scenario.get(f"gpu.0.mig.{slot}.uuid") for slot in (0, 1))
    old_form = f"MIG-{scenario.get('gpu.0.uuid')}/2/0"
    masks = [None, "0", second, f"{second},{first}", second[:12], old_form, scenario.get("gpu.0.uuid"), "MIG-nonsense"]
    answers = [answer[1] for answer in masked(deploy(scenario), masks)]
    one, two = [digits(first)], [digits(second)]
    assert answers == [one, one, two, two, two, [], one, []]
    assert masked(deploy(installed_driver(scenario, "450.80.02", 11000)), [old_form])[0][0] == 0


def test_a_mig_device_has_its_own_name_size_and_uuid(deploy: Deploy) -> None:
    """The newer call gives the MIG device's UUID, the older its GPU's; architecture and bus are the GPU's."""
    scenario = mig()
    body = f"""{LIBRARY}
assert cuda.cuInit(0) == 0
answer = [name(), attribute(16), attribute(75), attribute(33), uuid(0, "cuDeviceGetUuid"), uuid(0)]
"""
    assert ask(deploy(scenario), body) == [
        *("NVIDIA A100-SXM4-80GB MIG 3g.40gb", 42, 8, 0x1B),
        digits(scenario.get("gpu.0.uuid")),
        digits(scenario.get("gpu.0.mig.0.uuid")),
    ]


def test_mig_mode_without_instances_has_no_device(deploy: Deploy) -> None:
    """cuInit answers 100; beside it a whole GPU is still found."""
    assert masked(deploy(mig_without_instances()), [None, "0"]) == [(100, []), (100, [])]
    both = machine_of(H100, {**H100, "mig_mode": 1})
    assert masked(deploy(both), [None]) == [(0, [digits(both.get("gpu.0.uuid"))])]


def test_a_gpu_on_the_soc_is_integrated(deploy: Deploy) -> None:
    """Orin: CUDA's own name, shared memory, bus 0."""
    body = f"""{LIBRARY}
assert cuda.cuInit(0) == 0
answer = [name(), attribute(18), attribute(75), attribute(76), attribute(33)]
"""
    assert ask(deploy(jetson()), body) == ["Orin", 1, 8, 7, 0]
