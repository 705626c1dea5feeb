"""The commands that are shown are those that this machine can run."""

from __future__ import annotations

from typing import Any

import pytest

from envcheck.facts import Host, Interpreter, PackageManager, Snapshot, Target, Unread, make
from envcheck.judge import Fix, Step
from envcheck.report.fixes import marks, ways


def fix(*tools: str) -> Fix:
    return Fix(title="x", steps=[Step(where="host", tool=tool, command=f"{tool or 'common'} x") for tool in tools])


def machine(manager: object = "venv", has_pip: object = True, **host: Any) -> Snapshot:
    python = Interpreter(executable="/p", found_by=["PATH"], manager=manager, has_pip=has_pip)  # type: ignore[arg-type]
    return make(host=Host(**host), interpreters=[python], target=Target(interpreter=0))


def shown(fixed: Fix, snapshot: Snapshot) -> list[list[str]]:
    return [[step.command.split()[0] for step in way.steps] for way in ways(fixed, snapshot)]


@pytest.mark.parametrize(
    ("manager", "has_pip", "expected"),
    [
        ("venv", True, [["pip"], ["uv"]]),
        ("system", Unread("timeout"), [["pip"], ["uv"]]),
        ("uv", True, [["uv"], ["pip"]]),
        ("venv", False, [["uv"], ["pip"]]),
        ("conda", True, [["conda"], ["pip"], ["uv"]]),
    ],
)
def test_the_environments_own_tool_comes_first(manager: object, has_pip: object, expected: list[list[str]]) -> None:
    """conda in a conda environment, uv where uv made it or pip is missing, pip elsewhere; conda only in conda's."""
    assert shown(fix("pip", "uv", "conda"), machine(manager, has_pip)) == expected


@pytest.mark.parametrize("manager", ["venv", "uv", "conda"])
def test_the_only_way_there_is_is_told_everywhere(manager: str) -> None:
    """A fix with nothing but conda's command, in an environment that is none of conda's (its packages are)."""
    assert shown(fix("conda"), machine(manager, True)) == [["conda"]]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ({"os_id": "ubuntu", "os_like": ["debian"]}, [["apt"]]),
        ({"os_id": "rocky", "os_like": ["rhel", "centos", "fedora"]}, [["dnf"]]),
        ({"os_id": "linuxmint", "os_like": ["ubuntu", "debian"]}, [["apt"]]),
        ({"os_id": "ubuntu", "package_managers": [PackageManager(name="apt-get", path="/usr/bin/apt-get")]}, [["apt"]]),
        ({"package_managers": [PackageManager(name="yum", path="/usr/bin/yum")]}, [["dnf"]]),
        ({}, [["apt"], ["dnf"]]),  # nobody knows: all of them
        ({"os_id": "plan9"}, [["apt"], ["dnf"]]),
        ({"os_id": "arch"}, [["apt"], ["dnf"]]),  # none fits: better all than nothing
    ],
)
def test_the_distribution_chooses(host: dict[str, Any], expected: list[list[str]]) -> None:
    """The distribution's commands alone, where it is known and has one; every alternative where it is not."""
    assert shown(fix("apt", "dnf"), machine(**host)) == expected


def test_common_steps_stay_in_order() -> None:
    """Steps without a tool belong to the way that is shown first, in the order that the rule gave."""
    assert shown(fix("", "apt", "dnf", ""), machine(os_id="ubuntu")) == [["common", "apt", "common"]]


def test_both_kinds_of_tools_in_one_fix() -> None:
    """One fix may need the distribution's tool and the environment's."""
    assert shown(fix("apt", "pip", "uv"), machine(os_id="debian")) == [["apt", "pip"], ["uv"]]


def test_nothing_is_lost_where_nothing_is_known() -> None:
    """An empty snapshot shows every step."""
    found = shown(fix("apt", "dnf", "pip", "uv", "conda"), make())
    assert sorted(word for way in found for word in way) == ["apt", "conda", "dnf", "pip", "uv"]


def test_marks_say_where_and_as_whom() -> None:
    """Root, reboot and the place of a step are said in words."""
    step = Step(where="container_host", command="x", root=True, reboot=True, note="lasting")
    assert marks(step) == "on the container's host, outside; as root; then reboot; lasting"
    assert marks(Step(where="env", command="x")) == ""
