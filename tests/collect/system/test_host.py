"""The machine itself: bare metal, WSL, Jetson, firmware, limits."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from envcheck.collect.system.host import SECURE_BOOT, collect_host
from envcheck.facts import Host, PackageManager, Unread
from tests.collect.system.trees import GIB, HOST, SERVER, refuse, tree
from tests.fakes.tree import Files, Folder, without

EFI = SECURE_BOOT.lstrip("/")


def host_of(place: Path, *parts: Files, **environ: str) -> Host:
    return collect_host(tree(place, *parts), "linux", environ)


def why(fact: object) -> str:
    assert isinstance(fact, Unread), fact
    return fact.why


def test_a_bare_server(tmp_path: Path) -> None:
    """Every fact of a plain Ubuntu server is what its files say."""
    host = host_of(tmp_path, SERVER)
    told = {name: getattr(host, name) for name in Host.__struct_fields__}
    expected = {
        "system": "Linux",
        "machine": "x86_64",
        "kernel_release": "6.8.0-51-generic",
        "os_id": "ubuntu",
        "os_like": ["debian"],
        "os_version": "24.04",
        "os_name": "Ubuntu 24.04.1 LTS",
        "wsl": None,
        "dxg": False,
        "jetson": None,
        "virtualization": None,
        "product": "PowerEdge XE9680",
        "chassis": 23,
        "secure_boot": False,
        "kernel_cmdline": "BOOT_IMAGE=/boot/vmlinuz-6.8.0-51-generic ro quiet",
        "boot_time": 1764000000,
        "suspends": 0,
        "cpus": 222,
        "cpu_quota": None,
        "cpu_model": "Intel(R) Xeon(R) Platinum 8480+",
        "cpu_flags": ["avx", "avx2", "avx512f", "sse4_2"],
        "memory_total_bytes": 1056482304 * 1024,
        "memory_available_bytes": 1012334592 * 1024,
        "memory_limit_bytes": None,
        "oom_kills": 2,
        "cpu_governor": "performance",
        "cpu_energy_preference": None,
        "on_battery": False,
        "selinux": None,
        "dmesg_restricted": True,
        "infiniband": ["mlx5_0/1 4: ACTIVE 400 Gb/sec"],
        "package_managers": [],
    }
    assert {name: told[name] for name in expected} == expected
    assert told["uid"] == os.getuid()
    assert os.getegid() in told["groups"]
    assert isinstance(told["shm_total_bytes"], int)
    assert isinstance(told["cpus_allowed"], int)


def test_a_system_without_sys_and_proc_is_not_judged(tmp_path: Path) -> None:
    """Where nothing is mounted everything is unread; no absence is invented."""
    host = host_of(tmp_path, {"etc/os-release": "ID=scratch\n"})
    assert host.os_id == "scratch"
    silent = ("kernel_release", "product", "secure_boot", "boot_time", "cpu_model", "memory_total_bytes")
    silent += ("memory_limit_bytes", "on_battery", "selinux", "infiniband", "dmesg_restricted", "wsl")
    assert {name: why(getattr(host, name)) for name in silent} == dict.fromkeys(silent, "missing")


# --- WSL, Jetson, virtual machines -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("release", "files", "wsl"),
    [
        ("5.15.167.4-microsoft-standard-WSL2", {"dev/dxg": ""}, 2),
        ("5.15.167.4-microsoft-standard-WSL2", {}, 2),
        ("4.4.0-19041-Microsoft", {}, 1),
        ("6.6.36-custom", {"dev/dxg": ""}, 2),
        ("6.6.36-custom", {"proc/sys/fs/binfmt_misc/WSLInterop": "enabled\n"}, 2),
        ("6.8.0-51-generic", {}, None),
    ],
)
def test_wsl_is_told_apart(tmp_path: Path, release: str, files: Files, wsl: int | None) -> None:
    """WSL 1 has no GPU at all, WSL 2 has; self-built kernels name neither."""
    host = host_of(tmp_path, HOST, {"proc/sys/kernel/osrelease": f"{release}\n"}, files)
    assert (host.wsl, host.dxg) == (wsl, "dev/dxg" in files)


ORIN: Files = {
    **without(HOST, "sys/class/dmi", "sys/firmware/efi"),
    "proc/sys/kernel/arch": "aarch64\n",
    "proc/cpuinfo": "processor\t: 0\nBogoMIPS\t: 62.50\nFeatures\t: fp asimd evtstrm sve\nCPU part\t: 0xd42\n",
}


def test_a_jetson_is_known_by_its_device_tree(tmp_path: Path) -> None:
    """The GPU of a Jetson is on no bus; the board's name stops the search for one."""
    board = {
        "proc/device-tree/compatible": b"nvidia,p3737-0000+p3701-0000\0nvidia,tegra234\0",
        "proc/device-tree/model": b"NVIDIA Jetson AGX Orin Developer Kit\0",
    }
    host = host_of(tmp_path, ORIN, board)
    assert host.jetson == "NVIDIA Jetson AGX Orin Developer Kit"
    assert (host.cpu_model, host.cpu_flags) == (None, ["asimd", "sve"])


@pytest.mark.parametrize(
    ("files", "jetson"),
    [
        ({"proc/device-tree/compatible": b"nvidia,p3701\0nvidia,tegra234\0"}, "nvidia,tegra234"),
        ({"proc/device-tree/compatible": b"raspberrypi,5-model-b\0"}, None),
        ({"sys/devices/soc0/family": "Tegra\n", "sys/devices/soc0/machine": "Jetson AGX Orin\n"}, "Jetson AGX Orin"),
        ({"etc/nv_tegra_release": "# R35 (release)\n"}, "Tegra"),
        ({}, None),
    ],
)
def test_a_jetson_is_known_in_a_container_too(tmp_path: Path, files: Files, jetson: str | None) -> None:
    """Engines hide the device tree; other signs stay visible."""
    assert host_of(tmp_path, ORIN, files).jetson == jetson


def test_a_jetson_tells_its_release(tmp_path: Path) -> None:
    """By the first line that NVIDIA's package writes; without the file it is not known, and elsewhere there is none."""
    tree = {"proc/device-tree/compatible": b"nvidia,p3701\0nvidia,tegra234\0"}
    line = "# R36 (release), REVISION: 4.3, GCID: 38968081, BOARD: generic, EABI: aarch64\n"
    assert host_of(tmp_path / "told", ORIN, {**tree, "etc/nv_tegra_release": line}).l4t == "36.4.3"
    assert why(host_of(tmp_path / "silent", ORIN, tree).l4t) == "missing"
    assert why(host_of(tmp_path / "odd", ORIN, {**tree, "etc/nv_tegra_release": "hello\n"}).l4t) == "garbled"
    assert host_of(tmp_path / "other", ORIN, {}).l4t is None


def test_a_hidden_device_tree_is_not_an_absent_one(tmp_path: Path) -> None:
    """On ARM, an emptied /sys/firmware leaves open whether this is a Jetson; on x86 there is no doubt."""
    hidden = {**without(ORIN, "sys/firmware"), "sys/firmware": Folder()}
    assert why(host_of(tmp_path / "arm", hidden).jetson) == "missing"
    assert host_of(tmp_path / "x86", {**hidden, "proc/sys/kernel/arch": "x86_64\n"}).jetson is None


@pytest.mark.parametrize(
    ("dmi", "flag", "expected"),
    [
        ({"product_name": "p5.48xlarge", "sys_vendor": "Amazon EC2"}, "hypervisor", "amazon"),
        ({"product_name": "c5.metal", "sys_vendor": "Amazon EC2"}, "", None),
        ({"product_name": "Google Compute Engine", "sys_vendor": "Google"}, "hypervisor", "google"),
        ({"product_name": "Virtual Machine", "sys_vendor": "Microsoft Corporation"}, "hypervisor", "microsoft"),
        ({"product_name": "Surface Laptop 5", "sys_vendor": "Microsoft Corporation"}, "", None),
        ({"product_name": "Standard PC (Q35 + ICH9, 2009)", "sys_vendor": "QEMU"}, "", "kvm"),
        ({"product_name": "VMware20,1", "sys_vendor": "VMware, Inc."}, "hypervisor", "vmware"),
        ({}, "hypervisor", "other"),
        ({}, "", None),
    ],
)
def test_hypervisors_by_their_own_names(tmp_path: Path, dmi: dict[str, str], flag: str, expected: str | None) -> None:
    """DMI strings name the hypervisor; the processor's flag tells of one that hides its name."""
    strings = {f"sys/class/dmi/id/{name}": f"{text}\n" for name, text in dmi.items()}
    cpu = {"proc/cpuinfo": f"processor\t: 0\nmodel name\t: EPYC\nflags\t\t: fpu avx {flag}\n"}
    assert host_of(tmp_path, without(HOST, "sys/class/dmi"), strings, cpu).virtualization == expected


# --- firmware, files that say nothing ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variable", "secure_boot"),
    [(b"\x06\0\0\0\x01", True), (b"\x06\0\0\0\0", False), (b"\x06\0\0\0\x02", "garbled"), (b"\x01", "garbled")],
)
def test_secure_boot_is_the_variable_s_last_byte(tmp_path: Path, variable: bytes, secure_boot: bool | str) -> None:
    """Attributes first, then one byte; any other form is garbled."""
    fact = host_of(tmp_path, HOST, {EFI: variable}).secure_boot
    assert (why(fact) if isinstance(fact, Unread) else fact) == secure_boot


def test_secure_boot_hidden_is_not_secure_boot_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers empty /sys/firmware, some hosts do not mount efivars: unknown.  A BIOS machine has none: known."""
    masked = {**without(HOST, "sys/firmware"), "sys/firmware": Folder()}
    assert why(host_of(tmp_path / "masked", masked).secure_boot) == "missing"
    unmounted = {**without(HOST, EFI), "sys/firmware/efi/fw_platform_size": "64\n"}
    assert why(host_of(tmp_path / "unmounted", unmounted).secure_boot) == "missing"
    assert host_of(tmp_path / "bios", without(HOST, "sys/firmware/efi")).secure_boot is None
    root = tree(tmp_path / "refused", HOST)
    refuse(monkeypatch, root, SECURE_BOOT)
    assert why(collect_host(root, "linux", {}).secure_boot) == "refused"


def test_selinux_hidden_is_not_selinux_absent(tmp_path: Path) -> None:
    """A container sees the empty mount point of the host's policy."""
    assert host_of(tmp_path / "on", HOST, {"sys/fs/selinux/enforce": "1"}).selinux == "enforcing"
    assert host_of(tmp_path / "lax", HOST, {"sys/fs/selinux/enforce": "0"}).selinux == "permissive"
    assert why(host_of(tmp_path / "hidden", HOST, {"sys/fs/selinux": Folder()}).selinux) == "missing"


def test_weird_bytes_are_garbled_and_stay_local(tmp_path: Path) -> None:
    """One unreadable file costs one fact."""
    weird = {
        "proc/stat": b"btime \xff\n",
        "proc/meminfo": "MemTotal: lots kB\nMemAvailable: 5 kB\n",
        "sys/class/dmi/id/chassis_type": "laptop\n",
        "sys/devices/system/cpu/online": "7-3\n",
        "sys/power/suspend_stats/success": b"\xff\xff",
    }
    host = host_of(tmp_path, HOST, weird)
    facts = (host.boot_time, host.memory_total_bytes, host.chassis, host.cpus, host.suspends)
    assert [why(fact) for fact in facts] == ["garbled"] * 5
    assert (host.memory_available_bytes, host.product) == (5 * 1024, "PowerEdge XE9680")


# --- limits ------------------------------------------------------------------------------------------------

SCOPE = "sys/fs/cgroup/user.slice/user-1000.slice/session-1.scope"


def test_the_narrowest_group_limits(tmp_path: Path) -> None:
    """A limit of a group above binds as well as the own one."""
    limits = {
        f"{SCOPE}/memory.max": f"{64 * GIB}\n",
        "sys/fs/cgroup/user.slice/memory.max": f"{8 * GIB}\n",
        f"{SCOPE}/cpu.max": "250000 100000\n",
        "sys/fs/cgroup/user.slice/cpu.max": "400000 100000\n",
    }
    host = host_of(tmp_path, HOST, limits)
    assert (host.memory_limit_bytes, host.cpu_quota) == (8 * GIB, 2.5)


def test_a_container_s_own_group_is_the_mount(tmp_path: Path) -> None:
    """Inside a container the group's host path leads nowhere; what is mounted is the own group."""
    inside = {
        "proc/self/cgroup": "0::/../../docker/0123\n",
        "sys/fs/cgroup/memory.max": f"{2 * GIB}\n",
        "sys/fs/cgroup/memory.events": "oom_kill 7\n",
        "sys/fs/cgroup/cpu.max": "max 100000\n",
    }
    host = host_of(tmp_path, without(HOST, "sys/fs/cgroup/user.slice"), inside)
    assert (host.memory_limit_bytes, host.oom_kills, host.cpu_quota) == (2 * GIB, 7, None)


def test_version_1_groups(tmp_path: Path) -> None:
    """Each controller has its own hierarchy, and "no limit" is a huge number there."""
    job = "sys/fs/cgroup/memory/slurm/job_7"
    v1 = {
        "proc/self/cgroup": "4:memory:/slurm/job_7\n3:cpu,cpuacct:/\n1:name=systemd:/\n0::/\n",
        "proc/self/mountinfo": "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
        "40 31 0:35 / /sys/fs/cgroup/unified rw - cgroup2 cgroup rw\n"
        "41 31 0:36 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "42 31 0:37 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n",
        f"{job}/memory.limit_in_bytes": f"{96 * GIB}\n",
        f"{job}/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
        "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
    }
    host = host_of(tmp_path, without(HOST, "sys/fs/cgroup"), v1)
    assert (host.memory_limit_bytes, host.oom_kills, host.cpu_quota) == (96 * GIB, 1, None)


@pytest.mark.parametrize("text", ["lots\n", "-5\n", "1 2 3\n"])
def test_a_garbled_limit_is_not_no_limit(tmp_path: Path, text: str) -> None:
    """None means unlimited, so it is never a guess."""
    assert why(host_of(tmp_path, HOST, {f"{SCOPE}/memory.max": text}).memory_limit_bytes) == "garbled"


@pytest.mark.parametrize(
    ("supplies", "expected"),
    [
        ({}, False),
        ({"AC/type": "Mains\n", "AC/online": "1\n", "BAT0/type": "Battery\n", "BAT0/status": "Charging\n"}, False),
        ({"AC/type": "Mains\n", "AC/online": "0\n", "BAT0/type": "Battery\n", "BAT0/status": "Discharging\n"}, True),
        ({"BAT0/type": "Battery\n", "BAT0/status": "Discharging\n"}, True),
        ({"mouse/type": "Battery\n", "mouse/scope": "Device\n", "mouse/status": "Discharging\n"}, False),
        ({"usb/type": "USB\n", "usb/online": "2\n", "BAT0/type": "Battery\n", "BAT0/status": "Discharging\n"}, False),
    ],
)
def test_running_on_battery(tmp_path: Path, supplies: dict[str, str], expected: bool) -> None:
    """A mouse's battery is not the machine's, and any charger on line is mains."""
    files = {f"sys/class/power_supply/{name}": text for name, text in supplies.items()}
    assert host_of(tmp_path, HOST, files).on_battery is expected


def test_own_groups_are_named_from_the_file(tmp_path: Path) -> None:
    """Names come from /etc/group: a directory server that hangs is not asked."""
    group = f"root:x:0:\nmine:x:{os.getegid()}:\nother:x:{os.getegid() + 4242}:\n"
    names = host_of(tmp_path, HOST, {"etc/group": group}).group_names
    assert isinstance(names, list)
    assert "mine" in names
    assert "other" not in names


# --- packages ----------------------------------------------------------------------------------------------

DPKG = """Package: libnvidia-compute-580
Status: install ok installed
Architecture: amd64
Version: 580.105.08-0ubuntu1

Package: libnvidia-compute-580
Status: install ok installed
Architecture: i386
Version: 580.105.08-0ubuntu1

Package: nvidia-driver-535
Status: deinstall ok config-files
Version: 535.183.01-0ubuntu1

Package: python3
Status: install ok installed
Depends: nvidia-nothing
Version: 3.12

Package: linux-modules-nvidia-580-generic
Status: install ok half-configured
Version: 6.8.0-51.52

Package: cuda-compat-13-0
Description: long
 text
Status: hold ok installed
Version: 580.105.08-1
"""


def test_installed_driver_packages_of_dpkg(tmp_path: Path) -> None:
    """Installed ones only, both architectures as one, held ones too, removed ones not."""
    host = host_of(tmp_path, HOST, {"var/lib/dpkg/status": DPKG})
    assert host.driver_packages == ["libnvidia-compute-580=580.105.08-0ubuntu1", "cuda-compat-13-0=580.105.08-1"]


def test_driver_packages_of_pacman(tmp_path: Path) -> None:
    """Each package is a folder named after it."""
    folder = "var/lib/pacman/local"
    names = ("nvidia-open-580.105.08-4", "nvidia-utils-580.105.08-5", "linux-6.12.1-1", "opencl-nvidia-580.1-1")
    host = host_of(tmp_path, HOST, {f"{folder}/{name}/desc": "" for name in names})
    assert host.driver_packages == ["nvidia-open=580.105.08-4", "nvidia-utils=580.105.08-5"]


def test_an_rpm_database_is_not_read_as_empty(tmp_path: Path) -> None:
    """Without a program nobody knows what rpm has installed."""
    assert why(host_of(tmp_path, HOST, {"var/lib/rpm/rpmdb.sqlite": ""}).driver_packages) == "unsupported"


def test_package_managers_are_found_off_path_too(tmp_path: Path) -> None:
    """The command of a fix must be right even for a user whose PATH is damaged."""
    root = tree(tmp_path, HOST, {"usr/bin/apt-get": "", "opt/bin/dnf": ""})
    for program in ("usr/bin/apt-get", "opt/bin/dnf"):
        (tmp_path / program).chmod(0o755)
    host = collect_host(root, "linux", {"PATH": "/opt/bin"})
    expected = [PackageManager(name="apt", path="/usr/bin/apt-get"), PackageManager(name="dnf", path="/opt/bin/dnf")]
    assert host.package_managers == expected


def test_the_c_library_of_a_tree(tmp_path: Path) -> None:
    """The version stands in the library itself, glibc's as a sentence, musl's as a bare string."""
    glibc = {"lib/x86_64-linux-gnu/libc.so.6": b"\0GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n"}
    assert host_of(tmp_path / "glibc", HOST, glibc).libc == "glibc 2.36"
    musl = {"lib/ld-musl-x86_64.so.1": b"\x7fELF\0musl libc (x86_64)\nVersion %s\n\x001.2.4\0"}
    assert host_of(tmp_path / "musl", HOST, musl).libc == "musl 1.2.4"
    assert why(host_of(tmp_path / "none", HOST).libc) == "missing"
