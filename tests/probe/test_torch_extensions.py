"""Compiled parts beside torch: loaded without their packages' import, and the loader's own words kept."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.build import compiler
from tests.probe.conftest import Ask

pytestmark = pytest.mark.skipif(sys.platform != "linux" or compiler() is None, reason="builds ELF libraries")

SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
MISSING = "_ZN3c105ErrorC1ENS_14SourceLocationESs"
"""A constructor of c10::Error with the old C++ ABI, which torch has not offered since 2.7."""

GOOD = "int part(void) { return 1; }"
BAD = f"void {MISSING}(void); void part(void) {{ {MISSING}(); }}"
DEADLY = "#include <stdlib.h>\n__attribute__((constructor)) static void start(void) { abort(); }"


def build(path: Path, source: str, *needs: Path) -> Path:
    """A shared library of a few lines of C that needs others, by their names alone."""
    command = compiler()
    assert command is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    code = path.with_suffix(".c")
    code.write_text(source + "\n")
    linked = [part for need in needs for part in (f"-L{need.parent}", f"-l:{need.name}")]
    subprocess.run([*command, "-shared", "-fPIC", "-o", str(path), str(code), *linked], check=True)
    code.unlink()
    return path


def package(site: Path, name: str) -> Path:
    """A package whose import would be noticed."""
    folder = site / name
    folder.mkdir(exist_ok=True)
    (folder / "__init__.py").write_text("raise SystemExit('this must not be imported')\n")
    return folder


@pytest.fixture
def trials(ask: Ask, python: Path, site: Path) -> Any:
    """``trials()``: module → trial, after a torch that does nothing."""
    (site / "torch").mkdir()
    (site / "torch" / "__init__.py").write_text("")

    def run() -> dict[str, Any]:
        facts = ask("torch_runtime", python=python).facts
        return {item.module: item for item in facts.companions}

    return run


def test_a_part_that_loads(trials: Any, site: Path) -> None:
    """Beside its package, with Python's tag or without, or at the top of site-packages."""
    build(package(site, "torchvision") / "_C.so", GOOD)
    build(package(site, "torch_scatter") / f"_scatter_cpu{SUFFIX}", GOOD)
    package(site, "flash_attn")
    build(site / f"flash_attn_2_cuda{SUFFIX}", GOOD)
    found = trials()
    assert sorted(found) == ["flash_attn", "torch_scatter", "torchvision"]
    assert all(item.ok and item.error is None for item in found.values())


def test_a_part_that_misses_a_symbol(trials: Any, site: Path) -> None:
    """The undefined symbol is named, as the import would have named it, and the file that wants it."""
    path = build(package(site, "torch_scatter") / "_scatter_cpu.so", BAD)
    found = trials()["torch_scatter"]
    assert found.ok is False
    assert found.error == f"OSError: {path}: undefined symbol: {MISSING}"


def test_a_part_that_needs_a_library_which_is_not_there(trials: Any, site: Path) -> None:
    """A part for CUDA beside a torch without it: the loader names the missing library alone, so the part is added."""
    absent = build(site / "elsewhere" / "libc10_cuda.so", GOOD)
    path = build(package(site, "torchvision") / "_C.so", "int part(void);\nint _C(void) { return part(); }", absent)
    absent.unlink()
    found = trials()["torchvision"]
    assert found.error.startswith(f"OSError: Could not load this library: {path} (libc10_cuda.so: cannot open shared")


def test_the_cuda_part_is_the_one_that_counts(trials: Any, site: Path) -> None:
    """Where both are there the package takes the one for CUDA."""
    folder = package(site, "torch_scatter")
    build(folder / "_scatter_cpu.so", GOOD)
    build(folder / "_scatter_cuda.so", BAD)
    assert trials()["torch_scatter"].ok is False


def test_what_no_import_would_take_is_left_alone(trials: Any, site: Path) -> None:
    """A part of another Python, a folder without a package, a package without a compiled part."""
    build(package(site, "torchvision") / "_C.cpython-27-x86_64-linux-gnu.so", BAD)
    (site / "xformers").mkdir()
    build(site / "xformers" / "_C.so", BAD)
    package(site, "flash_attn")
    assert trials() == {}


def test_a_part_that_kills_the_process_names_itself(ask: Ask, python: Path, site: Path, trials: Any) -> None:
    """What ended the child is the part that was being loaded; what was told before stays."""
    build(package(site, "torchvision") / "_C.so", DEADLY)
    told = ask("torch_runtime", python=python)
    assert told.code != 0
    assert told.facts.imported is True
    assert [(item.module, item.ok) for item in told.facts.companions] == [("torchvision", False)]
    assert told.facts.companions[0].error.why == "crashed"
