"""The shell's variables: an allow-list, verbatim, and what python and pip mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from envcheck.collect.environment import collect_environment, is_allowed
from envcheck.collect.shell import inherit
from envcheck.facts import ProcessEnvironment, Unread, Variable
from tests.collect import homes


@pytest.mark.parametrize(
    "name",
    ["CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "NCCL_IB_HCA", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "SLURM_JOB_ID",
     "PYTORCH_CUDA_ALLOC_CONF", "NVIDIA_REQUIRE_CUDA", "CUDA_MPS_PIPE_DIRECTORY", "TORCH_CUDA_ARCH_LIST",
     "VIRTUAL_ENV"],
)  # fmt: skip
def test_what_rules_look_at_is_read(name: str) -> None:
    """The variables of the failure catalogue."""
    assert is_allowed(name)


@pytest.mark.parametrize(
    "name",
    ["HF_TOKEN", "WANDB_API_KEY", "AWS_SECRET_ACCESS_KEY", "CONDA_TOKEN", "CONDA_PASSWORD", "TORCH_API_KEY",
     "NCCL_AUTH",
     "SLURM_JOB_USER", "SLURM_JOB_ACCOUNT", "HTTPS_PROXY", "CONDA_HTTP_PROXY", "PIP_INDEX_URL", "UV_INDEX_URL", "USER",
     "SSH_AUTH_SOCK", "cuda_visible_devices", ""],
)  # fmt: skip
def test_what_may_hold_a_secret_is_never_read(name: str) -> None:
    """Not by name, and not by falling under a prefix that is read."""
    assert not is_allowed(name)


def test_values_are_verbatim_and_empty_is_not_unset(tmp_path: Path) -> None:
    """CUDA treats an empty mask and a missing one as opposites."""
    shell = homes.shell_of(tmp_path, CUDA_VISIBLE_DEVICES="", LD_LIBRARY_PATH="/a::/b ", HF_TOKEN="x")
    assert collect_environment(shell).variables == [
        Variable(name="CUDA_VISIBLE_DEVICES", value=""),
        Variable(name="LD_LIBRARY_PATH", value="/a::/b "),
    ]


def test_the_shells_programs_are_listed_in_order(tmp_path: Path) -> None:
    """`which -a python`, then python3; the first pip's interpreter by its first line."""
    homes.base(tmp_path / "usr")
    env = homes.venv(tmp_path / "env", tmp_path / "usr")
    homes.program(env / "bin" / "pip", f"#!{env}/bin/python\n")
    homes.program(tmp_path / "usr" / "bin" / "pip3", "#!/usr/bin/python3\n")
    shell = homes.shell_of(tmp_path, PATH=f"{env}/bin:{tmp_path}/usr/bin:{env}/bin:", HOME="/home/ada")
    told = collect_environment(shell)
    assert told.path == [f"{env}/bin", f"{tmp_path}/usr/bin", f"{env}/bin", ""]
    bins = [f"{env}/bin", f"{tmp_path}/usr/bin"]
    assert told.shell_python == [f"{folder}/{name}" for name in ("python", "python3") for folder in bins]
    assert told.shell_pip == [f"{env}/bin/pip", f"{tmp_path}/usr/bin/pip3"]
    assert told.pip_interpreter == f"{env}/bin/python"
    assert told.jupyter_interpreter is None
    assert told.home == "/home/ada"


def test_what_is_not_there_is_absent_not_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No HOME, an empty PATH, a deleted working folder: all of it was asked."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    told = collect_environment(inherit({"PATH": ""}, "linux", str(tmp_path)))
    monkeypatch.chdir(tmp_path)
    assert told == ProcessEnvironment(
        variables=[],
        path=[],
        home=None,
        working_directory=None,
        shell_python=[],
        python_interpreter=None,
        activated_interpreter=None,
        activation_in_effect=None,
        shell_pip=[],
        pip_interpreter=None,
        jupyter_interpreter=None,
    )


def test_a_pip_that_is_no_script_is_unread(tmp_path: Path) -> None:
    """A wrapper in another language: its Python is not known."""
    homes.program(tmp_path / "usr" / "bin" / "pip", "#!/bin/bash\n")
    assert isinstance(collect_environment(homes.shell_of(tmp_path)).pip_interpreter, Unread)


def test_undecodable_bytes_are_shown_as_escapes(tmp_path: Path) -> None:
    """A snapshot is UTF-8: what the system hands over as surrogates must not reach it."""
    shell = homes.shell_of(tmp_path, LD_LIBRARY_PATH="/x\udcff", PATH="/y\udcff")
    told = collect_environment(shell)
    assert isinstance(told.variables, list)
    assert told.variables[0].value.isascii()
    assert told.path is not None
    str(told.path).encode("utf-8")
