"""Any Python tells what it is and what is installed in it, whatever lies in its way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from envcheck.facts import Unread
from envcheck.probe import answer, environment
from tests.probe.conftest import PROBE, Ask
from tests.probe.packages import install


def pyenv_pythons() -> list[Path]:
    """Every interpreter that pyenv has here."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    return sorted(root.glob("versions/*/bin/python"))


def every_python() -> list[object]:
    found = pyenv_pythons()
    if not found:
        return [pytest.param(None, marks=pytest.mark.skip(reason="pyenv has no Python here"))]
    return [pytest.param(path, id=path.parts[-3]) for path in found]


SELF_DESCRIPTION = """
import json, os, platform, sys
print(json.dumps([platform.python_version(), [p or os.getcwd() for p in sys.path], sys.prefix, sys.maxsize > 2**32]))
"""


@pytest.mark.parametrize("python", every_python())
def test_every_python_of_pyenv_answers(ask: Ask, python: Path, tmp_path: Path) -> None:
    """3.6 to the newest are probed and say of themselves what they say when asked directly; older ones say why not."""
    said = subprocess.run(
        [python, "-c", SELF_DESCRIPTION], env={"PATH": ""}, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    version, path, prefix, wide = json.loads(said.stdout)
    told = ask("interpreter", python=python, cwd=tmp_path)
    assert told.code == 0, told.stderr
    facts = told.facts
    assert (facts.version, facts.prefix) == (version, prefix)
    release = tuple(map(int, version.split(".")[:2]))
    if release < (3, 6):
        assert isinstance(facts.probe, Unread)
        assert facts.probe.why == "unsupported"
        assert "too old to probe" in facts.probe.detail
        for task in ("nvml", "cuda", "torch_runtime", "nodes"):
            assert ask(task, python=python).facts == facts.probe
        return
    assert facts.probe == "ok"
    assert facts.sys_path == path
    assert (facts.bits == 64) is wide
    assert facts.manager == "pyenv"
    unread = {name for name in facts.__struct_fields__ if isinstance(getattr(facts, name), Unread)}
    allowed = {"base_executable"} if release < (3, 8) else set()
    others = {"starts", "sys_path_isolated", "runtime", "means", "distributions_partial"}  # what other hands fill in
    assert unread - others <= allowed
    assert told.stderr == ""


def test_a_venv_knows_where_it_comes_from(ask: Ask, venv: Path, python: Path, site: Path) -> None:
    """Prefix, base, site-packages and the missing pip of a venv made without it."""
    facts = ask("interpreter", python=python).facts
    assert (facts.manager, facts.name) == ("venv", None)
    assert facts.prefix == str(venv)
    assert facts.base_prefix == sys.base_prefix
    assert facts.site_packages == [str(site)]
    assert facts.externally_managed is False
    assert facts.user_site_enabled is False
    assert facts.has_pip is False
    assert facts.home_missing is False
    assert facts.cfg_version == ".".join(map(str, sys.version_info[:3]))


def test_a_venv_whose_home_is_gone(ask: Ask, venv: Path, python: Path) -> None:
    """On Linux such a venv still starts while its link leads somewhere, and tells what is missing."""
    cfg = venv / "pyvenv.cfg"
    cfg.write_text(cfg.read_text().replace(f"home = {Path(sys._base_executable).parent}", "home = /gone/bin"))  # type: ignore[attr-defined]
    facts = ask("interpreter", python=python).facts
    assert facts.home_missing is True


@pytest.mark.parametrize(
    ("place", "marks", "cfg", "expected"),
    [
        ("env", {}, "home = /usr/bin\nversion = 3.11.7\n", ("venv", None)),
        ("env", {}, "home = /usr/bin\nvirtualenv = 21.15.0\nversion_info = 3.11.7.final.0\n", ("virtualenv", None)),
        ("project/.venv", {}, "home = /usr/bin\nuv = 0.13.0\nversion_info = 3.11.7\n", ("uv", None)),
        ("pipx/venvs/black", {"pipx_metadata.json": "{}"}, "home = /usr/bin\nversion = 3.11.7\n", ("pipx", None)),
        ("pypoetry/virtualenvs/p-AbC-py3.11", {}, "virtualenv = 21.15.0\n", ("poetry", None)),
        ("cache/p-AbC-py3.11", {"../envs.toml": ""}, "virtualenv = 21.15.0\n", ("poetry", None)),
        ("hatch/env/virtual/p/HASH/p", {}, "virtualenv = 21.15.0\n", ("hatch", None)),
        ("miniconda3", {"conda-meta/history": "", "condabin/conda": ""}, None, ("conda", "base")),
        ("miniconda3/envs/study", {"conda-meta/history": ""}, None, ("conda", "study")),
        ("elsewhere/study", {"conda-meta/history": ""}, None, ("conda", None)),
        ("project/.pixi/envs/default", {"conda-meta/history": "", "conda-meta/pixi": "{}"}, None, ("pixi", "default")),
        (".pyenv/versions/3.11.7", {}, None, ("pyenv", None)),
        ("share/uv/python/cpython-3.11.7-linux-x86_64-gnu", {}, None, ("uv", None)),
        ("usr", {}, None, ("system", None)),
    ],
)
def test_the_tool_behind_an_environment_is_recognised(
    tmp_path: Path, place: str, marks: dict[str, str], cfg: str | None, expected: tuple[str, str | None]
) -> None:
    """Each tool leaves its own marks in the folder."""
    prefix = tmp_path / place
    prefix.mkdir(parents=True)
    for name, text in marks.items():
        (prefix / name).parent.mkdir(parents=True, exist_ok=True)
        (prefix / name).write_text(text)
    if cfg is not None:
        (prefix / "pyvenv.cfg").write_text(cfg)
    assert environment.recognise(str(prefix), environment.configuration(str(prefix))) == expected


def test_the_user_site_is_told_with_what_lies_in_it(ask: Ask, tmp_path: Path) -> None:
    """A Python outside any venv reads the user site, an isolated one does not."""
    base = Path(sys._base_executable)  # type: ignore[attr-defined]
    environ = {"PYTHONUSERBASE": str(tmp_path)}
    user_site = tmp_path / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    install(user_site, "torchtext", "0.18.0")
    told = ask("interpreter", python=base, environ=environ).facts
    assert (told.user_site, told.user_site_enabled) == (str(user_site), True)
    assert "torchtext" in {item.name for item in told.distributions}
    alone = ask("interpreter", "scope=paths", python=base, environ=environ, flags=("-I", "-B")).facts
    assert alone.user_site_enabled is False
    assert str(user_site) not in alone.sys_path
    assert isinstance(alone.distributions, Unread)


HOSTILE = "raise RuntimeError('a file of the user')\n"


@pytest.mark.parametrize("place", ["working folder", "PYTHONPATH"])
def test_files_named_like_standard_modules_do_not_stop_the_probe(
    ask: Ask, python: Path, site: Path, tmp_path: Path, place: str
) -> None:
    """A json.py or re.py in the way is what the user has to hear of, and nothing that the probe stumbles over."""
    folder = tmp_path / "mine"
    folder.mkdir()
    names = ["json", "re", "sysconfig", "enum", "types", "mmap", "struct", "importlib", "platform", "errno", "queue"]
    for name in names:
        (folder / f"{name}.py").write_text(HOSTILE)
    (folder / "secrets").mkdir()
    (folder / "secrets" / "__init__.py").write_text(HOSTILE)
    (folder / "notes.py").write_text(HOSTILE)
    install(site, "flash-attn", "2.8.3", extra={"direct_url.json": '{"url": "https://example.org/f.whl"}'})
    if place == "PYTHONPATH":
        told = ask("interpreter", python=python, environ={"PYTHONPATH": str(folder)})
    else:
        told = ask("interpreter", python=python, cwd=folder)
    assert told.facts.probe == "ok", told.facts.probe
    origins = {item.module: item.origin for item in told.facts.origins}
    for name in (*names, "secrets"):
        if name in sys.builtin_module_names:
            continue
        expected = folder / name / "__init__.py" if name == "secrets" else folder / f"{name}.py"
        assert origins[name] == str(expected)
    assert "notes" not in origins
    assert origins["random"] not in (None, str(folder / "random.py"))
    assert told.facts.distributions[0].direct_url == "https://example.org/f.whl"
    isolated = ask("interpreter", "scope=paths", python=python, cwd=folder, flags=("-I", "-B")).facts
    assert str(folder) not in isolated.sys_path
    assert {item.module for item in isolated.origins} <= set(origins)


def test_strange_entries_of_the_path(ask: Ask, python: Path, tmp_path: Path) -> None:
    """Missing folders, files, zip files and names that are no text are listed and passed over."""
    strange = [tmp_path / "missing", tmp_path / "file", tmp_path / "packages.zip", os.fsencode(tmp_path) + b"/n\xffme"]
    (tmp_path / "file").write_text("")
    shutil.make_archive(str(tmp_path / "packages"), "zip", PROBE)
    os.mkdir(strange[-1])
    os.mkdir(strange[-1] + b"/torch-1.\xfe.dist-info")
    told = ask("interpreter", python=python, environ={"PYTHONPATH": os.pathsep.join(map(os.fsdecode, strange))})
    assert told.facts.probe == "ok"
    assert told.facts.sys_path[1:5] == [*map(str, strange[:3]), f"{tmp_path}/n\\xffme"]
    assert [(item.name, item.version) for item in told.facts.distributions] == [("torch", None)]


def test_the_c_locale_shows_names_as_they_are(ask: Ask, python: Path, tmp_path: Path) -> None:
    """Without a UTF-8 locale Python holds such names as bytes in disguise; the answer is UTF-8 all the same."""
    folder = tmp_path / "Übung"
    folder.mkdir()
    environ = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONPATH": str(folder)}
    assert ask("interpreter", python=python, environ=environ).facts.sys_path[1] == str(folder)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_passed_over(ask: Ask, python: Path, tmp_path: Path) -> None:
    """A folder that may not be listed costs its own packages and nothing else."""
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(0)
    try:
        assert ask("interpreter", python=python, environ={"PYTHONPATH": str(closed)}).facts.probe == "ok"
    finally:
        closed.chmod(0o700)


def test_a_deleted_working_folder(ask: Ask, python: Path, tmp_path: Path) -> None:
    """The user's shell may stand in a folder that is gone."""
    gone = tmp_path / "gone"
    gone.mkdir()
    starter = tmp_path / "starter.py"
    run = str(PROBE / "run.py")
    lines = [
        "import os, sys",
        f"os.rmdir({str(gone)!r})",
        f"os.execv(sys.executable, [sys.executable, '-B', {run!r}] + sys.argv[1:])",
    ]
    starter.write_text("\n".join(lines))
    told = ask("interpreter", python=python, cwd=gone, script=starter)
    assert told.facts.probe == "ok"
    assert str(gone) not in told.facts.sys_path


def test_a_python_that_is_too_old_says_so() -> None:
    """Where no such Python is at hand the answer itself is checked: an Unread probe, or an Unread section."""
    record = answer.Answer("unused", None)
    record.too_old((99, 0))
    assert record.facts["probe"]["why"] == "unsupported"
    section = answer.Answer("unused", "nvml")
    section.too_old((99, 0))
    assert section.whole["detail"].endswith("99.0 is the oldest")
