"""nvidia-smi's XML report (``nvidia-smi -q -x``, DTD v9 to v13) as facts.

Element names are those of the recorded reports of drivers 384 to 595; where a newer DTD renamed one, the older
name follows it.  The XML states no compute capability, no core count and no bus width.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

import msgspec

from envcheck.facts import NOT_ASKED, Fact, Gpu, GpuProcess, MigDevice, Smi, Unread

from .nvidia_smi_fields import (
    FIELDS,
    REASONS,
    SUMS,
    Read,
    as_bus_id,
    as_bytes,
    as_switch,
    as_whole,
    as_word,
    read_value,
)

Note: TypeAlias = Callable[[str, "ET.Element"], None]
"""Told of every fact: its pointer below the GPU's or below /smi, and the element that states it."""

_LIBRARY_VERSION = re.compile(r"^NVML library version: (\S+)", re.MULTILINE)


def parse_xml(text: str) -> Smi:
    """Read a report.  A cut-off one yields the GPUs that are complete; text around the XML goes into ``error``.

    Without any XML the answer holds ``error`` alone: the first line that nvidia-smi said instead.
    """
    start = min((i for i in (text.find("<?xml"), text.find("<nvidia_smi_log")) if i >= 0), default=-1)
    if start < 0:
        return _without_report(text)
    if "<!ENTITY" in text:
        return Smi(form="xml", error="the XML declares entities, which nvidia-smi never does", gpus=_GARBLED)
    end = text.find("</nvidia_smi_log>", start)
    stop = end + len("</nvidia_smi_log>") if end >= 0 else len(text)
    root, whole = _parse_leniently(text[start:stop])
    around = _first_line(text[:start]) or _first_line(text[stop:])
    smi = read_root(root, form="xml", error=around or (None if whole else "the XML ends before its closing tag"))
    return msgspec.structs.replace(smi, gpus=_GARBLED) if not whole and not smi.gpus else smi


def read_root(root: ET.Element, *, form: str, error: str | None, note: Note = lambda pointer, element: None) -> Smi:
    """The whole report below an element that is laid out as the XML is.

    Drivers from 610 on say "KMD Version" and "CUDA UMD Version" in place of "Driver Version" and "CUDA Version".
    """

    def head(name: str, paths: tuple[str, ...], read: Read) -> Any:
        fact, element = _find(root, paths, read, True)
        if element is not None:
            note(name, element)
        return fact

    return Smi(
        form=form,
        error=error,
        driver_version=head("driver_version", ("driver_version", "kmd_version"), as_word),
        cuda_version=head("cuda_version", ("cuda_version", "cuda_umd_version"), as_word),
        attached_gpus=head("attached_gpus", ("attached_gpus",), as_whole),
        gpus=[
            read_gpu(i, node, lambda name, element, i=i: note(f"gpus/{i}/{name}", element))  # type: ignore[misc]
            for i, node in enumerate(root.findall("gpu"))
        ],
    )


def _without_report(text: str) -> Smi:
    version = _LIBRARY_VERSION.search(text)
    line = _first_line(text)
    return Smi(
        error=line or Unread("garbled", "no output"),
        nvml_version=version[1] if version else NOT_ASKED,
        # "No devices were found" is an answer, the only failure text that counts GPUs.
        attached_gpus=0 if line.startswith("No devices were found") else NOT_ASKED,
        gpus=[] if line.startswith("No devices were found") else NOT_ASKED,
    )


_GARBLED = Unread("garbled", "no complete <gpu> element")


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _parse_leniently(text: str) -> tuple[ET.Element, bool]:
    """The root element with every top-level child that was complete, and whether the whole was."""
    parser: ET.XMLPullParser[Any] = ET.XMLPullParser(("start", "end"))
    events: Any = parser.read_events()  # pairs of these two kinds only
    whole = False
    root = ET.Element("nvidia_smi_log")
    depth = 0
    try:
        # A broken place is reported twice: by close(), or among the events where it stands.
        with contextlib.suppress(ET.ParseError):
            parser.feed(text)
            parser.close()
            whole = True
        for event, node in events:
            depth += 1 if event == "start" else -1
            if event == "end" and depth == 1:
                root.append(node)
    except ET.ParseError:
        whole = False
    return root, whole


_PROCESS_KINDS = {"C": "compute", "G": "graphics", "C+G": "compute", "M": "mps", "M+C": "mps"}


def read_gpu(index: int, node: ET.Element, note: Note = lambda pointer, element: None) -> Gpu:
    """One GPU from an element that is laid out as the XML's ``<gpu>``."""
    values: dict[str, Any] = {}
    for name, read, none, paths in FIELDS:
        values[name], element = _find(node, paths, read, none)
        if element is not None:
            note(name, element)
    for name, paths in SUMS.items():
        values[name] = _sum(node, paths)
        part = next((found for found in map(node.find, paths) if found is not None), None)
        if part is not None:
            note(name, part)
    if isinstance(values["bus_id"], Unread):
        with contextlib.suppress(ValueError):
            values["bus_id"] = as_bus_id(node.get("id", ""))
            note("bus_id", node)
    if (node.findtext("remapped_rows") or "").strip() == "N/A":
        # One word instead of the table: the board remaps no rows, or it is in MIG mode and does not tell.
        fact = Unread("unsupported", "N/A in MIG mode") if values["mig_mode"] is True else None
        values |= {name: fact for name, _, _, paths in FIELDS if paths[0].startswith("remapped_rows/")}
    for name, places in _LISTS.items():
        group = next((found for found in map(node.find, places) if found is not None), None)
        if group is not None:
            note(name, group)
    values["repair_pending"] = _any(node, _REPAIRS)
    if values["recovery_action"] == NOT_ASKED:
        values["recovery_action"] = _reset_status(node)
    code, text = _failure(node)
    return Gpu(
        index=index,
        error_code=code,
        error_text=text,
        clock_reasons=_reasons(node),
        processes=_processes(node),
        mig_devices=_mig_devices(node),
        **values,
    )


_LISTS = {
    "clock_reasons": ("clocks_event_reasons", "clocks_throttle_reasons"),
    "processes": ("processes",),
    "mig_devices": ("mig_devices",),
}

# Words that stand in place of a reading when the GPU itself no longer answers → nvmlReturn_t.
_FAILURES = {"gpu is lost": 15, "gpu requires reset": 16, "unknown error": 999}


def _failure(node: ET.Element) -> tuple[int | None, str | None]:
    for path in ("product_name", "uuid", "temperature/gpu_temp", "fb_memory_usage/total"):
        text = (node.findtext(path) or "").strip().strip("[]")
        for words, code in _FAILURES.items():
            if text.lower().startswith(words):
                return code, text
    return None, None


def _value(node: ET.Element, paths: tuple[str, ...], read: Read, none: bool) -> Any:
    return _find(node, paths, read, none)[0]


def _find(node: ET.Element, paths: tuple[str, ...], read: Read, none: bool) -> tuple[Any, ET.Element | None]:
    """The first path that has a value; else what the first one that is there says instead of a value."""
    answer: tuple[Any, ET.Element | None] = (NOT_ASKED, None)
    for path in paths:
        element = node.find(path)
        if element is None:
            continue
        fact = read_value((element.text or "").strip(), read, none)
        if not isinstance(fact, Unread) and fact is not None:
            return fact, element
        if answer[1] is None:
            answer = fact, element
    return answer


def _sum(node: ET.Element, paths: tuple[str, ...]) -> Fact[int]:
    facts = [fact for fact in (_value(node, (path,), as_whole, True) for path in paths) if fact is not NOT_ASKED]
    unread = next((fact for fact in facts if isinstance(fact, Unread)), None)
    if unread is not None or not facts:
        return unread or NOT_ASKED
    numbers = [fact for fact in facts if fact is not None]
    return sum(numbers) if numbers else None


_REPAIRS = ("ecc_errors/channel_repair_pending", "ecc_errors/tpc_repair_pending")


def _any(node: ET.Element, paths: tuple[str, ...]) -> Fact[bool]:
    """Is one of several switches on?  Those that cannot be told count only where none is."""
    facts = [fact for fact in (_value(node, (path,), as_switch, True) for path in paths) if fact != NOT_ASKED]
    if True in facts:
        return True
    unread = next((fact for fact in facts if isinstance(fact, Unread)), None)
    if unread is not None or not facts:
        return unread or NOT_ASKED
    return False if False in facts else None


def _reset_status(node: ET.Element) -> Fact[str]:
    """Drivers 530 to 565 tell by two switches what newer ones tell as the recovery action."""
    reset = _value(node, ("gpu_reset_status/reset_required",), as_switch, True)
    drain = _value(node, ("gpu_reset_status/drain_and_reset_recommended",), as_switch, True)
    if reset is True:
        return "gpu_reset"
    if drain is True:
        return "drain_and_reset"
    return "none" if reset is False and drain is False else NOT_ASKED


def _reasons(node: ET.Element) -> Fact[list[str]]:
    for parent, prefix in (
        ("clocks_event_reasons", "clocks_event_reason_"),
        ("clocks_throttle_reasons", "clocks_throttle_reason_"),
    ):
        group = node.find(parent)
        if group is None:
            continue
        if not len(group):
            return Unread("unsupported", (group.text or "").strip())
        names = [child.tag.removeprefix(prefix) for child in group if (child.text or "").strip() == "Active"]
        return [REASONS[name] for name in names if name in REASONS]
    return NOT_ASKED


def _processes(node: ET.Element) -> Fact[list[GpuProcess]]:
    group = node.find("processes")
    if group is None:
        return NOT_ASKED
    if not len(group) and (group.text or "").strip() not in ("", "None"):
        return Unread("unsupported", (group.text or "").strip())
    found = []
    for item in group.findall("process_info"):
        pid = _value(item, ("pid",), as_whole, False)
        if not isinstance(pid, int):
            continue
        found.append(
            GpuProcess(
                pid=pid,
                kind=_PROCESS_KINDS.get((item.findtext("type") or "").strip(), "compute"),
                name=_value(item, ("process_name",), as_word, False),
                memory_bytes=_value(item, ("used_memory",), as_bytes, False),
            )
        )
    return found


def _mig_devices(node: ET.Element) -> Fact[list[MigDevice]]:
    group = node.find("mig_devices")
    if group is None:
        return NOT_ASKED
    if not len(group) and (group.text or "").strip() == "N/A":
        return None
    return [
        MigDevice(
            uuid=_value(item, ("uuid",), as_word, False),
            gpu_instance=_value(item, ("gpu_instance_id",), as_whole, True),
            compute_instance=_value(item, ("compute_instance_id",), as_whole, True),
            memory_bytes=_value(item, ("fb_memory_usage/total",), as_bytes, False),
            multiprocessors=_value(item, ("device_attributes/shared/multiprocessor_count",), as_whole, True),
        )
        for item in group.findall("mig_device")
    ]
