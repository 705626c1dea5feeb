"""CUDA toolkits and host compilers: what a compilation of an extension would use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from envcheck.facts import Fact, Toolkit, ToolkitInstall, Unread

from .packages import path_folders
from .programs import Run, bounded
from .root import Root, printable

if TYPE_CHECKING:
    from envcheck.collect.process import ProcessResult

PROGRAM_DEADLINE_S = 3.0
"""For ``nvcc --version`` and ``g++ -dumpversion``, which take some 10 ms; a network drive may take longer."""

_CAP_BYTES = 64 << 10
_TOOLKITS_MAX = 16


def collect_toolkit(root: Root, platform: str, environ: Mapping[str, str], *, run: Run | None = None) -> Toolkit:
    """Toolkits in the order in which torch.utils.cpp_extension would choose, and the host compiler.

    ``run`` starts a program; by default through the process wall, with the user's own variables.
    """
    if run is None:
        run = bounded(environ, deadline=PROGRAM_DEADLINE_S, cap_bytes=_CAP_BYTES)
    folders = path_folders(platform, environ)
    suffix = ".exe" if platform == "win32" else ""
    home = environ.get("CUDA_HOME") or environ.get("CUDA_PATH")
    compiler = _find_compiler(root, platform, environ, folders)
    return Toolkit(
        toolkits=[
            ToolkitInstall(nvcc=printable(nvcc), version=_read_version(root, nvcc, run), found_by=found_by)
            for nvcc, found_by in _find_toolkits(root, platform, environ, folders)
        ],
        cuda_home=printable(home) if home else None,
        cuda_home_exists=root.exists(home) if home else None,
        host_compiler=printable(compiler) if compiler else None,
        host_compiler_version=_ask_compiler(root, platform, compiler, run) if compiler else None,
        ninja=next((printable(path) for path in [root.which(f"ninja{suffix}", folders)] if path), None),
    )


# --- nvcc --------------------------------------------------------------------------------------------------


def _find_toolkits(
    root: Root, platform: str, environ: Mapping[str, str], folders: list[str]
) -> Iterator[tuple[str, str]]:
    """(path of nvcc, what led to it), each file once."""
    seen: set[str] = set()
    for nvcc, found_by in _toolkit_places(root, platform, environ, folders):
        real = root.real_path(nvcc)
        if real not in seen and len(seen) < _TOOLKITS_MAX:
            seen.add(real)
            yield nvcc, found_by


def _toolkit_places(
    root: Root, platform: str, environ: Mapping[str, str], folders: list[str]
) -> Iterator[tuple[str, str]]:
    program = "nvcc.exe" if platform == "win32" else "nvcc"
    for variable in ("CUDA_HOME", "CUDA_PATH"):
        home = environ.get(variable)
        nvcc = root.which(program, [f"{home}/bin"]) if home else None
        if nvcc:
            yield nvcc, variable
    nvcc = root.which(program, folders)
    if nvcc:
        yield nvcc, "PATH"
    if platform == "win32":
        base = environ.get("ProgramFiles", "C:/Program Files") + "/NVIDIA GPU Computing Toolkit/CUDA"
        homes = [f"{base}/{name}" for name in reversed(root.listing(base)) if name.startswith("v")]
    else:
        names = [name for name in root.listing("/usr/local") if name.startswith("cuda")]
        homes = [f"/usr/local/{name}" for name in sorted(names, key=lambda name: (name != "cuda", name))]
    for home in homes:
        nvcc = root.which(program, [f"{home}/bin"])
        if nvcc:
            yield nvcc, home


def _read_version(root: Root, nvcc: str, run: Run) -> Fact[str]:
    """``major.minor``: by the toolkit's version.json or version.txt, else by asking nvcc."""
    home = root.real_path(nvcc).replace("\\", "/").rpartition("/bin/")[0]
    if home not in ("", "/usr"):  # a distribution's nvcc in /usr/bin has no such file
        raw = root.read(f"{home}/version.json", 64 << 10)
        if isinstance(raw, bytes):
            for part in (rb'"cuda_nvcc"', rb'"cuda"'):
                found = re.search(part + rb'\s*:\s*\{[^}]*"version"\s*:\s*"(\d+\.\d+)', raw)
                if found:
                    return found[1].decode()
        raw = root.read(f"{home}/version.txt", 4096)
        found = re.match(rb"CUDA Version (\d+\.\d+)", raw) if isinstance(raw, bytes) else None
        if found:
            return found[1].decode()
    answer = run([root.place(nvcc), "--version"])
    found = re.search(rb"release (\d+\.\d+)", answer.stdout)
    return found[1].decode() if found else _why_not(answer, "nvcc --version")


# --- the host compiler -------------------------------------------------------------------------------------


def _find_compiler(root: Root, platform: str, environ: Mapping[str, str], folders: list[str]) -> str | None:
    # CXX may carry a wrapper and options ("ccache g++ -m64"): the first word that is a compiler counts.
    words = [word for word in environ.get("CXX", "").split() if not word.startswith("-") and "ccache" not in word]
    if words:
        return words[0] if "/" in words[0] else root.which(words[0], folders)
    for name in ("cl.exe",) if platform == "win32" else ("g++", "c++"):
        path = root.which(name, folders)
        if path:
            return path
    return None


def _ask_compiler(root: Root, platform: str, compiler: str, run: Run) -> Fact[str]:
    if platform == "win32":
        return Unread("unsupported", "cl.exe has no option that only prints its version")
    # gcc 7 and newer print less than the full version for -dumpversion, older ones do not know -dumpfullversion.
    answer = run([root.place(compiler), "-dumpfullversion", "-dumpversion"])
    found = re.match(rb"\s*(\d+(?:\.\d+)*)\s", answer.stdout + b"\n")
    return found[1].decode() if found else _why_not(answer, "-dumpfullversion")


def _why_not(answer: ProcessResult, question: str) -> Unread:
    unread = answer.unread()
    if unread is not None:
        return unread
    said = (answer.stdout + answer.stderr)[:120].decode("utf-8", "backslashreplace").strip()
    return Unread("garbled", f"{question}: {said or 'no output'}")
