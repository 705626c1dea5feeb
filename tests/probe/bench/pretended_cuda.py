"""A torch without numbers whose CUDA device has a clock, a queue, memory and moods, for the tests of the bench.

Work takes virtual time: the host enqueues, the device works it off, ``synchronize`` waits.  Nothing sleeps, so what is
measured is exact.  Tensors know their size only; every comparison of theirs comes out equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

ENQUEUE_S = 5e-6
"""Seconds of the host for one call."""
DEVICE_HZ = 2.0e9
EPOCH = 1.764e9
"""Seconds since the epoch at which virtual time begins."""


class OutOfMemoryError(RuntimeError):
    """What torch raises where the device's memory is full."""


@dataclass
class Gpu:
    """One card and its host: two clocks that run apart until somebody waits."""

    memory: int = 80 << 30
    free: int = 70 << 30
    bandwidth: float = 3.0e12
    flops: float = 50e12
    lost_after: int | None = None  # calls after which every call is an error
    lost_words: str = "CUDA error: an illegal memory access was encountered"
    now: float = 0.0  # the host's clock
    done: float = 0.0  # when the device has worked off its queue
    calls: int = 0
    log: list[str] = field(default_factory=list)
    recording: list[Callable[[], None]] | None = None

    def clock(self) -> float:
        return self.now

    def call(self, name: str, seconds: float) -> None:
        """Enqueue some work."""
        self.calls += 1
        if self.lost_after is not None and self.calls > self.lost_after:
            raise RuntimeError(f"{self.lost_words}\nCUDA kernel errors might be asynchronously reported")
        if self.recording is not None:
            self.recording.append(lambda: self.work(name, seconds))
            return
        self.now += ENQUEUE_S
        self.work(name, seconds)

    def work(self, name: str, seconds: float) -> None:
        self.log.append(name)
        self.done = max(self.done, self.now) + seconds

    def answer(self) -> None:
        """Every call to a lost card raises, also one that asks for nothing new."""
        if self.lost_after is not None and self.calls > self.lost_after:
            raise RuntimeError(self.lost_words)

    def wait(self) -> None:
        self.answer()
        self.now = max(self.now, self.done) + 1e-6


class Tensor:
    """A shape on a device."""

    def __init__(self, gpu: Gpu, shape: Sequence[int], device: str, size: int = 4) -> None:
        self.gpu, self.shape, self.device, self.size = gpu, tuple(shape), device, size
        self.requires_grad = False

    @property
    def grad(self) -> Tensor:
        return self.like()

    @grad.setter
    def grad(self, value: Any) -> None:
        """Gradients come and go; their shape stays."""

    def numel(self) -> int:
        count = 1
        for n in self.shape:
            count *= n
        return count

    def like(self, shape: Sequence[int] | None = None) -> Tensor:
        return Tensor(self.gpu, self.shape if shape is None else shape, self.device, self.size)

    def to(self, where: Any) -> Tensor:
        if not isinstance(where, str):
            return Tensor(self.gpu, self.shape, self.device, where.size)
        return allocate(self.gpu, self.shape, where, self.size)

    def touch(self, name: str, passes: float = 2.0) -> Tensor:
        if self.device.startswith("cuda"):
            self.gpu.call(name, passes * self.size * self.numel() / self.gpu.bandwidth)
        return self

    def __getattr__(self, name: str) -> Any:
        """Every other method is some elementwise work."""
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self.touch(name)

    def t(self) -> Tensor:
        return self.like(self.shape[::-1])

    def expand(self, *shape: int) -> Tensor:
        return self

    def repeat(self, *times: int) -> Tensor:
        return self.like([n * k for n, k in zip(self.shape, times, strict=True)])

    def pin_memory(self) -> Tensor:
        return self

    def fill_(self, value: float) -> Tensor:
        return self.touch("fill_", 1.0)

    def requires_grad_(self) -> Tensor:
        self.requires_grad = True
        return self

    def backward(self) -> None:
        self.touch("backward")

    def __getitem__(self, place: Any) -> Tensor:
        return self

    def __add__(self, other: Any) -> Tensor:
        return self.touch("add")

    def __sub__(self, other: Any) -> Tensor:
        return self.touch("sub")

    def __mul__(self, other: Any) -> Tensor:
        return self.touch("mul")

    def __truediv__(self, other: Any) -> Tensor:
        return self

    def __ne__(self, other: object) -> Any:
        return self

    __hash__ = None  # type: ignore[assignment]

    def __float__(self) -> float:
        return 0.0

    def __int__(self) -> int:
        return 0


def allocate(gpu: Gpu, shape: Sequence[int], device: str, size: int) -> Tensor:
    tensor = Tensor(gpu, shape, device, size)
    if device.startswith("cuda") and size * tensor.numel() > gpu.free:
        raise OutOfMemoryError(f"CUDA out of memory. Tried to allocate {size * tensor.numel() >> 20} MiB")
    return tensor


class Event:
    def __init__(self, gpu: Gpu, lie: Callable[[float], float]) -> None:
        self.gpu, self.lie, self.at = gpu, lie, 0.0

    def record(self) -> None:
        self.gpu.now += 1e-6
        self.at = max(self.gpu.done, self.gpu.now)

    def elapsed_time(self, later: Event) -> float:
        return self.lie((later.at - self.at) * 1e3)


class CudaGraph:
    """Recorded work; a replay is one call of the host."""

    def __init__(self, gpu: Gpu) -> None:
        self.gpu, self.nodes = gpu, list[Callable[[], None]]()

    def replay(self) -> None:
        self.gpu.now += ENQUEUE_S
        self.gpu.log.append("replay")
        for node in self.nodes:
            node()


def torch_of(gpu: Gpu, *, cards: int = 1, lie: Callable[[float], float] = lambda ms: ms, **cuda: Any) -> Any:
    """A torch that sees so many cards; ``cuda`` replaces functions of torch.cuda (``None``: not there)."""

    def new(*shape: int, dtype: Any = None, device: str = "cpu", generator: Any = None) -> Tensor:
        return allocate(gpu, shape, device, dtype.size if dtype else 4)

    def full(shape: Sequence[int], value: float, device: str = "cpu") -> Tensor:
        return allocate(gpu, shape, device, 4).fill_(value)

    def product(left: Tensor, right: Tensor, out: Tensor | None = None) -> Tensor:
        found = out if out is not None else left.like([*left.shape[:-1], right.shape[-1]])
        if left.device.startswith("cuda"):
            gpu.call("mm", 2.0 * left.numel() * right.shape[-1] / gpu.flops)
        return found

    def addmm(bias: Tensor, left: Tensor, right: Tensor, out: Tensor | None = None) -> Tensor:
        return product(left, right, out)

    def elementwise(name: str, passes: float) -> Callable[..., Tensor]:
        def act(first: Tensor, *rest: Any, out: Tensor | None = None, **more: Any) -> Tensor:
            return (out if out is not None else first).touch(name, passes)

        return act

    @contextmanager
    def graph(recorder: CudaGraph) -> Any:
        gpu.recording = recorder.nodes
        try:
            yield
        finally:
            gpu.recording = None

    @contextmanager
    def nothing(*args: Any) -> Any:
        yield

    def select(index: int) -> None:
        gpu.log.append(f"set_device {index}")

    def empty_cache() -> None:
        gpu.log.append("empty_cache")
        gpu.answer()

    def sleep(cycles: int) -> None:
        gpu.call("spin", cycles / DEVICE_HZ)

    def init() -> None:
        if not cards:
            raise RuntimeError("Found no NVIDIA driver on your system.\nPlease check")

    def told(index: int) -> Any:
        return SimpleNamespace(
            name="NVIDIA H100 80GB HBM3",
            major=9,
            minor=0,
            total_memory=gpu.memory,
            multi_processor_count=132,
            L2_cache_size=50 << 20,
            uuid=f"0000000{index}-8055-0783-bab6-e9ad8f6348d6",
            pci_domain_id=0,
            pci_bus_id=0x1B + index,
            pci_device_id=0,
        )

    stream = SimpleNamespace(wait_stream=lambda other: None)
    members: dict[str, Any] = {
        "is_available": lambda: cards > 0,
        "device_count": lambda: cards,
        "init": init,
        "set_device": select,
        "synchronize": gpu.wait,
        "Event": lambda enable_timing: Event(gpu, lie),
        "_sleep": sleep,
        "mem_get_info": lambda index: (gpu.free, gpu.memory),
        "empty_cache": empty_cache,
        "get_device_properties": told,
        "get_device_capability": lambda index: (9, 0),
        "Stream": lambda: stream,
        "current_stream": lambda: stream,
        "stream": nothing,
        "graph": graph,
        "CUDAGraph": lambda: CudaGraph(gpu),
        **cuda,
    }
    kinds = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}
    return SimpleNamespace(
        **{name: SimpleNamespace(size=size) for name, size in kinds.items()},
        __version__="2.14.1+cu130",
        version=SimpleNamespace(cuda="13.0", hip=None),
        cuda=SimpleNamespace(**{name: member for name, member in members.items() if member is not None}),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False)),
        Generator=lambda: SimpleNamespace(manual_seed=lambda seed: None),
        initial_seed=lambda: 1,
        get_num_threads=lambda: 4,
        get_float32_matmul_precision=lambda: "highest",
        set_float32_matmul_precision=lambda words: None,
        no_grad=nothing,
        randn=new,
        ones=new,
        zeros=new,
        empty=new,
        randint=lambda below, shape, generator=None: new(*shape),
        full=full,
        full_like=lambda tensor, value: tensor,
        mm=product,
        addmm=addmm,
        add=elementwise("add", 1.0),
        sum=elementwise("sum", 1.0),
        log_softmax=elementwise("log_softmax", 2.0),
        nn=SimpleNamespace(functional=SimpleNamespace(cross_entropy=elementwise("cross_entropy", 2.0))),
    )
