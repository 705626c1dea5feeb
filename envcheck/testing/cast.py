"""The cast: machines that every rule and every voice has to meet.  ``CAST`` tells what is wrong with each."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from envcheck.facts import (
    Cuda,
    DamagedFile,
    Devices,
    Driver,
    DriverLibrary,
    Gpu,
    Interpreter,
    MigDevice,
    Nvml,
    PciDevice,
    Smi,
    Snapshot,
    Target,
    TorchRuntime,
    Unread,
    make,
)

from . import parts as p
from .change import Machine

S = TypeVar("S", bound=msgspec.Struct)

H100, A100, V100, T4 = "NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB", "Tesla V100-SXM2-16GB", "Tesla T4"
RTX4090, RTX5090, RTX3080 = "NVIDIA GeForce RTX 4090", "NVIDIA GeForce RTX 5090", "NVIDIA GeForce RTX 3080"
GTX1080TI, LAPTOP = "NVIDIA GeForce GTX 1080 Ti", "NVIDIA GeForce RTX 4060 Laptop GPU"

CAST: dict[str, str | None] = {}
"""Name → the rule that must be the first root cause, or ``None`` for a healthy machine."""

_builders: dict[str, Callable[[], Snapshot]] = {}


def member(name: str, root_cause: str | None) -> Callable[[Callable[[], Snapshot]], Callable[[], Snapshot]]:
    def register(build: Callable[[], Snapshot]) -> Callable[[], Snapshot]:
        CAST[name], _builders[name] = root_cause, build
        return build

    return register


@cache
def machine(name: str) -> Machine:
    """The machine of that name; ``machine(name).but({pointer: value})`` changes it."""
    return Machine(name, _builders[name]())


def _snapshot(**sections: Any) -> Snapshot:
    whole: dict[str, Any] = dict(
        tool="0.1.0",
        taken_at="2026-11-24T12:00:00Z",
        target=Target(interpreter=0, chosen_by="VIRTUAL_ENV"),
        host=p.host(),
        container=p.container(),
        environment=p.environment(VIRTUAL_ENV="/home/student/.venv"),
        toolkit=p.toolkit(),
        jupyter=p.jupyter(),
        symptoms=[],
    )
    return make(**{**whole, **sections})


def _server(
    names: list[str],
    version: str = "580.95.05",
    level: int = 13000,
    tag: str = "cu130",
    torch: str = "2.14.1",
    **other: Any,
) -> Snapshot:
    """A machine where all is well, every witness asked."""
    sections: dict[str, Any] = dict(
        devices=p.devices(names),
        driver=p.driver(names, version),
        nvml=p.nvml(names, version, level),
        smi=p.smi(names, version, f"{level // 1000}.{level % 1000 // 10}"),
        cuda=p.cuda(names, level),
        interpreters=[p.python(p.torch_files(torch, tag), p.torch_runs(names, torch, tag))],
    )
    return _snapshot(**{**sections, **other})


def _fails(text: str, tag: str = "cu130", torch: str = "2.14.1") -> list[Interpreter]:
    """torch imports, and torch.cuda.init() says ``text``."""
    runtime = p.torch_runs([], torch, tag, available=False, device_count=0, devices=[], init_error=text)
    return [p.python(p.torch_files(torch, tag), runtime)]


NO_DRIVER_TEXT = (
    "RuntimeError: Found no NVIDIA driver on your system. Please check that you have an NVIDIA GPU and installed a "
    "driver from http://www.nvidia.com/Download/index.aspx"
)
NO_GPU_TEXT = "RuntimeError: No CUDA GPUs are available"
UNKNOWN_TEXT = (
    "RuntimeError: CUDA unknown error - this may be due to an incorrectly set up environment, e.g. changing env "
    "variable CUDA_VISIBLE_DEVICES after program start. Setting the available devices to be zero."
)
NO_SMI = Smi(path=None, exit_code=None, error=None)


# -- healthy ------------------------------------------------------------------------------------------------


@member("h100", None)
def _h100() -> Snapshot:
    return _server([H100, H100])


@member("h100-driver-535-cu126", None)
def _h100_old_driver() -> Snapshot:
    """Minor-version compatibility: a CUDA 12.6 build runs on driver 535 (CUDA 12.2)."""
    return _server([H100], "535.183.06", 12020, "cu126")


@member("rtx4090-desktop", None)
def _rtx4090() -> Snapshot:
    return _server([RTX4090], host=p.host(product="MS-7D76", chassis=3, suspends=0, cpu_governor="powersave"))


@member("rtx5090", None)
def _rtx5090() -> Snapshot:
    return _server([RTX5090], "575.64.03", 12090, "cu128", "2.11.0")


@member("gtx1080ti-cu126", None)
def _gtx1080ti() -> Snapshot:
    driver = p.driver([GTX1080TI], "580.95.05", open_module=False)
    return _server([GTX1080TI], tag="cu126", driver=driver)


@member("docker-a100", None)
def _docker() -> Snapshot:
    injected = [f"{p.LIB}/libcuda.so.580.95.05", f"{p.LIB}/libnvidia-ml.so.580.95.05"]
    return _server(
        [A100],
        container=p.container("docker", injected_libraries=injected),
        environment=p.environment(NVIDIA_VISIBLE_DEVICES="all", NVIDIA_DRIVER_CAPABILITIES="compute,utility"),
        host=p.host(shm_total_bytes=64 << 20, shm_free_bytes=64 << 20),
    )


@member("slurm-h100", None)
def _slurm() -> Snapshot:
    """A job that was given one card of the node's four: sysfs and /proc still show all of them."""
    given = [H100]
    return _server(
        given,
        devices=p.devices([H100] * 4),
        driver=p.driver([H100] * 4),
        container=p.container(scheduler="slurm"),
        environment=p.environment(SLURM_JOB_ID="17", SLURM_JOB_GPUS="0", CUDA_VISIBLE_DEVICES="0"),
    )


@member("wsl2-rtx3080", None)
def _wsl2() -> Snapshot:
    lib = "/usr/lib/wsl/lib"
    libraries = [
        DriverLibrary(
            soname=name,
            path=f"{lib}/{name}",
            realpath=f"{lib}/{name}",
            version=None,
            found_in="ld cache",
            stub=False,
            compat=False,
        )
        for name in ("libcuda.so.1", "libnvidia-ml.so.1")
    ]
    driver = _with(p.no_driver(), nvml="581.80", nvidia_smi="581.80", libraries=libraries, kernel_headers=False)
    return _server(
        [RTX3080],
        "581.80",
        13000,
        host=p.host(kernel_release="5.15.167.4-microsoft-standard-WSL2", wsl=2, dxg=True, product=None, chassis=None),
        devices=Devices(pci=[], nodes=[p.node("/dev/dxg", major=10, minor=125)], char_majors=[], mig_minors=[]),
        driver=driver,
    )


@member("jetson-orin", None)
def _jetson() -> Snapshot:
    """The GPU sits on the SoC: no PCI entry, no display driver, and nothing is wrong with that."""
    lib = "/usr/lib/aarch64-linux-gnu/nvidia"
    gpu = p.gpu(RTX3080, 0, name="Orin (nvgpu)", compute_capability=87, bus_id=None, pci_device_id=None)
    nvml = p.nvml([RTX3080], "540.4.0", 12060, gpus=[gpu])
    cuda = p.cuda([RTX3080], 12060)
    assert isinstance(cuda.devices, list)
    device = _with(cuda.devices[0], name="Orin", compute_capability=87, bus_id=None, integrated=True)
    torch = p.torch_files("2.8.0", "cu126", version="2.8.0", arch_list=["sm_87"])
    runtime = p.torch_runs([RTX3080], "2.8.0", "cu126", version="2.8.0", arch_list=["sm_87"])
    libraries = [
        DriverLibrary(
            soname="libcuda.so.1",
            path=f"{lib}/libcuda.so.1.1",
            realpath=f"{lib}/libcuda.so.1.1",
            version=None,
            found_in="ld cache",
            stub=False,
            compat=False,
        )
    ]
    driver = _with(p.no_driver(), nvml="540.4.0", nvidia_smi="540.4.0", libraries=libraries)
    return _server(
        [RTX3080],
        host=p.host(machine="aarch64", jetson="NVIDIA Jetson AGX Orin Developer Kit", kernel_release="5.15.148-tegra"),
        devices=Devices(pci=[], nodes=[], char_majors=[], mig_minors=[]),
        driver=driver,
        nvml=nvml,
        smi=NO_SMI,
        cuda=_with(cuda, devices=[device]),
        interpreters=[p.python(torch, runtime, machine="aarch64", platform="linux-aarch64")],
    )


@member("mig-a100", None)
def _mig() -> Snapshot:
    mig = _mig_gpu(instances=True)
    return _server([A100], nvml=p.nvml([A100], gpus=[mig]))


@member("cpu-only", None)
def _cpu_only() -> Snapshot:
    """No card, no driver, no torch."""
    return _bare(p.python(None, None))


@member("cpu-torch", None)
def _cpu_torch() -> Snapshot:
    return _bare(p.python(p.torch_files("2.13.0", "cpu"), p.torch_runs([], "2.13.0", "cpu")))


@member("amd-rocm", None)
def _amd() -> Snapshot:
    """A ROCm build on an AMD card is named as what it is and not judged by NVIDIA's rules."""
    card = PciDevice(
        address="0000:03:00.0",
        vendor=0x1002,
        device=0x744C,
        class_code=0x030000,
        driver="amdgpu",
        virtual_function=False,
    )
    torch = p.torch_files("2.14.1", "cpu", version="2.14.1+rocm7.2", hip="7.2.0")
    runtime = p.torch_runs([], "2.14.1", "cpu", version="2.14.1+rocm7.2", hip="7.2.0", available=True, device_count=1)
    snapshot = _bare(p.python(torch, runtime))
    assert isinstance(snapshot.devices, Devices)
    return _with(snapshot, devices=_with(snapshot.devices, pci=[card]))


@member("macos-m2", None)
def _macos() -> Snapshot:
    gone = Unread("unsupported", "only Linux has it")
    torch = p.torch_files("2.14.1", "cpu", version="2.14.1", extension_tags=["_C.cpython-311-darwin.so"])
    runtime = p.torch_runs([], "2.14.1", "cpu", version="2.14.1", mps_available=True)
    return _snapshot(
        host=p.host(system="Darwin", machine="arm64", os_id=None, os_version="15.1", os_name="macOS 15.1", libc=None),
        devices=Devices(pci=gone, nodes=gone, char_majors=gone, mig_minors=gone),
        driver=gone,
        nvml=p.no_nvml(),
        smi=NO_SMI,
        cuda=p.no_libcuda(),
        interpreters=[p.python(torch, runtime, platform="macosx-14.0-arm64", machine="arm64")],
    )


@member("windows-rtx4090", None)
def _windows() -> Snapshot:
    gone = Unread("unsupported", "only Linux has it")
    version = "581.80"
    card = p.gpu(RTX4090, 0, driver_model="WDDM", display_active=True, display_mode=True)
    return _server(
        [RTX4090],
        version,
        13000,
        host=p.host(
            system="Windows", machine="AMD64", os_id=None, os_version="10.0.26100", os_name="Windows 11", libc=None
        ),
        devices=Devices(pci=gone, nodes=gone, char_majors=gone, mig_minors=gone),
        driver=Driver(nvml=version, nvidia_smi=version, proc=gone, sys_module=gone, module_loaded=gone),
        nvml=p.nvml([RTX4090], version, gpus=[card]),
    )


# -- broken, from the silicon upwards ------------------------------------------------------------------------


def _bare(python: Interpreter, **other: Any) -> Snapshot:
    """A machine without any NVIDIA card."""
    sections: dict[str, Any] = dict(
        devices=Devices(pci=[], nodes=[], char_majors=[], mig_minors=[]),
        driver=p.no_driver(),
        nvml=p.no_nvml(),
        smi=NO_SMI,
        cuda=p.no_libcuda(),
        interpreters=[python],
    )
    return _snapshot(**{**sections, **other})


def _card_without_module(**driver: Any) -> Snapshot:
    """A card on the bus, user libraries installed, and no kernel module loaded."""
    base = p.driver([RTX4090], nvml=Unread("missing", "NVML: Driver Not Loaded"), proc=None, sys_module=None)
    facts: dict[str, Any] = dict(
        nvidia_smi=None, proc_banner=None, open_module=None, module_loaded=False, uvm_loaded=False, gpus=[]
    )
    devices = _with(p.devices([RTX4090]), pci=[p.pci(RTX4090, 0, driver=None)], nodes=[], char_majors=[])
    error = (
        "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest "
        "NVIDIA driver is installed and running."
    )
    return _snapshot(
        devices=devices,
        driver=_with(base, **{**facts, **driver}),
        nvml=p.no_nvml(9, "Driver Not Loaded"),
        smi=Smi(path="/usr/bin/nvidia-smi", exit_code=9, error=error),
        cuda=p.cuda_fails(100, "CUDA_ERROR_NO_DEVICE"),
        interpreters=_fails(NO_GPU_TEXT),
    )


@member("driver-not-installed", "driver-not-installed")
def _no_driver() -> Snapshot:
    devices = _with(p.devices([RTX4090]), pci=[p.pci(RTX4090, 0, driver=None)], nodes=[], char_majors=[])
    return _bare(_fails(NO_DRIVER_TEXT)[0], devices=devices)


@member("module-not-loaded", "kernel-module-not-loaded")
def _module_not_loaded() -> Snapshot:
    return _card_without_module()


@member("module-not-built", "kernel-module-not-built")
def _module_not_built() -> Snapshot:
    snapshot = _card_without_module(kernel_headers=False)
    assert isinstance(snapshot.driver, Driver) and isinstance(snapshot.driver.module_files, list)
    old = [_with(f, kernel_release="6.8.0-31-generic") for f in snapshot.driver.module_files]
    return _with(snapshot, driver=_with(snapshot.driver, module_files=old))


@member("secure-boot", "secure-boot-unsigned-module")
def _secure_boot() -> Snapshot:
    snapshot = _card_without_module()
    assert isinstance(snapshot.driver, Driver) and isinstance(snapshot.driver.module_files, list)
    unsigned = [_with(f, signed=False) for f in snapshot.driver.module_files]
    return _with(snapshot, host=p.host(secure_boot=True), driver=_with(snapshot.driver, module_files=unsigned))


@member("nouveau", "nouveau-conflict")
def _nouveau() -> Snapshot:
    snapshot = _card_without_module(nouveau_loaded=True)
    assert isinstance(snapshot.devices, Devices)
    return _with(snapshot, devices=_with(snapshot.devices, pci=[p.pci(RTX4090, 0, driver="nouveau")]))


@member("version-mismatch", "driver-library-version-mismatch")
def _mismatch() -> Snapshot:
    text = "RM has detected an NVML/RM version mismatch."
    driver = p.driver(
        [H100], "580.95.05", proc="575.64.03", sys_module="575.64.03", nvidia_smi=None, nvml=Unread("missing", text)
    )
    error = "Failed to initialize NVML: Driver/library version mismatch"
    return _server(
        [H100],
        driver=driver,
        nvml=p.no_nvml(18, text),
        smi=Smi(path="/usr/bin/nvidia-smi", exit_code=18, error=error),
        cuda=p.cuda_fails(803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
        interpreters=_fails("RuntimeError: Error 803: system has unsupported display driver / cuda driver combination"),
    )


@member("gpu-lost", "gpu-fallen-off-bus")
def _gpu_lost() -> Snapshot:
    """One of two cards answers rc 15; the other is fine, and CUDA still sees that one."""
    gone = Unread("missing", "GPU is lost")
    lost = _with(Gpu(index=1), error_code=15, error_text="GPU is lost", bus_id=p.bus_id(1), uuid=gone, name=gone)
    devices = _with(
        p.devices([H100, H100]),
        pci=[
            p.pci(H100, 0),
            p.pci(H100, 1, link_width=Unread("garbled", "63"), link_speed_gts=Unread("garbled", "Unknown")),
        ],
    )
    return _server(
        [H100],
        devices=devices,
        driver=p.driver([H100, H100]),
        nvml=p.nvml([H100, H100], gpus=[p.gpu(H100, 0), lost]),
    )


@member("nvml-hang", "nvml-hang")
def _nvml_hang() -> Snapshot:
    silent = Unread("timeout", "no answer in 30 s")
    nvml = Nvml(
        library=f"{p.LIB}/libnvidia-ml.so.1",
        init_code=silent,
        device_count=silent,
        gpus=silent,
        waited_seconds=30.0,
        process_state="D",
    )
    return _server(
        [H100],
        driver=p.driver([H100], nvml=silent, nvidia_smi=silent),
        nvml=nvml,
        smi=Unread("timeout", "no answer in 10 s"),
        cuda=silent,
        interpreters=[p.python(p.torch_files(), silent)],
    )


@member("cu-init-802", "fabric-manager-not-running")
def _802() -> Snapshot:
    gpus = [p.gpu(H100, n, fabric_state="in_progress") for n in range(2)]
    driver = p.driver([H100, H100], fabric_manager=True)
    return _init_fails(
        802,
        "CUDA_ERROR_SYSTEM_NOT_READY",
        "Error 802: system not yet initialized",
        nvml=p.nvml([H100, H100], gpus=gpus),
        driver=driver,
    )


@member("cu-init-803", "cuda-driver-combination-mismatch")
def _803() -> Snapshot:
    """An image's cuda-compat libcuda, older than the host driver, is found first."""
    old = DriverLibrary(
        soname="libcuda.so.1",
        path="/usr/local/cuda/compat/libcuda.so.1",
        realpath="/usr/local/cuda/compat/libcuda.so.550.54.15",
        version="550.54.15",
        found_in="LD_LIBRARY_PATH",
        stub=False,
        compat=True,
    )
    base = p.driver([A100])
    assert isinstance(base.libraries, list)
    cuda = p.cuda_fails(803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", 12040, library=old.path)
    return _init_fails(
        803,
        "",
        "Error 803: system has unsupported display driver / cuda driver combination",
        names=[A100],
        driver=_with(base, libraries=[old, *base.libraries]),
        cuda=cuda,
    )


@member("cu-init-804", "forward-compat-unsupported-hw")
def _804() -> Snapshot:
    compat = DriverLibrary(
        soname="libcuda.so.1",
        path="/usr/local/cuda/compat/libcuda.so.1",
        realpath="/usr/local/cuda/compat/libcuda.so.580.65.06",
        version="580.65.06",
        found_in="LD_LIBRARY_PATH",
        stub=False,
        compat=True,
    )
    base = p.driver([RTX4090], "550.120")
    assert isinstance(base.libraries, list)
    cuda = p.cuda_fails(804, "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE", 13000, library=compat.path)
    return _init_fails(
        804,
        "",
        "Error 804: forward compatibility was attempted on non supported HW",
        names=[RTX4090],
        driver=_with(base, libraries=[compat, *base.libraries]),
        cuda=cuda,
        nvml=p.nvml([RTX4090], "550.120", 12040),
        smi=p.smi([RTX4090], "550.120", "12.4"),
    )


@member("uvm-node-missing", "uvm-node-missing")
def _uvm() -> Snapshot:
    devices = p.devices([H100])
    assert isinstance(devices.nodes, list)
    nodes = [n for n in devices.nodes if n.path != "/dev/nvidia-uvm"]
    return _init_fails(
        999,
        "CUDA_ERROR_UNKNOWN",
        UNKNOWN_TEXT,
        names=[H100],
        devices=_with(devices, nodes=nodes),
        driver=p.driver([H100], uvm_loaded=False),
    )


@member("suspend-999", "suspend-resume-uvm-broken")
def _suspend() -> Snapshot:
    return _init_fails(
        999, "CUDA_ERROR_UNKNOWN", UNKNOWN_TEXT, names=[LAPTOP], host=p.host(product="ThinkPad", chassis=10, suspends=4)
    )


@member("stub-libcuda", "stub-libcuda-loaded")
def _stub() -> Snapshot:
    path = "/usr/local/cuda/lib64/stubs/libcuda.so.1"
    stub = DriverLibrary(
        soname="libcuda.so.1",
        path=path,
        realpath=path,
        version=None,
        found_in="LD_LIBRARY_PATH",
        stub=True,
        compat=False,
    )
    base = p.driver([H100])
    assert isinstance(base.libraries, list)
    return _init_fails(
        34,
        "",
        "CUDA driver is a stub library",
        names=[H100],
        driver=_with(base, libraries=[stub, *base.libraries]),
        cuda=p.cuda_fails(34, "CUDA_ERROR_STUB_LIBRARY", library=path),
    )


@member("nodes-missing", "device-nodes-missing")
def _nodes() -> Snapshot:
    devices = _with(p.devices([H100]), nodes=[])
    return _init_fails(
        100,
        "CUDA_ERROR_NO_DEVICE",
        NO_GPU_TEXT,
        names=[H100],
        devices=devices,
        nvml=p.no_nvml(999, "Unknown Error"),
        smi=Smi(path="/usr/bin/nvidia-smi", exit_code=255, error="Failed to initialize NVML: Unknown Error"),
        driver=p.driver([H100], nvml=Unread("missing", "Unknown Error"), nvidia_smi=None),
    )


@member("node-permission", "device-node-permission-denied")
def _permission() -> Snapshot:
    devices = p.devices([H100])
    assert isinstance(devices.nodes, list)
    nodes = [_with(n, mode=0o660, gid=44, group="video", accessible=False, open_errno="EACCES") for n in devices.nodes]
    return _init_fails(
        100,
        "CUDA_ERROR_NO_DEVICE",
        NO_GPU_TEXT,
        names=[H100],
        devices=_with(devices, nodes=nodes),
        nvml=p.no_nvml(4, "Insufficient Permissions"),
        smi=Smi(path="/usr/bin/nvidia-smi", exit_code=4, error="Failed to initialize NVML: Insufficient Permissions"),
        driver=p.driver(
            [H100], nvml=Unread("missing", "Insufficient Permissions"), nvidia_smi=None, device_file_mode=432
        ),
    )


@member("container-without-gpu", "container-no-gpu-requested")
def _container() -> Snapshot:
    """The host's card and module are visible in sysfs and procfs; nothing was handed to the container."""
    devices = _with(p.devices([A100]), nodes=[])
    driver = p.driver(
        [A100],
        libraries=[],
        nvml=Unread("missing", "no libnvidia-ml.so.1"),
        nvidia_smi=None,
        module_files=[],
        uninstaller=False,
    )
    return _init_fails(
        0,
        "",
        NO_DRIVER_TEXT,
        names=[A100],
        devices=devices,
        driver=driver,
        nvml=p.no_nvml(),
        smi=NO_SMI,
        cuda=p.no_libcuda(),
        container=p.container("docker"),
    )


@member("masked", "cvd-empty")
def _masked() -> Snapshot:
    cuda = p.cuda_fails(100, "CUDA_ERROR_NO_DEVICE", unmasked_init_code=0, unmasked_count=1)
    return _init_fails(
        100, "", NO_GPU_TEXT, names=[H100], cuda=cuda, environment=p.environment(CUDA_VISIBLE_DEVICES="-1")
    )


@member("mig-empty", "mig-enabled-no-instances")
def _mig_empty() -> Snapshot:
    return _init_fails(
        100, "CUDA_ERROR_NO_DEVICE", NO_GPU_TEXT, names=[A100], nvml=p.nvml([A100], gpus=[_mig_gpu(instances=False)])
    )


@member("cpu-build-on-gpu-box", "torch-cpu-only-build")
def _cpu_build() -> Snapshot:
    return _server(
        [RTX4090], interpreters=[p.python(p.torch_files("2.14.1", "cpu"), p.torch_runs([], "2.14.1", "cpu"))]
    )


@member("driver-too-old", "driver-too-old-for-torch")
def _driver_too_old() -> Snapshot:
    text = (
        "RuntimeError: The NVIDIA driver on your system is too old (found version 12020). Please update your GPU "
        "driver by downloading and installing a new version"
    )
    return _server([RTX4090], "535.183.06", 12020, "cu130", interpreters=_fails(text))


@member("gpu-newer-than-build", "gpu-newer-than-torch-archs")
def _newer() -> Snapshot:
    return _no_kernel([RTX5090], "2.7.1", "cu126")


@member("gpu-older-than-build", "gpu-older-than-torch-archs")
def _older() -> Snapshot:
    return _no_kernel([V100], "2.14.1", "cu130", driver=p.driver([V100], open_module=False))


@member("torch-damaged", "torch-library-damaged")
def _damaged() -> Snapshot:
    file = "/home/student/.venv/lib/python3.11/site-packages/torch/lib/libtorch_cpu.so"
    torch = p.torch_files(damaged=[DamagedFile(path=file, expected_bytes=400_000_000, actual_bytes=200_000_000)])
    lost = Unread("crashed", "killed by SIGBUS")
    runtime = TorchRuntime(imported=False, import_error=None, signal=7, available=lost, devices=lost)
    return _server([RTX4090], interpreters=[p.python(torch, runtime)])


@member("torch-missing-on-gpu-box", "torch-not-installed")
def _no_torch() -> Snapshot:
    return _server([RTX4090], interpreters=[p.python(None, None)])


# -- helpers ---------------------------------------------------------------------------------------------------


def _init_fails(code: int, name: str, text: str, names: list[str] | None = None, **other: Any) -> Snapshot:
    cards = names or [H100, H100]
    cuda: Cuda = other.pop("cuda", None) or p.cuda_fails(code, name)
    return _server(cards, **{"cuda": cuda, "interpreters": _fails(text), **other})


def _no_kernel(names: list[str], torch: str, tag: str, **other: Any) -> Snapshot:
    """torch sees the card (is_available is True) and no kernel runs on it."""
    good = p.torch_runs(names, torch, tag)
    assert isinstance(good.devices, list)
    error = "CUDA error: no kernel image is available for execution on the device"
    bad = [_with(d, kernel_ok=False, kernel_error=error) for d in good.devices]
    runtime = _with(good, devices=bad)
    return _server(names, tag=tag, torch=torch, interpreters=[p.python(p.torch_files(torch, tag), runtime)], **other)


def _mig_gpu(*, instances: bool) -> Gpu:
    found = [
        MigDevice(
            uuid="MIG-11111111-2222-3333-4444-555555555555", profile="3g.40gb", gpu_instance=1, compute_instance=0
        )
    ]
    return p.gpu(
        A100,
        0,
        mig_mode=True,
        mig_pending=True,
        mig_devices=found if instances else [],
        utilization_percent=Unread("unsupported"),
    )


def _with(struct: S, **changes: Any) -> S:
    """The struct with fields replaced."""
    return replace(struct, **changes)
