"""The control nodes are really opened, since permission bits do not tell what a device filter refuses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.probe.conftest import ALONE, Ask


def test_only_control_nodes_that_are_there(ask: Ask, tmp_path: Path) -> None:
    """A node that can be opened has no errno; one that is missing is not listed; a card's own node is never opened."""
    dev = tmp_path / "dev"
    dev.mkdir()
    (dev / "nvidiactl").write_text("")
    os.mkfifo(dev / "nvidia0")  # opening it for reading would wait for ever
    facts = ask("nodes", f"root={tmp_path}", flags=ALONE).facts
    assert [(node.path, node.open_errno) for node in facts.nodes] == [("/dev/nvidiactl", None)]


def test_a_node_that_refuses(ask: Ask, tmp_path: Path) -> None:
    """The errno's name, whichever it is: here a folder in the place of the node."""
    (tmp_path / "dev" / "nvidia-uvm").mkdir(parents=True)
    facts = ask("nodes", f"root={tmp_path}", flags=ALONE).facts
    assert [(node.path, node.open_errno) for node in facts.nodes] == [("/dev/nvidia-uvm", "EISDIR")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open everything")
def test_a_node_without_permission(ask: Ask, tmp_path: Path) -> None:
    """EACCES is what the bits refuse."""
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidiactl").touch(mode=0)
    facts = ask("nodes", f"root={tmp_path}", flags=ALONE).facts
    assert facts.nodes[0].open_errno == "EACCES"
