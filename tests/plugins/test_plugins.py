"""Plugins of a package that is really installed: good ones are used, broken ones are seen, and nothing else changes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from envcheck import plugins
from envcheck.facts import Plugin, PluginFacts, Unread, decode, encode, make, resolve
from envcheck.judge import Policy, Question, Rule, judge
from envcheck.judge.flaw import flaw
from envcheck.rules import QUESTIONS
from envcheck.testing import judge_one, machine

EXAMPLE = Path(__file__).parent / "example"
Run = Callable[..., Any]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed the example, without an index."""
    pytest.importorskip("hatchling", reason="nothing here builds the example package")
    source = tmp_path_factory.mktemp("source") / "example"
    shutil.copytree(EXAMPLE, source)
    target = tmp_path_factory.mktemp("installed")
    options = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "-q"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if "No module named pip" in done.stderr:
        pytest.skip("there is no pip in this environment")
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def run(installed: Path, tmp_path: Path) -> Run:
    """The program in a process that finds the example; a snapshot of the cast stands for the machine."""
    (tmp_path / "h100.json").write_bytes(encode(machine("h100").snapshot))

    def program(*args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(filter(None, [str(installed), os.environ.get("PYTHONPATH", "")]))
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": path, **variables}
        command = [sys.executable, "-m", "envcheck", *args]
        return subprocess.run(
            command, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )

    return program


def report(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_broken_plugins_are_a_visible_verdict(run: Run) -> None:
    """Nothing vanishes: a plugin that cannot be used is a warning with its reason; the machine is judged as ever."""
    done = run("doctor", "--from", "h100.json", "--format", "json")
    found = report(done)
    assert (done.returncode, found["verdict"]) == (0, "fit")
    warnings = {finding["rule"]: finding for finding in found["warnings"]}
    assert set(warnings) == {"plugin-broken"}
    why = {e["pointer"].split("/")[2]: e["value"] for e in warnings["plugin-broken"]["evidence"]}
    assert why == {
        "rules.acme-missing": "ModuleNotFoundError: No module named 'acme_checks.not_there'",
        "rules.acme-unfit": "a rule has the code DRV102 already",
    }
    crashed = [doubt for doubt in found["cannot_tell"] if doubt["rule"] == "acme-explodes"]
    assert len(crashed) == 1
    assert "ZeroDivisionError: planted in a plugin" in crashed[0]["why"]


@pytest.mark.parametrize("name", ["terminal", "markdown", "junit", "sarif", "github", "gitlab", "html"])
def test_every_voice_tells_of_the_broken_plugin(name: str, run: Run) -> None:
    """The page that a person looks at says that something was left out."""
    done = run("doctor", "--from", "h100.json", "--format", name)
    assert done.returncode == 0, done.stderr
    assert "plugin-broken" in done.stdout


def test_a_plugins_rule_judges_what_its_collector_saw(run: Run) -> None:
    """Enough space is fit, too little is unfit with the plugin's own fix; a collector that raised is told as well."""
    command = ("preflight", "--quick", "--format", "json")
    low = report(run(*command, ACME_FREE_GIB="7"))
    findings = [*low["root_causes"], *low["warnings"]]
    scratch = next(finding for finding in findings if finding["rule"] == "acme-scratch-too-small")
    assert scratch["evidence"][0] == {
        "pointer": "/plugins/collectors.acme/facts/values/free_gib",
        "value": 7,
        "witness": "plugin",
    }
    assert scratch["fix"]["steps"][0]["command"] == "acme-clean /scratch"
    assert low["verdict"] == "unfit"
    silent = low["snapshot"]["plugins"]["collectors.acme-silent"]["facts"]
    assert (silent["why"], silent["detail"]) == ("crashed", "OSError: planted: no answer from the file server")
    high = report(run(*command, ACME_FREE_GIB="700"))
    assert "acme-scratch-too-small" not in {finding["rule"] for finding in high["root_causes"]}
    assert decode(json.dumps(high["snapshot"])).plugins is not None


def test_a_benchmark_asks_plugins_too(run: Run) -> None:
    """Whoever brings a rule of speed wants it asked where speed is measured."""
    done = run("bench", "--device", "cpu", "--quick", "--python", sys.executable, "--format", "json", ACME_FREE_GIB="7")
    found = report(done)
    named = {finding["rule"] for kind in ("root_causes", "consequences", "warnings") for finding in found[kind]}
    assert {"acme-scratch-too-small", "plugin-broken"} <= named


def test_a_recorded_machine_is_not_asked_by_collectors(run: Run) -> None:
    """What this machine's disk holds says nothing about another machine."""
    found = report(run("doctor", "--from", "h100.json", "--format", "json", ACME_FREE_GIB="7"))
    assert "acme-scratch-too-small" not in {finding["rule"] for finding in found["root_causes"]}
    assert "facts" not in found["snapshot"]["plugins"]["collectors.acme"]


def recorded(run: Run, tmp_path: Path, free_gib: int) -> str:
    """This machine as ``collect`` writes it down, with that much space."""
    done = run("collect", "--quick", "-o", f"{free_gib}.json", ACME_FREE_GIB=str(free_gib))
    assert done.returncode == 0, done.stderr
    return f"{free_gib}.json"


def test_what_a_collector_saw_travels_with_the_snapshot(run: Run, tmp_path: Path) -> None:
    """``collect`` there, judged here: the plugin's rule judges what was seen there, not this disk."""
    low = recorded(run, tmp_path, 7)
    found = report(run("doctor", "--from", low, "--format", "json", ACME_FREE_GIB="700"))
    assert "acme-scratch-too-small" in {finding["rule"] for finding in found["root_causes"]}
    assert found["snapshot"]["plugins"]["collectors.acme"]["facts"]["values"]["free_gib"] == 7
    explained = run("explain", low, "--format", "json")
    assert "acme-scratch-too-small" in {finding["rule"] for finding in json.loads(explained.stdout)["root_causes"]}
    compared = run("diff", low, recorded(run, tmp_path, 700))
    assert (compared.returncode, "acme-scratch-too-small" in compared.stdout) == (1, True), compared.stdout


def test_explain_asks_plugins_and_tells_of_broken_ones(run: Run) -> None:
    """A pasted text is judged by the same law as a machine; what was left out is told."""
    done = run("explain", "RuntimeError: CUDA error: no kernel image is available", "--format", "json")
    found = json.loads(done.stdout)
    assert "plugin-broken" in {finding["rule"] for finding in found["warnings"]}
    assert [doubt["rule"] for doubt in found["cannot_tell"] if doubt["rule"].startswith("acme-")]


@pytest.mark.parametrize(
    ("group", "source", "why"),
    [
        ("rules", "QUESTIONS = 3", "it names no Question"),
        ("rules", "raise SystemExit(4)", "SystemExit: 4"),
        ("collectors", "collect = 3", "is no function"),
        ("collectors", "def collect(): raise SystemExit", "SystemExit"),
        ("renderers", "render = 3", "is no function"),
        ("renderers", "import no_such_module", "ModuleNotFoundError"),
        ("engines", "1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_broken_plugin_of_any_group_is_a_verdict(
    group: str, source: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rules, collectors, voices and engines alike: the reason stands in the finding."""
    name = f"acme_broken_{group}_{abs(hash(source))}"
    (tmp_path / f"{name}.py").write_text(f"{source}\n", encoding="utf-8")
    target = f"{name}:collect" if group == "collectors" else name
    lay(tmp_path, "broken-1.0", f"[envcheck.{group}]\nx = {target}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    snapshot, questions = plugins.with_plugins(machine("h100").snapshot, QUESTIONS, live=True, path=[str(tmp_path)])
    found = judge(snapshot, questions)
    (finding,) = [finding for finding in found.warnings if finding.rule == "plugin-broken"]
    assert why in finding.summary
    assert found.verdict == "fit"


def test_a_plugin_of_another_machine_stays_in_its_snapshot(tmp_path: Path) -> None:
    """Its facts and its trouble were there; what is installed here adds to it."""
    there = Plugin(group="collectors", name="y", problem=None, facts=PluginFacts(values={"a": 1}))
    lost = Plugin(group="rules", name="z", problem="ImportError: x")
    lay(tmp_path, "here-1.0", "[envcheck.engines]\nx = json:loads\n")
    snapshot = make(plugins={"collectors.y": there, "rules.z": lost})
    merged, _ = plugins.with_plugins(snapshot, (), path=[str(tmp_path)])
    assert merged.plugins is not None
    assert merged.plugins.keys() == {"collectors.y", "rules.z", "engines.x"}
    assert merged.plugins["collectors.y"] == there
    live, _ = plugins.with_plugins(snapshot, (), live=True, path=[str(tmp_path)])
    assert live.plugins is not None
    assert live.plugins.keys() == {"engines.x"}


def test_a_plugins_voice(run: Run) -> None:
    """It is a format like any other; one that returns no text is a bad call, and so is an unknown one."""
    done = run("doctor", "--from", "h100.json", "--format", "acme-line")
    assert (done.returncode, done.stdout) == (0, "ACME fit -\n")
    mute = run("doctor", "--from", "h100.json", "--format", "acme-mute")
    assert (mute.returncode, mute.stdout) == (2, "")
    assert "it returned int instead of a text" in mute.stderr
    unknown = run("doctor", "--from", "h100.json", "--format", "acme-lime")
    assert unknown.returncode == 2
    assert "did you mean acme-line" in unknown.stderr


def test_a_plugins_rule_is_in_the_manual_and_can_be_ignored(run: Run) -> None:
    """``rules`` lists it and shows its page; ``--ignore`` and a policy may name it."""
    assert "ACM101 acme-scratch-too-small" in run("rules").stdout.replace("\n", " ").replace("  ", " ")
    assert "Acme cluster handbook" in run("rules", "acm101").stdout
    assert run("doctor", "--from", "h100.json", "--ignore", "acme-explodes=it is meant").returncode == 0


def test_entry_points_are_found_without_importing_anything(installed: Path) -> None:
    """A folder is listed and its entry_points.txt read; the modules stay where they are."""
    found = plugins.discover([str(installed)])
    assert {point.key for point in found} >= {"rules.acme", "collectors.acme", "renderers.acme-line", "engines.acme"}
    assert {point.distribution for point in found} == {"acme-checks 1.2"}
    assert "acme_checks" not in sys.modules


def test_without_plugins_nothing_changes(tmp_path: Path) -> None:
    """The same snapshot and the same questions, and the rule about plugins has nothing to say."""
    snapshot = machine("h100").snapshot
    same, questions = plugins.with_plugins(snapshot, QUESTIONS, path=[str(tmp_path), "/no/such/folder"])
    assert same is snapshot
    assert questions == QUESTIONS
    assert judge_one("plugin-broken", snapshot).outcome == "not_applicable"


def lay(folder: Path, distribution: str, text: str) -> None:
    info = folder / f"{distribution}.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text(text, encoding="utf-8")


def test_an_unreadable_table_is_told(tmp_path: Path) -> None:
    """A damaged entry_points.txt of one distribution costs that distribution alone."""
    lay(tmp_path, "bad-1.0", "[envcheck.rules]\n[[[\nnothing")
    lay(tmp_path, "other-2.0", "[console_scripts]\nx = y:z\n")
    snapshot, questions = plugins.with_plugins(make(), QUESTIONS, path=[str(tmp_path)])
    assert questions == QUESTIONS
    assert isinstance(snapshot.plugins, dict)
    assert [plugin.distribution for plugin in snapshot.plugins.values()] == ["bad 1.0"]
    assert judge_one("plugin-broken", snapshot).outcome == "problem"


def test_two_distributions_with_one_name(tmp_path: Path) -> None:
    """The first is used and the second is told about; neither silently wins."""
    lay(tmp_path, "aaa-1.0", "[envcheck.engines]\nx = json:loads\n")
    lay(tmp_path, "bbb-1.0", "[envcheck.engines]\nx = json:dumps\n")
    snapshot, _ = plugins.with_plugins(make(), (), path=[str(tmp_path)])
    assert isinstance(snapshot.plugins, dict)
    told = {str(plugin.distribution): plugin.problem for plugin in snapshot.plugins.values()}
    assert told["aaa 1.0"] is None
    assert "aaa 1.0 offers one of the same name" in str(told["bbb 1.0"])


def test_a_collector_that_hangs_is_abandoned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait is bounded: after the deadline its facts are unread, with the time that was waited."""
    (tmp_path / "acme_hang.py").write_text("import time\ndef collect():\n    time.sleep(3)\n", encoding="utf-8")
    lay(tmp_path, "hang-1.0", "[envcheck.collectors]\nhang = acme_hang:collect\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(plugins, "COLLECTOR_DEADLINE_S", 0.05)
    snapshot, _ = plugins.with_plugins(make(), (), live=True, path=[str(tmp_path)])
    facts = resolve(snapshot, "/plugins/collectors.hang/facts/anything")
    assert facts == Unread("timeout", "no answer in 0.05 s")
    assert judge_one("plugin-broken", snapshot).outcome == "problem"


@pytest.mark.parametrize(
    ("answer", "why"), [("{1: 2}", None), ("[1]", "garbled"), ("object()", "garbled"), ("{'a': object()}", "garbled")]
)
def test_a_collector_answers_plain_values(
    answer: str, why: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no dictionary of plain values is no fact."""
    name = f"acme_answer_{abs(hash(answer))}"
    (tmp_path / f"{name}.py").write_text(f"def collect():\n    return {answer}\n", encoding="utf-8")
    lay(tmp_path, "answer-1.0", f"[envcheck.collectors]\nx = {name}:collect\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    snapshot, _ = plugins.with_plugins(make(), (), live=True, path=[str(tmp_path)])
    assert isinstance(snapshot.plugins, dict)
    facts = snapshot.plugins["collectors.x"].facts
    assert (facts.why if isinstance(facts, Unread) else None) == why


def test_plugins_survive_the_snapshots_own_form() -> None:
    """decode is the inverse of encode, for what plugins collected too."""
    plugin = Plugin(group="collectors", name="x", problem=None, facts=PluginFacts(values={"a": [1, {"b": None}]}))
    snapshot = make(plugins={"collectors.x": plugin})
    assert decode(encode(snapshot)) == snapshot
    assert resolve(snapshot, "/plugins/collectors.x/facts/values/a/1/b") is None
    assert resolve(snapshot, "/plugins/collectors.y/facts/values/a") == Unread("not_asked")
    assert judge(snapshot, QUESTIONS, Policy()).verdict


def test_the_house_has_no_flaw() -> None:
    """Every question of the house is fit to be asked, by the measure that plugins are held to."""
    for i, question in enumerate(QUESTIONS):
        assert flaw(question, QUESTIONS[:i]) == ""


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"code": "acm1"}, "three capital letters"),
        ({"name": "Acme Rule"}, "lower-case words"),
        ({"rung": "cellar"}, "no rung 'cellar'"),
        ({"severity": "fatal"}, "no severity 'fatal'"),
        ({"__doc__": "No page."}, "lacks the heading"),
        ({"name": "driver-too-old-for-torch"}, "is called driver-too-old-for-torch already"),
        ({}, ""),
    ],
)
def test_what_a_rule_may_lack(changes: dict[str, object], words: str) -> None:
    """A plugin's rule that is not whole is refused before it is asked, and the reason is plain."""
    page = "Wrong.\n\n" + "".join(f"{heading}\n    x\n" for heading in _headings())
    whole = {"code": "ACM201", "name": "acme-rule", "rung": "python", "__doc__": page}
    rule = type("AcmeRule", (Rule,), {**whole, **changes})
    found = flaw(Question("is_acme_well", "host", (rule,), lambda case: None), QUESTIONS)
    assert words in found
    assert bool(words) is bool(found)


def _headings() -> tuple[str, ...]:
    from envcheck.judge import HEADINGS

    return HEADINGS
