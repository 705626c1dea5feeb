"""Drivers: what they run, what they report, whom they drive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.compat import table
from envcheck.compat.driver import (
    cuda_level_of_driver,
    driver_branch,
    driver_dropped,
    driver_floor,
    driver_supports_cuda_major,
    forward_compat,
    gpu_driver_floor,
    last_branch,
    paired_driver,
    requires_open_module,
    supports_open_module,
)
from envcheck.compat.gpus import gpu_by_name
from envcheck.compat.rows import DriverBranch, Gpu, SmRule
from envcheck.compat.version import at_least
from envcheck.facts import Unread

BRANCHES = [row.branch for row in table.rows("driver_branches", DriverBranch)]
CAPABILITIES = [row.sm for row in table.rows("sm_rules", SmRule)]


@pytest.mark.parametrize(
    ("cuda", "system", "floor"),
    [
        ("10.1", "Linux", "418.39"),
        ("10.2", "Linux", "440.33"),
        ("11.1", "Linux", "450.80.02"),
        ("11.8", "Windows", "452.39"),
        ("12.0", "Linux", "525.60.13"),
        ("12.9", "Linux", "525.60.13"),
        ("12.6.3", "Windows", "527.41"),
        ("13.0", "Linux", "580"),
        ("13.5", "Windows", "580"),
        ("13.2", "Darwin", None),
    ],
)
def test_driver_floor(cuda: str, system: str, floor: str | None) -> None:
    """Minor-version compatibility: one floor for all of a CUDA major, from CUDA 11 on."""
    assert driver_floor(cuda, system) == floor


def test_floors_outside_of_the_table() -> None:
    """A later CUDA is newer than the table; one that never was is not in it."""
    for cuda in ("13.6", "14.0"):
        found = driver_floor(cuda)
        assert isinstance(found, Unread) and found.why == "newer_than_table"
    found = driver_floor("12.7")
    assert isinstance(found, Unread) and found.why == "missing"
    newer = driver_supports_cuda_major("610.43.02", 14)
    assert isinstance(newer, Unread) and newer.why == "newer_than_table"
    assert isinstance(driver_supports_cuda_major("610.43.02", 9), Unread)


@pytest.mark.parametrize(
    ("driver", "major", "system", "runs"),
    [
        ("525.60.13", 12, "Linux", True),
        ("520.61.05", 12, "Linux", False),
        ("525.60.11", 12, "Linux", False),
        ("528.33", 12, "Windows", True),
        ("522.06", 12, "Windows", False),
        ("575.57.08", 13, "Linux", False),
        ("580.65.06", 13, "Linux", True),
        ("610.43.02", 11, "Linux", True),  # older majors always
        ("650.10", 12, "Linux", True),
    ],
)
def test_supports_cuda_major(driver: str, major: int, system: str, runs: bool) -> None:
    """A driver runs a CUDA major from that major's first driver on, and every older major."""
    assert driver_supports_cuda_major(driver, major, system) is runs


@pytest.mark.parametrize(
    ("driver", "system", "cuda"),
    [  # as nvidia-smi printed it on real machines
        ("440.33.01", "Linux", "10.2"),
        ("470.256.02", "Linux", "11.4"),
        ("535.274.02", "Linux", "12.2"),
        ("550.127.05", "Linux", "12.4"),
        ("560.35.03", "Linux", "12.6"),
        ("565.57.01", "Linux", "12.7"),
        ("570.211.01", "Linux", "12.8"),
        ("580.126.09", "Linux", "13.0"),
        ("591.86", "Windows", "13.1"),
        ("595.71.05", "Linux", "13.2"),
        ("537.13", "Windows", "12.2"),
    ],
)
def test_cuda_level(driver: str, system: str, cuda: str) -> None:
    """The number that nvidia-smi prints is a property of the branch."""
    assert cuda_level_of_driver(driver, system) == cuda


@pytest.mark.parametrize(
    ("driver", "system", "branch"),
    [("535.104.05", "Linux", 535), ("528.33", "Windows", 525), ("546.12", "Windows", 545), ("581.29", "Windows", 580)],
)
def test_branch(driver: str, system: str, branch: int) -> None:
    """On Linux the major number is the branch; on Windows it runs a little ahead of it."""
    assert driver_branch(driver, system) == branch


def test_branches_outside_of_the_table() -> None:
    """Older, newer, and in between (a Jetson's 540): each says which."""
    for driver, why in (("390.157", "missing"), ("540.4.0", "missing"), ("650.10", "newer_than_table")):
        found = driver_branch(driver)
        assert isinstance(found, Unread) and found.why == why
        assert cuda_level_of_driver(driver) == found


@pytest.mark.parametrize(
    ("branch", "cc", "dropped"),
    [
        (470, 37, False),
        (495, 37, True),
        (580, 52, False),
        (580, 70, False),
        (590, 70, True),
        (590, 61, True),
        (590, 75, False),
        (615, 75, False),
        (540, 70, False),  # a branch that is not listed, between two that both drive Volta
        (540, 37, True),
        (700, 70, True),  # what was dropped stays dropped
    ],
)
def test_dropped(branch: int, cc: int, dropped: bool) -> None:
    """Kepler ends at 470, Maxwell to Volta at 580."""
    assert driver_dropped(branch, cc) is dropped


def test_dropping_in_the_future_is_not_guessed() -> None:
    """Whether a branch that the table does not have still drives Turing, nobody knows."""
    found = driver_dropped(700, 75)
    assert isinstance(found, Unread) and found.why == "newer_than_table"


@given(st.sampled_from(CAPABILITIES), st.sampled_from(BRANCHES), st.sampled_from(BRANCHES))
def test_dropping_is_for_good(cc: int, a: int, b: int) -> None:
    """A later branch never drives what an earlier one dropped; last_branch is where that happens."""
    older, newer = sorted((a, b))
    if driver_dropped(older, cc) is True:
        assert driver_dropped(newer, cc) is True
    last = last_branch(cc)
    assert driver_dropped(older, cc) is (isinstance(last, int) and older > last)


@pytest.mark.parametrize(
    ("name", "system", "floor"),
    [
        ("RTX 5090", "Linux", "570.86.16"),
        ("B200", "Linux", "570.86.15"),
        ("B300", "Linux", "580.82.07"),
        ("GB10", "Linux", "580.94.13"),
        ("RTX 5090", "Windows", "570"),
        ("RTX 4090", "Linux", "520"),
        ("H100", "Linux", "520"),
        ("RTX 3090", "Linux", "455"),
        ("A100", "Linux", "450"),
    ],
)
def test_gpu_driver_floor(name: str, system: str, floor: str) -> None:
    """Blackwell has a first driver of its own; before that the branch of the first CUDA that knows the chip."""
    gpu = gpu_by_name(name)
    assert isinstance(gpu, Gpu)
    assert gpu_driver_floor(gpu, system) == floor


def test_gpu_driver_floor_by_capability() -> None:
    """Without a name the lowest floor of the cards of that capability; an unknown one is not guessed."""
    assert gpu_driver_floor(120) == "570.86.16"
    assert gpu_driver_floor(89) == "520"
    assert isinstance(gpu_driver_floor(50), Unread)
    assert isinstance(gpu_driver_floor(150), Unread)


def test_a_cards_floor_is_never_below_its_chips() -> None:
    """No card of the table is listed by the open modules before its chip's necessary floor."""
    for gpu in table.rows("gpus", Gpu):
        floor = gpu_driver_floor(gpu)
        if gpu.first_open_driver and isinstance(floor, str):
            assert at_least(gpu.first_open_driver, floor), gpu.name


def test_open_modules() -> None:
    """Open kernel modules from Turing on, and nothing else from Blackwell on."""
    assert [supports_open_module(cc) for cc in (61, 70, 75, 90, 120)] == [False, False, True, True, True]
    assert [requires_open_module(cc) for cc in (75, 89, 90, 100, 121)] == [False, False, False, True, True]


def test_forward_compat() -> None:
    """cuda-compat works upwards over supported bases only; 550 is none."""
    assert forward_compat("cuda-compat-13-0", 535) == "yes"
    assert forward_compat("cuda-compat-13-0", 580) == "same branch"
    assert forward_compat("cuda-compat-12-8", 580) == "no"
    assert forward_compat("cuda-compat-13-0", 550) is None
    assert isinstance(forward_compat("cuda-compat-9-9", 535), Unread)
    newer = forward_compat("cuda-compat-13-4", 700)
    assert isinstance(newer, Unread) and newer.why == "newer_than_table"


def test_paired_driver() -> None:
    """What a CUDA release shipped with, for those who look for a driver package."""
    assert paired_driver("12.2 Update 2") == "535.104.05"
    assert paired_driver("12.2 Update 2", "Windows") == "537.13"
    assert paired_driver("13.4") == "615"
    assert isinstance(paired_driver("99.9"), Unread)
