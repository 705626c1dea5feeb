"""Which of a fix's commands fit this machine: by the environment's manager and by the distribution.

A rule names commands for several tools; steps without a tool belong to all of them.  What cannot be used here
(``dnf`` on Ubuntu) is left out of texts and stays in the JSON.  Where the machine does not say what it has, every
alternative is shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from envcheck.facts import Fact, Host, Interpreter, Snapshot, Unread
from envcheck.judge import Fix, Step

ENVIRONMENT_TOOLS = ("pip", "uv", "conda")
DISTRIBUTIONS = {
    "debian": "apt",
    "ubuntu": "apt",
    "fedora": "dnf",
    "rhel": "dnf",
    "centos": "dnf",
    "amzn": "dnf",
    "azurelinux": "tdnf",
    "arch": "pacman",
    "suse": "zypper",
    "opensuse": "zypper",
    "opensuse-leap": "zypper",
    "opensuse-tumbleweed": "zypper",
    "sles": "zypper",
    "alpine": "apk",
    "gentoo": "emerge",
}
"""os-release ID or ID_LIKE → package manager."""

PLACES = {
    "env": "",
    "host": "",
    "container_host": "on the container's host, outside",
    "windows": "in PowerShell on Windows",
    "bios": "in the firmware setup",
    "browser": "in a browser",
    "file": "",
}


@dataclass(frozen=True)
class Way:
    """One order of steps.  ``tool`` is empty for the way that is recommended here."""

    tool: str
    steps: tuple[Step, ...]


def ways(fix: Fix, snapshot: Snapshot) -> list[Way]:
    """The way that fits this machine first, then the others that could be used here."""
    named = list(dict.fromkeys(step.tool for step in fix.steps if step.tool))
    if not named:
        return [Way("", tuple(fix.steps))]
    environment = _environment_tools(snapshot)
    system = _system_tools(snapshot)
    usable = [tool for tool in named if tool in (environment if tool in ENVIRONMENT_TOOLS else system or named)]
    usable = usable or named  # a fix that knows one way only is told, whoever manages the environment
    order = [*environment, *(tool for tool in named if tool not in environment)]
    of_environment = sorted((t for t in usable if t in ENVIRONMENT_TOOLS), key=order.index)
    of_system = [t for t in usable if t not in ENVIRONMENT_TOOLS]
    chosen = {*of_environment[:1], *of_system[:1]}
    first = Way("", tuple(step for step in fix.steps if not step.tool or step.tool in chosen))
    others = [tool for tool in (*of_environment, *of_system) if tool not in chosen]
    return [first] + [Way(tool, tuple(step for step in fix.steps if step.tool == tool)) for tool in others]


def marks(step: Step) -> str:
    """What to know about a step before it is run: where, as whom, what follows; empty for nothing."""
    words = [
        PLACES.get(step.where, step.where),
        "as root" if step.root else "",
        "then reboot" if step.reboot else "",
        step.note,
    ]
    return "; ".join(word for word in words if word)


def _environment_tools(snapshot: Snapshot) -> list[str]:
    """The tools that can change the judged environment, the most fitting first."""
    python = _target(snapshot)
    manager = python.manager if python is not None else None
    if manager in ("conda", "mamba", "pixi"):
        return ["conda", "pip", "uv"]
    if manager == "uv" or (python is not None and python.has_pip is False):
        return ["uv", "pip"]
    if python is None:
        return list(ENVIRONMENT_TOOLS)
    return ["pip", "uv"]


def _target(snapshot: Snapshot) -> Interpreter | None:
    at, pythons = snapshot.target.interpreter, snapshot.interpreters
    return pythons[at] if isinstance(at, int) and isinstance(pythons, list) and at < len(pythons) else None


def _system_tools(snapshot: Snapshot) -> list[str]:
    """The system's package managers; empty where nobody could tell."""
    host = snapshot.host
    if isinstance(host, Unread):
        return []
    found = _found_managers(host)
    if found:
        return found
    names = [host.os_id, *_listed(host.os_like)]
    return [DISTRIBUTIONS[name] for name in names if isinstance(name, str) and name in DISTRIBUTIONS][:1]


def _found_managers(host: Host) -> list[str]:
    managers = host.package_managers
    names = [manager.name for manager in managers] if isinstance(managers, list) else []
    return ["apt" if name == "apt-get" else "dnf" if name == "yum" else name for name in names]


def _listed(fact: Fact[list[str]]) -> list[str]:
    return fact if isinstance(fact, list) else []
