"""``envcheck lint`` on files that lie on a disk: which are read, what is answered, with which exit code."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from envcheck.__main__ import main
from envcheck.report import FORMATS
from envcheck.rules import RULES, declared

from .projects import BROKEN, SOUND, Project

pytestmark = pytest.mark.wheel

Lay = Callable[[dict[str, str]], Path]


@pytest.fixture
def lay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lay]:
    """Write a project into an empty folder and go there."""

    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        return tmp_path

    return write


def arguments(project: Project) -> list[str]:
    """The options that describe the project's machine."""
    return [word for name, text in project.machine.items() for word in (f"--{name}", text)]


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str, str]:
    code = main(["lint", *args])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize("project", [p for p in BROKEN if "/" not in p.place], ids=lambda project: project.name)
def test_the_exit_code_says_whether_it_fails(project: Project, lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    """1 for an error, 0 for less, and 1 for that as well with --fail-on; the rule is named at its line."""
    lay(project.files)
    code, out, err = run(capsys, *arguments(project))
    assert err == ""
    assert f"{project.place}: " in out
    assert project.rule in out
    severity = next(line for line in out.splitlines() if line.startswith(project.place)).split(": ")[1]
    assert code == (1 if severity == "error" else 0)
    assert run(capsys, *arguments(project), "--fail-on", severity)[0] == 1


@pytest.mark.parametrize("project", SOUND, ids=lambda project: project.name)
def test_a_sound_project_passes(project: Project, lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 0, nothing on stderr, no finding on the page."""
    lay(project.files)
    code, out, err = run(capsys, *arguments(project), "--fail-on", "note")
    assert (code, err) == (0, "")
    assert not any(word in out for word in ("error:", "warning:", "note:"))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_the_same(name: str, lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code never depends on the format, and each names the rule and the file."""
    project = next(p for p in BROKEN if p.name == "torchvision-of-another-torch")
    lay(project.files)
    code, out, _ = run(capsys, "--format", name)
    assert code == 1
    assert project.rule in out
    assert "requirements.txt" in out


def test_json_carries_what_was_declared(lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    """The snapshot of the report holds the declaration, and evidence names the line that it stands on."""
    project = BROKEN[0]
    lay(project.files)
    _, out, _ = run(capsys, *arguments(project), "--format", "json")
    report = json.loads(out)
    assert report["snapshot"]["source"] == "declared"
    assert report["snapshot"]["declared"]["environments"][0]["packages"][1]["wanted"] == "==2.14.1"
    witnesses = {e["witness"] for e in report["root_causes"][0]["evidence"]}
    assert witnesses == {"requirements.txt:2", "--driver 535.183.06"}


def test_one_file_is_read_with_what_it_names(lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    """A named file is judged with its includes, and its neighbours are left alone."""
    lay(
        {
            "requirements.txt": "-r parts/torch.txt\ntorchvision==0.20.0\n",
            "parts/torch.txt": "torch==2.6.0\n",
            "requirements-old.txt": "torch==2.0.9\n",
        }
    )
    code, out, _ = run(capsys, "requirements.txt")
    assert code == 1
    assert "requirements.txt:2: error: torchvision-mismatch" in out
    assert "requirements-old" not in out


def test_a_lock_is_read_with_its_project(lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    """pyproject.toml and its lock belong together, whichever is named."""
    project = next(p for p in BROKEN if p.name == "lock-older-than-the-project")
    lay(project.files)
    for named in project.files:
        assert "lock-out-of-date" in run(capsys, named)[1]


def test_folders_of_others_are_not_read(lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    """A virtual environment, hidden folders and node_modules are not this project's."""
    broken = "torch==2.0.9\n"
    lay(
        {
            "requirements.txt": "torch==2.9.1\n",
            "study/pyvenv.cfg": "home = /usr/bin\n",
            "study/requirements.txt": broken,
            ".tox/requirements.txt": broken,
            "node_modules/x/requirements.txt": broken,
            "src/requirements.txt": "torch==2.8.0\n",
        }
    )
    code, out, _ = run(capsys)
    assert code == 0
    assert "2 files, 2 environments" in out


def test_powershells_utf_16_is_understood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """``pip freeze > requirements.txt`` in PowerShell writes UTF-16 with a mark."""
    path = tmp_path / "requirements.txt"
    path.write_bytes("torch==2.0.9\n".encode("utf-16"))
    code, out, _ = run(capsys, str(path))
    assert code == 1
    assert "there is no torch release 2.0.9" in out


def test_an_exception_of_the_policy_holds(lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    """What pyproject.toml's [tool.envcheck] ignores with a reason is shown and does not fail."""
    policy = '[[tool.envcheck.ignore]]\nrule = "torchvision-mismatch"\nreason = "vendored"\n'
    lay({"requirements.txt": "torch==2.6.0\ntorchvision==0.20.0\n", "pyproject.toml": policy})
    code, out, _ = run(capsys)
    assert code == 0
    assert "ignored: torchvision-mismatch" in out
    assert "vendored" in out


def test_a_pyproject_that_is_no_toml_is_a_bad_call(lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    """The policy may stand in it, so nothing is judged without it."""
    lay({"pyproject.toml": "[project\n", "requirements.txt": "torch==2.9.1\n"})
    code, out, err = run(capsys)
    assert (code, out) == (2, "")
    assert "pyproject.toml" in err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["no-such-folder"], "no-such-folder"),
        (["requirements-missing.txt"], "requirements-missing.txt: No such file"),
        (["train.py"], "what kind of file is this"),
        (["."], "no file that says what is to be installed"),
        ([".", "--gpu", "RTX 9999"], "RTX 9999"),
        ([".", "--driver", "new"], "--driver new"),
        ([".", "--os", "beos"], "--os beos"),
        ([".", "--fail-on", "sometimes"], "sometimes"),
        ([".", "--format", "jsn"], "did you mean json"),
        ([".", "--arch", "aarch64", "--os", "windows"], "no wheels"),
    ],
)
def test_a_bad_call_costs_one_line(args: list[str], words: str, lay: Lay, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, one line on stderr, nothing on stdout."""
    lay({"train.py": "import torch\n"})
    code, out, err = run(capsys, *args)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_every_rule_about_declarations_is_planted() -> None:
    """No rule of its own without a project that shows it; and the house's questions that are asked exist."""
    planted = {project.rule for project in BROKEN}
    assert {rule.name for rule in RULES if rule.code.startswith("LNT")} - planted == set()
    from envcheck.rules import QUESTIONS

    assert set(declared.HOUSE) - {question.name for question in QUESTIONS} == set()


def test_a_machine_is_not_asked_about_declarations() -> None:
    """The rules about files stay silent on every machine of the cast."""
    from envcheck.testing import CAST, machine, outcomes

    names = {rule.name for rule in RULES if rule.code.startswith("LNT")}
    for name in CAST:
        found = {rule: outcome for (rule, _), outcome in outcomes(machine(name)).items() if rule in names}
        assert set(found.values()) <= {"not_applicable"}, name
