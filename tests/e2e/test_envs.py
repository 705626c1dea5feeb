"""Whole runs of ``envcheck envs`` on homes full of environments, laid out as each tool lays them out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.collect import homes
from tests.e2e.conftest import start
from tests.probe.packages import install, torch_files

LIMIT_S = 2.0
"""What a listing of 60 environments may take (issue 5)."""

DISTRIBUTIONS = 60
BUILDS: tuple[tuple[str, str | None] | None, ...] = (("2.14.1+cu130", "13.0"), ("2.9.1+cpu", None), None)


def furnish(prefix: Path, number: int, mark: Path) -> None:
    """Some dozens of distributions, in two of three a torch, and an interpreter that leaves a mark if it is started."""
    for program in prefix.glob("bin/python3.??"):
        if not program.is_symlink():
            homes.program(program, f"#!/bin/sh\ntouch {mark}\n")
    site = next(prefix.glob("lib/python*/site-packages"))
    for n in range(DISTRIBUTIONS):
        folder = site / f"package_{n}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: package-{n}\nVersion: 1.0\n")
    install(site, "numpy", "2.3.5")
    build = BUILDS[number % 3]
    if build is not None:
        version, cuda = build
        files = torch_files(version, cuda=cuda)
        install(site, "torch", version.partition("+")[0], files, requires=("filelock", "sympy>=1.13"))


def sixty(home: Path, usr: Path) -> Iterator[Path]:
    """Twelve environments each of five tools."""
    homes.base(usr)
    root = homes.conda(home / "miniconda3", root=True)
    for n in range(12):
        yield homes.conda(root / "envs" / f"conda{n}", version="3.12.4")
        tool = homes.venv(home / ".local/share/pipx/venvs" / f"tool{n}", usr)
        (tool / "pipx_metadata.json").write_text("{}")
        yield tool
        yield homes.venv(home / ".cache/pypoetry/virtualenvs" / f"project{n}-aB3dE-py3.11", usr, made_by="virtualenv")
        yield homes.venv(home / ".local/share/hatch/env/virtual" / f"p{n}" / "Xy12" / "default", usr, made_by="uv")
        yield homes.venv(home / ".virtualenvs" / f"work{n}", usr)


def listing(environ: dict[str, str], *arguments: str, **options: Any) -> tuple[dict[str, Any], float]:
    run = start(["envs", "--format", "json", *arguments], environ, **options)
    assert run.exit_code == 0, run.stderr
    return run.report, run.seconds


def shell(home: Path, path: str, **variables: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PYTHONPATH", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": str(home), "PATH": path, **variables}


@pytest.mark.slow
def test_sixty_environments_in_two_seconds(tmp_path: Path) -> None:
    """Each is found, with its manager, its Python and its torch, and none is run."""
    home, mark = tmp_path / "home", tmp_path / "was run"
    for number, prefix in enumerate(sixty(home, tmp_path / "usr")):
        furnish(prefix, number, mark)
    environ = shell(home, str(tmp_path / "empty"))
    runs = [listing(environ, cwd=tmp_path) for _ in range(3)]
    mine = [item for item in runs[0][0]["environments"] if item["prefix"].startswith(str(home))]
    managers = Counter(item["manager"] for item in mine)
    assert managers == {"conda": 13, "pipx": 12, "poetry": 12, "hatch": 12, "venv": 12}
    assert Counter(item["torch"] for item in mine) == {"2.14.1+cu130": 20, "2.9.1+cpu": 20, None: 21}
    assert Counter(item["python"] for item in mine) == {"3.12.4": 12, "3.11.7": 49}
    assert not mark.exists()
    assert min(seconds for _, seconds in runs) <= LIMIT_S, [seconds for _, seconds in runs]


def real(prefix: Path, **modules: str) -> Path:
    """A real venv of the Python that runs the tests, with these modules in it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(prefix)], check=True)
    site = next(prefix.glob("lib/python*/site-packages"))
    for name, text in modules.items():
        (site / name).mkdir()
        (site / name / "__init__.py").write_text(text)
        (site / name / "version.py").write_text("__version__ = '2.9.1+cpu'\ncuda = None\nhip = None\n")
    return prefix


def test_probe_asks_each_interpreter(tmp_path: Path) -> None:
    """With --probe the interpreter itself tells its version; a torch that dies on import costs its own row alone."""
    work = tmp_path / "home" / ".virtualenvs"
    real(work / "plain")
    real(work / "dies", torch="import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    gone = real(work / "gone")
    (gone / "bin" / "python").unlink()
    (gone / "bin" / "python").symlink_to(tmp_path / "no" / "python")
    report, _ = listing(shell(tmp_path / "home", str(tmp_path / "empty")), "--probe", cwd=tmp_path)
    found = {Path(item["prefix"]).name: item for item in report["environments"]}
    assert found["plain"]["probed"] is True
    assert found["plain"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["plain"]["gpu"]["usable"] is False
    assert found["dies"]["gpu"]["rule"] == "torch-import-fails"
    assert found["gone"]["gpu"]["rule"] == "broken-venv"


def test_what_the_shell_means(tmp_path: Path) -> None:
    """python of one environment, pip of another, and a Jupyter kernel of a third that is gone."""
    home = tmp_path / "home"
    homes.base(tmp_path / "usr")
    one = homes.venv(home / ".virtualenvs" / "one", tmp_path / "usr")
    two = homes.venv(home / ".virtualenvs" / "two", tmp_path / "usr")
    homes.program(tmp_path / "tools" / "pip", f"#!{two}/bin/python\n")
    spec = home / ".local/share/jupyter/kernels/old/kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(
        json.dumps({"argv": [f"{home}/envs/old/bin/python", "-m", "ipykernel_launcher"], "language": "python"})
    )
    environ = shell(home, f"{tmp_path}/tools:{one}/bin", VIRTUAL_ENV=str(one))
    report, _ = listing(environ, cwd=tmp_path)
    means = {item["prefix"]: item["means"] for item in report["environments"] if item["means"]}
    assert means == {str(one): ["python"], str(two): ["pip"]}
    assert report["commands"] == {"python": f"{one}/bin/python", "pip": f"{two}/bin/python", "jupyter": None}
    assert report["lost_kernels"] == [{"name": "old", "program": f"{home}/envs/old/bin/python"}]
    assert [item["judged"] for item in report["environments"] if item["prefix"] == str(one)] == [True]


@pytest.mark.parametrize(
    "surroundings",
    [{"COLUMNS": "40", "NO_COLOR": "1"}, {"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, {"HOME": "/nonexistent"}],
    ids=str,
)
def test_surroundings(surroundings: dict[str, str], tmp_path: Path) -> None:
    """A narrow page, an ASCII stream, no home: the listing comes all the same."""
    home = tmp_path / "home"
    homes.base(tmp_path / "usr")
    env = homes.venv(home / ".virtualenvs" / "über", tmp_path / "usr")
    run = start(["envs"], {**shell(home, f"{env}/bin", VIRTUAL_ENV=str(env)), **surroundings}, cwd=tmp_path)
    assert run.exit_code == 0, run.stderr
    assert "found" in run.stdout
    if "COLUMNS" in surroundings:
        prose = [line for line in run.stdout.splitlines() if "/" not in line]
        assert max(map(len, prose)) <= 40
    if "PYTHONIOENCODING" in surroundings:
        assert run.stdout.isascii()
