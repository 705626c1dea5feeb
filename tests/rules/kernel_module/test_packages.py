"""Commands are those of the machine's own distribution."""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import PackageManager, Unread
from envcheck.judge import HOST, Case, Policy
from envcheck.rules.kernel_module.packages import build_module, hold, install_driver, package_tool
from envcheck.testing import machine


def case(name: str | None, like: list[str] | None = None, **more: Any) -> Case:
    changes = {"/host/os_id": name, "/host/os_like": like or [], **more}
    return Case(machine("driver-not-installed").but(changes).snapshot, HOST, Policy())


@pytest.mark.parametrize(
    ("name", "like", "tool", "new", "old"),
    [
        ("ubuntu", ["debian"], "apt", "ubuntu-drivers install --gpgpu", "nvidia-driver-580"),
        ("linuxmint", ["ubuntu", "debian"], "apt", "ubuntu-drivers", "nvidia-driver-580"),
        ("debian", [], "apt", "apt-get install nvidia-driver", "nvidia-driver-pinning-580"),
        ("fedora", [], "dnf", "akmod-nvidia", "nvidia-driver:580-dkms"),
        ("rocky", ["rhel", "centos", "fedora"], "dnf", "nvidia-open", "nvidia-driver:580-dkms"),
        ("amzn", ["fedora"], "dnf", "nvidia-open", "nvidia-driver:580-dkms"),
        ("manjaro", ["arch"], "pacman", "nvidia-open nvidia-utils", ""),
        ("opensuse-leap", ["suse", "opensuse"], "zypper", "driver-installation-guide", "driver-installation-guide"),
        ("nixos", [], "", "driver-installation-guide", "driver-installation-guide"),
    ],
)
def test_each_distribution(name: str, like: list[str], tool: str, new: str, old: str) -> None:
    """Its own tool, the open flavour for new cards, branch 580 for old ones, and a restart at the end."""
    this = case(name, like)
    assert package_tool(this) == tool
    for flavour, wanted in (("open", new), ("580", old)):
        steps = install_driver(this, flavour=flavour)
        assert wanted in steps[0].command
        assert steps[-1].reboot
        assert len(steps) == 2


def test_a_desktop_is_no_server() -> None:
    """--gpgpu installs the server packages without a display driver."""
    steps = install_driver(case("ubuntu", ["debian"], **{"/host/chassis": 3}))
    assert steps[0].command == "sudo ubuntu-drivers install"


def test_an_unknown_system_gets_the_alternatives() -> None:
    """Where nothing tells the distribution, each command says which tool it is for."""
    blind = Case(machine("driver-not-installed").but({"/host": Unread("refused")}).snapshot, HOST, Policy())
    assert package_tool(case(None)) == package_tool(blind) == ""
    assert [step.tool for step in install_driver(blind)] == ["apt", "dnf", ""]
    assert [step.tool for step in build_module(blind)] == ["apt", "dnf", ""]
    assert '"$(uname -r)"' in build_module(blind)[0].command


def test_the_package_manager_decides_where_the_name_does_not() -> None:
    """A distribution that nobody listed still has a tool."""
    this = case("gentoo-like", **{"/host/package_managers": [PackageManager(name="dnf", path="/usr/bin/dnf")]})
    assert package_tool(this) == "dnf"
    assert hold(this, "nvidia-driver-580").command.startswith("sudo dnf versionlock")


def test_names_from_the_machine_are_quoted() -> None:
    """A kernel's name goes into a command only as one word."""
    this = case("ubuntu", ["debian"], **{"/host/kernel_release": "6.8; rm -rf ~"})
    assert "linux-headers-'6.8; rm -rf ~'" in build_module(this)[0].command
