"""GPU code runs where NVIDIA's compatibility rules and torch's own table say, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.compat import table
from envcheck.compat.rows import SmRule
from envcheck.compat.sm import architecture, coverage, first_toolkit, parse_target, runs_on
from envcheck.facts import Unread

CU126 = [50, 60, 70, 75, 80, 86, 90]
CU128 = [70, 75, 80, 86, 90, 100, 120]
CU130 = [75, 80, 86, 90, 100, 120]
ARM130 = [80, 90, 100, 110, 120]
KNOWN = sorted(rule.sm for rule in table.rows("sm_rules", SmRule))


@pytest.mark.parametrize(
    ("cc", "archs", "runs"),
    [
        (89, CU126, True),  # Ada runs 8.6 code
        (61, CU126, True),  # consumer Pascal runs 6.0 code
        (52, CU126, True),
        (37, CU126, False),
        (120, CU126, False),
        (120, CU128, True),
        (121, CU130, True),  # GB10 runs 12.0 code
        (103, CU130, True),  # B300 runs 10.0 code
        (70, CU130, False),
        (75, ARM130, False),
        (110, ARM130, True),
        (110, CU130, False),  # 10.0 code does not run on Thor
        (86, [80], True),
        (80, [86], False),  # never below its minor
        (90, [80, 86, 89], False),  # never across a major
        (75, [72], False),  # integrated code runs on its own GPU only
        (62, [60, 61], False),
        (53, [50, 52], False),
        (101, [110], True),  # the same GPU, renamed
        (110, [101], True),
        (30, CU126, False),
    ],
)
def test_cubins(cc: int, archs: list[int], runs: bool) -> None:
    """Same major and no higher minor; integrated GPUs their own only; 10.1 is 11.0."""
    assert runs_on(cc, archs) is runs


def test_orin_since_cuda_13_2() -> None:
    """Builds of CUDA 13.2 and later run on Orin as well; without the build's CUDA the old rule holds."""
    assert runs_on(87, ARM130) is False
    assert runs_on(87, ARM130, cuda="13.0") is False
    assert runs_on(87, ARM130, cuda="13.2") is True


def test_specific_targets_do_not_carry_over() -> None:
    """sm_90a runs on 9.0 alone, as cubin and as PTX; sm_100f within its family and from its own minor on."""
    assert runs_on(120, ["sm_120a"]) is True
    assert runs_on(121, ["sm_120a"]) is False
    assert runs_on(103, ["sm_100a"]) is False
    assert runs_on(103, ["sm_100f"]) is True
    assert runs_on(100, ["sm_103f"]) is False
    assert runs_on(120, ["sm_100f"]) is False
    assert runs_on(100, [], ["compute_90a"]) is False
    assert runs_on(90, [], ["compute_90a"]) is True


def test_ptx_goes_forward_only() -> None:
    """PTX is compiled for any later device, never for an earlier one; a cubin that fits is preferred."""
    assert coverage(120, [90], [90]) == "ptx"
    assert coverage(90, [90], [90]) == "cubin"
    assert coverage(89, [], [90]) is None
    assert coverage(121, ["sm_120", "compute_120"]) == "cubin"
    assert coverage(121, ["compute_120"]) == "ptx"


def test_an_unknown_device_is_not_guessed() -> None:
    """A compute capability that is not in the table is newer than the table, unless its own code is there."""
    assert runs_on(130, CU130) == Unread("newer_than_table", "compute capability 13.0 is not in the table")
    assert isinstance(runs_on(107, CU130), Unread)
    assert runs_on(107, [107]) is True
    assert isinstance(architecture(140), Unread)
    assert isinstance(first_toolkit(140), Unread)


@pytest.mark.parametrize(
    ("cc", "name"), [(30, "Kepler"), (52, "Maxwell"), (70, "Volta"), (75, "Turing"), (89, "Ada"), (121, "Blackwell")]
)
def test_architecture(cc: int, name: str) -> None:
    """A compute capability belongs to one generation."""
    assert architecture(cc) == name


@pytest.mark.parametrize(("cc", "cuda"), [(80, "11.0"), (86, "11.1"), (90, "11.8"), (120, "12.8"), (121, "12.9")])
def test_first_toolkit(cc: int, cuda: str) -> None:
    """The CUDA that first knew a device, by its ptxas."""
    assert first_toolkit(cc) == cuda


@pytest.mark.parametrize("text", ["", "sm", "sm_x", "gfx90a", "9", "sm_90b", "compute_1000"])
def test_bad_targets_are_refused(text: str) -> None:
    """What is no target is an error, not a target that never matches."""
    with pytest.raises(ValueError, match="is not a GPU target"):
        parse_target(text)


@given(st.sampled_from(KNOWN), st.lists(st.sampled_from(KNOWN), max_size=6), st.sampled_from(KNOWN))
def test_more_code_never_hurts(cc: int, archs: list[int], extra: int) -> None:
    """Adding a target to a build can only make more devices run."""
    if runs_on(cc, archs):
        assert runs_on(cc, [*archs, extra])
    if runs_on(cc, archs, [extra]) is False:
        assert runs_on(cc, archs) is False
