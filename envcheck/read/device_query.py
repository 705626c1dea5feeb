"""CUDA's sample program ``deviceQuery`` (and ``deviceQueryDrv``) as facts of libcuda's own devices."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from envcheck.facts import CUDA_OK, Cuda, CudaDevice

from .lines import Line, Text

_DEVICE = re.compile(r'Device (\d{1,3}): "([^"]{1,120})"')
_COUNT = re.compile(r"(?:Detected|Found) (\d{1,3}) CUDA Capable device")
_LABEL = re.compile(r"([A-Z(][^:]{1,70}): +(\S.*)$")
_CORES = re.compile(r"\( *(\d{1,4})\) Multiprocessors")
_DRIVER = re.compile(r"CUDA Driver Version(?: / Runtime Version)?:? +(\d{1,3})\.(\d{1,2})\b")
_LONGEST_LINE = 400


def _first_number(text: str) -> int:
    found = re.match(r"\d{1,15}", text)
    if not found:
        raise ValueError(text)
    return int(found[0])


def _bytes_in_brackets(text: str) -> int:
    found = re.search(r"\((\d{1,15}) bytes\)", text)
    if not found:
        raise ValueError(text)
    return int(found[1])


def _capability(text: str) -> int:
    found = re.match(r"(\d{1,2})\.(\d)$", text)
    if not found:
        raise ValueError(text)
    return int(found[1]) * 10 + int(found[2])


def _mhz(text: str) -> int:
    return _first_number(text) * 1000


def _yes(text: str) -> bool:
    if text not in ("Yes", "No"):
        raise ValueError(text)
    return text == "Yes"


def _bus_id(text: str) -> str:
    """ "0 / 79 / 0": domain, bus, device, in decimal; older programs leave the domain out."""
    parts = [int(part) for part in re.findall(r"\d{1,5}", text)]
    if len(parts) not in (2, 3):
        raise ValueError(text)
    domain, bus, device = ([0] * (3 - len(parts))) + parts
    return f"{domain:04x}:{bus:02x}:{device:02x}.0"


# Beginning of a label → field and how it is read.  cuda-samples, deviceQuery.cpp, of CUDA 4 to 13.
_FIELDS: tuple[tuple[str, str, Callable[[str], Any]], ...] = (
    ("CUDA Capability Major/Minor", "compute_capability", _capability),
    ("Total amount of global memory", "memory_total_bytes", _bytes_in_brackets),
    ("GPU Max Clock rate", "clock_khz", _mhz),
    ("GPU Clock rate", "clock_khz", _mhz),
    ("Memory Clock rate", "memory_clock_khz", _mhz),
    ("Memory Bus Width", "bus_width_bits", _first_number),
    ("L2 Cache Size", "l2_bytes", _first_number),
    ("Run time limit on kernels", "kernel_timeout", _yes),
    ("Integrated GPU sharing Host Memory", "integrated", _yes),
    ("Device PCI Domain ID / Bus ID / location ID", "bus_id", _bus_id),
    ("Device PCI Bus ID / PCI location ID", "bus_id", _bus_id),
)

# Of these one stands in every line that tells something.
_WORDS: tuple[str, ...] = tuple(beginning for beginning, _, _ in _FIELDS)
_WORDS += ("CUDA Capable device", "CUDA Driver Version", "Device ", ") Multiprocessors")


def parse_device_query(lines: Sequence[Line], note: Callable[[str, Line], None] = lambda p, line: None) -> Cuda | None:
    """Read the devices that stand in these lines, or ``None`` where the program did not run or listed none.

    ``note`` is told of the line of every fact, by its pointer below /cuda.  That devices are listed says that CUDA
    was initialised.
    """
    devices: list[dict[str, Any]] = []
    head: dict[str, Any] = {}
    for line in Text.of(lines).holding(*_WORDS):
        text = line.text.strip()
        if len(text) > _LONGEST_LINE:
            continue
        if found := _COUNT.match(text):
            head["device_count"] = int(found[1])
            note("device_count", line)
        elif found := _DRIVER.match(text):
            head["driver_version"] = int(found[1]) * 1000 + int(found[2]) * 10
            note("driver_version", line)
        elif found := _DEVICE.match(text):
            note(f"devices/{len(devices)}/name", line)
            devices.append({"ordinal": int(found[1]), "name": found[2]})
        elif devices and (found := _CORES.match(text)):
            devices[-1]["multiprocessors"] = int(found[1])
            note(f"devices/{len(devices) - 1}/multiprocessors", line)
        elif devices and (found := _LABEL.match(text)):
            name = _take(devices[-1], found[1], found[2])
            if name is not None:
                note(f"devices/{len(devices) - 1}/{name}", line)
    if not any("compute_capability" in device for device in devices):
        return None
    return Cuda(init_code=CUDA_OK, devices=[CudaDevice(**device) for device in devices], **head)


def _take(device: dict[str, Any], label: str, value: str) -> str | None:
    """Read one label into the device; the name of the field, or ``None`` where it tells none."""
    for beginning, name, read in _FIELDS:
        if label.startswith(beginning) and name not in device:
            try:
                device[name] = read(value)
            except ValueError:
                return None  # a cut line tells nothing
            return name
    return None
