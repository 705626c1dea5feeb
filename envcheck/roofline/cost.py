"""What a workload has to do at the least: bytes that must be moved and operations that must be made."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

SIZES = {"float64": 8, "float32": 4, "tf32": 4, "bfloat16": 2, "float16": 2}
"""Bytes of a number in memory.  TF32 rounds inside the product; its operands are float32."""


class Cost(msgspec.Struct, frozen=True):
    """Of one step.  Every operand is counted once for each time that it cannot be kept: no caches, no luck."""

    read_bytes: int = 0
    written_bytes: int = 0
    flops: int = 0  # an addition and a multiplication each count one

    @property
    def moved_bytes(self) -> int:
        return self.read_bytes + self.written_bytes


def cost(workload: str, shape: Sequence[int], dtype: str = "float32") -> Cost | None:
    """The cost of one step of a workload; ``None`` for a workload that this version does not know.

    >>> cost("broadcast", [1000, 500])
    Cost(read_bytes=6000, written_bytes=2000000, flops=500000)
    """
    size = SIZES.get(dtype)
    if size is None or not shape:
        return None
    if workload == "copy":
        (n,) = shape
        return Cost(size * n, size * n)
    if workload == "fill":
        (n,) = shape
        return Cost(0, size * n)
    if workload in ("host-to-device", "device-to-host"):
        (n,) = shape
        return Cost(0, size * n)  # the link carries each byte once
    if workload == "broadcast":  # z[i,j] = x[i] + y[j]
        n, m = shape
        return Cost(size * (n + m), size * n * m, n * m)
    if workload == "row-add":  # Z[i,j] = X[i,j] + y[j]
        n, m = shape
        return Cost(size * (n * m + m), size * n * m, n * m)
    if workload == "matmul":  # (m,k) @ (k,n)
        m, k, n = shape
        return Cost(size * (m * k + k * n), size * m * n, 2 * m * k * n)
    if workload == "products":  # Z = X W and dW = X'P, of B rows, D features, C classes
        b, d, c = shape
        return Cost(size * (2 * b * d + d * c + b * c), size * (b * c + d * c), 4 * b * d * c)
    if workload == "step":
        # X twice; W read, and read and written by the update; logits and probabilities written and read.
        b, d, c = shape
        return Cost(size * (2 * b * d + 2 * d * c + 2 * b * c), size * (d * c + 2 * b * c), 4 * b * d * c)
    return None
