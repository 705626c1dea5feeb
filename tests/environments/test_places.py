"""Real environments where something else is found than what was installed: each named, and mended by its own fix."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.environments.conftest import Shell, fill
from tests.environments.trees import PYTHON_FOLDER, Environment, venv_of
from tests.probe.packages import EXTENSION, install, torch_files

OLD_TORCH = Path(__file__).parents[1] / "probe" / "pretended_torch.py"


def old_torch(site: Path, version: str = "2.9.1+cpu", *, extension: str = EXTENSION, starts: bool = True) -> Path:
    """Another, older torch: a few lines of Python that import well, or one that wants its C extension and fails."""
    files = torch_files(version, cuda=None, archs=b"")
    text = OLD_TORCH.read_bytes().replace(b'"13.0"', b"None").replace(b"2.14.1+cu130", version.encode())
    files["torch/__init__.py"] = text if starts else b"from . import _C\n"
    files[f"torch/{extension}"] = files.pop(f"torch/{EXTENSION}")
    install(site, "torch", version.partition("+")[0], files)
    return site


# --- beside the script ----------------------------------------------------------------------------------------------


def test_a_torch_py_beside_the_script(shell: Shell, venv: Environment) -> None:
    """A first script that is called torch.py: the next one imports it instead of torch."""
    (shell.cwd / "torch.py").write_text("import torch\nprint(torch.nn)\n")
    (shell.cwd / "__pycache__").mkdir()
    (shell.cwd / "__pycache__" / f"torch.{sys.implementation.cache_tag}.pyc").write_bytes(b"")
    look = shell.doctor(venv.python)
    assert look.named == ["torch-shadowed-by-local-file"]
    assert look.exit_code == 1
    assert str(shell.cwd / "torch.py") in look.first["summary"]
    mended = shell.mend(look)
    assert mended.clean, mended.named
    assert [path.name for path in shell.cwd.iterdir() if path.is_file()] == ["my_torch.py"]
    assert list((shell.cwd / "__pycache__").iterdir()) == []


@pytest.mark.parametrize("module", ["random", "typing", "queue"])
def test_a_file_that_hides_a_module_of_the_standard_library(module: str, shell: Shell, venv: Environment) -> None:
    """The words of the error name neither torch nor the user's file; the file is named all the same."""
    (shell.cwd / f"{module}.py").write_text("answer = 42\n")
    look = shell.doctor(venv.python)
    assert look.named == ["torch-shadowed-by-local-file"]
    assert f"{module}.py" in look.first["summary"]
    mended = shell.mend(look)
    assert mended.clean, mended.named


def test_files_that_hide_nothing_of_torch_are_left_alone(shell: Shell, venv: Environment) -> None:
    """An empty folder torch/ and a module that torch does not need do no harm."""
    (shell.cwd / "torch").mkdir()
    (shell.cwd / "chess.py").write_text("")
    (shell.cwd / "wave.py").write_text("")
    look = shell.doctor(venv.python)
    assert look.clean, look.named


# --- PYTHONPATH and the user site -----------------------------------------------------------------------------------


def test_pythonpath_leads_to_another_pythons_packages(shell: Shell, venv: Environment, tmp_path: Path) -> None:
    """ROS, a module system or an old project: torch of Python 3.8 comes before the environment's own."""
    site = tmp_path / "opt" / "lib" / "python3.8" / "site-packages"
    old_torch(site, extension="_C.cpython-38-x86_64-linux-gnu.so", starts=False)
    shell.variables["PYTHONPATH"] = str(site)
    look = shell.doctor(venv.python)
    assert look.named == ["pythonpath-shadowing"]
    assert look.exit_code == 1
    mended = shell.mend(look)
    assert mended.clean, mended.named


def test_pythonpath_with_the_users_own_source_is_left_alone(shell: Shell, venv: Environment, tmp_path: Path) -> None:
    """A path that brings no package of torch's is nobody's fault."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "mine.py").write_text("")
    shell.variables["PYTHONPATH"] = str(tmp_path / "src")
    look = shell.doctor(venv.python)
    assert look.clean, look.named


def test_the_user_site_comes_first(shell: Shell, own_python: Environment, base: Environment) -> None:
    """An old ``pip install --user`` wins over what the environment has."""
    fill(own_python, base)
    user = shell.home / ".local" / "lib" / PYTHON_FOLDER / "site-packages"
    old_torch(user)
    look = shell.doctor(own_python.python)
    assert look.named == ["user-site-shadowing"]
    assert str(user) in look.first["summary"]
    mended = shell.mend(look)
    assert mended.clean, mended.named
    assert not (user / "torch").exists()
    assert (own_python.site / "torch" / "version.py").is_file(), "the good copy is gone"


def test_a_user_site_whose_torch_cannot_be_imported(shell: Shell, own_python: Environment, base: Environment) -> None:
    """The copy that is found first was built for another Python: its place is the cause, not its import error."""
    fill(own_python, base)
    old_torch(shell.home / ".local" / "lib" / PYTHON_FOLDER / "site-packages", starts=False)
    look = shell.doctor(own_python.python)
    assert look.named == ["user-site-shadowing"]
    assert look.exit_code == 1
    mended = shell.mend(look)
    assert mended.clean, mended.named


# --- environments that lost what they stand on ----------------------------------------------------------------------


def test_a_venv_whose_base_python_is_gone(
    shell: Shell, own_python: Environment, base: Environment, tmp_path: Path
) -> None:
    """After an upgrade of the system: the environment's interpreter leads nowhere, and nothing else is accused."""
    environment = fill(venv_of(own_python.python, tmp_path / "project"), base)
    shutil.rmtree(own_python.prefix)
    look = shell.doctor(environment.python)
    assert look.named == ["broken-venv"]
    assert look.exit_code == 1
    (shell.home / "bin").mkdir()
    (shell.home / "bin" / "python3").symlink_to(Path(sys.executable).resolve())
    shell.path.insert(0, str(shell.home / "bin"))
    mended = shell.mend(look)
    assert mended.clean, mended.named
    assert mended.report["snapshot"]["interpreters"][0]["torch"] is None


def test_an_activation_of_a_venv_that_was_moved(shell: Shell, venv: Environment, tmp_path: Path) -> None:
    """VIRTUAL_ENV and PATH still name the old folder: what python starts is another one."""
    moved = venv.prefix.rename(tmp_path / "moved")
    (shell.home / "bin").mkdir()
    (shell.home / "bin" / "python").symlink_to(moved / "bin" / "python")
    shell.variables["VIRTUAL_ENV"] = str(venv.prefix)
    shell.path[:0] = [str(venv.prefix / "bin"), str(moved / "bin")]
    look = shell.doctor()
    assert look.named == ["activation-not-in-effect"]
    mended = shell.mend(look)
    assert mended.exit_code == 0
    assert mended.named == ["pip-of-another-python"], "its pip still names the old place"
    assert "moved or copied" in mended.first["cause"]
    assert "python -m pip" in mended.first["fix"]["verify"]


def test_another_python_before_the_activated_one(shell: Shell, venv: Environment, own_python: Environment) -> None:
    """conda's start-up or a module was read after the activation: the prompt shows one, python starts the other."""
    shell.variables["VIRTUAL_ENV"] = str(venv.prefix)
    shell.path[:0] = [str(own_python.prefix / "bin"), str(venv.prefix / "bin")]
    look = shell.doctor()
    assert look.named == ["activation-not-in-effect"]
    mended = shell.mend(look)
    assert mended.clean, mended.named


# --- conda ----------------------------------------------------------------------------------------------------------


def test_pip_put_torch_over_condas(shell: Shell, own_python: Environment, base: Environment) -> None:
    """Both managers believe that the files are theirs: conda's records and pip's metadata lie in one environment."""
    make_conda(own_python.prefix)
    fill(own_python, base)
    shell.variables["CONDA_PREFIX"] = str(own_python.prefix)
    shell.path[:0] = [str(own_python.prefix / "bin"), str(conda_program(shell))]
    look = shell.doctor(own_python.python)
    assert look.named[:1] == ["torch-mixed-pip-conda"]
    assert look.exit_code == 1
    python = look.report["snapshot"]["interpreters"][0]
    assert python["manager"] == "conda"
    assert {item["name"] for item in python["conda_packages"]} >= {"pytorch", "libtorch", "python"}
    mended = shell.mend(look, tools=("", "conda"))
    assert mended.clean, mended.named
    assert mended.report["snapshot"]["interpreters"][0]["conda_packages"][-1]["name"] != "pytorch-gpu"


def make_conda(prefix: Path) -> None:
    """conda's own records, as conda 26 writes them: history and one file a package."""
    meta = prefix / "conda-meta"
    meta.mkdir()
    (meta / "history").write_text(
        "==> 2026-01-02 03:04:05 <==\n# cmd: conda create -n study pytorch\n# conda version: 26.7.1\n"
    )
    version = f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    for name, release, build in (
        ("python", version, "h9e4cc4f_0_cpython"),
        ("libtorch", "2.7.1", "cpu_mkl_h7b5d6f1_100"),
        ("pytorch", "2.7.1", "cpu_mkl_py311_h6a6a3b2_100"),
        ("libopenblas", "0.3.30", "pthreads_h94d23a6_0"),
    ):
        record = {
            "name": name,
            "version": release,
            "build": build,
            "channel": "https://conda.anaconda.org/conda-forge/linux-64",
            "files": [],
            "paths_data": {"paths": [], "paths_version": 1},
        }
        (meta / f"{name}-{release}-{build}.json").write_text(json.dumps(record))


CONDA = """#!{python}
# What conda does to its records, without a channel to ask.
import glob, os, sys
meta = os.path.join(os.environ["CONDA_PREFIX"], "conda-meta")
if sys.argv[1:3] == ["remove", "--force"]:
    for name in sys.argv[3:]:
        for path in glob.glob(os.path.join(meta, name + "-[0-9]*.json")):
            os.unlink(path)
elif sys.argv[1] != "install":
    sys.exit("conda: " + " ".join(sys.argv))
"""


def conda_program(shell: Shell) -> Path:
    folder = shell.home / "condabin"
    folder.mkdir()
    (folder / "conda").write_text(CONDA.format(python=Path(sys.executable).resolve()))
    (folder / "conda").chmod(0o755)
    return folder
