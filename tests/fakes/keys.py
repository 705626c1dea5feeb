"""Refuse keys that no call would ever look at.  The keys are read from the tables of README.md."""

from __future__ import annotations

import re
from functools import cache

from .build import HERE, exported_functions

FAULT_WORDS = ("return", "hang", "segv", "delay_ms", "after_calls", "after_ms")

_LEVEL = re.compile(r"(?:nvml|cuda|gpu\.(?:\d+|\*)(?:\.mig\.\d+)?)(?:\.(?P<function>[A-Za-z]\w*))?")


@cache
def documented_keys() -> frozenset[str]:
    """The keys of the README, with ``N`` for every number."""
    text = (HERE / "README.md").read_text(encoding="utf-8").partition("\n## Keys\n")[2]
    return frozenset(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


@cache
def _function_names() -> frozenset[str]:
    """Names that a fault may carry: the functions, also without their version endings."""
    names = exported_functions()
    return names | {re.sub(r"_v\d+$|WithFlags$", "", name) for name in names}


def check_key(key: str) -> None:
    """Raise ``ValueError`` for a key that means nothing to the fakes: a slip of the pen."""
    pattern = ".".join("N" if part.isdigit() or part == "*" else part for part in key.split("."))
    # A MIG device has the same keys as a GPU.
    if {pattern, pattern.replace(".mig.N.", ".", 1)} & documented_keys():
        return
    level, _, word = key.rpartition(".")
    matched = _LEVEL.fullmatch(level)
    if matched and word in FAULT_WORDS and (not matched["function"] or matched["function"] in _function_names()):
        return
    if matched and word == "max_version" and matched["function"] in exported_functions():
        return
    raise ValueError(f"the pretended driver knows no key {key!r}: see {HERE / 'README.md'}")
