"""Environments for the table: virtual ones and whole installations of Python, with wheels as pip leaves them."""

from __future__ import annotations

import os
import shutil
import sys
import venv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.probe.packages import elf, install, torch_files

CU130 = b"sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"
CU126 = b"sm_50 sm_60 sm_70 sm_75 sm_80 sm_86 sm_90"
CU117 = b"sm_37 sm_50 sm_60 sm_70 sm_75 sm_80 sm_86"
BUILDS: dict[str, tuple[str | None, bytes]] = {
    "cu130": ("13.0", CU130),
    "cu128": ("12.8", b"sm_70 sm_75 sm_80 sm_86 sm_90 sm_100 sm_120"),
    "cu126": ("12.6", CU126),
    "cu117": ("11.7", CU117),
    "cpu": (None, b""),
}
PRETENDED_TORCH = Path(__file__).parents[1] / "probe" / "pretended_torch.py"


class Wheel(NamedTuple):
    """One installed distribution: its files below site-packages, and what its metadata ask for."""

    name: str
    version: str
    files: Mapping[str, bytes] = {}
    requires: Sequence[str] = ()
    installer: str = "pip"


def torch(
    version: str = "2.14.1+cu130", *, requires: Sequence[str] = (), init: bytes | None = None, **other: bytes
) -> Wheel:
    """A torch of that build as far as files tell; ``init`` is its ``__init__.py``, for runs that import it.

    ``other`` are archs, numpy and symbol of :func:`tests.probe.packages.torch_files`.
    """
    release, _, tag = version.partition("+")
    cuda, archs = BUILDS.get(tag, (None, b""))
    hip = tag.removeprefix("rocm") if tag.startswith("rocm") else None
    files = torch_files(version, cuda=cuda, hip=hip, archs=other.pop("archs", archs), **other)  # type: ignore[arg-type]
    if init is not None:
        files["torch/__init__.py"] = init
    return Wheel("torch", release, files, requires)


HEALTHY = (torch(), Wheel("numpy", "2.3.5"))


def virtual(*wheels: Wheel, change: Callable[[Path], None] | None = None) -> Callable[[Path], str]:
    """A builder of a virtual environment with these wheels; ``change`` is handed its site-packages."""

    def build(folder: Path) -> str:
        venv.EnvBuilder(symlinks=True, with_pip=False).create(folder)
        site = next(folder.glob("lib/python*/site-packages"))
        _fill(site, wheels, change)
        return str(folder / "bin" / "python")

    return build


def installation(*wheels: Wheel, change: Callable[[Path], None] | None = None) -> Callable[[Path], str]:
    """A builder of a Python of its own, as conda makes them: user site before its own, no header files."""

    def build(folder: Path) -> str:
        base, standard = Path(sys.base_prefix), Path(os.__file__).parent
        program, mine = folder / "bin" / "python3", folder / standard.relative_to(base)
        site = mine / "site-packages"
        program.parent.mkdir(parents=True)
        site.mkdir(parents=True)
        shutil.copy2(os.path.realpath(sys.executable), program)
        (mine / "lib-dynload").mkdir()
        for entry in [*standard.iterdir(), *(standard / "lib-dynload").glob("*")]:
            if entry.name not in ("site-packages", "dist-packages", "lib-dynload", "__pycache__", "EXTERNALLY-MANAGED"):
                (mine / entry.relative_to(standard)).symlink_to(entry)
        for entry in (base / "lib").glob("libpython*"):
            (folder / "lib" / entry.name).symlink_to(entry)
        _fill(site, wheels, change)
        return str(program)

    return build


def _fill(site: Path, wheels: Sequence[Wheel], change: Callable[[Path], None] | None) -> None:
    for wheel in wheels:
        install(site, wheel.name, wheel.version, wheel.files, requires=wheel.requires, installer=wheel.installer)
    if change is not None:
        change(site)


plain = virtual(*HEALTHY)
"""A Python whose torch fits every card that is not older than Turing."""


def library(path: Path, *strings: bytes) -> None:
    """A shared library that the loader would take for one of another build."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(elf(*strings))


def by_shell(*wheels: Wheel) -> Callable[[Path], str]:
    """The same as :func:`virtual`, for a run that is told of it by the shell's variables alone."""
    build = virtual(*wheels)

    def unnamed(folder: Path) -> str:
        build(folder)
        return ""

    return unnamed
