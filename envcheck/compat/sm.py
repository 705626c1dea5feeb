"""GPU code and the devices that run it: cubins, PTX, and their exceptions.

The rules are those of the CUDA C++ programming guide ("Binary Compatibility", "PTX Compatibility") and, for the
integrated GPUs of Jetson boards, of torch's own table (torch/cuda/__init__.py, DEVICE_REQUIREMENT):

- a cubin for X.y runs on X.z with z >= y, never across a major version;
- integrated GPUs (5.3, 6.2, 7.2, 8.7) run their own cubins only, until CUDA 13.2 unified them;
- 10.1 was renamed 11.0 in CUDA 13: the two run each other's code;
- an architecture-specific target (``sm_90a``) runs on exactly that device, as cubin and as PTX;
- a family-specific one (``sm_100f``) runs on later minors of its major;
- plain PTX is compiled by the driver for any device from its number on, if the driver is at least as new as the
  toolkit that wrote it (minor-version compatibility does not cover PTX).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Literal

import msgspec

from envcheck.facts import Fact, Unread

from . import table
from .rows import SmRule
from .version import key, spoken

RENAMED = {101: 110}
"""Compute capability 10.1 (Thor) is 11.0 from CUDA 13 on."""

INTEGRATED = frozenset({53, 62, 72, 87})
"""The GPUs of Jetson boards that lie outside of the family rule.  Thor (11.0) is an ordinary member of its own."""

_TARGET = re.compile(r"(?:(sm|compute|lto)_)?(\d{2,3})([af])?")


class Target(msgspec.Struct, frozen=True):
    """One compiled target: ``sm_90a`` is the cubin of 90 with suffix ``a``, ``compute_120`` the PTX of 120."""

    cc: int
    ptx: bool = False
    suffix: str = ""


def parse_target(text: str | int) -> Target:
    """Read ``"sm_86"``, ``"compute_120"``, ``"90a"`` or ``86``.  Raises :class:`ValueError` for anything else."""
    found = _TARGET.fullmatch(str(text).strip())
    if found is None:
        raise ValueError(f"{text!r} is not a GPU target")
    kind, number, suffix = found.groups()
    return Target(int(number), kind == "compute", suffix or "")


def runs_on(
    compute_capability: int, archs: Iterable[str | int], ptx: Iterable[str | int] = (), cuda: str | None = None
) -> Fact[bool]:
    """Does code compiled for ``archs`` (and ``ptx``) run on a device of this compute capability (89 = 8.9)?

    ``cuda`` is the toolkit of the build ("13.2"), where it is known: it decides for integrated GPUs.  That the
    driver is new enough for the PTX is not asked here.  :class:`Unread` for a device that the table does not have.
    """
    how = coverage(compute_capability, archs, ptx, cuda)
    return how if isinstance(how, Unread) else how is not None


def coverage(
    compute_capability: int, archs: Iterable[str | int], ptx: Iterable[str | int] = (), cuda: str | None = None
) -> Fact[Literal["cubin", "ptx"]]:
    """How the device gets code: ``"cubin"``, ``"ptx"`` (compiled at first use), or ``None``: it gets none."""
    targets = [parse_target(a) for a in archs]
    targets += [Target(t.cc, True, t.suffix) for t in map(parse_target, ptx)]
    device = RENAMED.get(compute_capability, compute_capability)
    if any(not t.ptx and RENAMED.get(t.cc, t.cc) == device for t in targets):
        return "cubin"
    if compute_capability not in _rules() and compute_capability >= min(_rules()):
        return _strange(compute_capability)
    if any(not t.ptx and _cubin_runs(t, device, cuda) for t in targets):
        return "cubin"
    if any(t.ptx and _ptx_runs(t, device) for t in targets):
        return "ptx"
    return None


def architecture(compute_capability: int) -> Fact[str]:
    """The generation of a compute capability: ``89`` → ``"Ada"``."""
    rule = _rules().get(compute_capability)
    if rule is None:
        return "Kepler" if compute_capability // 10 == 3 else _strange(compute_capability)
    return rule.arch.split(" ")[0]


def first_toolkit(compute_capability: int) -> Fact[str]:
    """The first CUDA that knows the device: a driver of an older level cannot drive it."""
    rule = _rules().get(compute_capability)
    if rule is None:
        return _strange(compute_capability)
    return rule.first_toolkit or Unread("missing", f"the table does not say which CUDA first knew {spoken(rule.sm)}")


def _cubin_runs(target: Target, device: int, cuda: str | None) -> bool:
    if target.suffix == "a":
        return RENAMED.get(target.cc, target.cc) == device
    rule = _rules().get(target.cc)
    if rule is None:  # a target newer than the table: the general rule holds within its major
        return target.cc // 10 == device // 10 and target.cc % 10 <= device % 10
    if rule.devices is not None:
        return device in rule.devices
    assert rule.first is not None and rule.below is not None, "a row has either devices or a range"
    if device in rule.without:
        return rule.unified_from is not None and cuda is not None and key(cuda) >= key(rule.unified_from)
    return rule.first <= device < rule.below


def _ptx_runs(target: Target, device: int) -> bool:
    if target.suffix == "a":
        return target.cc == device
    if target.suffix == "f":
        return target.cc // 10 == device // 10 and target.cc <= device
    return target.cc <= device


def _strange(compute_capability: int) -> Unread:
    newer = compute_capability > max(sm for sm in _rules() if sm < 100)
    detail = f"compute capability {spoken(compute_capability)} is not in the table"
    return Unread("newer_than_table" if newer else "missing", detail)


@cache
def _rules() -> dict[int, SmRule]:
    return {rule.sm: rule for rule in table.rows("sm_rules", SmRule)}
