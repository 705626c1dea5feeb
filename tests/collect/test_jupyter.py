"""Kernelspecs: which folders, in which order, and where each leads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from envcheck.collect.jupyter import collect_jupyter, kernel_folders, kernelspec_sightings
from envcheck.facts import Kernel, Unread
from tests.collect import homes


def kernel(folder: Path, name: str, *argv: str, **more: object) -> Path:
    path = folder / "kernels" / name
    path.mkdir(parents=True, exist_ok=True)
    spec = {"argv": [*argv, "-m", "ipykernel_launcher", "-f", "{connection_file}"], "language": "python", **more}
    (path / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return path


def user(tmp: Path) -> Path:
    return tmp / "home" / "ada" / ".local" / "share" / "jupyter"


def one(tmp: Path, **environ: str) -> Kernel:
    kernels = collect_jupyter(homes.shell_of(tmp, **environ)).kernels
    assert isinstance(kernels, list)
    assert len(kernels) == 1
    return kernels[0]


def test_a_kernel_leads_to_the_interpreter_of_its_file(tmp_path: Path) -> None:
    """argv, name, variables of the allow-list, and whether ipykernel lies there."""
    env = homes.venv(tmp_path / "env", homes.base(tmp_path / "usr"))
    path = kernel(
        user(tmp_path),
        "study",
        f"{env}/bin/python",
        display_name="Python (study)",
        env={"CUDA_VISIBLE_DEVICES": "1", "HF_TOKEN": "secret"},
    )
    told = one(tmp_path)
    assert told == Kernel(
        name="study",
        path=str(path),
        display_name="Python (study)",
        language="python",
        argv=[f"{env}/bin/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        interpreter=f"{env}/bin/python",
        has_ipykernel=False,
        variables=["CUDA_VISIBLE_DEVICES=1"],
    )
    (env / "lib" / "python3.11" / "site-packages" / "ipykernel").mkdir()
    assert one(tmp_path).has_ipykernel is True


def test_a_kernel_of_a_deleted_environment_leads_nowhere(tmp_path: Path) -> None:
    """Known to be gone, which is not the same as unknown."""
    kernel(user(tmp_path), "old", str(tmp_path / "envs" / "old" / "bin" / "python"))
    told = one(tmp_path)
    assert told.interpreter is None
    assert isinstance(told.has_ipykernel, Unread)


@pytest.mark.parametrize("word", ["python", "python3", "python3.11"])
def test_a_bare_python_means_the_servers_own(word: str, tmp_path: Path) -> None:
    """jupyter_client replaces it and never looks on PATH."""
    homes.base(tmp_path / "usr")
    server = homes.venv(tmp_path / "server", tmp_path / "usr")
    homes.program(server / "bin" / "jupyter", f"#!{server}/bin/python\n")
    kernel(user(tmp_path), "python3", word)
    path = f"{tmp_path}/usr/bin:{server}/bin"
    assert one(tmp_path, PATH=path).interpreter == f"{server}/bin/python"
    told = one(tmp_path, PATH=f"{tmp_path}/usr/bin").interpreter
    assert isinstance(told, Unread)
    assert told.why == "missing"


def test_a_kernel_of_another_language_needs_no_ipykernel(tmp_path: Path) -> None:
    """R and Julia bring their own."""
    homes.program(tmp_path / "usr" / "bin" / "R")
    path = user(tmp_path) / "kernels" / "ir"
    path.mkdir(parents=True)
    (path / "kernel.json").write_text('{"argv": ["R", "--slave"], "language": "R"}')
    told = one(tmp_path)
    assert (told.interpreter, told.has_ipykernel) == (str(tmp_path / "usr" / "bin" / "R"), None)


def test_a_kernel_in_a_shared_prefix_may_have_ipykernel_from_elsewhere(tmp_path: Path) -> None:
    """Of the system's Python only the interpreter itself knows all folders."""
    homes.base(tmp_path / "usr")
    kernel(user(tmp_path), "python3", f"{tmp_path}/usr/bin/python3")
    told = one(tmp_path).has_ipykernel
    assert isinstance(told, Unread)
    assert told.why == "not_asked"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"argv": "python"}', '{"argv": [1]}', "\udcff"])
def test_a_broken_kernelspec_is_garbled_and_the_others_are_not(text: str, tmp_path: Path) -> None:
    """One file of rubbish costs one kernel."""
    path = kernel(user(tmp_path), "bad", "/x/python")
    (path / "kernel.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    kernel(user(tmp_path), "good", "/x/python")
    kernels = collect_jupyter(homes.shell_of(tmp_path)).kernels
    assert isinstance(kernels, list)
    told = {item.name: item.argv for item in kernels}
    assert isinstance(told["bad"], Unread)
    assert told["bad"].why == "garbled"
    assert isinstance(told["good"], list)


def test_an_empty_argv_leads_nowhere(tmp_path: Path) -> None:
    """Valid JSON of the right shape, and still no kernel."""
    path = kernel(user(tmp_path), "empty")
    (path / "kernel.json").write_text('{"argv": []}')
    assert isinstance(one(tmp_path).interpreter, Unread)


@pytest.mark.parametrize(
    ("variables", "first"),
    [
        ({}, "user"),
        ({"JUPYTER_PREFER_ENV_PATH": "1"}, "env"),
        ({"JUPYTER_PREFER_ENV_PATH": "0"}, "user"),
        ({"CONDA_DEFAULT_ENV": "study"}, "env"),
        ({"CONDA_DEFAULT_ENV": "base"}, "user"),
        ({"JUPYTER_PATH": "{tmp}/mine"}, "mine"),
    ],
)
def test_the_order_of_folders_is_jupyters(variables: dict[str, str], first: str, tmp_path: Path) -> None:
    """JUPYTER_PATH, then the environment or the user's folder first, then the system's."""
    env = homes.conda(tmp_path / "env")
    shell = homes.shell_of(tmp_path, **{name: value.format(tmp=tmp_path) for name, value in variables.items()})
    names = {
        tmp_path / "mine" / "kernels": "mine",
        env / "share" / "jupyter" / "kernels": "env",
        user(tmp_path) / "kernels": "user",
        tmp_path / "usr" / "local" / "share" / "jupyter" / "kernels": "local",
        tmp_path / "usr" / "share" / "jupyter" / "kernels": "system",
    }
    told = [names[folder] for folder in kernel_folders(shell, [env])]
    assert told[0] == first
    assert told[-2:] == ["local", "system"]
    assert set(told) >= {"env", "user"}


def test_in_a_venv_the_environment_comes_first(tmp_path: Path) -> None:
    """jupyter_core 5 prefers it there, without being asked."""
    env = homes.venv(tmp_path / "env", homes.base(tmp_path / "usr"))
    assert kernel_folders(homes.shell_of(tmp_path), [env])[0] == env / "share" / "jupyter" / "kernels"


@pytest.mark.parametrize(
    ("platform", "variables", "folder"),
    [
        ("darwin", {}, "home/ada/Library/Jupyter"),
        ("win32", {"APPDATA": "{tmp}/roaming"}, "roaming/jupyter"),
        ("linux", {"XDG_DATA_HOME": "{tmp}/data"}, "data/jupyter"),
        ("linux", {"JUPYTER_DATA_DIR": "{tmp}/jdata"}, "jdata"),
    ],
)
def test_the_users_folder_differs_by_system(
    platform: str, variables: dict[str, str], folder: str, tmp_path: Path
) -> None:
    """~/Library on macOS, APPDATA on Windows, XDG elsewhere, and a variable over all."""
    values = {name: value.format(tmp=tmp_path) for name, value in variables.items()}
    kernel(tmp_path / folder, "here", "/x/python")
    kernels = collect_jupyter(homes.shell_of(tmp_path, platform, **values)).kernels
    assert isinstance(kernels, list)
    assert [item.name for item in kernels] == ["here"]


def test_of_two_kernels_of_one_name_the_first_folder_wins(tmp_path: Path) -> None:
    """Names are compared without case, as Jupyter does."""
    env = homes.venv(tmp_path / "env", homes.base(tmp_path / "usr"))
    kernel(env / "share" / "jupyter", "Python3", "/env/python")
    kernel(user(tmp_path), "python3", "/user/python")
    kernels = collect_jupyter(homes.shell_of(tmp_path), env / "bin" / "python").kernels
    assert isinstance(kernels, list)
    assert [item.name for item in kernels] == ["Python3"]


def test_kernels_lead_the_search_to_their_interpreters(tmp_path: Path) -> None:
    """By absolute path and an interpreter's name only."""
    kernel(user(tmp_path), "study", "/envs/study/bin/python3.8")
    kernel(user(tmp_path), "bare", "python")
    kernel(user(tmp_path), "r", "/usr/bin/R")
    assert list(kernelspec_sightings(homes.shell_of(tmp_path))) == [
        ("kernelspec study", Path("/envs/study/bin/python3.8"))
    ]
