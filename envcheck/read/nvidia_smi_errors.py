"""What nvidia-smi says in place of a report, and the exit code that goes with it.

Words are NVML's (nvmlErrorString) behind nvidia-smi's own beginnings; exit codes are those of nvidia-smi(1), section
RETURN VALUE, which are NVML's return codes, with 255 for an unknown error.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from envcheck.facts import NOT_ASKED, Fact, Gpu, Smi

from .lines import Line, Text
from .nvidia_smi_fields import Note, as_bus_id

# nvmlReturn_t by the words that nvidia-smi prints, the longer before what they contain.
_CODES: tuple[tuple[str, int], ...] = (
    ("Insufficient Permissions", 4),
    ("Insufficient External Power", 8),
    ("Driver Not Loaded", 9),
    ("Shared Library Not Found", 12),
    ("Function Not Found", 13),
    ("Not Found", 6),
    ("Timeout", 10),
    ("infoROM is corrupted", 14),
    ("Corrupted infoROM", 14),
    ("GPU is lost", 15),
    ("GPU requires re", 16),
    ("GPU access blocked by the operating system", 17),
    ("Driver/library version mismatch", 18),
    ("Unknown Error", 999),
)
_UNKNOWN = 999
_EXIT_UNKNOWN = 255

_WHOLE: tuple[tuple[str, int], ...] = (
    ("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver", 9),
    ("NVIDIA-SMI couldn't find libnvidia-ml.so library in your system", 12),
    ("No devices were found", 6),
)
_INIT = re.compile(r"Failed to initialize NVML: ([\w /-]{1,80})")
_HANDLE = re.compile(
    r"Unable to (?:determine|detect) the device handle for GPU ?(?:(\d{1,3}): ?)?"
    r"([0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-7])?:? ?(.{1,100})",
    re.IGNORECASE,
)
_INFOROM = re.compile(r"infoROM is corrupted at gpu ([0-9A-Fa-f:.]{10,20})", re.IGNORECASE)
_LIBRARY = re.compile(r"NVML library version: (\S{1,30})")
_NO_PROGRAM = re.compile(
    r"nvidia-smi: (?:command )?not found|command not found: nvidia-smi|Command 'nvidia-smi' not found"
    r"|'nvidia-smi' is not recognized as|The term 'nvidia-smi' is not recognized"
)
_BAD_CALL = re.compile(r"(?:ERROR: Option \S{1,40} is |Invalid combination of input arguments)")
_EXIT = re.compile(r"exit (?:code|status)[: ]{1,3}(\d{1,3})\b", re.IGNORECASE)

# Of these one stands in every line that tells something.
_WORDS: tuple[str, ...] = ("nvml", "nvidia-smi", "device handle for gpu", "inforom is corrupted", "error: option ")
_WORDS += ("invalid combination of input", "no devices were found", "exit code", "exit status")


def parse_errors(lines: Sequence[Line], note: Note = lambda pointer, line: None) -> Smi | None:
    """Read the messages that stand in these lines, or ``None`` where there is none.

    Of a GPU that nvidia-smi cannot open, its bus id and NVML's code are told.
    """
    facts: dict[str, Any] = {}
    gpus: list[Gpu] = []
    code: Fact[int] = NOT_ASKED

    def put(name: str, value: object, line: Line) -> None:
        if name not in facts:
            facts[name] = value
            note(name, line)

    for line in Text.of(lines).holding(*_WORDS, any_case=True):
        text = line.text.strip()
        if found := _LIBRARY.search(text):
            put("nvml_version", found[1], line)
        if _NO_PROGRAM.search(text):
            put("path", None, line)
        if found := _HANDLE.search(text):
            code = code_of(found[3])
            note(f"gpus/{len(gpus)}", line)
            gpus.append(_unopened(found, code, len(gpus)))
            put("error", text, line)
            put("exit_code", exit_code_of(code), line)
        elif found := _INFOROM.search(text):
            note(f"gpus/{len(gpus)}", line)
            gpus.append(Gpu(index=len(gpus), bus_id=_bus(found[1]), inforom_valid=False))
            put("exit_code", 14, line)
        elif found := _INIT.search(text):
            put("error", found[0].strip(), line)
            put("exit_code", exit_code_of(code_of(found[1])), line)
        elif _BAD_CALL.search(text):
            put("error", text[:200], line)
        for words, exit_code in _WHOLE:
            if text.startswith(words) or f": {words}" in text:
                put("error", text[:200], line)
                put("exit_code", exit_code, line)
                if words.startswith("No devices"):
                    # An answer, the only failure that counts GPUs.
                    put("attached_gpus", 0, line)
                    put("gpus", [], line)
        if "error" in facts and (found := _EXIT.search(text)):
            facts["exit_code"] = int(found[1])
            note("exit_code", line)
    if gpus:
        facts["gpus"] = gpus
    return Smi(form="error", **facts) if facts.keys() - {"nvml_version"} else None


def code_of(words: str) -> Fact[int]:
    """The nvmlReturn_t that these words stand for."""
    return next((code for told, code in _CODES if told.lower() in words.lower()), NOT_ASKED)


def exit_code_of(code: Fact[int]) -> Fact[int]:
    """The exit code of nvidia-smi after NVML answered so."""
    return _EXIT_UNKNOWN if code == _UNKNOWN else code


def _unopened(found: re.Match[str], code: Fact[int], at: int) -> Gpu:
    return Gpu(
        index=int(found[1]) if found[1] else at,
        error_code=code,
        error_text=found[3].strip(" ."),
        bus_id=_bus(found[2]) if found[2] else NOT_ASKED,
    )


def _bus(text: str) -> Fact[str]:
    try:
        return as_bus_id(text)
    except ValueError:
        return NOT_ASKED
