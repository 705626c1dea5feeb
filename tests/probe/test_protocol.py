"""The protocol: one task, one answer, written in one step, and nothing else touched."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.probe import answer
from tests.probe.conftest import KINDS, PROBE, Ask

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(VALUES)
def test_the_encoder_writes_json(value: Any) -> None:
    """Whatever a probe found comes back as it was."""
    assert json.loads(answer.encode(value)) == value


@given(st.binary())
def test_undecodable_names_become_readable_text(raw: bytes) -> None:
    """Bytes of a file name that are no UTF-8 arrive as visible escapes, never as lone surrogates."""
    text = json.loads(answer.encode(os.fsdecode(raw)))
    text.encode("utf-8")
    assert text == raw.decode("utf-8", "backslashreplace")


def test_lone_surrogates_of_windows_names() -> None:
    """A name that is no Unicode at all is still JSON."""
    assert json.loads(answer.encode("a\ud800b")) == "a\\ud800b"


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_lacks_is_unread(number: float) -> None:
    """Not a number is not a fact."""
    assert json.loads(answer.encode(number))["why"] == "garbled"


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["interpreter"],
        ["unknown", "-"],
        ["interpreter", "-", "scope"],
        ["interpreter", "-", "colour=red"],
        ["nvml", "-", "gpu=first"],
    ],
)
def test_a_bad_call_is_refused(argv: list[str]) -> None:
    """Exit status 2, one line, and no answer."""
    told = subprocess.run([sys.executable, "-B", str(PROBE / "run.py"), *argv], capture_output=True, text=True)
    assert (told.returncode, told.stdout) == (2, "")
    assert len(told.stderr.splitlines()) == 1


def test_an_answer_that_cannot_be_written(tmp_path: Path) -> None:
    """Exit status 1, and the reason on standard error."""
    argv = [sys.executable, "-B", str(PROBE / "run.py"), "interpreter", str(tmp_path / "missing" / "answer")]
    told = subprocess.run(argv, capture_output=True, text=True)
    assert told.returncode == 1
    assert "No such file or directory" in told.stderr


def test_standard_output_carries_answers_alone(tmp_path: Path) -> None:
    """With "-" each answer is a line and the last one counts; what the user's code prints goes to standard error."""
    (tmp_path / "torch.py").write_text("print('hello')\nimport os\nos.system('echo shell')\n")
    argv = [sys.executable, "-B", str(PROBE / "run.py"), "torch_runtime", "-"]
    told = subprocess.run(argv, capture_output=True, text=True, cwd=tmp_path)
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(lines) > 2
    assert "imported" not in lines[0]
    assert lines[-1]["imported"] is True
    assert "hello" in told.stderr
    assert "shell" in told.stderr


def test_nothing_but_the_answer_is_written(ask: Ask, tmp_path: Path) -> None:
    """No __pycache__ beside the probe, in the working folder or in site-packages, without any flag from the caller."""
    copy = tmp_path / "copy"
    shutil.copytree(PROBE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    work = tmp_path / "work"
    (work / "torch").mkdir(parents=True)
    (work / "torch" / "__init__.py").write_text("from . import part\n")
    (work / "torch" / "part.py").write_text("")

    def everything() -> list[str]:
        return sorted(str(path) for folder in (copy, work) for path in folder.rglob("*"))

    before = everything()
    for task in ("interpreter", "torch_runtime", "cuda", "nodes"):
        assert ask(task, script=copy / "run.py", flags=(), cwd=work).code == 0
    assert everything() == before


def test_what_escapes_the_walls_is_told(ask: Ask, tmp_path: Path) -> None:
    """A probe that breaks in the middle says so in every fact that it still owed, and keeps those that it had."""
    copy = tmp_path / "copy"
    shutil.copytree(PROBE, copy)
    with (copy / "cuda.py").open("a") as file:
        file.write("\n\ndef run(call):\n    call.answer.put(library='/lib')\n    raise SystemError('a slip')\n")
    facts = ask("cuda", script=copy / "run.py").facts
    assert facts.library == "/lib"
    assert facts.init_code == facts.devices
    assert facts.init_code.why == "crashed"
    assert facts.init_code.detail.startswith("SystemError: a slip (raised in cuda.py, line ")


@pytest.mark.parametrize("task", sorted(KINDS))
def test_a_module_that_cannot_be_loaded_is_told(ask: Ask, tmp_path: Path, task: str) -> None:
    """Even a probe whose own file is broken answers in the shape of its task."""
    copy = tmp_path / "copy"
    shutil.copytree(PROBE, copy)
    (copy / f"{task}.py").write_text("import nothing_of_that_name\n")
    told = ask(task, script=copy / "run.py")
    assert told.code == 0
    why = told.facts.probe if task == "interpreter" else told.facts
    assert why.why == "crashed"
    assert "nothing_of_that_name" in why.detail


def sources() -> list[Path]:
    return sorted(PROBE.glob("*.py"))


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.name)
def test_every_file_is_python_3_6_and_standard_library(path: Path) -> None:
    """No newer syntax, and no import of anything that a bare interpreter lacks; torch alone is the user's."""
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 6))
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [str(node.module)]
        for name in names:
            top = name.partition(".")[0]
            allowed = top in sys.stdlib_module_names or (path.name, top) in {
                ("torch_runtime.py", "torch"),
                ("run.py", "envcheck_probe"),
            }
            assert allowed, f"{path.name} imports {name}"


@pytest.mark.parametrize("name", ["run.py", "answer.py"])
def test_what_has_to_speak_in_python_2_avoids_newer_syntax(name: str) -> None:
    """The entry must parse in 2.7 to say that it is too old: no f-strings, annotations, keyword-only arguments."""
    tree = ast.parse((PROBE / name).read_text(encoding="ascii"))
    for node in ast.walk(tree):
        newer = (ast.JoinedStr, ast.AnnAssign, ast.Nonlocal, ast.NamedExpr, ast.AsyncFunctionDef, ast.YieldFrom)
        assert not isinstance(node, newer), ast.dump(node)
        if isinstance(node, ast.FunctionDef):
            arguments = [*node.args.args, *node.args.kwonlyargs]
            assert not node.args.kwonlyargs
            assert node.returns is None
            assert all(argument.annotation is None for argument in arguments)
        if isinstance(node, ast.Raise):
            assert node.cause is None
        if isinstance(node, ast.Call):
            assert not (isinstance(node.func, ast.Name) and node.func.id in ("print", "super"))
