"""Building CUDA extensions: host compilers and GPU targets of a toolkit."""

from __future__ import annotations

import msgspec

from envcheck.facts import Fact, Unread

from . import table
from .rows import Toolkit
from .version import key


class CompilerLimit(msgspec.Struct, frozen=True):
    """The newest host compilers that a toolkit's headers accept, by major version.  ``None``: not known."""

    gcc: int | None
    clang: int | None


def host_compiler_limit(cuda_version: str) -> Fact[CompilerLimit]:
    """The newest gcc and clang for nvcc of this toolkit (its own crt/host_config.h): gcc 13 for CUDA 12.4."""
    row = _toolkit(cuda_version)
    if not isinstance(row, Toolkit):
        return row
    if row.gcc_max is None and row.clang_max is None:
        return Unread("missing", f"the table does not say which compilers CUDA {row.toolkit} accepts")
    return CompilerLimit(row.gcc_max, row.clang_max)


def toolkit_targets(cuda_version: str) -> Fact[list[str]]:
    """The GPU targets that this toolkit's ptxas accepts: ``["75", "80", …, "90a"]``."""
    row = _toolkit(cuda_version)
    if not isinstance(row, Toolkit):
        return row
    if row.sm is None:
        return Unread("missing", f"the table does not say which targets CUDA {row.toolkit} has")
    return [str(sm) for sm in row.sm] + (row.specific or [])


def toolkit_knows(cuda_version: str, compute_capability: int) -> Fact[bool]:
    """Can nvcc of this toolkit compile for this compute capability?"""
    targets = toolkit_targets(cuda_version)
    if isinstance(targets, Unread) or targets is None:
        return targets
    return str(compute_capability) in targets


def _toolkit(cuda_version: str) -> Fact[Toolkit]:
    wanted = key(cuda_version)[:2]
    rows = table.rows("toolkits", Toolkit)
    for row in rows:
        if key(row.toolkit) == wanted:
            return row
    if wanted > key(rows[-1].toolkit):
        return Unread("newer_than_table", f"CUDA {cuda_version}; the table ends at {rows[-1].toolkit}")
    return Unread("missing", f"CUDA {cuda_version} is not in the table")
