"""lspci, deviceQuery, the driver's files in /proc and the loader's cache, as people paste them."""

from __future__ import annotations

import pytest

from envcheck.facts import NOT_ASKED, Unread
from envcheck.read.device_query import parse_device_query
from envcheck.read.ld_cache import parse_ld_cache
from envcheck.read.lines import clean_lines
from envcheck.read.lspci import parse_lspci
from envcheck.read.proc_driver import parse_proc_driver

from .texts import LSPCI

GIB = 1 << 30


# -- lspci -------------------------------------------------------------------------------------------------


def test_functions_of_the_bus() -> None:
    """Display functions of every maker with their details, and nothing else."""
    notes: dict[str, object] = {}
    found = parse_lspci(clean_lines(LSPCI), notes.__setitem__)
    assert found is not None
    a30, radeon, gone = found
    assert (a30.address, a30.vendor, a30.device, a30.class_code) == ("0000:3b:00.0", 0x10DE, 0x20B7, 0x030200)
    assert (a30.subsystem, a30.numa_node, a30.power_state) == ("10de:1532", 1, "D3")
    assert (a30.bar0_bytes, a30.bar1_bytes) == (16 << 20, 0)
    assert (a30.link_width, a30.link_width_max, a30.link_speed_gts, a30.link_speed_max_gts) == (8, 16, 2.5, 16.0)
    assert (radeon.vendor, radeon.class_code, radeon.driver) == (0x1002, 0x030000, "amdgpu")
    assert isinstance(gone.link_width, Unread)  # its configuration space reads all ones
    assert set(notes) >= {"0", "0/bar1_bytes", "1/driver"}
    assert all(hasattr(a30, pointer.split("/")[1]) for pointer in notes if "/" in pointer)


def test_a_driver_is_absent_only_where_its_line_would_stand() -> None:
    """lspci -k prints the driver before the modules; plain lspci prints neither."""
    found = parse_lspci(clean_lines(LSPCI))
    assert found is not None
    assert (found[0].driver, found[2].driver) == (None, NOT_ASKED)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("01:00.0 VGA compatible controller: NVIDIA Corporation AD102 [GeForce RTX 4090] (rev a1)\n", 1),
        ("0005:00:00.0 Bridge [0680]: NVIDIA Corporation Device [10de:1af1] (rev a1)\n", 1),
        ("3b:00.0 0302: 10de:20b7 (rev a1)\n", 1),
        ("00:00.0 Host bridge: Intel Corporation X\n00:02.0 VGA compatible controller: Intel Corporation Y\n", 1),
        ("00:00.0 Host bridge: Intel Corporation Device 9a14\n", 0),
    ],
)
def test_details_of_every_depth(text: str, count: int) -> None:
    """-n, -nn and neither; a whole listing may well hold no card."""
    found = parse_lspci(clean_lines(text))
    assert found is not None
    assert len(found) == count


def test_a_listing_that_is_cut_to_vga_does_not_acquit() -> None:
    """``lspci | grep VGA`` on a laptop hides the NVIDIA card, which is a "3D controller"."""
    assert parse_lspci(clean_lines("00:02.0 VGA compatible controller: Intel Corporation Iris Xe\n")) is None


# -- deviceQuery -------------------------------------------------------------------------------------------

DEVICE = """\
Detected 1 CUDA Capable device(s)

Device 0: "NVIDIA A30"
  CUDA Driver Version / Runtime Version          12.9 / 12.4
  CUDA Capability Major/Minor version number:    8.0
  Total amount of global memory:                 24058 MBytes (25226510336 bytes)
  (056) Multiprocessors, (064) CUDA Cores/MP:    3584 CUDA Cores
  GPU Max Clock rate:                            1440 MHz (1.44 GHz)
  Memory Clock rate:                             1215 Mhz
  Memory Bus Width:                              3072-bit
  L2 Cache Size:                                 25165824 bytes
  Run time limit on kernels:                     No
  Integrated GPU sharing Host Memory:            No
  Device PCI Domain ID / Bus ID / location ID:   1 / 175 / 0
"""


def test_device_query() -> None:
    """Decimal bus numbers become a bus id, MHz kHz; a list of devices says that CUDA was initialised."""
    cuda = parse_device_query(clean_lines(DEVICE))
    assert cuda is not None
    assert (cuda.init_code, cuda.driver_version, cuda.device_count) == (0, 12090, 1)
    assert isinstance(cuda.devices, list)
    device = cuda.devices[0]
    assert (device.name, device.compute_capability, device.multiprocessors) == ("NVIDIA A30", 80, 56)
    assert (device.bus_id, device.bus_width_bits, device.l2_bytes) == ("0001:af:00.0", 3072, 25165824)
    assert (device.clock_khz, device.memory_clock_khz) == (1_440_000, 1_215_000)
    assert (device.kernel_timeout, device.integrated, device.uuid) == (False, False, NOT_ASKED)


def test_device_query_of_cuda_4_and_a_run_that_failed() -> None:
    """The bus had no domain then; a run without devices tells nothing of CUDA."""
    old = DEVICE.replace(
        "Device PCI Domain ID / Bus ID / location ID:   1 / 175 / 0", "Device PCI Bus ID / PCI location ID: 3 / 0"
    )
    cuda = parse_device_query(clean_lines(old))
    assert cuda is not None
    assert isinstance(cuda.devices, list)
    assert cuda.devices[0].bus_id == "0000:03:00.0"
    failed = (
        "cudaGetDeviceCount returned 35\n-> CUDA driver version is insufficient for CUDA runtime version\nResult = FAIL"
    )
    assert parse_device_query(clean_lines(failed)) is None


# -- /proc and the loader's cache ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("banner", "version", "is_open"),
    [
        ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  440.31  Sun Oct 27 02:19:35 UTC 2019", "440.31", False),
        ("NVRM version:  NVIDIA UNIX Open Kernel Module for x86_64  575.57.08  Release Build", "575.57.08", True),
        ("NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  580.65.06  Release Build", "580.65.06", True),
    ],
)
def test_the_drivers_version_file(banner: str, version: str, is_open: bool) -> None:
    """Both flavours of the module; that the file is there says that the module is loaded."""
    driver = parse_proc_driver(clean_lines(f"*** /proc/driver/nvidia/./version\n{banner}\nGCC version:  gcc 12\n"))
    assert driver is not None
    assert (driver.proc, driver.open_module, driver.module_loaded) == (version, is_open, True)


def test_the_cards_in_proc_and_the_modules() -> None:
    """A UUID of question marks is that of a card that was not initialised; a module that is not listed may be cut."""
    text = (
        "Model: \t\t NVIDIA A30\nGPU UUID: \t GPU-????????-????-????-????-????????????\nVideo BIOS: \t ??.??.??.??.??\n"
        "Bus Location: \t 0000:3b:00.0\nDevice Minor: \t 2\nGPU Excluded:\t Yes\n"
        "DeviceFileMode: 432\nnvidia_uvm 933888 2 - Live 0x0 (OE)\nnouveau 2000000 0 - Live 0x0\n"
    )
    driver = parse_proc_driver(clean_lines(text))
    assert driver is not None
    assert isinstance(driver.gpus, list)
    gpu = driver.gpus[0]
    assert (gpu.bus_id, gpu.model, gpu.minor, gpu.excluded) == ("0000:3b:00.0", "NVIDIA A30", 2, True)
    assert isinstance(gpu.uuid, Unread)
    assert (driver.device_file_mode, driver.uvm_loaded, driver.nouveau_loaded) == (0o660, True, True)
    assert driver.module_loaded == NOT_ASKED


def test_the_loaders_cache() -> None:
    """64-bit entries come first, as for a 64-bit program; versions are not told."""
    text = (
        "1234 libs found in cache `/etc/ld.so.cache'\n"
        "\tlibnvidia-ml.so.1 (libc6) => /usr/lib/i386-linux-gnu/libnvidia-ml.so.1\n"
        "\tlibcuda.so.1 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/libcuda.so.1\n"
        "\tlibz.so.1 (libc6,x86-64) => /usr/lib/x86_64-linux-gnu/libz.so.1\n"
    )
    found = parse_ld_cache(clean_lines(text))
    assert found is not None
    assert [(library.soname, library.found_in) for library in found] == [
        ("libcuda.so.1", "ld cache"),
        ("libnvidia-ml.so.1", "ld cache"),
    ]
    assert found[0].version == NOT_ASKED
    assert parse_ld_cache(clean_lines("\tlibz.so.1 (libc6,x86-64) => /lib/libz.so.1")) is None
