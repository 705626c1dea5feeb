"""Pretended programs: scripts that answer, fail, hang, flood, die, or speak another locale.

Each function gives the text of a script for ``Machine.program(name, script)`` or :func:`write_program`.
They are plain ``sh`` where they can be, so that a machine without PATH runs them too.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

SHELL = "#!/bin/sh\n"

# What nvidia-smi says and its exit code, which is the nvmlReturn_t (nvidia-smi manual, "RETURN VALUE").
SMI_FAILURES: dict[int, str] = {
    4: "Failed to initialize NVML: Insufficient Permissions",
    6: "No devices were found",
    9: "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest "
    "NVIDIA driver is installed and running.\n",
    12: "NVIDIA-SMI couldn't find libnvidia-ml.so library in your system. Please make sure that the NVIDIA Display "
    "Driver is properly installed and present in your system.\nPlease also try adding directory that contains "
    "libnvidia-ml.so to your system PATH.",
    15: "Unable to determine the device handle for GPU 0000:43:00.0: GPU is lost.  Reboot the system to recover "
    "this GPU",
    18: "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 580.105",
    255: "Failed to initialize NVML: Unknown Error",
}


def write_program(folder: Path, name: str, script: str) -> Path:
    """Write one program into ``folder`` and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)
    return path


def answering(answers: Mapping[str, str] | str, *, code: int = 0) -> str:
    """A program that prints a text: one for every call, or by its arguments (``{"-q -x": xml, "-L": list}``).

    Arguments without an answer end with exit code 2 and a line on stderr, as nvidia-smi ends.
    """
    if isinstance(answers, str):
        return SHELL + _print(answers) + f"exit {code}\n"
    cases = "".join(f"{shlex.quote(arguments)})\n{_print(text)};;\n" for arguments, text in answers.items())
    unknown = '*)\necho "Invalid combination of input arguments: $*" >&2\nexit 2;;\n'
    return f'{SHELL}case "$*" in\n{cases}{unknown}esac\nexit {code}\n'


def _print(text: str) -> str:
    """A here-document, which keeps every character and needs no program but ``cat``'s path."""
    mark = "END_OF_ANSWER"
    while mark in text:
        mark += "_"
    ending = "" if text.endswith("\n") or not text else "\n"
    return f"/bin/cat <<'{mark}'\n{text}{ending}{mark}\n"


def failing(code: int, text: str | None = None) -> str:
    """A program that says why it fails, on stdout as nvidia-smi does, and exits with ``code``."""
    return answering(SMI_FAILURES[code] if text is None else text, code=code)


def hanging(*, ignore_signals: bool = True, first: str = "") -> str:
    """A program that never ends: it ignores every signal that can be ignored, unless told otherwise.

    ``first`` is printed before it hangs.
    """
    trap = "trap '' TERM INT HUP QUIT\n" if ignore_signals else ""
    return f"{SHELL}{trap}{_print(first) if first else ''}while :; do /bin/sleep 3600; done\n"


def leaving_a_child() -> str:
    """A program that ends at once and leaves a child with its stdout open: the pipe never reaches its end."""
    return f"{SHELL}(trap '' TERM HUP INT; while :; do /bin/sleep 3600; done) &\necho started\n"


def flooding(size: int = 1_000_000_000, *, to: str = "stdout") -> str:
    """A program that prints ``size`` bytes as fast as it can, to ``stdout`` or ``stderr``."""
    return _python(
        "import os\n"
        f"fd, left = {1 if to == 'stdout' else 2}, {size}\n"
        "line = (b'x' * 127 + b'\\n') * 512\n"
        "while left > 0:\n"
        "    left -= os.write(fd, line[:left])\n"
    )


def dying(signal: int = 11) -> str:
    """A program that a signal ends: 11 (SIGSEGV) unless told otherwise."""
    return f"{SHELL}ulimit -c 0\nkill -{signal} $$\n/bin/sleep 60\n"


def slow(seconds: float, text: str = "") -> str:
    """A program that answers after a while."""
    return f"{SHELL}/bin/sleep {seconds}\n{_print(text)}"


def localised(text: str) -> str:
    """A program that writes decimal commas unless LC_ALL=C asks for points."""
    other = re.sub(r"(?<=\d)\.(?=\d+ (?:W|C|%|MHz|MiB))", ",", text)
    return f'{SHELL}if [ "$LC_ALL" = C ]; then\n{_print(text)}else\n{_print(other)}fi\n'


def garbage(size: int = 4096) -> str:
    """A program that prints bytes which are no text in any encoding."""
    return _python(f"import os\nos.write(1, bytes(range(128, 256)) * {size // 128})\n")


def _python(body: str) -> str:
    return f"#!{sys.executable} -SE\n{body}"
