"""``ldconfig -p`` as the driver's libraries in the loader's cache."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from envcheck.facts import DriverLibrary

from .lines import Line, Text

_ENTRY = re.compile(r"(lib(?:cuda|nvidia-ml)\.so(?:\.\d{1,4})?) \((libc6[^)]{0,60})\) => (/\S{1,300})$")


def parse_ld_cache(
    lines: Sequence[Line], note: Callable[[str, Line], None] = lambda pointer, line: None
) -> list[DriverLibrary] | None:
    """The entries for libcuda and libnvidia-ml, 64-bit ones first, or ``None`` where the lines show no such entry.

    The cache names links, not files: versions are not told.  ``note`` is told of lines by pointers below
    /driver/libraries.
    """
    entries = [(line, match) for line in Text.of(lines).holding(" => /") if (match := _ENTRY.match(line.text.strip()))]
    entries.sort(key=lambda entry: "," not in entry[1][2])  # "libc6,x86-64" before the 32-bit "libc6"
    for i, (line, _) in enumerate(entries):
        note(str(i), line)
    return [DriverLibrary(soname=m[1], path=m[3], found_in="ld cache") for _, m in entries] or None
