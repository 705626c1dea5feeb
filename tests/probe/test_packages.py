"""What is installed: every metadata folder, conda's own records, and libraries that must exist once."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from envcheck.facts import Unread
from envcheck.probe import distributions
from tests.probe.conftest import Ask
from tests.probe.packages import install


@pytest.mark.wheel
def test_the_own_interpreter_agrees_with_importlib_metadata(ask: Ask) -> None:
    """Names and versions read from folder names are those that METADATA holds."""
    from importlib.metadata import distributions as installed

    expected = {(distributions.normalise(item.name), item.version) for item in installed()}
    facts = ask("interpreter", environ={"PYTHONPATH": os.pathsep.join(filter(os.path.isdir, sys.path))}).facts
    assert expected <= {(item.name, item.version) for item in facts.distributions}


@pytest.mark.parametrize(
    ("folder", "name", "version"),
    [
        ("torch-2.13.0+cpu.dist-info", "torch", "2.13.0+cpu"),
        ("~orch-2.13.0.dist-info", "~orch", "2.13.0"),
        ("Jaraco.Text-4.0.0.dist-info", "jaraco-text", "4.0.0"),
        ("nvidia_cublas_cu12-12.8.4.1.dist-info", "nvidia-cublas-cu12", "12.8.4.1"),
        ("zope.interface-7.0-py3.11-linux-x86_64.egg-info", "zope-interface", "7.0"),
        ("old-name-1.0.dist-info", "old-name", "1.0"),
        ("project.egg-info", "project", None),
        ("project.egg-link", "project", None),
        ("a__b-1.dist-info", "a-b", "1"),
    ],
)
def test_names_of_metadata_folders(folder: str, name: str, version: str | None) -> None:
    """A folder's name gives the normalised name (PEP 503) and the version."""
    found, told = distributions.split_folder(folder)
    assert (distributions.normalise(found), told) == (name, version)


def test_what_is_read_of_the_torch_family(ask: Ask, python: Path, site: Path) -> None:
    """Requirements, installer, wheel tag, build tag and origin of the family; of others the name and version alone."""
    install(
        site,
        "torchvision",
        "0.28.0",
        {"torchvision/version.py": b"__version__ = '0.28.0+cu130'\ngit_version = 'x'\n"},
        requires=["numpy", "torch==2.13.0", 'gdown>=4.7.3; extra == "gdown"'],
        installer="uv",
        tags=["cp311-cp311-manylinux1_x86_64", "cp311-cp311-manylinux_2_28_x86_64"],
    )
    url = {"url": "file:///home/student/flash", "dir_info": {"editable": True}}
    install(site, "flash-attn", "2.8.3", extra={"direct_url.json": json.dumps(url)})
    install(site, "requests", "2.32.0", requires=["idna"])
    told = {item.name: item for item in ask("interpreter", python=python).facts.distributions}
    vision = told["torchvision"]
    assert vision.requires == ["numpy", "torch==2.13.0", 'gdown>=4.7.3; extra == "gdown"']
    assert (vision.installer, vision.tag_version) == ("uv", "0.28.0+cu130")
    assert vision.wheel_tag == "cp311-cp311-manylinux1_x86_64.manylinux_2_28_x86_64"
    assert (vision.direct_url, vision.editable) == (None, False)
    assert (told["flash-attn"].direct_url, told["flash-attn"].editable) == ("file:///home/student/flash", True)
    assert told["requests"].version == "2.32.0"
    assert isinstance(told["requests"].requires, Unread)
    assert told["requests"].requires.why == "not_asked"


def test_a_broken_direct_url_costs_only_itself(ask: Ask, python: Path, site: Path) -> None:
    """JSON that is none leaves two facts unread."""
    install(site, "torchaudio", "2.11.0", extra={"direct_url.json": "{"})
    (found,) = ask("interpreter", python=python).facts.distributions
    assert (found.direct_url.why, found.editable.why) == ("garbled", "garbled")
    assert found.requires == []


def test_one_folder_under_two_names_is_read_once(ask: Ask, python: Path, site: Path, tmp_path: Path) -> None:
    """lib64 is often a link to lib: its packages are no second copies."""
    install(site, "numpy", "2.3.4")
    (tmp_path / "lib64").symlink_to(site)
    facts = ask("interpreter", python=python, environ={"PYTHONPATH": str(tmp_path / "lib64")}).facts
    assert [item.name for item in facts.distributions] == ["numpy"]


def test_conda_packages_of_interest(ask: Ask, venv: Path, python: Path) -> None:
    """Name, version and build come from the file's name, the channel from its head; other packages are left out."""
    meta = venv / "conda-meta"
    meta.mkdir()
    long = {"files": ["x" * 100] * 1000}
    for file, told in {
        "history": None,
        "pytorch-2.8.0-cuda128_mkl_py311_h1_300.json": {"build": "b", "channel": "conda-forge", **long},
        "mkl-2024.2.2-ha957f24_16.json": {**long, "channel": "https://repo.anaconda.com/pkgs/main"},
        "cuda-version-12.9-3.json": {"name": "cuda-version"},
        "numpy-2.3.4-py311_0.json": "{",
        "zlib-1.3.1-hb9d3cd8_2.json": {"channel": "conda-forge"},
    }.items():
        (meta / file).write_text(told if isinstance(told, str) else json.dumps(told))
    facts = ask("interpreter", python=python).facts
    assert facts.manager == "conda"
    packages = {item.name: item for item in facts.conda_packages}
    assert sorted(packages) == ["cuda-version", "mkl", "numpy", "pytorch"]
    torch = packages["pytorch"]
    assert (torch.version, torch.build, torch.channel) == ("2.8.0", "cuda128_mkl_py311_h1_300", "conda-forge")
    assert packages["mkl"].channel == "https://repo.anaconda.com/pkgs/main"
    assert (packages["cuda-version"].channel.why, packages["numpy"].channel.why) == ("missing", "garbled")


def test_no_conda_environment_has_no_conda_packages(ask: Ask, python: Path) -> None:
    """A known absence, not an empty list."""
    assert ask("interpreter", python=python).facts.conda_packages is None


def test_copies_of_sensitive_libraries(ask: Ask, python: Path, site: Path) -> None:
    """Links to one file are one copy under its soname; a second copy in another folder is a second record."""
    cudnn = site / "nvidia/cudnn/lib"
    cudnn.mkdir(parents=True)
    (cudnn / "libcudnn.so.9.10.2").write_text("")
    (cudnn / "libcudnn.so.9").symlink_to("libcudnn.so.9.10.2")
    (cudnn / "libcudnn.so").symlink_to("libcudnn.so.9")
    (site / "torch/lib").mkdir(parents=True)
    (site / "torch/lib/libgomp.so.1").write_text("")
    (site / "numpy.libs").mkdir()
    (site / "numpy.libs/libgomp-a34b3233.so.1.0.0").write_text("")
    (site / "numpy.libs/libscipy_openblas64_-1f2.so").write_text("")
    found = [(item.soname, item.version) for item in ask("interpreter", python=python).facts.library_copies]
    assert sorted(found, key=str) == [
        ("libcudnn.so.9", "9.10.2"),
        ("libgomp-a34b3233.so.1.0.0", "1.0.0"),
        ("libgomp.so.1", None),
    ]
