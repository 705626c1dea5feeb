"""A project of texts judged as ``envcheck lint`` judges one on disk."""

from __future__ import annotations

from envcheck.cli.lint import SYSTEMS, questions
from envcheck.compat.machine import describe
from envcheck.facts import Snapshot
from envcheck.judge import Policy, Report, judge
from envcheck.read.declared import Files, Markers, read_project, snapshot_of

from .projects import Project


def read(project: Project) -> Snapshot:
    """The snapshot of a project."""
    machine = describe(**project.machine)
    system, processor = SYSTEMS[str(machine.platform)]
    markers = Markers(system=system, machine=processor, python=project.machine.get("python", ""))
    said = {name: f"--{name} {text}" for name, text in project.machine.items()}
    return snapshot_of(read_project(Files(project.files), markers), machine, markers, said)


def lint(project: Project) -> Report:
    """The report on a project."""
    return judge(read(project), questions(), Policy(all_envs=True))
