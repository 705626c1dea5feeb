"""The listing of environments: what a person reads at every width, and what a program gets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from envcheck.facts import Unread
from envcheck.judge.environments import Command, Environment, Listing, LostKernel, Usable
from envcheck.report import Page
from envcheck.report.env_table import FORMATS, render
from envcheck.report.paint import width_of

HOME = "/home/ada"
FITS = Usable(True, "its files fit the driver and the card")
MACHINE = Usable(True, "driver and card answer")


def environment(prefix: str, usable: Usable, **changes: Any) -> Environment:
    facts: dict[str, Any] = {
        "executable": f"{prefix}/bin/python",
        "prefix": prefix,
        "name": None,
        "manager": "venv",
        "python": "3.11.7",
        "torch": "2.14.1+cu130",
        "cuda": "13.0",
        "usable": usable,
        "means": (),
        "found_by": ("conda envs folder",),
        "judged": False,
        "probed": False,
    }
    return Environment(**{**facts, **changes})


FULL = Listing(
    machine=MACHINE,
    environments=[
        environment(
            f"{HOME}/study/.venv",
            FITS,
            judged=True,
            means=("python", "pip"),
            found_by=("VIRTUAL_ENV", "PATH"),
            probed=True,
        ),
        environment(
            f"{HOME}/miniconda3", FITS, manager="conda", name="base", means=("jupyter",), torch="2.3.0", cuda="12.1"
        ),
        environment(
            f"{HOME}/miniconda3/envs/d2l",
            Usable(False, "torch 1.8.1+cu111 has no code for compute capability 9.0", "gpu-newer-than-torch-archs"),
            manager="conda",
            name="d2l",
            python="3.8.18",
            torch="1.8.1+cu111",
            cuda="11.1",
        ),
        environment(
            "/scratch/école/env",
            Usable(None, "its torch: not permitted"),
            torch=Unread("refused"),
            cuda=Unread("refused"),
        ),
        environment(
            f"{HOME}/cpu", Usable(False, "torch is a CPU build", "torch-cpu-only-build"), torch="2.9.1", cuda=None
        ),
        environment(
            "/usr",
            Usable(False, "torch is not installed", "torch-not-installed"),
            executable="/usr/bin/python3.12",
            manager="system",
            torch=None,
            cuda=None,
            python=Unread("not_asked"),
        ),
    ],
    commands=[
        Command("python", f"{HOME}/study/.venv/bin/python"),
        Command("pip", f"{HOME}/study/.venv/bin/python"),
        Command("jupyter", f"{HOME}/miniconda3/bin/python"),
    ],
    lost_kernels=[LostKernel("old", f"{HOME}/envs/old/bin/python")],
)
NO_CARD = Usable(False, "no NVIDIA GPU on the PCI bus (a GPU is required)", "gpu-absent-from-pci-bus")


@pytest.mark.parametrize(
    "page", [Page(), Page(width=40), Page(width=60, unicode=False), Page(width=100, colour=True)], ids=str
)
def test_terminal(page: Page, snapshot: SnapshotAssertion) -> None:
    """A table where there is room, blocks where there is none; the path's end survives, since it tells rows apart."""
    text = render("terminal", FULL, page, home=HOME)
    assert text == snapshot
    if not page.colour:
        assert max(map(width_of, text.splitlines())) <= page.width
    if not page.unicode:
        assert text.replace("école", "").isascii()


def test_markdown(snapshot: SnapshotAssertion) -> None:
    """One table; whatever a path holds stays inside its cell."""
    assert render("markdown", FULL, Page(), home=HOME) == snapshot
    hostile = environment("/x|y`<script>", FITS, found_by=("a|b",))
    lines = render("markdown", Listing(machine=MACHINE, environments=[hostile], commands=[], lost_kernels=[]), Page())
    row = lines.splitlines()[-1]
    assert row.count("|") - row.count("\\|") == 8
    assert "| ``/x\\|y`<script>`` |" in row


def test_json() -> None:
    """The contract: yes, no and unknown are true, false and null; a fact that is not known says why."""
    found = json.loads(render("json", FULL, Page()))
    assert found["schema"] == 1
    assert [item["gpu"]["usable"] for item in found["environments"]] == [True, True, False, None, False, False]
    first, unread = found["environments"][0], found["environments"][3]
    assert first == {
        "executable": f"{HOME}/study/.venv/bin/python",
        "prefix": f"{HOME}/study/.venv",
        "name": None,
        "manager": "venv",
        "python": "3.11.7",
        "torch": "2.14.1+cu130",
        "cuda": "13.0",
        "gpu": {"usable": True, "why": "its files fit the driver and the card", "rule": None},
        "means": ["python", "pip"],
        "found_by": ["VIRTUAL_ENV", "PATH"],
        "judged": True,
        "probed": True,
    }
    assert unread["torch"] == {"kind": "unread", "why": "refused"}
    assert found["commands"]["jupyter"] == f"{HOME}/miniconda3/bin/python"
    assert found["lost_kernels"] == [{"name": "old", "program": f"{HOME}/envs/old/bin/python"}]


def test_a_fault_of_the_machine_is_said_once() -> None:
    """Sixty rows that all say "no driver" would hide the one that has a fault of its own."""
    own = Usable(False, "torch is a CPU build", "torch-cpu-only-build")
    rows = [environment(f"/e{n}", NO_CARD) for n in range(3)] + [environment("/cpu", own)]
    text = render("terminal", Listing(machine=NO_CARD, environments=rows, commands=[], lost_kernels=[]), Page())
    assert text.count("gpu-absent-from-pci-bus") == 1
    assert text.count("torch-cpu-only-build") == 1
    assert "none of them can use the GPU" in text


@pytest.mark.parametrize("voice", FORMATS)
def test_an_empty_machine(voice: str) -> None:
    """No environment, or a search that did not come back: both are said."""
    none = Listing(machine=NO_CARD, environments=[], commands=[Command("python", None)], lost_kernels=[])
    assert "no environments found" in render(voice, none, Page()) or voice == "json"
    lost = Listing(machine=NO_CARD, environments=[], commands=[], lost_kernels=[], unread=Unread("timeout", "20 s"))
    assert "20 s" in render(voice, lost, Page())


def test_pip_of_another_environment_stands_out() -> None:
    """What python, pip and jupyter mean is spelt out where they are not one environment."""
    text = render("terminal", FULL, Page(), home=HOME)
    assert f"jupyter means {HOME}/miniconda3/bin/python" in text
    one = Listing(machine=MACHINE, environments=FULL.environments[:1], commands=FULL.commands[:2], lost_kernels=[])
    assert "means /" not in render("terminal", one, Page(), home=HOME)
