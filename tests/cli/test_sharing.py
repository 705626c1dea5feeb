"""collect --redact, the attachment for an issue, and doctor --from on what other programs printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envcheck.cli.sharing import fit
from envcheck.judge import judge
from envcheck.library import Diagnosis
from envcheck.rules import QUESTIONS
from tests.planted import SECRETS, USER, leaks, planted

Cli = Callable[..., Any]
Here = Callable[[object], list[object]]
pytestmark = pytest.mark.wheel

TABLE = """\
| NVIDIA-SMI 575.57.08              Driver Version: 575.57.08      CUDA Version: 12.9     |
|   0  NVIDIA A30                     On  |   00000000:3B:00.0 Off |                    0 |
| N/A   41C    P0             61W /  165W |    1025MiB /  24576MiB |     17%      Default |
|                                         |                        |             Disabled |
"""


@pytest.mark.usefixtures("law")
def test_markdown_is_redacted_and_json_is_not(cli: Cli, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes to a forum goes without names; what stays at home is whole.  Both can be turned round."""
    monkeypatch.setattr("envcheck.report.secrets.COMMON_NAMES", frozenset())  # "student" is nobody in particular
    here("unfit")
    assert "/home/student/.venv/bin/python" in cli("collect").out
    assert "student" not in cli("collect", "--redact").out
    markdown = cli("collect", "--format", "markdown").out
    assert "student" not in markdown
    assert "/.venv/bin/python" in markdown
    assert "/home/student/.venv/bin/python" in cli("collect", "--format", "markdown", "--no-redact").out


@pytest.mark.usefixtures("law")
def test_names_that_the_system_tells(cli: Cli, here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    """The asking user's and the host's own names go, wherever they stand."""
    from envcheck.cli.sharing import own_names

    monkeypatch.setenv("LOGNAME", "mallory")
    monkeypatch.setattr("platform.node", lambda: "gpubox42.example.org")
    users, hosts = own_names()
    assert "mallory" in users
    assert hosts == ["gpubox42.example.org"]


@pytest.mark.usefixtures("law")
def test_an_attachment_is_read_back(cli: Cli, here: Here, tmp_path: Path) -> None:
    """The snapshot in an issue's text is judged as the file that it was."""
    here("unfit")
    issue = tmp_path / "issue.md"
    issue.write_text("Hello,\n\n" + cli("collect", "--format", "markdown").out + "\nThanks!\n", encoding="utf-8")
    result = cli("doctor", "--from", str(issue), "--format", "json")
    assert result.code == 1
    assert json.loads(result.out)["root_causes"][0]["rule"] == "planted-driver-too-old"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (TABLE, 0, "A30"),
        ("Failed to initialize NVML: Driver/library version mismatch\n", 1, "driver-library-version-mismatch"),
        ("NVRM: Xid (PCI:0000:3b:00): 79, pid=1, name=x, GPU has fallen off the bus.\n", 1, "gpu-fallen-off-bus"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_recordings_are_judged(cli: Cli, tmp_path: Path, text: str, code: int, words: str, encoding: str) -> None:
    """nvidia-smi's output and a kernel log, also as PowerShell's > and Windows editors write them."""
    path = tmp_path / "out.txt"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    result = cli("doctor", "--from", str(path))
    assert (result.code, result.err) == (code, "")
    assert words in result.out
    assert "recorded" in result.out


def test_a_text_that_is_nothing_is_a_bad_call(cli: Cli, tmp_path: Path) -> None:
    """One line says that it is no snapshot and no output that is known."""
    path = tmp_path / "x.txt"
    path.write_text("Dear all, the meeting is at noon.\n")
    result = cli("doctor", "--from", str(path))
    assert (result.code, result.out) == (2, "")
    assert "not an envcheck snapshot" in result.err


def test_what_is_for_others_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several formats of one call share one redaction, and the others get the result itself."""
    whole = planted()
    told = fit(whole, None)
    assert told("json") is told("terminal") is whole
    assert told("markdown") is told("html") is not whole
    assert fit(whole, redact=True)("json") == told("markdown")
    assert fit(whole, redact=False)("markdown") is whole


def test_the_library_makes_markdown_fit_to_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """A diagnosis in a notebook or a script gives the Markdown that the command gives."""
    monkeypatch.setattr("getpass.getuser", lambda: USER)
    monkeypatch.setattr("platform.node", lambda: SECRETS["host given"] + ".corp.example.com")
    found = Diagnosis(judge(planted(), QUESTIONS))
    assert leaks(found.to_markdown()) == []
    assert "driver-too-old-for-torch" in found.to_markdown()
    assert USER in found.to_markdown(redact=False)
