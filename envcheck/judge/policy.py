"""What is wanted of this machine: the expectations that rules and the gate may look at."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from .rule import Severity

Unknowns: TypeAlias = Literal["warn", "fail", "ignore"]
"""How unknowns count, beside what the policy requires: the essential ones · all at error level · none."""


class Ignore(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A finding that the owner accepts, and why.  It stays visible in every report."""

    rule: str
    reason: str
    subject: str = ""  # empty: every subject
    until: str = ""  # the last day on which it holds, YYYY-MM-DD; empty: for good

    def holds(self, today: str) -> bool:
        """Does the exception still hold on this day?  An empty day asks for no date."""
        return not (self.until and today) or today <= self.until


class Require(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What must be there.  Empty: no requirement.  Versions are PEP 440 specifiers, numbers are bounds (">=16")."""

    python: str = ""
    torch: str = ""
    torch_cuda: list[str] = []  # CUDA releases of the build, any of them: "12.6"; "cpu" for a build without
    driver: str = ""
    gpus: str = ""  # devices that CUDA offers here
    compute_capability: str = ""  # of every GPU: ">=8.0"
    gpu_memory_gib: str = ""  # of every GPU, as NVML states it
    shm_mib: str = ""  # size of /dev/shm
    packages: dict[str, str] = {}  # normalised name → specifier; "" for any version
    env: dict[str, str] = {}  # variable → value; "" for any value

    @property
    def needs_gpu(self) -> bool:
        """Does a requirement speak of GPUs?"""
        return bool(self.gpus or self.compute_capability or self.gpu_memory_gib)

    @property
    def needs_environment(self) -> bool:
        """Does a requirement speak of a Python environment?"""
        return bool(self.python or self.torch or self.torch_cuda or self.packages)


class Forbid(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What must not be there."""

    packages: list[str] = []  # normalised names
    env: list[str] = []  # variables that must not be set


class Floors(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How fast it must be: fractions from 0 to 1; 0 asks for nothing."""

    run: bool = False  # run the benchmark even without a floor
    min_ratio_to_ceiling: float = 0.0  # of what the same run measured as the device's ceiling
    min_ratio_to_peak: float = 0.0  # of the card's theoretical peak

    @property
    def asked(self) -> bool:
        """Does the policy want a benchmark?"""
        return self.run or self.min_ratio_to_ceiling > 0 or self.min_ratio_to_peak > 0


class Policy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The defaults are those of a plain ``envcheck doctor``."""

    require_gpu: bool = False
    gpus: int = 0  # at least so many; 0: no expectation
    strict: bool = False  # what cannot be told at error level makes the machine undetermined
    pedantic: bool = False  # ask the heuristic rules too
    all_envs: bool = False  # judge every interpreter found, not the target alone
    fail_on: Severity = "error"
    unknown: Unknowns = "warn"
    severity: dict[str, Severity] = {}  # rule → severity that replaces its own
    ignore: list[Ignore] = []
    require: Require = Require()
    forbid: Forbid = Forbid()
    bench: Floors = Floors()
    today: str = ""  # the day on which the report is made, YYYY-MM-DD; empty: exceptions do not expire
    source: str = ""  # the file that states the policy, as a path from the project's root; empty: none
    source_line: int = 1  # where in it the policy begins
