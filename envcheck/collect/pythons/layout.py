"""What a Python environment looks like on disk: where its interpreter is, who made it, what it is called."""

from __future__ import annotations

import re
from pathlib import Path

from envcheck.collect.system.root import printable
from envcheck.facts import Fact, Interpreter, Unread

_POSIX = ("bin/python", "bin/python3", "bin/pypy3", "bin/pypy")
_WINDOWS = ("Scripts/python.exe", "python.exe", "bin/python.exe", "pypy3.exe")
_PROGRAM = re.compile(r"(?:^|[^a-z])(?:python|pypy)(?:\d[\d.]*t?)?[wdm]?(?:\.exe)?$", re.IGNORECASE)


def python_in(folder: Path, *, windows: bool) -> Path | None:
    """The interpreter of an environment folder, also where its link leads nowhere any more."""
    for name in _WINDOWS if windows else _POSIX:
        path = folder / name
        if lexists(path):
            return path
    return None


def lexists(path: Path) -> bool:
    """True for anything of that name, a dangling link included."""
    try:
        path.lstat()
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return False
    return True


def may_be_python(path: Path) -> bool:
    """True if the file, or what its link leads to, is named as an interpreter: ``python3.11``, ``my-python``."""
    if _PROGRAM.search(path.name):
        return True
    try:
        return _PROGRAM.search(path.resolve().name) is not None
    except (OSError, RuntimeError):
        return False


def prefix_of(executable: Path) -> Path:
    """The environment folder that an interpreter stands in."""
    folder = executable.parent
    return folder.parent if folder.name in ("bin", "Scripts") else folder


def identity_of(executable: Path) -> str:
    """Equal for two names of one environment: its folder where it is a venv, else the real interpreter file."""
    prefix = prefix_of(executable)
    try:
        return str((prefix if (prefix / "pyvenv.cfg").is_file() else executable).resolve())
    except (OSError, RuntimeError, ValueError):  # RuntimeError: links that go in a circle
        return str(executable)


def read_cfg(prefix: Path) -> dict[str, str]:
    """The settings of a ``pyvenv.cfg``, keys in lower case; empty where there is none."""
    try:
        text = (prefix / "pyvenv.cfg").read_text("utf-8", "replace")
    except OSError:
        return {}
    pairs = (line.partition("=") for line in text.splitlines())
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}


def is_conda_root(prefix: Path) -> bool:
    """True for the environment that holds conda itself."""
    return (prefix / "condabin").is_dir() or ((prefix / "conda-meta").is_dir() and (prefix / "envs").is_dir())


def is_tool_environment(prefix: Path) -> bool:
    """True for an environment that pipx or ``uv tool`` keeps around one program: nobody works in it."""
    return (prefix / "pipx_metadata.json").is_file() or (prefix / "uv-receipt.toml").is_file()


def is_ephemeral(prefix: Path) -> bool:
    """True for an environment that ``uvx`` or ``uv run --with`` made in uv's cache for one start.

    uv 0.13 puts it first on the PATH of the program that it starts, and ``uv run`` makes it VIRTUAL_ENV too: neither is
    so in the shell that the user sits in.
    """
    return prefix.parent.name.startswith(("archive-v", "builds-v", "environments-v")) and "uv" in read_cfg(prefix)


def site_folders(executable: Path) -> list[Path]:
    """The site-packages of an interpreter's environment, as far as its layout tells."""
    prefix = prefix_of(executable)
    windows = prefix / "Lib" / "site-packages"
    if windows.is_dir():
        return [windows]
    try:
        found = sorted(prefix.glob("lib*/python[23]*/site-packages")) + sorted(prefix.glob("lib*/pypy*/site-packages"))
        if not (prefix / "pyvenv.cfg").is_file() and len(found) != 1:
            name = executable.resolve().name  # several Pythons share /usr and /usr/local: each has its own folder
            found = [folder for folder in found if folder.parent.name == name]
            # Debian's: pip's packages for all users, then those of apt
            shared = [prefix / "local" / "lib" / name / "dist-packages", prefix / "lib" / "python3" / "dist-packages"]
            found += [folder for folder in shared if folder.is_dir()]
    except (OSError, RuntimeError):
        return []
    unique: dict[Path, Path] = {}
    for folder in found:  # lib64 is often a link to lib
        unique.setdefault(folder.resolve(), folder)
    return list(unique.values())


def describe(executable: Path, found_by: list[str]) -> Interpreter:
    """What an interpreter's place tells of it, without running it."""
    prefix = prefix_of(executable)
    cfg = read_cfg(prefix)
    manager = manager_of(prefix, cfg)
    name = name_of(prefix, manager)
    return Interpreter(
        executable=printable(str(executable)),
        found_by=[printable(word) for word in found_by],
        manager=manager,
        name=printable(name) if name else None,
        prefix=printable(str(prefix)),
        cfg_version=_cfg_version(cfg),
        home_missing=_is_home_missing(executable, cfg),
        version=_version(prefix, executable, manager, cfg),
    )


def manager_of(prefix: Path, cfg: dict[str, str]) -> str:
    """Who made the environment, by the marks that its maker leaves."""
    parents = [parent.name for parent in prefix.parents]
    if (prefix / "conda-meta").is_dir():
        return "pixi" if (prefix / "conda-meta" / "pixi").exists() or ".pixi" in parents else "conda"
    if (prefix / "pipx_metadata.json").is_file():
        return "pipx"
    if cfg:
        for folder, name in (("pypoetry", "poetry"), ("hatch", "hatch"), ("pdm", "pdm")):
            if folder in parents:
                return name
        return "uv" if "uv" in cfg else "virtualenv" if "virtualenv" in cfg else "venv"
    if parents[:1] == ["versions"] and (".pyenv" in parents or (prefix.parent.parent / "shims").is_dir()):
        return "pyenv"
    if parents[:2] == ["python", "uv"]:
        return "uv"
    return "system"


def name_of(prefix: Path, manager: str) -> str | None:
    """The name that the manager's own commands use; ``None`` where it gives none."""
    if manager == "conda":
        if is_conda_root(prefix):
            return "base"
        return prefix.name if prefix.parent.name == "envs" else None
    if manager == "pixi":
        return prefix.name
    if manager == "pipx" or (prefix / "uv-receipt.toml").is_file():
        return prefix.name
    if manager == "pyenv" or prefix.parent.name == "versions":
        return prefix.name
    return None


def _cfg_version(cfg: dict[str, str]) -> Fact[str]:
    if not cfg:
        return None
    text = cfg.get("version") or cfg.get("version_info") or ""
    match = re.match(r"\d+\.\d+(?:\.\d+)?", text)
    return match[0] if match else Unread("garbled", f"pyvenv.cfg has no version: {text!r}")


def _is_home_missing(executable: Path, cfg: dict[str, str]) -> bool:
    """True if the interpreter's link dangles, or the folder that ``pyvenv.cfg`` names as its home is gone."""
    home = cfg.get("home")
    return not executable.exists() or bool(home and not Path(home).is_dir())


_CONDA_PYTHON = re.compile(r"python-(\d+\.\d+\.\d+)-[^-]+\.json$")
_LIBRARY = re.compile(r"python(\d+\.\d+)t?$")


def _version(prefix: Path, executable: Path, manager: str, cfg: dict[str, str]) -> Fact[str]:
    """The Python version as files tell it: in full where they do, else major and minor."""
    version = _cfg_version(cfg)
    if isinstance(version, str):
        return version
    try:
        if manager in ("conda", "pixi"):
            for path in (prefix / "conda-meta").glob("python-3*.json"):
                match = _CONDA_PYTHON.match(path.name)
                if match:
                    return match[1]
        for text in (prefix.name, executable.resolve().name):
            match = re.search(r"(?<!\d)(\d\.\d+(?:\.\d+)?)(?!\d)", text)
            if match and manager != "conda":
                return match[1]
        for path in (prefix / "lib").glob("python3*"):
            match = _LIBRARY.match(path.name)
            if match and manager != "system":
                return match[1]
    except (OSError, RuntimeError):
        pass
    return Unread("not_asked", "the interpreter was not run")
