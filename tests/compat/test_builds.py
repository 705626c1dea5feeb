"""torch wheels and their companions: the trios, pins, Pythons and defaults that the wheels themselves state."""

from __future__ import annotations

import pytest

from envcheck.compat.companions import Trio, companion_fits, torch_wanted_by, trio
from envcheck.compat.peaks import peaks
from envcheck.compat.rows import Peak, TorchBuild
from envcheck.compat.toolchain import CompilerLimit, host_compiler_limit, toolkit_knows, toolkit_targets
from envcheck.compat.torch_builds import (
    builds_of,
    cudnn_pin,
    cxx11_abi,
    default_build,
    glibc_floor,
    is_experimental,
    nccl_pin,
    nearest_release,
    numpy2_ok,
    platform_of,
    python_supported,
    release,
    rocm_variants,
    torch_build,
    triton_pin,
)
from envcheck.facts import Unread


@pytest.mark.parametrize(
    ("version", "platform", "variant"),
    [
        ("1.8.1", "linux_x86_64", "cu102"),
        ("2.0.1", "linux_x86_64", "cu117"),
        ("2.4.1", "linux_x86_64", "cu121"),
        ("2.7.1", "linux_x86_64", "cu126"),
        ("2.10.0", "linux_x86_64", "cu128"),
        ("2.11.0", "linux_x86_64", "cu130"),
        ("2.15.0", "linux_x86_64", "cu132"),
        ("2.10.0", "linux_aarch64", "cpu"),
        ("2.11.0", "linux_aarch64", "cu130"),
        ("2.15.0", "windows_x86_64", "cpu"),
        ("2.15.0", "macos_arm64", "cpu"),
        ("2.3.0", "macos_x86_64", None),
    ],
)
def test_default_build(version: str, platform: str, variant: str | None) -> None:
    """What plain pip gives changes by release and platform; Windows and macOS are always CPU."""
    assert default_build(version, platform) == variant  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("torch", "vision", "audio"),
    [
        ("1.8.1", "0.9.1", "0.8.1"),
        ("1.10.0", "0.11.1", "0.10.0"),  # 0.11.0 has a broken pin
        ("2.0.0", "0.15.1", "2.0.1"),  # 0.15.0 as well, and torchaudio 2.0.0 was replaced
        ("2.0.1", "0.15.2", "2.0.2"),
        ("2.9.1", "0.24.1", "2.9.1"),
        ("2.11.0", "0.26.0", "2.11.0"),
        ("2.14.1+cu126", "0.29.1", None),  # torchaudio ended at 2.11.0
    ],
)
def test_trio(torch: str, vision: str, audio: str | None) -> None:
    """The torchvision and torchaudio that belong to a release."""
    assert trio(torch) == Trio(torch.partition("+")[0], vision, audio)


@pytest.mark.parametrize(
    ("package", "version", "torch", "fits"),
    [
        ("torchvision", "0.24.1", "2.9.1+cu128", True),
        ("torchvision", "0.24.0", "2.9.1", False),
        ("torchvision", "0.28.0+cu130", "2.13.0+cpu", True),  # versions fit; the variants are another question
        ("torchvision", "0.29.2", "2.14.1", True),
        ("torchvision", "0.29.1", "2.13.0", False),
        ("torchvision", "0.15.0", "2.0.0", True),
        ("torchaudio", "2.9.1", "2.9.1", True),
        ("torchaudio", "2.0.2", "2.0.0", False),
        ("torchaudio", "2.11.0", "2.15.0", True),
        ("torchaudio", "2.11.0", "2.10.0", False),
    ],
)
def test_companion_fits(package: str, version: str, torch: str, fits: bool) -> None:
    """Exact pins to torchvision 0.29.0 and torchaudio 2.10, a minimum after that."""
    assert companion_fits(package, version, torch) is fits


def test_companions_outside_of_the_table() -> None:
    """Newer than the table, unknown, and nightly are three different ignorances; none accuses."""
    newer = companion_fits("torchvision", "0.31.0", "2.16.0")
    assert isinstance(newer, Unread) and newer.why == "newer_than_table"
    assert isinstance(companion_fits("torchvision", "0.9.9", "2.9.1"), Unread)
    assert isinstance(companion_fits("torchvision", "0.30.0.dev20261101+cu130", "2.16.0"), Unread)
    assert torch_wanted_by("torchaudio", "2.11.0") is None
    assert torch_wanted_by("torchvision", "0.24.1+cu128") == "==2.9.1"
    assert isinstance(torch_wanted_by("torchvision", "99"), Unread)


@pytest.mark.parametrize(
    ("version", "python", "platform", "threaded", "there"),
    [
        ("2.0.0", "3.12", "linux_x86_64", False, False),
        ("2.0.0", "3.11.7", "linux_x86_64", False, True),
        ("2.2.0", "3.12", "windows_x86_64", False, True),
        ("2.5.1", "3.13", "linux_x86_64", False, True),
        ("2.5.1", "3.13", "windows_x86_64", False, False),
        ("2.15.0", "3.10", "linux_x86_64", False, False),
        ("2.12.0", "3.13", "linux_x86_64", True, True),
        ("2.12.1", "3.13", "linux_x86_64", True, False),
        ("2.15.0", "3.14t", "linux_aarch64", False, True),
        ("2.3.0", "3.10", "macos_x86_64", False, False),
    ],
)
def test_python_supported(version: str, python: str, platform: str, threaded: bool, there: bool) -> None:
    """A wheel is there for a Python or is not, by the file names of the release."""
    assert python_supported(version, python, platform, threaded) is there  # type: ignore[arg-type]


def test_releases_outside_of_the_table() -> None:
    """Newer, older, in between, vendor builds: what nobody released is None, the rest is not known."""
    for version, why in (
        ("2.16.0", "newer_than_table"),
        ("1.4.0", "missing"),
        ("2.16.0.dev20261101+cu130", "unsupported"),
        ("2.6.0a0+df5bbc09d1.nv24.11", "unsupported"),
        ("2.9.0rc1", "unsupported"),
    ):
        found = release(version)
        assert isinstance(found, Unread) and found.why == why, version
        assert torch_build(version, "cu130", "linux_x86_64") == found
        assert python_supported(version, "3.12", "linux_x86_64") == found
    assert release("2.3.5") is None
    assert torch_build("2.3.5", "cu121", "linux_x86_64") is None
    assert default_build("2.3.5", "linux_x86_64") is None


def test_torch_build() -> None:
    """A listed build, one that is known not to exist, one that the table does not have, and the CPU build."""
    found = torch_build("2.7.1", "cu128", "linux_x86_64")
    assert isinstance(found, TorchBuild)
    assert (found.name, found.archs, found.ptx) == ("2.7.1+cu128", [75, 80, 86, 90, 100, 120], [120])
    assert torch_build("2.15.0", "cu126", "linux_x86_64") is None  # no CUDA 12 from 2.15 on
    assert isinstance(torch_build("2.9.1", "cu133", "linux_x86_64"), Unread)
    assert torch_build("2.9.1", "cu128", "macos_arm64") is None
    cpu = torch_build("2.9.1", "cpu", "windows_x86_64")
    assert isinstance(cpu, TorchBuild) and cpu.default and cpu.archs == []
    assert torch_build("2.3.0", "cpu", "macos_x86_64") is None
    lts = torch_build("1.8.2", "cu111", "linux_x86_64")
    assert isinstance(lts, TorchBuild)


def test_builds_of() -> None:
    """All variants of a release, CPU included, and none that is known not to be published."""
    assert [b.variant for b in builds_of("2.14.1", "linux_x86_64")] == ["cu126", "cu130", "cu132", "cpu"]
    assert "cu126" not in [b.variant for b in builds_of("2.15.0")]
    assert {b.platform for b in builds_of("2.14.1")} >= {"linux_x86_64", "linux_aarch64", "windows_x86_64"}
    assert builds_of("0.4.1") == []


def test_volta_flickers_in_cu128() -> None:
    """Absent in 2.7, present in 2.8 to 2.10, absent from 2.11 on; always in cu126."""
    having = []
    for version in ("2.7.1", "2.8.0", "2.9.1", "2.10.0", "2.11.0"):
        build = torch_build(version, "cu128", "linux_x86_64")
        assert isinstance(build, TorchBuild) and build.archs
        having.append(70 in build.archs)
    assert having == [False, True, True, True, False]


def test_release_wheels_carry_no_ptx() -> None:
    """The trap behind "no kernel image": a newer card gets nothing from an older wheel of the default index."""
    for version in ("2.4.1", "2.8.0", "2.11.0", "2.15.0"):
        build = torch_build(version, str(default_build(version, "linux_x86_64")), "linux_x86_64")
        assert isinstance(build, TorchBuild) and build.ptx == []


def test_pins() -> None:
    """cuDNN and NCCL by variant, triton by release; no CUDA, no pin; a silent table is not a missing pin."""
    assert cudnn_pin("2.14.1", "cu130") == "9.24.0.43"
    assert cudnn_pin("2.14.1+cu126", "cu126") == "9.10.2.21"
    assert nccl_pin("2.9.1", "cu128") == "2.27.5"
    assert triton_pin("2.14.1", "cu126") == "~=3.8.0"
    assert triton_pin("2.9.1", "cu130") == "==3.5.1"
    assert triton_pin("1.13.1", "cu117") is None
    assert cudnn_pin("2.9.1", "cpu") is None
    assert triton_pin("2.9.1", "cpu") is None
    assert isinstance(nccl_pin("2.9.1", "cu130"), Unread)
    assert isinstance(cudnn_pin("2.9.1", "cu133"), Unread)
    assert isinstance(cudnn_pin("2.16.0", "cu133"), Unread)


def test_library_floors() -> None:
    """manylinux2014 to 2.6, manylinux_2_28 from 2.7 on; 2.6.0+cu126 is ahead in glibc and in the C++ ABI."""
    assert glibc_floor("2.6.0", "cu124") == "2.17"
    assert glibc_floor("2.6.0", "cu126") == "2.28"
    assert glibc_floor("2.7.0") == "2.28"
    assert glibc_floor("2.9.1", platform="windows_x86_64") is None
    assert [cxx11_abi("2.6.0"), cxx11_abi("2.6.0", "cu126"), cxx11_abi("2.7.0")] == [False, True, True]


def test_numpy2() -> None:
    """Linux from 2.3.0, Windows only from 2.4.1, macOS not known."""
    assert [numpy2_ok(v, "Linux") for v in ("2.2.2", "2.3.0")] == [False, True]
    assert [numpy2_ok(v, "Windows") for v in ("2.4.0", "2.4.1")] == [False, True]
    assert isinstance(numpy2_ok("2.9.1", "Darwin"), Unread)
    assert isinstance(numpy2_ok("2.99.0", "Linux"), Unread)


def test_experimental_variants() -> None:
    """RELEASE.md calls some variants experimental; what it made the default is not among them."""
    assert is_experimental("2.9.1", "cu130")
    assert not is_experimental("2.9.1", "cu128")
    assert not is_experimental("2.2.2", "cu121")
    assert not is_experimental("2.99.0", "cu130")


def test_nearest_release() -> None:
    """The installed release where the variant has it, else the next older, else the oldest that has."""
    assert nearest_release("2.15.0", "cu126", "linux_x86_64") == "2.14.1"
    assert nearest_release("2.9.1", "cu126", "linux_x86_64") == "2.9.1"
    assert nearest_release("2.5.1", "cu126", "linux_x86_64") == "2.6.0"
    assert nearest_release("2.9.1", "cu999", "linux_x86_64") is None


def test_rocm_variants() -> None:
    """The ROCm variants of a release, for machines with AMD cards."""
    assert rocm_variants("2.3.1") == ["rocm5.7", "rocm6.0"]
    assert isinstance(rocm_variants("2.99.0"), Unread)


@pytest.mark.parametrize(
    ("system", "machine", "platform"),
    [
        ("Linux", "x86_64", "linux_x86_64"),
        ("Linux", "aarch64", "linux_aarch64"),
        ("Linux", "ppc64le", None),
        ("Windows", "AMD64", "windows_x86_64"),
        ("Windows", "ARM64", None),
        ("Darwin", "arm64", "macos_arm64"),
        ("Darwin", "x86_64", "macos_x86_64"),
        ("FreeBSD", "amd64", None),
    ],
)
def test_platform_of(system: str, machine: str, platform: str | None) -> None:
    """The names that Python gives to systems and processors."""
    assert platform_of(system, machine) == platform


def test_toolchain() -> None:
    """nvcc's own headers and ptxas say which compilers and GPUs it takes."""
    assert host_compiler_limit("12.4") == CompilerLimit(13, 17)
    assert host_compiler_limit("13.0.2") == CompilerLimit(15, 20)
    assert isinstance(host_compiler_limit("11.3"), Unread)
    newer = host_compiler_limit("14.0")
    assert isinstance(newer, Unread) and newer.why == "newer_than_table"
    assert [toolkit_knows(cuda, 120) for cuda in ("12.6", "12.8")] == [False, True]
    assert [toolkit_knows(cuda, 70) for cuda in ("12.9", "13.0")] == [True, False]
    targets = toolkit_targets("12.8")
    assert isinstance(targets, list) and "90a" in targets
    assert isinstance(toolkit_knows("11.3", 80), Unread)


def test_peaks() -> None:
    """Datasheet figures go by the exact board: 40 and 80 GB of A100 differ, an unknown board has none."""
    sxm, pcie = peaks("NVIDIA A100-SXM4-80GB"), peaks("NVIDIA A100-PCIE-40GB")
    assert isinstance(sxm, Peak) and isinstance(pcie, Peak)
    assert (sxm.bandwidth_gb_s, pcie.bandwidth_gb_s) == (2039, 1555)
    assert isinstance(peaks("Tesla V100-SXM2-16GB"), Peak)
    assert isinstance(peaks("RTX 4090"), Peak)
    assert isinstance(peaks("NVIDIA A100"), Unread)
