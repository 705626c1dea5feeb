"""How well recorded outputs are read and judged: ``python tests/measure_recorded.py DATA_FOLDER``.

DATA_FOLDER holds ``recorded/`` (or is that folder): real outputs by kind, beside each a ``.meta.json`` that says where
it comes from and what is notable about it.  The data are not part of the project; without them there is nothing to do.

Measured are: the agreement of every XML report with an independent reading, of every output with its sidecar, and of
the forms of one machine with each other; that every file is read; no error where the sidecar marks nothing wrong, and
the right cause where it marks a fault.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree as ET

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from envcheck.facts import NOT_ASKED, Gpu, Smi, Snapshot, Unread, decode, encode
from envcheck.judge import Finding, judge
from envcheck.read.recording import read_recording
from envcheck.rules import QUESTIONS

MIB = 1 << 20
SMI_KINDS = ("smi-xml", "smi-q", "smi-table", "smi-query-gpu", "smi-query-apps", "smi-list", "smi-topo", "smi-misc")
OUTPUT_KINDS = (*SMI_KINDS, "nvml-failures", "kernel-log", "proc", "lspci", "device-query", "ldconfig", "nvcc", "torch")

# What the sidecars mark as a fault, and the rule that names it.
FAULTS = {
    "smi-q/a100-row-remap-pending-excerpt.txt": "row-remap-pending",
    "kernel-log/nouveau-owns-the-device.log": "nouveau-conflict",
    "kernel-log/rminitadapter-gsp-3090.log": "gsp-firmware-failure",
    "kernel-log/rtx-2080-ti-x4-440-nvrm.log": "xid-in-log",
    "kernel-log/xid-119-gsp-timeout-h100.log": "gsp-firmware-failure",
    "kernel-log/xid-63-line.txt": "row-remap-pending",
    "kernel-log/xid-79-sxid-20034.log": "gpu-fallen-off-bus",
    "nvml-failures/device-handle-not-found.txt": "gpu-init-failed",
    "nvml-failures/device-handle-unknown-error-new.txt": "gpu-fallen-off-bus",
    "nvml-failures/driver-library-mismatch-570.txt": "driver-library-version-mismatch",
    "nvml-failures/driver-not-loaded.txt": "kernel-module-not-loaded",
    "nvml-failures/function-not-found-running-processes.txt": "nvml-function-not-found",
    "nvml-failures/gpu-is-lost.txt": "gpu-fallen-off-bus",
    "nvml-failures/insufficient-permissions-selinux.txt": "device-node-permission-denied",
    "nvml-failures/library-not-found.txt": "nvml-library-missing",
    "nvml-failures/no-devices-gsp.txt": "gpu-init-failed",
    "nvml-failures/unknown-error-in-container.txt": "container-gpu-lost-after-reload",
    "torch/driver-too-old-9010.txt": "driver-too-old-for-torch",
    "torch/error-802-fabric-manager.txt": "fabric-manager-not-running",
    "torch/sm-120-not-compatible.txt": "gpu-newer-than-torch-archs",
}
# Faults that the sidecar knows and the text does not show.
NOT_IN_THE_TEXT = {
    "ldconfig/libnvidia-ml-only-dev-name.txt": "one line that a search left; whether anything failed it does not say",
    "nvcc/nvcc-10.0-driver-broken.txt": "the compiler answers; nothing is said of the driver",
}


class Recording(NamedTuple):
    name: str  # "smi-q/l4.txt"
    text: str
    meta: dict[str, Any]

    @property
    def kind(self) -> str:
        return self.name.split("/")[0]


def recordings(folder: Path) -> list[Recording]:
    """Every recorded output with its sidecar."""
    found = []
    for sidecar in sorted(folder.glob("*/*.meta.json")):
        file = sidecar.with_name(sidecar.name.removesuffix(".meta.json"))
        text = file.read_text(encoding="utf-8", errors="replace")
        meta = json.loads(sidecar.read_text(encoding="utf-8"))
        found.append(Recording(file.relative_to(folder).as_posix(), text, meta))
    return found


# -- an independent reading of the XML ---------------------------------------------------------------------


class Reading(NamedTuple):
    """What plain ElementTree finds for one fact: a value, or words in place of one, or nothing at all."""

    fact: str
    there: bool
    value: object


def number(text: str, factor: int = 1) -> object:
    found = re.match(r"-?[\d.]+", text)
    return None if found is None else float(found[0]) * factor


# fact of a GPU, element names of old and new reports, how a value looks
PLACES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("name", ("product_name",), "word"),
    ("uuid", ("uuid",), "word"),
    ("memory_total_bytes", ("fb_memory_usage/total",), "MiB"),
    ("memory_used_bytes", ("fb_memory_usage/used",), "MiB"),
    ("memory_free_bytes", ("fb_memory_usage/free",), "MiB"),
    (
        "power_limit_default_w",
        ("gpu_power_readings/default_power_limit", "power_readings/default_power_limit"),
        "number",
    ),
    ("power_limit_w", ("gpu_power_readings/current_power_limit", "power_readings/enforced_power_limit"), "number"),
    (
        "power_w",
        (
            "gpu_power_readings/average_power_draw",
            "power_readings/average_power_draw",
            "gpu_power_readings/power_draw",
            "power_readings/power_draw",
        ),
        "number",
    ),
    ("ecc_enabled", ("ecc_mode/current_ecc",), "switch"),
    ("ecc_pending", ("ecc_mode/pending_ecc",), "switch"),
    ("mig_mode", ("mig_mode/current_mig",), "switch"),
    ("mig_pending", ("mig_mode/pending_mig",), "switch"),
    ("pcie_generation", ("pci/pci_gpu_link_info/pcie_gen/current_link_gen",), "number"),
    ("pcie_generation_max", ("pci/pci_gpu_link_info/pcie_gen/max_link_gen",), "number"),
    ("pcie_width", ("pci/pci_gpu_link_info/link_widths/current_link_width",), "number"),
    ("pcie_width_max", ("pci/pci_gpu_link_info/link_widths/max_link_width",), "number"),
    ("temperature_c", ("temperature/gpu_temp",), "number"),
)


def independent(node: ET.Element) -> Iterator[Reading]:
    """The facts of one <gpu>, read anew: the first element that holds a value, or that there is none."""
    for fact, paths, form in PLACES:
        texts = [text.strip() for path in paths if (text := node.findtext(path)) is not None]
        values = [_value(text, form) for text in texts]
        yield Reading(fact, bool(texts), next((value for value in values if value is not None), None))


def _value(text: str, form: str) -> object:
    if form == "switch":
        return {"Enabled": True, "Disabled": False}.get(text)
    if form == "word":
        return None if text in ("N/A", "") else text
    return number(text, MIB if form == "MiB" else 1)


def agrees(reading: Reading, fact: object) -> bool:
    """A value must be the same; words in its place must be known absence or ignorance; nothing must be unasked."""
    if not reading.there:
        return bool(fact == NOT_ASKED)
    if reading.value is None:
        return fact is None or (isinstance(fact, Unread) and fact != NOT_ASKED)
    return not isinstance(fact, Unread) and fact == reading.value


def measure_xml(found: list[Recording], report: Report) -> None:
    """GPU count, names, driver, CUDA version, memory, power, ECC, MIG and link of every XML report."""
    for recording in found:
        if recording.kind != "smi-xml":
            continue
        root = ET.fromstring(recording.text)
        snapshot = read_recording(recording.text)
        smi = snapshot.smi if snapshot is not None else None
        wrong: list[str] = []
        checks = 0
        if not isinstance(smi, Smi) or not isinstance(smi.gpus, list):
            report.fail(f"{recording.name}: not read")
            continue
        for fact, path in (("driver_version", "driver_version"), ("cuda_version", "cuda_version")):
            text = root.findtext(path)
            checks += 1
            if not agrees(Reading(fact, text is not None, text), getattr(smi, fact)):
                wrong.append(fact)
        nodes = root.findall("gpu")
        checks += 1
        if len(nodes) != len(smi.gpus):
            wrong.append("GPU count")
        for i, (node, gpu) in enumerate(zip(nodes, smi.gpus, strict=False)):
            for reading in independent(node):
                checks += 1
                if not agrees(reading, getattr(gpu, reading.fact)):
                    wrong.append(f"GPU {i} {reading.fact}: {reading.value!r} is read as {getattr(gpu, reading.fact)!r}")
        share = 100 * (checks - len(wrong)) / checks
        print(f"  {recording.name:45} {len(nodes)} GPUs  {checks - len(wrong):4} of {checks:4} facts  {share:6.2f} %")
        for words in wrong:
            report.fail(f"{recording.name}: {words}")


# -- against the sidecar and the other forms ---------------------------------------------------------------


def cards(snapshot: Snapshot | None) -> list[Gpu]:
    smi = snapshot.smi if snapshot is not None else None
    return smi.gpus if isinstance(smi, Smi) and isinstance(smi.gpus, list) else []


def measure_sidecars(found: list[Recording], report: Report) -> None:
    """Driver, CUDA version and names as the sidecar states them, wherever both speak."""
    checks = 0
    for recording in found:
        if recording.kind not in SMI_KINDS:
            continue
        snapshot = read_recording(recording.text)
        smi = snapshot.smi if snapshot is not None else None
        if not isinstance(smi, Smi):
            report.fail(f"{recording.name}: nothing of nvidia-smi is read")
            continue
        for fact, said in (
            ("driver_version", recording.meta.get("driver")),
            ("cuda_version", recording.meta.get("cuda")),
        ):
            told = getattr(smi, fact)
            if isinstance(told, str) and said is not None:
                checks += 1
                if told != said:
                    report.fail(f"{recording.name}: {fact} is {said}, read is {told}")
        said_names = {name.split(" (")[0] for name in recording.meta.get("gpu") or []}
        for gpu in cards(snapshot):
            if isinstance(gpu.name, str) and said_names:
                checks += 1
                if gpu.name.split(" (")[0] not in said_names:
                    report.fail(f"{recording.name}: {gpu.name} is none of {sorted(said_names)}")
    print(f"  {checks} statements of sidecars compared")


SAME = (
    "name",
    "uuid",
    "bus_id",
    "memory_total_bytes",
    "ecc_enabled",
    "mig_mode",
    "persistence",
    "compute_mode",
    "driver_model",
)


def measure_forms(found: list[Recording], report: Report) -> None:
    """What does not change with the load is the same in every form that one machine was recorded in."""
    machines: dict[str, list[tuple[str, Gpu]]] = {}
    for recording in found:
        stem = re.match(r"[\w-]+?-(?:590|591|595)(?=-|\.)", recording.name.split("/")[1])
        if recording.kind in SMI_KINDS and stem:
            machines.setdefault(stem[0], []).extend(
                (recording.name, gpu) for gpu in cards(read_recording(recording.text))[:1]
            )
    checks = 0
    for machine, told in machines.items():
        for fact in SAME:
            values = {name: getattr(gpu, fact) for name, gpu in told if not isinstance(getattr(gpu, fact), Unread)}
            checks += max(0, len(values) - 1)
            if len(set(values.values())) > 1:
                report.fail(f"{machine}: {fact} differs: {values}")
    print(f"  {len(machines)} machines in several forms, {checks} comparisons")


# -- judging -----------------------------------------------------------------------------------------------


def measure_judgement(found: list[Recording], report: Report) -> None:
    """No error where nothing is wrong; the right cause first where something is."""
    healthy = right = well = 0
    unknown = []
    for recording in found:
        if recording.kind not in OUTPUT_KINDS:
            continue
        snapshot = read_recording(recording.text)
        if snapshot is None:
            unknown.append(recording.name)
            if recording.name in FAULTS:
                report.fail(f"{recording.name}: not read, although it shows {FAULTS[recording.name]}")
            continue
        judged = judge(snapshot, QUESTIONS)
        for verdict in judged.verdicts:
            if verdict.outcome == "crashed":
                report.fail(f"{recording.name}: {verdict.rule} crashed: {verdict.why}")
        first: list[Finding] = [*judged.root_causes, *judged.warnings]
        if recording.name in FAULTS:
            right += bool(first) and first[0].rule == FAULTS[recording.name]
            if not first or first[0].rule != FAULTS[recording.name]:
                report.fail(f"{recording.name}: {FAULTS[recording.name]} expected, {[f.rule for f in first]} found")
        elif recording.name not in NOT_IN_THE_TEXT:
            errors = [f.rule for f in [*first, *(c.finding for c in judged.consequences)] if f.severity == "error"]
            well += 1
            healthy += not errors
            for rule in errors:
                report.fail(f"{recording.name}: {rule} found where the sidecar marks nothing wrong")
    print(f"  {healthy} of {well} recordings without a fault are accused of no error")
    print(f"  {right} of {len(FAULTS)} recorded faults: the right cause comes first")
    for name, why in NOT_IN_THE_TEXT.items():
        print(f"  not to be told from the text: {name} ({why})")
    for name in unknown:
        print(f"  no known form: {name}")


def measure_reading(found: list[Recording], report: Report) -> None:
    """Every file is read without an exception, and what is read is a valid snapshot."""
    read = 0
    for recording in found:
        try:
            snapshot = read_recording(recording.text, recording.name)
            if snapshot is not None:
                assert decode(encode(snapshot)) == snapshot
                read += 1
        except Exception as error:  # the measurement goes on and counts it
            report.fail(f"{recording.name}: {type(error).__name__}: {error}")
    print(f"  {read} of {len(found)} files hold something that is read; the others are of other kinds")


class Report:
    """What went wrong."""

    def __init__(self) -> None:
        self.failures: list[str] = []

    def fail(self, words: str) -> None:
        self.failures.append(words)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python tests/measure_recorded.py DATA_FOLDER\n")
        return 2
    folder = Path(arguments[0])
    folder = folder / "recorded" if (folder / "recorded").is_dir() else folder
    found = recordings(folder) if folder.is_dir() else []
    if not found:
        sys.stderr.write(f"nothing to measure: no recorded outputs in {folder}\n")
        return 0
    report = Report()
    for title, measure in (
        ("XML reports against an independent reading", measure_xml),
        ("Reading", measure_reading),
        ("Against the sidecars", measure_sidecars),
        ("Against the other forms of the same machine", measure_forms),
        ("Judgement", measure_judgement),
    ):
        print(title)
        measure(found, report)
    print(f"{len(report.failures)} deviations")
    for words in report.failures:
        print(f"  {words}")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
