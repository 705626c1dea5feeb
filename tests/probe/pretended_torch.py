"""A torch of a few lines: it computes with lists, and does what TORCH_DOES tells it to (a word per step).

Written into an environment as ``torch/__init__.py``; it is never imported by the tests themselves.
"""

import os
import signal
import sys
import types
import warnings

DOES = os.environ.get("TORCH_DOES", "").split(",")


def step(name):
    """Die, hang or raise here if asked to."""
    if name + ":die" in DOES:
        os.kill(os.getpid(), signal.SIGSEGV)
    if name + ":hang" in DOES:
        signal.pause()
    if name + ":exit" in DOES:
        sys.exit("bye")
    if name + ":raise" in DOES:
        raise RuntimeError(f"{name} failed\nin two lines")


warnings.warn("a warning of torch", stacklevel=2)
sys.stderr.write("A module that was compiled using NumPy 1.x cannot be run\n")
step("import")

__version__ = "2.14.1+cu130"
version = types.SimpleNamespace(cuda="13.0", hip="6.4" if "hip" in DOES else None)


class Tensor:
    def __init__(self, rows, device="cpu"):
        self.rows, self.device = rows, device

    def __mul__(self, factor):
        step("kernel on " + self.device)
        off = 1.0 if "wrong on " + self.device in DOES else 0.0
        return Tensor([value * factor + off for value in self.rows], self.device)

    def __add__(self, number):
        return Tensor([value + number for value in self.rows], self.device)

    def flatten(self):
        return Tensor([value for row in self.rows for value in row], self.device)

    def cpu(self):
        return self

    def tolist(self):
        return self.rows

    def numpy(self):
        step("numpy")
        return self


def arange(end, device):
    return Tensor([float(n) for n in range(int(end))], device)


def tensor(rows, device):
    return Tensor(rows, device)


def ones(size):
    return Tensor([1.0] * size)


def matmul(left, right):
    size = range(len(left.rows))
    rows = [[sum(row[k] * right.rows[k][column] for k in size) for column in size] for row in left.rows]
    return Tensor(rows, left.device)


_C = types.SimpleNamespace(_cuda_getArchFlags=lambda: "sm_75 sm_90 compute_120", _nccl_version=lambda: None)
backends = types.SimpleNamespace(
    cudnn=types.SimpleNamespace(version=lambda: 92400),
    mps=types.SimpleNamespace(is_available=lambda: False),
)
xpu = types.SimpleNamespace(is_available=lambda: False)


def _init():
    step("init")


def _properties(index):
    return types.SimpleNamespace(
        name="NVIDIA H100 80GB HBM3",
        major=9,
        minor=0,
        total_memory=85 << 30,
        uuid="588c1167-8055-0783-bab6-e9ad8f6348d6",
        pci_domain_id=0,
        pci_bus_id=0x1B,
        pci_device_id=0,
        gcnArchName="gfx942",
    )


def _is_available():
    step("available")
    return "unavailable" not in DOES


cuda = types.SimpleNamespace(
    is_available=_is_available,
    device_count=lambda: 0 if "unavailable" in DOES else 2,
    init=_init,
    get_device_properties=_properties,
    mem_get_info=lambda index: (80 << 30, 85 << 30),
    nccl=types.SimpleNamespace(version=lambda: (2, 30, 7)),
)
