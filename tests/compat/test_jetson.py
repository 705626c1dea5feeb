"""Jetson boards: the CUDA of each Jetson Linux release, and what is not known."""

from __future__ import annotations

import pytest

from envcheck.compat import table
from envcheck.compat.jetson import cuda_of_l4t, l4t_of_jetpack
from envcheck.compat.rows import JetsonRelease
from envcheck.compat.version import key
from envcheck.facts import Unread


@pytest.mark.parametrize(
    ("release", "cuda"),
    [
        ("32.7.1", "10.2"),
        ("35.4.1", "11.4"),
        ("36.3", "12.2"),
        ("36.3.0", "12.2"),
        ("36.4.7", "12.6"),
        ("38.2.1", "13.0"),
    ],
)
def test_a_release_tells_the_cuda_of_its_driver(release: str, cuda: str) -> None:
    """The driver is part of the release: its revisions do not change it."""
    assert cuda_of_l4t(release) == cuda


@pytest.mark.parametrize(("release", "why"), [("99.1", "newer_than_table"), ("36.0.1", "missing"), ("28.2", "missing")])
def test_an_unlisted_release_is_unknown(release: str, why: str) -> None:
    """Newer than the table, or never listed: no guess."""
    found = cuda_of_l4t(release)
    assert isinstance(found, Unread)
    assert found.why == why


@pytest.mark.parametrize("row", table.rows("jetson", JetsonRelease), ids=lambda row: row.l4t)
def test_each_jetpack_leads_to_its_release(row: JetsonRelease) -> None:
    """JetPack and Jetson Linux are two names of one thing, each for one row."""
    assert [l4t_of_jetpack(name) for name in row.jetpack] == [row.l4t] * len(row.jetpack)
    assert cuda_of_l4t(row.l4t) == row.cuda


def test_newer_releases_never_carry_an_older_cuda() -> None:
    """The rows are ordered by release, and CUDA rises with it."""
    rows = table.rows("jetson", JetsonRelease)
    assert [key(row.l4t) for row in rows] == sorted(key(row.l4t) for row in rows)
    assert [key(row.cuda) for row in rows] == sorted(key(row.cuda) for row in rows)


def test_an_unknown_jetpack_is_unknown() -> None:
    """A number that no release carries leads nowhere."""
    assert isinstance(l4t_of_jetpack("0.9"), Unread)
