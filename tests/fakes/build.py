"""Compile the pretended driver libraries, once per test run and safely beside other workers."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
NVML = "libnvidia-ml.so.1"
CUDA = "libcuda.so.1"
KERNEL = "libkernel-fake.so"
SOURCES = {
    NVML: ("nvml*.c", "scenario.c", "fault.c"),
    CUDA: ("cuda*.c", "scenario.c", "fault.c"),
    KERNEL: ("kernel.c",),
}
"""Soname of each library and what it is made of."""

FLAGS = ("-std=gnu11", "-O1", "-fPIC", "-fvisibility=hidden", "-Wall", "-Wextra", "-Wshadow")


def why_not() -> str | None:
    """Why the fakes cannot be built here; ``None`` where they can."""
    if sys.platform != "linux":
        return "the pretended driver libraries are ELF files: Linux only"
    if sys.maxsize < 2**32:
        return "the struct layouts are those of 64-bit systems"
    if compiler() is None:
        return "no C compiler (set CC, or install gcc or clang)"
    return None


@cache
def compiler() -> tuple[str, ...] | None:
    """The C compiler's command: ``$CC``, else the first of cc, gcc and clang on PATH."""
    asked = shlex.split(os.environ.get("CC", ""))
    for command in [asked] if asked else [["cc"], ["gcc"], ["clang"]]:
        if shutil.which(command[0]):
            return tuple(command)
    return None


def sources_of(soname: str) -> list[Path]:
    """The C files of one library, in a fixed order."""
    return sorted(path for pattern in SOURCES[soname] for path in HERE.glob(pattern))


@cache
def exported_functions() -> frozenset[str]:
    """Every driver function that the two fakes define, read from their sources."""
    found: set[str] = set()
    for soname in SOURCES:
        for path in sources_of(soname):
            text = path.read_text(encoding="utf-8")
            found |= set(re.findall(r"^EXPORT [\w *]*?\b((?:nvml|cu)[A-Z]\w*)\(", text, re.MULTILINE))
            found |= set(re.findall(r"^[A-Z]+_CALL\(((?:nvml|cu)[A-Z]\w*),", text, re.MULTILINE))
    return frozenset(found)


def build_library(folder: Path, soname: str, hidden: frozenset[str] = frozenset()) -> Path:
    """Path of the compiled library below ``folder``, without the symbols in ``hidden``.

    A library with hidden symbols stands for an older driver: looking one of them up fails as it
    would there.  Each variant is built once; other processes wait for the one that builds it.
    Raises ``RuntimeError`` with the compiler's words when it fails.
    """
    command = compiler()
    if command is None:
        raise RuntimeError(why_not())
    names = sorted(hidden & exported_functions())
    recipe = hashlib.sha256("\0".join([*command, *FLAGS]).encode())
    for path in [*sources_of(soname), *sorted(HERE.glob("*.h"))]:
        recipe.update(path.read_bytes())
    objects = folder / f"{soname}.{recipe.hexdigest()[:16]}.objects"
    recipe.update("\0".join(names).encode())
    target = folder / f"{soname}.{recipe.hexdigest()[:16]}"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / f".{soname}.lock"), tempfile.TemporaryDirectory(dir=folder) as scratch:
        if not objects.exists():
            made = Path(scratch, "objects")
            made.mkdir()
            _run([*command, *FLAGS, "-c", *map(str, sources_of(soname))], made)
            made.replace(objects)
        if not target.exists():
            _link(command, sorted(objects.glob("*.o")), soname, names, Path(scratch)).replace(target)
    return target


def _link(command: tuple[str, ...], objects: list[Path], soname: str, hidden: list[str], scratch: Path) -> Path:
    made, script = scratch / soname, scratch / "hidden.map"
    arguments = [*command, "-shared", f"-Wl,-soname,{soname}", *map(str, objects), "-o", str(made), "-lpthread", "-ldl"]
    if hidden:
        # Exact names win over the wildcard, so everything else stays visible.
        script.write_text("{ global: *; local: " + "".join(f"{name}; " for name in hidden) + "};\n", encoding="ascii")
        arguments.append(f"-Wl,--version-script,{script}")
    _run(arguments, scratch)
    return made


def _run(arguments: list[str], folder: Path) -> None:
    done = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, errors="replace", timeout=300)
    if done.returncode:
        raise RuntimeError(f"{shlex.join(arguments)} failed:\n{done.stderr}")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on ``path``; it is released even when the holder is killed."""
    import fcntl  # POSIX only, as is everything that gets here

    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
