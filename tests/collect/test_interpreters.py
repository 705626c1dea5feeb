"""Asking other Pythons: as their user starts them, isolated, and by their files where they cannot be asked."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from envcheck.collect import children
from envcheck.collect.interpreters import ask_target
from envcheck.collect.process import ProcessResult
from envcheck.collect.shell import Shell, inherit
from envcheck.facts import Interpreter, Unread
from tests.collect import homes

Pretend = Callable[[str], None]
PYTHON = Path(sys.executable)

TWO_STARTS = """
alone = bool(sys.flags.isolated)
facts = dict(executable="x", found_by=[], version="3.11.7", sys_path=["/lib"] if alone else ["/project", "/lib"])
facts["origins"] = [{"module": "torch", "origin": "/lib/torch" if alone else "/project/torch.py"}]
if not alone: facts["probe"] = "ok"
"""


def test_an_interpreter_is_asked_twice_and_the_difference_is_kept(pretend: Pretend) -> None:
    """As the user starts it and isolated: a torch.py in the working folder shows as two origins."""
    pretend(TWO_STARTS + "say(**facts)")
    answer = ask_target(PYTHON, "PATH", inherit(), 20.0)
    assert (answer.sys_path, answer.sys_path_isolated) == (["/project", "/lib"], ["/lib"])
    assert isinstance(answer.origins, list)
    assert (answer.origins[0].origin, answer.origins[0].origin_isolated) == ("/project/torch.py", "/lib/torch")
    assert (answer.executable, answer.found_by, answer.probe) == (str(PYTHON), ["PATH"], "ok")
    assert answer.starts is True


def test_a_start_that_only_works_isolated_still_tells_its_facts(pretend: Pretend) -> None:
    """A foreign sitecustomize kills the user's start: the facts come from the isolated one, the reason stays."""
    pretend(TWO_STARTS + 'if not alone: sys.exit("SyntaxError: invalid syntax")\nsay(**facts)')
    answer = ask_target(PYTHON, "PATH", inherit(), 20.0)
    assert answer.version == "3.11.7"
    assert answer.sys_path_isolated == ["/lib"]
    for fact in (answer.probe, answer.sys_path):
        assert isinstance(fact, Unread)
        assert fact == Unread("crashed", "exit status 1: SyntaxError: invalid syntax")


def test_an_interpreter_that_cannot_be_asked_is_known_by_its_files(tmp_path: Path) -> None:
    """A venv whose base Python is gone: why it does not start, and what lies in it all the same."""
    env = homes.venv(tmp_path / "env", tmp_path / "gone")
    site = env / "lib" / "python3.11" / "site-packages"
    (site / "torch").mkdir()
    (site / "torch" / "version.py").write_text("__version__ = '2.9.1+cu128'\ncuda: str = '12.8'\nhip = None\n")
    (site / "torch-2.9.1.dist-info").mkdir()
    (site / "torch-2.9.1.dist-info" / "METADATA").write_text("Name: torch\nVersion: 2.9.1\n")
    answer = ask_target(env / "bin" / "python", "VIRTUAL_ENV", inherit(), 20.0)
    assert isinstance(answer.probe, Unread)
    assert answer.probe.why == "missing"
    assert answer.starts is False
    assert (answer.home_missing, answer.cfg_version, answer.manager) == (True, "3.11.7", "venv")
    assert not isinstance(answer.torch, Unread | None)
    assert (answer.torch.version, answer.torch.cuda, answer.torch.hip) == ("2.9.1+cu128", "12.8", None)
    assert isinstance(answer.distributions, list)
    assert [(item.name, item.version) for item in answer.distributions] == [("torch", "2.9.1")]


STARTS = {
    "it answered": (ProcessResult(exit_code=0, stdout=b"{}\n"), True),
    "it ran and failed": (ProcessResult(exit_code=1, stderr=b"SyntaxError: invalid syntax"), True),
    "a dangling link": (ProcessResult(start_error="/x/python: No such file or directory"), False),
    "libpython is gone": (
        ProcessResult(exit_code=127, stderr=b"python: error while loading shared libraries: libpython3.11.so.1.0"),
        False,
    ),
    "the standard library is gone": (
        ProcessResult(exit_code=1, stderr=b"ModuleNotFoundError: No module named 'encodings'\n"),
        False,
    ),
    "the launcher of Windows": (ProcessResult(exit_code=103, stderr=b"No Python at '\"C:\\Py\\python.exe'"), False),
}


@pytest.mark.parametrize("name", STARTS)
def test_an_interpreter_that_cannot_start_is_told_from_one_that_fails(name: str) -> None:
    """Nothing runs at all, or Python runs and stumbles: two different repairs."""
    result, starts = STARTS[name]
    assert children.has_started(result) is starts


@pytest.mark.parametrize(
    "result",
    [
        ProcessResult(timed_out=True, deadline=1.0, signal=15),
        ProcessResult(signal=11),
        ProcessResult(start_error="python: Permission denied", start_refused=True),
    ],
)
def test_where_it_cannot_be_told_nothing_is_claimed(result: ProcessResult) -> None:
    """A hang, a crash and a refusal say nothing about what the interpreter is made of."""
    assert isinstance(children.has_started(result), Unread)


def test_a_pythonhome_does_not_make_the_environment_broken(pretend: Pretend) -> None:
    """The user's start has no standard library, the isolated one has: the environment itself is whole."""
    pretend(
        TWO_STARTS
        + """
if not alone:
    sys.stderr.write("ModuleNotFoundError: No module named 'encodings'")
    sys.exit(1)
say(**facts)"""
    )
    answer = ask_target(PYTHON, "PATH", inherit(), 20.0)
    assert answer.starts is True
    assert isinstance(answer.probe, Unread)


def test_a_python_too_old_to_be_asked_is_known_by_its_files(pretend: Pretend, tmp_path: Path) -> None:
    """2.7 says its version and no more, and does not know -I: its packages are read from outside."""
    pretend("""
if sys.flags.isolated: sys.exit("Unknown option: -I")
say(executable="x", found_by=[], version="2.7.18",
    probe={"kind": "unread", "why": "unsupported", "detail": "Python 2.7.18 is too old to probe: 3.6 is the oldest"})
""")
    env = homes.venv(tmp_path / "env", PYTHON.resolve().parent.parent)
    (env / "lib" / "python3.11" / "site-packages" / "numpy-1.16.0.dist-info").mkdir()
    (env / "bin" / "python").unlink()
    (env / "bin" / "python").symlink_to(PYTHON)
    answer = ask_target(env / "bin" / "python", "PATH", inherit(), 20.0)
    assert (answer.version, answer.starts, answer.torch) == ("2.7.18", True, None)
    assert isinstance(answer.distributions, list)
    assert [item.name for item in answer.distributions] == ["numpy"]
    for fact in (answer.probe, answer.sys_path_isolated):
        assert isinstance(fact, Unread)
        assert fact.why == "unsupported"


def test_the_users_start_has_the_users_variables(pretend: Pretend) -> None:
    """What the user's own python would see is kept whole: PYTHONPATH, locale, everything."""
    pretend('say(executable="x", found_by=[], version=os.environ.get("PYTHONPATH", "") + os.environ.get("LANG", ""))')
    shell = Shell(environ={"PYTHONPATH": "/ros", "LANG": "C.UTF-8"})
    answer = children.ask_interpreter(PYTHON, shell, 20.0).answer
    assert isinstance(answer, Interpreter)
    assert answer.version == "/rosC.UTF-8"
