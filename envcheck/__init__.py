"""envcheck: why the GPU is not used, what mends it, and proof that it computes."""

__version__ = "0.1.0"
