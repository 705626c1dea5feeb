"""envcheck as a library: cheap to import, judges the running Python, and raises what can be read."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import envcheck
from envcheck.collect import Options
from envcheck.facts import Interpreter, Snapshot, Target, Unread
from envcheck.testing import machine

ROOT = str(Path(envcheck.__file__).parent.parent)
Become = Callable[..., list[Options]]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Become:
    """Make this machine one of the cast, with changes; returns what the collectors were asked."""
    import envcheck.collect

    def become(cast: str, changes: dict[str, Any] | None = None) -> list[Options]:
        asked: list[Options] = []
        now = machine(cast).but({"/target": Target(interpreter=0, chosen_by="--python"), **(changes or {})})

        def snapshot_here(options: Options) -> Snapshot:
            asked.append(options)
            return now.snapshot

        monkeypatch.setattr(envcheck.collect, "snapshot_here", snapshot_here)
        return asked

    return become


def python(code: str) -> Any:
    """What a program prints as JSON, run in a Python that has this envcheck."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {ROOT!r})\n{code}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_envcheck_costs_nothing() -> None:
    """One module: neither typing nor msgspec nor any room of ours comes along."""
    code = "before = set(sys.modules)\nimport envcheck\nadded = sorted(set(sys.modules) - before)\n"
    assert python(f"{code}import json; print(json.dumps(added))") == ["envcheck"]


def test_the_library_is_there_when_it_is_asked_for() -> None:
    """Every promised name exists, dir() shows it, and any other is an AttributeError of the usual kind."""
    for name in envcheck.__all__:
        assert getattr(envcheck, name) is not None
        assert name in dir(envcheck)
    with pytest.raises(AttributeError, match="has no attribute 'diagnose'"):
        envcheck.diagnose  # noqa: B018


def test_the_running_python_is_judged() -> None:
    """Whatever the shell means: the program that asks is the one that matters."""
    code = """
import json, envcheck
found = envcheck.doctor(quick=True)
python = found.snapshot.interpreters[0]
print(json.dumps([python.executable, found.snapshot.target.chosen_by, python.found_by[0], str(found).splitlines()[0]]))
"""
    executable, chosen_by, found_by, first = python(code)
    assert executable == sys.executable
    assert (chosen_by, found_by) == ("sys.executable", "sys.executable")
    assert first.endswith("(it runs this program)")


def test_torch_may_have_been_imported_already(tmp_path: Path) -> None:
    """The probe imports torch in a child: it neither uses nor disturbs the one that is loaded here."""
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("import os\nfrom . import version\nowner = os.getpid()\n")
    (tmp_path / "torch" / "version.py").write_text("__version__ = '2.9.1+cpu'\ncuda = hip = None\n")
    code = f"""
import json, os
os.chdir({str(tmp_path)!r})
sys.path.insert(0, "")
import torch, envcheck
found = envcheck.doctor()
runtime = found.snapshot.interpreters[0].runtime
print(json.dumps([torch.owner == os.getpid(), sys.modules["torch"] is torch, runtime.imported, runtime.origin]))
"""
    mine, same, imported, origin = python(code)
    assert (mine, same, imported) == (True, True, True)
    assert origin == str(tmp_path / "torch" / "__init__.py")


def test_what_is_asked_of_the_collectors(here: Become) -> None:
    """The running interpreter unless another is named; depth and deadline as they were given."""
    asked = here("h100")
    envcheck.doctor()
    envcheck.doctor(python="/opt/python", quick=True, deadline=7)
    envcheck.doctor(env="study", deep=True, all_envs=True)
    assert [(o.python, o.env, o.depth, o.all_envs, o.deadline_s) for o in asked] == [
        (sys.executable, None, "normal", False, 45.0),
        ("/opt/python", None, "quick", False, 7),
        (None, "study", "deep", True, 45.0),
    ]


@pytest.mark.parametrize(("notebook", "words"), [(False, "it runs this program"), (True, "it runs this notebook")])
def test_a_notebook_is_called_one(notebook: bool, words: str, here: Become, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a notebook "!pip" is the shell's: there, and only there, another Python's pip is worth a warning."""
    monkeypatch.setitem(sys.modules, "ipykernel", sys) if notebook else monkeypatch.delitem(
        sys.modules, "ipykernel", raising=False
    )
    here("h100", {"/environment/pip_interpreter": "/usr/bin/python3"})
    found = envcheck.doctor()
    assert words in str(found)
    assert ("pip-of-another-python" in [finding.rule for finding in found.warnings]) is notebook


def test_a_named_python_keeps_its_way(here: Become) -> None:
    """Only the default is called the running one."""
    here("h100")
    assert "it runs this" not in str(envcheck.doctor(python="/opt/python"))


def test_the_diagnosis_speaks_every_voice(here: Become) -> None:
    """Text, Markdown, JSON and HTML of one report; a notebook takes what it can show."""
    here("driver-too-old")
    found = envcheck.doctor()
    assert (found.verdict, found.fit) == ("unfit", False)
    assert found.root_causes[0].rule == "driver-too-old-for-torch"
    assert repr(found).startswith("<envcheck.Diagnosis: unfit: driver-too-old-for-torch (")
    assert json.loads(found.to_json())["verdict"] == "unfit"
    assert "\x1b" not in str(found)
    assert max(map(len, found.to_text(width=100).splitlines())) > 80
    bundle = found._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/markdown", "text/html"}
    assert bundle["text/html"] == found._repr_html_()
    assert set(found._repr_mimebundle_(include={"text/plain"})) == {"text/plain"}
    assert set(found._repr_mimebundle_(exclude={"text/html"})) == {"text/plain", "text/markdown"}


FITS = {
    "cuda": True,
    "gpus": 1,
    "min_memory_gib": 16,
    "compute_capability": 80,
    "torch": ">=2.4",
    "torch_cuda": ["12", "13"],
    "driver": ">=550",
}


def test_a_machine_that_meets_everything_is_handed_on(here: Become) -> None:
    """require returns the diagnosis, so that a program can log it."""
    here("h100")
    assert envcheck.require(**FITS).verdict == "fit"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wish", "rule"),
    [
        ({"gpus": 9}, "policy-gpus"),
        ({"min_memory_gib": 200}, "policy-gpu-memory"),
        ({"compute_capability": 120}, "policy-compute-capability"),
        ({"compute_capability": "<9.0"}, "policy-compute-capability"),
        ({"torch": ">=3"}, "policy-torch"),
        ({"torch_cuda": "11.8"}, "policy-torch-cuda"),
        ({"driver": ">=900"}, "policy-driver"),
        ({"packages": {"xformers": ">=0.0.30"}}, "policy-packages"),
    ],
    ids=str,
)
def test_each_wish_can_fail(wish: dict[str, Any], rule: str, here: Become) -> None:
    """One requirement too many, and it is named."""
    here("h100")
    with pytest.raises(envcheck.Unfit) as raised:
        envcheck.require(**{**FITS, **wish})
    assert [finding.rule for finding in raised.value.diagnosis.root_causes][:1] == [rule]
    assert rule in str(raised.value)


@pytest.mark.parametrize(
    "cast", ["driver-too-old", "module-not-loaded", "cpu-torch", "torch-missing-on-gpu-box", "masked"]
)
def test_the_message_of_unfit_can_be_read(cast: str, here: Become) -> None:
    """Symptom, cause and fix in a few ASCII lines: it may end up in any log."""
    here(cast)
    with pytest.raises(envcheck.Unfit) as raised:
        envcheck.require()
    text, first = str(raised.value), raised.value.diagnosis.root_causes[0]
    assert text.isascii()
    assert first.fix is not None
    for words in (first.rule, first.summary, first.fix.title):
        assert words in text


def test_cpu_work_needs_no_gpu(here: Become) -> None:
    """cuda=False asks for what else is wished, and for no card."""
    here("cpu-torch")
    assert envcheck.require(cuda=False, torch=">=2").verdict == "fit"


def test_what_cannot_be_known_is_no_yes(here: Become) -> None:
    """A requirement that nobody could check is not met; it is an Unfit, and says that it is doubt."""
    here("h100", {"/cuda": Unread("timeout", "no answer in 30 s")})
    with pytest.raises(envcheck.Undetermined, match="no answer in 30 s") as raised:
        envcheck.require(min_memory_gib=16)
    assert isinstance(raised.value, envcheck.Unfit)
    assert raised.value.diagnosis.verdict == "undetermined"


def test_an_exception_can_be_sent_to_another_process(here: Become) -> None:
    """Ray and multiprocessing pickle what a worker raises."""
    here("driver-too-old")
    with pytest.raises(envcheck.Unfit) as raised:
        envcheck.require()
    again = pickle.loads(pickle.dumps(raised.value))
    assert str(again) == str(raised.value)
    assert again.diagnosis.report == raised.value.diagnosis.report


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: envcheck.require(compute_capability=8), "80 for 8.0"),
        (lambda: envcheck.require(compute_capability=True), "80 for 8.0"),
        (lambda: envcheck.require(torch="2.4"), ">=2.4"),
        (lambda: envcheck.require(gpus="many"), "no bound"),
        (lambda: envcheck.require(packages={"a b": ""}), "no name of a package"),
        (lambda: envcheck.require(python="/nonexistent/python"), "no such file"),
        (lambda: envcheck.doctor(python="a", env="b"), "exclude"),
        (lambda: envcheck.doctor(quick=True, deep=True), "exclude"),
        (lambda: envcheck.doctor(deadline=0), "seconds between"),
        (lambda: envcheck.doctor(ignore={"no-such-rule": "x"}), "no rule is called"),
        (lambda: envcheck.doctor(ignore={"cvd-empty": " "}), "give a reason"),
    ],
)
def test_a_bad_argument_is_a_value_error(call: Callable[[], Any], words: str) -> None:
    """One line that says what to write instead, before anything is looked at."""
    with pytest.raises(ValueError, match=words) as raised:
        call()
    assert "\n" not in str(raised.value)
    assert "--" not in str(raised.value)


def test_an_accepted_finding_is_no_reason(here: Become) -> None:
    """ignore takes a rule and why; the finding stays visible, and what merely follows from it is accepted with it."""
    here("masked")
    assert not envcheck.doctor().fit
    found = envcheck.doctor(ignore={"cvd-empty": "this job is meant for the CPU"})
    assert "this job is meant for the CPU" in found.to_text(width=200)
    assert found.fit
    reasons = {verdict.rule: verdict.why for verdict in found.report.ignored}
    assert reasons.pop("cvd-empty") == "this job is meant for the CPU"
    assert all("follows from cvd-empty" in why for why in reasons.values()), reasons


def test_a_python_that_does_not_know_itself(here: Become, monkeypatch: pytest.MonkeyPatch) -> None:
    """Embedded in another program sys.executable is empty: then the shell's choice is judged."""
    monkeypatch.setattr(sys, "executable", "")
    asked = here("h100", {"/interpreters": [Interpreter(executable="/usr/bin/python3", found_by=["PATH"])]})
    envcheck.doctor(quick=True)
    assert asked[0].python is None
