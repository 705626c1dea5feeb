"""Jupyter's kernels: where each kernelspec leads, read from its file and without Jupyter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from envcheck.facts import Fact, Jupyter, Kernel, Unread

from .environment import is_allowed
from .pythons import interpreter_of_script
from .pythons.layout import lexists, may_be_python, prefix_of
from .pythons.places import children
from .shell import Shell
from .system.root import printable


class _Spec(msgspec.Struct):
    """What matters of a kernel.json."""

    argv: list[str] = []
    display_name: str | None = None
    language: str | None = None
    env: dict[str, str] = {}


def collect_jupyter(shell: Shell, target: Path | None = None) -> Jupyter:
    """Every kernelspec that a notebook server of this user would offer, in the order of preference.

    ``target`` is the environment being judged; its own kernels count with those of the server's environment.
    """
    server = _server(shell)
    prefixes = [prefix_of(path) for path in (Path(server) if isinstance(server, str) else None, target) if path]
    kernels: dict[str, Kernel] = {}
    for folder in kernel_folders(shell, prefixes):
        for path in children(folder):
            # Jupyter folds names to lower case; the first folder that has one wins.
            if (path / "kernel.json").is_file() and path.name.lower() not in kernels:
                kernels[path.name.lower()] = _kernel(path, shell, server)
    return Jupyter(kernels=list(kernels.values()), server_interpreter=server)


def kernelspec_sightings(shell: Shell) -> Iterator[tuple[str, Path]]:
    """``("kernelspec NAME", interpreter)`` for every kernel that names a Python by its path."""
    for folder in kernel_folders(shell, []):
        for path in children(folder):
            spec = _read(path / "kernel.json")
            if isinstance(spec, _Spec) and spec.argv and Path(spec.argv[0]).is_absolute():
                executable = Path(spec.argv[0])
                if may_be_python(executable):
                    yield f"kernelspec {path.name}", executable


def kernel_folders(shell: Shell, prefixes: list[Path]) -> list[Path]:
    """The folders that Jupyter searches, first one first.

    jupyter_core 5 puts the environment before the user's folder in a venv or a named conda environment, and after it
    elsewhere; JUPYTER_PREFER_ENV_PATH decides where it is set.
    """
    own = [prefix / "share" / "jupyter" for prefix in prefixes]
    user = _user_folders(shell)
    wish = (shell.variable("JUPYTER_PREFER_ENV_PATH") or "").lower()
    if wish in ("", "no", "n", "false", "off", "0", "0.0"):
        first = not wish and bool(prefixes) and (prefixes[0] / "pyvenv.cfg").is_file()
        first = first or (not wish and shell.variable("CONDA_DEFAULT_ENV") not in (None, "base", "root"))
    else:
        first = True
    named = [shell.expand(entry) for entry in (shell.variable("JUPYTER_PATH") or "").split(shell.separator) if entry]
    folders = named + (own + user if first else user + own) + _system_folders(shell)
    return [folder / "kernels" for folder in dict.fromkeys(folders)]


def _user_folders(shell: Shell) -> list[Path]:
    named = shell.folder("JUPYTER_DATA_DIR")
    if named is not None:
        return [named]
    if shell.windows:
        roaming = shell.folder("APPDATA")
        return [roaming / "jupyter"] if roaming is not None else []
    if shell.macos:
        folder = shell.at_home("Library", "Jupyter")
    else:
        data = shell.folder("XDG_DATA_HOME") or shell.at_home(".local", "share")
        folder = data / "jupyter" if data is not None else None
    return [folder] if folder is not None else []


def _system_folders(shell: Shell) -> list[Path]:
    if shell.windows:
        folder = shell.folder("PROGRAMDATA")
        return [folder / "jupyter"] if folder is not None else []
    return [shell.system("/usr/local/share/jupyter"), shell.system("/usr/share/jupyter")]


def _server(shell: Shell) -> Fact[str]:
    """The interpreter that ``jupyter`` on PATH runs; ``None`` where there is no such program."""
    for program in shell.programs("jupyter"):
        return interpreter_of_script(program, shell)
    return None


def _kernel(path: Path, shell: Shell, server: Fact[str]) -> Kernel:
    spec = _read(path / "kernel.json")
    place = printable(str(path))
    if isinstance(spec, Unread):
        return Kernel(name=printable(path.name), path=place, argv=spec, interpreter=spec)
    interpreter = _interpreter(spec, shell, server) if spec.argv else Unread("garbled", "argv is empty")
    python = spec.language in (None, "python")
    return Kernel(
        name=printable(path.name),
        path=place,
        display_name=spec.display_name,
        language=spec.language,
        argv=spec.argv,
        interpreter=interpreter,
        has_ipykernel=_has_ipykernel(interpreter) if python else None,
        variables=[f"{name}={value}" for name, value in sorted(spec.env.items()) if is_allowed(name)],
    )


def _read(path: Path) -> _Spec | Unread:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Spec)
    except OSError as error:
        return Unread(
            "refused" if isinstance(error, PermissionError) else "missing", printable(f"{path}: {error.strerror}")
        )
    except (msgspec.DecodeError, ValueError) as error:
        return Unread("garbled", printable(f"{path}: {error}"))


_BARE = re.compile(r"python(?:3(?:\.\d+)?)?(?:\.exe)?$", re.IGNORECASE)


def _interpreter(spec: _Spec, shell: Shell, server: Fact[str]) -> Fact[str]:
    """What ``argv[0]`` leads to; ``None``: nothing."""
    first = spec.argv[0]
    if _BARE.match(first):
        # jupyter_client replaces a bare python by the server's own interpreter and never looks on PATH.
        return (
            Unread("missing", "a bare python means the server's own, and no server was found")
            if server is None
            else server
        )
    path = Path(first)
    if path.is_absolute():
        return printable(first) if path.exists() else None
    return next((printable(str(program)) for program in shell.programs(first)), None)


def _has_ipykernel(interpreter: Fact[str]) -> Fact[bool]:
    """Whether ipykernel stands in the interpreter's own site-packages (or its base's, where the venv shares them)."""
    if not isinstance(interpreter, str):
        return Unread("missing", "the kernel's interpreter is not known") if interpreter is None else interpreter
    prefix = prefix_of(Path(interpreter))
    folders = [*prefix.glob("lib/python3*/site-packages"), *prefix.glob("lib/python3*/dist-packages")]
    folders += [
        folder
        for folder in (prefix / "Lib" / "site-packages", prefix / "lib" / "python3" / "dist-packages")
        if folder.is_dir()
    ]
    if any(lexists(folder / "ipykernel") for folder in folders):
        return True
    if not folders or (not (prefix / "pyvenv.cfg").is_file() and not (prefix / "conda-meta").is_dir()):
        return Unread("not_asked", f"{prefix} is no environment of its own: ipykernel may come from elsewhere")
    return False
