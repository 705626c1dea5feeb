"""Which Python an installed script (pip, jupyter) runs, read from the script itself."""

from __future__ import annotations

import re
from pathlib import Path

from envcheck.collect.shell import Shell
from envcheck.facts import Fact, Unread

from .layout import prefix_of, python_in
from .shims import resolve_shim

_HEAD_BYTES = 4096
_LAUNCHER_BYTES = 4 << 20
# pip writes this where a path is too long for the kernel or has blanks: the shell runs the line, Python reads a string.
_TRAMPOLINE = re.compile(rb"^'''exec' (?:\"([^\"\n]+)\"|(\S+)) ", re.MULTILINE)
_ENV = re.compile(r"/env(?:\s+-\S+)*\s+(\S+)")
_WINDOWS_SHEBANG = re.compile(rb"#!\s*\"?([^\"\r\n\0]{1,1000}?pythonw?\.exe)\"?", re.IGNORECASE)


def interpreter_of_script(program: Path, shell: Shell) -> Fact[str]:
    """The interpreter that a script would run, by its first line.

    Follows pyenv shims and ``env``; on Windows reads what a launcher carries at its end.  Unread where the
    file cannot be read or is no Python script.
    """
    real = resolve_shim(program, shell)
    if real is None:
        return Unread("missing", f"{program}: the pyenv version that it wants is not installed")
    try:
        with real.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            if head[:2] == b"MZ":
                head += file.read(_LAUNCHER_BYTES)
    except OSError as error:
        return Unread("refused" if isinstance(error, PermissionError) else "missing", f"{real}: {error.strerror}")
    if head[:2] == b"MZ":
        return _launched(real, head, shell)
    if not head.startswith(b"#!"):
        return Unread("garbled", f"{real}: no script (it starts with {head[:4]!r})")
    line = head[2:].split(b"\n", 1)[0].strip()
    trampoline = _TRAMPOLINE.search(head)
    if line.endswith(b"sh") and trampoline:
        return (trampoline[1] or trampoline[2]).decode("utf-8", "backslashreplace")
    text = line.decode("utf-8", "backslashreplace")
    env = _ENV.search(text)
    if env:
        return _on_path(env[1], shell)
    word = text if " " in text and Path(text).is_file() else text.split(" ")[0]
    if "python" not in Path(word).name and "pypy" not in Path(word).name:
        return Unread("garbled", f"{real}: no Python script (#!{text})")
    return word


def _on_path(name: str, shell: Shell) -> Fact[str]:
    for program in shell.programs(name):
        found = resolve_shim(program, shell)
        if found is not None:
            return str(found)
    return Unread("missing", f"env finds no {name} on PATH")


def _launched(program: Path, content: bytes, shell: Shell) -> Fact[str]:
    shebangs = _WINDOWS_SHEBANG.findall(content)
    if shebangs:
        return str(shebangs[-1].decode("utf-8", "backslashreplace"))
    # conda's and older launchers carry no path: they start the python.exe beside or above them.
    beside = python_in(prefix_of(program), windows=shell.windows)
    return str(beside) if beside is not None else Unread("garbled", f"{program}: a launcher that names no Python")
