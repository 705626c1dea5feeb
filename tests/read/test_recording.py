"""A recorded output is judged as a machine is: facts, their lines, messages, and no exception whatever the text."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envcheck.facts import NOT_ASKED, Driver, Smi, Snapshot, decode, encode, resolve, witness
from envcheck.judge import judge
from envcheck.read.recording import read_recording
from envcheck.rules import QUESTIONS

from .texts import CSV, KERNEL_LOG, LSPCI, QUERY, WIDE_TABLE

TEXTS = {"table": WIDE_TABLE, "q": QUERY, "csv": CSV, "lspci": LSPCI, "kernel log": KERNEL_LOG}
ALL = "\n".join(TEXTS.values())


def read(text: str) -> Snapshot:
    snapshot = read_recording(text)
    assert snapshot is not None
    return snapshot


def roots(text: str) -> list[tuple[str, str]]:
    report = judge(read(text), QUESTIONS)
    assert [v.rule for v in report.verdicts if v.outcome == "crashed"] == []
    return [(finding.rule, finding.subject) for finding in report.root_causes]


def test_a_text_that_holds_nothing() -> None:
    """Prose, emptiness and other programs' files are no recording."""
    for text in (
        "",
        "\n\n",
        "The training is slow, can you help?",
        "numpy==2.1.0\ntorch==2.9.1\n",
        "[project]\nname='x'",
    ):
        assert read_recording(text) is None


def test_where_each_fact_stands() -> None:
    """Every origin names a fact that is there, and the witness of a fact is its line."""
    snapshot = read(ALL)
    assert snapshot.source == "recorded"
    for origin in snapshot.origins:
        assert resolve(snapshot, origin.pointer) != NOT_ASKED, origin.pointer
    line = 1 + ALL.split("\n").index("    Fan Speed                                          : N/A")
    assert witness(snapshot, "/smi/gpus/0/fan_percent") == f"line {line}: Fan Speed : N/A"
    assert decode(encode(snapshot)) == snapshot


def test_the_name_of_the_file_stands_before_the_line() -> None:
    """Two recordings side by side are told apart."""
    snapshot = read_recording("No devices were found", name="node7.txt")
    assert snapshot is not None
    assert witness(snapshot, "/smi/error") == "node7.txt: line 1: No devices were found"


def test_nvidia_smis_driver_is_nvidia_smis_word() -> None:
    """It stands in nvidia-smi's field of the driver section, and in no other witness's."""
    snapshot = read(WIDE_TABLE)
    assert isinstance(snapshot.driver, Driver)
    assert snapshot.driver.nvidia_smi == "575.57.08"
    assert (snapshot.driver.nvml, snapshot.driver.proc, snapshot.nvml) == (NOT_ASKED,) * 3
    assert "Driver Version" in witness(snapshot, "/driver/nvidia_smi")


def test_a_driver_model_says_that_it_is_windows() -> None:
    """WDDM exists nowhere else; without it the system is not known."""
    rows = "| NVIDIA-SMI 531.88 Driver Version: 531.88 |\n| 0 Tesla T4 {} | 00000000:01:00.0 Off | 0 |\n"
    assert resolve(read(rows.format("WDDM")), "/host/system") == "Windows"
    assert read(rows.format("Off")).host == NOT_ASKED


def test_messages_are_about_the_card_that_they_name() -> None:
    """An Xid names a place on the bus: the other cards of the machine are not accused."""
    snapshot = read(QUERY + KERNEL_LOG)
    assert isinstance(snapshot.symptoms, list)
    about = {(item.id, item.subject) for item in snapshot.symptoms}
    assert ("xid", "gpu:GPU-11111111-2222-3333-4444-555555555555") in about
    assert ("gpu-has-fallen-off-the-bus", "gpu:0000:af:00.0") in about
    assert any(item.id == "sxid" and item.subject == NOT_ASKED for item in snapshot.symptoms)
    accused = [subject for rule, subject in roots(QUERY + KERNEL_LOG) if rule == "xid-in-log"]
    assert accused == ["gpu:0000:af:00.0"]


def test_a_kernel_log_alone_names_its_cards() -> None:
    """The driver speaks of cards that nothing else in the text lists: they can be judged, and no others."""
    snapshot = read(KERNEL_LOG)
    assert isinstance(snapshot.driver, Driver)
    assert isinstance(snapshot.driver.gpus, list)
    assert [(gpu.bus_id, gpu.uuid) for gpu in snapshot.driver.gpus] == [
        ("0000:3b:00.0", "GPU-11111111-2222-3333-4444-555555555555"),
        ("0000:af:00.0", NOT_ASKED),
    ]
    assert isinstance(snapshot.driver.recovery_log, list)
    assert len(snapshot.driver.recovery_log) == 4  # the USB device is of no interest
    assert ("gpu-fallen-off-bus", "gpu:0000:af:00.0") in roots(KERNEL_LOG)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Failed to initialize NVML: Driver/library version mismatch", "driver-library-version-mismatch"),
        ("Failed to initialize NVML: Insufficient Permissions", "device-node-permission-denied"),
        ("NVIDIA-SMI couldn't find libnvidia-ml.so library in your system.", "nvml-library-missing"),
        ("Unable to determine the device handle for GPU 0000:03:00.0: GPU is lost", "gpu-fallen-off-bus"),
        ("No devices were found", "gpu-init-failed"),
        ("[9.1] NVRM: GPU 0000:98:00.0: RmInitAdapter failed! (0x62:0x65:1792)", "gsp-firmware-failure"),
        ("RuntimeError: Error 802: system not yet initialized", "fabric-manager-not-running"),
    ],
)  # fmt: skip
def test_the_cause_of_a_recorded_failure(text: str, rule: str) -> None:
    """The same rules serve live machines and paper."""
    assert rule in [name for name, _ in roots(text)]


def test_healthy_recordings_are_not_accused() -> None:
    """What is normal (an idle link, no ECC, N/A everywhere) is no error."""
    healthy = QUERY.replace("Pending                                        : Yes", "Pending : No")
    healthy = healthy.replace("Reset Required                                 : Yes", "Reset Required : No")
    healthy = healthy.replace(": In Progress", ": Completed").replace(
        "None                                       : 2", "None : 0"
    )
    for sort in ("SRAM Uncorrectable Parity                  : 2", "SRAM Uncorrectable SEC-DED                 : 4"):
        healthy = healthy.replace(sort, sort[:-1] + "0")
    healthy = healthy.replace("DRAM Uncorrectable                         : 16", "DRAM Uncorrectable : 0")
    healthy = healthy.replace("HW Slowdown                                    : Active", "HW Slowdown : Not Active")
    healthy = healthy.replace("HW Thermal Slowdown                        : Active", "HW Thermal Slowdown : Not Active")
    report = judge(read(healthy), QUESTIONS)
    assert [finding.rule for finding in report.root_causes if finding.severity == "error"] == []
    sick = judge(read(QUERY), QUESTIONS)
    assert {"ecc-uncorrectable", "row-remap-failed"} & {finding.rule for finding in sick.root_causes}


# -- whatever the text ---------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_mangled_outputs_are_read(data: st.DataObject) -> None:
    """Cut, shuffled, repeated and disturbed lines give facts or nothing, never an exception, and always a snapshot."""
    lines = ALL.split("\n")
    picked = data.draw(st.lists(st.integers(0, len(lines) - 1), max_size=60))
    text = [lines[i] for i in picked]
    for at in data.draw(st.lists(st.integers(0, max(0, len(text) - 1)), max_size=6)):
        if text:
            cut = data.draw(st.integers(0, len(text[at])))
            text[at] = text[at][:cut] + data.draw(st.text(max_size=4)) + text[at][cut:]
    snapshot = read_recording("\n".join(text))
    if snapshot is not None:
        assert decode(encode(snapshot)) == snapshot


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    """No text at all makes the reader fail."""
    read_recording(text)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(ALL)), st.integers(0, len(ALL)))
def test_a_piece_of_an_output_never_knows_what_the_whole_does_not(a: int, b: int) -> None:
    """A cut text yields fewer facts of a card, or the same."""
    start, end = min(a, b), max(a, b)
    start = ALL.rfind("\n", 0, start) + 1
    snapshot = read_recording(ALL[start:end])
    if snapshot is None or not isinstance(snapshot.smi, Smi) or not isinstance(snapshot.smi.driver_version, str):
        return
    assert "575.57.08".startswith(snapshot.smi.driver_version) or snapshot.smi.driver_version == "575.57.08"


def processor_time(text: str) -> float:
    started = time.process_time()
    read_recording(text)
    return time.process_time() - started


def test_a_megabyte_takes_about_a_second() -> None:
    """Long logs, one endless line, a million bars and thousands of cards cost no more than their length."""
    lines = ALL.split("\n")
    random.Random(7).shuffle(lines)
    makers = (
        "\n".join(lines),
        "| ",
        "=",
        "GPU 0: X (UUID: GPU-2)\n",
        "01:00.0 VGA compatible controller: NVIDIA Corporation\n",
    )
    for piece in makers:
        took = []
        for size in (100_000, 400_000):
            text = piece * (size // len(piece))
            took.append(min(processor_time(text) for _ in range(3)))
        assert took[1] < 2.5, piece[:20]
        assert took[1] < 12 * max(took[0], 0.03), piece[:20]
