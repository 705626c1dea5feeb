"""The NVIDIA driver: kernel module and user-mode libraries, each witness in its own field."""

from __future__ import annotations

from .fact import NOT_ASKED, Fact, Record, Section


class ModuleFile(Record, frozen=True, kw_only=True):
    """One nvidia.ko* below /lib/modules."""

    path: str
    kernel_release: str
    version: Fact[str] = NOT_ASKED
    license: Fact[str] = NOT_ASKED  # "NVIDIA" proprietary, "Dual MIT/GPL" open
    signed: Fact[bool] = NOT_ASKED  # the file ends with the kernel's signature marker


class DriverLibrary(Record, frozen=True, kw_only=True):
    """One user-mode driver library as the loader could find it, in search order."""

    soname: str  # "libcuda.so.1", "libnvidia-ml.so.1"
    path: str
    realpath: Fact[str] = NOT_ASKED
    version: Fact[str] = NOT_ASKED  # suffix of the real file; None where it has none (WSL, Jetson)
    # "LD_PRELOAD", "LD_LIBRARY_PATH", "ld cache", "default folder" (the loader's trusted ones): the loader finds it;
    # "known folder": it is on the disk, and the loader does not look there unless it is told
    found_in: str = ""
    stub: Fact[bool] = NOT_ASKED
    compat: Fact[bool] = NOT_ASKED  # a forward-compatibility package's copy


class ProcGpu(Record, frozen=True, kw_only=True):
    """/proc/driver/nvidia/gpus/*/information."""

    bus_id: str
    model: Fact[str] = NOT_ASKED
    uuid: Fact[str] = NOT_ASKED
    minor: Fact[int] = NOT_ASKED
    video_bios: Fact[str] = NOT_ASKED
    excluded: Fact[bool] = NOT_ASKED


class Driver(Section, frozen=True, kw_only=True, tag="driver"):
    """Versions as each witness gives them; they must agree, and rules look at where they do not."""

    nvml: Fact[str] = NOT_ASKED  # nvmlSystemGetDriverVersion
    proc: Fact[str] = NOT_ASKED  # /proc/driver/nvidia/version
    sys_module: Fact[str] = NOT_ASKED  # /sys/module/nvidia/version
    nvidia_smi: Fact[str] = NOT_ASKED
    pasted: Fact[str] = NOT_ASKED  # as a pasted report states it
    proc_banner: Fact[str] = NOT_ASKED  # the whole NVRM line
    open_module: Fact[bool] = NOT_ASKED  # the loaded module is the open flavour
    module_loaded: Fact[bool] = NOT_ASKED  # /sys/module/nvidia is there
    uvm_loaded: Fact[bool] = NOT_ASKED
    peermem_loaded: Fact[bool] = NOT_ASKED
    nouveau_loaded: Fact[bool] = NOT_ASKED
    module_files: Fact[list[ModuleFile]] = NOT_ASKED
    kernel_headers: Fact[bool] = NOT_ASKED  # /lib/modules/$(uname -r)/build leads somewhere
    module_blacklists: Fact[list[str]] = NOT_ASKED  # "file: line" that keeps nvidia from loading
    nouveau_blacklists: Fact[list[str]] = NOT_ASKED
    dkms_versions: Fact[list[str]] = NOT_ASKED  # folders of /var/lib/dkms/nvidia*
    libraries: Fact[list[DriverLibrary]] = NOT_ASKED
    gpus: Fact[list[ProcGpu]] = NOT_ASKED
    device_file_mode: Fact[int] = NOT_ASKED  # DeviceFileMode of /proc/driver/nvidia/params
    gsp_firmware: Fact[list[str]] = NOT_ASKED  # files of /lib/firmware/nvidia/<loaded version>
    persistenced: Fact[bool] = NOT_ASKED  # /run/nvidia-persistenced/socket is there
    fabric_manager: Fact[bool] = NOT_ASKED  # nv-fabricmanager is installed
    uninstaller: Fact[bool] = NOT_ASKED  # /usr/bin/nvidia-uninstall: a .run installation
    recovery_log: Fact[list[str]] = NOT_ASKED  # NVRM / Xid lines of the kernel log, newest last
