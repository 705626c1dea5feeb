"""``envcheck lint``: a project's files, before anything is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from . import options as o
from .errors import BadCall
from .recommend import Arch, Capability, Driver, GpuName

if TYPE_CHECKING:
    from envcheck.compat.machine import Machine
    from envcheck.facts import Snapshot
    from envcheck.judge import Policy, Question

SYSTEMS = {
    "linux_x86_64": ("Linux", "x86_64"),
    "linux_aarch64": ("Linux", "aarch64"),
    "windows_x86_64": ("Windows", "AMD64"),
    "macos_arm64": ("Darwin", "arm64"),
    "macos_x86_64": ("Darwin", "x86_64"),
}
"""Wheel platform → what ``platform.system()`` and ``machine()`` say there."""


def register(app: typer.Typer) -> None:
    """Add the command to an application."""
    app.command("lint")(lint)


def lint(
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]...", help="Files, or folders to look for them in; default: here."),
    ] = None,
    driver: Driver = None,
    gpu: GpuName = None,
    cc: Capability = None,
    python: Annotated[
        str | None, typer.Option("--python", metavar="VERSION", help="Python, where the files name none: 3.12.")
    ] = None,
    os: Annotated[
        str | None, typer.Option("--os", metavar="OS", help="linux (the default), windows, macos or wsl.")
    ] = None,
    arch: Arch = None,
    fail_on: Annotated[
        str | None, typer.Option("--fail-on", metavar="SEVERITY", help="error (the default), warning or note.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="What cannot be told makes exit code 3.")] = False,
    policy: Annotated[
        str | None, typer.Option("--policy", metavar="FILE", help="The policy whose exceptions and severities hold.")
    ] = None,
    format_: o.ReportFormat = None,
    redact: o.Redact = None,
) -> int:
    """Judge what a project's files declare, before anything is installed.

    Reads requirements*.txt, pyproject.toml, uv.lock, poetry.lock, pylock.toml, environment.yml and Dockerfiles: does
    the wheel that they name exist, and do wheel, companions, CUDA, base image, Python, driver and card go together?
    Exit code 0: fit, 1: unfit, 2: bad call, 3: undetermined (with --strict), 70: envcheck broke.
    """
    from envcheck.compat.machine import Unclear, describe

    from .law import with_plugins
    from .results import hand_over, wanted

    results = wanted(format_ or [])
    try:
        machine = describe(driver=driver, gpu=gpu, cc=cc, python=python, os=os, arch=arch)
    except Unclear as unclear:
        raise BadCall(str(unclear)) from None
    if not isinstance(machine.platform, str):
        raise BadCall(f"torch has no wheels for --os {os or 'linux'} --arch {arch or 'x86_64'}")
    meant = _policy(policy, fail_on)
    said = {"driver": driver, "gpu": gpu, "cc": cc, "python": python, "os": os}
    snapshot = look(paths or [], machine, {name: f"--{name} {text}" for name, text in said.items() if text})
    snapshot, asked = with_plugins(snapshot, questions(), live=False)
    from envcheck.judge import exit_code, judge

    report = judge(snapshot, asked, meant)
    hand_over(results, report, redact=redact)
    return exit_code(report.verdict, undetermined_counts=strict)


def look(paths: list[str], machine: Machine, said: dict[str, str]) -> Snapshot:
    """What the files declare, for the machine that is described.  Raises :class:`BadCall`."""
    from envcheck.read.declared import Files, Markers, read_project, snapshot_of

    from .project_files import fetch, gather

    system, processor = SYSTEMS[str(machine.platform)]
    python = machine.python if isinstance(machine.python, str) else ""
    markers = Markers(system=system, machine=processor, python=python)
    declared = read_project(Files(gather(paths), fetch), markers)
    if "cc" in said:
        said.setdefault("gpu", said["cc"])
    return snapshot_of(declared, machine, markers, said)


def questions() -> list[Question]:
    """What can be asked of files: the questions about declarations, and those of the house that files can answer."""
    from envcheck.rules import QUESTIONS, declared

    return [question for question in QUESTIONS if question in declared.QUESTIONS or question.name in declared.HOUSE]


def _policy(path: str | None, fail_on: str | None) -> Policy:
    """Exceptions, severities and the level that fails; what a policy requires of a machine is ``preflight``'s."""
    from msgspec.structs import replace

    from envcheck.judge import Forbid, Require

    from .policy_file import settled

    overrides: dict[str, tuple[str, object]] = {"--fail-on": ("fail_on", fail_on)} if fail_on is not None else {}
    found = settled(path, None, overrides).policy
    unknown = "warn" if found.unknown == "fail" else found.unknown
    return replace(
        found,
        all_envs=True,
        unknown=unknown,
        require_gpu=False,
        gpus=0,
        strict=False,
        require=Require(),
        forbid=Forbid(),
    )
