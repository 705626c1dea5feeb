"""The Snapshot: all that is known about one machine at one time."""

from __future__ import annotations

from typing import Literal

import msgspec

from .bench import Bench
from .container import Container, ProcessEnvironment
from .cuda import Cuda, Toolkit
from .declared import Declared
from .devices import Devices
from .driver import Driver
from .fact import NOT_ASKED, Fact, Record, Unread
from .host import Host
from .interpreter import Interpreter, Jupyter
from .nvml import Nvml, Smi
from .plugin import Plugin
from .symptom import CollectorRun, Origin, Symptom

SCHEMA = 1
"""Version of the encoded form.  A reader accepts this and, through upgrades, every older one."""

RUNNING, RUNNING_NOTEBOOK = "sys.executable", "notebook"
"""How a call from inside a program, or from a notebook, names the interpreter that runs it (Target.chosen_by)."""


class Target(Record, frozen=True, kw_only=True):
    """Which environment is judged, and why that one."""

    interpreter: Fact[int] = NOT_ASKED  # index into /interpreters; None: no Python was found
    chosen_by: str = ""  # "--python", "--env study", "VIRTUAL_ENV", "CONDA_PREFIX", "python on PATH", RUNNING …
    disagreements: list[str] = []  # the shell's other answers, where they differ


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One machine, one moment.  ``decode(encode(s)) == s`` for every snapshot."""

    schema: int = msgspec.field(default=0)  # always written: see SCHEMA and make()
    tool: str = ""
    taken_at: Fact[str] = NOT_ASKED  # ISO 8601, UTC
    source: Literal["live", "recorded", "pasted", "declared"] = "live"
    target: Target = Target()
    host: Host | Unread = NOT_ASKED
    devices: Devices | Unread = NOT_ASKED
    driver: Driver | Unread = NOT_ASKED
    nvml: Nvml | Unread = NOT_ASKED
    smi: Smi | Unread = NOT_ASKED
    cuda: Cuda | Unread = NOT_ASKED
    toolkit: Toolkit | Unread = NOT_ASKED
    container: Container | Unread = NOT_ASKED
    environment: ProcessEnvironment | Unread = NOT_ASKED
    interpreters: Fact[list[Interpreter]] = NOT_ASKED
    jupyter: Jupyter | Unread = NOT_ASKED
    bench: Bench | Unread = NOT_ASKED
    symptoms: Fact[list[Symptom]] = NOT_ASKED
    plugins: dict[str, Plugin] | None = None  # "rules.acme" → what became of it; None: none is installed
    declared: Declared | Unread | None = None  # None: a machine was looked at, not a project's files
    origins: list[Origin] = []
    runs: list[CollectorRun] = []


def make(**sections: object) -> Snapshot:
    """A snapshot of the current schema.  Keyword arguments are the fields of :class:`Snapshot`."""
    return Snapshot(schema=SCHEMA, **sections)  # type: ignore[arg-type]
