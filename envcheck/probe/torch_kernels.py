"""Small computations whose results are known exactly: does a device really compute, and rightly?

All numbers are small integers: every product and sum is exact in float32 and in TF32, so a difference is no rounding.
"""

from .answer import excuse, unread

SIDE = 8


def compute(torch, device):
    """The first difference from the expected numbers on ``device``, in words; None where all are right."""
    found = (torch.arange(float(SIDE * SIDE), device=device) * 2 + 1).cpu().tolist()
    wrong = difference("elementwise", found, [2.0 * n + 1.0 for n in range(SIDE * SIDE)])
    if wrong is not None:
        return wrong
    left = [[float((row + column) % 5) for column in range(SIDE)] for row in range(SIDE)]
    right = [[float((row * column) % 3) for column in range(SIDE)] for row in range(SIDE)]
    product = torch.matmul(torch.tensor(left, device=device), torch.tensor(right, device=device))
    expected = [sum(row[k] * right[k][column] for k in range(SIDE)) for row in left for column in range(SIDE)]
    return difference("matrix product", product.flatten().cpu().tolist(), expected)


def difference(what, found, expected):
    for place in range(len(expected)):
        if found[place] != expected[place]:
            return "%s: element %d is %s instead of %s" % (what, place, found[place], expected[place])
    return None


def on_cpu(torch):
    ok, error = verdict(torch, "cpu")
    return {"cpu_kernel_ok": ok, "cpu_kernel_error": error}


def verdict(torch, device):
    """(did it compute rightly, what went wrong in words)"""
    try:
        wrong = compute(torch, device)
    except Exception as error:
        return False, "%s: %s" % (type(error).__name__, error)
    return wrong is None, wrong


def fill(record, torch, save):
    """The facts of one CUDA (or ROCm) device, written down before its kernel runs and after."""
    try:
        record.update(properties(torch, record["index"]))
    except Exception as error:
        record.update(name=excuse(error))
    save()
    ok, error = verdict(torch, "cuda:%d" % record["index"])
    record.update(kernel_ok=ok, kernel_error=error)
    try:
        record["memory_free_bytes"] = int(torch.cuda.mem_get_info(record["index"])[0])
    except Exception as error:  # an old torch has no mem_get_info
        record["memory_free_bytes"] = excuse(error)
    save()


def properties(torch, index):
    told = torch.cuda.get_device_properties(index)
    silent = unread("unsupported", "this torch does not say")
    facts = {"name": told.name, "memory_total_bytes": int(told.total_memory), "uuid": silent, "bus_id": silent}
    if getattr(torch.version, "hip", None):
        arch = str(getattr(told, "gcnArchName", "an AMD architecture"))
        facts["compute_capability"] = unread("unsupported", "not an NVIDIA device: " + arch)
    else:
        facts["compute_capability"] = told.major * 10 + told.minor
    if hasattr(told, "uuid"):
        mark = "MIG-" if " MIG " in told.name else "GPU-"
        uuid = str(told.uuid)
        facts["uuid"] = uuid if uuid.startswith(mark) else mark + uuid
    if hasattr(told, "pci_bus_id"):
        numbers = (getattr(told, "pci_domain_id", 0), told.pci_bus_id, getattr(told, "pci_device_id", 0))
        facts["bus_id"] = "%04x:%02x:%02x.0" % numbers
    return facts
