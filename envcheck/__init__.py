"""envcheck: why the GPU is not used, what mends it, and proof that it computes."""

__version__ = "0.1.0"

__all__ = ["Diagnosis", "Undetermined", "Unfit", "__version__", "doctor", "require"]

TYPE_CHECKING = False  # typing itself would be an import
if TYPE_CHECKING:
    from .library import Diagnosis, Undetermined, Unfit, doctor, require


def __getattr__(name: str) -> object:
    """The library is imported when it is used: ``envcheck --version`` and ``import envcheck`` cost nothing."""
    if name in __all__:
        from . import library

        return getattr(library, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
