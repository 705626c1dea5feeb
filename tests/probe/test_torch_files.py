"""torch as its files describe it: right for every shape that an installation or its wreck can have."""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from envcheck.facts import Unread
from envcheck.probe import torch_binary
from tests.probe.conftest import Ask
from tests.probe.packages import EXTENSION, OLD_ABI, elf, install, torch_files

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the pretended libraries are ELF files")

LIST = ["sm_70", "sm_75", "sm_80", "sm_86", "sm_90", "sm_100", "sm_120"]


def test_a_whole_installation_is_read_without_importing_it(ask: Ask, python: Path, site: Path) -> None:
    """Version, build, architectures, ABI and file sizes come from the files; METADATA lacks the build tag."""
    install(site, "torch", "2.8.0", torch_files(), tags=["cp311-cp311-manylinux_2_28_x86_64"])
    torch = ask("interpreter", python=python).facts.torch
    assert torch.location == str(site / "torch")
    assert torch.in_site_packages is True
    assert (torch.version, torch.metadata_version, torch.cuda, torch.hip) == ("2.8.0+cu128", "2.8.0", "12.8", None)
    assert (torch.git, torch.debug, torch.xpu) == ("ab" * 20, False, None)
    assert torch.arch_list == LIST
    assert (torch.cxx11_abi, torch.needs_numpy1) == (True, False)
    assert torch.extension_tags == [EXTENSION]
    assert torch.damaged == []
    assert torch.copies == [str(site / "torch" / "version.py")]


def test_no_torch_is_a_known_absence(ask: Ask, python: Path) -> None:
    """Where an import would find nothing, torch is None and not unread."""
    facts = ask("interpreter", python=python).facts
    assert facts.torch is None
    assert next(item.origin for item in facts.origins if item.module == "torch") is None


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (torch_files("2.8.0+cpu", cuda=None), {"cuda": None, "arch_list": []}),
        (torch_files("2.8.0+rocm6.4", cuda=None, hip="6.4.43482"), {"hip": "6.4.43482", "arch_list": []}),
        (torch_files(archs=b"sm_90"), {"arch_list": ["sm_90"]}),
        (torch_files(archs=b"sm_90a compute_120f"), {"arch_list": ["sm_90a", "compute_120f"]}),
        (torch_files(numpy=b"nothing"), {"needs_numpy1": True}),
        (torch_files(symbol=OLD_ABI), {"cxx11_abi": False}),
    ],
    ids=["cpu", "rocm", "one architecture", "suffixes and PTX", "built for NumPy 1", "old C++ ABI"],
)
def test_builds_are_told_apart(
    ask: Ask, python: Path, site: Path, files: dict[str, bytes], expected: dict[str, object]
) -> None:
    """Each kind of build shows in its own fact."""
    install(site, "torch", "2.8.0", files)
    torch = ask("interpreter", python=python).facts.torch
    assert {name: getattr(torch, name) for name in expected} == expected


def test_the_architecture_list_may_follow_another_literal_directly(tmp_path: Path) -> None:
    """In torch 2.8.0+cu128 the bytes of an unrelated literal stand right before the list, without a NUL between."""
    library = tmp_path / "libtorch_python.so"
    library.write_bytes(elf(b"std::string ipc_hsm_70 sm_75 sm_80", glued=True))
    assert torch_binary.scan(str(library), True)["arch_list"] == ["sm_70", "sm_75", "sm_80"]


def test_words_that_look_like_architectures_are_no_list(tmp_path: Path) -> None:
    """Names that contain sm_ or compute_ are everywhere in a library; only a string of nothing else is the list."""
    library = tmp_path / "libtorch_python.so"
    library.write_bytes(elf(b"sm_margin", b"compute_100_percent", b"asm_80", b"sm_80,sm_90", b"use sm_90 now"))
    told = torch_binary.scan(str(library), True)["arch_list"]
    assert told["kind"] == "unread"
    assert told["why"] == "missing"


def test_a_library_cut_short_proves_nothing(ask: Ask, python: Path, site: Path) -> None:
    """What is missing from half a file must not read as "built for NumPy 1" or as an empty list."""
    install(site, "torch", "2.8.0", torch_files())
    library = site / "torch/lib/libtorch_python.so"
    whole = library.stat().st_size
    os.truncate(library, whole - 100)
    torch = ask("interpreter", python=python).facts.torch
    assert isinstance(torch.arch_list, Unread)
    assert torch.arch_list.why == "garbled"
    assert isinstance(torch.needs_numpy1, Unread)
    assert [(item.path, item.expected_bytes, item.actual_bytes) for item in torch.damaged] == [
        (str(library), whole, whole - 100)
    ]


def test_missing_empty_and_zeroed_libraries(ask: Ask, python: Path, site: Path) -> None:
    """A file that is gone has no size; one of the right size with a zeroed head is no ELF file."""
    install(site, "torch", "2.8.0", torch_files())
    lib = site / "torch" / "lib"
    (lib / "libtorch_cpu.so").unlink()
    os.truncate(lib / "libc10.so", 0)
    python_library = lib / "libtorch_python.so"
    python_library.write_bytes(bytes(64) + python_library.read_bytes()[64:])
    torch = ask("interpreter", python=python).facts.torch
    assert [(Path(item.path).name, item.actual_bytes) for item in torch.damaged] == [
        ("libtorch_cpu.so", None),
        ("libc10.so", 0),
    ]
    assert isinstance(torch.cxx11_abi, Unread)
    assert isinstance(torch.arch_list, Unread)


def test_libraries_of_the_nvidia_wheels_are_checked_too(ask: Ask, python: Path, site: Path) -> None:
    """torch needs them, so a cut one is its damage; their other files are not its business."""
    install(site, "torch", "2.8.0", torch_files())
    install(
        site,
        "nvidia-cudnn-cu12",
        "9.10.2.21",
        {"nvidia/cudnn/lib/libcudnn.so.9": b"library", "nvidia/cudnn/include/cudnn.h": b"header"},
    )
    (site / "nvidia/cudnn/lib/libcudnn.so.9").write_bytes(b"lib")
    (site / "nvidia/cudnn/include/cudnn.h").write_bytes(b"")
    torch = ask("interpreter", python=python).facts.torch
    assert [item.path for item in torch.damaged] == [str(site / "nvidia/cudnn/lib/libcudnn.so.9")]


def test_a_comma_in_a_recorded_name(ask: Ask, python: Path, site: Path) -> None:
    """RECORD is CSV: a quoted name with commas is one name."""
    install(site, "torch", "2.8.0", {**torch_files(), "torch/include/a,b.h": b"12345"})
    assert ask("interpreter", python=python).facts.torch.damaged == []
    (site / "torch/include/a,b.h").write_bytes(b"123")
    found = ask("interpreter", python=python).facts.torch.damaged
    assert [(item.path, item.expected_bytes) for item in found] == [(str(site / "torch/include/a,b.h"), 5)]


def test_leftover_metadata_of_another_release(ask: Ask, python: Path, site: Path) -> None:
    """Of two metadata folders the one with version.py's release owns the files; the others are listed beside it."""
    install(site, "torch", "2.7.1", {"torch/gone.py": b"old"})
    (site / "torch/gone.py").unlink()
    install(site, "torch", "2.8.0", torch_files())
    (site / "torch-2.6.0.dist-info").mkdir()
    shutil.copytree(site / "torch-2.7.1.dist-info", site / "~orch-2.7.1.dist-info")
    facts = ask("interpreter", python=python).facts
    assert facts.torch.metadata_version == "2.8.0"
    assert facts.torch.damaged == []
    assert [(item.name, item.version, item.folder) for item in facts.distributions] == [
        ("torch", None, "torch-2.6.0.dist-info"),
        ("torch", "2.7.1", "torch-2.7.1.dist-info"),
        ("torch", "2.8.0", "torch-2.8.0.dist-info"),
        ("~orch", "2.7.1", "~orch-2.7.1.dist-info"),
    ]


def test_metadata_that_fits_no_file_gives_no_sizes(ask: Ask, python: Path, site: Path) -> None:
    """Two releases of metadata, and version.py is a third: nobody knows the sizes, and damage is unread, not found."""
    install(site, "torch", "2.6.0", {"torch/a.py": b"a"})
    install(site, "torch", "2.7.1", {"torch/b.py": b"b"})
    install(site, "other", "1", torch_files())
    torch = ask("interpreter", python=python).facts.torch
    assert isinstance(torch.damaged, Unread)
    assert torch.damaged.why == "missing"


def test_a_local_torch_py_shadows_the_installation(ask: Ask, python: Path, site: Path, tmp_path: Path) -> None:
    """As the user starts it, the working folder comes first; isolated, the installation is found."""
    install(site, "torch", "2.8.0", torch_files())
    work = tmp_path / "work"
    work.mkdir()
    (work / "torch.py").write_text("")
    torch = ask("interpreter", python=python, cwd=work).facts.torch
    assert (torch.location, torch.in_site_packages) == (str(work / "torch.py"), False)
    assert torch.copies == [str(site / "torch" / "version.py")]
    isolated = ask("interpreter", python=python, cwd=work, flags=("-I", "-B")).facts.torch
    assert (isolated.location, isolated.in_site_packages) == (str(site / "torch"), True)


def test_the_folder_of_the_users_script_can_stand_in_for_the_working_folder(
    ask: Ask, python: Path, tmp_path: Path
) -> None:
    """``python script.py`` puts the script's folder first: path0 says which."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    (scripts / "torch.py").write_text("")
    facts = ask("interpreter", f"path0={scripts}", python=python).facts
    assert facts.sys_path[0] == str(scripts)
    assert facts.torch.location == str(scripts / "torch.py")


@pytest.mark.parametrize(("installed", "expected"), [(False, False), (True, True)])
def test_a_source_tree_is_no_installation_unless_its_metadata_stands_beside_it(
    ask: Ask, python: Path, tmp_path: Path, installed: bool, expected: bool
) -> None:
    """A clone that one happens to stand in shadows torch; a tree that was installed (develop, --target) is torch."""
    tree = tmp_path / "pytorch"
    for path, content in torch_files().items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(content)
    if installed:
        (tree / "torch.egg-info").mkdir()
        (tree / "torch.egg-info/PKG-INFO").write_text("Metadata-Version: 2.1\nName: torch\nVersion: 2.8.0a0\n\n")
    facts = ask("interpreter", python=python, cwd=tree).facts
    assert facts.torch.in_site_packages is expected
    assert facts.torch.metadata_version == ("2.8.0a0" if installed else None)


def test_a_second_copy_by_pythonpath(ask: Ask, python: Path, site: Path, tmp_path: Path) -> None:
    """Both copies are listed, in the order in which an import would meet them."""
    install(site, "torch", "2.8.0", torch_files())
    other = tmp_path / "other" / "site-packages"
    install(other, "torch", "2.3.1", torch_files("2.3.1+cu121", cuda="12.1"))
    torch = ask("interpreter", python=python, environ={"PYTHONPATH": str(other)}).facts.torch
    assert torch.version == "2.3.1+cu121"
    assert torch.copies == [str(other / "torch/version.py"), str(site / "torch/version.py")]


def test_an_empty_folder_named_torch_is_harmless(ask: Ask, python: Path, site: Path, tmp_path: Path) -> None:
    """A namespace package gives way to a real one further down the path."""
    install(site, "torch", "2.8.0", torch_files())
    work = tmp_path / "work"
    (work / "torch").mkdir(parents=True)
    assert ask("interpreter", python=python, cwd=work).facts.torch.location == str(site / "torch")


@pytest.mark.parametrize("text", ["__version__ = (\n", "x = 1\n", "\0"], ids=["syntax", "no version", "binary"])
def test_a_broken_version_file(ask: Ask, python: Path, site: Path, text: str) -> None:
    """version.py that cannot be understood leaves its facts unread and nothing else."""
    install(site, "torch", "2.8.0", {**torch_files(), "torch/version.py": text.encode()})
    facts = ask("interpreter", python=python).facts
    assert facts.probe == "ok"
    assert isinstance(facts.torch.version, Unread)
    assert facts.torch.metadata_version == "2.8.0"


def conda_record(site: Path, **sizes: int) -> str:
    inside = site.relative_to(site.parents[2])
    paths: list[dict[str, object]] = [
        {"_path": f"{inside}/torch/lib/{name}.so", "path_type": "hardlink", "size_in_bytes": size}
        for name, size in sizes.items()
    ]
    paths.append({"_path": "bin/torchrun", "prefix_placeholder": "/opt/x", "size_in_bytes": 1})
    return json.dumps({"channel": "conda-forge", "paths_data": {"paths": paths}})


def test_conda_sizes_come_from_condas_own_record(ask: Ask, python: Path, venv: Path, site: Path) -> None:
    """conda rewrites libraries after RECORD was written, so RECORD would accuse a healthy one; conda-meta tells."""
    install(site, "torch", "2.8.0", torch_files(), installer="conda")
    (site / "torch/lib/libc10.so").write_bytes(elf(b"rewritten by conda"))
    meta = venv / "conda-meta"
    meta.mkdir()
    size = (site / "torch/lib/libc10.so").stat().st_size
    (meta / "pytorch-2.8.0-cuda128_py311.json").write_text(conda_record(site, libc10=size))
    (venv / "bin/torchrun").write_text("edited on installation")
    assert ask("interpreter", python=python).facts.torch.damaged == []
    os.truncate(site / "torch/lib/libc10.so", 5)
    damaged = ask("interpreter", python=python).facts.torch.damaged
    assert [(item.expected_bytes, item.actual_bytes) for item in damaged] == [(size, 5)]
