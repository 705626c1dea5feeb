"""A scenario of the pretended driver as a value: change it, add faults, write it down."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from .build import CUDA, NVML
from .keys import check_key

Value = str | int | float | None
"""What a key may be set to.  ``None`` takes the key away."""


@dataclass(frozen=True)
class Scenario:
    """How the pretended driver answers.  Nothing changes in place: every method gives a new scenario.

    ``hidden`` are functions that the library lacks, ``libraries`` the ones that are there at all.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    libraries: tuple[str, ...] = (NVML, CUDA)

    def __post_init__(self) -> None:
        for key in self.values:
            check_key(key)

    def but(self, changes: Mapping[str, Value]) -> Scenario:
        """The same with these keys changed; ``None`` takes a key away."""
        values = dict(self.values)
        for key, value in changes.items():
            if value is None:
                values.pop(key, None)
            else:
                values[key] = str(int(value)) if isinstance(value, bool) else str(value)
        return replace(self, values=values)

    def gpu(self, index: int, changes: Mapping[str, Value] | None = None, **more: Value) -> Scenario:
        """The same with keys of one GPU changed: ``gpu(0, {"fabric.state": 2}, temperature_c=95)``."""
        return self.but({f"gpu.{index}.{key}": value for key, value in {**(changes or {}), **more}.items()})

    def without(self, *prefixes: str) -> Scenario:
        """The same without these keys and everything below them: ``without("gpu.0.nvlink")``."""
        kept = {
            key: value
            for key, value in self.values.items()
            if not any(key == prefix or key.startswith(prefix + ".") for prefix in prefixes)
        }
        return replace(self, values=kept)

    def fault(
        self,
        function: str | None = None,
        *,
        gpu: int | None = None,
        library: str | None = None,
        code: int | None = None,
        hang: bool | str = False,
        segv: bool = False,
        delay_ms: int | None = None,
        after_calls: int | None = None,
        after_ms: int | None = None,
    ) -> Scenario:
        """The same with something that goes wrong.

        ``function`` is a symbol ("nvmlDeviceGetTemperature"; without it: every call), ``gpu`` a GPU
        by its NVML index.  ``hang="deaf"`` blocks every signal but SIGKILL.  ``after_calls`` and
        ``after_ms`` put it off.
        """
        if gpu is not None:
            level = f"gpu.{gpu}"
        else:
            level = library or ("cuda" if (function or "").startswith("cu") else "nvml")
        if function:
            level += f".{function}"
        words: dict[str, Value] = {
            "return": code,
            "hang": hang if isinstance(hang, str) else (1 if hang else None),
            "segv": 1 if segv else None,
            "delay_ms": delay_ms,
            "after_calls": after_calls,
            "after_ms": after_ms,
        }
        return self.but({f"{level}.{word}": value for word, value in words.items() if value is not None})

    def hide(self, functions: Iterable[str]) -> Scenario:
        """The same with a library that lacks these functions."""
        return replace(self, hidden=self.hidden | frozenset(functions))

    def only(self, *libraries: str) -> Scenario:
        """The same with these libraries alone, by soname; none: a machine without a driver's libraries."""
        return replace(self, libraries=libraries)

    @property
    def gpus(self) -> int:
        """How many GPUs NVML counts."""
        return int(self.values.get("gpus", "0"))

    def get(self, key: str, otherwise: str = "") -> str:
        """The text of a key."""
        return self.values.get(key, otherwise)

    def first(self, key: str) -> str | None:
        """What the key answers first: of ``1 | 4`` and ``100 +3/call`` the 1 and the 100.  ``None``: no such key."""
        value = self.values.get(key)
        changing = re.fullmatch(r"(-?(?:0x)?\d[\w.]*) *[|+].*", value) if value else None
        return changing[1] if changing else value

    def number(self, key: str, otherwise: int = 0) -> int:
        """The same as an integer."""
        value = self.first(key)
        return otherwise if value is None else int(value, 0)

    def text(self) -> str:
        """The scenario file."""
        return "".join(f"{key} = {value}\n" for key, value in sorted(self.values.items()))
