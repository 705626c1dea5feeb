"""Real environments whose packages do not belong together: each named, and mended by the commands of its own fix."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.environments.conftest import Shell
from tests.environments.trees import Environment
from tests.environments.wheels import make_wheel
from tests.fakes.build import compiler

OLD_ABI = "_ZN3c105ErrorC1ENS_14SourceLocationESs"
"""A constructor of c10::Error with the C++ ABI that torch's wheels left in 2.7."""


def pip(shell: Shell, environment: Environment, *arguments: str) -> None:
    """pip as the user ran it some day, seeing the same wheels."""
    command = [environment.python, "-m", "pip", "install", "-q", *arguments]
    subprocess.run(command, env=shell.environ, cwd=shell.cwd, check=True, capture_output=True)


def test_an_old_torchvision_was_forced_in(shell: Shell, venv: Environment) -> None:
    """torchvision 0.20 asks for torch 2.5: both are installed anew, together, from torch's own index."""
    pip(shell, venv, "--no-deps", "torchvision==0.20.1")
    look = shell.doctor(venv.python)
    assert look.named == ["torchvision-mismatch"]
    assert look.exit_code == 1
    commands = [step["command"] for step in look.first["fix"]["steps"]]
    assert any('"torch==2.13.0" "torchvision==0.28.0"' in command and "/whl/cpu" in command for command in commands)
    mended = shell.mend(look)
    assert mended.clean, mended.named
    versions = {item["name"]: item["version"] for item in mended.report["snapshot"]["interpreters"][0]["distributions"]}
    assert versions["torchvision"] == "0.28.0"


@pytest.fixture(scope="session")
def numpy(shared: Path, wheelhouse: Path) -> Callable[[str], None]:
    """Have pip find this NumPy: a real wheel, fetched once for a test run."""
    from tests.environments.conftest import once

    def fetch(version: str) -> None:
        def make(house: Path) -> None:
            house.mkdir()
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", house, f"numpy=={version}"]
            said = subprocess.run(command, capture_output=True, text=True)
            for wheel in house.glob("*.whl"):
                wheel.replace(wheelhouse / wheel.name)
            if said.returncode:
                pytest.skip(f"NumPy {version} cannot be had here: {said.stderr.strip().splitlines()[-1]}")

        once(shared / f"numpy-{version}", make)

    return fetch


@pytest.mark.parametrize("version", ["1.26.4", "2.2.6"])
def test_torch_goes_with_either_numpy(
    version: str, shell: Shell, venv: Environment, numpy: Callable[[str], None]
) -> None:
    """torch 2.13 knows NumPy 1 and 2: no swap of the two is a fault of its own."""
    numpy(version)
    pip(shell, venv, "--no-deps", f"numpy=={version}")
    look = shell.doctor(venv.python)
    assert look.clean, look.named
    assert look.report["snapshot"]["interpreters"][0]["runtime"]["numpy_ok"] is True


def test_a_torch_that_knows_numpy_1_alone(shell: Shell, venv: Environment, numpy: Callable[[str], None]) -> None:
    """torch as it was built before 2.3: with NumPy 2 in the place of 1 no tensor becomes an array any more."""
    numpy("1.26.4")
    numpy("2.2.6")
    library = venv.own(venv.site / "torch" / "lib" / "libtorch_python.so")
    content = library.read_bytes()
    assert b"numpy._core._multiarray_umath" in content
    library.write_bytes(content.replace(b"numpy._core.", b"numpy.!core."))  # of the same length: RECORD still fits
    pip(shell, venv, "--no-deps", "numpy==2.2.6")
    look = shell.doctor(venv.python)
    assert look.named == ["numpy-abi-mismatch"]
    assert look.report["snapshot"]["interpreters"][0]["runtime"]["numpy_ok"] is False
    assert "compiled using NumPy 1.x" in str(look.report["snapshot"]["interpreters"][0]["runtime"]["warnings"])
    mended = shell.mend(look)
    assert mended.clean, mended.named
    assert mended.report["snapshot"]["interpreters"][0]["runtime"]["numpy_ok"] is True


def test_a_package_that_needs_the_other_numpy(
    shell: Shell, venv: Environment, numpy: Callable[[str], None], wheelhouse: Path
) -> None:
    """numba asks for NumPy below 2.1, and a later command brought 2.2: pip said so once, and nobody saw it."""
    numpy("1.26.4")
    numpy("2.2.6")
    make_wheel(shell.cwd, "numba", "0.60.0", requires=["numpy<2.1,>=1.22"])
    pip(shell, venv, "--no-deps", "--find-links", str(shell.cwd), "numba==0.60.0", "numpy==2.2.6")
    look = shell.doctor(venv.python)
    assert look.named == ["dependency-conflict"]
    assert "numba" in look.first["summary"]
    mended = shell.mend(look)
    assert mended.clean, mended.named


@pytest.mark.parametrize(("folder", "steps"), [("torch-2.12.0.dist-info", None), ("~orch-2.12.0.dist-info", 1)])
def test_a_second_metadata_folder_was_left_over(
    folder: str, steps: int | None, shell: Shell, venv: Environment
) -> None:
    """An interrupted upgrade: pip and importlib.metadata may tell the old version, while the new one is imported."""
    stale = venv.site / folder
    stale.mkdir()
    (stale / "METADATA").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.12.0\n")
    (stale / "RECORD").write_text("")
    look = shell.doctor(venv.python)
    assert look.named == ["leftover-torch-distinfo"]
    assert folder in look.first["summary"]
    mended = shell.mend(look, limit=steps)  # deleting it is enough; the whole fix installs torch anew as well
    assert mended.clean, mended.named
    assert not stale.exists()


def cut(venv: Environment, share: float) -> None:
    library = venv.own(venv.site / "torch" / "lib" / "libtorch_cpu.so")
    with library.open("r+b") as file:
        file.truncate(int(library.stat().st_size * share))


def test_a_library_was_cut_short(shell: Shell, venv: Environment) -> None:
    """Cut by a tenth torch still imports and computes: only its size tells.  It is installed anew."""
    cut(venv, 0.9)
    look = shell.doctor(venv.python)
    assert look.named == ["torch-library-damaged"]
    assert look.exit_code == 1
    assert "libtorch_cpu.so" in look.first["summary"]
    assert look.report["snapshot"]["interpreters"][0]["runtime"]["imported"] is True
    mended = shell.mend(look)
    assert mended.clean, mended.named


@pytest.mark.parametrize("share", [0.3, 0.0])
def test_a_library_that_kills_the_import(share: float, shell: Shell, venv: Environment) -> None:
    """Cut to a third the import dies of a bus error, cut to nothing it says "file too short": one cause for both."""
    cut(venv, share)
    look = shell.doctor(venv.python)
    assert look.named == ["torch-library-damaged"]
    runtime = look.report["snapshot"]["interpreters"][0]["runtime"]
    assert runtime["imported"] is False
    assert runtime.get("signal") == 7 if share else "file too short" in runtime["import_error"]


def with_pins(venv: Environment, *requirements: str) -> None:
    """torch's metadata as a CUDA build has them, its RECORD included."""
    metadata = venv.own(venv.torch_info / "METADATA")
    head, _, body = metadata.read_text("utf-8").partition("\n\n")
    before = metadata.stat().st_size
    metadata.write_text("\n".join([head, *(f"Requires-Dist: {text}" for text in requirements)]) + "\n\n" + body)
    record = venv.own(venv.torch_info / "RECORD")
    after = metadata.stat().st_size
    lines = record.read_text("utf-8").splitlines()
    record.write_text("\n".join(
        line.removesuffix(f",{before}") + f",{after}" if line.startswith(f"{venv.torch_info.name}/METADATA,") else line
        for line in lines
    ) + "\n")  # fmt: skip


CUDNN = 'nvidia-cudnn-cu13==9.20.0.48; platform_system == "Linux"'


@pytest.mark.parametrize("wrong", [["nvidia-cudnn-cu13==9.13.0.50"], []], ids=["another version", "missing"])
def test_an_nvidia_wheel_is_not_the_one_that_torch_asks_for(wrong: list[str], shell: Shell, venv: Environment) -> None:
    """Another package brought its own cuDNN, or took torch's away."""
    with_pins(venv, CUDNN, 'nvidia-cudnn-cu12==9.1; platform_system == "Windows"')
    if wrong:
        pip(shell, venv, "--no-deps", *wrong)
    look = shell.doctor(venv.python)
    assert look.named == ["nvidia-wheel-pin-broken"]
    assert "nvidia-cudnn-cu13==9.20.0.48" in look.first["summary"]
    mended = shell.mend(look)
    assert mended.clean, mended.named


@pytest.mark.skipif(compiler() is None, reason="no C compiler")
def test_an_extension_was_built_for_another_torch(shell: Shell, venv: Environment, wheelhouse: Path) -> None:
    """torch-scatter built with the old C++ ABI: the symbol that it misses names it, without importing the package."""
    pip(shell, venv, "--no-deps", str(scatter(shell.cwd, f"void {OLD_ABI}(void); void part(void) {{ {OLD_ABI}(); }}")))
    look = shell.doctor(venv.python)
    assert look.named == ["cxx11-abi-extension"]
    assert look.exit_code == 1
    assert OLD_ABI in look.first["summary"]
    scatter(wheelhouse, "void part(void) { }")
    mended = shell.mend(look)
    assert mended.clean, mended.named


def scatter(house: Path, source: str) -> Path:
    """A wheel of torch-scatter whose compiled part is these lines of C."""
    command = compiler()
    assert command is not None
    library = house / "part.so"
    code = house / "part.c"
    code.write_text(source)
    subprocess.run([*command, "-shared", "-fPIC", "-o", str(library), str(code)], check=True)
    suffix = sysconfig.get_config_var("EXT_SUFFIX")
    files = {"torch_scatter/__init__.py": b"", f"torch_scatter/_scatter_cpu{suffix}": library.read_bytes()}
    library.unlink()
    code.unlink()
    return make_wheel(house, "torch-scatter", "2.1.2", files=files)
