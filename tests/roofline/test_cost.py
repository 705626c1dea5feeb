"""What work costs, counted by hand."""

from __future__ import annotations

import pytest

from envcheck.roofline import Cost, cost


@pytest.mark.parametrize(
    ("workload", "shape", "dtype", "expected"),
    [
        ("copy", [10], "float32", Cost(40, 40)),
        ("fill", [10], "float32", Cost(0, 40)),
        ("host-to-device", [10], "float32", Cost(0, 40)),
        ("broadcast", [3, 5], "float32", Cost(4 * 8, 4 * 15, 15)),
        ("row-add", [3, 5], "float32", Cost(4 * 20, 4 * 15, 15)),
        ("matmul", [2, 3, 4], "float32", Cost(4 * (6 + 12), 4 * 8, 2 * 24)),
        ("matmul", [2, 3, 4], "bfloat16", Cost(2 * (6 + 12), 2 * 8, 2 * 24)),
        ("matmul", [2, 3, 4], "tf32", Cost(4 * (6 + 12), 4 * 8, 2 * 24)),
        ("products", [7, 5, 3], "float32", Cost(4 * (70 + 15 + 21), 4 * (21 + 15), 4 * 105)),
    ],
)
def test_costs_by_hand(workload: str, shape: list[int], dtype: str, expected: Cost) -> None:
    """Bytes read, bytes written and operations of small shapes."""
    assert cost(workload, shape, dtype) == expected


def test_the_step_is_that_of_the_method() -> None:
    """4 B D C operations and 8 B D + 12 D C + 16 B C bytes in float32."""
    b, d, c = 256, 784, 10
    found = cost("step", [b, d, c])
    assert found is not None
    assert found.flops == 4 * b * d * c
    assert found.moved_bytes == 8 * b * d + 12 * d * c + 16 * b * c


def test_what_is_not_known_has_no_cost() -> None:
    """A workload of a newer version, a type of number that is not in the table."""
    assert cost("convolution", [1, 2]) is None
    assert cost("matmul", [2, 3, 4], "float4") is None
    assert cost("copy", []) is None
