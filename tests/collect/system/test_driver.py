"""The driver's traces: versions, modules on disk and in memory, blacklists, /proc/driver/nvidia."""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from envcheck.collect.process import ProcessResult
from envcheck.collect.system.driver import collect_driver
from envcheck.collect.system.root import Root
from envcheck.facts import NOT_ASKED, Driver, ModuleFile, ProcGpu, Unread
from tests.collect.system.trees import HOST, KERNEL, SERVER, VERSION, refuse, tree
from tests.fakes.tree import File, Files, Folder, kernel_module, without

OLD = "6.8.0-31-generic"


def driver_of(place: Path, *parts: Files) -> Driver:
    return collect_driver(tree(place, *parts), "linux", {})


def why(fact: object) -> str:
    assert isinstance(fact, Unread), fact
    return fact.why


def test_a_healthy_driver(tmp_path: Path) -> None:
    """Each witness in its own field; what other collectors ask stays unasked."""
    driver = driver_of(tmp_path, SERVER)
    assert (driver.proc, driver.sys_module, driver.open_module) == (VERSION, VERSION, True)
    assert (driver.module_loaded, driver.uvm_loaded, driver.peermem_loaded, driver.nouveau_loaded) == (
        True,
        True,
        False,
        False,
    )
    assert driver.module_files == [
        ModuleFile(
            path=f"/lib/modules/{KERNEL}/updates/dkms/nvidia.ko",
            kernel_release=KERNEL,
            version=VERSION,
            license="Dual MIT/GPL",
            signed=True,
        )
    ]
    assert driver.gpus == [
        ProcGpu(
            bus_id="0000:17:00.0",
            model="NVIDIA H100 80GB HBM3",
            uuid="GPU-2809c740-845e-0975-2849-bf7bc20f2bfe",
            minor=0,
            video_bios="96.00.99.00.01",
            excluded=False,
        )
    ]
    assert (driver.kernel_headers, driver.dkms_versions, driver.device_file_mode) == (True, [VERSION], 0o666)
    assert driver.gsp_firmware == ["gsp_ga10x.bin", "gsp_tu10x.bin"]
    assert (driver.persistenced, driver.fabric_manager, driver.uninstaller) == (True, True, False)
    assert (driver.module_blacklists, driver.nouveau_blacklists) == ([], [])
    assert [driver.nvml, driver.nvidia_smi, driver.pasted, driver.recovery_log] == [NOT_ASKED] * 4


def test_no_driver_at_all(tmp_path: Path) -> None:
    """On a machine without a driver every absence is known, none is an error of reading."""
    driver = driver_of(tmp_path, HOST)
    absent = (driver.proc, driver.sys_module, driver.proc_banner, driver.open_module, driver.device_file_mode)
    assert absent == (None,) * 5
    empty = (driver.module_files, driver.libraries, driver.gpus, driver.dkms_versions, driver.module_blacklists)
    assert empty == ([],) * 5
    assert (driver.module_loaded, driver.kernel_headers, driver.uninstaller) == (False, False, False)


def test_an_unmounted_proc_and_sys_acquit_nobody(tmp_path: Path) -> None:
    """Without /sys nobody knows whether a module is loaded."""
    driver = driver_of(tmp_path, {"etc/os-release": "ID=x\n"})
    facts = (driver.proc, driver.sys_module, driver.module_loaded, driver.nouveau_loaded, driver.device_file_mode)
    assert [why(fact) for fact in facts] == ["missing"] * 5


# --- /proc/driver/nvidia -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("banner", "version", "is_open"),
    [
        ("NVIDIA UNIX x86_64 Kernel Module  375.74  Wed Jun 14 01:39:39 PDT 2017", "375.74", False),
        ("NVIDIA UNIX x86_64 Kernel Module  510.73.08  Wed May 18 20:34:14 UTC 2022", "510.73.08", False),
        (" NVIDIA UNIX Open Kernel Module for x86_64  515.57  Release Build Mi 20. Jul", "515.57", True),
        ("NVIDIA UNIX Open Kernel Module for aarch64  540.4.0  Release Build  (build)", "540.4.0", True),
        ("NVIDIA UNIX x86_64 Kernel Module", "garbled", False),
    ],
)
def test_both_wordings_of_the_banner(tmp_path: Path, banner: str, version: str, is_open: bool) -> None:
    """The wording changed with the open modules in 515; both carry version and flavour."""
    text = f"NVRM version: {banner}\nGCC version:  gcc version 12.3.0 (Ubuntu)\n"
    driver = driver_of(tmp_path, SERVER, {"proc/driver/nvidia/version": text})
    assert (driver.proc.why if isinstance(driver.proc, Unread) else driver.proc) == version
    assert driver.open_module is is_open
    assert driver.proc_banner == f"NVRM version: {banner}".strip()


def test_gpu_information_of_several_generations(tmp_path: Path) -> None:
    """Drivers to 455 say "Blacklisted"; question marks stand for what was not read from the card yet."""
    gpus = "proc/driver/nvidia/gpus"
    files = {
        f"{gpus}/0000:02:00.0/information": "Model: \t\t GeForce RTX 2080 Ti\nDevice Minor: \t 0\nBlacklisted:\t Yes\n",
        f"{gpus}/0000:03:00.0/information": "Model: \t\t Unknown\nGPU UUID: \t GPU-????????-????-????-????-"
        "????????????\nVideo BIOS: \t ??.??.??.??.??\nDevice Minor: \t lost\nGPU Excluded:\t Perhaps\n",
        f"{gpus}/0000:04:00.0": Folder(),
    }
    found = driver_of(tmp_path, without(SERVER, gpus), files).gpus
    assert isinstance(found, list)
    old, blank, empty = found
    assert (old.model, old.minor, old.excluded, old.uuid) == ("GeForce RTX 2080 Ti", 0, True, None)
    assert [why(fact) for fact in (blank.model, blank.uuid, blank.video_bios)] == ["unsupported"] * 3
    assert [why(fact) for fact in (blank.minor, blank.excluded)] == ["garbled"] * 2
    assert {why(fact) for fact in (empty.model, empty.uuid, empty.minor)} == {"missing"}


def test_refused_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardened systems hide /proc/driver and /lib/modules: nothing is concluded from it."""
    root = tree(tmp_path, SERVER)
    refuse(monkeypatch, root, "/proc/driver/nvidia", "/lib/modules", "/var/lib/dkms", "/etc/modprobe.d")
    driver = collect_driver(root, "linux", {})
    facts = (driver.proc, driver.gpus, driver.device_file_mode, driver.module_files, driver.dkms_versions)
    assert [why(fact) for fact in facts] == ["refused"] * 5
    assert why(driver.module_blacklists) == "refused"
    assert driver.sys_module == VERSION


# --- modules on disk ---------------------------------------------------------------------------------------

PLACES = [
    "updates/dkms/nvidia.ko",  # DKMS
    "updates/dkms/nvidia-current.ko.xz",  # Debian
    "extra/nvidia/nvidia.ko.xz",  # RPM Fusion
    "extra/drivers/video/nvidia/nvidia.ko",  # NVIDIA's precompiled RPM
    "kernel/drivers/video/nvidia.ko",  # .run
    "kernel/nvidia-580-open/nvidia.ko.zst",  # Ubuntu, ready-built
    "weak-updates/nvidia/nvidia.ko",
    "misc/nvidia.ko.xz",  # NixOS
    "extramodules/nvidia.ko.gz",
]


@pytest.mark.parametrize("place", PLACES)
def test_every_distribution_s_place_is_searched(tmp_path: Path, place: str) -> None:
    """Where a distribution puts nvidia.ko, it is found; its sister modules are not taken for it."""
    folder = place.rpartition("/")[0]
    files = {f"lib/modules/{KERNEL}/{place}": b""}
    files |= {f"lib/modules/{KERNEL}/{folder}/nvidia-{part}.ko": b"" for part in ("drm", "uvm", "current-modeset")}
    driver = driver_of(tmp_path, HOST, files)
    assert isinstance(driver.module_files, list)
    assert [file.path for file in driver.module_files] == [f"/lib/modules/{KERNEL}/{place}"]


def test_an_unusual_place_is_known_from_depmod(tmp_path: Path) -> None:
    """What depmod has indexed is found wherever it lies, each file once."""
    modules = f"lib/modules/{KERNEL}"
    files = {
        f"{modules}/modules.dep": "kernel/fs/ext4/ext4.ko: kernel/lib/crc16.ko\nvendor/gpu/nvidia.ko.zst:\n"
        "updates/dkms/nvidia-uvm.ko: updates/dkms/nvidia.ko\nupdates/dkms/nvidia.ko:\nvendor/gone/nvidia.ko:\n",
        f"{modules}/vendor/gpu/nvidia.ko.zst": b"",
        f"{modules}/updates/dkms/nvidia.ko": kernel_module(VERSION, "NVIDIA", KERNEL),
    }
    found = driver_of(tmp_path, HOST, files).module_files
    assert isinstance(found, list)
    paths = [f"/{modules}/updates/dkms/nvidia.ko", f"/{modules}/vendor/gpu/nvidia.ko.zst"]
    assert [file.path for file in found] == paths
    assert (found[0].version, found[0].license) == (VERSION, "NVIDIA")


def test_a_module_for_another_kernel_only(tmp_path: Path) -> None:
    """After a kernel update DKMS has built for the old kernel alone: each file carries its kernel."""
    files = {f"lib/modules/{OLD}/updates/dkms/nvidia.ko": kernel_module(VERSION, "NVIDIA", OLD, signed=False)}
    files |= {f"lib/modules/{KERNEL}/kernel/fs/ext4.ko": b"", f"lib/modules/{KERNEL}/build": b""}
    found = driver_of(tmp_path, HOST, files).module_files
    assert isinstance(found, list)
    assert [(file.kernel_release, file.signed) for file in found] == [(OLD, False)]


def test_one_file_for_two_kernels(tmp_path: Path) -> None:
    """weak-updates lends the module of one kernel to another: both have one."""
    root = tree(
        tmp_path,
        HOST,
        {
            f"lib/modules/{OLD}/extra/nvidia.ko": kernel_module(VERSION, "NVIDIA", OLD),
            f"lib/modules/{KERNEL}/weak-updates": Folder(),
        },
    )
    (tmp_path / f"lib/modules/{KERNEL}/weak-updates/nvidia.ko").symlink_to(f"/lib/modules/{OLD}/extra/nvidia.ko")
    (tmp_path / f"lib/modules/{KERNEL}/weak-updates/nvidia-gone.ko").symlink_to("/gone.ko")
    found = collect_driver(root, "linux", {}).module_files
    assert isinstance(found, list)
    assert [(file.kernel_release, file.version) for file in found] == [(OLD, VERSION), (KERNEL, VERSION)]


def test_a_missing_headers_link_and_a_dangling_one(tmp_path: Path) -> None:
    """A dangling build link is what a removed headers package leaves: no headers."""
    root = tree(tmp_path, HOST, {f"lib/modules/{KERNEL}/modules.dep": ""})
    (tmp_path / f"lib/modules/{KERNEL}/build").symlink_to(f"/usr/src/linux-headers-{KERNEL}")
    assert collect_driver(root, "linux", {}).kernel_headers is False


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zst"])
def test_compressed_modules_are_not_opened(tmp_path: Path, suffix: str) -> None:
    """Decompressing 100 MB to learn a version is not worth it: unsupported, which accuses nobody."""
    files = {f"lib/modules/{KERNEL}/updates/nvidia.ko{suffix}": b"\xfd7zXZ"}
    found = driver_of(tmp_path, HOST, files).module_files
    assert isinstance(found, list)
    assert {why(fact) for fact in (found[0].version, found[0].license, found[0].signed)} == {"unsupported"}


MODINFO = (
    b"filename:       /lib/modules/6.8.0-51-generic/updates/dkms/nvidia.ko.zst\nfirmware:       nvidia/580/gsp.bin\n"
    b"version:        580.105.08\nsupported:      external\nlicense:        Dual MIT/GPL\nsrcversion:     AB12\n"
)
SIGNED = (
    MODINFO
    + b"sig_id:         PKCS#7\nsigner:         student Secure Boot Module Signature key\nsignature:      12:34\n"
)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (ProcessResult(exit_code=0, stdout=MODINFO), ("580.105.08", "Dual MIT/GPL", False)),
        (ProcessResult(exit_code=0, stdout=SIGNED), ("580.105.08", "Dual MIT/GPL", True)),
        (ProcessResult(timed_out=True, deadline=5.0), ("timeout",) * 3),
        (ProcessResult(exit_code=1, stderr=b"modinfo: ERROR: could not get modinfo"), ("garbled",) * 3),
    ],
)
def test_a_compressed_module_that_does_not_load_is_asked_about(
    tmp_path: Path, answer: ProcessResult, expected: tuple[object, ...]
) -> None:
    """Whether it is signed decides why it is refused; modinfo is started for the running kernel's file only."""
    files = {f"lib/modules/{kernel}/updates/dkms/nvidia.ko.zst": b"\x28\xb5\x2f\xfd" for kernel in (OLD, KERNEL)}
    root = tree(tmp_path, HOST, files, {"usr/sbin/modinfo": File("", 0o755)})
    asked: list[Sequence[str]] = []

    def run(argv: Sequence[str]) -> ProcessResult:
        asked.append(argv)
        return answer

    found = collect_driver(root, "linux", {"PATH": "/usr/bin"}, run=run).module_files
    assert isinstance(found, list)
    old, new = found
    assert why(old.version) == "unsupported"
    told = [fact.why if isinstance(fact, Unread) else fact for fact in (new.version, new.license, new.signed)]
    assert tuple(told) == expected
    assert [argv[1].removeprefix(str(tmp_path)) for argv in asked] == [
        f"/lib/modules/{KERNEL}/updates/dkms/nvidia.ko.zst"
    ]


def test_a_healthy_machine_starts_no_program(tmp_path: Path) -> None:
    """With the module loaded and fitting its libraries there is nothing to ask; with another version there is."""
    module = f"lib/modules/{KERNEL}/updates/dkms/nvidia.ko"
    files = {f"{module}.xz": b"\xfd7zXZ", "usr/sbin/modinfo": File("", 0o755)}
    root = tree(tmp_path / "a", without(SERVER, module), files)
    collect_driver(root, "linux", {}, run=lambda argv: pytest.fail("started a program"))
    stale = tree(tmp_path / "b", without(SERVER, module), files, {"sys/module/nvidia/version": "550.54.15\n"})
    answer = ProcessResult(exit_code=0, stdout=MODINFO)
    found = collect_driver(stale, "linux", {}, run=lambda argv: answer).module_files
    assert isinstance(found, list)
    assert [file.version for file in found] == [VERSION]


def broken_modules() -> list[bytes]:
    whole = kernel_module(VERSION, "NVIDIA", KERNEL)
    far = whole[:40] + struct.pack("<Q", 1 << 63) + whole[48:]
    many = whole[:60] + struct.pack("<H", 0xFFFF) + whole[62:]
    return [b"", b"\x7fELF", whole[:100], far, many, b"MZ" + whole[2:], whole.replace(b".modinfo", b".nothing")]


@pytest.mark.parametrize("content", broken_modules())
def test_broken_modules_are_garbled(tmp_path: Path, content: bytes) -> None:
    """A truncated or foreign file is named as one that could not be understood."""
    found = driver_of(tmp_path, HOST, {f"lib/modules/{KERNEL}/updates/nvidia.ko": content}).module_files
    assert isinstance(found, list)
    assert (why(found[0].version), why(found[0].license)) == ("garbled", "garbled")


def test_the_walk_is_bounded(tmp_path: Path) -> None:
    """A huge module tree costs no time: only the places of interest are walked, and those not without end."""
    modules = tmp_path / f"lib/modules/{KERNEL}"
    for place in ("kernel/drivers/net", "extra/a", "extra/b"):
        for n in range(300):
            (modules / place / f"{n}").mkdir(parents=True)
    calls = 0
    real = Root.folders

    class Counting(Root):
        def folders(self, path: str, limit: int = 512) -> object:  # type: ignore[override]
            nonlocal calls
            calls += 1
            return real(self, path, limit)

    began = time.perf_counter()
    assert collect_driver(Counting(str(tmp_path)), "linux", {}).module_files == []
    assert calls <= 210
    assert time.perf_counter() - began < 2


# --- blacklists --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "blocks"),
    [
        ("blacklist nvidia", True),
        ("  blacklist   nvidia", True),
        ("install nvidia /bin/false", True),
        ("install nvidia /usr/bin/true", True),
        ("alias nvidia off", True),
        ("blacklist \\\n  nvidia", True),
        ("#blacklist nvidia", False),
        ("blacklist nvidiafb", False),
        ("blacklist nvidia-drm", False),
        ("install nvidia /sbin/modprobe --ignore-install nvidia", False),
        ("install nvidia modprobe -i nvidia-current $CMDLINE_OPTS", False),
        ("alias char-major-195* nvidia", False),
        ("options nvidia NVreg_DeviceFileMode=0660", False),
        ("install nvidia", False),
    ],
)
def test_lines_that_keep_nvidia_from_loading(tmp_path: Path, line: str, blocks: bool) -> None:
    """Only what really forbids the module counts; Debian's install lines load it."""
    driver = driver_of(tmp_path, HOST, {"etc/modprobe.d/gpu.conf": f"# made by a tool\n{line}\n"})
    assert isinstance(driver.module_blacklists, list)
    assert bool(driver.module_blacklists) is blocks
    assert all(entry.startswith("/etc/modprobe.d/gpu.conf: ") for entry in driver.module_blacklists)


def test_blacklists_of_nouveau(tmp_path: Path) -> None:
    """A file hides those of its name in later folders; other endings are no configuration."""
    files = {
        "etc/modprobe.d/nouveau.conf": "options nouveau modeset=0\n",
        "usr/lib/modprobe.d/nouveau.conf": "blacklist nouveau\n",
        "lib/modprobe.d/nvidia-installer-disable-nouveau.conf": "blacklist nouveau\n",
        "etc/modprobe.d/old.conf.bak": "blacklist nouveau\n",
        "proc/cmdline": "ro rd.driver.blacklist=nouveau,nova_core modprobe.blacklist=nvidia nouveau.modeset=0 quiet\n",
    }
    driver = driver_of(tmp_path, HOST, files)
    assert driver.nouveau_blacklists == [
        "/etc/modprobe.d/nouveau.conf: options nouveau modeset=0",
        "/lib/modprobe.d/nvidia-installer-disable-nouveau.conf: blacklist nouveau",
        "/proc/cmdline: rd.driver.blacklist=nouveau,nova_core",
        "/proc/cmdline: nouveau.modeset=0",
    ]
    assert driver.module_blacklists == ["/proc/cmdline: modprobe.blacklist=nvidia"]


# --- firmware, DKMS ----------------------------------------------------------------------------------------


def test_firmware_of_the_loaded_version_only(tmp_path: Path) -> None:
    """After a half upgrade the loaded driver's firmware is gone: an empty list, not the new one's files."""
    folder = "lib/firmware/nvidia"
    files = {f"{folder}/590.48.01/gsp_ga10x.bin.zst": ""}
    assert driver_of(tmp_path / "a", without(SERVER, folder), files).gsp_firmware == []
    custom = {
        "sys/module/firmware_class/parameters/path": "/run/current-system/firmware\n",
        f"run/current-system/firmware/nvidia/{VERSION}/gsp_ga10x.bin.zst": "",
    }
    assert driver_of(tmp_path / "b", without(SERVER, folder), custom).gsp_firmware == ["gsp_ga10x.bin.zst"]
    assert why(driver_of(tmp_path / "c", HOST, files).gsp_firmware) == "missing"


def test_dkms_versions_of_the_driver(tmp_path: Path) -> None:
    """Versions are folders with a number; links to builds and other NVIDIA sources are not the driver's."""
    dkms = "var/lib/dkms"
    files = {
        f"{dkms}/nvidia-current/535.183.01/source": "",
        f"{dkms}/nvidia-fs/2.24.2/source": "",
        f"{dkms}/virtualbox/7.0/source": "",
        f"{dkms}/nvidia/original_module/x": "",
    }
    assert driver_of(tmp_path, SERVER, files).dkms_versions == [VERSION, "535.183.01"]
