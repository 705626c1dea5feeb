"""Short lines that tell of a machine or a build: which facts they give, and which look-alikes give none."""

from __future__ import annotations

import pytest

from envcheck.facts import Host, Unread
from envcheck.read.paste import read_paste


@pytest.mark.parametrize(
    ("line", "release"),
    [
        ("# R35 (release), REVISION: 3.1, GCID: 32790763, BOARD: t186ref, EABI: aarch64", "35.3.1"),
        ("Model: NVIDIA Orin Nano Developer Kit - Jetpack 5.1.3 [L4T 35.5.0]", "35.5.0"),
        ("* **L4T Release:** R36.4.0", "36.4.0"),
        ("Jetson Linux: 36.3", "36.3"),
        ("JetPack version: 6.2", "36.4"),
    ],
)
def test_a_jetson_is_known_by_its_release(line: str, release: str) -> None:
    """jetson-stats, the release file and a person's own words name one thing."""
    host = read_paste(line).host
    assert isinstance(host, Host)
    assert (host.l4t, host.jetson, host.system, host.machine) == (release, f"Jetson, L4T {release}", "Linux", "aarch64")


@pytest.mark.parametrize(
    "line",
    [
        "this wheel needs JetPack 6.2",
        "supported on L4T 36.4.3 or newer",
        "https://developer.nvidia.com/embedded/jetpack/downloads/archive-6.2 JetPack 6.2",
        "JetPack 9.9",
        "my jetpack has 2 engines",
    ],
)
def test_a_wish_or_an_unknown_release_is_no_jetson(line: str) -> None:
    """What a package asks for is not what the machine has, and an unknown JetPack tells no release."""
    host = read_paste(line).host
    assert isinstance(host, Unread) or isinstance(host.l4t, Unread)


@pytest.mark.parametrize(
    "prompt",
    [
        "\u276f ",
        "\u03bb ",
        "$ ",
        "\u279c  proj git:(main) \u2717 ",
        "(dl) user@box:~$ ",
        "(dl) ~/code/run$ ",
        "/work# ",
    ],
)
def test_a_command_stands_behind_any_shells_prompt(prompt: str) -> None:
    """Prompts are decorated; the list below the command is read all the same."""
    rows = (
        "pytorch    2.3.0    py3.11_cuda12.1_cudnn8.9.2_0    pytorch\nnumpy    1.26.4    py311h64a7726_0    conda-forge"
    )
    interpreters = read_paste(f"{prompt}conda list | grep torch\n{rows}").interpreters
    assert isinstance(interpreters, list)
    packages = interpreters[0].conda_packages
    assert isinstance(packages, list)
    assert [package.name for package in packages] == ["pytorch", "numpy"]


@pytest.mark.parametrize(
    ("line", "targets"),
    [
        ("archs: ['sm_75', 'sm_80', 'compute_90']", ["sm_75", "sm_80", "compute_90"]),
        ("TORCH_CUDA_ARCH_LIST: ['sm_120']", ["sm_120"]),
        ("TORCH_CUDA_ARCH_LIST=7.5;8.0", None),
        ("compiled for 'sm_75' and more", None),
    ],
)
def test_a_printed_list_of_targets_is_the_builds(line: str, targets: list[str] | None) -> None:
    """Only torch.cuda.get_arch_list() has this form, whatever label a program prints before it."""
    interpreters = read_paste(f"torch: 2.7.0+cu126\n{line}").interpreters
    assert isinstance(interpreters, list)
    runtime = interpreters[0].runtime
    assert runtime is not None
    assert not isinstance(runtime, Unread)
    assert (None if isinstance(runtime.arch_list, Unread) else runtime.arch_list) == targets


def test_a_containers_prompt_tells_its_system() -> None:
    """A prompt with a container's id is that of a Linux container, whatever the host is."""
    host = read_paste("root@0123456789ab:/work# python train.py").host
    assert isinstance(host, Host)
    assert host.system == "Linux"
