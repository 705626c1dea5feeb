"""How well pasted reports are read and explained: ``python tests/measure_reports.py DATA_FOLDER``.

DATA_FOLDER holds ``reports/`` and ``env-blocks/`` (one JSON file each: text, truth, facts) and ``cause-map.json``
(truth id → rules that count as naming it).  They are no part of the repository; without them this says so and stops.

Printed are the accuracy of the first root cause, false alarms on controls, fields read, the confusions, and three
control experiments: the same with the symptom table off, with facts off, and with the table alone.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from envcheck.facts import Snapshot, make
from envcheck.judge import Report, judge
from envcheck.read.lines import clean_lines
from envcheck.read.paste import read_paste
from envcheck.read.symptoms import find_in_lines
from envcheck.rules import QUESTIONS

FIELDS = ("torch", "cuda_build", "cuda_available", "python", "os", "driver", "gpus", "cudnn", "gcc", "nvcc")
PACKAGES = ("torchvision", "torchaudio", "triton", "numpy")


def whole(text: str) -> Snapshot:
    """What is judged: facts and messages."""
    return read_paste(text)


def facts_alone(text: str) -> Snapshot:
    """The symptom table switched off."""
    return replace(read_paste(text), symptoms=[])


def without_facts(text: str) -> Snapshot:
    """Facts switched off: the rules see the messages alone, sorted by what stands around them (which reads facts)."""
    return make(source="pasted", symptoms=read_paste(text).symptoms)


def messages_alone(text: str) -> Snapshot:
    """Facts and sorting switched off: what the table says of each message, whatever stands around it."""
    lines = [(line.number, line.text) for line in clean_lines(text)]
    return make(source="pasted", symptoms=find_in_lines(lines, "line {}".format))


def explain(text: str, read: Callable[[str], Snapshot] = whole) -> Report:
    return judge(read(text), QUESTIONS)


def is_right(report: Report, truth: list[str], causes: dict[str, list[str]]) -> bool:
    """The first root cause is one that the map lists for the first truth; "none": no root cause at error level."""
    if truth[0] == "none":
        return not any(finding.severity == "error" for finding in report.root_causes)
    if truth[0] not in causes:
        raise SystemExit(f"cause-map.json has no row for {truth[0]}")
    return bool(report.root_causes) and report.root_causes[0].rule in causes[truth[0]]


def named(report: Report) -> str:
    return ", ".join(f"{f.rule}{'' if f.confidence == 'established' else '?'}" for f in report.root_causes[:3]) or "-"


# -- fields ------------------------------------------------------------------------------------------------


def told(value: Any) -> Any:
    """A value for comparing: unread and unasked are both "not told"."""
    return None if type(value).__name__ == "Unread" else value


def part(snapshot: Snapshot, *path: str) -> Any:
    here: Any = snapshot
    for name in path:
        here = told(here)
        if here is None:
            return None
        if isinstance(here, list):
            index = int(name)
            here = here[index] if index < len(here) else None
        else:
            here = getattr(here, name)
    return told(here)


def as_printed(name: Any) -> str | None:
    """A GPU's name; nvidia-smi's table cuts long ones, which are no names but are quoted where they stand."""
    return name.detail.removeprefix("cut off in the table: ") or None if type(name).__name__ == "Unread" else name


def printed_python(snapshot: Snapshot) -> str | None:
    """Python's version where the text prints it: a folder's name ("/lib/python3.10/") tells it, and prints none."""
    version = part(snapshot, "interpreters", "0", "version")
    source = next((o.source for o in snapshot.origins if o.pointer == "/interpreters/0/version"), "")
    return None if version is not None and f"/python{version}/" in source else version


def read_fields(snapshot: Snapshot) -> dict[str, Any]:
    """The fields that the blocks state, from the snapshot."""
    torch, runtime = ("interpreters", "0", "torch"), ("interpreters", "0", "runtime")
    packages = {p.name: told(p.version) for p in part(snapshot, "interpreters", "0", "distributions") or []}
    conda = {p.name: told(p.version) for p in part(snapshot, "interpreters", "0", "conda_packages") or []}
    available = part(snapshot, *runtime, "available")
    listed = [as_printed(g.name) for g in part(snapshot, "smi", "gpus") or [] if as_printed(g.name)]
    seen = [d.name for d in part(snapshot, *runtime, "devices") or [] if told(d.name)]
    library = part(snapshot, "interpreters", "0", "library_copies") or []
    fields: dict[str, Any] = {
        "torch": part(snapshot, *runtime, "version") or part(snapshot, *torch, "version") or packages.get("torch"),
        "cuda_build": part(snapshot, *torch, "cuda") or part(snapshot, *runtime, "cuda"),
        "cuda_available": available if available is not None else part(snapshot, "cuda", "reported"),
        "python": printed_python(snapshot),
        "os": snapshot,
        "driver": part(snapshot, "driver", "proc")
        or part(snapshot, "driver", "pasted")
        or part(snapshot, "smi", "driver_version"),
        "gpus": listed or seen or None,
        "cudnn": next((told(copy.version) for copy in library if copy.soname.startswith("libcudnn")), None)
        or part(snapshot, *torch, "cudnn"),
        "gcc": part(snapshot, "toolkit", "host_compiler_version"),
        "nvcc": part(snapshot, "toolkit", "toolkits", "0", "version")
        or next(
            (
                told(p.cuda_compiler)
                for p in part(snapshot, "interpreters", "0", "distributions") or []
                if told(p.cuda_compiler)
            ),
            None,
        ),
    }
    for name in PACKAGES:
        fields[name] = packages.get(name) or conda.get(name)
    return fields


def same(field: str, want: Any, have: Any) -> bool:
    """Is the field read as it is printed?  The system is compared by its parts, which is how the snapshot holds it."""
    if field == "os":
        return same_system(want, have)
    if field == "cudnn" and want and have:
        return bool(want == have or have.startswith(f"{want}.") or want.startswith(f"{have}."))
    return bool(want == have)


def same_system(want: str | None, snapshot: Snapshot) -> bool:
    host = told(snapshot.host)
    if want is None or host is None:
        return want is None and (host is None or told(host.os_name) is None)
    name, machine, release = told(host.os_name), told(host.machine), told(host.kernel_release)
    system, version = told(host.system), told(host.os_version)
    if name is not None and want in (name, f"{name} ({machine})"):
        return True
    if re.match(r"(?:Linux|Windows|macOS)-", want):
        parts = [p for p in (release, machine) if p] if system == "Linux" else [version]
        return bool(parts) and all(p is not None and p in want for p in parts)
    return system == {"linux": "Linux", "win32": "Windows", "win64": "Windows", "darwin": "Darwin"}.get(want.lower())


def wrong_fields(facts: dict[str, Any], snapshot: Snapshot) -> Iterable[tuple[str, Any, Any]]:
    have = read_fields(snapshot)
    for field in FIELDS:
        if not same(field, facts[field], have[field]):
            shown = told(snapshot.host) if field == "os" else have[field]
            yield field, facts[field], shown
    for name in PACKAGES:
        if facts["packages"][name] != have[name]:
            yield name, facts["packages"][name], have[name]


# -- the measurement ---------------------------------------------------------------------------------------


def load(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]


def share(part_: int, whole: int) -> str:
    return f"{part_}/{whole} ({100 * part_ / whole:.1f} %)" if whole else "0/0"


def score(items: list[dict[str, Any]], causes: dict[str, list[str]], read: Callable[[str], Snapshot]) -> str:
    judged = [(item, explain(item["text"], read)) for item in items if item["truth"]]
    sick = [(i, r) for i, r in judged if i["truth"][0] != "none"]
    well = [(i, r) for i, r in judged if i["truth"][0] == "none"]
    right = sum(is_right(r, i["truth"], causes) for i, r in sick)
    alarms = sum(not is_right(r, i["truth"], causes) for i, r in well)
    both = share(right + len(well) - alarms, len(judged))
    return f"first root cause {share(right, len(sick))}, false alarms {alarms} of {len(well)}, together {both}"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("-v", "--verbose", action="store_true", help="every answer, not only the wrong ones")
    options = parser.parse_args()
    needed = [options.folder / name for name in ("reports", "env-blocks", "cause-map.json")]
    missing = [str(path) for path in needed if not path.exists()]
    if missing:
        sys.stderr.write(f"nothing to measure: {', '.join(missing)} is not there\n")
        return 2
    causes = json.loads(needed[2].read_text("utf-8"))["map"]
    for name, folder in (("reports", needed[0]), ("env-blocks", needed[1])):
        items = load(folder)
        sys.stdout.write(f"\n== {name}: {len(items)}\n")
        confusions: Counter[tuple[str, str]] = Counter()
        for item in items:
            if not item["truth"]:
                continue
            report = explain(item["text"])
            right = is_right(report, item["truth"], causes)
            if not right:
                confusions[item["truth"][0], named(report)] += 1
            if not right or options.verbose:
                mark = "  " if right else "X "
                sys.stdout.write(f"{mark}{item['id']} {item['truth'][0]}: {named(report)}\n")
        for label, read in (
            ("", whole),
            ("symptoms off: ", facts_alone),
            ("facts off, messages sorted by their surroundings: ", without_facts),
            ("facts and sorting off, the table alone: ", messages_alone),
        ):
            sys.stdout.write(f"{label}{score(items, causes, read)}\n")
        sys.stdout.write("confusions:\n" if confusions else "no confusions\n")
        for (truth, answer), count in sorted(confusions.items()):
            sys.stdout.write(f"  {count} x {truth} -> {answer}\n")
    blocks = load(needed[1])
    wrong = [(b["id"], *w) for b in blocks for w in wrong_fields(b["facts"], read_paste(b["text"]))]
    total = len(blocks) * (len(FIELDS) + len(PACKAGES))
    sys.stdout.write(f"\n== fields: {share(total - len(wrong), total)}\n")
    for ident, field, want, have in wrong:
        sys.stdout.write(f"  {ident} {field}: printed {want!r}, read {have!r}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
