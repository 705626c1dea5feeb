"""README and manual say what the program does."""

from __future__ import annotations

import re

import pytest

from envcheck import __version__
from tests.house.documents import DOCUMENTS, ROOT

needs_tree = pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the documents are not beside the tests")


@needs_tree
@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_those_of_the_program(name: str) -> None:
    """Run ``python -m tests.house.documents`` after a change of the rules."""
    assert (ROOT / name).read_text(encoding="utf-8") == DOCUMENTS[name]()


def test_every_command_of_the_readme_exists() -> None:
    """The README promises no command that the program does not have."""
    from typer.main import get_command

    from envcheck.cli.app import app

    command = get_command(app)
    names = set(command.list_commands(None))  # type: ignore[attr-defined,arg-type]
    promised = set(re.findall(r"`envcheck ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    assert promised - names == set()


def test_the_readme_has_two_set_up_commands() -> None:
    """The first ends in doctor running, the second in the tests passing; CI takes both from there."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("\n## Set up", 1)[1].split("\n## ", 1)[0]
    commands = [block.strip() for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)]
    assert len(commands) == 2
    assert commands[0].endswith("envcheck doctor")
    assert "pytest" in commands[1].split("&&")[-1]


@needs_tree
def test_the_changelog_knows_this_version() -> None:
    """A version that is built is described."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {__version__}" in text or "## Unreleased" in text
