"""Measure the benchmark itself: ``python -m tests.measure_bench PYTHON [--tries 20] [--only PART ...]``.

PYTHON is an interpreter with torch. Run it on a machine with nothing else to do; it takes some ten minutes and prints
figures and, at the end, which gates hold. The parts:

* ``gates``: a quick and a full run on the CPU, their wall time, and what the rows reach of their ceilings;
* ``again``: runs in a row, each compared with the one before: none may be called slower;
* ``slowed``: the outer sum takes 1.3 times as long as it does: it has to be called slower, and nothing else;
* ``loaded``: every processor has another program on it: no verdict, and nobody is accused.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from envcheck.rules import RULES

QUICK_S, FULL_S = 15.0, 90.0
LEAST_BROADCAST, MOST_CLOSED_FORM, MOST_AUTOGRAD = 0.90, 1.20, 1.5
FACTOR = 1.3
PLANT = '''
import importlib.machinery
import sys
import time


def slow_down(torch):
    plain = torch.add

    def add(left, right, **more):
        begun = time.perf_counter()
        result = plain(left, right, **more)
        if left.dim() == 2 and left.shape[1] == 1 and left.shape[0] > 1000:
            until = time.perf_counter() + (time.perf_counter() - begun) * {excess}
            while time.perf_counter() < until:
                pass
        return result

    torch.add = add


class Finder:
    """Lets torch be imported as ever, and slows one of its functions down then."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "torch":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        plain = spec.loader.exec_module

        def exec_module(module):
            plain(module)
            slow_down(module)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Finder)
'''

Row = dict[str, Any]

ACCUSING = {rule.name for rule in RULES if rule.rung in ("numerics", "speed")} - {
    "bench-shared-card",
    "bench-too-noisy",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("python", type=Path)
    parser.add_argument("--tries", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=["gates", "again", "slowed", "loaded"])
    asked = parser.parse_args()
    parts: dict[str, Callable[[Path, int, Path], list[bool]]] = {
        "gates": gates,
        "again": again,
        "slowed": slowed,
        "loaded": loaded,
    }
    held = []
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.only:
            print(f"== {name}", flush=True)
            held += parts[name](asked.python, asked.tries, Path(folder))
    print(f"{sum(held)} of {len(held)} gates hold")
    return 0 if all(held) else 1


def run(python: Path, *more: str) -> tuple[dict[str, Any], float, int]:
    """(the JSON report, wall seconds, exit code) of one run on the CPU."""
    command = [sys.executable, "-m", "envcheck", "bench", "--device", "cpu", "--python", str(python)]
    begun = time.monotonic()
    done = subprocess.run([*command, "--format", "json", *more], capture_output=True, timeout=300, check=False)
    wall = time.monotonic() - begun
    if done.returncode not in (0, 1, 3):
        raise SystemExit(f"exit code {done.returncode}: {done.stderr.decode('utf-8', 'replace')[-500:]}")
    return json.loads(done.stdout), wall, done.returncode


def rows_of(report: dict[str, Any]) -> list[Row]:
    rows: list[Row] = report["bench"][0]["rows"]
    return rows


def name_of(row: Row) -> str:
    return " ".join(str(row[part]) for part in ("workload", "size", "dtype", "variant") if row[part])


def found(report: dict[str, Any]) -> list[str]:
    """Rules of the last two rungs that accuse the device."""
    listed = [*report["root_causes"], *report["consequences"], *report["warnings"]]
    return [finding["rule"] for finding in listed if finding["rule"] in ACCUSING]


def gate(words: str, holds: bool) -> bool:
    print(f"  {'holds' if holds else 'FAILS'}: {words}", flush=True)
    return holds


# -- parts -----------------------------------------------------------------------------------------------------


def gates(python: Path, tries: int, folder: Path) -> list[bool]:
    held = []
    for words, more, limit in (("quick", ["--quick"], QUICK_S), ("full", [], FULL_S)):
        report, wall, code = run(python, *more)
        rows = rows_of(report)
        held.append(gate(f"{words}: {wall:.1f} s of {limit:g} s, {report['verdict']}, exit {code}", wall <= limit))
        for row in rows:
            reached = row["reached"]
            if reached is None or row["trust"] not in ("steady", "shaky"):
                if reached is not None:
                    print(f"  no verdict: {name_of(row)}, {reached:.2f} of its ceiling, {row['trust']}")
                continue
            if row["workload"] in ("broadcast", "row-add") and int(row["size"].split()[0]) >= 64:
                held.append(gate(f"{name_of(row)}: {reached:.2f} of its ceiling", reached >= LEAST_BROADCAST))
            if row["workload"] == "step" and row["size"] == "large" and row["variant"] in ("closed-form", "eager"):
                most = MOST_CLOSED_FORM if row["variant"] == "closed-form" else MOST_AUTOGRAD
                held.append(gate(f"{name_of(row)}: {1 / reached:.2f} x its two products", 1 / reached <= most))
    return held


def again(python: Path, tries: int, folder: Path) -> list[bool]:
    """Each run against the one before it."""
    calm, answers, before = 0, dict.fromkeys(("same", "ambiguous", "faster", "slower"), 0), folder / "0.json"
    run(python, "--quick", "--save", str(before))
    for n in range(1, tries + 1):
        after = folder / f"{n}.json"
        report, _, _ = run(python, "--quick", "--save", str(after), "--compare", str(before))
        slower = tally(report, answers)
        calm += not slower
        print(f"  {n}: {', '.join(slower) or 'nothing slower'}", flush=True)
        before = after
    print(f"  rows: {answers}")
    return [gate(f"nothing slower in {calm} of {tries}", calm >= 0.95 * tries)]


def tally(report: dict[str, Any], answers: dict[str, int]) -> list[str]:
    slower = []
    for row in rows_of(report):
        if row["compared"] is not None:
            answers[row["compared"]["answer"]] += 1
            if row["compared"]["answer"] == "slower":
                slower.append(f"{name_of(row)} x{row['compared']['ratio']:.2f}")
    return slower


def slowed(python: Path, tries: int, folder: Path) -> list[bool]:
    """The same torch with the outer sum held up, against a run of it as it is."""
    site = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], capture_output=True, check=True
    )
    subprocess.run([python, "-m", "venv", "--without-pip", folder / "slow"], check=True)
    place = next((folder / "slow").glob("lib/python*/site-packages"))
    (place / "held_up.py").write_text(PLANT.replace("{excess}", f"{FACTOR - 1:.2f}"))
    (place / "a.pth").write_text(site.stdout.decode().strip() + "\nimport held_up\n")
    named, alone = 0, 0
    for n in range(tries):
        before = folder / f"plain-{n}.json"
        run(python, "--quick", "--save", str(before))
        report, _, _ = run(folder / "slow" / "bin" / "python", "--quick", "--compare", str(before))
        slower = [name_of(row) for row in rows_of(report) if (row["compared"] or {}).get("answer") == "slower"]
        outer = [name for name in slower if name.startswith("broadcast")]
        named += bool(outer)
        alone += slower == outer
        print(f"  {n}: {', '.join(slower) or 'nothing slower'}", flush=True)
    return [
        gate(f"the outer sum is called slower in {named} of {tries}", named >= 0.95 * tries),
        gate(f"nothing else is in {alone} of {tries}", alone >= 0.95 * tries),
    ]


def loaded(python: Path, tries: int, folder: Path) -> list[bool]:
    """Against a quiet run, with a competitor on every processor."""
    before = folder / "quiet.json"
    run(python, "--quick", "--save", str(before))
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    calm, doubted = 0, 0
    tries = max(1, tries // 2)
    try:
        for n in range(tries):
            report, _, _ = run(python, "--quick", "--compare", str(before))
            rows = rows_of(report)
            doubts = [row for row in rows if row["trust"] not in ("steady", "shaky")]
            accused = [name_of(row) for row in rows if (row["compared"] or {}).get("answer") == "slower"]
            accused += found(report)
            calm, doubted = calm + (not accused), doubted + bool(doubts)
            print(f"  {n}: {len(doubts)} of {len(rows)} rows without verdict; {', '.join(accused) or 'nobody accused'}")
    finally:
        for process in load:
            process.kill()
            process.wait()
    return [
        gate(f"nobody accused in {calm} of {tries}", calm >= 0.95 * tries),
        gate(f"noise or company named in {doubted} of {tries}", doubted == tries),
    ]


if __name__ == "__main__":
    sys.exit(main())
