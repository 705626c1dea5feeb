"""Write the snapshots of cast members that have none yet."""

from __future__ import annotations

from pathlib import Path

from envcheck.facts import encode
from envcheck.testing import machine

from .test_machines import RECORDED

FOLDER = Path(__file__).parent

for name in RECORDED:
    path = FOLDER / f"{name}.json"
    if not path.exists():
        path.write_bytes(encode(machine(name).snapshot) + b"\n")
        print(f"wrote {path.name}")
