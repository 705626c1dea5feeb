"""Nouns: the Snapshot, what can be known about a machine, typed and versioned.  No I/O here."""

from .bench import Bench
from .codec import SnapshotError, decode, encode, to_plain
from .container import Container, ProcessEnvironment, Variable
from .cuda import CUDA_ERRORS, CUDA_OK, Cuda, CudaDevice, Toolkit, ToolkitInstall
from .devices import DeviceNode, Devices, PciDevice
from .driver import Driver, DriverLibrary, ModuleFile, ProcGpu
from .fact import NOT_ASKED, Fact, Record, Section, Unread, Why, is_known, value_or
from .host import Host, PackageManager
from .interpreter import (
    CondaPackage,
    DamagedFile,
    Distribution,
    ImportTrial,
    Interpreter,
    Jupyter,
    Kernel,
    LibraryCopy,
    ModuleOrigin,
    TorchDevice,
    TorchInstall,
    TorchRuntime,
)
from .nvml import CLOCK_REASONS, NVML_OK, Gpu, GpuProcess, MigDevice, NvLink, Nvml, P2p, Smi
from .pointer import PointerError, asked, resolve, witness
from .snapshot import SCHEMA, Snapshot, Target, make
from .symptom import CollectorRun, Origin, Symptom

__all__ = [
    "CLOCK_REASONS",
    "CUDA_ERRORS",
    "CUDA_OK",
    "NOT_ASKED",
    "NVML_OK",
    "SCHEMA",
    "Bench",
    "CollectorRun",
    "CondaPackage",
    "Container",
    "Cuda",
    "CudaDevice",
    "DamagedFile",
    "DeviceNode",
    "Devices",
    "Distribution",
    "Driver",
    "DriverLibrary",
    "Fact",
    "Gpu",
    "GpuProcess",
    "Host",
    "ImportTrial",
    "Interpreter",
    "Jupyter",
    "Kernel",
    "LibraryCopy",
    "MigDevice",
    "ModuleFile",
    "ModuleOrigin",
    "NvLink",
    "Nvml",
    "Origin",
    "P2p",
    "PackageManager",
    "PciDevice",
    "PointerError",
    "ProcGpu",
    "ProcessEnvironment",
    "Record",
    "Section",
    "Smi",
    "Snapshot",
    "SnapshotError",
    "Symptom",
    "Target",
    "Toolkit",
    "ToolkitInstall",
    "TorchDevice",
    "TorchInstall",
    "TorchRuntime",
    "Unread",
    "Variable",
    "Why",
    "asked",
    "decode",
    "encode",
    "is_known",
    "make",
    "resolve",
    "to_plain",
    "value_or",
    "witness",
]
