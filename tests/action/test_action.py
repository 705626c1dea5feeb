"""The action: its script in a runner that is made of temporary files, its inputs, and the hook for pre-commit."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from envcheck.cli.app import COMMANDS
from envcheck.facts import encode
from envcheck.read.declared import kind_of
from envcheck.testing import machine

ROOT = Path(__file__).parents[2]
ACTION = ROOT / ".github" / "actions" / "preflight"
needs_tree = pytest.mark.skipif(not ACTION.is_dir(), reason="the action is not beside the tests")
needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")
pytestmark = [needs_tree, needs_bash]


@dataclass
class Step:
    """What a step of the action left behind."""

    code: int
    log: str
    errors: str
    outputs: dict[str, str]
    summary: str


Runner = Callable[..., Step]


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A GitHub runner as far as the script sees one: variables, two files, an action's folder."""
    program = tmp_path / "bin" / "envcheck"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m envcheck "$@"\n', encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    output, summary = tmp_path / "output", tmp_path / "summary.md"
    work = tmp_path / "work"
    work.mkdir()

    def run(**inputs: str) -> Step:
        output.write_text("", encoding="utf-8")
        summary.write_text("", encoding="utf-8")
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "RUNNER_TEMP": str(tmp_path / "temp"),
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ACTION),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_WORKSPACE": str(work),
            **{f"INPUT_{name.upper()}": text for name, text in {"envcheck": str(program), **inputs}.items()},
        }
        if "PYTHONPATH" in os.environ:
            environ["PYTHONPATH"] = os.environ["PYTHONPATH"]
        done = subprocess.run(
            ["bash", str(ACTION / "run.sh")], env=environ, cwd=work, capture_output=True, text=True, timeout=120
        )
        pairs = [line.partition("=") for line in output.read_text(encoding="utf-8").splitlines()]
        found = {name: value for name, _, value in pairs}
        return Step(done.returncode, done.stdout, done.stderr, found, summary.read_text(encoding="utf-8"))

    run.__dict__["work"] = work
    return run


def record(work: Path, name: str) -> str:
    """A machine of the cast as a snapshot in the workspace."""
    (work / "snapshot.json").write_bytes(encode(machine(name).snapshot))
    return "snapshot.json"


def work_of(runner: Runner) -> Path:
    found: Path = runner.__dict__["work"]
    return found


def test_a_healthy_runner_lets_the_job_start(runner: Runner) -> None:
    """Exit 0, status fit in the outputs, the whole report in the job's summary, no annotation."""
    done = runner(args=f"--from\n{record(work_of(runner), 'h100')}")
    assert done.code == 0, done.errors
    assert done.outputs["status"] == "fit"
    assert done.outputs["exit-code"] == "0"
    assert done.outputs["roots"] == ""
    assert "fit" in done.summary
    assert "::error" not in done.log


def test_a_broken_runner_stops_it_and_says_why(runner: Runner) -> None:
    """Exit 1, the root cause as an annotation, in the outputs and in the summary."""
    done = runner(args=f"--from\n{record(work_of(runner), 'driver-too-old')}")
    assert done.code == 1, done.errors
    assert done.outputs["status"] == "unfit"
    assert done.outputs["roots"] == "driver-too-old-for-torch"
    assert done.outputs["exit-code"] == "1"
    assert re.search(r"^::error .*title=envcheck driver-too-old-for-torch::", done.log, re.MULTILINE)
    assert "driver-too-old-for-torch" in done.summary


def test_an_advisory_step_passes_and_still_says_so(runner: Runner) -> None:
    """With exit-zero what was found does not stop the job; a bad call does."""
    name = record(work_of(runner), "driver-too-old")
    done = runner(args=f"--from\n{name}", exit_zero="true")
    assert (done.code, done.outputs["exit-code"], done.outputs["status"]) == (0, "1", "unfit")
    assert runner(args="--no-such-option", exit_zero="true").code == 2


def test_the_policy_and_further_reports(runner: Runner) -> None:
    """policy, fail-on and formats reach the command; the files are written where they were asked for."""
    work = work_of(runner)
    (work / "gate.toml").write_text('[require]\ngpus = ">=9"\n', encoding="utf-8")
    name = record(work, "h100")
    done = runner(policy="gate.toml", formats="sarif=out.sarif\njunit=out.xml\n", args=f"--from\n{name}")
    assert done.code == 1, done.log + done.errors
    assert (work / "out.sarif").is_file()
    assert (work / "out.xml").is_file()


def test_lint_runs_on_a_runner_without_a_card(runner: Runner) -> None:
    """The project's files are judged, and the annotation stands at the line."""
    (work_of(runner) / "requirements.txt").write_text("torch==2.6.0\ntorchvision==0.20.0\n", encoding="utf-8")
    done = runner(command="lint")
    assert done.code == 1, done.errors
    assert "::error file=requirements.txt,line=2,title=envcheck torchvision-mismatch::" in done.log


@pytest.mark.parametrize("name", ["args", "policy", "profile", "fail_on", "python", "formats", "command", "exit_zero"])
def test_no_input_is_ever_run(name: str, runner: Runner) -> None:
    """Whatever an input holds, it is an argument: a bad one is a bad call."""
    done = runner(**{name: "$(touch planted) `touch planted`; touch planted && touch planted * -x"})
    assert done.code == 2
    assert not (work_of(runner) / "planted").exists()


def test_an_input_that_the_command_has_not_is_told(runner: Runner) -> None:
    """A profile for lint would be dropped silently otherwise."""
    done = runner(command="lint", profile="training")
    assert (done.code, done.log) == (2, "::error title=envcheck::profile has no meaning for lint\n")


def test_every_input_goes_through_the_environment() -> None:
    """Inputs never stand in the text of a script, every one is handed on, and the script knows every one."""
    text = (ACTION / "action.yml").read_text(encoding="utf-8")
    inputs = re.findall(r"^  ([a-z-]+):\n    description", text.split("\noutputs:")[0], re.MULTILINE)
    handed = dict(re.findall(r"^        (INPUT_\w+): \$\{\{ inputs\.([\w-]+) \}\}$", text, re.MULTILINE))
    assert sorted(handed.values()) == sorted(inputs)
    for variable, name in handed.items():
        assert variable == "INPUT_" + name.upper().replace("-", "_")
    runs = re.findall(r"^      run: (.*)$", text, re.MULTILINE)
    assert runs == ['bash "$GITHUB_ACTION_PATH/run.sh"']
    script = (ACTION / "run.sh").read_text(encoding="utf-8")
    assert set(re.findall(r"\bINPUT_[A-Z_]+\b", script)) == set(handed)
    assert "${{" not in script
    assert "eval" not in script


def test_other_actions_are_pinned_by_their_commit() -> None:
    """A tag can be moved; forty hexadecimal digits cannot.  The version stands beside them for people."""
    files = [*(ROOT / ".github").rglob("*.yml"), *(ROOT / "docs").rglob("*.md")]
    used = [line.strip() for file in files for line in file.read_text(encoding="utf-8").splitlines() if "uses:" in line]
    foreign = [line for line in used if not re.search(r"uses: (\./|envcheck/|OWNER/)", line)]
    assert foreign
    assert [line for line in foreign if not re.search(r"@[0-9a-f]{40} # v\d", line)] == []


def test_the_hook_watches_the_files_that_lint_reads() -> None:
    """pre-commit runs the command when one of them changes, and not for others."""
    text = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    found = re.search(r"^  files: (.*)$", text, re.MULTILINE)
    entry = re.search(r"^  entry: envcheck (\w+)$", text, re.MULTILINE)
    assert found is not None
    assert entry is not None
    assert entry.group(1) in COMMANDS
    for name in (
        *("requirements.txt", "requirements-dev.txt", "dev_requirements.in", "requirements/gpu.txt", "pyproject.toml"),
        *("uv.lock", "sub/poetry.lock", "pylock.toml", "pylock.dev.toml", "environment.yml", "env-gpu.yaml"),
        *("Dockerfile", "docker/Dockerfile.train", "train.dockerfile", "Containerfile", ".python-version"),
    ):
        assert kind_of(name) is not None, name
        assert re.search(found.group(1), name), name
    for name in ("setup.py", "README.md", "docs/notes.txt", "src/app.toml"):
        assert kind_of(name) is None, name
        assert not re.search(found.group(1), name), name
