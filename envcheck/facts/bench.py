"""What a benchmark measured.  Filled by the bench collector only: raw samples, nothing concluded from them."""

from __future__ import annotations

from .fact import NOT_ASKED, Fact, Record, Section, Unread


class NumericCheck(Record, frozen=True, kw_only=True):
    """One question of mathematics to a device, and by how much its answer was off."""

    id: str  # "softmax-gradient": the name under which --explain derives it
    formula: str = ""  # what is compared, in ASCII: "dL/dz = softmax(z) - y"
    error: Fact[float] = NOT_ASKED  # largest deviation from the reference; None: a text or a shape, or no finite number
    limit: Fact[float] = NOT_ASKED  # the largest error that passes, same measure; None: the answer has no size
    wrong: Fact[str] = NOT_ASKED  # what is wrong, in words; None: it held
    unavailable: Fact[str] = NOT_ASKED  # what this device or this torch lacks for it; None: it was asked
    remark: str = ""  # what else was seen: the words of an error, a figure worth knowing
    seconds: float = 0.0


class Timing(Record, frozen=True, kw_only=True):
    """One workload in one variant at one size: every sample that was taken of it.

    A sample is the time of one step in seconds, from ``repeats`` steps between two readings of the clock.
    """

    workload: str  # copy, fill, matmul, host-to-device, device-to-host, broadcast, row-add, products, step
    variant: str = ""  # eager, closed-form, cuda-graph, compile; pinned, pageable; "" where there is one alone
    size: str = ""  # "64 MiB", "course", "large", "1024": with workload, variant and dtype it names the row
    dtype: str = "float32"
    shape: list[int] = []  # the workload's own numbers: see envcheck.roofline.cost
    group: str = ""  # measured in turns with the others of its group, so that their ratios share the same weather
    cold: bool = False  # caches were overwritten before each sample
    clock: str = "host"  # "events" of the device, or the host's clock around a synchronised step
    repeats: int = 1
    unavailable: Fact[str] = NOT_ASKED  # why this cannot be measured here, or what it raised; None: it was measured
    samples_s: Fact[list[float]] = NOT_ASKED
    at_s: Fact[list[float]] = NOT_ASKED  # when each sample began, seconds since the epoch
    # How long threads stood in the queue for a processor, seconds a step of each sample; None: no such figure here.
    waits_s: Fact[list[float]] = NOT_ASKED
    host_samples_s: Fact[list[float]] = NOT_ASKED  # wall time a step with the queue empty; None: the host is the device
    first_call_s: Fact[float] = NOT_ASKED  # context, kernels, compilation: never among the samples
    warmup_s: Fact[float] = NOT_ASKED
    settled: Fact[bool] = NOT_ASKED  # the step times had stopped moving when sampling began
    # "precise", "time" or "count": which rule ended the sampling; in other words, what the second visit raised.
    stopped_by: Fact[str] = NOT_ASKED


class Watch(Section, frozen=True, kw_only=True, tag="watch"):
    """One GPU while it was measured, by NVML from another process.  Columns of equal length, one row a reading.

    A column is ``None`` where this board or system has no such figure, unread where it could not be had.
    """

    uuid: Fact[str] = NOT_ASKED
    bus_id: Fact[str] = NOT_ASKED
    at_s: Fact[list[float]] = NOT_ASKED  # seconds since the epoch
    clock_sm_mhz: Fact[list[int]] = NOT_ASKED
    clock_memory_mhz: Fact[list[int]] = NOT_ASKED
    temperature_c: Fact[list[int]] = NOT_ASKED
    power_w: Fact[list[float]] = NOT_ASKED
    utilization_percent: Fact[list[int]] = NOT_ASKED
    clock_reasons: Fact[list[int]] = NOT_ASKED  # bits of nvmlClocksEventReasons: see CLOCK_REASONS
    pcie_generation: Fact[list[int]] = NOT_ASKED
    pcie_width: Fact[list[int]] = NOT_ASKED
    others: Fact[list[int]] = NOT_ASKED  # compute processes on the GPU besides the measured one


class BenchDevice(Section, frozen=True, kw_only=True, tag="bench_device"):
    """One device as one child process measured it: numbers first, then speed."""

    device: Fact[str] = NOT_ASKED  # "cuda:0", "cpu", "mps", "xpu:0": as torch names it
    backend: Fact[str] = NOT_ASKED  # cuda (ROCm too), cpu, mps, xpu
    trouble: Fact[str] = NOT_ASKED  # why the device could not be used at all, verbatim; None: it could
    torch: Fact[str] = NOT_ASKED  # torch.__version__
    cuda: Fact[str] = NOT_ASKED  # CUDA that torch was built with; None: without
    hip: Fact[str] = NOT_ASKED
    python: Fact[str] = NOT_ASKED  # "3.11.7"
    import_s: Fact[float] = NOT_ASKED
    seconds: Fact[float] = NOT_ASKED  # of the whole child
    seed: Fact[int] = NOT_ASKED  # of all random inputs: with it a run can be repeated number by number
    quick: Fact[bool] = NOT_ASKED
    name: Fact[str] = NOT_ASKED
    uuid: Fact[str] = NOT_ASKED
    bus_id: Fact[str] = NOT_ASKED
    siblings: Fact[int] = NOT_ASKED  # devices of this backend that torch sees, this one included
    compute_capability: Fact[int] = NOT_ASKED  # major*10+minor; None: no NVIDIA device
    multiprocessors: Fact[int] = NOT_ASKED
    memory_total_bytes: Fact[int] = NOT_ASKED
    memory_free_bytes: Fact[int] = NOT_ASKED
    cache_bytes: Fact[int] = NOT_ASKED  # last level: L2 of a GPU, L3 of a processor
    threads: Fact[int] = NOT_ASKED  # torch.get_num_threads()
    processors: Fact[int] = NOT_ASKED  # that this process may run on
    precision: Fact[str] = NOT_ASKED  # torch.get_float32_matmul_precision(): highest, high, medium
    touched_at_s: Fact[float] = (
        NOT_ASKED  # when the device was first used, seconds since the epoch: before, it was others'
    )
    product_class: Fact[str] = NOT_ASKED  # how exact a float32 product is in fact: float32, tf32, bfloat16, worse
    checksum: Fact[str] = NOT_ASKED  # of one matrix product of fixed inputs: equal on equal devices
    checks: Fact[list[NumericCheck]] = NOT_ASKED
    timings: Fact[list[Timing]] = NOT_ASKED
    watch: Watch | Unread | None = NOT_ASKED  # None: no device that NVML knows


class StoredBench(Section, frozen=True, kw_only=True, tag="stored_bench"):
    """An earlier benchmark, read from a file to be compared with."""

    path: Fact[str] = NOT_ASKED
    taken_at: Fact[str] = NOT_ASKED
    tool: Fact[str] = NOT_ASKED
    devices: Fact[list[BenchDevice]] = NOT_ASKED


class Bench(Section, frozen=True, kw_only=True, tag="bench"):
    """One benchmark session: each device in a child process of its own, one after another."""

    device: Fact[str] = NOT_ASKED  # what was asked for: auto, cuda, cuda:1, cpu, mps, xpu, all
    python: Fact[str] = NOT_ASKED  # the interpreter whose torch was measured
    quick: Fact[bool] = NOT_ASKED
    seconds: Fact[float] = NOT_ASKED
    devices: Fact[list[BenchDevice]] = NOT_ASKED
    stored: StoredBench | Unread | None = NOT_ASKED  # None: nothing to compare with was given
