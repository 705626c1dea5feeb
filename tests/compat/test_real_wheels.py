"""The tables against the wheels themselves: what they say of a release is re-derived from its files.

``ENVCHECK_TORCH_SITE`` names a site-packages folder with torch 2.13.0 (a CPU build will do), ``ENVCHECK_TORCH_WHEEL``
a Linux x86_64 CUDA wheel of a release of the table (``pip download --no-deps torch==2.14.1``).
"""

from __future__ import annotations

import ast
import mmap
import os
import re
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

from envcheck.compat import table
from envcheck.compat.judgement import CUDNN_DROPS
from envcheck.compat.rows import SmRule, TorchBuild, TorchRelease
from envcheck.compat.sm import coverage
from envcheck.compat.torch_builds import cudnn_pin, nccl_pin, release, torch_build, triton_pin
from envcheck.compat.version import cuda_of, variant_of

pytestmark = pytest.mark.slow

ARCH_FLAGS = re.compile(rb"(?:(?:sm|compute)_\d+[af]? ){1,}(?:sm|compute)_\d+[af]?")


@pytest.fixture(scope="module")
def site() -> Path:
    folder = os.environ.get("ENVCHECK_TORCH_SITE")
    if not folder:
        pytest.skip("ENVCHECK_TORCH_SITE names no site-packages with torch")
    return Path(folder)


@pytest.fixture(scope="module")
def wheel() -> Path:
    path = os.environ.get("ENVCHECK_TORCH_WHEEL")
    if not path:
        pytest.skip("ENVCHECK_TORCH_WHEEL names no CUDA wheel")
    return Path(path)


def assigned(source: str, name: str) -> object:
    """The literal that a module assigns to ``name``, without running it."""
    for node in ast.parse(source).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(t, ast.Name) and t.id == name for t in targets):
            value = node.value  # type: ignore[union-attr]
            assert value is not None
            return ast.literal_eval(value)
    raise AssertionError(f"{name} is not assigned")


def installed(site: Path) -> TorchRelease:
    version = assigned((site / "torch/version.py").read_text(), "__version__")
    found = release(str(version))
    assert isinstance(found, TorchRelease), f"torch {version} is not in the table"
    return found


def test_a_release_row_matches_its_metadata(site: Path) -> None:
    """Python requirement, Python tag, platform tag and commit are those of the installed wheel."""
    row = installed(site)
    (info,) = site.glob(f"torch-{row.version}*.dist-info")
    metadata = HeaderParser().parsestr((info / "METADATA").read_text())
    assert metadata["Requires-Python"] == row.requires_python
    tag = HeaderParser().parsestr((info / "WHEEL").read_text())["Tag"]
    python = re.match(r"cp(\d)(\d+)-", tag)
    assert python and f"{python[1]}.{python[2]}" in row.python["linux_x86_64"]
    assert f"manylinux_{row.glibc['linux_x86_64'].replace('.', '_')}_x86_64" in tag
    commit = str(assigned((site / "torch/version.py").read_text(), "git_version"))
    assert commit.startswith(row.git)


def test_the_binary_knows_numpy_2_and_the_new_abi(site: Path) -> None:
    """numpy._core and std::__cxx11 stand in the library where the table says so."""
    row = installed(site)
    with (site / "torch/lib/libtorch_python.so").open("rb") as file:
        view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        assert (view.find(b"numpy._core") >= 0) is row.numpy2["linux"]
        assert (view.find(b"__cxx11") >= 0) is row.cxx11_abi


def test_the_build_table_matches_the_wheels_own_list(site: Path) -> None:
    """torch/cuda/__init__.py lists the code of every published variant; the table agrees with it."""
    row = installed(site)
    source = (site / "torch/cuda/__init__.py").read_text()
    listed = assigned(source, "PYTORCH_RELEASES_CODE_CC")
    assert isinstance(listed, dict)
    compared = 0
    for cuda, machines in listed.items():
        for machine, codes in machines.items():
            build = torch_build(row.version, variant_of(cuda), f"linux_{machine}")  # type: ignore[arg-type]
            if isinstance(build, TorchBuild):
                assert build.archs == sorted(codes), build.name
                compared += 1
    assert compared >= 6


def test_the_sm_rules_match_torchs_own(site: Path) -> None:
    """DEVICE_REQUIREMENT of the wheel and the table say the same of every target and every device."""
    source = (site / "torch/cuda/__init__.py").read_text()
    block = source[source.index("DEVICE_REQUIREMENT") :]
    rules = table.rows("sm_rules", SmRule)
    devices = [rule.sm for rule in rules]
    entry = re.compile(r"(\d+): _Compat(Interval|Set)\((?:start=(\d+)(?:, exclude=\{([\d, ]+)\})?|\{([\d, ]+)\})\)")
    found = entry.findall(block[: block.index("\n}")])
    assert len(found) >= 20
    for target, kind, start, excluded, exact in found:
        for device in devices:
            if kind == "Set":
                runs = str(device) in re.findall(r"\d+", exact)
            else:
                within = device // 10 == int(start) // 10 and device >= int(start)
                runs = within and str(device) not in re.findall(r"\d+", excluded)
            # torch has no rule that 11.0 code runs on 10.1; it is the same GPU under its older name.
            if (int(target), device) != (110, 101):
                assert (coverage(device, [int(target)]) == "cubin") is runs, (target, device)


def test_cudnns_limit_matches_torchs_own(site: Path) -> None:
    """From which cuDNN on, and below which device, torch refuses to use it."""
    source = (site / "torch/backends/cudnn/__init__.py").read_text()
    found = re.search(r"__cudnn_version >= (\d+) and min_cc < \((\d), (\d)\)", source)
    assert found
    number = int(found[1])
    assert (f"{number // 10000}.{number // 100 % 100}", 10 * int(found[2]) + int(found[3])) == CUDNN_DROPS


def test_a_cuda_wheel_matches_its_row(wheel: Path) -> None:
    """Version, CUDA, arch flags, cuDNN, NCCL and triton of a whole wheel are those of the table."""
    with zipfile.ZipFile(wheel) as archive:
        version_py = archive.read("torch/version.py").decode()
        (metadata_name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        requires = HeaderParser().parsestr(archive.read(metadata_name).decode()).get_all("Requires-Dist") or []
        library = archive.read("torch/lib/libtorch_python.so")
    version, cuda = assigned(version_py, "__version__"), assigned(version_py, "cuda")
    assert isinstance(version, str) and isinstance(cuda, str)
    row = release(version)
    build = torch_build(version, variant_of(cuda), "linux_x86_64")
    assert isinstance(row, TorchRelease) and isinstance(build, TorchBuild)
    assert version == build.name and cuda == cuda_of(build.variant) and build.default
    assert str(assigned(version_py, "git_version")).startswith(row.git)
    flags = max(ARCH_FLAGS.findall(library), key=len).decode().split()
    assert build.archs == sorted(int(f[3:]) for f in flags if f.startswith("sm_"))
    assert build.ptx == sorted(int(f[8:]) for f in flags if f.startswith("compute_"))
    pins = {re.split(r"[=<>~! \[;]", line)[0]: line.split(";")[0].strip() for line in requires}
    major = cuda.split(".")[0]
    assert pins[f"nvidia-cudnn-cu{major}"] == f"nvidia-cudnn-cu{major}=={cudnn_pin(version, build.variant)}"
    assert pins[f"nvidia-nccl-cu{major}"] == f"nvidia-nccl-cu{major}=={nccl_pin(version, build.variant)}"
    assert pins["triton"] == f"triton{triton_pin(version, build.variant)}"
