"""What fails because something lower failed.  The sets of names that causes below CUDA explain."""

from __future__ import annotations

TORCH = ("torch-cuda-unavailable", "torch-kernel-fails")

CUDA = (
    "no-driver-library",
    "cuda-init-unknown-error",
    "cuda-driver-combination-mismatch",
    "uvm-node-missing",
    *TORCH,
)
"""What a driver that is absent or does not answer makes fail in CUDA."""

WITHOUT_MODULE = (
    "nvml-library-missing",
    "device-nodes-missing",
    "gpu-init-failed",
    "gpu-count-below-expected",
    "fabric-manager-not-running",
    *CUDA,
)
"""What is missing on a machine without a working kernel module."""

WITHOUT_CARD = ("gpu-count-below-expected", "cuda-init-unknown-error", "fabric-manager-not-running", *TORCH)
"""What a single card that does not answer takes with it."""
