"""What a name on PATH really starts: pyenv's shims, and the Python behind pip and jupyter."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.collect.pythons import interpreter_of_script
from envcheck.collect.pythons.shims import pyenv_root_of, resolve_shim
from envcheck.facts import Unread
from tests.collect import homes

# --- pyenv

VERSIONS = {
    "nothing is set: the system's": ({}, {}, "usr/bin/python"),
    "the global file": ({}, {"pyenv/version": "3.12.1\n"}, "pyenv/versions/3.12.1/bin/python"),
    "the project's file beats the global one": (
        {},
        {"pyenv/version": "3.12.1\n", "home/ada/.python-version": "3.9.18\n"},
        "pyenv/versions/3.9.18/bin/python",
    ),
    "the nearest file beats one further up": (
        {},
        {"home/ada/.python-version": "3.9.18\n", "home/ada/project/.python-version": "3.12.1\n"},
        "pyenv/versions/3.12.1/bin/python",
    ),
    "the variable beats every file": (
        {"PYENV_VERSION": "3.9.18"},
        {"home/ada/project/.python-version": "3.12.1\n"},
        "pyenv/versions/3.9.18/bin/python",
    ),
    "a minor version means the newest of its kind": (
        {"PYENV_VERSION": "3.12"},
        {},
        "pyenv/versions/3.12.10/bin/python",
    ),
    "several versions: the first that is installed": (
        {},
        {"pyenv/version": "# mine\n3.7.1\n3.9.18 3.12.1\n"},
        "pyenv/versions/3.9.18/bin/python",
    ),
    "the long form of a name": ({"PYENV_VERSION": "python-3.9.18"}, {}, "pyenv/versions/3.9.18/bin/python"),
    "system by name": ({"PYENV_VERSION": "system"}, {"pyenv/version": "3.12.1\n"}, "usr/bin/python"),
    "not installed": ({"PYENV_VERSION": "3.7.1"}, {}, None),
    "an empty variable is as unset": (
        {"PYENV_VERSION": ""},
        {"pyenv/version": "3.12.1\n"},
        "pyenv/versions/3.12.1/bin/python",
    ),
    "a name that leads out of the folder": ({"PYENV_VERSION": "../../usr"}, {}, None),
}


@pytest.mark.parametrize("name", VERSIONS)
def test_a_shim_is_followed_as_pyenv_would(name: str, tmp_path: Path) -> None:
    """PYENV_VERSION, .python-version upwards, the global file, the system."""
    variables, files, expected = VERSIONS[name]
    homes.base(tmp_path / "usr")
    root = homes.pyenv(tmp_path / "pyenv", "3.9.18", "3.12.1", "3.12.10")
    shell = homes.shell_of(tmp_path, PATH=f"{root}/shims:{tmp_path}/usr/bin", **variables)
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    assert resolve_shim(root / "shims" / "python", shell) == (tmp_path / expected if expected else None)


def test_what_is_no_shim_stands_for_itself(tmp_path: Path) -> None:
    """A folder called shims is not enough: other tools have such too."""
    program = homes.program(tmp_path / "shims" / "python")
    assert pyenv_root_of(program) is None
    assert resolve_shim(program, homes.shell_of(tmp_path)) == program


# --- scripts

SCRIPTS: dict[str, tuple[bytes, str | None]] = {
    "the usual line": (b"#!/opt/env/bin/python3.11\nimport sys\n", "/opt/env/bin/python3.11"),
    "with a flag": (b"#!/usr/bin/python3 -I\n", "/usr/bin/python3"),
    "a path too long for the kernel": (
        b"#!/bin/sh\n'''exec' /very/long/bin/python \"$0\" \"$@\"\n' '''\nimport sys\n",
        "/very/long/bin/python",
    ),
    "a path with blanks": (
        b"#!/bin/sh\n'''exec' \"/my projects/env/bin/python\" \"$0\" \"$@\"\n' '''\n",
        "/my projects/env/bin/python",
    ),
    "through env": (b"#!/usr/bin/env python3\n", "{tmp}/usr/bin/python3"),
    "through env with a flag": (b"#!/usr/bin/env -S python3 -u\n", "{tmp}/usr/bin/python3"),
    "through env, not there": (b"#!/usr/bin/env python2\n", None),
    "a shell script": (b"#!/bin/bash\nexec conda run pip\n", None),
    "a program": (b"\x7fELF\x02\x01\x01", None),
    "nothing": (b"", None),
    "pypy": (b"#!/opt/pypy/bin/pypy3\n", "/opt/pypy/bin/pypy3"),
    "carriage returns": (b"#!/opt/env/bin/python\r\n", "/opt/env/bin/python"),
    "bytes that are no UTF-8": (b"#!/opt/\xff/bin/python\n", "/opt/\\xff/bin/python"),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_interpreter_of_a_script_is_in_its_first_lines(name: str, tmp_path: Path) -> None:
    """Read, not run; what is no Python script is unread, never a guess."""
    content, expected = SCRIPTS[name]
    homes.base(tmp_path / "usr")
    path = tmp_path / "pip"
    path.write_bytes(content)
    told = interpreter_of_script(path, homes.shell_of(tmp_path))
    if expected is None:
        assert isinstance(told, Unread)
        assert str(path) in told.detail or "python2" in told.detail
    else:
        assert told == expected.format(tmp=tmp_path)


def test_a_launcher_of_windows_carries_its_interpreter_at_its_end(tmp_path: Path) -> None:
    """distlib's: the program, then the line, then a zip archive."""
    path = tmp_path / "pip.exe"
    path.write_bytes(b"MZ" + b"\0" * 9000 + b'#!"C:\\Users\\ada\\my env\\Scripts\\python.exe"\r\nPK\x03\x04')
    shell = homes.shell_of(tmp_path, platform="win32")
    assert interpreter_of_script(path, shell) == "C:\\Users\\ada\\my env\\Scripts\\python.exe"


def test_a_launcher_without_a_line_starts_the_python_beside_it(tmp_path: Path) -> None:
    """conda's pip.exe stands in Scripts, its python.exe one folder above."""
    path = homes.program(tmp_path / "conda" / "Scripts" / "pip.exe", "MZ")
    python = homes.program(tmp_path / "conda" / "python.exe", "MZ")
    shell = homes.shell_of(tmp_path, platform="win32")
    assert interpreter_of_script(path, shell) == str(python)
    python.unlink()
    assert isinstance(interpreter_of_script(path, shell), Unread)


def test_a_shim_of_pip_leads_to_the_versions_own(tmp_path: Path) -> None:
    """pyenv's pip is a shell script; the version's pip has the line."""
    root = homes.pyenv(tmp_path / "pyenv", "3.12.1")
    homes.program(root / "versions" / "3.12.1" / "bin" / "pip", f"#!{root}/versions/3.12.1/bin/python3.12\n")
    shell = homes.shell_of(tmp_path, PYENV_VERSION="3.12.1")
    assert interpreter_of_script(root / "shims" / "pip", shell) == f"{root}/versions/3.12.1/bin/python3.12"
    (root / "versions" / "3.12.1" / "bin" / "pip").unlink()
    told = interpreter_of_script(root / "shims" / "pip", shell)
    assert isinstance(told, Unread)
    assert told.why == "missing"


def test_a_script_that_may_not_be_read_is_refused_not_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Permission and absence are told apart."""

    def refuse(self: Path, *_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = homes.program(tmp_path / "pip")
    monkeypatch.setattr(Path, "open", refuse)
    told = interpreter_of_script(path, homes.shell_of(tmp_path))
    assert isinstance(told, Unread)
    assert told.why == "refused"
