"""Declared environments as a snapshot: what an installation would bring, each fact with the line that says so."""

from __future__ import annotations

from envcheck.compat.declared.resolution import resolve
from envcheck.compat.declared.resolved import Resolved, requested
from envcheck.compat.declared.wanted import exact
from envcheck.compat.driver import cuda_level_of_driver
from envcheck.compat.machine import NVIDIA, Card, Machine
from envcheck.compat.version import cuda_of, key
from envcheck.facts import (
    NOT_ASKED,
    CondaPackage,
    Cuda,
    CudaDevice,
    Declared,
    DeclaredEnvironment,
    DeclaredPackage,
    Devices,
    Distribution,
    Driver,
    Fact,
    Gpu,
    Host,
    Interpreter,
    Origin,
    PciDevice,
    ProcessEnvironment,
    Smi,
    Snapshot,
    Target,
    TorchInstall,
    make,
)

from .conda import TORCH_NAMES
from .markers import Markers

_CUDA_PACKAGES = ("pytorch-cuda", "cuda-version", "cudatoolkit", "cuda-toolkit")
"""conda packages whose version is the CUDA of the torch beside them, the most telling first."""

DESCRIBED = "described"
"""The bus address of a card that somebody describes: it joins what the witnesses say of it."""

_LAST_NUMPY_1 = ("1.16.6", "1.19.5", "1.23.5", "1.24.4", "1.26.4")


def snapshot_of(declared: Declared, machine: Machine, markers: Markers, said: dict[str, str]) -> Snapshot:
    """The snapshot of what files declare, for a machine that somebody describes.

    ``said`` maps "driver", "gpu", "python" and "os" to the words that described them: they are the witnesses.
    """
    writer = _Writer(machine, markers, said)
    environments = declared.environments if isinstance(declared.environments, list) else []
    interpreters = [writer.interpreter(i, environment) for i, environment in enumerate(environments)]
    writer.places(declared)
    return make(
        source="declared",
        target=Target(interpreter=0 if interpreters else None, chosen_by="declared"),
        host=Host(system=markers.system, machine=markers.machine, wsl=writer.wsl, jetson=None),
        declared=declared,
        interpreters=interpreters,
        origins=writer.origins,
        **writer.machine_facts(environments),
    )


class _Writer:
    """Writes facts and remembers where each stands."""

    def __init__(self, machine: Machine, markers: Markers, said: dict[str, str]) -> None:
        self.machine, self.markers, self.said = machine, markers, said
        self.origins: list[Origin] = []
        self.wsl = 2 if markers.system == "Linux" and machine.driver_system == "Windows" else None
        self._note("/host", said.get("os", "assumed"))

    def _note(self, pointer: str, source: str) -> None:
        if source:
            self.origins.append(Origin(pointer=pointer, source=source))

    # -- the machine ---------------------------------------------------------------------------------

    def machine_facts(self, environments: list[DeclaredEnvironment]) -> dict[str, object]:
        """Driver and card, as far as they are described.  A described driver is one that is in order."""
        out: dict[str, object] = {}
        card = self.machine.cards[0] if isinstance(self.machine.cards, list) and self.machine.cards else None
        if card is not None:
            out["smi"] = Smi(form="described", gpus=[_gpu(card)])
            out["devices"] = Devices(pci=[PciDevice(address=DESCRIBED, vendor=NVIDIA, class_code=0x030000)])
            self._note("/devices", self.said.get("gpu", ""))
            out["environment"] = ProcessEnvironment(variables=[])
            self._note("/smi", self.said.get("gpu", ""))
            self._note("/environment", self.said.get("gpu", ""))
        driver = self.machine.driver
        if isinstance(driver, str):
            out["driver"] = Driver(pasted=driver)
            self._note("/driver", self.said.get("driver", ""))
            level = cuda_level_of_driver(driver, self.machine.driver_system)
            if isinstance(level, str) and not _may_be_lifted(environments, card):
                out["cuda"] = _cuda(level, card)
                self._note("/cuda", self.said.get("driver", ""))
        return out

    # -- environments --------------------------------------------------------------------------------

    def interpreter(self, at: int, environment: DeclaredEnvironment) -> Interpreter:
        """What an installation of the environment would bring."""
        here = f"/interpreters/{at}"
        told = self.machine.python if isinstance(self.machine.python, str) else ""
        resolved = resolve(environment, told)
        named = environment.python if isinstance(environment.python, str) else told
        self._note(f"{here}/version", environment.python_place or self.said.get("python", ""))
        packages = self._distributions(here, environment, resolved)
        return Interpreter(
            executable=environment.name,
            found_by=["project files"],
            manager=environment.tool if environment.tool in ("conda", "uv", "poetry") else NOT_ASKED,
            prefix=environment.name,
            version=named or NOT_ASKED,
            implementation="cpython",
            free_threaded=self.machine.free_threaded if named == told and told else False,
            machine=self.markers.machine,
            distributions=packages,
            conda_packages=self._conda_packages(here, environment),
            torch=self._torch(here, environment, resolved),
        )

    def _torch(self, here: str, environment: DeclaredEnvironment, resolved: dict[str, Resolved]) -> TorchInstall:
        found = resolved.get("torch")
        if found is None:
            return self._torch_of_image(here, environment)
        self._note(f"{here}/torch", found.package.place)
        if found.package.manager == "conda":
            cuda, place = _cuda_of_conda(environment, found.package)
            if place:
                self.origins.insert(0, Origin(pointer=f"{here}/torch/cuda", source=place))
            other = None if cuda is None or isinstance(cuda, str) else NOT_ASKED
            return TorchInstall(version=found.version, cuda=cuda, hip=other, xpu=other)
        variant = found.variant
        if not isinstance(variant, str):
            return TorchInstall(version=found.version)
        rocm = variant.removeprefix("rocm") if variant.startswith("rocm") else None
        xpu = "" if variant == "xpu" else None
        return TorchInstall(version=found.full, cuda=cuda_of(variant), hip=rocm, xpu=xpu)

    def _torch_of_image(self, here: str, environment: DeclaredEnvironment) -> TorchInstall:
        image = environment.image
        if image is None or not isinstance(image.torch, str):
            return TorchInstall()
        self._note(f"{here}/torch", image.place)
        return TorchInstall(version=image.torch, cuda=image.cuda, hip=None)

    def _distributions(
        self, here: str, environment: DeclaredEnvironment, resolved: dict[str, Resolved]
    ) -> list[Distribution]:
        packages = environment.packages if isinstance(environment.packages, list) else []
        out: list[Distribution] = []
        for name in dict.fromkeys(package.name for package in packages):
            package = requested(environment, name)
            if package is None or (package.manager == "conda" and name in TORCH_NAMES):
                continue
            found = resolved.get(name)
            self._note(f"{here}/distributions/{len(out)}", package.place)
            out.append(
                Distribution(
                    name=name,
                    version=found.version if found is not None else _version(package),
                    installer="conda" if package.manager == "conda" else "pip",
                    tag_version=_tag(found) if found is not None and name != "torch" else NOT_ASKED,
                )
            )
        if "torch" in resolved and not any(item.name == "torch" for item in out):
            self._note(f"{here}/distributions/{len(out)}", resolved["torch"].package.place)
            out.append(Distribution(name="torch", version=resolved["torch"].version, installer="pip"))
        return out

    def _conda_packages(self, here: str, environment: DeclaredEnvironment) -> list[CondaPackage]:
        out: list[CondaPackage] = []
        for package in environment.packages if isinstance(environment.packages, list) else []:
            if package.manager == "conda":
                self._note(f"{here}/conda_packages/{len(out)}", package.place)
                name = "pytorch" if package.name == "torch" else package.name
                version = exact(package.wanted) or NOT_ASKED
                out.append(CondaPackage(name=name, version=version, build=package.build or NOT_ASKED))
        return out

    # -- places --------------------------------------------------------------------------------------

    def places(self, declared: Declared) -> None:
        """Where every declaration stands."""
        for i, file in enumerate(declared.files if isinstance(declared.files, list) else []):
            self._note(f"/declared/files/{i}", file.place)
        for i, environment in enumerate(declared.environments if isinstance(declared.environments, list) else []):
            here = f"/declared/environments/{i}"
            for name in ("packages", "indexes", "variables", "builds", "asked"):
                found = getattr(environment, name)
                for j, item in enumerate(found if isinstance(found, list) else []):
                    self._note(f"{here}/{name}/{j}", item.place)
            if environment.image is not None:
                self._note(f"{here}/image", environment.image.place)
            self._note(f"{here}/python", environment.python_place)
            self._note(f"{here}/requires_python", environment.requires_python_place)
            self._note(here, environment.place)


def _gpu(card: Card) -> Gpu:
    return Gpu(index=0, name=card.name, compute_capability=card.cc, bus_id=DESCRIBED)


def _cuda(level: str, card: Card | None) -> Cuda:
    """A driver in order, as the table knows its branch: it initialises, and offers this CUDA."""
    major, minor = key(level)[:2]
    devices = (
        [CudaDevice(ordinal=0, name=card.name, compute_capability=card.cc, bus_id=DESCRIBED)]
        if card is not None
        else NOT_ASKED
    )
    return Cuda(
        library="libcuda.so.1",
        init_code=0,
        driver_version=1000 * major + 10 * minor,
        device_count=1 if card is not None else NOT_ASKED,
        devices=devices,
    )


def _may_be_lifted(environments: list[DeclaredEnvironment], card: Card | None) -> bool:
    """May a forward-compatibility package in an image lift the driver's CUDA?  On GeForce cards it never does."""
    if card is not None and "geforce" in card.name.lower():
        return False
    return any(
        (e.image is not None and isinstance(e.image.cuda, str))
        or any(p.startswith("cuda-compat") for p in (e.system_packages if isinstance(e.system_packages, list) else []))
        for e in environments
    )


def _tag(found: Resolved) -> Fact[str]:
    return found.full if isinstance(found.variant, str) and isinstance(found.version, str) else NOT_ASKED


def _version(package: DeclaredPackage) -> Fact[str]:
    """The version that is named; for a range above NumPy 1 its lower bound, which stands for all of it."""
    named = exact(package.wanted)
    if named is not None:
        return named
    if package.name != "numpy" or not package.wanted:
        return NOT_ASKED
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        allowed = SpecifierSet(package.wanted)
    except InvalidSpecifier:
        return NOT_ASKED
    if any(allowed.contains(version) for version in _LAST_NUMPY_1):
        return NOT_ASKED
    bounds = [part.version for part in allowed if part.operator in (">=", "~=", ">") or part.version.endswith(".*")]
    lowest = bounds[0].removesuffix(".*") if bounds else ""
    return lowest if lowest and key(lowest) >= (2,) else NOT_ASKED


def _cuda_of_conda(environment: DeclaredEnvironment, torch: DeclaredPackage) -> tuple[Fact[str], str]:
    """(CUDA of the torch that conda would take, where it stands): from its build string or a package beside it."""
    build = torch.build if isinstance(torch.build, str) else ""
    if build.startswith("cpu") or "_cpu" in build:
        return None, torch.place
    if "cuda" in build:
        digits = build.partition("cuda")[2].replace("_", "")
        number = digits.split("*")[0].split("py")[0]
        if "." in number:
            return number.rstrip("."), torch.place
        if number[:3].isdigit():
            return f"{number[:2]}.{number[2]}", torch.place
    packages = environment.packages if isinstance(environment.packages, list) else []
    beside = {package.name: package for package in packages if package.manager == "conda"}
    if "cpuonly" in beside or "pytorch-cpu" in beside:
        return None, (beside.get("cpuonly") or beside["pytorch-cpu"]).place
    for name in _CUDA_PACKAGES:
        version = beside[name].wanted.removeprefix("==").removesuffix(".*") if name in beside else ""
        if version.replace(".", "").isdigit() and "." in version:
            return ".".join(version.split(".")[:2]), beside[name].place
    return NOT_ASKED, ""
