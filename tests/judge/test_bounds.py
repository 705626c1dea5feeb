"""Bounds of a policy: read strictly, compared as numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.judge import Bounds

NUMBERS = st.integers(min_value=0, max_value=10**6)


@pytest.mark.parametrize(
    ("text", "inside", "outside", "least"),
    [
        (">=8", [8, 8.5, 64], [7.99, 0], 8),
        (">8", [8.01, 9], [8, 0], 9),
        ("==8", [8], [7, 9], 8),
        ("!=8", [7, 9], [8], 0),
        ("<=8", [0, 8], [8.01], 0),
        (">=1,<=8", [1, 8], [0, 9], 1),
        (" >= 23.5 , < 24 ", [23.5, 23.988], [24, 23.45], 24),
        (">=8.9", [8.9, 12.0, 10.3], [8.6, 8.0], 9),
    ],
)
def test_what_lies_within(text: str, inside: list[float], outside: list[float], least: int) -> None:
    """Every comparison has to hold; 12.0 is more than 8.9 and 23.9 more than 23.45."""
    bounds = Bounds.parse(text)
    assert all(bounds.meets(value) for value in inside)
    assert not any(bounds.meets(value) for value in outside)
    assert bounds.least == least


@pytest.mark.parametrize("text", ["", "8", ">=", ">=x", ">=1;<=8", "~=1", "=8", ">=1,", ">=-1", ">=1e3", "≥8", ">=٨"])
def test_what_is_no_bound(text: str) -> None:
    """A slip is named, with what may be written instead."""
    with pytest.raises(ValueError, match="is no bound; write '>=8'"):
        Bounds.parse(text)


@given(NUMBERS, NUMBERS)
def test_the_least_number_is_the_first_within(floor: int, value: int) -> None:
    """No whole number below ``least`` lies within a lower bound, and ``least`` itself does."""
    for sign in (">=", ">"):
        bounds = Bounds.parse(f"{sign}{floor}")
        assert bounds.meets(bounds.least)
        assert bounds.meets(value) == (value >= bounds.least)
