"""The guides say what the program does: commands, options, policies, links and Python."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from envcheck.cli.app import app
from envcheck.judge.policy_settings import Layer, settle
from envcheck.rules import RULES
from tests.house.documents import DOCUMENTS, ROOT, stale

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

GUIDES = sorted((ROOT / "docs").rglob("guide/*.md")) + [path for path in [ROOT / "README.md"] if path.is_file()]
pytestmark = pytest.mark.skipif(not (ROOT / "docs").is_dir(), reason="the documents are not beside the tests")


def blocks(path: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


def calls() -> list[tuple[str, list[str]]]:
    """(guide, words) of every call of envcheck, in blocks and in code spans."""
    found = []
    for path in GUIDES:
        text = path.read_text(encoding="utf-8")
        lines = [line for block in blocks(path, "sh") for line in block.replace("\\\n", " ").splitlines()]
        lines += re.findall(r"`([^`\n]+)`", text)
        for line in lines:
            called = re.match(r"(?:\$ )?(?:/[\w/]+/)?envcheck( [a-z].*|$)", line.strip())
            if called is not None:
                words = shlex.split(called.group(1).split(" >")[0].split(" && ")[0], comments=True)
                found.append((path.name, words))
    return found


def test_every_call_in_a_guide_can_be_made() -> None:
    """The command exists, and it has every option that the guide gives it."""
    group: Any = get_command(app)
    seen = calls()
    assert len(seen) > 30
    for guide, words in seen:
        command: Any = group
        rest = list(words)
        while rest and hasattr(command, "list_commands") and not rest[0].startswith("-"):
            name = rest.pop(0)
            assert name in command.list_commands(None), f"{guide}: there is no command {' '.join(words)}"
            command = command.get_command(None, name)
        options = {option for parameter in command.params for option in parameter.opts + parameter.secondary_opts}
        for word in rest:
            if re.match(r"--?[a-z]", word):
                assert word.split("=")[0] in options, f"{guide}: {' '.join(words)} has no {word}"


def test_every_format_in_a_guide_exists() -> None:
    """``--format NAME`` names a voice of the program."""
    from envcheck.report import FORMATS

    named = {name for path in GUIDES for name in re.findall(r"--format ([a-z]+)", path.read_text(encoding="utf-8"))}
    assert named
    assert named - set(FORMATS) == set()


def test_every_policy_in_a_guide_is_one() -> None:
    """A policy that is shown settles: no unknown key, no unknown rule, no exception without a reason."""
    names = {word: rule.name for rule in RULES for word in (rule.name, rule.code.lower())}
    shown = [(path, block) for path in GUIDES for block in blocks(path, "toml") if "entry-points" not in block]
    assert shown
    for path, block in shown:
        table = tomllib.loads(block)
        table = table.get("tool", {}).get("envcheck", table)
        settle([Layer(table, path.name)], names, profile="", today="2026-11-24", is_read=lambda name: True)


def test_links_lead_somewhere() -> None:
    """Every relative link of a document leads to a file of the repository."""
    pages = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    lost = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+://|mailto:", target) and not (page.parent / target).exists()
    ]
    assert lost == []


def test_no_page_of_a_rule_outlives_it() -> None:
    """``python -m tests.house.documents`` removes them."""
    assert [path.name for path in stale()] == []
    assert len([name for name in DOCUMENTS if name.startswith("docs/rules/")]) == len(RULES) + 1


def test_the_plugin_guide_tells_the_groups() -> None:
    """Every group that the program looks for stands in the guide."""
    from envcheck.plugins import GROUPS, PREFIX

    text = (ROOT / "docs" / "guide" / "plugins.md").read_text(encoding="utf-8")
    for group in GROUPS:
        assert f"`{PREFIX}{group}`" in text


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
def test_shell_in_a_guide_can_be_read() -> None:
    """What people paste into a terminal or a prolog is a script: bash reads it to the end."""
    found = [(path, block) for path in GUIDES for block in blocks(path, "sh")]
    assert any(block.startswith("#!/bin/sh") for _, block in found)
    for path, block in found:
        done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), path


def prolog(folder: Path, code: int) -> tuple[int, str]:
    """(exit code, what was logged) of the guide's prolog, with an envcheck that ends with ``code``."""
    (script,) = [block for block in blocks(ROOT / "docs" / "guide" / "cluster.md", "sh") if block.startswith("#!")]
    for name, body in (("envcheck", f"exit {code}"), ("logger", f'echo "$@" >> {folder}/logged')):
        (folder / name).write_text(f"#!/bin/sh\n{body}\n")
        (folder / name).chmod(0o755)
    script = script.replace("/opt/envcheck/bin/", f"{folder}/").replace("/var/log/", f"{folder}/log/")
    environ = {"PATH": f"{folder}:/usr/bin:/bin", "SLURM_JOB_GPUS": "0,1"}
    done = subprocess.run(["bash", "-c", script], env=environ, capture_output=True, text=True)
    logged = folder / "logged"
    return done.returncode, logged.read_text() if logged.exists() else ""


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
@pytest.mark.parametrize("code", [0, 1, 2, 3, 70])
def test_the_prolog_drains_a_node_for_what_is_certain(code: int, tmp_path: Path) -> None:
    """Exit 1 alone drains; what is no verdict is logged, and a healthy node says nothing."""
    ended, logged = prolog(tmp_path, code)
    assert ended == (1 if code == 1 else 0)
    assert (f"ended with {code}" in logged) == (code not in (0, 1))


def test_python_in_a_guide_can_be_compiled() -> None:
    """Examples are whole."""
    found = [(path, block) for path in GUIDES for block in blocks(path, "python")]
    assert found
    for path, block in found:
        compile(block, str(path), "exec")
