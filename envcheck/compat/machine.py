"""The machine that a build is asked about: platform, driver, cards, Python, C library.

From a snapshot (:func:`machine_of`) or from what somebody says of it (:func:`describe`).  What is not known stays
:class:`~envcheck.facts.Unread`; it rejects no build and vouches for none.
"""

from __future__ import annotations

import re

import msgspec

from envcheck.facts import (
    NOT_ASKED,
    Cuda,
    Devices,
    Driver,
    Fact,
    Host,
    Interpreter,
    Nvml,
    PciDevice,
    Smi,
    Snapshot,
    Unread,
)

from .gpus import Near, gpu_by_name, gpu_by_pci_id
from .rows import Gpu, Platform
from .torch_builds import platform_of
from .version import key, spoken

NVIDIA = 0x10DE
AMD = 0x1002
DISPLAY_CLASSES = (0x0300, 0x0302)
"""PCI classes (upper 16 bits) of a GPU: VGA and 3D controllers."""

GRACE = ("GH200", "GB200", "GB300", "GB10", "JETSON", "ORIN", "XAVIER", "THOR")
"""Cards that sit beside an ARM processor and nowhere else."""

SYSTEMS = {
    "linux": "Linux",
    "wsl": "Linux",
    "windows": "Windows",
    "win": "Windows",
    "macos": "Darwin",
    "darwin": "Darwin",
    "mac": "Darwin",
}

_VERSION = re.compile(r"\d+(\.\d+)*")
_PYTHON = re.compile(r"(\d\.\d+)(?:\.\d+)?(t?)")
_CAPABILITY = re.compile(r"(?:sm_)?(\d{1,2})\.?(\d)")


class Unclear(ValueError):
    """The description cannot be understood.  The message is one line for the user."""


class Card(msgspec.Struct, frozen=True):
    """One GPU of the machine.  ``gpu`` is its row in the table, where the table has it."""

    name: str
    cc: Fact[int]
    gpu: Gpu | None = None

    @property
    def label(self) -> str:
        """Name and compute capability, for sentences."""
        return f"{self.name} ({spoken(self.cc)})" if isinstance(self.cc, int) else self.name


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What decides whether a build runs.  The defaults say "not told"."""

    platform: Fact[Platform] = NOT_ASKED  # None: torch has no wheels for it
    driver_system: str = "Linux"  # whose driver numbers count: under WSL it is "Windows"
    driver: Fact[str] = NOT_ASKED  # None: no NVIDIA driver
    cards: Fact[list[Card]] = NOT_ASKED  # NVIDIA GPUs; []: none
    amd: bool = False  # an AMD GPU is known to be there
    python: Fact[str] = NOT_ASKED  # "3.12"
    free_threaded: Fact[bool] = NOT_ASKED
    glibc: Fact[str] = NOT_ASKED  # "2.36"; None: another C library (musl)

    @property
    def has_cards(self) -> bool:
        """True where an NVIDIA GPU is known to be there."""
        return isinstance(self.cards, list) and bool(self.cards)

    @property
    def has_no_cards(self) -> bool:
        """True where it is known that there is no NVIDIA GPU."""
        return self.cards is None or (isinstance(self.cards, list) and not self.cards)


def describe(
    *,
    driver: str | None = None,
    gpu: str | None = None,
    cc: str | None = None,
    python: str | None = None,
    os: str | None = None,
    arch: str | None = None,
    glibc: str | None = None,
) -> Machine:
    """A machine as somebody describes it in words: driver "535.104.05", gpu "RTX 4090", cc "8.9", python "3.12" …

    Linux on x86_64 unless told otherwise (a GPU that only exists beside an ARM processor tells).  Raises
    :class:`Unclear` with one line.
    """
    system = SYSTEMS.get((os or "linux").lower())
    if system is None:
        raise Unclear(f"--os {os}: one of linux, windows, macos, wsl")
    card = _card(gpu, cc)
    if arch is None:
        arm = system == "Darwin" or (card is not None and card.name.upper().startswith(GRACE))
        arch = "arm64" if arm else "x86_64"
    if arch.lower() not in ("x86_64", "amd64", "x64", "aarch64", "arm64"):
        raise Unclear(f"--arch {arch}: one of x86_64, aarch64, arm64")
    described = Machine(
        platform=platform_of(system, arch),
        driver_system="Windows" if system == "Windows" or (os or "").lower() == "wsl" else system,
        driver=NOT_ASKED if driver is None else _number("--driver", driver.lstrip("rR"), "535.104.05"),
        cards=NOT_ASKED if card is None else [card],
    )
    return with_python(described, python=python, glibc=glibc)


def with_python(machine: Machine, *, python: str | None = None, glibc: str | None = None) -> Machine:
    """The same machine with another Python ("3.12", "3.13t") or C library, where one is told.

    Raises :class:`Unclear` with one line.
    """
    changes: dict[str, object] = {}
    if python is not None:
        told = _PYTHON.fullmatch(python.strip())
        if told is None:
            raise Unclear(f"--python {python}: a version such as 3.12 or 3.13t")
        changes |= {"python": told.group(1), "free_threaded": bool(told.group(2))}
    if glibc is not None:
        changes["glibc"] = _number("--glibc", glibc, "2.31")
    return msgspec.structs.replace(machine, **changes)


def machine_of(snapshot: Snapshot) -> Machine:
    """The machine of a snapshot, with the Python that it judges."""
    host = snapshot.host if isinstance(snapshot.host, Host) else Host()
    platform: Fact[Platform] = NOT_ASKED
    if isinstance(host.system, str) and isinstance(host.machine, str):
        platform = platform_of(host.system, host.machine)
    wsl = isinstance(host.wsl, int)
    system = host.system if isinstance(host.system, str) else "Linux"
    python = _interpreter(snapshot)
    return Machine(
        platform=platform,
        driver_system="Windows" if wsl else system,
        driver=_driver(snapshot),
        cards=_cards(snapshot),
        amd=bool(_bus_devices(snapshot, AMD)),
        python=_minor(python.version) if python else NOT_ASKED,
        free_threaded=python.free_threaded if python else NOT_ASKED,
        glibc=_glibc(host.libc),
    )


def card_of(name: Fact[str], cc: Fact[int], device_id: Fact[int] = NOT_ASKED) -> Card:
    """A card from what a witness says of it; what is missing comes from the table, by PCI id before name."""
    gpu: Gpu | None = None
    if isinstance(device_id, int):
        found = gpu_by_pci_id(device_id)
        gpu = found if isinstance(found, Gpu) else None
    if gpu is None and isinstance(name, str):
        by_name = gpu_by_name(name)
        gpu = by_name if isinstance(by_name, Gpu) else None
    if gpu is not None and isinstance(cc, int) and gpu.cc != cc:
        gpu = None  # the device itself knows better than the table
    known: Fact[int] = cc if isinstance(cc, int) else gpu.cc if gpu else cc
    return Card(name if isinstance(name, str) else gpu.name if gpu else "NVIDIA GPU", known, gpu)


def _card(gpu: str | None, cc: str | None) -> Card | None:
    told: int | None = None
    if cc is not None:
        found = _CAPABILITY.fullmatch(cc.strip())
        if found is None:
            raise Unclear(f"--cc {cc}: a compute capability such as 8.9")
        told = 10 * int(found.group(1)) + int(found.group(2))
    if gpu is None:
        return None if told is None else Card(f"a GPU of compute capability {spoken(told)}", told)
    by_name = gpu_by_name(gpu)
    if isinstance(by_name, Near):
        if told is not None:
            return Card(gpu, told)
        raise Unclear(str(by_name))
    if told is not None and told != by_name.cc:
        raise Unclear(f"--gpu {gpu} has compute capability {spoken(by_name.cc)}, not {spoken(told)}")
    return Card(by_name.name, by_name.cc, by_name)


def _number(option: str, text: str, example: str) -> str:
    if _VERSION.fullmatch(text.strip()) is None:
        raise Unclear(f"{option} {text}: a version such as {example}")
    return text.strip()


def _interpreter(snapshot: Snapshot) -> Interpreter | None:
    index, found = snapshot.target.interpreter, snapshot.interpreters
    if isinstance(index, int) and isinstance(found, list) and 0 <= index < len(found):
        return found[index]
    return None


def _minor(version: Fact[str]) -> Fact[str]:
    if not isinstance(version, str):
        return version
    try:
        minor = key(version)[:2]
    except ValueError as error:
        return Unread("garbled", str(error))
    return ".".join(map(str, minor)) if len(minor) == 2 else Unread("garbled", f"{version!r} has no minor version")


def _glibc(libc: Fact[str]) -> Fact[str]:
    if not isinstance(libc, str):
        return libc
    name, _, number = libc.partition(" ")
    return number if name == "glibc" else None


def _driver(snapshot: Snapshot) -> Fact[str]:
    """The first version that a witness states; none at all only where one says so and nobody contradicts."""
    driver = snapshot.driver if isinstance(snapshot.driver, Driver) else Driver()
    nvml = snapshot.nvml if isinstance(snapshot.nvml, Nvml) else Nvml()
    smi = snapshot.smi if isinstance(snapshot.smi, Smi) else Smi()
    said: list[Fact[str]] = [
        driver.nvml, nvml.driver_version, driver.nvidia_smi, smi.driver_version, driver.proc, driver.sys_module,
        driver.pasted,
    ]  # fmt: skip
    for fact in said:
        if isinstance(fact, str):
            return fact
    return None if None in said else NOT_ASKED


def _cards(snapshot: Snapshot) -> Fact[list[Card]]:
    """The GPUs that the first witness with an answer lists; the bus counts where it has more of them."""
    seen: list[Card] | None = None
    for section in (snapshot.nvml, snapshot.smi):
        if isinstance(section, (Nvml, Smi)) and isinstance(section.gpus, list) and section.gpus:
            seen = [card_of(g.name, g.compute_capability, g.pci_device_id) for g in section.gpus]
            break
    else:
        if isinstance(snapshot.cuda, Cuda) and isinstance(snapshot.cuda.devices, list) and snapshot.cuda.devices:
            seen = [card_of(d.name, d.compute_capability) for d in snapshot.cuda.devices]
    bus = _bus(snapshot)
    if seen is not None and (isinstance(bus, Unread) or bus is None or len(bus) <= len(seen)):
        return seen
    return bus


def _bus(snapshot: Snapshot) -> Fact[list[Card]]:
    if not isinstance(snapshot.devices, Devices):
        return snapshot.devices
    if not isinstance(snapshot.devices.pci, list):
        return snapshot.devices.pci
    return [card_of(NOT_ASKED, NOT_ASKED, d.device) for d in _bus_devices(snapshot, NVIDIA)]


def _bus_devices(snapshot: Snapshot, vendor: int) -> list[PciDevice]:
    pci = snapshot.devices.pci if isinstance(snapshot.devices, Devices) else NOT_ASKED
    return [
        d
        for d in (pci if isinstance(pci, list) else [])
        if d.vendor == vendor and isinstance(d.class_code, int) and d.class_code >> 8 in DISPLAY_CLASSES
    ]
