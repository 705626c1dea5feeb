"""What kind of machine is it?  Guards and readings that the questions below CUDA share."""

from __future__ import annotations

from envcheck.facts import DriverLibrary, Gpu, ModuleFile
from envcheck.judge import CannotTell, Case, NotApplicable, RuleType
from envcheck.rules.gauges import gauges
from envcheck.rules.presence import pci_cards, wants_gpu

PORTABLE_CHASSIS = frozenset({8, 9, 10, 14, 31, 32})
"""DMI chassis types of laptops, notebooks, sub-notebooks, convertibles and detachables (SMBIOS, table 17)."""

PASSTHROUGH = frozenset({"vfio-pci", "pci-stub", "xen-pciback", "nvgrace_gpu_vfio_pci", "nvgrace-gpu-vfio-pci"})
"""Drivers that hold a card for a virtual machine."""

NOT_THE_DRIVER = (
    "nvidia-container",
    "libnvidia-container",
    "nvidia-docker",
    "nvidia-cuda-",
    "nvidia-fs",
    "nvidia-prime",
    "nvidia-visual-profiler",
    "nvidia-profiler",
    "cuda-compat",
)
"""Beginnings of package names that sound like the driver and are not."""


def require_linux(case: Case) -> None:
    """Raise :class:`NotApplicable` where the question is about Linux and this is another system."""
    system = case.known("/host/system", str)
    if system != "Linux":
        raise NotApplicable(f"not on {system or 'this system'}")


def require_own_driver(case: Case) -> None:
    """Raise :class:`NotApplicable` where no kernel module of NVIDIA's is loaded by design: WSL, Jetson, not Linux."""
    require_linux(case)
    if case.known("/host/wsl", int) is not None:
        raise NotApplicable("WSL has no NVIDIA kernel module: the driver is that of Windows")
    if case.known("/host/jetson", str) is not None:
        raise NotApplicable("a Jetson has a driver of its own kind")


def require_bare_linux(case: Case) -> None:
    """The same, and not inside a container: there the module is the host's business."""
    require_own_driver(case)
    engine = case.known("/container/engine", str)
    if engine is not None:
        raise NotApplicable(f"inside a container ({engine}) the kernel module is the host's business")


def asks_for_gpu(case: Case) -> bool:
    """Does the policy or the judged torch ask for a GPU?  For severities, never for choosing between verdicts."""
    return case.policy.gpus > 0 or wants_gpu(case)


def requires_gpu(case: Case) -> bool:
    """Does the policy ask for a GPU?"""
    return case.policy.require_gpu or case.policy.gpus > 0


def has_cuda_torch(case: Case) -> bool:
    """Is the judged environment's torch a CUDA build?  Raises :class:`CannotTell` where nobody could read it."""
    target = case.known("/target/interpreter", int)
    return target is not None and case.known(f"/interpreters/{target}/torch/cuda", str) is not None


def driven_cards(case: Case) -> list[str]:
    """Pointers of the NVIDIA cards that no driver holds for a virtual machine."""
    return [card for card in pci_cards(case) if case.known(f"{card}/driver", str) not in PASSTHROUGH]


def library_copies(case: Case, soname: str) -> list[tuple[str, DriverLibrary]]:
    """The driver's own copies of a library that the loader would find: no link-time stubs, no cuda-compat."""
    found = []
    for pointer, library in case.records("/driver/libraries", DriverLibrary):
        if library.soname != soname or library.found_in == "known folder":
            continue
        if not case.known(f"{pointer}/stub", bool) and not case.known(f"{pointer}/compat", bool):
            found.append((pointer, library))
    return found


def library_paths(case: Case) -> list[str]:
    """Where copies of the driver's libraries lie, as evidence: the path of each, or that there is none."""
    copies = case.maybe_records("/driver/libraries", DriverLibrary)
    return [f"{pointer}/path" for pointer, _ in copies] or ["/driver/libraries"]


def module_files(case: Case) -> list[tuple[str, ModuleFile]]:
    """The nvidia.ko files of the running kernel."""
    running = case.known("/host/kernel_release", str)
    files = case.records("/driver/module_files", ModuleFile)
    return [(pointer, file) for pointer, file in files if file.kernel_release == running]


def is_driver_installed(case: Case) -> bool:
    """Is a driver for this machine installed: a module for any kernel, DKMS sources, or libraries of its own?

    In a container what is installed belongs to the image; there the answer is no.
    """
    if case.known("/container/engine", str) is not None:
        return False
    return bool(
        case.records("/driver/module_files", ModuleFile)
        or case.known("/driver/dkms_versions", list)
        or library_copies(case, "libcuda.so.1")
        or library_copies(case, "libnvidia-ml.so.1")
    )


def driver_packages(packages: list[str]) -> list[str]:
    """Those of ``name=version`` that bring the driver itself, not container tools or toolkits."""
    return [package for package in packages if not package.startswith(NOT_THE_DRIVER)]


def tell(case: Case, *pointers: str) -> list[str]:
    """Those of the pointers that somebody asked for: evidence without gaps that say nothing."""
    return [pointer for pointer in pointers if case.told(pointer)]


def nvml_count(case: Case) -> int:
    """How many GPUs NVML lists; 0 where it does not answer with success.

    Raises :class:`CannotTell` where it gave no answer at all.
    """
    if case.known("/nvml/init_code", int) != 0:
        return 0
    return case.known("/nvml/device_count", int) or 0


def answering_card(case: Case) -> str:
    """The pointer of the card's gauges.  A card that is not listed, or answers with an error, is not judged by them."""
    for who in ("nvml", "smi"):
        if case.listed(who):
            if case.known(f"{case.at(who)}/error_code", int) is not None:
                raise NotApplicable("the card answers with an error: see the rule that names it")
            return gauges(case)
    if case.known("/nvml/init_code", int) == 0:
        case.records("/nvml/gpus", Gpu)
    raise NotApplicable("the driver does not list this card here")


def narrowed(why: CannotTell, *among: RuleType) -> CannotTell:
    """The same ignorance, which leaves only the rules ``among`` open."""
    return CannotTell(why.why, why.pointer, among, asked=why.asked)
