"""Floors from the ceilings of the same run."""

from __future__ import annotations

import pytest

from envcheck.roofline import Row, row_of, table_of
from envcheck.roofline.peaks import CORES_PER_SM, bandwidth, cores, fp32, tensor
from envcheck.roofline.table import size_of

SIDE = 4096
BYTES = 4 * SIDE * SIDE


def timed(workload: str, seconds: float, shape: list[int], size: str = "64 MiB", **more: str) -> Row:
    return row_of(workload=workload, samples_s=[seconds] * 9, shape=shape, size=size, **more)  # type: ignore[arg-type]


def memory(fill: float, copy: float, broadcast: float, row_add: float) -> list[Row]:
    return [
        timed("fill", fill, [SIDE * SIDE]),
        timed("copy", copy, [SIDE * SIDE]),
        timed("broadcast", broadcast, [SIDE, SIDE]),
        timed("row-add", row_add, [SIDE, SIDE]),
    ]


def test_a_broadcast_is_measured_against_filling() -> None:
    """It writes and hardly reads: at the rate of filling it is at its ceiling, whatever copying takes."""
    table = table_of(memory(fill=2.0e-3, copy=3.5e-3, broadcast=2.0e-3, row_add=3.5e-3))
    broadcast, row_add = table.find("broadcast"), table.find("row-add")
    assert broadcast is not None
    assert row_add is not None
    assert table.efficiency(broadcast) == pytest.approx(1.0, abs=0.01)
    assert table.efficiency(row_add) == pytest.approx(1.0, abs=0.01)


def test_twice_the_time_is_half_the_ceiling() -> None:
    """The efficiency is floor by time."""
    table = table_of(memory(fill=2.0e-3, copy=3.5e-3, broadcast=4.0e-3, row_add=7.0e-3))
    assert [table.efficiency(row) for row in table.memory_rows()] == pytest.approx([0.5, 0.5], abs=0.01)


def test_a_step_is_measured_against_its_own_products() -> None:
    """Not against a square product of another shape."""
    shape = [1024, 2048, 512]
    rows = [
        timed("step", 0.033, shape, "large", variant="closed-form"),
        timed("products", 0.030, shape, "large"),
        timed("step", 0.001, [256, 784, 10], "course", variant="eager"),
    ]
    table = table_of(rows)
    assert table.efficiency(rows[0]) == pytest.approx(0.030 / 0.033)
    assert table.efficiency(rows[2]) is None


def test_no_ceiling_no_share() -> None:
    """Without the fill of its size there is nothing to be measured against; a ceiling has no share of itself."""
    rows = memory(2.0e-3, 3.5e-3, 2.0e-3, 3.5e-3)
    assert table_of(rows[2:]).efficiency(rows[2]) is None
    assert table_of(rows).efficiency(rows[0]) is None
    assert table_of(rows).efficiency(rows[1]) is None


def test_the_bandwidth_is_that_beyond_the_caches() -> None:
    """A copy within the cache is no figure of the memory."""
    small = timed("copy", 1e-5, [512 * 512], "1 MiB")
    table = table_of([small, *memory(2.0e-3, 4.0e-3, 2.0e-3, 4.0e-3)])
    assert table.ceilings.bandwidth == pytest.approx(2 * BYTES / 4.0e-3)
    assert table_of([small]).ceilings.bandwidth is None


def test_sizes() -> None:
    """Labels that are sizes, and those that are not."""
    assert size_of("64 MiB") == 64 << 20
    assert size_of("large") == size_of("1024") == size_of("x MiB") == 0


@pytest.mark.parametrize(
    ("clock", "width", "gb_s"), [(1593, 5120, 2039), (2619, 5120, 3352), (10501, 384, 1008), (5001, 256, 320)]
)
def test_bandwidth_from_attributes(clock: int, width: int, gb_s: int) -> None:
    """A100, H100, RTX 4090 and T4: within half a per cent of the datasheet."""
    assert bandwidth(clock, width) / 1e9 == pytest.approx(gb_s, rel=0.005)


@pytest.mark.parametrize(
    ("multiprocessors", "cc", "clock", "tflops"), [(108, 80, 1410, 19.5), (132, 90, 1980, 66.9), (128, 89, 2520, 82.6)]
)
def test_fp32_from_attributes(multiprocessors: int, cc: int, clock: int, tflops: float) -> None:
    """A100, H100 and RTX 4090 at the clock of their datasheets."""
    count = cores(multiprocessors, cc)
    assert count is not None
    assert fp32(count, clock) / 1e12 == pytest.approx(tflops, rel=0.005)


def test_tensor_cores_where_they_are_known() -> None:
    """A100: 312 TFLOP/s in bfloat16 and 156 in TF32; Volta has no bfloat16; Ada has no entry and is not guessed."""
    assert tensor("bfloat16", 108, 80, 1410) == pytest.approx(312e12, rel=0.01)
    assert tensor("tf32", 108, 80, 1410) == pytest.approx(156e12, rel=0.01)
    assert tensor("bfloat16", 80, 70, 1530) is None
    assert tensor("float16", 80, 70, 1530) == pytest.approx(125e12, rel=0.01)
    assert tensor("bfloat16", 128, 89, 2520) is None
    assert cores(100, 999) is None
    assert all(value in (64, 128, 192) for value in CORES_PER_SM.values())
