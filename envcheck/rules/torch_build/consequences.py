"""What fails in the wake of a torch that cannot use the card, or cannot be imported: names for ``explains``."""

from __future__ import annotations

UNAVAILABLE = ("torch-cuda-unavailable", "torch-kernel-fails")
"""What a torch that cannot use the card makes fail at run time."""

UNIMPORTABLE = (
    "torch-import-fails",
    "torchvision-mismatch",
    "torchaudio-mismatch",
    "cxx11-abi-extension",
    "numpy-abi-mismatch",
    *UNAVAILABLE,
)
"""What a torch that cannot be imported makes fail."""
