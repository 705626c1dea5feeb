"""A pretended user's home: environments as each tool lays them out, and the shell that looks at them."""

from __future__ import annotations

import json
from pathlib import Path

from envcheck.collect.shell import Shell

PROGRAM = "#!/bin/sh\nexit 0\n"


def program(path: Path, text: str = PROGRAM) -> Path:
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def base(prefix: Path, version: str = "3.11.7") -> Path:
    """An installed Python, ``bin/python3.11`` with the usual links to it."""
    minor = version.rpartition(".")[0]
    real = program(prefix / "bin" / f"python{minor}")
    (prefix / "lib" / f"python{minor}" / "site-packages").mkdir(parents=True, exist_ok=True)
    for name in ("python3", "python"):
        (prefix / "bin" / name).symlink_to(real.name)
    return prefix


def venv(prefix: Path, of: Path, *, version: str = "3.11.7", made_by: str = "venv", windows: bool = False) -> Path:
    """A virtual environment of the Python at ``of``."""
    minor = version.rpartition(".")[0]
    prefix.mkdir(parents=True, exist_ok=True)
    lines = [f"home = {of / 'bin'}"]
    lines += {
        "venv": [f"version = {version}"],
        "uv": ["uv = 0.13.9", f"version_info = {version}"],
        "virtualenv": ["virtualenv = 21.15.8", f"version_info = {version}.final.0"],
    }[made_by]
    (prefix / "pyvenv.cfg").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if windows:
        program(prefix / "Scripts" / "python.exe")
        (prefix / "Lib" / "site-packages").mkdir(parents=True)
    else:
        (prefix / "bin").mkdir()
        (prefix / "bin" / "python").symlink_to(of / "bin" / "python3")
        for name in ("python3", f"python{minor}"):
            (prefix / "bin" / name).symlink_to("python")
        (prefix / "lib" / f"python{minor}" / "site-packages").mkdir(parents=True)
    return prefix


def conda(prefix: Path, *, root: bool = False, version: str = "3.11.7", python: bool = True) -> Path:
    """A conda environment, or with ``root`` the installation of conda itself."""
    (prefix / "conda-meta").mkdir(parents=True)
    (prefix / "conda-meta" / "history").write_text("==> 2026-01-01 12:00:00 <==\n", encoding="utf-8")
    if root:
        (prefix / "condabin").mkdir()
        (prefix / "envs").mkdir()
        program(prefix / "bin" / "conda")
    if python:
        record = {"name": "python", "version": version, "build": "h955ad1f_0", "channel": "conda-forge"}
        path = prefix / "conda-meta" / f"python-{version}-h955ad1f_0.json"
        path.write_text(json.dumps(record), encoding="utf-8")
        base(prefix, version)
    return prefix


def pyenv(root: Path, *versions: str) -> Path:
    """A pyenv with these versions and its shims."""
    for version in versions:
        base(root / "versions" / version, version)
    for name in ("python", "python3", "pip"):
        program(root / "shims" / name, '#!/usr/bin/env bash\nexec pyenv exec "${0##*/}" "$@"\n')
    return root


def shell_of(tmp: Path, platform: str = "linux", **environ: str) -> Shell:
    """The shell of a user whose home, working folder and system all lie below ``tmp``."""
    home, cwd = tmp / "home" / "ada", tmp / "home" / "ada" / "project"
    cwd.mkdir(parents=True, exist_ok=True)
    environ = {"PATH": str(tmp / "usr" / "bin"), **environ}
    return Shell(environ=environ, platform=platform, home=home, cwd=cwd, root=tmp)
