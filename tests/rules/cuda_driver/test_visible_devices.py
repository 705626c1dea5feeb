"""CUDA_VISIBLE_DEVICES is read the way CUDA reads it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envcheck.rules.cuda_driver.visible_devices import matching, parse


@pytest.mark.parametrize(
    ("value", "items", "ending"),
    [
        ("0", (0,), "complete"),
        ("0,1,2", (0, 1, 2), "complete"),
        ("2,0", (2, 0), "complete"),
        (" 1 , 0 ", (1, 0), "complete"),
        ("1gpu2,2ampere", (1, 2), "complete"),  # like strtoul
        ("0x1", (0,), "complete"),
        ("0;1", (0,), "complete"),
        ("0 1", (0,), "complete"),
        ("+1", (1,), "complete"),
        ("0,,1", (0,), "unparsable"),
        ("0,-1,1", (0,), "negative"),
        ("0,1,-1,2", (0, 1), "negative"),
        ("-1", (), "negative"),
        ("", (), "empty"),
        (" ", (), "unparsable"),
        ("none", (), "unparsable"),
        ("NoDevFiles", (), "unparsable"),
        ("all", (), "unparsable"),
        ("cuda:0", (), "unparsable"),
        ("'0'", (), "unparsable"),
        ("0,0", (), "duplicate"),
        ("0,1,0", (), "duplicate"),
        ("0,00", (), "duplicate"),
        ("GPU-8932f937", ("GPU-8932f937",), "complete"),
        ("GPU-1,GPU-2", ("GPU-1", "GPU-2"), "complete"),
        ("GPU-1, GPU-2", ("GPU-1",), "mixed"),
        ("GPU-1,GPU-1", (), "duplicate"),
        ("GPU-1,0", ("GPU-1",), "mixed"),
        ("0,GPU-1", (0,), "mixed"),
        ("MIG-1,GPU-1", ("MIG-1",), "mixed"),
        ("MIG-GPU-1/1/0", ("MIG-GPU-1/1/0",), "complete"),
        (" GPU-1", (), "mixed"),
        ("gpu-1", (), "unparsable"),
    ],
)
def test_forms(value: str, items: tuple[object, ...], ending: str) -> None:
    """Each form that was seen in the field, with what the driver makes of it."""
    mask = parse(value)
    assert (mask.items, mask.ending) == (items, ending)


@given(st.text(max_size=40))
def test_any_text_is_read_without_an_error(value: str) -> None:
    """The driver never refuses a mask, and neither do we; items never repeat."""
    mask = parse(value)
    assert len(set(mask.items)) == len(mask.items)
    assert (mask.ending == "complete") is (mask.at == -1 and mask.ending != "empty")


@given(st.lists(st.integers(0, 63), unique=True, min_size=1))
def test_a_plain_list_is_read_back(indices: list[int]) -> None:
    """What a launcher writes comes through in order."""
    assert parse(",".join(map(str, indices))).items == tuple(indices)


def test_a_shortened_uuid_must_fit_one_card() -> None:
    """An unambiguous prefix is right; an ambiguous or lower-case one is not."""
    uuids = ["GPU-8932f937-d72c", "GPU-8932f000-aaaa"]
    assert matching("GPU-8932f9", uuids) == uuids[:1]
    assert matching("GPU-8932f", uuids) == uuids
    assert matching("gpu-8932f9", uuids) == []
