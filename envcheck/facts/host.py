"""The machine itself: operating system, C library, processor, firmware, limits."""

from __future__ import annotations

from .fact import NOT_ASKED, Fact, Record, Section


class PackageManager(Record, frozen=True, kw_only=True):
    """A system package manager found on PATH (``apt``, ``dnf``, ``pacman``, ``zypper`` …)."""

    name: str
    path: str


class Host(Section, frozen=True, kw_only=True, tag="host"):
    """What the operating system says of itself, without asking any driver."""

    system: Fact[str] = NOT_ASKED  # "Linux", "Windows", "Darwin"
    machine: Fact[str] = NOT_ASKED  # "x86_64", "aarch64", "AMD64", "arm64"
    kernel_release: Fact[str] = NOT_ASKED  # uname -r
    os_id: Fact[str] = NOT_ASKED  # ID of /etc/os-release: "ubuntu", "fedora"
    os_like: Fact[list[str]] = NOT_ASKED  # ID_LIKE
    os_version: Fact[str] = NOT_ASKED  # VERSION_ID, or the Windows / macOS version
    os_name: Fact[str] = NOT_ASKED  # PRETTY_NAME
    libc: Fact[str] = NOT_ASKED  # "glibc 2.36", "musl 1.2.4"
    wsl: Fact[int] = NOT_ASKED  # 1 or 2; None: not WSL
    dxg: Fact[bool] = NOT_ASKED  # /dev/dxg is there (WSL2's GPU paravirtualisation)
    jetson: Fact[str] = NOT_ASKED  # the device tree's model where the GPU sits on the SoC; None elsewhere
    l4t: Fact[str] = NOT_ASKED  # Jetson Linux release: "36.4.3"; None elsewhere
    apple_silicon: Fact[bool] = NOT_ASKED  # macOS: sysctl hw.optional.arm64, true under Rosetta as well; None elsewhere
    virtualization: Fact[str] = NOT_ASKED  # "kvm", "vmware", "xen" …; None: bare metal as far as DMI says
    product: Fact[str] = NOT_ASKED  # DMI product name
    chassis: Fact[int] = NOT_ASKED  # DMI chassis type (8-10, 14, 31, 32: laptop or similar)
    secure_boot: Fact[bool] = NOT_ASKED  # last byte of the SecureBoot efivar
    kernel_cmdline: Fact[str] = NOT_ASKED  # /proc/cmdline
    boot_time: Fact[int] = NOT_ASKED  # btime of /proc/stat, seconds since 1970
    suspends: Fact[int] = NOT_ASKED  # /sys/power/suspend_stats/success since boot
    uid: Fact[int] = NOT_ASKED
    groups: Fact[list[int]] = NOT_ASKED
    group_names: Fact[list[str]] = NOT_ASKED
    cpus: Fact[int] = NOT_ASKED  # logical processors of the machine
    cpus_allowed: Fact[int] = NOT_ASKED  # processors this process may use (affinity)
    cpu_quota: Fact[float] = NOT_ASKED  # cgroup CPU quota in processors; None: no limit
    cpu_model: Fact[str] = NOT_ASKED
    cpu_flags: Fact[list[str]] = NOT_ASKED  # of interest only: sse4_2 avx avx2 avx512f asimd sve
    memory_total_bytes: Fact[int] = NOT_ASKED
    memory_available_bytes: Fact[int] = NOT_ASKED
    memory_limit_bytes: Fact[int] = NOT_ASKED  # cgroup memory.max; None: no limit
    oom_kills: Fact[int] = NOT_ASKED  # memory.events oom_kill of the own cgroup
    shm_total_bytes: Fact[int] = NOT_ASKED  # statvfs of /dev/shm
    shm_free_bytes: Fact[int] = NOT_ASKED
    memlock_limit_bytes: Fact[int] = NOT_ASKED  # RLIMIT_MEMLOCK; None: unlimited
    cpu_governor: Fact[str] = NOT_ASKED  # scaling_governor of cpu0
    cpu_energy_preference: Fact[str] = NOT_ASKED  # energy_performance_preference of cpu0
    on_battery: Fact[bool] = NOT_ASKED
    selinux: Fact[str] = NOT_ASKED  # "enforcing", "permissive"; None: not there
    dmesg_restricted: Fact[bool] = NOT_ASKED
    infiniband: Fact[list[str]] = NOT_ASKED  # "mlx5_0/1 4: ACTIVE 400 Gb/sec"
    package_managers: Fact[list[PackageManager]] = NOT_ASKED
    driver_packages: Fact[list[str]] = NOT_ASKED  # "nvidia-driver-535=535.183.01-0ubuntu1" as the package database says
