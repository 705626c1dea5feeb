"""``envcheck preflight`` on what was seen of a machine: one exit code, and what each format says to its own reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from envcheck.cli.app import run
from envcheck.report import FORMATS
from tests.report.readers import VERDICT

CODES = {"fit": 0, "unfit": 1, "undetermined": 3}


def passes_as(report: dict[str, Any], folder: Path) -> str:
    """The gate's verdict on the machine of a JSON report, by the default policy.

    Asserts that every format says it, and that the exit code is the one of that verdict.
    """
    seen, policy = folder / "gate-seen.json", folder / "gate-policy.toml"
    seen.write_text(json.dumps(report["snapshot"]), encoding="utf-8")
    policy.write_text("", encoding="utf-8")
    formats = [word for name in FORMATS for word in ("--format", f"{name}={folder / f'gate.{name}'}")]
    code = run(["preflight", "--from", str(seen), "--policy", str(policy), *formats])
    told = {name: VERDICT[name]((folder / f"gate.{name}").read_text(encoding="utf-8")) for name in FORMATS}
    assert len(set(told.values())) == 1, told
    verdict = told["json"]
    assert code == CODES[verdict], told
    for path in (seen, policy, *(folder / f"gate.{name}" for name in FORMATS)):
        path.unlink()
    return verdict
