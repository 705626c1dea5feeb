"""All questions in one place: what fits what.

Each returns a :data:`~envcheck.facts.Fact`: a value, ``None`` for "asked, and there is none", or
:class:`~envcheck.facts.Unread` (``newer_than_table`` where the tables end before the question).  Importing this
module loads no table; a question loads what it needs, once.
"""

from __future__ import annotations

from .companions import Trio, companion_fits, torch_wanted_by, trio
from .driver import (
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
from .gpus import Near, gpu_by_name, gpu_by_pci_id
from .peaks import peaks
from .sm import architecture, coverage, first_toolkit, runs_on
from .toolchain import CompilerLimit, host_compiler_limit, toolkit_knows, toolkit_targets
from .torch_builds import (
    builds_of,
    cudnn_pin,
    cxx11_abi,
    default_build,
    glibc_floor,
    is_experimental,
    nccl_pin,
    nearest_release,
    numpy2_ok,
    platform_of,
    python_supported,
    pythons_of,
    release,
    releases,
    rocm_variants,
    torch_build,
    triton_pin,
)

__all__ = [
    "CompilerLimit",
    "Near",
    "Trio",
    "architecture",
    "builds_of",
    "companion_fits",
    "coverage",
    "cuda_level_of_driver",
    "cudnn_pin",
    "cxx11_abi",
    "default_build",
    "driver_branch",
    "driver_dropped",
    "driver_floor",
    "driver_supports_cuda_major",
    "first_toolkit",
    "forward_compat",
    "glibc_floor",
    "gpu_by_name",
    "gpu_by_pci_id",
    "gpu_driver_floor",
    "host_compiler_limit",
    "is_experimental",
    "last_branch",
    "nccl_pin",
    "nearest_release",
    "numpy2_ok",
    "paired_driver",
    "peaks",
    "platform_of",
    "python_supported",
    "pythons_of",
    "release",
    "releases",
    "requires_open_module",
    "rocm_variants",
    "runs_on",
    "supports_open_module",
    "toolkit_knows",
    "toolkit_targets",
    "torch_build",
    "torch_wanted_by",
    "trio",
    "triton_pin",
]
