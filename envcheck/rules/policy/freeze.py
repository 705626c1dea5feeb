"""A policy that a machine fulfils: the requirements' own readings, turned round."""

from __future__ import annotations

from collections.abc import Callable
from math import floor

from envcheck.compat.version import split_local
from envcheck.facts import CudaDevice, Snapshot
from envcheck.judge import HOST, CannotTell, Case, NotApplicable, Policy
from envcheck.rules.torch_build.requirements import find, version_of

from . import driver, gpus, shared_memory, torch

FROZEN_PACKAGES = ("torchvision", "torchaudio", "triton", "numpy")
"""What fits one torch only, and numpy, whose majors part binaries."""


def frozen(snapshot: Snapshot) -> tuple[dict[str, object], dict[str, str]]:
    """(the policy's tables, dotted key → why it could not be told).

    Versions are frozen exactly, sizes and counts of GPUs as "at least".
    """
    case = Case(snapshot, HOST, Policy())
    require: dict[str, object] = {}
    unknown: dict[str, str] = {}
    for key, read in READINGS.items():
        try:
            value = read(case)
        except (CannotTell, NotApplicable) as silent:
            if isinstance(silent, CannotTell):
                unknown[f"require.{key}"] = silent.why
            continue
        if value:
            require[key] = value
    return ({"require": require} if require else {}), unknown


def _env(case: Case) -> str:
    return f"/interpreters/{case.present('/target/interpreter', int)}"


def _python(case: Case) -> str:
    version = case.present(f"{_env(case)}/version", str)
    return f"=={'.'.join(version.split('.')[:2])}.*"


def _torch(case: Case) -> str:
    version = torch.torch_version(case, _env(case))
    return f"=={split_local(version)[0]}" if version is not None else ""


def _torch_cuda(case: Case) -> list[str]:
    env = _env(case)
    if torch.torch_version(case, env) is None:
        return []
    built = torch.variant(case, env)
    return [] if built == torch.OTHER else [built]


def _driver(case: Case) -> str:
    version, _ = driver.stated(case)
    return f">={version}" if version is not None else ""


def _gpus(case: Case) -> str:
    count, _ = gpus.devices(case)
    return f">={count}" if count else ""


def _compute_capability(case: Case) -> str:
    least = _least(case, "compute_capability")
    return f">={least // 10}.{least % 10}" if least is not None else ""


def _memory(case: Case) -> str:
    least = _least(case, "memory_total_bytes")
    return f">={floor(least / gpus.GIB * 10) / 10:g}" if least is not None else ""


def _least(case: Case, field: str) -> int | None:
    if not gpus.devices(case)[0]:
        return None
    known = [case.known(f"{at}/{field}", int) for at, _ in case.records("/cuda/devices", CudaDevice)]
    return min((value for value in known if value is not None), default=None)


def _shm(case: Case) -> str:
    return f">={case.present('/host/shm_total_bytes', int) // shared_memory.MIB}"


def _packages(case: Case) -> dict[str, str]:
    env = _env(case)
    found = [(name, find(case, env, name)) for name in FROZEN_PACKAGES]
    versions = [(name, version_of(case, there[0])) for name, there in found if there is not None]
    return {name: f"=={split_local(version)[0]}" for name, version in versions if version is not None}


READINGS: dict[str, Callable[[Case], object]] = {
    "python": _python,
    "torch": _torch,
    "torch_cuda": _torch_cuda,
    "driver": _driver,
    "gpus": _gpus,
    "compute_capability": _compute_capability,
    "gpu_memory_gib": _memory,
    "shm_mib": _shm,
    "packages": _packages,
}
"""Key of ``require`` → its reading; an empty one asks for nothing."""
