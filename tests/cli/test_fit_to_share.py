"""What is made to be shown to others names nobody: secrets planted in a machine come out of no format of any command.

The commands and their formats are asked of the program itself: a new one has no way round this test.
"""

from __future__ import annotations

import contextlib
import html
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from typer.main import get_command

from envcheck.__main__ import main
from envcheck.cli.app import app
from envcheck.cli.sharing import FOR_OTHERS
from envcheck.facts import Snapshot, decode, encode
from envcheck.report import FORMATS
from envcheck.report.redact import redact, redact_text
from envcheck.rules import RULES
from envcheck.testing import machine
from tests.planted import (
    HOST,
    KEPT,
    OF_NO_TEXT,
    PASTE,
    PYTHON,
    REQUIREMENTS,
    SECRETS,
    TRACEBACK,
    USER,
    benchmark,
    leaks,
    planted,
)

Cli = Callable[..., Any]
GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "bug-reports.md"

CALLS: dict[str, tuple[str, ...]] = {
    "doctor": (),
    "bench": (),
    "explain": ("PASTE",),
    "preflight": (),
    "lint": ("requirements.txt",),
    "policy freeze": (),
    "recommend": (),
    "matrix": (),
    "envs": (),
    "collect": (),
    "diff": ("here", "HEALTHY", "--all"),
}
"""Command that can tell of a machine -> what it is called with."""

OF_NO_MACHINE: dict[str, tuple[str, ...]] = {
    "rules": (),
    "policy show": (),
    "policy schema": (),
}
"""Commands that look at no machine and read nobody's report: there is nothing to take out."""

VERSIONS_ALONE = ("recommend", "matrix", "policy freeze")
"""Commands that tell of a machine what fits it, and name no file of it."""


def leaves() -> Iterator[tuple[str, Any]]:
    """Every command of the program that does something, with its parameters."""
    group: Any = get_command(app)
    for name in group.list_commands(None):
        command = group.get_command(None, name)
        if hasattr(command, "list_commands"):
            yield from ((f"{name} {verb}", command.get_command(None, verb)) for verb in command.list_commands(None))
        else:
            yield name, command


def options(command: Any) -> set[str]:
    return {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}


def formats(name: str) -> list[str]:
    """The formats of a command, in its own words: those that it knows when it is asked for another one."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        assert main([*name.split(), *({**CALLS, **OF_NO_MACHINE}[name]), "--format", "?"]) == 2
    known = re.search(r"\(known: (.*)\)", said.getvalue())
    assert known is not None, said.getvalue()
    return known[1].split(", ")


COMMANDS = dict(leaves())
SPOKEN = [
    (name, voice)
    for name, command in COMMANDS.items()
    for voice in (formats(name) if "--format" in options(command) else [""])
]
"""Every command with each of its formats; "" where there is but one."""

OF_MACHINES = [(name, voice) for name, voice in SPOKEN if name in CALLS]
named = pytest.mark.parametrize(("name", "voice"), OF_MACHINES, ids=lambda word: word or "text")


@pytest.fixture
def say(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a command in one format on the planted machine, in a project of it; gives the output as it was written."""
    looked_at: list[object] = []

    def snapshot_here(wish: object, watch: object = None) -> Snapshot:
        looked_at.append(wish)
        return planted()

    monkeypatch.setattr("envcheck.collect.snapshot_here", snapshot_here)
    monkeypatch.setattr("envcheck.cli.bench._run", lambda python, wish: benchmark())
    monkeypatch.setattr("platform.node", lambda: SECRETS["host given"] + ".corp.example.com")
    monkeypatch.setenv("USER", USER)
    monkeypatch.chdir(tmp_path)
    for variable in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    Path("paste.txt").write_text(PASTE, encoding="utf-8")
    Path("requirements.txt").write_text(REQUIREMENTS, encoding="utf-8")
    Path("healthy.json").write_bytes(encode(machine("h100").snapshot))
    places = {"PASTE": "paste.txt", "HEALTHY": "healthy.json"}

    def run(name: str, voice: str, *more: str) -> str:
        looked_at.clear()
        words = [*name.split(), *({**CALLS, **OF_NO_MACHINE}[name]), *more]
        words += ["--format", voice] if voice else []
        done = cli(*(places.get(word, word) for word in words))
        assert done.code in (0, 1, 3), done.err
        assert bool(looked_at) == (name in CALLS and name not in ("explain", "lint") and "--from" not in more)
        summary = tmp_path / "GITHUB_STEP_SUMMARY"
        posted = summary.read_text(encoding="utf-8") if summary.exists() else ""
        assert bool(posted) == (voice == "github")
        summary.unlink(missing_ok=True)
        outputs = tmp_path / "GITHUB_OUTPUT"
        assert not outputs.exists() or leaks(outputs.read_text(encoding="utf-8")) == []
        return str(done.out) + posted

    return run


def test_every_command_is_told_of() -> None:
    """A new command is either one that tells of a machine, and can be redacted, or one that has nothing to take out."""
    assert set(COMMANDS) == {*CALLS, *OF_NO_MACHINE}
    redacting = {name for name, command in COMMANDS.items() if {"--redact", "--no-redact"} <= options(command)}
    assert redacting == set(CALLS)
    assert {voice for _, voice in SPOKEN} >= set(FORMATS)
    assert set(FORMATS) - FOR_OTHERS == {"terminal", "json"}


@named
def test_no_secret_survives(say: Callable[..., str], name: str, voice: str) -> None:
    """--redact, in every format; and by default where a format is made for others."""
    text = say(name, voice, "--redact")
    assert leaks(text) == []
    if voice in ("json", "sarif", "gitlab"):
        json.loads(text)
    elif voice == "junit":
        ElementTree.fromstring(text)
    if voice in FOR_OTHERS:
        assert say(name, voice) == say(name, voice, "--redact")
    else:
        assert say(name, voice) == say(name, voice, "--no-redact")


@named
def test_it_can_be_left_in(say: Callable[..., str], name: str, voice: str) -> None:
    """--no-redact writes what was seen, so that the outputs that are free of it did have something to lose."""
    whole = leaks(say(name, voice, "--no-redact"))
    if name == "collect":
        assert whole == list(SECRETS)
    elif name in VERSIONS_ALONE:
        assert whole == []
    elif name != "lint":  # its reader keeps no login of a URL to begin with
        assert whole != []


@pytest.mark.parametrize(("name", "voice"), [pair for pair in SPOKEN if pair[0] in OF_NO_MACHINE])
def test_a_command_that_looks_at_nothing_tells_nothing(say: Callable[..., str], name: str, voice: str) -> None:
    """The manual and the policy's forms are the same on every machine."""
    assert leaks(say(name, voice)) == []


@named
def test_what_matters_survives(say: Callable[..., str], name: str, voice: str) -> None:
    """Rules, versions, driver and card stand in a redacted output as often as in the whole one."""
    whole, redacted = say(name, voice, "--no-redact"), say(name, voice, "--redact")
    rules = set(re.findall(r"\b[a-z]+(?:-[a-z]+){2,}\b", whole)) & {rule.name for rule in RULES}
    assert [word for word in (*KEPT, *rules) if whole.count(word) != redacted.count(word)] == []
    if name in ("doctor", "preflight", "diff"):
        assert {"driver-too-old-for-torch"} <= rules
    if name == "collect":
        assert all(word in redacted for word in KEPT)


@named
def test_redacting_twice_changes_nothing(say: Callable[..., str], name: str, voice: str) -> None:
    """A machine that was redacted is told alike with --redact and without, in every format of every command."""
    if name == "lint":
        text = html.unescape(say(name, voice, "--redact"))
        assert redact_text(text) == text
        return
    shared = Path("shared.json")
    shared.write_text(say("explain" if name == "explain" else "collect", "json", "--redact"), encoding="utf-8")
    if name == "explain":
        shared.rename("paste.txt")
        assert say(name, voice, "--redact") == say(name, voice, "--no-redact")
    elif name in ("doctor", "preflight", "envs", "policy freeze"):
        more: tuple[str, ...] = ("--from", "shared.json")
        assert say(name, voice, *more, "--redact") == say(name, voice, *more, "--no-redact")
    else:
        snapshot = decode(shared.read_bytes())
        assert redact(snapshot, [USER], [HOST, SECRETS["host given"]]) == snapshot


@pytest.mark.parametrize("name", ["doctor", "preflight", "diff", "envs", "bench"])
def test_the_answer_does_not_depend_on_it(cli: Cli, say: Callable[..., str], name: str) -> None:
    """Exit code, verdict, ladder and rules are those of the whole result, whatever is shown of it."""
    words = [word.replace("HEALTHY", "healthy.json") for word in (*name.split(), *CALLS[name])]
    whole, redacted = (cli(*words, "--format", "json", option) for option in ("--no-redact", "--redact"))
    assert whole.code == redacted.code
    one, other = json.loads(whole.out), json.loads(redacted.out)
    assert one.keys() == other.keys()
    assert (one.get("verdict"), one.get("ladder")) == (other.get("verdict"), other.get("ladder"))
    for key in ("root_causes", "consequences", "warnings", "notes", "cannot_tell"):
        assert [found["rule"] for found in one.get(key, [])] == [found["rule"] for found in other.get(key, [])]


@pytest.mark.parametrize("voice", ["terminal", "json", "markdown"])
@pytest.mark.parametrize("secret", [name for name in SECRETS if name not in OF_NO_TEXT])
def test_a_pasted_line_is_quoted_without_its_secrets(say: Callable[..., str], voice: str, secret: str) -> None:
    """explain rests on lines of prose: what stood beside the message goes, the message stays."""
    text = say("explain", voice, "--redact")
    assert SECRETS[secret] not in text.replace("\\\\", "\\")
    assert "torch-cpu-only-build" in text
    assert "Torch not compiled with CUDA enabled" in re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(
    ("name", "voice", "more"),
    [
        (name, voice, more)
        for name, more in (("doctor", ("--from", "paste.txt")), ("preflight", ("--from", "paste.txt")))
        for voice in FORMATS
    ],
)
def test_a_paste_is_judged_without_its_secrets(
    say: Callable[..., str], name: str, voice: str, more: tuple[str, ...]
) -> None:
    """What was pasted comes out of every format of the commands that judge it as if it were a machine."""
    assert leaks(say(name, voice, *more, "--redact")) == []


def test_what_ci_points_at_is_there(cli: Cli, say: Callable[..., str]) -> None:
    """Files of the project keep their names, whatever these are: an annotation has to stand somewhere."""
    project = Path(USER)
    project.mkdir()
    file = project / "requirements.txt"
    file.write_text(REQUIREMENTS, encoding="utf-8")
    sarif = json.loads(cli("lint", USER, "--format", "sarif").out)
    places = re.findall(r'"uri": ?"([^"]+)"', json.dumps(sarif["runs"][0]["results"]))
    assert file.as_posix() in places
    assert all(Path(place).exists() for place in places if not place.startswith("pyproject"))
    assert f"file={file.as_posix()},line=" in cli("lint", USER, "--format", "github").out
    told = json.loads(cli("lint", USER, "--format", "json", "--redact").out)["snapshot"]["declared"]
    assert [read["file"] for read in told["files"]] == [file.as_posix()]


def test_a_run_that_breaks_tells_no_secret(cli: Cli, say: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be pasted when envcheck itself breaks goes without, too; our own files keep their names."""

    def snapshot_here(wish: object, watch: object = None) -> Snapshot:
        raise ZeroDivisionError(TRACEBACK)

    monkeypatch.setattr("envcheck.collect.snapshot_here", snapshot_here)
    done = cli("doctor", "--python", PYTHON)
    assert (done.code, leaks(done.err)) == (70, [])
    assert f'File "{Path("envcheck", "cli", "doctor.py")}"' in done.err


def test_a_broken_redaction_hides_no_crash(cli: Cli, say: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the redaction is what broke, the report says that names are left in."""
    monkeypatch.setattr("envcheck.report.redact.redact", _broken)
    monkeypatch.setattr("envcheck.report.redact.redact_text", _broken)
    done = cli("doctor", "--format", "markdown")
    assert (done.code, done.out) == (70, "")
    assert "names are left in" in done.err


def _broken(*words: object) -> str:
    raise ZeroDivisionError("planted")


@pytest.mark.skipif(not GUIDE.is_file(), reason="the documents are not beside the tests")
def test_the_guide_tells_what_is_redacted() -> None:
    """The table of the guide is the program's: which commands, and which of their formats go without."""
    rows = re.findall(r"^\| (`.*) \| (.*) \| (.*) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {name: (redacted, whole) for names, redacted, whole in rows for name in re.findall(r"`([a-z ]+)`", names)}
    assert set(told) == set(COMMANDS)
    for name, (redacted, whole) in told.items():
        voices = {voice for command, voice in SPOKEN if command == name and voice}
        if name in OF_NO_MACHINE:
            assert redacted.startswith("no option")
            continue
        assert {voice for voice in (*FORMATS, "csv") if voice in redacted.split(" with")[0]} == voices & FOR_OTHERS
        assert voices - FOR_OTHERS == {voice for voice in (*FORMATS, "csv") if voice in whole.split(", ")}
