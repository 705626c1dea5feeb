"""nvidia-smi's texts: every form is read into the same facts, and no form invents one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from envcheck.facts import NOT_ASKED, Gpu, GpuProcess, MigDevice, NvLink, P2p, Smi, Unread
from envcheck.read.lines import Line, clean_lines
from envcheck.read.nvidia_smi_csv import parse_csv
from envcheck.read.nvidia_smi_list import parse_list, parse_version
from envcheck.read.nvidia_smi_monitor import parse_monitor
from envcheck.read.nvidia_smi_query import parse_query
from envcheck.read.nvidia_smi_table import parse_table
from envcheck.read.nvidia_smi_topology import parse_topology

from .texts import CSV, QUERY, WIDE_TABLE

MIB = 1 << 20
UUID = "GPU-11111111-2222-3333-4444-555555555555"
Parse = Callable[..., "Smi | None"]


def read(parse: Parse, text: str) -> Smi:
    smi = parse(clean_lines(text))
    assert smi is not None
    return smi


def gpus(parse: Parse, text: str) -> list[Gpu]:
    found = read(parse, text).gpus
    assert isinstance(found, list)
    return found


def why(fact: object) -> str:
    assert isinstance(fact, Unread)
    return fact.why


def told(gpu: Gpu) -> dict[str, object]:
    return {name: getattr(gpu, name) for name in gpu.__struct_fields__ if getattr(gpu, name) != NOT_ASKED}


# -- -q ----------------------------------------------------------------------------------------------------


def test_the_long_report_gives_the_fields_of_the_xml() -> None:
    """Labels stand for the XML's elements: units, sums, switches and lists are read by the same rules."""
    smi = read(parse_query, QUERY)
    assert (smi.form, smi.driver_version, smi.cuda_version, smi.attached_gpus) == ("q", "575.57.08", "12.9", 2)
    first = gpus(parse_query, QUERY)[0]
    want = {
        "name": "NVIDIA A30",
        "uuid": UUID,
        "bus_id": "0000:3b:00.0",
        "pci_device_id": 0x20B7,
        "memory_total_bytes": 24576 * MIB,
        "memory_reserved_bytes": 512 * MIB,
        "utilization_percent": 17,
        "performance_state": 8,
        "pcie_generation": 1,
        "pcie_generation_max": 4,
        "pcie_width": 8,
        "pcie_width_max": 16,
        "pcie_replays": 3,
        "clock_reasons": ["idle", "hw_slowdown", "hw_thermal"],
        "clock_sm_max_mhz": 1441,
        "temperature_c": 41,
        "temperature_shutdown_c": 98,
        "temperature_memory_c": 52,
        "power_w": 61.25,
        "power_limit_w": 150.0,
        "power_limit_default_w": 165.0,
        "ecc_enabled": True,
        "ecc_volatile_corrected": 9,
        "ecc_volatile_uncorrected": 22,
        "retired_pages_pending": None,
        "remapped_rows_pending": True,
        "remapped_rows_failed": False,
        "remapped_banks_exhausted": 2,
        "mig_mode": False,
        "fan_percent": None,
        "fabric_state": "in_progress",
        "recovery_action": "gpu_reset",
        "repair_pending": True,
    }
    assert {name: getattr(first, name) for name in want} == want
    assert why(first.memory_utilization_percent) == "unsupported"
    assert first.serial == first.energy_j == NOT_ASKED


def test_processes_and_mig_devices_of_the_long_report() -> None:
    """A program's lines stand below its pid, a MIG device's below its headline."""
    first, second = gpus(parse_query, QUERY)
    assert isinstance(first.processes, list)
    assert first.processes[0] == GpuProcess(pid=4711, name="/opt/train me/bin/python", memory_bytes=1016 * MIB)
    assert (first.processes[1].kind, why(first.processes[1].memory_bytes)) == ("graphics", "unsupported")
    assert second.processes == []
    assert second.mig_devices == [
        MigDevice(gpu_instance=3, compute_instance=0, memory_bytes=5888 * MIB, multiprocessors=14)
    ]
    assert why(second.remapped_rows_pending) == "unsupported"  # in MIG mode "N/A" does not say "none"


def test_a_part_of_the_report_asks_only_for_that_part() -> None:
    """With -d, or in an excerpt, the other fields were not asked; the list of GPUs is that of the text."""
    text = "Attached GPUs : 8\nGPU 0000:10:1C.0\n    [...]\n    Remapped Rows\n        Pending : Yes\n[...]\n"
    smi = read(parse_query, text)
    assert smi.attached_gpus == 8
    assert told(gpus(parse_query, text)[0]) == {
        "index": 0,
        "error_code": None,
        "error_text": None,
        "bus_id": "0000:10:1c.0",
        "remapped_rows_pending": True,
    }


def test_two_reports_of_one_card_are_one_card() -> None:
    """nvidia-smi -q -d MEMORY after nvidia-smi -q adds to the same GPU, and the first word counts."""
    more = "==NVSMI LOG==\nGPU 00000000:3b:00.0\n    Serial Number : 42\n    Fan Speed : 30 %\n"
    first = gpus(parse_query, QUERY + more)
    assert len(first) == 2
    assert (first[0].serial, first[0].fan_percent) == ("42", None)


def test_the_heads_of_driver_610_and_newer() -> None:
    """They say KMD and UMD; the facts are the same."""
    text = QUERY.replace("Driver Version", "KMD Version   ").replace("CUDA Version", "CUDA UMD Version")
    assert (read(parse_query, text).driver_version, read(parse_query, text).cuda_version) == ("575.57.08", "12.9")
    table = WIDE_TABLE.replace("Driver Version", "KMD Version").replace("CUDA Version", "CUDA UMD Version")
    assert (read(parse_table, table).driver_version, read(parse_table, table).cuda_version) == ("575.57.08", "12.9")


# -- the table ---------------------------------------------------------------------------------------------


def test_the_wide_table() -> None:
    """Three rows a card, MIG devices and programs below."""
    smi = read(parse_table, WIDE_TABLE)
    assert (smi.form, smi.driver_version, smi.cuda_version) == ("table", "575.57.08", "12.9")
    first, second = gpus(parse_table, WIDE_TABLE)
    assert told(first) == {
        "index": 0,
        "error_code": None,
        "error_text": None,
        "name": "NVIDIA A30",
        "persistence": True,
        "bus_id": "0000:3b:00.0",
        "display_active": False,
        "ecc_enabled": True,
        "ecc_volatile_uncorrected": 2,
        "fan_percent": None,
        "temperature_c": 41,
        "performance_state": 0,
        "power_w": 61.0,
        "power_limit_w": 165.0,
        "memory_used_bytes": 1025 * MIB,
        "memory_total_bytes": 24576 * MIB,
        "utilization_percent": 17,
        "compute_mode": "exclusive_process",
        "mig_mode": False,
        "mig_pending": False,
        "processes": [GpuProcess(pid=4711, name="/opt/train me/bin/python", memory_bytes=1016 * MIB)],
    }
    assert (second.ecc_enabled, second.ecc_volatile_uncorrected) == (True, NOT_ASKED)
    assert (second.mig_mode, second.mig_pending) == (True, False)  # the star: it changes with the next reset
    assert second.mig_devices == [
        MigDevice(gpu_instance=3, compute_instance=0, memory_bytes=5888 * MIB, multiprocessors=14)
    ]
    assert isinstance(second.processes, list)
    assert second.processes[0].kind == "mps"


ROWS = {
    "driver 310": (
        "| NVIDIA-SMI 4.310.44   Driver Version: 310.44         |",
        "|   0  GeForce GT 520           | 0000:01:00.0     N/A |                  N/A |",
        "| 40%   37C  N/A     N/A /  N/A |  18%  182MB / 1023MB |     N/A      Default |",
    ),
    "narrow, name cut": (
        "| NVIDIA-SMI 470.57.02    Driver Version: 470.57.02    CUDA Version: 11.4     |",
        "|   0  NVIDIA GeForce ...  Off  | 00000000:01:00.0  On |                  N/A |",
        "| N/A   48C    P8     3W /  N/A |    161MiB /  8192MiB |     12%      Default |",
    ),
    "Windows": (
        "| NVIDIA-SMI 531.88                 Driver Version: 531.88       CUDA Version: 12.1     |",
        "|   0  NVIDIA GeForce RTX 3050 4...  WDDM | 00000000:01:00.0 Off |                  N/A |",
        "| N/A   40C    P0                8W /  N/A|      0MiB /  4096MiB |      0%      Default |",
    ),
    "Jetson": (
        "| NVIDIA-SMI 540.4.0                Driver Version: 540.4.0      CUDA Version: 12.6     |",
        "|   0  Orin (nvgpu)                  N/A  | N/A              N/A |                  N/A |",
        "| N/A   N/A  N/A               N/A /  N/A | Not Supported        |     N/A          N/A |",
    ),
    "sick": (
        "| NVIDIA-SMI 515.65.01    Driver Version: 515.65.01    CUDA Version: 11.7     |",
        "|   4  ERR!                On   | 00000000:83:00.0 Off |                 ERR! |",
        "|ERR!  ERR! ERR!    ERR! / ERR! |      0MiB / 46068MiB |    ERR!      Default |",
    ),
    "squeezed": (
        "| NVIDIA-SMI 550.54.14 Driver Version: 550.54.14 CUDA Version: 12.4 |",
        "| 0 Tesla T4 Off | 00000000:00:04.0 Off | 0 |",
        "| N/A 37C P8 9W / 70W | 0MiB / 15360MiB | 0% Default |",
    ),
}


@pytest.mark.parametrize(
    ("layout", "want"),
    [
        ("driver 310", {"name": "GeForce GT 520", "memory_used_bytes": 182 * MIB, "temperature_c": 37}),
        ("narrow, name cut", {"persistence": False, "display_active": True, "power_limit_w": None}),
        ("Windows", {"driver_model": "WDDM", "power_w": 8.0, "persistence": NOT_ASKED}),
        ("Jetson", {"name": "Orin (nvgpu)", "persistence": None, "fan_percent": None, "ecc_enabled": None}),
        ("sick", {"index": 4, "persistence": True, "memory_total_bytes": 46068 * MIB, "compute_mode": "default"}),
        ("squeezed", {"name": "Tesla T4", "ecc_volatile_uncorrected": 0, "power_limit_w": 70.0}),
    ],
)
def test_layouts_of_the_table(layout: str, want: dict[str, object]) -> None:
    """Widths, words and blanks have changed over the years; what a cell says has not."""
    gpu = gpus(parse_table, "\n".join(ROWS[layout]))[0]
    assert {name: getattr(gpu, name) for name in want} == want


def test_what_a_table_does_not_tell_is_unread_and_never_guessed() -> None:
    """A name that is cut off is no name, ERR! is no reading, "Not Supported" is no size."""
    cut = gpus(parse_table, "\n".join(ROWS["narrow, name cut"]))[0]
    assert why(cut.name) == "garbled"
    sick = gpus(parse_table, "\n".join(ROWS["sick"]))[0]
    for name in ("name", "error_code", "ecc_enabled", "temperature_c", "performance_state", "utilization_percent"):
        assert why(getattr(sick, name)) == "garbled", name
    jetson = gpus(parse_table, "\n".join(ROWS["Jetson"]))[0]
    for name in ("bus_id", "memory_total_bytes", "temperature_c", "power_w"):
        assert why(getattr(jetson, name)) == "unsupported", name


def test_no_running_processes_is_an_answer_and_not_supported_is_none() -> None:
    """An empty list was looked at; drivers for old boards do not list programs at all."""
    empty = "\n".join(ROWS["squeezed"]) + "\n| Processes: GPU Memory |\n|  No running processes found |\n"
    assert gpus(parse_table, empty)[0].processes == []
    old = "\n".join(ROWS["driver 310"]) + "\n| Compute processes:  GPU Memory |\n|    0            Not Supported  |\n"
    assert why(gpus(parse_table, old)[0].processes) == "unsupported"
    assert gpus(parse_table, "\n".join(ROWS["squeezed"]))[0].processes == NOT_ASKED


# -- CSV ---------------------------------------------------------------------------------------------------


def test_csv_columns_in_any_order() -> None:
    """The header says which field a cell is, whatever stands beside it."""
    smi = read(parse_csv, CSV)
    assert (smi.form, smi.driver_version) == ("csv", "575.57.08")
    first, second = gpus(parse_csv, CSV)
    want = {
        "name": "NVIDIA A30",
        "compute_capability": 80,
        "memory_total_bytes": 24576 * MIB,
        "power_limit_w": 150.0,  # the enforced one, not the one that was asked for
        "fan_percent": None,
        "clock_reasons": ["idle", "hw_slowdown", "hw_thermal"],
        "remapped_rows_pending": True,
    }
    assert {name: getattr(first, name) for name in want} == want
    assert [why(getattr(second, name)) for name in ("memory_total_bytes", "memory_used_bytes", "temperature_c")] == [
        "garbled"
    ] * 3
    assert why(second.power_w) == "unsupported"
    assert why(second.vbios) == "refused"
    assert (second.ecc_enabled, why(second.remapped_rows_pending)) == (None, "unsupported")


def test_units_in_the_header_are_the_units_of_bare_numbers() -> None:
    """--format=csv,nounits leaves the units to the header."""
    text = "index, memory.total [MiB], power.draw [W]\n3, 81559, 69.10\n"
    gpu = gpus(parse_csv, text)[0]
    assert (gpu.index, gpu.memory_total_bytes, gpu.power_w) == (3, 81559 * MIB, 69.10)


def test_without_a_header_the_command_names_the_columns() -> None:
    """Only a pasted command can say what bare cells mean."""
    bare = "Tesla T4, 535.183.01, 15360 MiB\n"
    command = "$ nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader\n"
    assert parse_csv(clean_lines(bare)) is None
    smi = read(parse_csv, command + bare)
    assert (smi.driver_version, gpus(parse_csv, command + bare)[0].memory_total_bytes) == ("535.183.01", 15360 * MIB)


def test_one_column_alone() -> None:
    """A single column is a CSV where its name can mean nothing else."""
    assert gpus(parse_csv, "compute_cap\n6.1\n12.0\n")[1].compute_capability == 120
    assert parse_csv(clean_lines("name\nTesla T4\n")) is None


def test_programs_are_put_to_the_card_that_their_line_names() -> None:
    """--query-compute-apps lists programs, not cards; a comma may stand in a program's name."""
    text = (
        "gpu_uuid, pid, process_name, used_gpu_memory [MiB]\n"
        f"{UUID}, 12, python, 100 MiB\n{UUID}, 13, /opt/a, b/c, [N/A]\nGPU-2, 14, x, [Insufficient Permissions]\n"
    )
    first, second = gpus(parse_csv, text)
    assert isinstance(first.processes, list)
    assert isinstance(second.processes, list)
    assert [(p.pid, p.name) for p in first.processes] == [(12, "python"), (13, "/opt/a, b/c")]
    assert (why(first.processes[1].memory_bytes), why(second.processes[0].memory_bytes)) == ("unsupported", "refused")


def test_retired_pages_are_counted_by_cause() -> None:
    """A line without an address says that the board retires none."""
    head = "gpu_uuid, retired_pages.address, retired_pages.cause\n"
    pages = f"{UUID}, 0x1, Single Bit ECC\n{UUID}, 0x2, Double Bit ECC\n{UUID}, 0x3, Double Bit ECC\n"
    gpu = gpus(parse_csv, head + pages)[0]
    assert (gpu.retired_pages_single_bit, gpu.retired_pages_double_bit) == (1, 2)
    none = gpus(parse_csv, f"{head}{UUID}, [N/A], Single Bit ECC\n")[0]
    assert (none.retired_pages_single_bit, none.retired_pages_double_bit) == (None, NOT_ASKED)


# -- the short ones ----------------------------------------------------------------------------------------


def test_the_list_with_mig_devices_of_both_ages() -> None:
    """Before driver 470 a MIG UUID held the instances; since then it is a UUID of its own."""
    text = (
        f"GPU 0: NVIDIA A30 (UUID: {UUID})\n"
        "  MIG 1g.6gb      Device  0: (UUID: MIG-7089d0f3-293f-58c9-8f8c-5ea666eedbde)\n"
        f"GPU 1: NVIDIA A30 (UUID: GPU-2)\n  MIG 2g.12gb Device 0: (UUID: MIG-{UUID}/3/1)\n"
    )
    first, second = gpus(parse_list, text)
    assert (first.index, first.name, first.uuid) == (0, "NVIDIA A30", UUID)
    assert first.mig_devices == [MigDevice(uuid="MIG-7089d0f3-293f-58c9-8f8c-5ea666eedbde", profile="1g.6gb")]
    assert second.mig_devices == [
        MigDevice(uuid=f"MIG-{UUID}/3/1", profile="2g.12gb", gpu_instance=3, compute_instance=1)
    ]


@pytest.mark.parametrize(
    ("below", "want"),
    [
        ("\t Link 0: 25.781 GB/s\n\t Link 1: <inactive>", [NvLink(link=0, active=True), NvLink(link=1, active=False)]),
        ("Device does not have or support Nvlink", None),
        (
            "NVML: Unable to retrieve Nvlink information as all links are inActive",
            [NvLink(link=0, active=False)],
        ),
        ("Nvlink queries are not supported for Devices in MIG mode", Unread("unsupported", "not told in MIG mode")),
    ],
)
def test_nvlink_status(below: str, want: object) -> None:
    """A speed is an active link; no bridge, no NVLink and MIG mode are three different answers."""
    assert gpus(parse_list, f"GPU 0: X (UUID: {UUID})\n{below}\n")[0].nvlinks == want


def test_the_version() -> None:
    """nvidia-smi --version, in the words before and after driver 610."""
    text = "NVIDIA-SMI version  : 590.48.01\nNVML version        : 590.48\n"
    text += "DRIVER version      : 590.48.01\nCUDA Version        : 13.1\n"
    smi = read(parse_version, text)
    assert (smi.driver_version, smi.nvml_version, smi.cuda_version) == ("590.48.01", "590.48", "13.1")
    new = text.replace("DRIVER version", "KMD version").replace("CUDA Version", "CUDA UMD Version")
    assert read(parse_version, new) == smi


def test_the_topology_counts_columns() -> None:
    """Tabs become blanks in a paste; each pair is told once; network cards are no GPUs."""
    text = (
        "\t\x1b[4mGPU0\tGPU1\tNIC0\tGPU2\tCPU Affinity\tNUMA Affinity\x1b[0m\n"
        "GPU0\t X \tNV12\tPXB\tSYS\t0-31\t0\nGPU1\tNV12\t X \tPXB\tNODE\t0-31\t0\n"
        "NIC0\tPXB\tPXB\t X \tSYS\nGPU2\tSYS\tNODE\tSYS\t X \t0-31\t0\n\nLegend:\n  X = Self\n"
    )
    assert read(parse_topology, text).pairs == [
        P2p(a=0, b=1, path="NV12"),
        P2p(a=0, b=2, path="SYS"),
        P2p(a=1, b=2, path="NODE"),
    ]


def test_peer_access_counts_only_below_its_own_command() -> None:
    """The matrix of reads, writes and atomics look alike: without the command nobody knows which one it is."""
    matrix = " \tGPU0\tGPU1\n GPU0\tX\tCNS\n GPU1\tCNS\tX\n"
    assert read(parse_topology, "$ nvidia-smi topo -p2p r\n" + matrix).pairs == [P2p(a=0, b=1, read_status="chipset")]
    assert read(parse_topology, "$ nvidia-smi topo -p2p n\n" + matrix).pairs == []


def test_watching_gives_the_newest_sample_and_every_program() -> None:
    """dmon prints lines for ever: the last one is the state; a dash is no zero."""
    dmon = "# gpu    pwr  gtemp  mtemp     sm    mem   mclk   pclk\n"
    dmon += "# Idx      W      C      C      %      %    MHz    MHz\n"
    rows = "    1     69     41      -      0      0   1215    210\n"
    rows += "    1    150     60      -    100     12   1215   1440\n"
    gpu = gpus(parse_monitor, dmon + rows)[0]
    assert (gpu.index, gpu.power_w, gpu.utilization_percent, gpu.temperature_memory_c) == (1, 150.0, 100, None)
    pmon = "# gpu         pid   type     sm    command\n# Idx           #    C/G      %    name\n"
    rows = "    0          -     -      -    -\n"
    rows += "    1      11     C      -    my program\n    1      11     C      5    my program\n"
    first, second = gpus(parse_monitor, pmon + rows)
    assert first.processes == []
    assert second.processes == [GpuProcess(pid=11, name="my program")]


# -- origins -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parse", "text", "pointer", "words"),
    [
        (parse_query, QUERY, "gpus/0/remapped_rows_pending", "Pending : Yes"),
        (parse_query, QUERY, "gpus/1/mig_devices", "MIG Device"),
        (parse_table, WIDE_TABLE, "gpus/1/mig_mode", "Enabled*"),
        (parse_table, WIDE_TABLE, "gpus/0/processes/0", "/opt/train me"),
        (parse_csv, CSV, "gpus/1/memory_total_bytes", "memory.total: [GPU requires reset]"),
        (parse_csv, CSV, "driver_version", "driver_version: 575.57.08"),
    ],
)
def test_every_fact_leads_back_to_its_line(parse: Parse, text: str, pointer: str, words: str) -> None:
    """Evidence quotes the line that states it."""
    notes: dict[str, Line] = {}
    parse(clean_lines(text), notes.__setitem__)
    line = notes[pointer]
    assert words in line.origin
    if parse is not parse_csv:  # there the cell is quoted, not the whole line
        assert text.split("\n")[line.number - 1].strip() == line.text.strip()
