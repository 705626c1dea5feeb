"""The kernel's messages: which are kept, how lines become records, and who may read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.collect.process import ProcessResult
from envcheck.collect.system.kernel_log import collect_kernel_log
from envcheck.facts import Fact, Unread
from envcheck.read.kernel_log import ERRORS_MAX, OTHERS_MAX, find_xids, normal_bus_id, select_records, split_records
from tests.collect.system.trees import tree
from tests.fakes.tree import File

FELL = "[6781741.548779] NVRM: Xid (PCI:0000:91:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."
SWITCH = "[6781753.400584] nvidia-nvswitch1: SXid (PCI:0000:06:00.0): 20034, Fatal, Link 48 LTSSM Fault Up"


@pytest.mark.parametrize(
    ("record", "number", "bus_id", "switch", "seconds"),
    [
        (FELL, 79, "0000:91:00.0", False, 6781741.548779),
        (SWITCH, 20034, "0000:06:00.0", True, 6781753.400584),
        ("NVRM: Xid (PCI:0000:10:1c): 63, pid=1896, Row Remapper: New row", 63, "0000:10:1c.0", False, None),
        ("NVRM: Xid (0000:01:00): 31, Ch 00000010, engmask", 31, "0000:01:00.0", False, None),
        ("NVRM: Xid (PCI:0000:3b:00 GPU-I:05): 43, pid=7", 43, "0000:3b:00.0", False, None),
        ("[Sun Feb 23 16:24:18 2025] NVRM: Xid (PCI:0000:9B:00): 119, pid=1", 119, "0000:9b:00.0", False, None),
        ("NVRM: Xid (PCI:0009:01:00): 149, NETIR_LINK_EVT  Fatal   XC0 i0 Link 08", 149, "0009:01:00.0", False, None),
        ("[  1.5] host kernel: NVRM: Xid (PCI:0000:05:00): 13, pid=1", 13, "0000:05:00.0", False, 1.5),
    ],
)
def test_forms_of_an_xid(record: str, number: int, bus_id: str, switch: bool, seconds: float | None) -> None:
    """Every generation's wording gives number, card and time."""
    (xid,) = find_xids([record])
    assert (xid.number, xid.bus_id, xid.switch, xid.seconds, xid.record) == (number, bus_id, switch, seconds, record)


@pytest.mark.parametrize(
    "record", ["NVRM: loading NVIDIA UNIX x86_64 Kernel Module  580.1", "Xid", "Xid (): 5,", "x 79,"]
)
def test_what_is_no_xid(record: str) -> None:
    """Only the driver's own form counts."""
    assert find_xids([record]) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("00000000:17:00.0", "0000:17:00.0"),
        ("17:00.0", "0000:17:00.0"),
        ("0000:AF:00", "0000:af:00.0"),
        ("00010000:17:00.1", "10000:17:00.1"),
        ("17", None),
        ("", None),
    ],
)
def test_bus_ids_in_one_form(text: str, expected: str | None) -> None:
    """NVML, sysfs and the kernel log write the same address differently."""
    assert normal_bus_id(text) == expected


def test_a_message_over_several_lines_is_one_record() -> None:
    """Only the first line has a stamp; symptoms are looked for in the whole sentence."""
    text = (
        "[188549.977053] NVRM: This can occur when a driver such as: \nNVRM: nouveau, rivafb, nvidiafb or rivatv \n"
        "NVRM: was loaded and obtained ownership of the NVIDIA device(s).\n[188550.1] usb 1-1: new device\n"
    )
    first, second = split_records(text)
    assert first.startswith("[188549.977053] NVRM: This can occur when a driver such as: nouveau, rivafb")
    assert first.endswith(" rivatv was loaded and obtained ownership of the NVIDIA device(s).")
    assert second == "[188550.1] usb 1-1: new device"


def test_a_log_without_stamps_is_not_glued_together() -> None:
    """In a log whose stamps somebody cut off, each line is a record."""
    text = "NVRM: Xid (PCI:0000:05:00): 13, a\nNVRM: Xid (PCI:0000:05:00): 31, b\n"
    assert len(find_xids(split_records(text))) == 2


def test_only_what_concerns_the_gpu_is_kept() -> None:
    """Driver, bus, firmware and out-of-memory records; not the rest of the kernel's day."""
    keep = [
        "[1.0] nvidia: loading out-of-tree module taints kernel.",
        "[2.0] nouveau 0000:01:00.0: DRM: Pointer to TMDS table not found",
        "[3.0] pci 0000:17:00.0: 252.048 Gb/s available PCIe bandwidth, limited by 16.0 GT/s PCIe x16 link at 0000:16",
        "[4.0] Direct firmware load for nvidia/580.105.08/gsp_ga10x.bin failed with error -2",
        "[5.0] Out of memory: Killed process 4242 (python) total-vm:1kB",
        "[6.0] PM: suspend exit",
        "[7.0] Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7",
        FELL,
        SWITCH,
    ]
    drop = ["[0.5] usb 1-1: new high-speed USB device", "[8.0] EXT4-fs (sda1): mounted", "[9.0] systemd[1]: nvidia", ""]
    assert select_records("\n".join([*drop[:1], *keep, *drop[1:]])) == keep


def test_a_flood_does_not_bury_the_cause() -> None:
    """Thousands of lines of history and of corrected errors leave the record that says why."""
    history = [f"[7.{n:06}] NVRM:     -{n}   76   GSP_RM_CONTROL  0x0" for n in range(3000)]
    errors = [f"[8.{n:06}] pcieport 0000:00:01.0: PCIe Bus Error: severity=Corrected, n={n}" for n in range(3000)]
    kept = select_records("\n".join([FELL, *history, *errors]))
    assert kept[0] == FELL
    assert kept[-1] == errors[-1]
    assert len(kept) == 1 + 2 * OTHERS_MAX
    storm = [f"[9.{n:06}] NVRM: Xid (PCI:0000:05:00): 31, n={n}" for n in range(3000)]
    assert select_records("\n".join(storm)) == storm[-ERRORS_MAX:]


@given(st.text(alphabet=st.sampled_from("NVRM: Xid(PC0159af).,[]\n\x1b\0 kernelnvidia"), max_size=200))
def test_any_text_gives_records(text: str) -> None:
    """Whatever is pasted, reading ends, and every kept record is one line of it."""
    for record in select_records(text):
        assert "\n" not in record
    for xid in find_xids(split_records(text)):
        assert xid.number >= 0


# --- who may read it ---------------------------------------------------------------------------------------

NOT_ALLOWED = ProcessResult(exit_code=1, stderr=b"dmesg: read kernel buffer failed: Operation not permitted\n")
HINT = b"Hint: You are currently not seeing messages from other users and the system.\n"
EMPTY = ProcessResult(exit_code=0, stdout=b"-- No entries --\n", stderr=b"No journal files were found.\n")
SILENT = ProcessResult(exit_code=0, stdout=b"-- No entries --\n", stderr=HINT)


def log_of(place: Path, programs: dict[str, ProcessResult]) -> Fact[list[str]]:
    root = tree(place, {"etc/x": ""}, {f"usr/bin/{name}": File("", 0o755) for name in programs})
    return collect_kernel_log(root, "linux", {}, run=lambda argv: programs[argv[0].rpartition("/")[2]])


def test_dmesg_answers(tmp_path: Path) -> None:
    """The ring buffer is enough where it may be read, and no match is a known absence."""
    answer = ProcessResult(exit_code=0, stdout=f"[0.1] Linux version 6.8\n{FELL}\n".encode() + b"\xff\n")
    assert log_of(tmp_path / "a", {"dmesg": answer}) == [FELL]
    assert log_of(tmp_path / "b", {"dmesg": ProcessResult(exit_code=0, stdout=b"[0.1] Linux version\n")}) == []


def test_the_journal_answers_where_dmesg_is_refused(tmp_path: Path) -> None:
    """Members of adm or systemd-journal read the journal while the ring buffer is restricted."""
    journal = ProcessResult(exit_code=0, stdout=f"[ 12.5] node7 kernel: {FELL.partition('] ')[2]}\n".encode())
    found = log_of(tmp_path, {"dmesg": NOT_ALLOWED, "journalctl": journal})
    assert isinstance(found, list)
    assert [xid.number for xid in find_xids(found)] == [79]


@pytest.mark.parametrize(
    ("programs", "why"),
    [
        ({"dmesg": NOT_ALLOWED}, "refused"),
        ({"dmesg": NOT_ALLOWED, "journalctl": SILENT}, "refused"),
        ({"journalctl": SILENT}, "refused"),
        ({}, "missing"),
        ({"dmesg": ProcessResult(timed_out=True, deadline=5.0)}, "timeout"),
        ({"dmesg": ProcessResult(signal=9)}, "crashed"),
        ({"dmesg": ProcessResult(exit_code=0)}, "missing"),
        ({"dmesg": NOT_ALLOWED, "journalctl": EMPTY}, "refused"),
        ({"journalctl": EMPTY}, "missing"),
        ({"dmesg": ProcessResult(exit_code=2, stderr=b"dmesg: bad usage\n")}, "unsupported"),
    ],
)
def test_silence_is_not_health(tmp_path: Path, programs: dict[str, ProcessResult], why: str) -> None:
    """An empty answer of someone who may not look never becomes "no errors in the kernel log"."""
    fact = log_of(tmp_path, programs)
    assert isinstance(fact, Unread)
    assert fact.why == why


def test_the_arguments_name_this_boot(tmp_path: Path) -> None:
    """Errors of an earlier boot are not this machine's state."""
    asked: list[Sequence[str]] = []

    def run(argv: Sequence[str]) -> ProcessResult:
        asked.append(argv)
        return NOT_ALLOWED

    programs = {"usr/bin/dmesg": File("", 0o755), "usr/bin/journalctl": File("", 0o755)}
    collect_kernel_log(tree(tmp_path, programs), "linux", {}, run=run)
    assert [argv[0].rpartition("/")[2] for argv in asked] == ["dmesg", "journalctl"]
    assert {"-k", "-b", "--no-pager"} <= set(asked[1])
