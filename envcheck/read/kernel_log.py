"""Messages of the kernel about the NVIDIA driver: picked out of dmesg, journalctl or a syslog file.

Pure: text in, records out.  The wordings are those of NVIDIA's open kernel modules and of the recorded logs.
"""

from __future__ import annotations

import re
from typing import NamedTuple

ERRORS_MAX = 100
OTHERS_MAX = 60
"""The newest records that are kept, of error reports and of each other kind: a card that dies writes thousands of
lines of history behind the one that says why, and a bad riser fills the log with corrected errors."""

_RECORD_CHARACTERS_MAX = 1000

# "[  903.609564] ", "[Sun Feb 23 16:24:18 2025] ", "Feb 23 16:24:18 host kernel: [  903.6] ",
# "2025-02-23T16:24:18+0000 host kernel: "; util-linux may put "<4>" (the level) in front.
_STAMP = (
    r"(?:<\d{1,3}>)?"
    r"(?:(?:\d{4}-\d\d-\d\dT\S+|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (?:\S+ )?kernel: ?)?"
    r"(?:\[ *(?P<seconds>\d+\.\d+)\] ?|\[(?P<date>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4})\] ?)?"
    r"(?:\S+ kernel: ?)?"
)
_ANSI = r"\x1b\[[0-9;]*[A-Za-z]"

# What says that something failed; what else the driver says; and what the kernel says of buses and memory.
_ERRORS = (
    r"\bS?Xid \(|RmInitAdapter|NVRM: (?:API mismatch|No NVIDIA|This (?:PCI I/O region|can occur))|fallen off the bus"
    r"|NVRM: The NVIDIA (?:probe|GPU|kernel)|nvidia/\S+\.bin|Lockdown: modprobe|NVSwitch fatal error"
)
_DRIVER = r"NVRM|\bnvidia[\w-]*[: ]|nouveau|\bvfio-pci\b|segfault at .* in lib(?:cuda|nvidia|torch)"
_SYSTEM = (
    r"Out of memory: Killed process|oom-kill:|available PCIe bandwidth, limited by|PCIe Bus Error|PM: suspend exit"
)
_DRIVER_WORDS: tuple[str, ...] = ("NVRM", "nvidia", "nouveau", "Xid", "NVSwitch", "vfio-pci", "fallen off", "RmInit")
_DRIVER_WORDS += ("Lockdown", "segfault")
_SYSTEM_WORDS = ("Out of memory", "oom-kill", "PCIe", "suspend exit")
# Pattern, how many are kept, and words of which one stands in every record of the kind.
_KINDS = (
    (_ERRORS, ERRORS_MAX, _DRIVER_WORDS),
    (_DRIVER, OTHERS_MAX, _DRIVER_WORDS),
    (_SYSTEM, OTHERS_MAX, _SYSTEM_WORDS),
)
WORDS = _DRIVER_WORDS + _SYSTEM_WORDS
"""Without one of these words a record holds nothing that is wanted, and a log without any needs no pattern compiled."""

_XID = r"\b(?P<kind>S?Xid) \((?:PCI:)?(?P<bus>[0-9a-fA-F:.]+)[^)]*\).*?: (?P<number>\d+)(?:,|\s|$)"
_BUS = r"(?:(?P<domain>[0-9a-fA-F]{4,8}):)?(?P<bus>[0-9a-fA-F]{2}):(?P<device>[0-9a-fA-F]{2})(?:\.(?P<fn>\d))?$"


class Xid(NamedTuple):
    """One error that a GPU (Xid) or an NVSwitch (SXid) reported to its driver."""

    number: int
    bus_id: str | None  # "0000:17:00.0"; None: not in a form that is understood
    switch: bool  # an SXid
    seconds: float | None  # since boot; None: the log shows no such stamp
    record: str


def split_records(text: str) -> list[str]:
    """The log's records, each on one line.

    The driver writes some messages over several lines, of which only the first carries a time stamp; as in the
    symptom table, a line break before ``NVRM:`` becomes a blank.
    """
    records: list[str] = []
    for raw in (re.sub(_ANSI, "", text) if "\x1b" in text else text).split("\n"):
        line = raw.rstrip().replace("\0", "")
        if not line:
            continue
        # Stamps are looked for only where the words could be a continuation.
        more = line.lstrip().startswith("NVRM: ") and records and "NVRM" in records[-1] and not _has_stamp(line)
        if more and _has_stamp(records[-1]):
            records[-1] = f"{records[-1]} {line.lstrip().removeprefix('NVRM: ')}"
        else:
            records.append(line)
    return records


def select_records(text: str) -> list[str]:
    """The newest records that concern a GPU, its driver, or a job that died for want of memory, oldest first."""
    if not any(word in text for word in WORDS):
        return []
    found: list[list[tuple[int, str]]] = [[] for _ in _KINDS]
    records = split_records(text)
    wanted = WORDS
    for index in range(len(records) - 1, -1, -1):
        record = records[index]
        if not any(word in record for word in wanted):
            continue
        for (pattern, limit, _), places in zip(_KINDS, found, strict=True):
            if re.search(pattern, record):
                if len(places) < limit:
                    places.append((index, record[:_RECORD_CHARACTERS_MAX]))
                    wanted = _words_of_the_rest(found)
                break
    return [record for _, record in sorted(entry for places in found for entry in places)]


def _words_of_the_rest(found: list[list[tuple[int, str]]]) -> tuple[str, ...]:
    """The words of the kinds of which more records are taken."""
    words = {
        word: None
        for (_, limit, words), places in zip(_KINDS, found, strict=True)
        if len(places) < limit
        for word in words
    }
    return tuple(words)


def find_xids(records: list[str]) -> list[Xid]:
    """Every Xid and SXid in the records, in their order.

    >>> find_xids(["[1.5] NVRM: Xid (PCI:0000:05:00): 79, GPU has fallen off the bus."])[0][:4]
    (79, '0000:05:00.0', False, 1.5)
    """
    found = []
    for record in records:
        match = re.search(_XID, record)
        if match and len(match["number"]) <= 9:
            stamp = re.match(_STAMP, record)
            seconds = float(stamp["seconds"][:24]) if stamp and stamp["seconds"] else None
            found.append(
                Xid(int(match["number"]), normal_bus_id(match["bus"]), match["kind"] == "SXid", seconds, record)
            )
    return found


def normal_bus_id(text: str) -> str | None:
    """``0000:05:00.0`` for ``0000:05:00``, ``05:00.0`` or ``00000000:05:00.0``; ``None`` for anything else."""
    match = re.match(_BUS, text)
    if match is None:
        return None
    domain = (match["domain"] or "0000").lower()
    domain = domain.lstrip("0").rjust(4, "0")
    return f"{domain}:{match['bus'].lower()}:{match['device'].lower()}.{match['fn'] or '0'}"


def _has_stamp(line: str) -> bool:
    match = re.match(_STAMP, line)
    return match is not None and match.end() > 0
