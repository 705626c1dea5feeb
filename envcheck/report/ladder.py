"""The ladder in words: what was seen on each rung, for the eye.  Nothing here judges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from envcheck.facts import Interpreter, Snapshot, TorchRuntime, Unread, value_or
from envcheck.judge import Report, is_nvidia_gpu
from envcheck.judge.report import RungOutcome

from .ignorance import unknown
from .phrases import RUNG_NAMES, target
from .words import clean, count, cuda_release, shorten

VENDORS = {0x1002: "AMD", 0x8086: "Intel", 0x10DE: "NVIDIA"}
LONGEST = 120


def rungs(report: Report) -> list[tuple[RungOutcome, str, str]]:
    """(outcome, name, words) of every rung, from the silicon up."""
    lines = []
    broken = False
    for step in report.ladder:
        if step.outcome == "problem":
            rules = [f.rule for f in report.root_causes if f.rung == step.rung]
            rules += [c.finding.rule for c in report.consequences if c.finding.rung == step.rung]
            words = ", ".join(dict.fromkeys(rules))
        elif step.outcome == "cannot_tell":
            doubts = [v.why for v in unknown(report) if v.rung == step.rung and v.essential and v.asked]
            words = doubts[0] if doubts else "cannot tell"
        elif step.outcome == "not_reached":
            words = "not reached" if broken else "nothing to judge"
        else:
            words = seen(report.snapshot, step.rung)
        broken = broken or step.outcome == "problem"
        lines.append((step.outcome, RUNG_NAMES[step.rung], shorten(clean(words), LONGEST)))
    return lines


def seen(snapshot: Snapshot, rung: str) -> str:
    """What stands on a rung, in a few words; empty where nothing was told."""
    return _SEEN[rung](snapshot) if rung in _SEEN else ""


def _hardware(snapshot: Snapshot) -> str:
    names = gpu_names(snapshot)
    if names:
        return ", ".join(f"{n} × {name}" if n > 1 else name for name, n in Counter(names).items())
    if not isinstance(snapshot.host, Unread) and isinstance(snapshot.host.jetson, str):
        return snapshot.host.jetson
    if isinstance(snapshot.devices, Unread) or not isinstance(snapshot.devices.pci, list):
        return ""
    cards = snapshot.devices.pci
    nvidia = sum(is_nvidia_gpu(card) for card in cards)
    if nvidia:
        return count(nvidia, "NVIDIA card") + " on the PCI bus"
    others = {VENDORS[c.vendor] for c in cards if isinstance(c.vendor, int) and c.vendor in VENDORS}
    return "no NVIDIA card" + (f" ({', '.join(sorted(others))} graphics)" if others else "")


def gpu_names(snapshot: Snapshot) -> list[str]:
    """Model names of the NVIDIA GPUs, by the first witness that lists them."""
    for section in (snapshot.nvml, snapshot.smi):
        gpus = [] if isinstance(section, Unread) else value_or(section.gpus, [])
        if gpus:
            return [clean(value_or(gpu.name, "NVIDIA GPU")) for gpu in gpus]
    listed = [] if isinstance(snapshot.driver, Unread) else value_or(snapshot.driver.gpus, [])
    return [clean(value_or(gpu.model, "NVIDIA GPU")) for gpu in listed]


def _kernel_module(snapshot: Snapshot) -> str:
    if not isinstance(snapshot.host, Unread) and isinstance(snapshot.host.wsl, int):
        return "on WSL the module is the Windows driver's"
    driver = snapshot.driver
    if isinstance(driver, Unread):
        return ""
    version = next((v for v in (driver.sys_module, driver.proc) if isinstance(v, str)), None)
    if version is None:
        return "nvidia is not loaded" if driver.module_loaded is False else ""
    return f"nvidia {version}" + (", open" if driver.open_module is True else "")


def _device_nodes(snapshot: Snapshot) -> str:
    if isinstance(snapshot.devices, Unread) or not isinstance(snapshot.devices.nodes, list):
        return ""
    paths = [node.path for node in snapshot.devices.nodes if node.path.startswith(("/dev/nvidia", "/dev/dxg"))]
    return _some(paths) if paths else "no /dev/nvidia*"


def _nvml(snapshot: Snapshot) -> str:
    nvml = snapshot.nvml
    if isinstance(nvml, Unread):
        return ""
    if isinstance(nvml.init_error, str):
        return nvml.init_error
    parts = [f"driver {nvml.driver_version}"] if isinstance(nvml.driver_version, str) else []
    parts += [count(nvml.device_count, "GPU")] if isinstance(nvml.device_count, int) else []
    return ", ".join(parts)


def _cuda_driver(snapshot: Snapshot) -> str:
    cuda = snapshot.cuda
    if isinstance(cuda, Unread):
        return ""
    if cuda.library is None:
        return "no libcuda"
    parts = [f"CUDA {cuda_release(cuda.driver_version)}"] if isinstance(cuda.driver_version, int) else []
    if isinstance(cuda.init_code, int) and cuda.init_code:
        parts.append(f"cuInit: {value_or(cuda.init_name, str(cuda.init_code))}")
    elif isinstance(cuda.device_count, int):
        parts.append(count(cuda.device_count, "device"))
    return ", ".join(parts)


def _cuda_libraries(snapshot: Snapshot) -> str:
    runtime = _runtime(target(snapshot))
    if runtime is None:
        return ""
    parts = []
    if isinstance(runtime.cudnn, int):
        parts.append(f"cuDNN {runtime.cudnn}")
    if isinstance(runtime.nccl, str):
        parts.append(f"NCCL {runtime.nccl}")
    return ", ".join(parts)


def _torch_build(snapshot: Snapshot) -> str:
    python = target(snapshot)
    torch = python.torch if python is not None else Unread("not_asked")
    if torch is None:
        return "no torch"
    if isinstance(torch, Unread):
        return ""
    version = next((v for v in (torch.version, torch.metadata_version) if isinstance(v, str)), "torch")
    for name, value in (("CUDA", torch.cuda), ("ROCm", torch.hip), ("XPU", torch.xpu)):
        if isinstance(value, str):
            return f"torch {version} for {name} {value}"
    return f"torch {version}" + (" without CUDA" if torch.cuda is None else "")


def _torch_runtime(snapshot: Snapshot) -> str:
    runtime = _runtime(target(snapshot))
    if runtime is None:
        return ""
    if isinstance(runtime.import_error, str):
        return runtime.import_error
    if runtime.available is True:
        return f"CUDA available, {count(value_or(runtime.device_count, 0), 'device')}"
    if runtime.available is False:
        return "torch.cuda.is_available() is False" if runtime.cuda is not None else "runs on the CPU"
    return ""


def _runtime(python: Interpreter | None) -> TorchRuntime | None:
    runtime = python.runtime if python is not None else None
    return None if isinstance(runtime, Unread) else runtime


def _python(snapshot: Snapshot) -> str:
    python = target(snapshot)
    if python is None:
        return "no Python in this shell" if snapshot.target.interpreter is None else ""
    parts = [f"Python {python.version}"] if isinstance(python.version, str) else []
    parts += [python.manager] if isinstance(python.manager, str) else []
    return ", ".join(parts)


def _some(names: Sequence[str], limit: int = 4) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


_SEEN: dict[str, Callable[[Snapshot], str]] = {
    "hardware": _hardware,
    "kernel_module": _kernel_module,
    "device_nodes": _device_nodes,
    "nvml": _nvml,
    "cuda_driver": _cuda_driver,
    "cuda_libraries": _cuda_libraries,
    "torch_build": _torch_build,
    "torch_runtime": _torch_runtime,
    "python": _python,
}
