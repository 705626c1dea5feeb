"""Where every tool but conda keeps its environments: one row a tool."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from envcheck.collect.shell import Shell


class Place(NamedTuple):
    """A folder in which environments lie."""

    found_by: str
    folder: Path
    depth: int  # levels below ``folder``: 0 means that the folder is the environment itself


class Tool(NamedTuple):
    """One tool's habits.  The first component of a usual folder is a base: see :func:`_bases`."""

    found_by: str
    variable: str | None  # what moves the folder elsewhere
    usual: tuple[str, ...]
    depth: int = 1


# As measured with uv 0.13, pipx 1.18, poetry 2.5, pdm 2.29 and hatch 1.18, and by their documentation for the systems
# they were not measured on.
TOOLS = (
    Tool("uv tools", "UV_TOOL_DIR", ("data/uv/tools", "roaming/uv/tools")),
    Tool("uv pythons", "UV_PYTHON_INSTALL_DIR", ("data/uv/python", "roaming/uv/python")),
    Tool("pipx", None, ("data/pipx/venvs", "home/.local/pipx/venvs", "home/pipx/venvs", "support/pipx/venvs")),
    Tool(
        "poetry",
        "POETRY_VIRTUALENVS_PATH",
        ("cache/pypoetry/virtualenvs", "caches/pypoetry/virtualenvs", "local/pypoetry/Cache/virtualenvs"),
    ),
    Tool("hatch", None, ("data/hatch/env/virtual", "support/hatch/env/virtual", "local/hatch/env/virtual"), 3),
    Tool("pdm", None, ("data/pdm/venvs", "support/pdm/venvs", "local/pdm/pdm/venvs")),
    Tool("virtualenvwrapper", "WORKON_HOME", ("home/.virtualenvs", "home/Envs")),
    Tool("pipenv", None, ("data/virtualenvs", "home/.virtualenvs")),
    Tool("asdf", "ASDF_DATA_DIR", ("home/.asdf/installs/python",)),
    Tool("mise", None, ("data/mise/installs/python", "local/mise/installs/python")),
    Tool("rye", None, ("home/.rye/py",)),
)

_SYSTEM_NAMES = ("python3", "python", *(f"python3.{minor}" for minor in range(6, 21)), "pypy3")


def tool_places(shell: Shell) -> Iterator[Place]:
    """Folders of environments, whether they exist or not."""
    yield from _project(shell)
    bases = _bases(shell)
    for tool in TOOLS:
        moved = shell.folder(tool.variable) if tool.variable else None
        if moved is not None:
            yield Place(tool.found_by, moved, tool.depth)
            continue
        for usual in tool.usual:
            base, _, rest = usual.partition("/")
            folder = bases.get(base)
            if folder is not None:
                yield Place(tool.found_by, folder / rest, tool.depth)
    pipx = shell.folder("PIPX_HOME")
    if pipx is not None:
        yield Place("pipx", pipx / "venvs", 1)
    for root in pyenv_roots(shell):
        yield Place("pyenv", root / "versions", 1)
        for version in children(root / "versions"):
            yield Place("pyenv", version / "envs", 1)  # pyenv-virtualenv


def pyenv_roots(shell: Shell) -> list[Path]:
    """The folder that pyenv is rooted in, if there is a way to know one."""
    named = shell.folder("PYENV_ROOT") or shell.folder("PYENV")
    usual = shell.at_home(".pyenv", "pyenv-win") if shell.windows else shell.at_home(".pyenv")
    root = named or usual
    return [root] if root is not None else []


def system_pythons(shell: Shell) -> Iterator[tuple[str, Path]]:
    """Interpreters of the system, ``(found by, executable)``, whether they exist or not."""
    if shell.windows:
        yield from (("registry", path) for path in _registered())
        local = shell.folder("LOCALAPPDATA")
        if local is not None:
            yield from (("system", path / "python.exe") for path in children(local / "Programs" / "Python"))
        return
    folders = ["/usr/local/bin", "/usr/bin"]
    if shell.macos:
        folders += ["/opt/homebrew/bin", "/opt/local/bin"]
        frameworks = shell.system("/Library/Frameworks/Python.framework/Versions")
        yield from (("system", path / "bin" / "python3") for path in children(frameworks))
    for folder in folders:
        for name in _SYSTEM_NAMES:
            yield "system", shell.system(folder) / name


def pdm_python(shell: Shell) -> Path | None:
    """The interpreter that the pdm project at hand has chosen."""
    if shell.cwd is None:
        return None
    try:
        text = (shell.cwd / ".pdm-python").read_text("utf-8", "surrogateescape").strip()
    except (OSError, ValueError):
        return None
    return Path(text) if text else None


def children(folder: Path, limit: int = 1000) -> list[Path]:
    """The entries of a folder, sorted, hidden ones left out; empty where it cannot be listed."""
    found: list[Path] = []
    try:
        for path in folder.iterdir():
            if not path.name.startswith("."):
                found.append(path)
                if len(found) >= limit:
                    break
    except (OSError, ValueError):
        return []
    return sorted(found)


def _project(shell: Shell) -> Iterator[Place]:
    """The environment of the project that the working folder belongs to."""
    named = shell.folder("UV_PROJECT_ENVIRONMENT")
    if named is not None:
        yield Place("UV_PROJECT_ENVIRONMENT", named, 0)
    if shell.cwd is None:
        return
    # As uv looks for it: here, then in every folder above.
    for folder in (shell.cwd, *shell.cwd.parents):
        yield Place(".venv", folder / ".venv", 0)
        if folder == shell.home:
            break
    for name in ("venv", "env"):
        yield Place(name, shell.cwd / name, 0)


def _bases(shell: Shell) -> dict[str, Path | None]:
    """Where tools put data and caches: the habits of each system under one name each."""
    if shell.windows:
        return {"home": shell.home, "roaming": shell.folder("APPDATA"), "local": shell.folder("LOCALAPPDATA")}
    bases = {
        "home": shell.home,
        "data": shell.folder("XDG_DATA_HOME") or shell.at_home(".local", "share"),
        "cache": shell.folder("XDG_CACHE_HOME") or shell.at_home(".cache"),
    }
    if shell.macos:
        bases |= {
            "support": shell.at_home("Library", "Application Support"),
            "caches": shell.at_home("Library", "Caches"),
        }
    return bases


def _registered() -> Iterator[Path]:
    """Interpreters that PEP 514 lists in the Windows registry: HIVE\\Software\\Python\\COMPANY\\TAG\\InstallPath."""
    if sys.platform != "win32":  # a pretended Windows has no registry
        return
    import winreg

    for hive in (winreg.HKEY_CURRENT_USER, winreg.HKEY_LOCAL_MACHINE):
        for company in _subkeys(hive, r"Software\Python"):
            for tag in _subkeys(hive, rf"Software\Python\{company}"):
                try:
                    with winreg.OpenKey(hive, rf"Software\Python\{company}\{tag}\InstallPath") as key:
                        yield Path(str(winreg.QueryValueEx(key, "")[0])) / "python.exe"
                except OSError:
                    continue


def _subkeys(hive: int, path: str) -> Iterator[str]:
    if sys.platform != "win32":
        return
    import winreg

    try:
        with winreg.OpenKey(hive, path) as key:
            for index in range(winreg.QueryInfoKey(key)[0]):
                yield winreg.EnumKey(key, index)
    except OSError:
        return
