"""The environment that is judged, in the whole snapshot."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from envcheck.collect import BadTarget
from envcheck.facts import TorchInstall, TorchRuntime, Unread
from tests.collect import homes
from tests.collect.looks import SLACK, Deploy, look, real_venv, target_of
from tests.fakes import Machine, nvml_hang

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pretended file trees and drivers are Linux")


def test_a_bad_target_is_raised_before_anything_hangs(tmp_path: Path, deploy: Deploy) -> None:
    """The user's slip is told at once, not after the driver's deadline."""
    machine = deploy(Machine(nvml_hang()))
    began = time.monotonic()
    with pytest.raises(BadTarget):
        look(machine.root, machine.environ, python=str(tmp_path))
    assert time.monotonic() - began < SLACK


def test_the_target_stands_first_with_every_way_that_led_to_it(tmp_path: Path) -> None:
    """Index 0, probed; the others behind it, found but not run."""
    env = real_venv(tmp_path)
    homes.venv(tmp_path / "home" / ".virtualenvs" / "other", tmp_path / "nowhere")
    environ = {"PATH": f"{env}/bin", "VIRTUAL_ENV": str(env), "HOME": str(tmp_path / "home")}
    snapshot = look(tmp_path, environ)
    target = target_of(snapshot)
    assert (target.executable, target.probe, target.found_by) == (f"{env}/bin/python", "ok", ["VIRTUAL_ENV", "PATH"])
    assert snapshot.target.chosen_by == "VIRTUAL_ENV"
    assert isinstance(snapshot.interpreters, list)
    others = [item for item in snapshot.interpreters[1:] if item.executable.startswith(str(tmp_path))]
    assert [item.found_by for item in others] == [["virtualenvwrapper", "pipenv"]]
    assert all(isinstance(item.probe, Unread) and item.probe.why == "not_asked" for item in others)


def test_all_environments_are_read_when_asked(tmp_path: Path) -> None:
    """Their packages and their torch, without running them."""
    other = homes.venv(tmp_path / "home" / ".virtualenvs" / "other", tmp_path / "nowhere")
    torch = other / "lib" / "python3.11" / "site-packages" / "torch"
    torch.mkdir()
    (torch / "version.py").write_text("__version__ = '2.9.1+cu128'\ncuda = '12.8'\n")
    environ = {"PATH": "", "HOME": str(tmp_path / "home")}
    records = look(tmp_path, environ, all_envs=True).interpreters
    assert isinstance(records, list)
    found = next(item for item in records if item.executable.startswith(str(other)))
    assert isinstance(found.torch, TorchInstall)
    assert found.torch.cuda == "12.8"


@pytest.mark.parametrize(
    ("source", "signal", "words"),
    [
        ("import ctypes; ctypes.string_at(0)", 11, "SIGSEGV"),
        ("import os; os.kill(os.getpid(), 7)", 7, "SIGBUS"),
        ("raise ImportError('libcudnn.so.9: cannot open shared object file')", None, "libcudnn.so.9"),
        ("import os; os._exit(3)", None, "exit status 3"),
    ],
)
def test_a_torch_that_crashes_is_a_finding(source: str, signal: int | None, words: str, tmp_path: Path) -> None:
    """The child dies, the look goes on, and the reason is kept."""
    env = real_venv(tmp_path, torch=source)
    runtime = target_of(look(tmp_path, python=str(env), depth="normal")).runtime
    assert isinstance(runtime, TorchRuntime)
    assert runtime.signal == signal
    assert words in f"{runtime.imported} {runtime.import_error}"


def test_quick_does_not_import_torch(tmp_path: Path) -> None:
    """torch is read from its files; its import would leave a mark."""
    env = real_venv(tmp_path, torch=f"open({str(tmp_path / 'imported')!r}, 'w')")
    target = target_of(look(tmp_path, python=str(env)))
    assert isinstance(target.torch, TorchInstall)
    assert target.torch.version == "2.9.1"
    assert isinstance(target.runtime, Unread)
    assert target.runtime.why == "not_asked"
    assert not (tmp_path / "imported").exists()


def test_without_torch_its_runtime_is_a_known_absence(tmp_path: Path) -> None:
    """Asked, and there is none: not unread."""
    target = target_of(look(tmp_path, python=str(real_venv(tmp_path)), depth="normal"))
    assert (target.torch, target.runtime) == (None, None)
