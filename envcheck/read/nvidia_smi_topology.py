"""How GPUs are joined: the matrices of ``nvidia-smi topo -m`` and ``nvidia-smi topo -p2p r``.

Columns are counted and not measured: a pasted matrix has blanks where the program writes tabs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from envcheck.facts import P2p, Smi

from .lines import Line, Text
from .nvidia_smi_fields import Note

_GPU = re.compile(r"GPU(\d{1,3})$")
_COLUMN = re.compile(r"(?:GPU|NIC)\d{1,3}$|(?:mlx|bnxt|irdma|efa|roce)\w*$")
_PATH = re.compile(r"(?:NV\d{1,2}|PIX|PXB|PHB|NODE|SYS|SOC|PSB|PIIX)$")
_STATUS = {"OK": "ok", "CNS": "chipset", "GNS": "gpu", "TNS": "topology", "DR": "disabled", "NS": "not_supported"}
_P2P_READ = re.compile(r"topo\s+--?p2p\s+r\b")


def parse_topology(lines: Sequence[Line], note: Note = lambda pointer, line: None) -> Smi | None:
    """Read the first matrix that stands in these lines, or ``None`` where there is none.

    The matrix of ``-p2p`` shows no sign of which capability it is about: it counts only below its own command.
    """
    lines = Text.of(lines)
    start = next((at for at in lines.where("GPU0 ") if _gpus_of(lines.texts[at])), None)
    if start is None:
        return None
    columns = _columns(lines[start].text)
    reads = any(_P2P_READ.search(line.text) for line in lines[max(0, start - 3) : start])
    pairs: list[P2p] = []
    seen = set()
    for line in (lines[at] for at in lines.where("GPU", "Legend") if at > start):
        cells = line.text.split()
        row = _GPU.match(cells[0]) if cells else None
        if row is None:
            if cells and cells[0].startswith("Legend"):
                break
            continue
        a = int(row[1])
        for column, cell in zip(columns, cells[1:], strict=False):
            other = _GPU.match(column)
            if other is None or int(other[1]) <= a or (a, int(other[1])) in seen:
                continue
            pair = None
            if _PATH.match(cell):
                pair = P2p(a=a, b=int(other[1]), path=cell)
            elif reads and cell in _STATUS:
                pair = P2p(a=a, b=int(other[1]), read_status=_STATUS[cell])
            if pair is not None:
                seen.add((pair.a, pair.b))
                note(f"pairs/{len(pairs)}", line)
                pairs.append(pair)
    return Smi(form="topo", error=None, pairs=pairs)


def _columns(text: str) -> list[str]:
    """Names of the devices in a headline; what follows them is about CPUs and NUMA nodes."""
    found: list[str] = []
    for word in text.split()[:300]:
        if not _COLUMN.match(word):
            break
        found.append(word)
    return found


def _gpus_of(text: str) -> bool:
    """Is the line a headline: GPU0 first, and then more devices or the CPU affinity?"""
    if not text.lstrip().startswith("GPU0 "):
        return False
    columns = _columns(text)
    return columns[:1] == ["GPU0"] and (len(columns) > 1 or "CPU Affinity" in text)
