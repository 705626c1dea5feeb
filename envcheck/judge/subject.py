"""Who is judged: the host, each GPU, each Python environment, each Jupyter kernel."""

from __future__ import annotations

import msgspec

from envcheck.facts import Gpu, Interpreter, Snapshot, Unread

from .rule import SubjectKind

NVIDIA = 0x10DE
DISPLAY_CLASS = 0x03


class Subject(msgspec.Struct, frozen=True):
    """A stable identity and the places in the snapshot that speak of it.

    ``places`` maps a witness ("nvml", "smi", "cuda", "pci", "proc", "env", "kernel") to a pointer.
    """

    kind: SubjectKind
    key: str
    label: str
    places: dict[str, str] = {}


HOST = Subject("host", "host", "this machine")


def covers(cause: str, effect: str) -> bool:
    """May a finding on subject ``cause`` explain one on subject ``effect``?

    Equal subjects; the host covers everybody; a GPU or an environment can explain what fails further up the
    ladder (an environment, a kernel, the host's whole CUDA), never another GPU or environment.
    """
    if cause == effect or cause == "host":
        return True
    kind, other = cause.partition(":")[0], effect.partition(":")[0]
    if kind == "gpu":
        return other in ("host", "env", "kernel")
    return kind == "env" and other == "kernel"


def normal_bus_id(text: str) -> str:
    """One spelling of a PCI address: ``00000000:17:00.0``, ``17:00.0`` and ``0000:17:00`` become ``0000:17:00.0``."""
    parts = text.strip().lower().split(":")
    domain, rest = (parts[0], parts[1:]) if len(parts) > 2 else ("0", parts)
    slot = ":".join(rest)
    return f"{domain.lstrip('0').rjust(4, '0')}:{slot if '.' in slot else slot + '.0'}"


def subjects(snapshot: Snapshot, *, all_envs: bool = False) -> list[Subject]:
    """Every subject of the snapshot: the host first, then GPUs by bus id, environments, kernels."""
    return [HOST, *_gpus(snapshot), *_environments(snapshot, all_envs), *_kernels(snapshot)]


class _Sighting(msgspec.Struct):
    """One GPU while the witnesses' lists are joined."""

    places: dict[str, str]
    uuid: str | None = None
    bus_id: str | None = None
    name: str | None = None
    index: int | None = None


def _gpus(snapshot: Snapshot) -> list[Subject]:
    found: list[_Sighting] = []

    def sight(witness: str, pointer: str, uuid: object, bus_id: object, name: object, index: int | None) -> None:
        bus = normal_bus_id(bus_id) if isinstance(bus_id, str) and bus_id else None
        ident = uuid if isinstance(uuid, str) and uuid else None
        for gpu in found:
            same = (bus is not None and gpu.bus_id == bus) or (bus is None and _same_uuid(gpu.uuid, ident))
            if not same and bus is None and ident is None and witness not in gpu.places:
                same = index is not None and gpu.index == index
            if same and witness not in gpu.places:
                gpu.places[witness] = pointer
                gpu.uuid, gpu.bus_id = gpu.uuid or ident, gpu.bus_id or bus
                gpu.name = gpu.name or (name if isinstance(name, str) else None)
                return
        found.append(_Sighting({witness: pointer}, ident, bus, name if isinstance(name, str) else None, index))

    for section, witness in ((snapshot.nvml, "nvml"), (snapshot.smi, "smi")):
        gpus = [] if isinstance(section, Unread) else _items(section.gpus)
        for i, gpu in enumerate(gpus):
            assert isinstance(gpu, Gpu)
            sight(witness, f"/{witness}/gpus/{i}", gpu.uuid, gpu.bus_id, gpu.name, gpu.index)
    driven: list[str] = []
    if not isinstance(snapshot.devices, Unread):
        for i, pci in enumerate(_items(snapshot.devices.pci)):
            if is_nvidia_gpu(pci):
                sight("pci", f"/devices/pci/{i}", None, pci.address, None, None)
                driven += [f"/devices/pci/{i}"] if pci.driver == "nvidia" else []
    if not isinstance(snapshot.driver, Unread):
        for i, proc in enumerate(_items(snapshot.driver.gpus)):
            sight("proc", f"/driver/gpus/{i}", proc.uuid, proc.bus_id, proc.model, None)
    if not isinstance(snapshot.cuda, Unread):
        for i, device in enumerate(_items(snapshot.cuda.devices)):
            sight("cuda", f"/cuda/devices/{i}", device.uuid, device.bus_id, device.name, None)
    found = _join_nameless(found, driven)
    found.sort(key=lambda gpu: (gpu.bus_id or "~", gpu.index if gpu.index is not None else 0, gpu.uuid or ""))
    return [
        Subject("gpu", f"gpu:{gpu.uuid or gpu.bus_id or i}", _gpu_label(gpu, i), gpu.places)
        for i, gpu in enumerate(found)
    ]


def _join_nameless(found: list[_Sighting], driven: list[str]) -> list[_Sighting]:
    """A card whose handle NVML refuses has no name there: it is the one that the bus shows and NVML otherwise lacks.

    Only where NVML counts as many cards as nvidia holds on the bus, and only if the order on the bus, which is NVML's
    own, then holds for all of them.
    """
    by_nvml = sorted((gpu for gpu in found if "nvml" in gpu.places), key=lambda gpu: gpu.index or 0)
    nameless = [gpu for gpu in by_nvml if gpu.bus_id is None and gpu.uuid is None]
    left = [gpu for gpu in found if gpu.places.get("pci") in driven and "nvml" not in gpu.places]
    left.sort(key=lambda gpu: gpu.bus_id or "")
    if not nameless or len(nameless) != len(left) or len(by_nvml) != len(driven):
        return found
    partner = dict(zip(map(id, nameless), left, strict=True))
    order = [partner.get(id(gpu), gpu).bus_id or "" for gpu in by_nvml]
    if order != sorted(order):
        return found
    for gpu in nameless:
        same = partner[id(gpu)]
        gpu.places |= same.places
        gpu.bus_id, gpu.uuid, gpu.name = same.bus_id, same.uuid, same.name
    return [gpu for gpu in found if not any(gpu is same for same in left)]


def _same_uuid(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one.lower() == other.lower()


def _gpu_label(gpu: _Sighting, position: int) -> str:
    index = gpu.index if gpu.index is not None else position
    where = f" at {gpu.bus_id}" if gpu.bus_id else ""
    return f"GPU {index}{f' ({gpu.name})' if gpu.name else ''}{where}"


def is_nvidia_gpu(pci: object) -> bool:
    """A display-class NVIDIA function that is no SR-IOV virtual function of a vGPU host."""
    vendor, class_code = getattr(pci, "vendor", None), getattr(pci, "class_code", None)
    return (
        vendor == NVIDIA
        and isinstance(class_code, int)
        and class_code >> 16 == DISPLAY_CLASS
        and getattr(pci, "virtual_function", None) is not True
    )


def _environments(snapshot: Snapshot, all_envs: bool) -> list[Subject]:
    interpreters = _items(snapshot.interpreters)
    target = snapshot.target.interpreter
    if all_envs:
        wanted = list(range(len(interpreters)))
    else:
        wanted = [target] if isinstance(target, int) and target < len(interpreters) else []
    prefixes = [_prefix(interpreters[i]) for i in wanted]
    out = []
    for i, prefix in zip(wanted, prefixes, strict=True):
        executable = interpreters[i].executable
        # Several Pythons of a system share /usr: there the prefix alone is no identity.
        identity = prefix if prefixes.count(prefix) == 1 else executable
        out.append(Subject("env", f"env:{identity}", f"Python at {executable}", {"env": f"/interpreters/{i}"}))
    return out


def _prefix(python: Interpreter) -> str:
    return python.prefix if isinstance(python.prefix, str) else python.executable


def _kernels(snapshot: Snapshot) -> list[Subject]:
    if isinstance(snapshot.jupyter, Unread):
        return []
    return [
        Subject("kernel", f"kernel:{kernel.path}", f"Jupyter kernel {kernel.name}", {"kernel": f"/jupyter/kernels/{i}"})
        for i, kernel in enumerate(_items(snapshot.jupyter.kernels))
    ]


def _items(fact: object) -> list:  # type: ignore[type-arg]
    return fact if isinstance(fact, list) else []
