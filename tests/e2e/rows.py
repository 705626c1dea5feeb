"""A row of the table of whole runs: a machine, and what ``envcheck doctor`` has to say of it, no less and no more."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes import Machine, Scenario, smi_xml
from tests.fakes.programs import answering, failing

Build = Callable[[Path], str]
"""Makes an environment in a folder; the path of its Python."""

QUIET_LOG = "[    0.000000] Linux version 6.8.0-51-generic (buildd@lcy02-amd64-059)\n"


@dataclass(frozen=True)
class Row:
    """``finds``: every error and warning that nothing else explains, and those notes that this row is about.

    A value is a severity, with the NVML indices of the cards where the rule is about cards: ``"warning 0 3"``.
    ``follows`` are findings that have to be folded under another one.  ``variables`` may name ``{root}``, the folder
    that stands for "/", ``{home}`` and ``{env}``.  ``python`` makes the environment that is judged, a healthy one
    unless it is given, and ``imports`` has its torch imported.  ``home`` furnishes the user's home, where the run
    starts.
    ``command`` is put in front of envcheck, for a limit of the session.  ``verdict`` is told by ``finds`` unless it is
    set.
    """

    machine: Callable[[], Machine]
    finds: Mapping[str, str]
    follows: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    python: Build | None = None
    imports: bool = False
    home: Callable[[Path], None] | None = None
    command: tuple[str, ...] = ()
    asked: tuple[str, ...] = ("doctor",)
    verdict: str = ""
    slow: bool = False

    def environ(self, root: Path, deployed: Mapping[str, str], home: Path, env: Path) -> dict[str, str]:
        """Nothing of the tester's own shell reaches the run: no PATH, no locale, no variable of CUDA's."""
        places = {"root": str(root), "home": str(home), "env": str(env)}
        own = {name: value.format(**places) for name, value in self.variables.items()}
        kept = {name: os.environ[name] for name in ("TMPDIR", "SYSTEMROOT") if name in os.environ}
        return {**kept, **deployed, "PATH": f"{root}/usr/bin", "HOME": str(home), **own}


def quiet(machine: Machine, *records: str) -> Machine:
    """The machine with a kernel log that may be read: the line of the start, and these."""
    return machine.program("dmesg", answering(QUIET_LOG + "".join(f"{record}\n" for record in records)))


def server(scenario: Scenario, *records: str) -> Machine:
    """A server whose nvidia-smi and kernel log answer, so that nothing about it is unknown."""
    machine = Machine(scenario).program("nvidia-smi", answering({"-q -x": smi_xml(scenario)}))
    return quiet(machine, *records)


def refused(machine: Machine, code: int, *records: str) -> Machine:
    """A machine whose nvidia-smi fails with this code, and whose kernel log answers."""
    return quiet(machine.program("nvidia-smi", failing(code)), *records)


def check(row: Row, report: Mapping[str, Any]) -> None:
    """The findings are those of the row; every one of them can be mended or needs no mending."""
    loose = [*report["root_causes"], *report["warnings"], *report["notes"]]
    keys = _cards(report["snapshot"])
    unlike = [f"{item['rule']}: {item['summary']}" for item in loose if item["confidence"] != "established"]
    assert unlike == [], "a suspicion where the fault was there to be seen"
    found: dict[str, tuple[str, list[int]]] = {}
    for item in loose:
        if item["severity"] == "note" and item["rule"] not in row.finds:
            continue
        severity, cards = found.setdefault(item["rule"], (item["severity"], []))
        assert severity == item["severity"], f"{item['rule']}: of two severities"
        if item["subject"].startswith("gpu:"):
            cards.append(keys[item["subject"]])
    told = {rule: " ".join([severity, *map(str, sorted(cards))]) for rule, (severity, cards) in found.items()}
    assert told == dict(row.finds), "\n".join(
        [
            *(f"{item['severity']} {item['rule']}: {item['summary']}" for item in loose),
            *(f"cannot tell {item['rule']}: {item['why']}" for item in report["cannot_tell"] if item["asked"]),
        ]
    )
    assert set(row.follows) <= {item["rule"] for item in report["consequences"]}
    for item in loose:
        # The policy itself is no fact of the machine.
        assert item["evidence"] or item["rule"] == "policy-exception-expired", f"{item['rule']}: no evidence"
        assert item["severity"] == "note" or item["fix"]["steps"], f"{item['rule']}: no way to mend it"
    crashed = [item for item in report["cannot_tell"] if " crashed: " in item["why"]]
    assert crashed == []


def _cards(snapshot: Mapping[str, Any]) -> dict[str, int]:
    """Subject key → index.  Where NVML lists no card, its place on the bus counts."""
    gpus = snapshot["nvml"].get("gpus") if isinstance(snapshot.get("nvml"), dict) else None
    listed = gpus if isinstance(gpus, list) else []
    keys = {f"gpu:{gpu['uuid']}": gpu["index"] for gpu in listed if isinstance(gpu.get("uuid"), str)}
    functions = snapshot["devices"]["pci"] if isinstance(snapshot["devices"].get("pci"), list) else []
    cards = sorted(item["address"] for item in functions if item["vendor"] == 0x10DE and item["class_code"] >> 16 == 3)
    keys |= {f"gpu:{address}": number for number, address in enumerate(cards)}
    known = snapshot["driver"].get("gpus") if isinstance(snapshot.get("driver"), dict) else None
    for gpu in known if isinstance(known, list) else []:  # a card that only /proc names by its UUID
        if isinstance(gpu.get("uuid"), str) and gpu["bus_id"] in cards:
            keys.setdefault(f"gpu:{gpu['uuid']}", cards.index(gpu["bus_id"]))
    return keys
