"""nvidia-smi's long text report (``nvidia-smi -q``, whole, by ``-d``, or an excerpt) as facts.

Its labels are laid out as the XML's elements are, so the text is read into the same tree and then by the same rules:
what "N/A" means of a field is decided in one place.  Labels are those of the recorded reports of drivers 440 to 595;
where a driver renamed one, both stand in the table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from envcheck.facts import Smi

from .lines import Line, Text
from .nvidia_smi_fields import Note
from .nvidia_smi_xml import read_root

_BANNER = "=NVSMI LOG="
_GPU = re.compile(r"GPU ([0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7])$")
_LABEL = re.compile(r"([A-Za-z][\w .()/-]{0,60}?)(?: *: (.*)| *:)?$")
_LONGEST_LINE = 1000
_HEADS = frozenset({"driver_version", "kmd_version", "cuda_version", "cuda_umd_version", "attached_gpus"})
_REASON = "clocks_event_reason_"

# Label → element, where it is not the label in lower case with underscores.
_TAGS = {
    "gpu_uuid": "uuid",
    "mig_uuid": "uuid",
    "serial_number": "serial",
    "gpu_link_info": "pci_gpu_link_info",
    "pcie_generation": "pcie_gen",
    "link_width": "link_widths",
    "replays_since_reset": "replay_counter",
    "gpu_current_temp": "gpu_temp",
    "gpu_shutdown_temp": "gpu_temp_max_threshold",
    "gpu_slowdown_temp": "gpu_temp_slow_threshold",
    "gpu_t_limit_temp": "gpu_temp_tlimit",
    "memory_current_temp": "memory_temp",
    "sram_uncorrectable_sec_ded": "sram_uncorrectable_secded",
    "bank_remap_availability_histogram": "row_remapper_histogram",
    "cliqueid": "cliqueId",
    "shared_fb_memory_usage": "fb_memory_usage",
    "clocks_throttle_reasons": "clocks_event_reasons",
    "compute_processes": "processes",
}
# The same, where it depends on the element above.
_CHILD_TAGS = {
    "driver_model": {"current": "current_dm"},
    "pci": {"bus_id": "pci_bus_id", "device_id": "pci_device_id", "sub_system_id": "pci_sub_system_id"},
    "pcie_gen": {"max": "max_link_gen", "current": "current_link_gen", "device_max": "max_device_link_gen"},
    "link_widths": {"max": "max_link_width", "current": "current_link_width"},
    "utilization": {"gpu": "gpu_util", "memory": "memory_util"},
    "ecc_mode": {"current": "current_ecc", "pending": "pending_ecc"},
    "mig_mode": {"current": "current_mig", "pending": "pending_mig"},
    "remapped_rows": {
        "correctable_error": "remapped_row_corr",
        "uncorrectable_error": "remapped_row_unc",
        "pending": "remapped_row_pending",
        "remapping_failure_occurred": "remapped_row_failure",
    },
    "row_remapper_histogram": {"none": "row_remapper_histogram_none"},
    "retired_pages": {"pending_page_blacklist": "pending_retirement", "pending": "pending_retirement"},
    "process_info": {"name": "process_name", "used_gpu_memory": "used_memory"},
} | {
    group: {"graphics": "graphics_clock", "sm": "sm_clock", "memory": "mem_clock"}
    for group in (
        "clocks",
        "max_clocks",
        "max_customer_boost_clocks",
        "applications_clocks",
        "default_applications_clocks",
    )
}
_REASONS = {"idle": "gpu_idle", "display_clock_setting": "display_clocks_setting"}
_COUNTED = {"single_bit_ecc": "multiple_single_bit_retirement", "double_bit_ecc": "double_bit_retirement"}


def parse_query(lines: Sequence[Line], note: Note = lambda pointer, line: None) -> Smi | None:
    """Read the report that stands in these lines, or ``None`` where there is none.

    A cut-off one yields what is there; a field that an excerpt leaves out was not asked.
    """
    text = Text.of(lines)
    if not text.says(_BANNER) and not any(_GPU.match(line.text.strip()) for line in text.holding("GPU ", once=True)):
        return None
    tree = _Tree()
    tree.build(lines)
    if tree.root.find("gpu") is None and tree.root.find("attached_gpus") is None:
        return None
    return read_root(tree.root, form="q", error=None, note=lambda name, element: note(name, tree.where[element]))


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", label.lower()).strip("_")


class _Tree:
    """The report as a tree of the XML's shape, and the line of each element."""

    def __init__(self) -> None:
        self.root = ET.Element("nvidia_smi_log")
        self.where: dict[ET.Element, Line] = {}
        self.gpus: dict[str, ET.Element] = {}

    def build(self, lines: Iterable[Line]) -> None:
        slugs: dict[str, str] = {}
        above: list[tuple[int, ET.Element]] = []  # the elements that a deeper line belongs to, by their indentation
        for line in lines:
            text = line.text.lstrip()
            indent = len(line.text) - len(text)
            text = text.rstrip()
            if not text or text[0] in "[=" or len(text) > _LONGEST_LINE:  # "[...]" marks what an author left out
                continue
            gpu = _GPU.match(text) if text.startswith("GPU ") else None
            if gpu:
                # A second report (of another -d) adds to what the first said of the card.
                key = gpu[1].lower()
                if key not in self.gpus:
                    self.gpus[key] = self.add(self.root, "gpu", None, line, id=gpu[1])
                above = [(indent, self.gpus[key])]
                continue
            label = _LABEL.match(text)
            if label is None:
                continue
            slug = slugs.get(label[1]) or slugs.setdefault(label[1], _slug(label[1]))
            value = (label[2] or "").strip()
            while above and above[-1][0] >= indent:
                above.pop()
            if above:
                parent = above[-1][1]
                if parent.tag.startswith(_REASON) and len(above) > 1:  # the kinds of HW Slowdown stand below it
                    parent = above[-2][1]
                above.append((indent, self.put(parent, slug, value, line)))
            elif slug in _HEADS and self.root.find(slug) is None:
                self.add(self.root, slug, value, line)

    def put(self, parent: ET.Element, slug: str, value: str, line: Line) -> ET.Element:
        """A label below ``parent``; returns the element that deeper lines belong to."""
        if parent.tag == "gpu" and slug == "mig_device":
            group = parent.find("mig_devices")
            if group is None:
                group = self.add(parent, "mig_devices", None, line)
            return self.add(group, "mig_device", None, line)
        if parent.tag == "processes" and slug == "process_id":
            info = self.add(parent, "process_info", None, line)
            self.add(info, "pid", value, line)
            return info
        if parent.tag == "retired_pages" and slug in _COUNTED:
            group = self.add(parent, _COUNTED[slug], None, line)
            return self.add(group, "retired_count", value, line)
        if parent.tag == "clocks_event_reasons":
            return self.add(parent, _REASON + _REASONS.get(slug, slug), value, line)
        tag = _CHILD_TAGS.get(parent.tag, {}).get(slug) or _TAGS.get(slug, slug)
        return self.add(parent, tag, value, line)

    def add(self, parent: ET.Element, tag: str, text: str | None, line: Line, **attributes: str) -> ET.Element:
        element = ET.SubElement(parent, tag, attributes)
        element.text = text
        self.where[element] = line
        return element
