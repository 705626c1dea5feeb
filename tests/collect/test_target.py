"""The choice of the environment that is judged (DESIGN §6)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from envcheck.collect.pythons import BadTarget, choose_target, find_interpreters
from envcheck.collect.shell import Shell
from tests.collect import homes


@dataclass
class Case:
    """One shell: what it has, and which interpreter it means.  Paths are below the pretended root."""

    build: Callable[[Path], dict[str, str]]
    chosen_by: str
    executable: str | None
    disagreements: tuple[str, ...] = ()


def system_only(tmp: Path) -> dict[str, str]:
    homes.base(tmp / "usr")
    return {}


def active_venv(tmp: Path) -> dict[str, str]:
    homes.base(tmp / "usr")
    env = homes.venv(tmp / "env", tmp / "usr")
    return {"VIRTUAL_ENV": str(env), "PATH": f"{env}/bin:{tmp}/usr/bin"}


def stale_venv_variable(tmp: Path) -> dict[str, str]:
    return {**active_venv(tmp), "PATH": f"{tmp}/usr/bin"}


def deleted_venv(tmp: Path) -> dict[str, str]:
    homes.base(tmp / "usr")
    return {"VIRTUAL_ENV": str(tmp / "gone")}


def venv_of_a_deleted_python(tmp: Path) -> dict[str, str]:
    homes.base(tmp / "usr")
    env = homes.venv(tmp / "env", tmp / "no-such-python")
    return {"VIRTUAL_ENV": str(env), "PATH": f"{env}/bin:{tmp}/usr/bin"}


def active_conda(tmp: Path) -> dict[str, str]:
    homes.base(tmp / "usr")
    root = homes.conda(tmp / "conda", root=True)
    env = homes.conda(root / "envs" / "study", version="3.8.18")
    return {"CONDA_PREFIX": str(env), "PATH": f"{env}/bin:{root}/condabin:{tmp}/usr/bin"}


def conda_without_python(tmp: Path) -> dict[str, str]:
    homes.base(tmp / "usr")
    env = homes.conda(tmp / "conda" / "envs" / "empty", python=False)
    return {"CONDA_PREFIX": str(env), "PATH": f"{env}/bin:{tmp}/usr/bin"}


def venv_over_conda(tmp: Path) -> dict[str, str]:
    variables = active_conda(tmp)
    env = homes.venv(tmp / "env", tmp / "usr")
    return {**variables, "VIRTUAL_ENV": str(env), "PATH": f"{env}/bin:{variables['PATH']}"}


def two_pythons(tmp: Path) -> dict[str, str]:
    homes.base(tmp / "usr")
    homes.program(tmp / "opt" / "bin" / "python")
    return {"PATH": f"{tmp}/opt/bin:{tmp}/usr/bin"}


def pyenv_shims(tmp: Path) -> dict[str, str]:
    homes.base(tmp / "usr")
    root = homes.pyenv(tmp / "pyenv", "3.9.18", "3.12.1")
    (root / "version").write_text("3.12.1\n")
    return {"PATH": f"{root}/shims:{tmp}/usr/bin"}


def pyenv_wants_what_is_not_there(tmp: Path) -> dict[str, str]:
    return {**pyenv_shims(tmp), "PYENV_VERSION": "3.7.99"}


def nothing(tmp: Path) -> dict[str, str]:
    return {}


CASES = {
    "the system's python, under both names": Case(system_only, "python on PATH", "usr/bin/python"),
    "an active venv": Case(active_venv, "VIRTUAL_ENV", "env/bin/python"),
    "VIRTUAL_ENV left over, PATH means another": Case(
        stale_venv_variable,
        "VIRTUAL_ENV",
        "env/bin/python",
        ("python on PATH: {tmp}/usr/bin/python", "python3 on PATH: {tmp}/usr/bin/python3"),
    ),
    "VIRTUAL_ENV names a deleted folder": Case(
        deleted_venv, "python on PATH", "usr/bin/python", ("VIRTUAL_ENV: {tmp}/gone holds no Python",)
    ),
    "a venv whose base is gone is still what the shell means, though it finds the next python": Case(
        venv_of_a_deleted_python,
        "VIRTUAL_ENV",
        "env/bin/python",
        ("python on PATH: {tmp}/usr/bin/python", "python3 on PATH: {tmp}/usr/bin/python3"),
    ),
    "an active conda environment": Case(active_conda, "CONDA_PREFIX", "conda/envs/study/bin/python"),
    "a conda environment without Python": Case(
        conda_without_python,
        "python on PATH",
        "usr/bin/python",
        ("CONDA_PREFIX: {tmp}/conda/envs/empty holds no Python",),
    ),
    "a venv activated on top of conda": Case(
        venv_over_conda,
        "VIRTUAL_ENV",
        "env/bin/python",
        ("CONDA_PREFIX: {tmp}/conda/envs/study/bin/python",),
    ),
    "python and python3 are two": Case(
        two_pythons, "python on PATH", "opt/bin/python", ("python3 on PATH: {tmp}/usr/bin/python3",)
    ),
    "pyenv's shims are followed": Case(pyenv_shims, "python on PATH", "pyenv/versions/3.12.1/bin/python"),
    "a shim that would fail is said to": Case(
        pyenv_wants_what_is_not_there,
        "no Python found",
        None,
        (
            "python on PATH: {tmp}/pyenv/shims/python wants a pyenv version that is not installed",
            "python3 on PATH: {tmp}/pyenv/shims/python3 wants a pyenv version that is not installed",
        ),
    ),
    "no Python at all": Case(nothing, "no Python found", None),
}


@pytest.mark.parametrize("name", CASES)
def test_the_shell_means_one_interpreter_and_its_other_answers_are_listed(name: str, tmp_path: Path) -> None:
    """VIRTUAL_ENV, then CONDA_PREFIX, then python and python3 on PATH; where they differ, each is told."""
    case = CASES[name]
    choice = choose_target(homes.shell_of(tmp_path, **case.build(tmp_path)), own_prefix=tmp_path / "elsewhere")
    assert choice.chosen_by == case.chosen_by
    assert choice.executable == (tmp_path / case.executable if case.executable else None)
    assert choice.disagreements == tuple(words.format(tmp=tmp_path) for words in case.disagreements)


def with_own(tmp: Path) -> tuple[Path, dict[str, str]]:
    homes.base(tmp / "usr")
    own = homes.venv(tmp / "own", tmp / "usr")
    return own, {"PATH": f"{own}/bin:{tmp}/usr/bin"}


def test_the_environment_of_envcheck_is_judged_where_the_shell_means_it(tmp_path: Path) -> None:
    """First on PATH, by activation or by hand: then it is what the user's `python` means."""
    own, variables = with_own(tmp_path)
    choice = choose_target(homes.shell_of(tmp_path, **variables), own_prefix=own)
    assert (choice.executable, choice.chosen_by) == (own / "bin" / "python", "python on PATH")


@pytest.mark.parametrize("mark", ["pipx_metadata.json", "uv-receipt.toml"])
def test_the_environment_of_envcheck_is_not_judged_because_a_tool_runner_put_it_first(
    mark: str, tmp_path: Path
) -> None:
    """uvx puts its environment before the user's PATH: the shell that the user sits in does not have it."""
    own, variables = with_own(tmp_path)
    (own / mark).write_text("")
    choice = choose_target(homes.shell_of(tmp_path, **variables), own_prefix=own)
    assert choice.executable == tmp_path / "usr" / "bin" / "python"
    active = homes.shell_of(tmp_path, **variables, VIRTUAL_ENV=str(own))
    assert choose_target(active, own_prefix=own).executable == own / "bin" / "python"


def test_the_cached_environment_of_uvx_is_not_judged(tmp_path: Path) -> None:
    """An ephemeral one has no receipt: its place in uv's cache tells it."""
    homes.base(tmp_path / "usr")
    own = homes.venv(tmp_path / "cache" / "uv" / "archive-v0" / "Xa9", tmp_path / "usr", made_by="uv")
    shell = homes.shell_of(tmp_path, PATH=f"{own}/bin:{tmp_path}/usr/bin")
    assert choose_target(shell, own_prefix=own).executable == tmp_path / "usr" / "bin" / "python"


def test_under_uv_run_with_the_project_is_judged(tmp_path: Path) -> None:
    """`uv run --with gpu-envcheck` lays two passing environments over the project's and names one VIRTUAL_ENV."""
    cache = tmp_path / "cache" / "uv"
    project = homes.venv(tmp_path / "project" / ".venv", homes.base(tmp_path / "usr"), made_by="uv")
    own = homes.venv(cache / "builds-v0" / ".tmp3L", tmp_path / "usr", made_by="uv")
    packages = homes.venv(cache / "archive-v0" / "1rq", tmp_path / "usr", made_by="uv")
    path = f"{own}/bin:{packages}/bin:{project}/bin:{tmp_path}/usr/bin"
    choice = choose_target(homes.shell_of(tmp_path, PATH=path, VIRTUAL_ENV=str(own)), own_prefix=own)
    assert (choice.executable, choice.disagreements) == (project / "bin" / "python", ())
    # started by other means, the same shell means what it says
    assert (
        choose_target(
            homes.shell_of(tmp_path, PATH=path, VIRTUAL_ENV=str(own)), own_prefix=tmp_path / "elsewhere"
        ).executable
        == own / "bin" / "python"
    )


def test_without_path_the_shells_own_default_counts(tmp_path: Path) -> None:
    """PATH unset is not PATH empty: execvp and the shells then look in /bin and /usr/bin."""
    shell = homes.shell_of(tmp_path)
    unset = Shell(environ={}, home=shell.home, cwd=shell.cwd, root=shell.root)
    empty = Shell(environ={"PATH": ""}, home=shell.home, cwd=shell.cwd, root=shell.root)
    assert unset.path_entries() == ["/bin", "/usr/bin"]
    assert empty.path_entries() == []


# --- --python


@pytest.mark.parametrize("text", ["{tmp}/env/bin/python", "{tmp}/env", "../../../env", "python3.11"])
def test_python_may_be_named_by_file_folder_or_name_on_path(text: str, tmp_path: Path) -> None:
    """An interpreter, the folder of its environment (also relative to the working folder), or a program on PATH."""
    shell = homes.shell_of(tmp_path, **active_venv(tmp_path))
    choice = choose_target(shell, python=text.format(tmp=tmp_path))
    expected = tmp_path / ("env/bin/python3.11" if text == "python3.11" else "env/bin/python")
    assert choice.executable is not None
    assert (choice.executable.parent.resolve() / choice.executable.name) == expected
    assert choice.chosen_by == "--python"


def test_a_home_relative_python_is_expanded(tmp_path: Path) -> None:
    """The shell does not expand ~ after `=`, as in --python=~/env."""
    homes.venv(tmp_path / "home" / "ada" / "env", tmp_path / "usr")
    choice = choose_target(homes.shell_of(tmp_path), python="~/env")
    assert choice.executable == tmp_path / "home" / "ada" / "env" / "bin" / "python"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{tmp}/usr", "the folder holds no Python"),
        ("{tmp}/env/bin/pyhton", "no such file; did you mean python"),
        ("{tmp}/env/pyvenv.cfg", "pyvenv.cfg is not the name of a Python interpreter"),
        ("{tmp}/tools/rm", "rm is not the name of a Python interpreter"),
        ("python9.9", "no such file"),
        ("nul\0byte", "no such file"),
    ],
)
def test_what_is_no_python_is_refused_in_one_line(text: str, words: str, tmp_path: Path) -> None:
    """Nothing that is not named as an interpreter is ever started, and the message says what was wrong."""
    homes.venv(tmp_path / "env", tmp_path / "nowhere")
    homes.program(tmp_path / "tools" / "rm")
    (tmp_path / "usr").mkdir()
    with pytest.raises(BadTarget) as caught:
        choose_target(homes.shell_of(tmp_path), python=text.format(tmp=tmp_path))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_link_to_python_may_have_any_name(tmp_path: Path) -> None:
    """`py -> python3.11` is an interpreter."""
    homes.base(tmp_path / "usr")
    (tmp_path / "py").symlink_to(tmp_path / "usr" / "bin" / "python3")
    assert choose_target(homes.shell_of(tmp_path), python=str(tmp_path / "py")).executable == tmp_path / "py"


def test_a_shim_that_finds_nothing_is_refused(tmp_path: Path) -> None:
    """The user would get pyenv's error too; the message names the shim."""
    shell = homes.shell_of(tmp_path, **pyenv_wants_what_is_not_there(tmp_path))
    with pytest.raises(BadTarget, match="is a pyenv shim"):
        choose_target(shell, python="python")


# --- --env


def named(shell: Shell, name: str, extra: list[tuple[str, Path]] | None = None) -> Path | None:
    return choose_target(shell, env=name, search=lambda: find_interpreters(shell, extra or [])).executable


def test_env_names_conda_environments_folders_projects_and_kernels(tmp_path: Path) -> None:
    """conda's name first, then the name of a venv's folder or of the project around it, then a kernel's."""
    shell = homes.shell_of(tmp_path, **active_conda(tmp_path))
    home = tmp_path / "home" / "ada"
    homes.venv(home / "project" / ".venv", tmp_path / "usr")
    homes.venv(home / ".virtualenvs" / "vision", tmp_path / "usr")
    kernel = homes.venv(tmp_path / "data" / "k1", tmp_path / "usr")
    extra = [("kernelspec d2l", kernel / "bin" / "python")]
    assert named(shell, "study", extra) == tmp_path / "conda" / "envs" / "study" / "bin" / "python"
    assert named(shell, "base", extra) == tmp_path / "conda" / "bin" / "python"
    assert named(shell, "vision", extra) == home / ".virtualenvs" / "vision" / "bin" / "python"
    assert named(shell, "project", extra) == home / "project" / ".venv" / "bin" / "python"
    assert named(shell, "d2l", extra) == kernel / "bin" / "python"


def test_two_environments_of_one_name_are_both_told(tmp_path: Path) -> None:
    """conda wins, and the other one stands in the disagreements."""
    shell = homes.shell_of(tmp_path, **active_conda(tmp_path))
    other = homes.venv(tmp_path / "home" / "ada" / ".virtualenvs" / "study", tmp_path / "usr")
    choice = choose_target(shell, env="study", search=lambda: find_interpreters(shell))
    assert choice.executable == tmp_path / "conda" / "envs" / "study" / "bin" / "python"
    assert choice.disagreements == (f"--env study: {other}/bin/python (folder)",)


def test_an_unknown_name_is_refused_with_near_ones(tmp_path: Path) -> None:
    """One line, and what the user may have meant."""
    shell = homes.shell_of(tmp_path, **active_conda(tmp_path))
    with pytest.raises(BadTarget, match=r"^--env studdy: no environment has that name; did you mean study\?$"):
        named(shell, "studdy")
