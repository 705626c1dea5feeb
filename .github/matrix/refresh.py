#!/usr/bin/env python3
"""Bring the compatibility tables up to the newest torch, from package metadata, through pip's own client.

    python .github/matrix/refresh.py                  show what would change
    python .github/matrix/refresh.py --write          change the tables
    python .github/matrix/refresh.py --write --wheels also fetch the new wheels and read their GPU code

It asks pip which releases there are, for which Python and platform, and what their metadata require; it adds rows
and never changes what a row already says: where the metadata of a listed release disagree with its row, that is
printed and the exit code is 1, for a person to look at.  What metadata cannot tell (GPU architectures, other CUDA
variants, drivers) stays out, or is read from the wheel itself.  envcheck never runs this.
"""

from __future__ import annotations

import argparse
import datetime
import difflib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from index import PLATFORMS, Pip, Row, glibc, pinned, read_wheel, requires_torch, run_pip, tag, variant
from packaging.requirements import Requirement
from packaging.version import Version

Table = dict[str, Any]

TABLES = Path(__file__).resolve().parents[2] / "envcheck" / "compat" / "tables"
SOURCE = "refresh"
EXPLAINED = {
    "torch_releases": "the release's METADATA and file tags on the default index, asked through pip; "
    "date is the day on which the weekly refresh first saw the release; cxx11_abi and numpy2 as in the release before",
    "torch_builds": "the release's METADATA on the default index, asked through pip; archs from the wheel itself",
    "companions": "the release's METADATA on the default index, asked through pip; first seen on that day",
}
PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.13t", "3.14", "3.14t", "3.15", "3.15t", "3.16", "3.16t"]


def new_releases(pip: Pip, releases: Table, today: str) -> tuple[list[Row], list[Row]]:
    """Rows for torch releases that the table does not have yet, and for their default builds."""
    known = {row["version"] for row in releases["rows"]}
    newest, last = max(known, key=Version), releases["rows"][-1]
    added: list[Row] = []
    builds: list[Row] = []
    fresh = [v for v in pip.versions("torch") if Version(v) > Version(newest)]
    pythons = python_tags(pip, fresh) if fresh else {}
    for version in fresh:
        there = {p: tags[version] for p, tags in pythons.items() if version in tags}
        found = {p: pip.metadata("torch", version, p, tags[0]) for p, tags in there.items()}
        default = {p: variant(found[p], p) for p in there}
        pins = pinned(found["linux_x86_64"], "linux_x86_64")
        vision, audio = companions_of(pip, version)
        added.append(
            {
                "version": version,
                "date": today,
                "requires_python": found["linux_x86_64"]["requires_python"],
                "python": there,
                "default": default,
                "glibc": {p: glibc(found[p]["file"]) for p in there if p.startswith("linux")},
                "cxx11_abi": last["cxx11_abi"],
                "numpy2": last["numpy2"],
                "torchvision": vision,
                **({"torchaudio": audio} if audio else {}),
                **pins,
                "git": "",
                "wheel": tag(found["linux_x86_64"]["file"]),
                "source": SOURCE,
                "retrieved": today,
            }
        )
        for platform, name in default.items():
            if name != "cpu":
                own = {k: v for k, v in pins.items() if k != "triton" and platform == "linux_x86_64"}
                builds.append(
                    {
                        "version": version,
                        "variant": name,
                        "platform": platform,
                        "evidence": "none",
                        "published": "yes",
                        "published_source": SOURCE,
                        "default": True,
                        **own,
                        "source": SOURCE,
                        "retrieved": today,
                    }
                )
    return added, builds


def python_tags(pip: Pip, fresh: list[str]) -> dict[str, dict[str, list[str]]]:
    """platform → release → the Pythons that have a wheel of it."""
    out: dict[str, dict[str, list[str]]] = {}
    for platform in PLATFORMS:
        for python in PYTHONS:
            for version in set(pip.versions("torch", platform, python)) & set(fresh):
                out.setdefault(platform, {}).setdefault(version, []).append(python)
    return out


def companions_of(pip: Pip, torch: str) -> tuple[str, str | None]:
    """The torchvision and torchaudio that ask for exactly this torch; else the newest torchvision that allows it."""
    exact: dict[str, str] = {}
    allowed: dict[str, str] = {}
    for package in ("torchvision", "torchaudio"):
        for version in reversed(pip.versions(package, "linux_x86_64", "3.12")[-6:]):
            wanted = requires_torch(pip.metadata(package, version, "linux_x86_64", "3.12"))
            if wanted == f"=={torch}":
                exact.setdefault(package, version)
            elif wanted and Version(torch) in Requirement(f"torch{wanted}").specifier:
                allowed.setdefault(package, version)
    return exact.get("torchvision") or allowed["torchvision"], exact.get("torchaudio")


def new_companions(pip: Pip, table: Table, today: str) -> list[Row]:
    """Rows for torchvision and torchaudio releases that the table does not have yet."""
    added = []
    for package in ("torchaudio", "torchvision"):
        known = {row["version"] for row in table["rows"] if row["package"] == package}
        newest = max(known, key=Version)
        for version in pip.versions(package, "linux_x86_64", "3.12"):
            if Version(version) > Version(newest):
                wanted = requires_torch(pip.metadata(package, version, "linux_x86_64", "3.12"))
                cell = {"requires_torch": wanted} if wanted else {}
                row = {"package": package, "version": version, "date": today, **cell}
                added.append({**row, "source": SOURCE, "retrieved": today})
    return added


def contradictions(pip: Pip, releases: Table) -> list[str]:
    """Where the metadata of the newest listed release say something else than its row."""
    row = releases["rows"][-1]
    found = pip.metadata("torch", row["version"], "linux_x86_64", row["python"]["linux_x86_64"][0])
    seen = {
        "requires_python": found["requires_python"],
        "default": variant(found, "linux_x86_64"),
        **pinned(found, "linux_x86_64"),
    }
    listed = {**row, "default": row["default"]["linux_x86_64"]}
    return [
        f"torch {row['version']}: {k} is {v!r}, the row says {listed.get(k)!r}"
        for k, v in seen.items()
        if v != listed.get(k)
    ]


def read_wheels(pip: Pip, releases: list[Row], builds: list[Row]) -> None:
    """Fetch the new CUDA wheels and write what they carry into their rows."""
    by_version = {row["version"]: row for row in releases}
    for row in builds:
        with tempfile.TemporaryDirectory() as folder:
            python = by_version[row["version"]]["python"][row["platform"]][0]
            wheel = pip.fetch("torch", row["version"], row["platform"], python, Path(folder))
            archs, ptx, commit = read_wheel(wheel)
        if archs:
            row |= {"archs": archs, "ptx": ptx, "evidence": "wheel"}
        if row["platform"] == "linux_x86_64":
            by_version[row["version"]]["git"] = commit


def extended(table: Table, name: str, added: list[Row]) -> Table:
    """The table with rows at its end and their source explained; itself where nothing is added."""
    if not added:
        return table
    sources = {**table["sources"], SOURCE: EXPLAINED[name]}
    return {**table, "sources": sources, "rows": [*table["rows"], *added]}


def dump(table: Table) -> str:
    """The text of a table: ASCII, one source and one row a line."""
    sources = ",\n".join(f"{json.dumps(key)}: {json.dumps(text)}" for key, text in table["sources"].items())
    rows = ",\n".join(json.dumps(row) for row in table["rows"])
    return f'{{\n"about": {json.dumps(table["about"])},\n"sources": {{\n{sources}\n}},\n"rows": [\n{rows}\n]\n}}\n'


def refresh(pip: Pip, tables: dict[str, Table], today: str, wheels: bool = False) -> dict[str, Table]:
    """The three tables that metadata can extend, extended."""
    releases, builds = new_releases(pip, tables["torch_releases"], today)
    if wheels:
        read_wheels(pip, releases, builds)
    companions = new_companions(pip, tables["companions"], today)
    return {
        "torch_releases": extended(tables["torch_releases"], "torch_releases", releases),
        "torch_builds": extended(tables["torch_builds"], "torch_builds", builds),
        "companions": extended(tables["companions"], "companions", companions),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Bring the compatibility tables up to the newest torch.")
    parser.add_argument("--write", action="store_true", help="change the tables (otherwise only the diff is shown)")
    parser.add_argument("--wheels", action="store_true", help="fetch new wheels and read their GPU code")
    options = parser.parse_args()
    pip = Pip(run_pip)
    before = {name: json.loads((TABLES / f"{name}.json").read_text()) for name in EXPLAINED}
    after = refresh(pip, before, datetime.date.today().isoformat(), options.wheels)
    for name, table in after.items():
        old, new = dump(before[name]), dump(table)
        sys.stdout.writelines(
            difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"a/{name}", f"b/{name}")
        )
        if options.write and new != old:
            (TABLES / f"{name}.json").write_text(new)
    wrong = contradictions(pip, before["torch_releases"])
    for line in wrong:
        print(f"contradiction: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
