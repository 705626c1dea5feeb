"""The gate: it tells healthy machines from broken ones, by any policy, and says the same in every format."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envcheck.facts import encode
from envcheck.report import FORMATS
from envcheck.testing import CAST, machine
from tests.cli.test_imports import TYPER, imported, ours
from tests.report.readers import VERDICT

Cli = Callable[..., Any]
pytestmark = pytest.mark.wheel


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project as the current folder, on no CI runner."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / ".git").mkdir()
    monkeypatch.chdir(folder)
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def saved(project: Path) -> Callable[[str], str]:
    """A machine of the cast as a file."""

    def write(name: str) -> str:
        path = project / f"{name}.json"
        path.write_bytes(encode(machine(name).snapshot))
        return str(path)

    return write


@pytest.mark.parametrize("name", CAST)
def test_the_gate_tells_healthy_from_broken(name: str, cli: Cli, saved: Callable[[str], str], project: Path) -> None:
    """By the default policy every healthy machine passes (the CUDA 12.6 build on driver 535 among them), every broken
    one fails, and every format says so."""
    formats = [arg for voice in FORMATS for arg in ("--format", f"{voice}=out.{voice}")]
    result = cli("preflight", "--from", saved(name), *formats)
    assert (result.out, result.err) == ("", "")
    assert result.code == (0 if CAST[name] is None else 1)
    told = {voice: read((project / f"out.{voice}").read_text("utf-8")) for voice, read in VERDICT.items()}
    assert set(told.values()) == {"fit" if CAST[name] is None else "unfit"}


@pytest.mark.parametrize("voice", FORMATS)
@pytest.mark.parametrize(
    ("name", "args", "code"),
    [
        ("h100", [], 0),
        ("h100-driver-535-cu126", ["--profile", "training"], 0),
        ("h100-driver-535-cu126", ["--fail-on", "note"], 1),
        ("driver-too-old", [], 1),
        ("driver-too-old", ["--exit-zero"], 0),
        ("cpu-torch", [], 0),
        ("cpu-torch", ["--profile", "training"], 1),
        ("cpu-torch", ["--profile", "ci-build"], 0),
        ("macos-m2", ["--profile", "fleet"], 1),
    ],
)
def test_the_format_never_changes_the_exit_code(
    voice: str, name: str, args: list[str], code: int, cli: Cli, saved: Callable[[str], str]
) -> None:
    """The verdict and the policy decide, and nothing else."""
    result = cli("preflight", "--from", saved(name), *args, "--format", voice)
    assert (result.code, result.err) == (code, "")


def test_required_and_not_known_is_3(cli: Cli, saved: Callable[[str], str], project: Path) -> None:
    """A requirement that nobody could check keeps the job from starting, and is not called a failure."""
    (project / "envcheck.toml").write_text('unknown = "ignore"\n[require]\ngpus = 1\n')
    snapshot = json.loads(Path(saved("h100")).read_text())
    snapshot["cuda"] = {"kind": "unread", "why": "timeout", "detail": "no answer in 30 s"}
    silent = project / "silent.json"
    silent.write_text(json.dumps(snapshot))
    result = cli("preflight", "--from", str(silent), "--format", "json")
    assert result.code == 3
    report = json.loads(result.out)
    assert report["verdict"] == "undetermined" and report["root_causes"] == []
    assert "policy-gpus" in {entry["rule"] for entry in report["cannot_tell"]}
    assert cli("preflight", "--from", str(silent), "--exit-zero").code == 0
    assert cli("preflight", "--from", str(silent), "--exit-style", "nagios").code == 3


@pytest.mark.parametrize(
    ("name", "policy", "code"),
    [
        ("h100", "", 0),
        ("h100", '[[ignore]]\nrule = "policy-shm"\nreason = "x"\nuntil = 2020-01-01\n', 1),
        ("driver-too-old", "", 2),
        ("h100", "[require]\ndriver = '>=590'\n", 2),
        ("h100", "[requir]\n", 3),
    ],
)
def test_nagios_codes(name: str, policy: str, code: int, cli: Cli, saved: Callable[[str], str], project: Path) -> None:
    """0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN; a policy that cannot be read is unknown, not critical."""
    (project / "envcheck.toml").write_text(policy)
    assert cli("preflight", "--from", saved(name), "--exit-style", "nagios").code == code


def test_the_policy_is_named_in_the_report(cli: Cli, saved: Callable[[str], str], project: Path) -> None:
    """Whoever reads the report knows by what it was judged, and annotations point into that file."""
    (project / "pyproject.toml").write_text('[project]\nname = "x"\n\n[tool.envcheck.require]\ndriver = ">=590"\n')
    result = cli("preflight", "--from", saved("h100"))
    assert result.code == 1
    assert "By the policy of pyproject.toml" in result.out and "policy-driver" in result.out
    result = cli("preflight", "--from", saved("h100"), "--format", "github")
    assert "::error file=pyproject.toml,line=4,title=envcheck policy-driver::" in result.out


def test_exceptions(cli: Cli, saved: Callable[[str], str], project: Path) -> None:
    """An accepted finding passes the gate and stays in sight; from the day after its date it counts again."""
    policy = project / "envcheck.toml"
    entry = '[[ignore]]\nrule = "DRV102"\nreason = "until the new image"\nuntil = {}\n'
    accepted = entry.format("2999-01-01")
    policy.write_text(accepted + accepted.replace("DRV102", "torch-cuda-unavailable"))
    result = cli("preflight", "--from", saved("driver-too-old"))
    assert result.code == 0 and "reason given: until the new image" in result.out
    policy.write_text(entry.format("2020-01-01"))
    result = cli("preflight", "--from", saved("driver-too-old"), "--format", "json")
    report = json.loads(result.out)
    assert result.code == 1
    assert report["root_causes"][0]["rule"] == "driver-too-old-for-torch"
    assert "policy-exception-expired" in {finding["rule"] for finding in report["warnings"]}


def test_this_machine_is_looked_at_as_doctor_does(
    cli: Cli, here: Callable[[object], list[Any]], law: None, project: Path
) -> None:
    """The same options, and a deadline in words."""
    asked = here("fit")
    args = ("--quick", "--python", "/usr/bin/python3", "--root", "/mnt", "--deadline", "2m")
    assert cli("preflight", *args).code == 0
    (options,) = asked
    assert (options.depth, options.python, options.root) == ("quick", "/usr/bin/python3", "/mnt")
    assert options.deadline_s == 120
    here("undetermined")
    assert cli("preflight").code == 3
    here("unfit")
    assert cli("preflight", "--env", "study", "--deadline", "20s").code == 1


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--deadline", "soon"], "--deadline soon: give a time such as 20s or 2m"),
        (["--deadline", "0s"], "--deadline 0"),
        (["--deadline", "1h"], "--deadline 1h"),
        (["--deadline", "61m"], "--deadline 3660"),
        (["--exit-style", "unix"], "--exit-style unix: give envcheck or nagios"),
        (["--fail-on", "warn"], "--fail-on: fail_on: warn is none of error, warning, note"),
        (["--profile", "trainig"], "no profile is called trainig; did you mean training?"),
        (["--policy", "missing.toml"], "missing.toml: No such file"),
        (["--quick", "--deep"], "--quick and --deep exclude each other"),
        (["--format", "jnit"], "did you mean junit"),
        (["--format", "junit", "--format", "sarif"], "junit and sarif would both go to standard output"),
        (["--format", "json=x", "--format", "html=./x"], "json and html would both go to ./x"),
        (["--format", "html=/no/such/folder/x"], "there is no folder /no/such/folder"),
        (["--from", "x.json", "--quick"], "--from judges what was recorded; --quick has no meaning"),
    ],
)
def test_bad_calls(args: list[str], words: str, cli: Cli, project: Path) -> None:
    """One line, exit code 2, and nothing was looked at."""
    result = cli("preflight", *args)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert words in result.err


def test_what_a_github_runner_reads(
    cli: Cli, saved: Callable[[str], str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ``--format github`` the summary and the outputs are appended to, whatever else is written."""
    summary, output = project / "summary.md", project / "output"
    summary.write_text("earlier\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))
    result = cli("preflight", "--from", saved("driver-too-old"), "--format", "github", "--format", "junit=report.xml")
    assert result.code == 1 and result.out.startswith("::error title=envcheck driver-too-old-for-torch::")
    assert summary.read_text().startswith("earlier\n**unfit: driver-too-old-for-torch (DRV102)**\n")
    assert output.read_text() == "status=unfit\nroots=driver-too-old-for-torch\nwarnings=0\n"
    assert (project / "report.xml").exists()


def test_nothing_is_written_that_was_not_asked_for(
    cli: Cli, saved: Callable[[str], str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runner's files are touched for ``--format github`` alone."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project / "summary.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(project / "output"))
    cli("preflight", "--from", saved("driver-too-old"), "--format", "markdown")
    assert sorted(path.name for path in project.iterdir()) == [".git", "driver-too-old.json"]


def test_a_summary_that_cannot_be_written_is_a_bad_call(
    cli: Cli, saved: Callable[[str], str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2 goes before 1: the report that was asked for is not where it should be."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(project))
    result = cli("preflight", "--from", saved("driver-too-old"), "--format", "github")
    assert result.code == 2 and result.err.startswith(f"envcheck: {project}: ")


def test_a_summary_stays_within_its_limit(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub shows nothing of a summary that is larger than 1 MiB; ours is cut between two paragraphs, and says so."""
    from envcheck.cli.github import CUT, SUMMARY_BYTES, _append, fitting

    text = "\n\n".join(["an ä paragraph"] * 100_000)
    cut = fitting(text)
    assert len(cut.encode()) <= SUMMARY_BYTES and cut.endswith("paragraph" + CUT)
    assert fitting("short") == "short"
    path = project / "summary.md"
    for _ in range(3):
        _append(str(path), text, SUMMARY_BYTES)
    assert path.stat().st_size <= SUMMARY_BYTES


def test_start_up_stays_lean(program: Callable[..., Any], saved: Callable[[str], str]) -> None:
    """A gate of a recorded machine imports no eyes, and no voice but the one that speaks."""
    modules, packages = imported(program, "preflight", "--from", saved("h100"), "--format", "junit")
    assert packages <= {"envcheck", "msgspec", "packaging", "tomli"} | TYPER
    assert ours(modules, "collect", "probe", "report.webpage", "report.sarif", "report.markdown", "cli.github") == []


BENCH = "[bench]\nmin_ratio_to_ceiling = 0.5\n"


def test_a_policy_with_a_floor_measures(
    cli: Cli, here: Callable[[object], list[Any]], law: None, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The benchmark runs with the judged Python, in the time that the deadline leaves, and its facts are reported."""
    from envcheck.collect import bench
    from envcheck.facts import Bench

    asked: list[tuple[Path, bench.Wish]] = []

    def measure(python: Path, wish: bench.Wish, tell: object = None) -> Bench:
        asked.append((python, wish))
        return Bench(device="auto", devices=[])

    monkeypatch.setattr(bench, "measure", measure)
    here("fit")
    result = cli("preflight", "--deadline", "30s", "--format", "json")
    assert (result.code, asked) == (0, []), "no floor, no benchmark"
    (project / "envcheck.toml").write_text(BENCH)
    result = cli("preflight", "--deadline", "30s", "--format", "json")
    ((python, wish),) = asked
    assert str(python) == "/home/student/.venv/bin/python"
    assert wish.quick and wish.deadline_s is not None and 0 < wish.deadline_s <= 30
    assert json.loads(result.out)["snapshot"]["bench"]["devices"] == []


def test_without_time_for_it_the_floor_is_not_known(
    cli: Cli, here: Callable[[object], list[Any]], law: None, project: Path
) -> None:
    """A deadline that is too short leaves the benchmark out, and says so."""
    (project / "envcheck.toml").write_text(BENCH)
    here("fit")
    result = cli("preflight", "--deadline", "5s", "--format", "json")
    assert "of the deadline are left" in json.loads(result.out)["snapshot"]["bench"]["detail"]
