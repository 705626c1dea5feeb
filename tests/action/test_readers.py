"""What independent readers say of workflows and action.  They are installed for this; without an index, skipped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (ROOT / ".github").is_dir(), reason="the workflows are not beside the tests"),
]


@pytest.fixture(scope="session")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with zizmor and check-jsonschema."""
    folder = tmp_path_factory.mktemp("readers")
    venv.create(folder, with_pip=True)
    bin_ = folder / ("Scripts" if os.name == "nt" else "bin")
    wanted = ["zizmor==1.32.0", "check-jsonschema==0.39.0"]
    command = [str(bin_ / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", *wanted]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if done.returncode:
        pytest.skip(f"zizmor and check-jsonschema cannot be installed here: {done.stderr.strip()[-200:]}")
    return bin_


def run(program: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environ = {"PATH": os.environ["PATH"], "HOME": str(program.parent), "NO_COLOR": "1"}
    return subprocess.run(
        [str(program), *args], env=environ, capture_output=True, text=True, timeout=120, cwd=ROOT, check=False
    )


def test_zizmor_finds_nothing(readers: Path) -> None:
    """No injection, no unpinned action, no needless permission or persisted credential, offline."""
    files = [str(path) for path in (ROOT / ".github").rglob("*.yml") if "ISSUE_TEMPLATE" not in path.parts]
    done = run(readers / "zizmor", "--offline", "--no-progress", "--persona=regular", *sorted(files))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("schema", "pattern"),
    [("vendor.github-workflows", ".github/workflows/*.yml"), ("vendor.github-actions", ".github/actions/*/action.yml")],
)
def test_workflows_and_action_meet_their_schema(schema: str, pattern: str, readers: Path) -> None:
    """The schemas that check-jsonschema carries (SchemaStore)."""
    files = [str(path) for path in sorted(ROOT.glob(pattern))]
    assert files
    done = run(readers / "check-jsonschema", "--builtin-schema", schema, *files)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def examples(tmp_path: Path) -> list[str]:
    """The workflows that the guide shows, as files."""
    text = (ROOT / "docs" / "guide" / "ci.md").read_text(encoding="utf-8")
    found = [block for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "jobs:" in block]
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for i, block in enumerate(found):
        (folder / f"example-{i}.yml").write_text(block, encoding="utf-8")
    return [str(path) for path in sorted(folder.iterdir())]


def test_the_examples_of_the_guide_are_sound(examples: list[str], readers: Path) -> None:
    """What people copy meets the schema and gives zizmor nothing to say."""
    assert len(examples) == 2
    for program, options in (
        ("check-jsonschema", ["--builtin-schema", "vendor.github-workflows"]),
        ("zizmor", ["--offline", "--no-progress"]),
    ):
        done = run(readers / program, *options, *examples)
        assert done.returncode == 0, done.stdout + done.stderr


def test_yaml_in_a_guide_can_be_read(readers: Path, tmp_path: Path) -> None:
    """The pod, the hook and the workflows, by the YAML parser that check-jsonschema brings."""
    pages = sorted((ROOT / "docs").rglob("*.md"))
    found = [b for page in pages for b in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL)]
    assert any("kind: Pod" in block for block in found)
    for i, block in enumerate(found):
        (tmp_path / f"{i}.yaml").write_text(block, encoding="utf-8")
    script = "import sys; from ruamel.yaml import YAML; [YAML(typ='safe').load(open(p)) for p in sys.argv[1:]]"
    done = run(readers / "python", "-c", script, *map(str, sorted(tmp_path.iterdir())))
    assert done.returncode == 0, done.stderr


def test_the_action_installs_itself(tmp_path: Path) -> None:
    """Without an installed envcheck the script makes a folder of its own and runs the version beside it."""
    output = tmp_path / "output"
    (tmp_path / "requirements.txt").write_text("torch==2.9.1\n", encoding="utf-8")
    environ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "RUNNER_TEMP": str(tmp_path / "temp"),
        "GITHUB_OUTPUT": str(output),
        "INPUT_COMMAND": "lint",
    }
    script = ROOT / ".github" / "actions" / "preflight" / "run.sh"
    done = subprocess.run(
        ["bash", str(script)], env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=400, check=False
    )
    if done.returncode and ("No matching distribution" in done.stderr or "Connection" in done.stderr):
        pytest.skip(f"nothing can be installed here: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "status=fit" in output.read_text(encoding="utf-8")
    assert (tmp_path / "temp" / "envcheck-action").is_dir()
