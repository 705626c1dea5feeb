"""Outputs of pretended machines, in the layouts that the tools print."""

from __future__ import annotations

WIDE_TABLE = """\
Tue Nov 24 12:00:00 2026
+-----------------------------------------------------------------------------------------+
| NVIDIA-SMI 575.57.08              Driver Version: 575.57.08      CUDA Version: 12.9     |
|-----------------------------------------+------------------------+----------------------+
| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |
| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |
|                                         |                        |               MIG M. |
|=========================================+========================+======================|
|   0  NVIDIA A30                     On  |   00000000:3B:00.0 Off |                    2 |
| N/A   41C    P0             61W /  165W |    1025MiB /  24576MiB |     17%   E. Process |
|                                         |                        |             Disabled |
+-----------------------------------------+------------------------+----------------------+
|   1  NVIDIA A30                     Off |   00000000:AF:00.0 Off |                   On |
| N/A   39C    P0             44W /  165W |      32MiB /  24576MiB |     N/A      Default |
|                                         |                        |             Enabled* |
+-----------------------------------------+------------------------+----------------------+

+-----------------------------------------------------------------------------------------+
| MIG devices:                                                                            |
+------------------+----------------------------------+-----------+-----------------------+
| GPU  GI  CI  MIG |              Shared Memory-Usage |        Vol|        Shared         |
|      ID  ID  Dev |                Shared BAR1-Usage | SM     Unc| CE ENC  DEC  OFA  JPG |
|                  |                                  |        ECC|                       |
|==================+==================================+===========+=======================|
|  1    3   0   0  |              14MiB /  5888MiB    | 14      0 |  1   0    1    0    0 |
|                  |               0MiB /  8191MiB    |           |                       |
+------------------+----------------------------------+-----------+-----------------------+

+-----------------------------------------------------------------------------------------+
| Processes:                                                                              |
|  GPU   GI   CI              PID   Type   Process name                        GPU Memory |
|        ID   ID                                                               Usage      |
|=========================================================================================|
|    0   N/A  N/A            4711      C   /opt/train me/bin/python               1016MiB |
|    1     3    0            4712    M+C   ...long/path/of/a/program                14MiB |
+-----------------------------------------------------------------------------------------+
"""

QUERY = """\
==============NVSMI LOG==============

Timestamp                                              : Tue Nov 24 12:00:00 2026
Driver Version                                         : 575.57.08
CUDA Version                                           : 12.9

Attached GPUs                                          : 2
GPU 00000000:3B:00.0
    Product Name                                       : NVIDIA A30
    Product Brand                                      : NVIDIA
    Product Architecture                               : Ampere
    Display Mode                                       : Enabled
    Persistence Mode                                   : Enabled
    MIG Mode
        Current                                        : Disabled
        Pending                                        : Disabled
    GPU UUID                                           : GPU-11111111-2222-3333-4444-555555555555
    Minor Number                                       : 0
    GPU Reset Status
        Reset Required                                 : Yes
        Drain and Reset Recommended                    : No
    PCI
        Device Id                                      : 0x20B710DE
        Bus Id                                         : 00000000:3B:00.0
        GPU Link Info
            PCIe Generation
                Max                                    : 4
                Current                                : 1
                Device Max                             : 4
            Link Width
                Max                                    : 16x
                Current                                : 8x
        Replays Since Reset                            : 3
    Fan Speed                                          : N/A
    Performance State                                  : P8
    Clocks Event Reasons
        Idle                                           : Active
        SW Power Cap                                   : Not Active
        HW Slowdown                                    : Active
            HW Thermal Slowdown                        : Active
            HW Power Brake Slowdown                    : Not Active
    FB Memory Usage
        Total                                          : 24576 MiB
        Reserved                                       : 512 MiB
        Used                                           : 1025 MiB
        Free                                           : 23039 MiB
    Compute Mode                                       : Default
    Utilization
        GPU                                            : 17 %
        Memory                                         : [Not Supported]
    ECC Mode
        Current                                        : Enabled
        Pending                                        : Enabled
    ECC Errors
        Volatile
            SRAM Correctable                           : 1
            SRAM Uncorrectable Parity                  : 2
            SRAM Uncorrectable SEC-DED                 : 4
            DRAM Correctable                           : 8
            DRAM Uncorrectable                         : 16
        Channel Repair Pending                         : No
        TPC Repair Pending                             : Yes
    Retired Pages
        Single Bit ECC                                 : N/A
        Double Bit ECC                                 : N/A
        Pending Page Blacklist                         : N/A
    Remapped Rows
        Correctable Error                              : 0
        Uncorrectable Error                            : 1
        Pending                                        : Yes
        Remapping Failure Occurred                     : No
        Bank Remap Availability Histogram
            Max                                        : 190 bank(s)
            None                                       : 2 bank(s)
    Temperature
        GPU Current Temp                               : 41 C
        GPU Shutdown Temp                              : 98 C
        GPU Slowdown Temp                              : 95 C
        Memory Current Temp                            : 52 C
    GPU Power Readings
        Power Draw                                     : 61.25 W
        Current Power Limit                            : 150.00 W
        Default Power Limit                            : 165.00 W
    GPU Memory Power Readings
        Power Draw                                     : 9.00 W
        Current Power Limit                            : 20.00 W
    Max Clocks
        Graphics                                       : 1440 MHz
        SM                                             : 1441 MHz
        Memory                                         : 1215 MHz
    Fabric
        State                                          : In Progress
        Status                                         : N/A
    Processes
        GPU instance ID                                : N/A
        Compute instance ID                            : N/A
        Process ID                                     : 4711
            Type                                       : C
            Name                                       : /opt/train me/bin/python
            Used GPU Memory                            : 1016 MiB
        Process ID                                     : 4713
            Type                                       : G
            Name                                       : Xorg
            Used GPU Memory                            : Not available in WDDM driver model
GPU 00000000:AF:00.0
    Product Name                                       : NVIDIA A30
    MIG Mode
        Current                                        : Enabled
        Pending                                        : Enabled
    MIG Device
        Index                                          : 0
        GPU Instance ID                                : 3
        Compute Instance ID                            : 0
        Device Attributes
            Shared
                Multiprocessor count                   : 14
        Shared FB Memory Usage
            Total                                      : 5888 MiB
    Remapped Rows                                      : N/A
    Processes                                          : None
"""

CSV = """\
index, name, uuid, pci.bus_id, driver_version, compute_cap, memory.total [MiB], memory.used [MiB], \
temperature.gpu, power.draw [W], power.limit [W], enforced.power.limit [W], fan.speed [%], ecc.mode.current, \
clocks_event_reasons.active, mig.mode.current, remapped_rows.pending, vbios_version, hostname
0, NVIDIA A30, GPU-11111111-2222-3333-4444-555555555555, 00000000:3B:00.0, 575.57.08, 8.0, 24576 MiB, 1025 MiB, \
41, 61.25 W, 165.00 W, 150.00 W, [N/A], Enabled, 0x0000000000000049, Disabled, Yes, 92.00.66.00.02, node17
1, NVIDIA A30, GPU-99999999-2222-3333-4444-555555555555, 00000000:AF:00.0, 575.57.08, 8.0, [GPU requires reset], \
[Unknown Error], ERR!, [Not Supported], [Function Not Found], [N/A], [N/A], [N/A], [N/A], Enabled, [N/A], \
[Insufficient Permissions], node17
"""

LSPCI = """\
00:00.0 Host bridge [0600]: Intel Corporation Device [8086:09a2] (rev 04)
3b:00.0 3D controller [0302]: NVIDIA Corporation GA100GL [A30 PCIe] [10de:20b7] (rev a1)
\tSubsystem: NVIDIA Corporation Device [10de:1532]
\tNUMA node: 1
\tRegion 0: Memory at d0000000 (32-bit, non-prefetchable) [size=16M]
\tRegion 1: Memory at <unassigned> (64-bit, prefetchable)
\tCapabilities: [60] Power Management version 3
\t\tStatus: D3 NoSoftRst+ PME-Enable- DSel=0 DScale=0 PME-
\t\tLnkCap:\tPort #0, Speed 8GT/s, Width x16, ASPM not supported
\t\tLnkSta:\tSpeed 2.5GT/s (downgraded), Width x8 (downgraded)
\t\tLnkCap2: Supported Link Speeds: 2.5-16GT/s, Crosslink- Retimer+
\tKernel modules: nvidiafb, nouveau
5e:00.0 VGA compatible controller: Advanced Micro Devices, Inc. [AMD/ATI] Device 73bf (rev c1)
\tKernel driver in use: amdgpu
\tKernel modules: amdgpu
af:00.0 3D controller: NVIDIA Corporation Device 20b7 (rev ff)
b0:00.0 Ethernet controller: Intel Corporation Ethernet Controller X710 (rev 02)
"""

KERNEL_LOG = """\
[  100.000001] usb 1-1: new high-speed USB device number 2
[  900.000001] NVRM: GPU at PCI:0000:3b:00: GPU-11111111-2222-3333-4444-555555555555
[  900.000002] NVRM: Xid (PCI:0000:3b:00): 31, pid=4711, name=python, Ch 00000008, MMU Fault
[  900.000003] NVRM: Xid (PCI:0000:af:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.
[  900.000004] nvidia-nvswitch0: SXid (PCI:0000:05:00.0): 20034, Fatal, Link 12 LTSSM Fault Up
"""
