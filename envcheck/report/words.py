"""Collected text made fit to print: no escape sequences, no control characters, one line, units said.

Texts in a report come from the machine under judgement (file names, environment variables, error messages), so
all of them are hostile until :func:`clean` has seen them.
"""

from __future__ import annotations

import re
from typing import Any

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor movement
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS …: titles, links
    r"|\x1b[ -/]*[0-~]?"  # two-character sequences
)
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f"
    "\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # invisible, or turn the line round
    "\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
_CI_COMMAND = re.compile(r"(?:^|(?<=\s))::(?=[a-z])|##(?=\[)")
"""What a GitHub runner would obey where it stands at the start of a log line, as any wrapped word may come to."""
_SURROGATE = re.compile("[\ud800-\udfff]")
_SPACES = re.compile(" {2,}")
_FOLD = str.maketrans(
    {
        "…": "...",
        "—": "-",
        "–": "-",
        "‑": "-",
        "→": "->",
        "←": "<-",
        "≥": ">=",
        "≤": "<=",
        "≠": "!=",
        "≈": "~",
        "×": "x",
        "·": "-",
        "•": "*",
        "°": " deg ",
        "’": "'",
        "‘": "'",
        "“": '"',
        "”": '"',
        "✓": "[ok]",
        "✗": "x",
        "µ": "u",
        "\u00a0": " ",
    }
)
MIB, GIB = 1 << 20, 1 << 30


def clean(text: str) -> str:
    """One printable line: escape sequences and control characters gone, no command to a CI runner.

    A byte that was no UTF-8 in a file name (a surrogate U+DC80 to U+DCFF) becomes ``\\xNN``; any other lone
    surrogate is spelt out too.
    """
    if "\x1b" in text or _UNPRINTABLE.search(text):
        text = _UNPRINTABLE.sub(_spelt, _ESCAPES.sub("", text))
        text = _SPACES.sub(" ", text)
    if "::" in text or "##[" in text:
        text = _CI_COMMAND.sub(lambda match: " ".join(match[0]), text)
    return text.strip()


def clean_lines(text: str) -> list[str]:
    """:func:`clean` for a text of several lines; indentation is kept, empty lines at the end are not."""
    lines = []
    for line in text.replace("\r\n", "\n").split("\n"):
        indent = len(line) - len(line.lstrip(" "))
        lines.append(" " * indent + clean(line))
    while lines and not lines[-1].strip():
        lines.pop()
    return lines


def spell_surrogates(text: str) -> str:
    """The text with every lone surrogate spelt out; all else stays."""
    return text if text.isascii() else _SURROGATE.sub(_spelt, text)


def _spelt(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if 0xD800 <= code <= 0xDFFF:
        return f"\\u{code:04x}"
    return " " if match[0] in "\t\n\r\v\f\u2028\u2029\x85" else ""


def fold(text: str) -> str:
    """The same text for a page that cannot hold typographic characters.  Letters are left to the encoder."""
    return text if text.isascii() else text.translate(_FOLD)


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, the cut marked by an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def count(number: int, noun: str, plural: str = "") -> str:
    """``1 GPU``, ``2 GPUs``, ``no GPUs``."""
    return f"{number or 'no'} {noun if number == 1 else plural or noun + 's'}"


def dotted(pointer: str) -> str:
    """``/nvml/gpus/0/uuid`` as people read it: ``nvml.gpus.0.uuid``."""
    return clean(pointer.lstrip("/").replace("/", "."))


def gib(size: int) -> str:
    """Bytes as GiB with one digit: ``79.6``."""
    return f"{size / GIB:.1f}"


def cuda_release(number: int) -> str:
    """CUDA's own numbering, major*1000 + minor*10, as people write it: 12040 is ``12.4``."""
    return f"{number // 1000}.{number % 1000 // 10}"


def quoted(pointer: str, value: Any, limit: int = 160) -> str:
    """A fact's value in words, with its unit, on one line of at most ``limit`` characters."""
    return shorten(_words(pointer.rsplit("/", 1)[-1], value), limit)


def _words(name: str, value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return _record(value)
    if isinstance(value, list):
        return ", ".join(_item(name, item) for item in value) or "none listed"
    if isinstance(value, int):
        return _number(name, value)
    if isinstance(value, float):
        return f"{value:g}{_unit(name)}"
    return clean(str(value)) or "(empty)"


_NAMING = ("path", "address", "bus_id", "executable", "name", "soname", "module", "profile", "uuid")
"""Fields that say which record of a list is meant, the most telling first."""


def _item(name: str, value: Any) -> str:
    """An item of a list: a record is called by its name alone, since the pointer leads to the rest."""
    if isinstance(value, dict):
        naming = next((value[key] for key in _NAMING if isinstance(value.get(key), str)), None)
        return clean(naming) if naming else _record(value)
    return _words(name, value)


def _record(value: dict[str, Any]) -> str:
    if value.get("kind") == "unread":
        from envcheck.facts import Unread

        return clean(str(Unread(value["why"], value.get("detail", ""))))
    if set(value) == {"name", "value"}:  # an environment variable
        return f"{clean(str(value['name']))}={clean(str(value['value']))}"
    told = {k: v for k, v in value.items() if k != "kind" and not (isinstance(v, dict) and v.get("why") == "not_asked")}
    return ", ".join(f"{clean(k)} {_words(k, v)}" for k, v in told.items()) or "(nothing told)"


def _number(name: str, value: int) -> str:
    if name.endswith("_bytes"):
        return _size(value)
    if name in ("mode", "device_file_mode"):
        return f"0o{value:o}"
    if name in ("vendor", "device", "pci_device_id", "pci_subsystem_id"):
        return f"{value:#06x}"
    if name == "class_code":
        return f"{value:#08x}"
    if name in ("driver_version", "cuda_version", "cuda_version_kernel") and value >= 1000:
        return f"{value} (CUDA {cuda_release(value)})"
    if name == "compute_capability":
        return f"{value // 10}.{value % 10}"
    return f"{value}{_unit(name)}"


def _size(size: int) -> str:
    if size >= GIB:
        return f"{gib(size)} GiB"
    return f"{size / MIB:.1f} MiB" if size >= MIB else f"{size} bytes"


_UNITS = (
    ("_mhz", " MHz"),
    ("_khz", " kHz"),
    ("_w", " W"),
    ("_j", " J"),
    ("_c", " °C"),
    ("_percent", " %"),
    ("_gts", " GT/s"),
    ("_bits", " bit"),
    ("seconds", " s"),
)


def _unit(name: str) -> str:
    return next((unit for suffix, unit in _UNITS if name.endswith(suffix)), "")
