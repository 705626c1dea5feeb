"""pyenv's shims: which interpreter a shim on PATH would start, told without starting it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from envcheck.collect.shell import Shell


def resolve_shim(program: Path, shell: Shell) -> Path | None:
    """The program that a pyenv shim stands for, in pyenv's own order of looking.

    That order: PYENV_VERSION, ``.python-version`` from the working folder upwards, ``$PYENV_ROOT/version``, "system".
    ``program`` itself if it is no shim; ``None`` if the shim would find nothing (no version in force has the program).
    """
    root = pyenv_root_of(program)
    if root is None:
        return program
    for version in wanted_versions(root, shell):
        if version == "system":
            for other in shell.programs(program.name):
                if pyenv_root_of(other) is None:
                    return other
            continue
        folder = _installed(root, version)
        if folder is None:
            continue
        for path in (folder / "bin" / program.name, folder / "python.exe"):
            if path.is_file():
                return path
    return None


def pyenv_root_of(program: Path) -> Path | None:
    """The root of the pyenv that a shim belongs to; ``None`` if the program is no pyenv shim."""
    folder = program.parent
    if folder.name != "shims":
        return None
    # ROOT/shims; its plugins have shims of their own: ROOT/plugins/pyenv-virtualenv/shims
    for root in folder.parents[:3]:
        if (root / "versions").is_dir():
            return root
    return None


def wanted_versions(root: Path, shell: Shell) -> list[str]:
    """The versions that pyenv would use here, first choice first; ``["system"]`` if nothing names one."""
    value = shell.variable("PYENV_VERSION")
    if value:
        return [part for part in value.split(":") if part]
    for path in _version_files(root, shell):
        versions = _read_versions(path)
        if versions:
            return versions
    return ["system"]


def _version_files(root: Path, shell: Shell) -> Iterator[Path]:
    start = shell.folder("PYENV_DIR") or shell.cwd
    if start is not None:
        for folder in (start, *start.parents):
            yield folder / ".python-version"
    yield root / "version"


def _read_versions(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8", "replace")
    except (OSError, ValueError):
        return []
    return [word for line in text.splitlines() for word in line.partition("#")[0].split()]


def _installed(root: Path, version: str) -> Path | None:
    """The folder of an installed version; ``3.11`` means the newest 3.11.x, as pyenv has it since 2.3.3."""
    if "/" in version.strip("/") and ".." in version:
        return None
    versions = root / "versions"
    for name in (version, version.removeprefix("python-")):
        if (versions / name).is_dir():
            return versions / name
    prefix = version.removeprefix("python-") + "."
    try:
        matching = [path for path in versions.iterdir() if path.name.startswith(prefix)]
    except OSError:
        return None
    return max(matching, key=_release, default=None)


def _release(path: Path) -> list[int]:
    return [int(part) if part.isdigit() else -1 for part in path.name.split(".")]
