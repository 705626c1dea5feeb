"""JSON pointers into a snapshot, and which witness stands behind each."""

from __future__ import annotations

import msgspec

from .fact import NOT_ASKED, Unread
from .snapshot import Snapshot


class PointerError(LookupError):
    """The pointer names no field.  A programming error in a rule, never a property of the machine."""


def resolve(snapshot: Snapshot, pointer: str) -> object:
    """The value at ``pointer`` (``/nvml/gpus/0/uuid``).

    Below an unread or absent section the answer is that section's own :class:`Unread` or ``None``.
    Raises :class:`PointerError` where the path names no field or no list item.
    """
    here: object = snapshot
    for part in pointer.split("/")[1:]:
        if isinstance(here, Unread) or here is None:
            return here
        if isinstance(here, list):
            if not part.isdigit() or int(part) >= len(here):
                raise PointerError(f"{pointer}: no item {part}")
            here = here[int(part)]
        elif isinstance(here, dict):
            here = here.get(part, NOT_ASKED)  # a plugin names its facts itself
        elif isinstance(here, msgspec.Struct) and part in here.__struct_fields__:
            here = getattr(here, part)
        else:
            raise PointerError(f"{pointer}: no field {part}")
    return here


def asked(snapshot: Snapshot, pointer: str) -> bool:
    """True unless the fact (or its whole section) was never asked for."""
    return resolve(snapshot, pointer) is not NOT_ASKED and resolve(snapshot, pointer) != NOT_ASKED


WITNESSES: tuple[tuple[str, str], ...] = (
    ("/driver/nvml", "NVML"),
    ("/driver/proc", "/proc/driver/nvidia/version"),
    ("/driver/sys_module", "/sys/module/nvidia/version"),
    ("/driver/nvidia_smi", "nvidia-smi"),
    ("/driver/module_files", "/lib/modules"),
    ("/driver/module_loaded", "/sys/module"),
    ("/driver/uvm_loaded", "/sys/module"),
    ("/driver/nouveau_loaded", "/sys/module"),
    ("/driver/module_blacklists", "modprobe.d"),
    ("/driver/libraries", "library search path"),
    ("/driver/gpus", "/proc/driver/nvidia/gpus"),
    ("/driver/recovery_log", "kernel log"),
    ("/driver", "file system"),
    ("/devices/pci", "/sys/bus/pci"),
    ("/devices/nodes", "/dev"),
    ("/devices/char_majors", "/proc/devices"),
    ("/devices", "/proc"),
    ("/nvml", "NVML"),
    ("/smi", "nvidia-smi"),
    ("/cuda", "libcuda"),
    ("/toolkit", "CUDA toolkit files"),
    ("/container", "container signs"),
    ("/environment", "environment"),
    ("/interpreters/*/torch", "torch's files"),
    ("/interpreters/*/runtime", "torch, imported"),
    ("/interpreters", "interpreter probe"),
    ("/jupyter", "kernelspecs"),
    ("/host", "operating system"),
    ("/target", "shell"),
    ("/bench/devices/*/watch", "NVML"),
    ("/bench", "benchmark"),
    ("/symptoms", "message"),
    ("/plugins", "plugin"),
    ("/declared", "project files"),
)
"""Pointer prefix → who says so; the first match counts, ``*`` stands for a list index."""


def witness(snapshot: Snapshot, pointer: str) -> str:
    """Who stated the fact: the place in a pasted text, else the source named in :data:`WITNESSES`."""
    for origin in snapshot.origins:
        if pointer == origin.pointer or pointer.startswith(origin.pointer + "/"):
            return origin.source
    parts = pointer.split("/")
    for prefix, name in WITNESSES:
        want = prefix.split("/")
        if len(parts) >= len(want) and all(w in ("*", p) for w, p in zip(want, parts, strict=False)):
            return name
    raise PointerError(f"{pointer}: no witness is known for it")
