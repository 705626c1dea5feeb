"""Memory, matrix products and transfers: what is run, at which sizes, and how its result is checked.

A shape is what :mod:`envcheck.roofline.cost` counts bytes and operations from; what is counted there is what is done
here.
"""

from .clock import Member, absent, refusal

MIB = 1 << 20
SHARE = 4  # no workload takes more than this part of the free memory
SAMPLE_ROWS = 64
GUESS_FREE = 1 << 30  # where nobody tells how much is free


def memory(device, size):
    """The group of one output size in bytes: copy, fill, outer sum and row sum into the same buffer, no allocation."""
    torch, name = device.torch, device.name
    side = int((size // 4) ** 0.5)
    label = "%d MiB" % (size // MIB)
    column = torch.randn(side).to(name)
    row = torch.randn(side).to(name)
    block = min(side, 512)  # as random as is needed for the memory's sake: drawing it all takes longer than measuring
    source = torch.randn(block, side).to(name).repeat(side // block, 1)
    out = torch.full((side, side), float("nan"), device=name)
    tall = column[:, None]
    some = torch.randint(side, (SAMPLE_ROWS,)).to(name)

    def member(workload, step, shape, rows):
        def check():
            return unlike(torch, out, step, some, rows)

        return Member(workload, step, shape, size=label, cold=size > 2 * MIB, check=check)

    return [
        member("copy", lambda: out.copy_(source), [side * side], lambda: source[some]),
        member("fill", lambda: out.fill_(1.5), [side * side], lambda: torch.full_like(source[some], 1.5)),
        member(
            "broadcast",
            lambda: torch.add(tall, row, out=out),
            [side, side],
            lambda: tall[some].expand(-1, side) + row.expand(SAMPLE_ROWS, side),
        ),
        member("row-add", lambda: torch.add(source, row, out=out), [side, side], lambda: source[some] + row),
    ]


def unlike(torch, out, step, some, rows):
    """What is wrong with the output of a step, in words: it is full of NaN before, and afterwards no element may be,
    and ``some`` rows have to be those of the reference, bit by bit."""
    out.fill_(float("nan"))
    step()
    total = float(out.sum())  # a NaN that was left makes the sum one, without a buffer as large as the output
    if total != total:
        return "some elements were not written"
    differing = int((out[some] != rows()).sum())
    return "%d of %d elements differ from the reference" % (differing, out[some].numel()) if differing else None


def memory_sizes(device, quick):
    """Output sizes in bytes: in the cache, beyond it, and far beyond it where there is room."""
    room = (device.free_bytes() or GUESS_FREE) // SHARE
    wanted = [MIB, 64 * MIB] if quick else [MIB, 64 * MIB, 1024 * MIB]
    return [size for size in wanted if 2 * size <= room] or [MIB]


# -- matrix products -------------------------------------------------------------------------------------------


def product_group(device, label):
    """The group of one type of number: a square product, the ceiling of everything that multiplies."""
    torch = device.torch
    dtype = {"tf32": torch.float32}.get(label) or getattr(torch, label)
    side = product_side(device, label)
    more = {"dtype": label, "size": str(side), "shape": [side, side, side]}
    if label == "tf32" and not has_tf32(device):
        return [], [absent("matmul", NO_TF32, **more)]
    able, why = device.has(dtype)
    if not able:
        return [], [absent("matmul", why, **more)]
    return [product(device, label, dtype, "high" if label == "tf32" else None, side)], []


NO_TF32 = "TF32 is a feature of NVIDIA GPUs from compute capability 8.0 on"


def has_tf32(device):
    if device.backend != "cuda" or getattr(device.torch.version, "hip", None):
        return False
    return device.torch.cuda.get_device_capability(device.index)[0] >= 8


def product(device, label, dtype, precision, side):
    torch, name = device.torch, device.name
    left = torch.randn(side, side).to(dtype).to(name)
    right = torch.randn(side, side).to(dtype).to(name)
    out = torch.empty(side, side, dtype=dtype, device=name)

    def step():
        torch.mm(left, right, out=out)

    def step_in_precision():
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision(precision)
        try:
            torch.mm(left, right, out=out)
        finally:
            torch.set_float32_matmul_precision(before)

    chosen = step if precision is None else step_in_precision
    return Member("matmul", chosen, [side, side, side], size=str(side), dtype=label)


def product_side(device, label):
    """A power of two whose product takes some ten milliseconds on such a device; equal on equal devices, always."""
    units = device.units()
    if device.is_host:
        if label in ("bfloat16", "float16"):
            return 256  # most processors emulate them
        seconds_flops = 1.2e9 * units  # 0.03 s of 40 GFLOP/s a thread
    else:
        seconds_flops = 0.05 * 4.0e11 * units  # 0.05 s of 0.4 TFLOP/s a multiprocessor
    if label == "float64":
        seconds_flops /= 8.0
    if label in ("tf32", "bfloat16", "float16"):
        seconds_flops *= 8.0
    side, room = 256, (device.free_bytes() or GUESS_FREE) // SHARE
    while side < 8192 and 2.0 * (2 * side) ** 3 <= seconds_flops and 3 * 8 * (2 * side) ** 2 <= room:
        side *= 2
    return side


# -- transfers -------------------------------------------------------------------------------------------------


def transfers(device, quick):
    """Copies between host and device: (members, records of what this device does not have)."""
    torch, name = device.torch, device.name
    size = 64 * MIB if quick else 256 * MIB
    room = (device.free_bytes() or GUESS_FREE) // SHARE
    while size > MIB and size > room:
        size //= 2
    label, count = "%d MiB" % (size // MIB), size // 4
    kinds = [(way, kind) for way in ("host-to-device", "device-to-host") for kind in ("pinned", "pageable")]
    if device.is_host:
        why = "the device is the host: its memory is the processor's own"
        return [], [absent(way, why, variant=kind, size=label, shape=[count]) for way, kind in kinds]
    members, missing = [], []
    there = torch.randn(count, device=name)
    for way, kind in kinds:
        try:
            here = torch.randn(count)
            if kind == "pinned":
                here = here.pin_memory()
        except Exception as error:
            missing.append(absent(way, refusal(error), variant=kind, size=label, shape=[count]))
            continue
        members.append(transfer(way, kind, here, there, count, label))
    return members, missing


def transfer(way, kind, here, there, count, label):
    source, target = (here, there) if way == "host-to-device" else (there, here)
    return Member(way, lambda: target.copy_(source), [count], variant=kind, size=label, clock="host")
