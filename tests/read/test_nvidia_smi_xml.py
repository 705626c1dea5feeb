"""nvidia-smi's XML: every form of "not known" keeps its own meaning."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.facts import NOT_ASKED, Gpu, GpuProcess, MigDevice, Smi, Unread
from envcheck.read.nvidia_smi_fields import FIELDS, REASONS, SUMS
from envcheck.read.nvidia_smi_xml import parse_xml

MIB = 1 << 20


def report(*gpus: str, head: str = "", tail: str = "</nvidia_smi_log>") -> str:
    """A report around these <gpu> elements."""
    start = '<?xml version="1.0" ?>\n<!DOCTYPE nvidia_smi_log SYSTEM "nvsmi_device_v12.dtd">\n<nvidia_smi_log>\n'
    return f"{start}{head}{''.join(gpus)}\n{tail}\n"


def element(path: str, text: str) -> str:
    """``<a><b>text</b></a>`` for ``a/b``."""
    names = path.split("/")
    return "".join(f"<{name}>" for name in names) + text + "".join(f"</{name}>" for name in reversed(names))


def gpu_of(path: str, text: str, more: str = "") -> Gpu:
    gpus = parse_xml(report(f'<gpu id="00000000:17:00.0">{element(path, text)}{more}</gpu>')).gpus
    assert isinstance(gpus, list)
    return gpus[0]


WORDS = [
    # element, its text, field, value
    ("product_name", "NVIDIA H100 80GB HBM3", "name", "NVIDIA H100 80GB HBM3"),
    ("fb_memory_usage/total", "81559 MiB", "memory_total_bytes", 81559 * MIB),
    ("pci/pci_bus_id", "00000000:9D:00.0", "bus_id", "0000:9d:00.0"),
    ("pci/pci_bus_id", "00010000:01:00.0", "bus_id", "10000:01:00.0"),
    ("pci/pci_device_id", "233010DE", "pci_device_id", 0x2330),
    ("pci/pci_sub_system_id", "16C110DE", "pci_subsystem_id", 0x16C110DE),
    ("performance_state", "P0", "performance_state", 0),
    ("temperature/gpu_temp_tlimit", "-8 C", "temperature_margin_c", -8),
    ("gpu_power_readings/average_power_draw", "68.57 W", "power_w", 68.57),
    ("power_readings/power_draw", "8.93 W", "power_w", 8.93),
    ("power_readings/enforced_power_limit", "300.00 W", "power_limit_w", 300.0),
    ("persistence_mode", "Enabled", "persistence", True),
    ("remapped_rows/remapped_row_pending", "No", "remapped_rows_pending", False),
    ("remapped_rows/row_remapper_histogram/row_remapper_histogram_none", "3 bank(s)", "remapped_banks_exhausted", 3),
    ("compute_mode", "Exclusive_Process", "compute_mode", "exclusive_process"),
    ("gpu_virtualization_mode/virtualization_mode", "Pass-Through", "virtualization", "passthrough"),
    ("gpu_recovery_action", "GPU Reset", "recovery_action", "gpu_reset"),
    ("fabric/state", "In Progress", "fabric_state", "in_progress"),
    ("addressing_mode", "None", "addressing_mode", None),
    ("pci/pci_gpu_link_info/link_widths/current_link_width", "16x", "pcie_width", 16),
    ("pci/pci_gpu_link_info/pcie_gen/max_link_gen", "5", "pcie_generation_max", 5),
]


@pytest.mark.parametrize(("path", "text", "field", "value"), WORDS)
def test_a_reading_becomes_a_value_in_the_fields_unit(path: str, text: str, field: str, value: object) -> None:
    """MiB become bytes, ids numbers, switches booleans; bus ids are as sysfs writes them."""
    told = getattr(gpu_of(path, text), field)
    assert told == value
    assert type(told) is type(value)


@pytest.mark.parametrize("field", [field for field in FIELDS if field.none], ids=lambda field: field.name)
def test_na_of_a_trait_is_a_known_absence(field: object) -> None:
    """A board without ECC, MIG, fan or row remapping has none: asked, and absent."""
    assert getattr(gpu_of(field.paths[0], "N/A"), field.name) is None  # type: ignore[attr-defined]


@pytest.mark.parametrize("field", [field for field in FIELDS if not field.none], ids=lambda field: field.name)
def test_na_of_a_measurement_is_not_zero_and_not_none(field: object) -> None:
    """Every board has a temperature, a clock, a memory: N/A means that it cannot be told."""
    name, path = field.name, field.paths[0]  # type: ignore[attr-defined]
    if name == "bus_id":  # stands in the element's own id as well
        return
    told = getattr(gpu_of(path, "N/A"), name)
    assert isinstance(told, Unread)
    assert told.why == "unsupported"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[Not Supported]", "unsupported"),
        ("Not Supported", "unsupported"),
        ("[Function Not Found]", "unsupported"),
        ("Requested functionality has been deprecated", "unsupported"),
        ("Unknown", "unsupported"),
        ("[Insufficient Permissions]", "refused"),
        ("Unknown Error", "garbled"),
        ("ERR!", "garbled"),
        ("[GPU requires reset]", "garbled"),
        ("", "garbled"),
        ("lots", "garbled"),
    ],
)
@pytest.mark.parametrize("path", ["fan_speed", "temperature/gpu_temp", "uuid", "ecc_mode/current_ecc"])
def test_words_in_place_of_a_value_never_become_one(path: str, text: str, why: str) -> None:
    """An error's text is neither a UUID nor a temperature."""
    field = next(field.name for field in FIELDS if path in field.paths)
    if (path, text) == ("uuid", "lots"):
        return  # any word may be a name
    told = getattr(gpu_of(path, text), field)
    assert isinstance(told, Unread)
    assert told.why == why


def test_an_element_that_is_missing_was_not_asked() -> None:
    """Older DTDs lack most of it."""
    told = gpu_of("product_name", "GeForce GTX 1070")
    assert all(getattr(told, field.name) == NOT_ASKED for field in FIELDS if field.name not in ("name", "bus_id"))
    assert all(getattr(told, name) == NOT_ASKED for name in SUMS)
    assert told.clock_reasons == told.processes == told.mig_devices == NOT_ASKED


def test_the_bus_id_stands_in_the_elements_id_too() -> None:
    """Trimmed reports have only that."""
    assert gpu_of("product_name", "x").bus_id == "0000:17:00.0"


def test_split_error_counters_are_summed() -> None:
    """SRAM parity and SEC-DED apart since driver 550; and the older counters per chip in one total."""
    inner = "".join(
        element(name, text)
        for name, text in (
            ("sram_uncorrectable_parity", "1"),
            ("sram_uncorrectable_secded", "2"),
            ("dram_uncorrectable", "3"),
            ("sram_correctable", "N/A"),
            ("dram_correctable", "N/A"),
        )
    )
    told = gpu_of("ecc_errors/volatile", inner)
    assert told.ecc_volatile_uncorrected == 6
    assert told.ecc_volatile_corrected is None


def test_a_sum_with_an_unread_part_is_unread() -> None:
    """Two known counters and one unknown are no total."""
    inner = element("sram_uncorrectable", "1") + element("dram_uncorrectable", "Unknown Error")
    told = gpu_of("ecc_errors/aggregate", inner)
    assert isinstance(told.ecc_aggregate_uncorrected, Unread)
    assert told.ecc_sram_uncorrected == 1


@pytest.mark.parametrize("prefix", ["clocks_event", "clocks_throttle"])
def test_clock_reasons_have_the_names_of_their_bits(prefix: str) -> None:
    """Under the old word (throttle) and the new one (event)."""
    inner = "".join(
        element(f"{prefix}_reason_{tail}", "Active" if tail in ("gpu_idle", "hw_thermal_slowdown") else "Not Active")
        for tail in REASONS
    )
    assert gpu_of(f"{prefix}_reasons", inner).clock_reasons == ["idle", "hw_thermal"]


def test_row_remapping_in_mig_mode_is_unknown_not_absent() -> None:
    """One "N/A" in place of the table: an A100 in MIG mode has spare rows and does not tell of them."""
    mig = "<mig_mode><current_mig>Enabled</current_mig></mig_mode>"
    assert gpu_of("remapped_rows", "N/A").remapped_rows_pending is None
    assert isinstance(gpu_of("remapped_rows", "N/A", mig).remapped_rows_pending, Unread)


def test_processes_and_mig_devices_are_lists() -> None:
    """What has no pid is no process; a used memory of N/A (WSL, containers) is unread."""
    entry = (
        "<process_info><pid>{}</pid><type>{}</type><process_name>x</process_name>"
        "<used_memory>{}</used_memory></process_info>"
    )
    told = gpu_of(
        "processes", entry.format(725, "G", "22 MiB") + entry.format(9, "C+G", "N/A") + entry.format("N/A", "C", 1)
    )
    assert told.processes == [
        GpuProcess(pid=725, kind="graphics", name="x", memory_bytes=22 * MIB),
        GpuProcess(pid=9, kind="compute", name="x", memory_bytes=Unread("unsupported", "N/A")),
    ]
    assert gpu_of("processes", "\n\t").processes == []
    device = "<mig_device><gpu_instance_id>3</gpu_instance_id><compute_instance_id>0</compute_instance_id></mig_device>"
    assert gpu_of("mig_devices", device).mig_devices == [MigDevice(gpu_instance=3, compute_instance=0)]
    assert gpu_of("mig_devices", "\n\tNone\n").mig_devices == []
    assert gpu_of("mig_devices", "N/A").mig_devices is None


@pytest.mark.parametrize(("text", "code"), [("GPU is lost", 15), ("[GPU requires reset]", 16), ("Unknown Error", 999)])
def test_a_gpu_that_no_longer_answers_has_its_code(text: str, code: int) -> None:
    """The words that stand in place of its readings name the nvmlReturn_t."""
    told = gpu_of("temperature/gpu_temp", text)
    assert told.error_code == code
    assert gpu_of("temperature/gpu_temp", "39 C").error_code is None


def test_a_report_that_is_cut_off_keeps_the_complete_gpus() -> None:
    """nvidia-smi was killed, or somebody pasted the beginning."""
    one, two = '<gpu id="00000000:01:00.0"><uuid>GPU-1</uuid></gpu>', '<gpu id="00000000:02:00.0"><uuid>GP'
    smi = parse_xml(report(one, two, head="<attached_gpus>2</attached_gpus>", tail=""))
    assert smi.attached_gpus == 2
    assert isinstance(smi.gpus, list)
    assert [gpu.uuid for gpu in smi.gpus] == ["GPU-1"]
    assert smi.error == "the XML ends before its closing tag"
    empty = parse_xml(report(two, tail=""))
    assert isinstance(empty.gpus, Unread)


def test_words_around_the_report_are_its_error() -> None:
    """With one GPU lost, a line about it stands before or after the XML of the others."""
    line = "Unable to determine the device handle for GPU0000:05:00.0: Unknown Error"
    for text in (f"{line}\n{report()}", f"{report()}{line}\n"):
        assert parse_xml(text).error == line
    assert parse_xml(report()).error is None


@pytest.mark.parametrize(
    ("text", "smi"),
    [
        ("No devices were found\n", Smi(error="No devices were found", attached_gpus=0, gpus=[])),
        (
            "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 570.124\n",
            Smi(error="Failed to initialize NVML: Driver/library version mismatch", nvml_version="570.124"),
        ),
        ("", Smi(error=Unread("garbled", "no output"))),
    ],
)
def test_a_refusal_is_its_first_line(text: str, smi: Smi) -> None:
    """nvidia-smi says a sentence instead of XML; only "no devices" counts GPUs."""
    assert parse_xml(text) == smi


def test_entities_are_refused() -> None:
    """A pasted report may come from anybody: no entity is expanded, however deep."""
    bomb = (
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><nvidia_smi_log>&b;</nvidia_smi_log>'
    )
    assert isinstance(parse_xml(bomb).gpus, Unread)


PIECES = st.sampled_from(
    [
        "<?xml?>",
        "<nvidia_smi_log>",
        "</nvidia_smi_log>",
        "<gpu>",
        '<gpu id="1">',
        "</gpu>",
        "<uuid>",
        "</uuid>",
        "N/A",
        "\x00",
        "é",
        "<",
    ]
)


@given(pieces=st.lists(PIECES, max_size=12))
def test_no_text_raises(pieces: list[str]) -> None:
    """Whatever is pasted, the answer is a valid section."""
    smi = parse_xml("".join(pieces))
    assert msgspec.json.decode(msgspec.json.encode(smi), type=Smi) == smi
