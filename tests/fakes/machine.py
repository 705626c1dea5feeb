"""A whole pretended machine: driver libraries, file system and programs, written to a folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .build import KERNEL, build_library
from .scenario import Scenario
from .server import server_files
from .tree import File, Files, Folder, Node, without, write_tree

LIBRARY_FOLDER = "usr/lib/x86_64-linux-gnu"
PROGRAM_FOLDER = "usr/bin"
DRIVER_VARIABLES = frozenset(
    {"LD_LIBRARY_PATH", "LD_PRELOAD", "ENVCHECK_FAKE", "ENVCHECK_KERNEL", "CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"}
)


@dataclass(frozen=True)
class FakeDriver:
    """The pretended driver libraries, compiled into ``builds`` and shared by all tests of a run."""

    builds: Path

    def write(self, scenario: Scenario, folder: Path, version: str | None = None) -> dict[str, str]:
        """Put the scenario's libraries into ``folder`` and return the variables that make a process use them.

        The files are named as the driver names them, ``libcuda.so.1 -> libcuda.so.VERSION``, with
        the scenario's driver version unless ``version`` says otherwise; ``""`` leaves it off, as on
        WSL and Jetson.  Raises ``RuntimeError`` where nothing can be compiled.
        """
        folder.mkdir(parents=True, exist_ok=True)
        version = scenario.get("driver_version") if version is None else version
        for soname in scenario.libraries:
            built = build_library(self.builds, soname, scenario.hidden)
            name = soname.removesuffix(".1") + f".{version}" if version else soname
            _place(built, folder / name)
            if name != soname:
                (folder / soname).symlink_to(name)
        path = folder / "scenario.txt"  # beside the libraries, which find it there without the variable
        path.write_text(scenario.text(), encoding="utf-8")
        return {"LD_LIBRARY_PATH": str(folder), "ENVCHECK_FAKE": str(path)}


def _place(built: Path, target: Path) -> None:
    """A hard link where the file system can, else a copy: the loader must see a file of that name."""
    target.unlink(missing_ok=True)
    try:
        os.link(built, target)
    except OSError:
        shutil.copy(built, target)


@dataclass(frozen=True)
class Deployed:
    """A machine on disk.  ``environ`` has only the variables that make it what it is."""

    root: Path
    environ: dict[str, str]

    def environment(self, **more: str) -> dict[str, str]:
        """The test's own environment, without what would reach the driver, with the machine's variables over it."""
        kept = {name: value for name, value in os.environ.items() if name not in DRIVER_VARIABLES}
        return {**kept, **self.environ, **more}


@dataclass(frozen=True)
class Machine:
    """A pretended machine as a value; every method gives a changed one.

    ``files`` and ``programs`` are by path and by name; unless ``files`` is given, it is a healthy
    server with the scenario's GPUs.  ``library_version`` is the version in the libraries' file names.
    ``kernel`` is what a pretended kernel answers where a test may not change the real one: see kernel.c.
    """

    scenario: Scenario
    files: Files | None = None
    programs: Mapping[str, str] = field(default_factory=dict)
    library_version: str | None = None
    kernel: tuple[tuple[str, int, str], ...] = ()

    @property
    def tree(self) -> Files:
        """The file system, that of a healthy server unless it was changed."""
        return server_files(self.scenario) if self.files is None else self.files

    def driver(self, change: Callable[[Scenario], Scenario]) -> Machine:
        """The same with another scenario, the file system staying as it is."""
        return replace(self, scenario=change(self.scenario), files=self.tree)

    def fault(self, function: str | None = None, **what: Any) -> Machine:
        """The same with something that goes wrong in the driver: see :meth:`Scenario.fault`."""
        return self.driver(lambda scenario: scenario.fault(function, **what))

    def put(self, files: Mapping[str, Node]) -> Machine:
        """The same with these files added or replaced."""
        return replace(self, files={**self.tree, **files})

    def without(self, *prefixes: str) -> Machine:
        """The same without these paths and everything below them: ``without("dev/nvidia-uvm")``."""
        return replace(self, files=without(self.tree, *prefixes))

    def program(self, name: str, script: str) -> Machine:
        """The same with a program on PATH: ``program("nvidia-smi", programs.answering(xml))``."""
        return replace(self, programs={**self.programs, name: script})

    def refusing(self, path: str, errno: int, *, to: str = "open") -> Machine:
        """The same with a kernel that refuses to ``open`` or ``access`` a path, whatever its mode allows."""
        return replace(self, kernel=(*self.kernel, (to, errno, path)))

    def sized(self, path: str, size: int) -> Machine:
        """The same with a file system of ``size`` bytes at ``path``."""
        kept = tuple(line for line in self.kernel if (line[0], line[2]) != ("size", path))
        return replace(self.put({path: Folder()}), kernel=(*kept, ("size", size, path)))

    def linking(self, path: str, inode: int) -> Machine:
        """The same with a namespace link of /proc (``/proc/self/ns/pid``) that shows this inode."""
        return replace(self, kernel=(*self.kernel, ("link", inode, path)))

    def write(self, folder: Path, builds: Path) -> Deployed:
        """Put everything below ``folder``; ``builds`` is where compiled libraries are kept."""
        root = folder / "root"
        write_tree(root, self.tree)
        environ = FakeDriver(builds).write(self.scenario, root / LIBRARY_FOLDER, self.library_version)
        for name, script in self.programs.items():
            write_tree(root, {f"{PROGRAM_FOLDER}/{name}": File(script, 0o755)})
        if self.programs:
            environ["PATH"] = os.pathsep.join([str(root / PROGRAM_FOLDER), os.environ.get("PATH", os.defpath)])
        if self.kernel:
            said = folder / "kernel.txt"
            said.write_text("".join(f"{what} {number} {root / path}\n" for what, number, path in self.kernel))
            environ |= {"LD_PRELOAD": str(build_library(builds, KERNEL)), "ENVCHECK_KERNEL": str(said)}
        return Deployed(root, environ)
