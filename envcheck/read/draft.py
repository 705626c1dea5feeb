"""The snapshot while it is being read: facts with the line that each stands on."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from envcheck.compat.gpus import gpu_by_name
from envcheck.compat.rows import Gpu as GpuRow
from envcheck.compat.version import key
from envcheck.facts import (
    NOT_ASKED,
    CollectorRun,
    CondaPackage,
    Container,
    Cuda,
    Devices,
    Distribution,
    Driver,
    DriverLibrary,
    Gpu,
    Host,
    Interpreter,
    LibraryCopy,
    Origin,
    ProcessEnvironment,
    Smi,
    Snapshot,
    Symptom,
    Target,
    Toolkit,
    ToolkitInstall,
    TorchDevice,
    TorchInstall,
    TorchRuntime,
    Unread,
    Variable,
    make,
)

from .lines import Line
from .nvidia_smi_fields import MOST_GPUS

PYTHON = "/interpreters/0"
TORCH = f"{PYTHON}/torch"
RUNTIME = f"{PYTHON}/runtime"

_SECTIONS = {
    "host": Host,
    "devices": Devices,
    "driver": Driver,
    "smi": Smi,
    "cuda": Cuda,
    "toolkit": Toolkit,
    "container": Container,
    "environment": ProcessEnvironment,
}
_FIRST_WITH_XPU = (2, 5)
"""The first release of torch with builds for Intel's XPU (release notes of 2.5)."""
_ADOPTED = ("host", "devices", "driver", "smi", "cuda")
_NUMBERS = {
    "/driver/pasted",
    f"{PYTHON}/version",
    f"{TORCH}/version",
    f"{TORCH}/metadata_version",
    f"{TORCH}/cuda",
    f"{TORCH}/hip",
}
"""Facts that are version numbers: the rules compare them, and a text can have anything in that place."""
_MOST_ITEMS = 20_000
"""Items that a list takes: no environment has as many packages, and a text may be hostile."""
_MOST = {"/smi/gpus": MOST_GPUS, f"{RUNTIME}/devices": MOST_GPUS}
_ITEMS = {"gpus": "GPUs", "devices": "devices of torch", "distributions": "packages"}


class Draft:
    """Collects facts.  The first line that states a fact is believed; what a tool printed comes before what a person
    wrote down by hand (``by_hand``)."""

    def __init__(self) -> None:
        self._facts: dict[str, Any] = {}
        self._origins: dict[str, str] = {}
        self._weak: set[str] = set()
        self._lists: dict[str, list[Any]] = {}
        self._seen: set[tuple[str, object]] = set()
        self._bare: str | None = None
        self._unread: dict[str, CollectorRun] = {}  # list → what of it was too much
        self.all_packages = False  # a whole `pip list` stands in the text
        self.symptoms: list[Symptom] = []

    def note(self, pointer: str, value: object, line: Line, *, by_hand: bool = False) -> None:
        """State one fact, by its pointer."""
        if pointer in self._facts and (by_hand or pointer not in self._weak):
            return
        if pointer in _NUMBERS and isinstance(value, str) and not _is_version(value):
            return
        self._facts[pointer] = value
        self._origins[pointer] = line.origin
        (self._weak.add if by_hand else self._weak.discard)(pointer)

    def has(self, pointer: str) -> bool:
        """Was the fact stated?"""
        return pointer in self._facts or bool(self._lists.get(pointer))

    def get(self, pointer: str) -> Any:
        """What was stated, or ``None``."""
        return self._facts.get(pointer)

    def add(self, pointer: str, item: object, line: Line, *, key: object = None) -> None:
        """Append an item to the list at ``pointer``; an item of the same ``key`` is taken once."""
        if isinstance(self._facts.get(pointer), list):
            return
        found = self._lists.setdefault(pointer, [])
        if key is not None and (pointer, key) in self._seen:
            return
        most = _MOST.get(pointer, _MOST_ITEMS)
        if len(found) >= most:
            name = pointer.rpartition("/")[2]
            self._unread[pointer] = not_read(_ITEMS.get(name, name.replace("_", " ")), most)
            return
        if key is not None:
            self._seen.add((pointer, key))
        self._origins[f"{pointer}/{len(found)}"] = line.origin
        found.append(item)

    def is_cut(self, pointer: str) -> bool:
        """Has the text more items for this list than are taken?"""
        return pointer in self._unread

    def packages(self) -> list[tuple[str, str | None]]:
        """(name, version) of the packages so far."""
        return [
            (item.name, item.version if isinstance(item.version, str) else None)
            for item in self._items(f"{PYTHON}/distributions")
        ]

    def variable_of(self, name: str) -> str | None:
        """The value of an environment variable, where it was stated."""
        found = self._items("/environment/variables")
        return next((item.value for item in found if item.name == name), None)

    def capability(self) -> int | None:
        """The compute capability of the first card, as told or by its name."""
        for card in self._items("/smi/gpus"):
            if isinstance(card.compute_capability, int):
                return card.compute_capability
            row = gpu_by_name(card.name) if isinstance(card.name, str) else None
            return row.cc if isinstance(row, GpuRow) else None
        return None

    def driver_library(self, version: str, line: Line) -> None:
        """The driver's user library, by the version that somebody tells."""
        library = DriverLibrary(soname="libnvidia-ml.so.1", path=f"libnvidia-ml.so.{version}", version=version)
        self.add("/driver/libraries", library, line, key=version)

    def library_version(self) -> str | None:
        """The version of the driver's user library: as told, or as nvidia-smi's second line gives it."""
        told = self._items("/driver/libraries")
        return next((item.version for item in told if isinstance(item.version, str)), self.get("/smi/nvml_version"))

    def part_off(self, source: str) -> None:
        """Another Python, without torch, is the one that the text complains about; ``source`` says so."""
        self._bare = source

    def count(self, pointer: str) -> int:
        """How many items the list has so far."""
        return len(self._items(pointer))

    def _items(self, pointer: str) -> list[Any]:
        whole = self._facts.get(pointer)
        return whole if isinstance(whole, list) else self._lists.get(pointer, [])

    # -- lists ---------------------------------------------------------------------------------------

    def package(self, name: str, version: str | None, line: Line, **more: Any) -> None:
        """A package of the environment, as pip lists it; what stands there as its version has to be one."""
        if version is not None and not _is_version(version):
            return
        plain = name.strip().lower().replace("_", "-").replace(".", "-")
        self.add(f"{PYTHON}/distributions", Distribution(name=plain, version=version, **more), line, key=plain)

    def conda_package(self, name: str, version: str, build: str | None, channel: str | None, line: Line) -> None:
        """A package of the environment, as conda lists it."""
        if not _is_version(version):
            return
        record = CondaPackage(name=name.lower(), version=version, build=build, channel=channel)
        self.add(f"{PYTHON}/conda_packages", record, line, key=record.name)

    def gpu(self, name: str, line: Line, *, index: int | None = None, **more: Any) -> None:
        """An NVIDIA GPU that a tool listed (nvidia-smi, or torch where only torch lists any)."""
        at = self.count("/smi/gpus") if index is None else index
        self.note("/smi/form", "pasted", line)
        self.add("/smi/gpus", Gpu(index=at, name=name, **more), line, key=at)

    def device(self, name: str, line: Line, *, index: int | None = None, **more: Any) -> None:
        """A device of torch's runtime, of any maker."""
        at = self.count(f"{RUNTIME}/devices") if index is None else index
        self.add(f"{RUNTIME}/devices", TorchDevice(index=at, name=name, **more), line, key=at)

    def unnamed_gpu(self, cc: int, line: Line) -> None:
        """A card of which only the compute capability is told."""
        self.add(f"{RUNTIME}/devices", TorchDevice(index=0, compute_capability=cc), line, key=0)
        self.note("/smi/form", "pasted", line)
        self.add("/smi/gpus", Gpu(index=0, compute_capability=cc), line, key=0)

    def variable(self, name: str, value: str, line: Line) -> None:
        """An environment variable."""
        self.add("/environment/variables", Variable(name=name, value=value), line, key=name)

    def toolkit(self, version: str, line: Line, *, nvcc: str = "nvcc", found_by: str = "PATH") -> None:
        """A CUDA toolkit by its nvcc."""
        item = ToolkitInstall(nvcc=nvcc, version=version, found_by=found_by)
        self.add("/toolkit/toolkits", item, line, key=version)

    def library(self, soname: str, path: str, version: str, line: Line) -> None:
        """A shared library that lies somewhere on the machine."""
        self.add(
            f"{PYTHON}/library_copies", LibraryCopy(soname=soname, path=path, version=version), line, key=(soname, path)
        )

    # -- the whole -----------------------------------------------------------------------------------

    def adopt(self, recorded: Snapshot) -> None:
        """Take over what a program's recorded output told: whole lists, which nothing is added to any more."""
        for name in _ADOPTED:
            section = getattr(recorded, name)
            if isinstance(section, Unread):
                continue
            for field in section.__struct_fields__:
                value = getattr(section, field)
                if value != NOT_ASKED:
                    self._facts[f"/{name}/{field}"] = value
        self._unread |= {run.detail: run for run in recorded.runs}
        for origin in recorded.origins:
            if origin.pointer.split("/")[1] in _ADOPTED:
                self._origins[origin.pointer] = origin.source

    def snapshot(self) -> Snapshot:
        """What was read.  Whatever the text does not say stays unasked."""
        python = self._interpreter()
        sections: dict[str, Any] = {
            name: kind(**fields) for name, kind in _SECTIONS.items() if (fields := self._fields(f"/{name}"))
        }
        if "environment" in sections:
            sections["environment"] = replace(sections["environment"], variables_partial=True)
        if python is not None:
            pythons = [python]
            if self._bare is not None:
                pythons.append(Interpreter(executable="python", found_by=["the text"], torch=None, runtime=None))
                self._origins["/interpreters/1/torch"] = self._origins["/interpreters/1/runtime"] = self._bare
            sections["interpreters"] = pythons
            sections["target"] = Target(interpreter=len(pythons) - 1, chosen_by="the one that the text tells of")
        return make(
            source="pasted",
            symptoms=self.symptoms,
            runs=list({run.detail: run for run in self._unread.values()}.values()),
            origins=[Origin(pointer=p, source=s) for p, s in sorted(self._origins.items())],
            **sections,
        )

    def _fields(self, prefix: str) -> dict[str, Any]:
        """The facts directly below ``prefix``."""
        start = len(prefix) + 1
        return {
            pointer[start:]: value
            for store in (self._facts, self._lists)
            for pointer, value in store.items()
            if pointer.startswith(f"{prefix}/") and "/" not in pointer[start:]
        }

    def _interpreter(self) -> Interpreter | None:
        version = self.get(f"{TORCH}/version")
        if version is not None and key(version) < _FIRST_WITH_XPU and not self.has(f"{TORCH}/xpu"):
            self._facts[f"{TORCH}/xpu"] = None
            self._origins[f"{TORCH}/xpu"] = self._origins[f"{TORCH}/version"]
        fields = self._fields(PYTHON)
        torch, runtime = self._fields(TORCH), self._fields(RUNTIME)
        if not fields and not torch and not runtime:
            return None
        fields.setdefault("executable", "python")
        if "distributions" in fields and (self.is_cut(f"{PYTHON}/distributions") or not self.all_packages):
            fields["distributions_partial"] = True
        fields["found_by"] = ["the text"]
        if torch:
            fields["torch"] = TorchInstall(**torch)
        if runtime:
            fields["runtime"] = TorchRuntime(**runtime)
        return Interpreter(**fields)


def not_read(items: str, most: int) -> CollectorRun:
    """The remark that a text lists more than is taken from one: nothing is left out silently."""
    return CollectorRun(name="paste", seconds=0.0, outcome="skipped", detail=f"{items} behind the first {most}")


def _is_version(text: str) -> bool:
    """Does it begin with a number, as a version has to (:func:`envcheck.compat.version.key`)?"""
    return text.lstrip().removeprefix("v")[:1].isdecimal() and text.isascii()
