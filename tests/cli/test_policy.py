"""Which policy holds, where each setting comes from, and a policy that a machine fulfils."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from envcheck.facts import encode
from envcheck.testing import machine

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Cli = Callable[..., Any]
pytestmark = pytest.mark.wheel


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a folder below it, which is the current one."""
    (tmp_path / "project" / ".git").mkdir(parents=True)
    (tmp_path / "project" / "src").mkdir()
    monkeypatch.chdir(tmp_path / "project" / "src")
    return tmp_path / "project"


def shown(cli: Cli, *args: str) -> dict[str, Any]:
    result = cli("policy", "show", *args, "--format", "json")
    assert (result.code, result.err) == (0, "")
    found: dict[str, Any] = json.loads(result.out)
    return found


def test_without_a_file_the_defaults_hold(cli: Cli, project: Path) -> None:
    """They are those of doctor, and the page says that nobody wrote one."""
    assert shown(cli)["source"] is None
    text = cli("policy", "show").out
    assert text.startswith("# No policy file: these are the defaults\n")
    assert 'fail_on = "error"  # default' in text


def test_the_nearest_file_holds(cli: Cli, project: Path) -> None:
    """From the current folder upwards; envcheck.toml before pyproject.toml; --policy before both."""
    (project / "pyproject.toml").write_text("[tool.envcheck.require]\ngpus = 1\n")
    assert (shown(cli)["source"], shown(cli)["policy"]["require"]["gpus"]) == ("pyproject.toml", ">=1")
    (project / "envcheck.toml").write_text("[require]\ngpus = 2\n")
    assert (shown(cli)["source"], shown(cli)["policy"]["require"]["gpus"]) == ("envcheck.toml", ">=2")
    (project / "src" / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    assert shown(cli)["source"] == "envcheck.toml", "a pyproject.toml without the table is passed by"
    (project / "src" / "pyproject.toml").write_text("[tool.envcheck]\nrequire.gpus = 3\n")
    assert (shown(cli)["source"], shown(cli)["policy"]["require"]["gpus"]) == ("src/pyproject.toml", ">=3")
    (project / "other.toml").write_text("[require]\ngpus = 4\n")
    assert shown(cli, "--policy", "../other.toml")["policy"]["require"]["gpus"] == ">=4"


def test_every_setting_has_its_origin(cli: Cli, project: Path) -> None:
    """Default, profile or file: told beside the setting, in TOML that can be read again."""
    (project / "envcheck.toml").write_text(
        'extends = "training"\n[require]\ngpus = 8\n[require.packages]\nnumpy = ">=2"\n'
        '[[ignore]]\nrule = "DRV102"\nreason = "a \\"quoted\\" ü reason"\nuntil = 2030-01-31\n'
    )
    text = cli("policy", "show").out
    assert text.isascii()
    assert "gpus = 8  # envcheck.toml" in text
    assert 'shm_mib = ">=1024"  # profile training' in text
    again = tomllib.loads(text)
    assert again["ignore"][0]["reason"] == 'a "quoted" ü reason'
    assert again["require"]["packages"] == {"numpy": ">=2"}
    told = shown(cli)["settings"]
    assert told["require.gpus"] == {"value": 8, "origin": "envcheck.toml"}
    assert told["forbid.env"]["origin"] == "profile training"
    assert shown(cli)["policy"]["ignore"][0]["until"] == "2030-01-31"


def test_a_shown_policy_is_the_same_policy(cli: Cli, project: Path) -> None:
    """What ``show`` prints means what was read."""
    (project / "envcheck.toml").write_text(
        'extends = "fleet"\nfail_on = "warning"\n[require]\ntorch_cuda = ["12.6", "13"]\nenv = ["NCCL_IB_HCA"]\n'
        '[forbid]\npackages = ["apex"]\n[severity]\ndriver-branch-eol = "error"\n[bench]\nmin_ratio_to_ceiling = 0.9\n'
    )
    first = shown(cli)
    (project / "again.toml").write_text(cli("policy", "show").out)
    assert shown(cli, "--policy", "../again.toml")["policy"] == first["policy"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[requir]\n", "envcheck.toml: requir: no such key; did you mean require?"),
        ("[require]\ngpus = \n", "envcheck.toml: "),
        ("[require]\nenv = ['SSH_AUTH_SOCK']\n", "'SSH_AUTH_SOCK' is not among the variables that envcheck reads"),
        ('[[ignore]]\nrule = "drv999"\nreason = "x"\n', "no rule is called drv999"),
        ("tool = 3\n", "envcheck.toml: tool: no such key"),
        ("[tool]\nenvcheck = 3\n", "tool.envcheck is no table"),
        ('extends = "nobody"\n', "no profile is called nobody"),
        ("\0", "envcheck.toml: "),
        ("x = " + "[" * 5000 + "\n", "envcheck.toml: "),
    ],
)
def test_a_wrong_policy_is_a_bad_call(cli: Cli, project: Path, text: str, words: str) -> None:
    """One line with the file and the place, and exit code 2."""
    (project / "envcheck.toml").write_text(text)
    for command in (["policy", "show"], ["preflight"]):
        result = cli(*command)
        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
        assert words in result.err


def test_files_that_are_no_policy(cli: Cli, project: Path) -> None:
    """Bytes, a folder, a pyproject.toml without the table, and a file without end."""
    (project / "pyproject.toml").write_text("[project]\n")
    (project / "bytes.toml").write_bytes(b"\xff\xfe")
    (project / "big.toml").write_text("#" * (1 << 20) + "\n")
    for name, words in (
        ("pyproject.toml", "it has no table [tool.envcheck]"),
        ("bytes.toml", "not UTF-8"),
        ("big.toml", "larger than 1 MiB"),
        ("src", "directory"),
        ("a\0b", ""),
    ):
        result = cli("policy", "show", "--policy", f"../{name}")
        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
        assert words in result.err


def test_a_frozen_policy_is_fulfilled(cli: Cli, project: Path) -> None:
    """What ``freeze`` writes passes on that machine at once, and fails on a lesser one."""
    for name in ("h100", "driver-too-old"):
        (project / f"{name}.json").write_bytes(encode(machine(name).snapshot))
    result = cli("policy", "freeze", "--from", "../h100.json", "-o", "../envcheck.toml")
    assert (result.code, result.out, result.err) == (0, "", "envcheck: wrote ../envcheck.toml\n")
    assert cli("preflight", "--from", "../h100.json").code == 0
    failed = cli("preflight", "--from", "../driver-too-old.json", "--format", "json")
    found = {finding["rule"] for finding in json.loads(failed.out)["root_causes"]}
    assert failed.code == 1 and {"policy-driver", "policy-compute-capability"} <= found


def test_the_schema(cli: Cli, project: Path) -> None:
    """A JSON Schema for editors, which takes what ``freeze`` writes."""
    schema = json.loads(cli("policy", "schema").out)
    jsonschema.Draft202012Validator.check_schema(schema)
    (project / "h100.json").write_bytes(encode(machine("h100").snapshot))
    jsonschema.validate(tomllib.loads(cli("policy", "freeze", "--from", "../h100.json").out), schema)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["policy"], "Missing command"),
        (["policy", "shw"], "show"),
        (["policy", "show", "--format", "markdown"], "--format markdown: no such format"),
        (["policy", "freeze", "--from", "x", "--quick"], "--from judges what was recorded"),
        (["policy", "freeze", "-o", "/no/such/folder/x"], "there is no folder /no/such/folder"),
    ],
)
def test_bad_calls(cli: Cli, project: Path, args: list[str], words: str) -> None:
    """One line and exit code 2."""
    result = cli(*args)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert words in result.err
