"""What a caller may ask of the collectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Options:
    """How one machine is looked at.  The defaults are those of ``envcheck doctor``."""

    python: str | None = None  # an interpreter or the folder of its environment
    env: str | None = None  # conda name, name of a venv's folder, or kernel name
    depth: Literal["quick", "normal", "deep"] = "normal"  # quick: torch is not imported
    all_envs: bool = False  # read the packages of every other environment too
    probe_envs: bool = False  # ask every other environment as the judged one is asked (takes seconds each)
    deadline_s: float = 45.0  # for everything together; each collector has its own besides
    root: str = "/"  # stands before /sys, /proc, /dev, /etc and the system's own folders
    environ: Mapping[str, str] | None = None  # None: this process's
    platform: str | None = None  # None: this process's sys.platform
