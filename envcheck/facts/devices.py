"""What stands on the PCI bus and in /dev, seen without any driver call."""

from __future__ import annotations

from .fact import NOT_ASKED, Fact, Record, Section


class PciDevice(Record, frozen=True, kw_only=True):
    """One PCI function of a display or NVSwitch class, from /sys/bus/pci/devices."""

    address: str  # "0000:17:00.0"
    vendor: Fact[int] = NOT_ASKED  # 0x10de NVIDIA, 0x1002 AMD, 0x8086 Intel
    device: Fact[int] = NOT_ASKED
    class_code: Fact[int] = NOT_ASKED  # 24 bits: 0x030000 VGA, 0x030200 3D, 0x068000 bridge (NVSwitch)
    subsystem: Fact[str] = NOT_ASKED  # "10de:16c1"
    driver: Fact[str] = NOT_ASKED  # name behind the driver link; None: no driver bound
    driver_override: Fact[str] = NOT_ASKED
    virtual_function: Fact[bool] = NOT_ASKED  # has a physfn link: SR-IOV function of a vGPU host
    power_state: Fact[str] = NOT_ASKED  # D0, D3hot, D3cold, unknown
    power_control: Fact[str] = NOT_ASKED  # on, auto
    link_speed_gts: Fact[float] = NOT_ASKED  # GT/s
    link_width: Fact[int] = NOT_ASKED
    link_speed_max_gts: Fact[float] = NOT_ASKED
    link_width_max: Fact[int] = NOT_ASKED
    port_speed_max_gts: Fact[float] = NOT_ASKED  # of the bridge above
    port_width_max: Fact[int] = NOT_ASKED
    bar0_bytes: Fact[int] = NOT_ASKED
    bar1_bytes: Fact[int] = NOT_ASKED  # 0: the region is not assigned
    aer_correctable: Fact[int] = NOT_ASKED  # TOTAL_ERR_COR
    numa_node: Fact[int] = NOT_ASKED  # None where the kernel says -1
    iommu_group_type: Fact[str] = NOT_ASKED


class DeviceNode(Record, frozen=True, kw_only=True):
    """One node of /dev/nvidia*, /dev/dri or /dev/dxg."""

    path: str
    major: Fact[int] = NOT_ASKED
    minor: Fact[int] = NOT_ASKED
    mode: Fact[int] = NOT_ASKED  # permission bits, 0o666
    uid: Fact[int] = NOT_ASKED
    gid: Fact[int] = NOT_ASKED
    group: Fact[str] = NOT_ASKED
    accessible: Fact[bool] = NOT_ASKED  # os.access for reading and writing: what the mode bits allow
    open_errno: Fact[str] = NOT_ASKED  # None: opened; "EPERM": cgroup filter; "EACCES"; asked for control nodes only


class Devices(Section, frozen=True, kw_only=True, tag="devices"):
    """The bus and the device nodes.  In containers sysfs shows the host's cards, not yours."""

    pci: Fact[list[PciDevice]] = NOT_ASKED
    nodes: Fact[list[DeviceNode]] = NOT_ASKED
    char_majors: Fact[list[str]] = NOT_ASKED  # names of /proc/devices that matter: nvidia, nvidia-uvm, nvidiactl …
    mig_minors: Fact[list[str]] = NOT_ASKED  # lines of /proc/driver/nvidia-caps/mig-minors, of the instances that exist
