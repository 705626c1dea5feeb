"""One device behind its verbs: which is meant, what it tells of itself, its clock, its memory.  No card is needed."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from envcheck.probe.bench.device import SMALLEST_FLUSH, Device, Unusable, choose, count
from tests.probe.bench.pretended_cuda import Gpu, Tensor, torch_of

Enter = Callable[[Gpu], None]


def with_mps(torch: Any, available: bool = True) -> Any:
    torch.backends.mps = SimpleNamespace(is_available=lambda: available)
    return torch


def with_xpu(torch: Any, **more: Any) -> Any:
    """A torch that sees one Intel GPU and no CUDA."""
    told = SimpleNamespace(name="Intel Arc B580", total_memory=12 << 30, gpu_subslice_count=20)
    members = {"is_available": lambda: True, "device_count": lambda: 1, "get_device_properties": lambda index: told}
    torch.xpu = SimpleNamespace(**members, synchronize=lambda: None, set_device=lambda index: None, **more)
    return torch


# -- which one is meant ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("torch", "wanted", "name"),
    [
        (torch_of(Gpu()), "auto", "cuda:0"),
        (torch_of(Gpu()), "cuda", "cuda:0"),
        (torch_of(Gpu(), cards=8), "cuda:7", "cuda:7"),
        (torch_of(Gpu()), "cpu", "cpu"),
        (torch_of(Gpu(), cards=0), "auto", "cpu"),
        (with_mps(torch_of(Gpu(), cards=0)), "auto", "mps"),
        (with_mps(torch_of(Gpu(), cards=0)), "mps", "mps"),
        (with_xpu(torch_of(Gpu(), cards=0)), "auto", "xpu:0"),
    ],
)
def test_the_device_that_is_meant(torch: Any, wanted: str, name: str) -> None:
    """``auto`` is a GPU where there is one, and the processor where there is none."""
    assert choose(torch, wanted).name == name


@pytest.mark.parametrize(
    ("torch", "wanted", "words"),
    [
        (torch_of(Gpu(), cards=0), "cuda", "RuntimeError: Found no NVIDIA driver on your system."),
        (torch_of(Gpu(), cards=2), "cuda:2", "torch sees 2 device(s) of type cuda; there is no cuda:2"),
        (torch_of(Gpu(), cards=0, init=lambda: None), "cuda", "torch.cuda.is_available() is False"),
        (torch_of(Gpu()), "mps", "torch.backends.mps.is_available() is False"),
        (torch_of(Gpu()), "xpu", "torch.xpu.is_available() is False"),
        (torch_of(Gpu()), "tpu", "torch has no device type tpu"),
    ],
)
def test_a_device_that_is_not_there(torch: Any, wanted: str, words: str) -> None:
    """It is refused with torch's own words where it has some."""
    with pytest.raises(Unusable) as refusal:
        choose(torch, wanted)
    assert str(refusal.value) == words


def test_siblings_are_counted() -> None:
    """So many devices of one type does torch see; a processor is one."""
    torch = torch_of(Gpu(), cards=4)
    assert [count(torch, backend) for backend in ("cuda", "cpu", "mps", "xpu")] == [4, 1, 0, 0]


# -- who it is -------------------------------------------------------------------------------------------------


def test_the_identity_of_a_card() -> None:
    """Name, UUID, bus address, memory and cache; the second card is the second."""
    gpu = Gpu()
    card = choose(torch_of(gpu, cards=2), "cuda:1")
    card.select()
    assert gpu.log == ["set_device 1"]
    assert card.identity() == {
        "device": "cuda:1",
        "backend": "cuda",
        "siblings": 2,
        "name": "NVIDIA H100 80GB HBM3",
        "compute_capability": 90,
        "uuid": "GPU-00000001-8055-0783-bab6-e9ad8f6348d6",
        "bus_id": "0000:1c:00.0",
        "multiprocessors": 132,
        "memory_total_bytes": 80 << 30,
        "memory_free_bytes": 70 << 30,
        "cache_bytes": 50 << 20,
    }


def broken(index: int) -> Any:
    raise RuntimeError("CUDA error: device is lost")


def test_what_an_old_torch_does_not_tell_is_unread() -> None:
    """No mem_get_info, no L2 size, no UUID: each is unread by itself, and the rest is told."""
    old = SimpleNamespace(name="Tesla T4", major=7, minor=5, total_memory=15 << 30)
    facts = choose(torch_of(Gpu(), mem_get_info=None, get_device_properties=lambda index: old), "cuda").identity()
    assert (facts["name"], facts["compute_capability"], facts["memory_total_bytes"]) == ("Tesla T4", 75, 15 << 30)
    assert all(
        facts[fact]["kind"] == "unread" and facts[fact]["why"] == "unsupported"
        for fact in ("uuid", "bus_id", "memory_free_bytes", "cache_bytes", "multiprocessors")
    )


def test_a_figure_that_raises_costs_the_others_nothing() -> None:
    """A card that fails when asked for its free memory keeps its name."""
    facts = choose(torch_of(Gpu(), mem_get_info=broken), "cuda").identity()
    assert facts["memory_free_bytes"]["why"] == "crashed"
    assert "device is lost" in facts["memory_free_bytes"]["detail"]
    assert facts["name"] == "NVIDIA H100 80GB HBM3"


def test_an_amd_card_is_no_nvidia_one() -> None:
    """ROCm calls itself cuda: the compute capability is then none of NVIDIA's."""
    torch = torch_of(Gpu())
    torch.version.hip = "6.4"
    assert choose(torch, "cuda").identity()["compute_capability"]["why"] == "unsupported"


def test_an_intel_gpu() -> None:
    """Subslices stand for multiprocessors; nobody tells its free memory here."""
    card = choose(with_xpu(torch_of(Gpu(), cards=0)), "xpu")
    facts = card.identity()
    assert (facts["name"], facts["multiprocessors"], facts["compute_capability"]) == ("Intel Arc B580", 20, None)
    assert facts["memory_free_bytes"]["why"] == "unsupported"
    assert card.units() == 20


def test_a_processor_tells_of_itself() -> None:
    """Its name and memory come from the system; it has no multiprocessors and no queue to wait for."""
    host = choose(torch_of(Gpu()), "cpu")
    facts = host.identity()
    assert (facts["device"], facts["backend"], facts["siblings"]) == ("cpu", "cpu", 1)
    assert facts["multiprocessors"] is facts["compute_capability"] is facts["uuid"] is None
    assert host.units() == 4
    host.synchronize()
    host.spin(1.0)
    host.try_events()
    assert not host.has_events


# -- the clock -------------------------------------------------------------------------------------------------


def tried(gpu: Gpu, in_virtual_time: Enter, **more: Any) -> Device:
    in_virtual_time(gpu)
    card = choose(torch_of(gpu, **more), "cuda")
    card.try_events()
    return card


def test_events_are_tried_before_they_are_trusted(in_virtual_time: Enter) -> None:
    """Eight products that took as long by the events as the host has waited: a clock."""
    assert tried(Gpu(), in_virtual_time).has_events


@pytest.mark.parametrize("lie", [lambda ms: 0.0, lambda ms: -1.0, lambda ms: 50 * ms], ids=["zero", "back", "long"])
def test_events_that_cannot_be_true_are_no_clock(in_virtual_time: Enter, lie: Callable[[float], float]) -> None:
    """Zero, negative, or longer than the host has waited (simulators do that): the host's clock, and why."""
    card = tried(Gpu(), in_virtual_time, lie=lie)
    assert not card.has_events
    assert "for what took the host" in card.no_events


def test_events_that_raise_are_no_clock(in_virtual_time: Enter) -> None:
    """With their own words as the reason."""

    def event(enable_timing: bool) -> Any:
        raise RuntimeError("timing is disabled")

    card = tried(Gpu(), in_virtual_time, Event=event)
    assert not card.has_events
    assert card.no_events == "its events raised RuntimeError: timing is disabled"


def test_spinning_is_bounded(in_virtual_time: Enter) -> None:
    """The queue is kept full for as long as is asked for, and never for seconds; an old torch cannot spin."""
    gpu = Gpu()
    card = choose(torch_of(gpu), "cuda")
    card.spin(0.001)
    assert gpu.done == pytest.approx(0.001, abs=1e-4)
    card.spin(60.0)
    assert gpu.done < 0.1
    choose(torch_of(gpu, _sleep=None), "cuda").spin(0.001)


# -- memory ----------------------------------------------------------------------------------------------------


def flushed(gpu: Gpu, **more: Any) -> Tensor:
    card = choose(torch_of(gpu, **more), "cuda")
    card.flush()
    before = len(gpu.log)
    card.flush()
    assert gpu.log[before:] == ["add_"], "the second flush writes the same buffer again"
    assert isinstance(card.flush_buffer, Tensor)
    return card.flush_buffer


def test_the_flush_is_larger_than_the_cache() -> None:
    """Twice the L2, at least 256 MiB: what was in the cache is not there afterwards."""

    def told(index: int) -> Any:
        return SimpleNamespace(name="B300", major=10, minor=3, total_memory=1, L2_cache_size=192 << 20)

    assert 4 * flushed(Gpu()).numel() == SMALLEST_FLUSH
    assert 4 * flushed(Gpu(), get_device_properties=told).numel() == 384 << 20


def test_the_flush_leaves_room(in_virtual_time: Enter) -> None:
    """A card that is nearly full gives an eighth of what is free."""
    assert 4 * flushed(Gpu(free=800 << 20)).numel() == 100 << 20


def test_what_a_device_multiplies() -> None:
    """A type that the device refuses is told with the refusal's first line."""

    def refuse(left: Tensor, right: Tensor, out: Any = None) -> Tensor:
        if left.size == 8:
            raise TypeError("Cannot convert a MPS Tensor to float64\nin two lines")
        return left

    torch = torch_of(Gpu())
    torch.mm = refuse
    card = choose(torch, "cuda")
    assert card.has(torch.float32) == (True, None)
    assert card.has(torch.float64) == (False, "TypeError: Cannot convert a MPS Tensor to float64")
    assert not card.has_double()
