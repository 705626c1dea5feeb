"""Real environments in a second: the heavy folders are links to one installation, what is broken is a copy."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PYTHON_FOLDER = f"python{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class Environment:
    """One environment with a real torch in it."""

    prefix: Path

    @property
    def python(self) -> Path:
        return self.prefix / "bin" / "python"

    @property
    def site(self) -> Path:
        return self.prefix / "lib" / PYTHON_FOLDER / "site-packages"

    @property
    def torch_info(self) -> Path:
        """torch's own metadata folder."""
        return next(self.site.glob("torch-2.13.0*.dist-info"))

    def own(self, path: Path) -> Path:
        """Make a file of this environment its own, so that a change of it changes no other."""
        copy = path.with_name(f"{path.name}.own")
        shutil.copy2(path, copy)
        copy.replace(path)
        return path


def link_tree(source: Path, target: Path) -> None:
    """Every file of ``source`` under ``target`` as a hard link; bytecode is left out (it names its own place)."""
    for folder, subfolders, files in os.walk(source):
        subfolders[:] = [name for name in subfolders if name != "__pycache__"]
        there = target / Path(folder).relative_to(source)
        there.mkdir(parents=True, exist_ok=True)
        for name in files:
            one, other = Path(folder, name), there / name
            if one.is_symlink():
                other.symlink_to(one.readlink())
            else:
                link(one, other)


def link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without hard links
        shutil.copy2(source, target)


def installation(prefix: Path) -> Environment:
    """A Python of its own at ``prefix``, as a conda environment or a build from source is: no venv.

    The interpreter is a copy, its standard library are links to the one of the Python that runs the tests.
    """
    base = Path(sys.base_prefix)
    real = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]
    (prefix / "bin").mkdir(parents=True)
    shutil.copy2(real, prefix / "bin" / PYTHON_FOLDER)
    for name in ("python3", "python"):
        (prefix / "bin" / name).symlink_to(PYTHON_FOLDER)
    for item in (base / "lib").iterdir():
        if item.name != PYTHON_FOLDER and item.name.startswith(("libpython", "python")):
            _enter(prefix / "lib", item)
    for item in (base / "lib" / PYTHON_FOLDER).iterdir():
        if item.name not in ("site-packages", "EXTERNALLY-MANAGED", "__pycache__"):
            _enter(prefix / "lib" / PYTHON_FOLDER, item)
    (prefix / "include").symlink_to(base / "include")
    found = Environment(prefix)
    found.site.mkdir()
    said = subprocess.run([found.python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True)
    assert said.stdout.strip() == str(prefix), f"this Python cannot be moved: {said.stdout}{said.stderr}"
    return found


def _enter(folder: Path, item: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / item.name).symlink_to(item)


def venv_of(python: Path, prefix: Path) -> Environment:
    """An empty virtual environment."""
    subprocess.run([python, "-m", "venv", "--without-pip", prefix], check=True)
    return Environment(prefix)
