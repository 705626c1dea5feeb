"""Parts that machines of the cast are built from: GPUs, drivers, interpreters, hosts."""

from __future__ import annotations

from typing import Any

from envcheck.facts import (
    Container,
    Cuda,
    CudaDevice,
    DeviceNode,
    Devices,
    Distribution,
    Driver,
    DriverLibrary,
    Gpu,
    Host,
    Interpreter,
    Jupyter,
    ModuleFile,
    ModuleOrigin,
    Nvml,
    PciDevice,
    ProcessEnvironment,
    ProcGpu,
    Smi,
    Toolkit,
    TorchDevice,
    TorchInstall,
    TorchRuntime,
    Unread,
    Variable,
)

KERNEL = "6.8.0-49-generic"
GIB = 1 << 30
DEVICE_IDS = {  # PCI device ids of the cards in the cast (pci.ids, vendor 10de)
    "NVIDIA H100 80GB HBM3": (0x2330, 90, 80),
    "NVIDIA A100-SXM4-80GB": (0x20B2, 80, 80),
    "Tesla V100-SXM2-16GB": (0x1DB1, 70, 16),
    "Tesla T4": (0x1EB8, 75, 15),
    "NVIDIA GeForce RTX 4090": (0x2684, 89, 24),
    "NVIDIA GeForce RTX 5090": (0x2B85, 120, 32),
    "NVIDIA GeForce RTX 3080": (0x2206, 86, 10),
    "NVIDIA GeForce RTX 4060 Laptop GPU": (0x28E0, 89, 8),
    "NVIDIA GeForce GTX 1080 Ti": (0x1B06, 61, 11),
}
ARCHS = {
    "cu130": ["sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"],
    "cu128": ["sm_70", "sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"],
    "cu126": ["sm_50", "sm_60", "sm_70", "sm_75", "sm_80", "sm_86", "sm_90"],
}
LIB = "/usr/lib/x86_64-linux-gnu"


def bus_id(n: int) -> str:
    return f"0000:{0x17 + 0x10 * n:02x}:00.0"


def uuid(n: int) -> str:
    return f"GPU-0000000{n}-aaaa-bbbb-cccc-00000000000{n}"


def geforce(name: str) -> bool:
    return "GeForce" in name


def host(**changes: Any) -> Host:
    """A bare Ubuntu server."""
    facts: dict[str, Any] = dict(
        system="Linux",
        machine="x86_64",
        kernel_release=KERNEL,
        os_id="ubuntu",
        os_like=["debian"],
        os_version="24.04",
        os_name="Ubuntu 24.04.1 LTS",
        libc="glibc 2.39",
        wsl=None,
        dxg=False,
        jetson=None,
        virtualization=None,
        product="PowerEdge R760",
        chassis=23,
        secure_boot=False,
        kernel_cmdline=f"BOOT_IMAGE=/vmlinuz-{KERNEL} ro",
        boot_time=1_760_000_000,
        suspends=0,
        uid=1000,
        groups=[1000],
        group_names=["student"],
        cpus=64,
        cpus_allowed=64,
        cpu_quota=None,
        cpu_model="Intel Xeon",
        cpu_flags=["avx", "avx2", "avx512f"],
        memory_total_bytes=512 * GIB,
        memory_available_bytes=480 * GIB,
        memory_limit_bytes=None,
        oom_kills=0,
        shm_total_bytes=256 * GIB,
        shm_free_bytes=256 * GIB,
        memlock_limit_bytes=None,
        cpu_governor="performance",
        cpu_energy_preference=None,
        on_battery=False,
        selinux=None,
        dmesg_restricted=False,
        infiniband=[],
        package_managers=[],
        driver_packages=[],
    )
    return Host(**{**facts, **changes})


def pci(name: str, n: int, **changes: Any) -> PciDevice:
    facts: dict[str, Any] = dict(
        address=bus_id(n),
        vendor=0x10DE,
        device=DEVICE_IDS[name][0],
        class_code=0x030000 if geforce(name) else 0x030200,
        driver="nvidia",
        driver_override=None,
        virtual_function=False,
        power_state="D0",
        power_control="on",
        link_speed_gts=16.0,
        link_width=16,
        link_speed_max_gts=16.0,
        link_width_max=16,
        port_speed_max_gts=16.0,
        port_width_max=16,
        bar0_bytes=16 << 20,
        bar1_bytes=256 << 20 if geforce(name) else 128 * GIB,
        aer_correctable=0,
        numa_node=0,
        iommu_group_type="identity",
    )
    return PciDevice(**{**facts, **changes})


def node(path: str, **changes: Any) -> DeviceNode:
    facts: dict[str, Any] = dict(
        path=path, major=195, minor=255, mode=0o666, uid=0, gid=0, group="root", accessible=True, open_errno=None
    )
    return DeviceNode(**{**facts, **changes})


def devices(names: list[str]) -> Devices:
    nodes = [node("/dev/nvidiactl"), node("/dev/nvidia-uvm", major=511, minor=0)]
    nodes += [node(f"/dev/nvidia{n}", minor=n) for n in range(len(names))]
    return Devices(
        pci=[pci(name, n) for n, name in enumerate(names)],
        nodes=nodes if names else [],
        char_majors=["nvidia", "nvidia-uvm", "nvidiactl"] if names else [],
        mig_minors=[],
    )


def driver(names: list[str], version: str = "580.95.05", **changes: Any) -> Driver:
    """The open flavour, loaded, all witnesses agreeing."""
    facts: dict[str, Any] = dict(
        nvml=version,
        proc=version,
        sys_module=version,
        nvidia_smi=version,
        proc_banner=f"NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  {version}  Release Build",
        open_module=True,
        module_loaded=True,
        uvm_loaded=True,
        peermem_loaded=False,
        nouveau_loaded=False,
        module_files=[
            ModuleFile(
                path=f"/lib/modules/{KERNEL}/updates/dkms/nvidia.ko",
                kernel_release=KERNEL,
                version=version,
                license="Dual MIT/GPL",
                signed=True,
            )
        ],
        kernel_headers=True,
        module_blacklists=[],
        nouveau_blacklists=[],
        dkms_versions=[version],
        libraries=[
            DriverLibrary(
                soname=soname,
                path=f"{LIB}/{soname}",
                realpath=f"{LIB}/{soname[:-2]}.{version}",
                version=version,
                found_in="ld cache",
                stub=False,
                compat=False,
            )
            for soname in ("libcuda.so.1", "libnvidia-ml.so.1")
        ],
        gpus=[
            ProcGpu(bus_id=bus_id(n), model=name, uuid=uuid(n), minor=n, excluded=False) for n, name in enumerate(names)
        ],
        device_file_mode=438,
        gsp_firmware=["gsp_ga10x.bin", "gsp_tu10x.bin"],
        persistenced=True,
        fabric_manager=False,
        uninstaller=False,
        recovery_log=[],
    )
    return Driver(**{**facts, **changes})


def no_driver() -> Driver:
    """Nothing of NVIDIA's is installed."""
    return Driver(
        nvml=Unread("missing", "no libnvidia-ml.so.1"),
        proc=None,
        sys_module=None,
        nvidia_smi=None,
        proc_banner=None,
        open_module=None,
        module_loaded=False,
        uvm_loaded=False,
        peermem_loaded=False,
        nouveau_loaded=False,
        module_files=[],
        kernel_headers=True,
        module_blacklists=[],
        nouveau_blacklists=[],
        dkms_versions=[],
        libraries=[],
        gpus=[],
        device_file_mode=None,
        gsp_firmware=[],
        persistenced=False,
        fabric_manager=False,
        uninstaller=False,
        recovery_log=[],
    )


def gpu(card: str, n: int, **changes: Any) -> Gpu:
    """An idle healthy card, as NVML tells it."""
    device, capability, gib = DEVICE_IDS[card]
    board = not geforce(card)
    facts: dict[str, Any] = dict(
        index=n,
        error_code=None,
        error_text=None,
        uuid=uuid(n),
        name=card,
        bus_id=bus_id(n),
        pci_device_id=device,
        minor=n,
        compute_capability=capability,
        virtualization="none",
        driver_model=None,
        memory_total_bytes=gib * GIB,
        memory_used_bytes=4 << 20,
        memory_free_bytes=gib * GIB - (600 << 20),
        memory_reserved_bytes=596 << 20,
        bar1_total_bytes=128 * GIB if board else 256 << 20,
        processes=[],
        utilization_percent=0,
        performance_state=0 if board else 8,
        persistence=True,
        compute_mode="default",
        display_mode=False,
        display_active=False,
        clock_sm_mhz=345,
        clock_memory_mhz=2619,
        clock_sm_max_mhz=1980,
        clock_memory_max_mhz=2619,
        clock_application_sm_mhz=1980 if board else None,
        clock_default_application_sm_mhz=1980 if board else None,
        clock_reasons=["idle"],
        temperature_c=33,
        temperature_slowdown_c=87,
        temperature_shutdown_c=92,
        power_w=70.0,
        power_limit_w=700.0,
        power_limit_default_w=700.0,
        power_limit_min_w=200.0,
        power_limit_max_w=700.0,
        pcie_generation=4,
        pcie_generation_max=4,
        pcie_generation_card_max=4,
        pcie_width=16,
        pcie_width_max=16,
        pcie_replays=0,
        ecc_enabled=True if board else None,
        ecc_pending=True if board else None,
        ecc_volatile_corrected=0 if board else None,
        ecc_volatile_uncorrected=0 if board else None,
        ecc_aggregate_corrected=0 if board else None,
        ecc_aggregate_uncorrected=0 if board else None,
        ecc_sram_uncorrected=0 if board else None,
        ecc_sram_threshold_exceeded=False if board else None,
        retired_pages_single_bit=None,
        retired_pages_double_bit=None,
        retired_pages_pending=None,
        remapped_rows_corrected=0 if board else None,
        remapped_rows_uncorrected=0 if board else None,
        remapped_rows_pending=False if board else None,
        remapped_rows_failed=False if board else None,
        remapped_banks_exhausted=0 if board else None,
        mig_mode=False if capability in (80, 90, 100) else None,
        mig_pending=False if capability in (80, 90, 100) else None,
        mig_devices=[],
        fabric_state="not_supported",
        fabric_health=[],
        nvlinks=[],
        recovery_action="none" if board else None,
        inforom_valid=True,
    )
    return Gpu(**{**facts, **changes})


def nvml(names: list[str], version: str = "580.95.05", cuda: int = 13000, **changes: Any) -> Nvml:
    facts: dict[str, Any] = dict(
        library=f"{LIB}/libnvidia-ml.so.{version}",
        init_code=0,
        init_error=None,
        driver_version=version,
        nvml_version=version,
        cuda_version=cuda,
        cuda_version_kernel=cuda,
        confidential_compute=False,
        device_count=len(names),
        gpus=[gpu(name, n) for n, name in enumerate(names)],
        pairs=[],
        waited_seconds=None,
    )
    return Nvml(**{**facts, **changes})


def no_nvml(code: int = 12, text: str = "NVML Shared Library Not Found") -> Nvml:
    unasked = Unread("missing", text)
    return Nvml(
        library=None if code == 12 else f"{LIB}/libnvidia-ml.so.1",
        init_code=code,
        init_error=text,
        driver_version=unasked,
        nvml_version=unasked,
        cuda_version=unasked,
        cuda_version_kernel=unasked,
        device_count=unasked,
        gpus=unasked,
        pairs=unasked,
        waited_seconds=None,
    )


def cuda(names: list[str], level: int = 13000, **changes: Any) -> Cuda:
    facts: dict[str, Any] = dict(
        library=f"{LIB}/libcuda.so.1",
        load_error=None,
        driver_version=level,
        init_code=0,
        init_name="CUDA_SUCCESS",
        device_count=len(names),
        devices=[
            CudaDevice(
                ordinal=n,
                name=name,
                uuid=uuid(n),
                bus_id=bus_id(n),
                compute_capability=DEVICE_IDS[name][1],
                memory_total_bytes=DEVICE_IDS[name][2] * GIB,
                multiprocessors=132,
                clock_khz=1_980_000,
                kernel_timeout=False,
                compute_mode=0,
                integrated=False,
            )
            for n, name in enumerate(names)
        ],
    )
    return Cuda(**{**facts, **changes})


def cuda_fails(code: int, name: str, level: int = 13000, **changes: Any) -> Cuda:
    """cuInit answered ``code``."""
    lost = Unread("missing", f"cuInit answered {code}")
    facts: dict[str, Any] = dict(
        library=f"{LIB}/libcuda.so.1",
        load_error=None,
        driver_version=level,
        init_code=code,
        init_name=name,
        device_count=lost,
        devices=lost,
    )
    return Cuda(**{**facts, **changes})


def no_libcuda() -> Cuda:
    lost = Unread("missing", "libcuda.so.1 could not be loaded")
    return Cuda(
        library=None,
        load_error="libcuda.so.1: cannot open shared object file: No such file or directory",
        driver_version=lost,
        init_code=lost,
        init_name=lost,
        device_count=lost,
        devices=lost,
    )


def distribution(name: str, version: str, **changes: Any) -> Distribution:
    facts: dict[str, Any] = dict(
        name=name,
        version=version,
        folder=f"{name.replace('-', '_')}-{version}.dist-info",
        location="/home/student/.venv/lib/python3.11/site-packages",
        installer="pip",
        requires=[],
        direct_url=None,
        editable=False,
    )
    return Distribution(**{**facts, **changes})


def torch_files(release: str = "2.14.1", tag: str = "cu130", **changes: Any) -> TorchInstall:
    """A torch as its files describe it.  ``tag`` is "cu130", "cu126" … or "cpu"."""
    built = None if tag == "cpu" else f"{tag[2:-1]}.{tag[-1]}"
    facts: dict[str, Any] = dict(
        location="/home/student/.venv/lib/python3.11/site-packages/torch",
        in_site_packages=True,
        version=f"{release}+{tag}",
        metadata_version=release,
        cuda=built,
        hip=None,
        xpu=None,
        git="0" * 40,
        debug=False,
        arch_list=ARCHS.get(tag, []),
        cxx11_abi=True,
        needs_numpy1=False,
        extension_tags=["_C.cpython-311-x86_64-linux-gnu.so"],
        damaged=[],
        copies=["/home/student/.venv/lib/python3.11/site-packages/torch/version.py"],
    )
    return TorchInstall(**{**facts, **changes})


def torch_runs(names: list[str], release: str = "2.14.1", tag: str = "cu130", **changes: Any) -> TorchRuntime:
    built = None if tag == "cpu" else f"{tag[2:-1]}.{tag[-1]}"
    facts: dict[str, Any] = dict(
        imported=True,
        import_error=None,
        traceback=None,
        signal=None,
        version=f"{release}+{tag}",
        cuda=built,
        hip=None,
        available=bool(names) and built is not None,
        device_count=len(names) if built else 0,
        init_error=None if names and built else "Torch not compiled with CUDA enabled",
        arch_list=ARCHS.get(tag, []),
        numpy_ok=True,
        numpy_error=None,
        devices=[
            TorchDevice(
                index=n,
                name=name,
                compute_capability=DEVICE_IDS[name][1],
                kernel_ok=True,
                kernel_error=None,
            )
            for n, name in enumerate(names)
            if built
        ],
        cpu_kernel_ok=True,
        mps_available=False,
        xpu_available=False,
        warnings=[],
        companions=[],
        seconds=1.9,
    )
    return TorchRuntime(**{**facts, **changes})


def python(torch: TorchInstall | None, runtime: TorchRuntime | Unread | None, **changes: Any) -> Interpreter:
    """A plain venv of Python 3.11."""
    packages = [distribution("pip", "24.0"), distribution("numpy", "2.3.4")]
    if torch is not None and isinstance(torch.metadata_version, str):
        packages.append(distribution("torch", torch.metadata_version))
    site = "/home/student/.venv/lib/python3.11/site-packages"
    facts: dict[str, Any] = dict(
        executable="/home/student/.venv/bin/python",
        found_by=["VIRTUAL_ENV"],
        manager="venv",
        name=None,
        probe="ok",
        version="3.11.9",
        implementation="cpython",
        free_threaded=False,
        bits=64,
        platform="linux-x86_64",
        machine="x86_64",
        prefix="/home/student/.venv",
        base_prefix="/usr",
        base_executable="/usr/bin/python3.11",
        home_missing=False,
        cfg_version="3.11.9",
        externally_managed=False,
        has_pip=True,
        include_python_h=True,
        site_packages=[site],
        user_site="/home/student/.local/lib/python3.11/site-packages",
        user_site_enabled=False,
        sys_path=["/usr/lib/python3.11", site],
        sys_path_isolated=["/usr/lib/python3.11", site],
        distributions=packages,
        conda_packages=[],
        origins=[
            ModuleOrigin(
                module="torch", origin=f"{site}/torch/__init__.py", origin_isolated=f"{site}/torch/__init__.py"
            )
        ]
        if torch is not None
        else [ModuleOrigin(module="torch", origin=None, origin_isolated=None)],
        library_copies=[],
        torch=torch,
        runtime=runtime,
    )
    return Interpreter(**{**facts, **changes})


def container(engine: str | None = None, **changes: Any) -> Container:
    facts: dict[str, Any] = dict(
        engine=engine,
        signs=[] if engine is None else ["/.dockerenv"],
        injected_libraries=[],
        runtime_config_no_cgroups=None,
        cdi_specs=[],
        toolkit=[],
        docker=None,
        sandbox=None,
        scheduler=None,
    )
    return Container(**{**facts, **changes})


def environment(**variables: str) -> ProcessEnvironment:
    return ProcessEnvironment(
        variables=[Variable(name=name, value=value) for name, value in sorted(variables.items())],
        path=["/home/student/.venv/bin", "/usr/bin", "/bin"],
        home="/home/student",
        working_directory="/home/student",
        shell_python=["/home/student/.venv/bin/python", "/usr/bin/python3"],
        python_interpreter="/home/student/.venv/bin/python",
        activated_interpreter="/home/student/.venv/bin/python",
        activation_in_effect=True,
        shell_pip=["/home/student/.venv/bin/pip"],
        pip_interpreter="/home/student/.venv/bin/python",
        jupyter_interpreter=None,
    )


def smi(names: list[str], version: str = "580.95.05", level: str = "13.0") -> Smi:
    return Smi(
        path="/usr/bin/nvidia-smi",
        exit_code=0,
        error=None,
        form="xml",
        driver_version=version,
        cuda_version=level,
        attached_gpus=len(names),
        gpus=[gpu(name, n) for n, name in enumerate(names)],
    )


def toolkit(**changes: Any) -> Toolkit:
    facts: dict[str, Any] = dict(
        toolkits=[],
        cuda_home=None,
        cuda_home_exists=None,
        host_compiler="/usr/bin/g++",
        host_compiler_version="13.2.0",
        ninja=None,
    )
    return Toolkit(**{**facts, **changes})


def jupyter() -> Jupyter:
    return Jupyter(kernels=[], server_interpreter=None)
