"""Python 3.8 with the torch 1.8.1 of a course that is older than it: read rightly, answered rightly, no crash.

The metadata are those of the wheels ``torch-1.8.1+cu111``, ``torchvision-0.9.1+cu111`` and ``torchaudio-0.8.1``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import start
from tests.environments.conftest import Shell
from tests.environments.trees import Environment
from tests.probe.packages import NEW_ABI, install, torch_files

REQUIRES = {
    "torch": ["typing-extensions", "numpy", "dataclasses ; python_version < \"3.7\""],
    "torchvision": ["numpy", "torch (==1.8.1)", "pillow (>=4.1.1)", "scipy ; extra == 'scipy'"],
    "torchaudio": ["torch (==1.8.1)"],
}  # fmt: skip
ARCHS = b"sm_37 sm_50 sm_60 sm_70 sm_75 sm_80 sm_86"


def python38() -> Path | None:
    """A Python 3.8 that starts: named by ENVCHECK_TEST_PYTHON38, on PATH, or one of pyenv's.

    pyenv's shim ``python3.8`` stands on PATH for every version that is installed, and starts none that is not selected.
    """
    named = os.environ.get("ENVCHECK_TEST_PYTHON38")
    if named:
        return Path(named)
    on_path = shutil.which("python3.8")
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    candidates = [*([Path(on_path)] if on_path else []), *sorted(root.glob("versions/3.8.*/bin/python3.8"))]
    return next((path for path in candidates if starts(path)), None)


def starts(python: Path) -> bool:
    return subprocess.run([python, "-c", ""], capture_output=True).returncode == 0


@pytest.fixture
def course(tmp_path: Path) -> Environment:
    """conda create -n study python=3.8; pip install torch==1.8.1+cu111 torchvision==0.9.1+cu111 torchaudio==0.8.1"""
    python = python38()
    if python is None:
        pytest.skip("there is no Python 3.8 here (ENVCHECK_TEST_PYTHON38 names one)")
    prefix = tmp_path / "study"
    subprocess.run([python, "-m", "venv", "--without-pip", prefix], check=True)
    site = next(prefix.glob("lib/python3.8/site-packages"))
    files = torch_files("1.8.1+cu111", cuda="11.1", archs=ARCHS, numpy=b"numpy.core.multiarray", symbol=NEW_ABI)
    extension = next(name for name in files if name.startswith("torch/_C."))
    files["torch/_C.cpython-38-x86_64-linux-gnu.so"] = files.pop(extension)
    install(site, "torch", "1.8.1+cu111", files, requires=REQUIRES["torch"])
    vision = {"torchvision/version.py": b"__version__ = '0.9.1+cu111'\ncuda = '11.1'\n", "torchvision/__init__.py": b""}
    install(site, "torchvision", "0.9.1+cu111", vision, requires=REQUIRES["torchvision"])
    install(site, "torchaudio", "0.8.1", {"torchaudio/__init__.py": b""}, requires=REQUIRES["torchaudio"])
    install(site, "numpy", "1.24.4")
    return Environment(prefix)


def test_it_is_read_rightly(shell: Shell, course: Environment) -> None:
    """Version, CUDA, architectures, companions: every fact known, and nothing of the trio to complain about."""
    look = shell.doctor(course.python, "--quick")
    python = look.report["snapshot"]["interpreters"][0]
    assert python["probe"] == "ok"
    assert python["version"].startswith("3.8.")
    torch = python["torch"]
    assert (torch["version"], torch["cuda"], torch["metadata_version"]) == ("1.8.1+cu111", "11.1", "1.8.1+cu111")
    assert torch["arch_list"] == ARCHS.decode().split()
    assert torch["needs_numpy1"] is True
    assert torch["extension_tags"] == ["_C.cpython-38-x86_64-linux-gnu.so"]
    assert torch["damaged"] == []
    versions = {item["name"]: item["version"] for item in python["distributions"]}
    assert versions["torchvision"] == "0.9.1+cu111"
    accused = {*look.named, *(finding["rule"] for finding in look.report["notes"])}
    assert accused.isdisjoint(
        {
            "torchvision-mismatch",
            "torchaudio-mismatch",
            "dependency-conflict",
            "numpy-abi-mismatch",
            "torch-library-damaged",
        }
    )
    assert not [item for item in look.report["cannot_tell"] if "crashed" in item["why"]]


def test_the_child_that_imports_it_does_not_crash(shell: Shell, course: Environment) -> None:
    """torch's import fails here (these are its metadata alone): the probe says so in the import's own words."""
    look = shell.doctor(course.python)
    runtime = look.report["snapshot"]["interpreters"][0]["runtime"]
    assert runtime["imported"] is False
    assert runtime["import_error"].startswith("RuntimeError: a test must not import this")
    assert runtime["traceback"].startswith("Traceback (most recent call last):")


def test_numpy_2_and_another_torchvision_beside_it(shell: Shell, course: Environment) -> None:
    """What a later pip install of something else did to it."""
    site = next(course.prefix.glob("lib/python3.8/site-packages"))
    for stale in [*site.glob("numpy-*.dist-info"), *site.glob("torchvision-*.dist-info")]:
        shutil.rmtree(stale)
    install(site, "numpy", "2.0.2")
    install(site, "torchvision", "0.19.1", requires=["torch==2.4.1"])
    look = shell.doctor(course.python, "--quick")
    assert set(look.named) >= {"numpy-abi-mismatch", "torchvision-mismatch"}
    fixes = {finding["rule"]: finding["fix"] for finding in look.report["root_causes"]}
    assert any('"numpy<2"' in step["command"] for step in fixes["numpy-abi-mismatch"]["steps"])
    assert any("torchvision==0.9.1" in step["command"] for step in fixes["torchvision-mismatch"]["steps"])


@pytest.mark.parametrize(
    ("machine", "works"),
    [
        (["--driver", "470.256.02", "--gpu", "RTX 3090"], True),
        (["--driver", "550.54.14", "--gpu", "H100 SXM5 80GB"], False),
    ],
)
def test_recommend_knows_the_trio(machine: list[str], works: bool, tmp_path: Path) -> None:
    """torch 1.8.1 goes with torchvision 0.9.1 and torchaudio 0.8.1; whether it runs depends on the card."""
    asked = [*machine, "--python", "3.8", "--os", "linux", "--arch", "x86_64", "--glibc", "2.31", "--format", "json"]
    run = start(["recommend", "--torch", "==1.8.1", "--have", "1.8.1+cu111", *asked], dict(os.environ), cwd=tmp_path)
    assert run.exit_code in (0, 1), run.stderr
    assert run.report["have"]["works"] is works
    if works:
        choice = run.report["choice"]
        trio = choice["torch"], choice["torchvision"], choice["torchaudio"]
        assert trio == ("1.8.1", "0.9.1", "0.8.1")
        assert "torch==1.8.1+cu111" in choice["commands"]["pip"]


def test_a_python_that_is_older_still_says_so(shell: Shell, tmp_path: Path) -> None:
    """Python 3.6 and 3.7 are asked in their own syntax; 2.7 is told to be too old, and nothing crashes."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    old = [
        path for minor in ("2.7", "3.6", "3.7") for path in sorted(root.glob(f"versions/{minor}.*/bin/python{minor}"))
    ]
    if not old:
        pytest.skip("no old Python here")
    for python in old:
        look = shell.doctor(python, "--quick")
        told = look.report["snapshot"]["interpreters"][0]
        assert told["version"].startswith(python.name.removeprefix("python"))
        assert "Traceback" not in str(told["probe"])
        assert (told["probe"] == "ok") is (python.name != "python2.7")
    assert sys.version_info >= (3, 10)
