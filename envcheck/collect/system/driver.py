"""The NVIDIA driver by its traces in /proc, /sys, /lib and /etc: every witness in its own field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from envcheck.facts import Driver, DriverLibrary, Fact, ProcGpu, Unread

from .host import read_machine
from .libraries import find_libraries
from .modinfo import read_compressed
from .modprobe import read_blacklists
from .module_files import find_module_files
from .programs import Run
from .root import Root, printable, to_int

PROC = "/proc/driver/nvidia"

# "NVIDIA UNIX x86_64 Kernel Module  510.73.08  Wed May …", or since 515
# "NVIDIA UNIX Open Kernel Module for x86_64  515.57  Release Build …"
_BANNER_VERSION = r"Kernel Module\b.*?\s(\d{2,4}\.\d+(?:\.\d+)*)(?:\s|$)"
_FABRIC_MANAGERS = ("/usr/bin/nv-fabricmanager", "/usr/local/bin/nv-fabricmanager")
_UNINSTALLERS = ("/usr/bin/nvidia-uninstall", "/usr/local/bin/nvidia-uninstall")
_NOT_THE_DRIVER = frozenset({"nvidia-fs"})  # GPUDirect Storage has DKMS sources of its own
_FILLED_BY_OTHERS = frozenset({"nvml", "nvidia_smi", "pasted", "recovery_log"})


def collect_driver(root: Root, platform: str, environ: Mapping[str, str], *, run: Run | None = None) -> Driver:
    """What files tell about the driver.

    Only where the loaded module is missing or of another version than a library, and the module on disk is
    compressed, is ``modinfo`` started (by ``run``, by default through the process wall) to say what it is.
    The answers of NVML, of nvidia-smi and the kernel log are other collectors' and stay ``not_asked`` here.
    """
    if platform != "linux":
        why = Unread("unsupported", "this system shows no driver files of the Linux kind")
        return Driver(**{name: why for name in Driver.__struct_fields__ if name not in _FILLED_BY_OTHERS})
    banner = _read_banner(root)
    command_line = root.text("/proc/cmdline")
    loaded = root.text("/sys/module/nvidia/version")
    version = _version_of(banner)
    libraries = find_libraries(root, read_machine(root), environ)
    files = find_module_files(root)
    release = root.text("/proc/sys/kernel/osrelease")
    if isinstance(files, list) and isinstance(release, str) and not _fits(loaded, libraries):
        files = read_compressed(files, release, root, environ, run)
    return Driver(
        proc=version,
        sys_module=loaded,
        proc_banner=banner,
        open_module="Open Kernel Module" in banner if isinstance(banner, str) else banner,
        module_loaded=_is_loaded(root, "nvidia"),
        uvm_loaded=_is_loaded(root, "nvidia_uvm"),
        peermem_loaded=_is_loaded(root, "nvidia_peermem", "nv_peer_mem"),  # the second is the older package's
        nouveau_loaded=_is_loaded(root, "nouveau"),
        module_files=files,
        kernel_headers=_has_headers(root, release),
        module_blacklists=read_blacklists(root, "nvidia", command_line),
        nouveau_blacklists=read_blacklists(root, "nouveau", command_line),
        dkms_versions=_read_dkms(root),
        libraries=libraries,
        gpus=_read_gpus(root),
        device_file_mode=_read_device_file_mode(root),
        gsp_firmware=_find_firmware(root, loaded if isinstance(loaded, str) else version),
        persistenced=_any_exists(root, ("/run/nvidia-persistenced/socket", "/var/run/nvidia-persistenced/socket")),
        fabric_manager=_any_exists(root, _FABRIC_MANAGERS),
        uninstaller=_any_exists(root, _UNINSTALLERS),
    )


def _read_banner(root: Root) -> Fact[str]:
    lines = root.lines(f"{PROC}/version", 4096)
    if lines is None or isinstance(lines, Unread):
        return lines
    for line in lines:
        if line.startswith("NVRM version:"):
            return line.strip()
    return Unread("garbled", f"{PROC}/version: {lines[0][:80]!r}")


def _version_of(banner: Fact[str]) -> Fact[str]:
    if banner is None or isinstance(banner, Unread):
        return banner
    found = re.search(_BANNER_VERSION, banner)
    return found[1] if found else Unread("garbled", banner[:120])


def _is_loaded(root: Root, *modules: str) -> bool | Unread:
    return _any_exists(root, [f"/sys/module/{name}" for name in modules])


def _any_exists(root: Root, paths: Sequence[str]) -> bool | Unread:
    answers = [root.exists(path) for path in paths]
    if True in answers:
        return True
    return next((answer for answer in answers if isinstance(answer, Unread)), False)


def _fits(loaded: Fact[str], libraries: Fact[list[DriverLibrary]]) -> bool:
    """A module is loaded, and no library is known to be of another version."""
    known = (
        [library for library in libraries if isinstance(library.version, str)] if isinstance(libraries, list) else []
    )
    return isinstance(loaded, str) and all(library.version == loaded for library in known if not library.compat)


def _has_headers(root: Root, release: Fact[str]) -> Fact[bool]:
    if not isinstance(release, str):
        return release or Unread("missing", "the running kernel's name is not known")
    return root.exists(f"/lib/modules/{release}/build")


def _read_dkms(root: Root) -> Fact[list[str]]:
    packages = root.names("/var/lib/dkms")
    if packages is None or isinstance(packages, Unread):
        return packages or []
    versions: dict[str, None] = {}
    for package in packages:
        if package.startswith("nvidia") and package not in _NOT_THE_DRIVER:
            entries = root.folders(f"/var/lib/dkms/{package}")
            if isinstance(entries, Unread):
                return entries
            # Beside the versions stand links such as kernel-6.8.0-49-generic-x86_64.
            for name, is_folder in entries or ():
                if is_folder and name[:1].isdigit():
                    versions[printable(name)] = None
    return list(versions)


# --- /proc/driver/nvidia -----------------------------------------------------------------------------------


def _read_gpus(root: Root) -> Fact[list[ProcGpu]]:
    names = root.names(f"{PROC}/gpus")
    if names is None or isinstance(names, Unread):
        return names or []
    return [_read_gpu(root, name) for name in names]


def _read_gpu(root: Root, name: str) -> ProcGpu:
    path = f"{PROC}/gpus/{name}/information"
    lines = root.lines(path, 4096)
    if lines is None or isinstance(lines, Unread):
        why = lines or Unread("missing", printable(f"no {path}"))
        return ProcGpu(bus_id=printable(name), model=why, uuid=why, minor=why, video_bios=why, excluded=why)
    values = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    # "Blacklisted" until 455, "GPU Excluded" since.
    excluded = values.get("GPU Excluded") or values.get("Blacklisted")
    minor = values.get("Device Minor")
    yes_or_no: Fact[bool] = None
    if excluded:
        yes_or_no = excluded == "Yes" if excluded in ("Yes", "No") else Unread("garbled", excluded[:64])
    return ProcGpu(
        bus_id=printable(name),
        model=_told(values.get("Model")),
        uuid=_told(values.get("GPU UUID")),
        minor=None if minor is None else _number(minor),
        video_bios=_told(values.get("Video BIOS")),
        excluded=yes_or_no,
    )


def _told(value: str | None) -> Fact[str]:
    """The driver shows question marks for what it has not read from the card yet."""
    if value and ("??" in value or value == "Unknown"):
        return Unread("unsupported", f"the driver shows {value!r}: the card is not initialised")
    return value or None


def _number(text: str) -> Fact[int]:
    number = to_int(text)
    return Unread("garbled", text[:64]) if number is None else number


def _read_device_file_mode(root: Root) -> Fact[int]:
    lines = root.lines(f"{PROC}/params", 64 << 10)
    if lines is None or isinstance(lines, Unread):
        return lines
    for line in lines:
        key, _, value = line.partition(":")
        if key == "DeviceFileMode":
            return _number(value.strip())  # decimal: 438 is 0666
    return Unread("missing", f"{PROC}/params has no DeviceFileMode")


def _find_firmware(root: Root, version: Fact[str]) -> Fact[list[str]]:
    """Names of the GSP firmware of the loaded driver, wherever the kernel's firmware loader would look."""
    if not isinstance(version, str):
        return version or Unread("missing", "no loaded driver whose firmware could be looked for")
    folders = ["/lib/firmware/updates", "/lib/firmware"]
    custom = root.text("/sys/module/firmware_class/parameters/path")
    if isinstance(custom, str) and custom.startswith("/"):
        folders.insert(0, custom)
    for folder in folders:
        names = root.names(f"{folder}/nvidia/{version}")
        if isinstance(names, Unread):
            return names
        found = [printable(name) for name in names or () if name.startswith("gsp")]
        if found:
            return found
    return []
