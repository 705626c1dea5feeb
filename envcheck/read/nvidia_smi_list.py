"""nvidia-smi's short answers: ``-L``, ``nvlink --status`` and ``--version``.

``nvlink`` prints the lines of ``-L`` with the links below them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from envcheck.facts import NOT_ASKED, Gpu, MigDevice, NvLink, Smi, Unread

from .lines import Line, Text
from .nvidia_smi_fields import MOST_GPUS, Note, as_word, read_value

_GPU = re.compile(r"GPU (\d{1,3}): (.{1,120}?) \(UUID: (GPU-[\w-]{1,60})\)")
_MIG = re.compile(r"MIG (\S{1,30}) +Device +\d{1,3}: \(UUID: (MIG-[\w/-]{1,80})\)")
_OLD_MIG = re.compile(r"MIG-GPU-[\w-]+/(\d{1,3})/(\d{1,3})$")  # before driver 470: GPU, GPU instance, compute instance
_LINK = re.compile(r"Link (\d{1,2}): (?:(<inactive>|Inactive|N/A)|[\d.]{1,12} GB/s)", re.IGNORECASE)
_LINK_WORDS = {
    "Device does not have or support Nvlink": None,
    "Nvlink queries are not supported for Devices in MIG mode": Unread("unsupported", "not told in MIG mode"),
    # At least the first link is among "all links"; how many there are is not told.
    "as all links are inActive": [NvLink(link=0, active=False)],
}
_VERSION = re.compile(r"(NVIDIA-SMI|NVML|DRIVER|KMD|CUDA|CUDA UMD) version +: (\S{1,20})$", re.IGNORECASE)
_VERSION_FIELDS = {
    "nvml": "nvml_version",
    "driver": "driver_version",
    "kmd": "driver_version",
    "cuda": "cuda_version",
    "cuda umd": "cuda_version",
}


def parse_list(lines: Sequence[Line], note: Note = lambda pointer, line: None) -> Smi | None:
    """Read ``nvidia-smi -L`` or ``nvidia-smi nvlink --status``, or ``None`` where neither stands in the lines."""
    gpus: list[dict[str, Any]] = []
    text_of_lines = Text.of(lines)
    if not text_of_lines.says("(UUID: GPU-"):
        return None
    for line in text_of_lines.holding("GPU ", "MIG ", "Link ", "link ", *_LINK_WORDS):
        text = line.text.strip()
        if found := _GPU.match(text):
            gpu: dict[str, Any] = {"index": int(found[1]), "error_code": None, "error_text": None}
            gpu |= {"name": read_value(found[2], as_word, False), "uuid": found[3]}
            if len(gpus) == MOST_GPUS:
                break
            for name in ("name", "uuid"):
                note(f"gpus/{len(gpus)}/{name}", line)
            gpus.append(gpu)
        elif gpus and (found := _MIG.match(text)):
            instances = _OLD_MIG.match(found[2])
            devices = gpus[-1].setdefault("mig_devices", [])
            note(f"gpus/{len(gpus) - 1}/mig_devices/{len(devices)}", line)
            devices.append(
                MigDevice(
                    uuid=found[2],
                    profile=found[1],
                    gpu_instance=int(instances[1]) if instances else NOT_ASKED,
                    compute_instance=int(instances[2]) if instances else NOT_ASKED,
                )
            )
        elif gpus and (found := _LINK.match(text)):
            links = gpus[-1].setdefault("nvlinks", [])
            if isinstance(links, list):
                note(f"gpus/{len(gpus) - 1}/nvlinks/{len(links)}", line)
                links.append(NvLink(link=int(found[1]), active=not found[2]))
        elif gpus:
            for words, fact in _LINK_WORDS.items():
                if words in text:
                    gpus[-1]["nvlinks"] = fact
                    note(f"gpus/{len(gpus) - 1}/nvlinks", line)
    if not gpus:
        return None
    return Smi(form="list", error=None, gpus=[Gpu(**gpu) for gpu in gpus])


def parse_version(lines: Sequence[Line], note: Note = lambda pointer, line: None) -> Smi | None:
    """Read ``nvidia-smi --version``, or ``None`` where it does not stand in the lines."""
    head: dict[str, Any] = {}
    about = Text.of(lines).holding("version", any_case=True)
    told = [(line, found) for line in about if (found := _VERSION.match(line.text.strip()))]
    if not any(found[1].upper() == "NVIDIA-SMI" for _, found in told):
        return None
    for line, found in told:
        name = _VERSION_FIELDS.get(found[1].lower())
        if name is not None and name not in head:
            head[name] = read_value(found[2], as_word, False)
            note(name, line)
    return Smi(form="version", error=None, **head)
