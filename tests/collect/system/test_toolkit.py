"""CUDA toolkits in torch's order of choice, and the host compiler."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from envcheck.collect.process import ProcessResult
from envcheck.collect.system.toolkit import collect_toolkit
from envcheck.facts import Toolkit, ToolkitInstall, Unread
from tests.collect.system.trees import tree
from tests.fakes.tree import File, Files, Folder, Link

NVCC_11 = (
    b"nvcc: NVIDIA (R) Cuda compiler driver\nCopyright (c) 2005-2022 NVIDIA Corporation\n"
    b"Cuda compilation tools, release 11.7, V11.7.64\nBuild cuda_11.7.r11.7/compiler.31294372_0\n"
)
PROGRAM = File("", 0o755)


def home(path: str, version: str | None = None) -> Files:
    files: dict[str, File | str] = {f"{path}/bin/nvcc": PROGRAM}
    if version:
        files[f"{path}/version.json"] = (
            f'{{"cuda": {{"name": "CUDA SDK", "version": "{version}.20240301"}},'
            f' "cuda_nvcc": {{"name": "CUDA NVCC", "version": "{version}.99"}}}}'
        )
    return files


def toolkit_of(place: Path, *parts: Files, answers: dict[str, ProcessResult] | None = None, **environ: str) -> Toolkit:
    root = tree(place, {"etc/x": ""}, *parts)

    def run(argv: Sequence[str]) -> ProcessResult:
        asked = argv[0].removeprefix(str(place))
        return (answers or {}).get(asked, ProcessResult(start_error=f"{asked}: not expected to run"))

    return collect_toolkit(root, "linux", {"PATH": "/usr/bin:/bin", **environ}, run=run)


def test_the_order_of_torch(tmp_path: Path) -> None:
    """CUDA_HOME, CUDA_PATH, nvcc on PATH, /usr/local/cuda, then other versions; each installation once."""
    parts = [home("opt/a", "13.0"), home("opt/b", "12.8"), home("opt/c", "12.6")]
    parts += [home("usr/local/cuda-12.4", "12.4"), home("usr/local/cuda-11.8", "11.8")]
    links = {"usr/local/cuda": Link("usr/local/cuda-12.4")}
    toolkit = toolkit_of(tmp_path, *parts, links, CUDA_HOME="/opt/a", CUDA_PATH="/opt/b", PATH="/opt/c/bin")
    assert toolkit.toolkits == [
        ToolkitInstall(nvcc="/opt/a/bin/nvcc", version="13.0", found_by="CUDA_HOME"),
        ToolkitInstall(nvcc="/opt/b/bin/nvcc", version="12.8", found_by="CUDA_PATH"),
        ToolkitInstall(nvcc="/opt/c/bin/nvcc", version="12.6", found_by="PATH"),
        ToolkitInstall(nvcc="/usr/local/cuda/bin/nvcc", version="12.4", found_by="/usr/local/cuda"),
        ToolkitInstall(nvcc="/usr/local/cuda-11.8/bin/nvcc", version="11.8", found_by="/usr/local/cuda-11.8"),
    ]
    assert (toolkit.cuda_home, toolkit.cuda_home_exists) == ("/opt/a", True)


def test_a_cuda_home_that_leads_nowhere(tmp_path: Path) -> None:
    """torch takes CUDA_HOME even if it does not exist: it is told, and is no toolkit."""
    toolkit = toolkit_of(tmp_path, home("usr/local/cuda", "12.4"), CUDA_HOME="/usr/local/cuda-99")
    assert (toolkit.cuda_home, toolkit.cuda_home_exists) == ("/usr/local/cuda-99", False)
    assert isinstance(toolkit.toolkits, list)
    assert [install.found_by for install in toolkit.toolkits] == ["/usr/local/cuda"]


def test_nothing_to_compile_with(tmp_path: Path) -> None:
    """No toolkit is the normal state of a machine that runs wheels: known absences."""
    toolkit = toolkit_of(tmp_path, CUDA_HOME="")
    assert toolkit == Toolkit(
        toolkits=[], cuda_home=None, cuda_home_exists=None, host_compiler=None, host_compiler_version=None, ninja=None
    )


def test_versions_from_files_and_from_nvcc_itself(tmp_path: Path) -> None:
    """version.json, the older version.txt, and else what nvcc says; a distribution's nvcc has no such file."""
    old = {"usr/local/cuda-10.0/version.txt": "CUDA Version 10.0.130\n"}
    toolkit = toolkit_of(
        tmp_path,
        home("usr"),
        home("usr/local/cuda-10.0"),
        old,
        answers={"/usr/bin/nvcc": ProcessResult(exit_code=0, stdout=NVCC_11)},
    )
    assert isinstance(toolkit.toolkits, list)
    assert [(install.found_by, install.version) for install in toolkit.toolkits] == [
        ("PATH", "11.7"),
        ("/usr/local/cuda-10.0", "10.0"),
    ]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (ProcessResult(timed_out=True, deadline=3.0), "timeout"),
        (ProcessResult(signal=11), "crashed"),
        (ProcessResult(start_error="nvcc: Permission denied", start_refused=True), "refused"),
        (ProcessResult(exit_code=0, stdout=b"\xff\xfe"), "garbled"),
        (ProcessResult(exit_code=1, stderr=b"nvcc: command broken"), "garbled"),
    ],
)
def test_an_nvcc_that_does_not_answer(tmp_path: Path, answer: ProcessResult, why: str) -> None:
    """The toolkit is there; only its version is unread, with the reason."""
    toolkit = toolkit_of(tmp_path, home("usr/local/cuda"), answers={"/usr/local/cuda/bin/nvcc": answer})
    assert isinstance(toolkit.toolkits, list)
    (install,) = toolkit.toolkits
    assert isinstance(install.version, Unread)
    assert install.version.why == why


@pytest.mark.parametrize(
    ("variable", "path", "answer", "version"),
    [
        ("", "/usr/bin/g++", b"12.2.0\n", "12.2.0"),
        ("ccache g++-13 -m64", "/usr/bin/g++-13", b"13.3.0\n", "13.3.0"),
        ("/opt/gcc/bin/g++", "/opt/gcc/bin/g++", b"9\n", "9"),
        ("clang++", "/usr/bin/clang++", b"17.0.6\n", "17.0.6"),
        ("", "/usr/bin/g++", b"strange", "garbled"),
    ],
)
def test_the_host_compiler(tmp_path: Path, variable: str, path: str, answer: bytes, version: str) -> None:
    """CXX where it is set, its wrapper and options aside; else g++."""
    programs = dict.fromkeys(("usr/bin/g++", "usr/bin/g++-13", "usr/bin/clang++", "usr/bin/ninja"), PROGRAM)
    answers = {path: ProcessResult(exit_code=0, stdout=answer)}
    toolkit = toolkit_of(tmp_path, programs, {"opt/gcc/bin/g++": PROGRAM}, answers=answers, CXX=variable)
    assert (toolkit.host_compiler, toolkit.ninja) == (path, "/usr/bin/ninja")
    told = toolkit.host_compiler_version
    assert (told.why if isinstance(told, Unread) else told) == version


def test_a_program_is_run_through_the_wall(tmp_path: Path) -> None:
    """Without a runner given, a real program is started, bounded, with the user's variables in the C locale."""
    script = '#!/bin/sh\ntest "$LC_ALL" = C && test "$MARK" = here && echo 14.2.0\n'
    root = tree(tmp_path, {"usr/bin/g++": File(script, 0o755), "usr/local": Folder()})
    toolkit = collect_toolkit(root, "linux", {"PATH": "/usr/bin", "MARK": "here", "LC_ALL": "de_DE"})
    assert toolkit.host_compiler_version == "14.2.0"
