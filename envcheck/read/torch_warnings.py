"""Facts that torch's own warnings carry: the card that a build does not fit, and what the build was compiled for."""

from __future__ import annotations

import re

from .draft import RUNTIME, Draft
from .lines import Text
from .torch_words import take_runtime_gpu

SIGNS = ("CUDA capabilit", "cuda capability", "compute capability")

_NOT_COMPATIBLE = re.compile(
    r"(?:^|Warning:)\s{0,20}(?P<name>[A-Z][\w .()/-]{2,70}?) with CUDA capability sm_(?P<cc>\d{2,3})a? is not"
)
_TOO_OLD = re.compile(
    r"Found GPU(?P<index>\d{1,2}) (?P<name>.{2,70}?) which is of (?:cuda|compute) capability(?: \(CC\))? "
    r"(?P<cc>\d{1,2}\.\d)"
)
_SUPPORTS = re.compile(r"(?:install )?supports CUDA capabilities (?P<targets>(?:(?:sm|compute)_\d{2,3}[af]?[ ,.]*)+)")


def read(lines: Text, draft: Draft) -> None:
    """Read such warnings wherever they stand."""
    for line in lines.holding(*SIGNS, once=True):
        for pattern in (_NOT_COMPATIBLE, _TOO_OLD):
            found = pattern.search(line.text)
            if found is not None:
                index = int(found.groupdict().get("index") or 0)
                take_runtime_gpu(draft, found["name"].strip(), line, index, int(found["cc"].replace(".", "")))
        supports = _SUPPORTS.search(line.text)
        if supports is not None:
            targets = re.findall(r"(?:sm|compute)_\d{2,3}[af]?", supports["targets"])
            draft.note(f"{RUNTIME}/arch_list", targets, line)
