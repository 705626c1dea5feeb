"""Trying a difference out: one side of a comparison, given the other's value of one fact, and judged again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from envcheck.facts import Snapshot, resolve
from envcheck.judge import Finding, Policy, Question, Report, judge

from .alignment import Pair, target_of

_VERSIONS = ("/driver/nvml", "/driver/sys_module", "/driver/proc", "/driver/nvidia_smi", "/driver/pasted")
_MORE_VERSIONS = ("/nvml/driver_version", "/smi/driver_version")
_LEVELS = ("/nvml/cuda_version", "/nvml/cuda_version_kernel", "/cuda/driver_version")
_FOLLOWING = ("/nvml/nvml_version", "/nvml/driver_branch", "/smi/nvml_version", "/driver/proc_banner")
OF_THE_DRIVER = frozenset({*_VERSIONS, *_MORE_VERSIONS, *_LEVELS, *_FOLLOWING, "/smi/cuda_version"})
_UNASKED = {"kind": "unread", "why": "not_asked"}


def driver_of(snapshot: Snapshot) -> tuple[str, str] | None:
    """The driver's version and the pointer of the witness that tells it, the most immediate first."""
    for pointer in (*_VERSIONS, *_MORE_VERSIONS):
        value = resolve(snapshot, pointer)
        if isinstance(value, str):
            return value, pointer
    return None


def findings(report: Report) -> Iterable[Finding]:
    """Every error and warning, roots and consequences alike."""
    everything = [*report.root_causes, *(c.finding for c in report.consequences), *report.warnings]
    return (finding for finding in everything if finding.severity != "note")


class Broken:
    """One side's root causes, and whether another value of a fact would take them away."""

    def __init__(self, report: Report, questions: Sequence[Question], policy: Policy) -> None:
        self.questions, self.policy = questions, policy
        self.plain: Any = msgspec.to_builtins(report.snapshot)
        self.target = target_of(report.snapshot)
        self._set(self.plain, "/symptoms", [])  # what was seen follows from the facts; so does what torch said
        if self.target is not None:
            self._set(self.plain, f"{self.target}/runtime", _UNASKED)
        causes = {finding.rule for finding in report.root_causes if finding.severity == "error"}
        self.causes = causes & {finding.rule for finding in findings(self._judge(self.plain))} if causes else set()

    def mended_by(self, pair: Pair, other: Snapshot, *, mine: int) -> set[str]:
        """The root causes that are gone once the fact has the other side's value."""
        if not self.causes:
            return set()
        changed = msgspec.json.decode(msgspec.json.encode(self.plain))
        value = (pair.b, pair.a)[mine]
        if pair.name == "driver":
            self._set_driver(changed, other, value)
        elif not self._set(changed, (pair.pointer_a, pair.pointer_b)[mine], value, lists=value is None):
            return set()
        try:
            report = self._judge(changed)
        except msgspec.ValidationError:  # the other side's value does not fit here: nothing is learnt
            return set()
        # Gone means cleared: a rule that cannot tell any more, or crashed, has been robbed of its fact.
        open_ = {verdict.rule for verdict in report.verdicts if verdict.outcome not in ("ok", "not_applicable")}
        return self.causes - open_

    def _judge(self, plain: Any) -> Report:
        return judge(msgspec.convert(plain, Snapshot), self.questions, self.policy)

    def _set_driver(self, plain: Any, other: Snapshot, version: str) -> None:
        level = next((v for p in _LEVELS if type(v := resolve(other, p)) is int), None)
        told = resolve(other, "/smi/cuda_version")
        if level is None and isinstance(told, str) and (release := re.fullmatch(r"(\d{1,2})\.(\d)", told)):
            level = int(release[1]) * 1000 + int(release[2]) * 10
        for pointer in (*_VERSIONS, *_MORE_VERSIONS):
            if _get(plain, pointer):
                self._set(plain, pointer, version)
        for pointer in _LEVELS:
            if _get(plain, pointer):
                self._set(plain, pointer, _UNASKED if level is None else level)
        if _get(plain, "/smi/cuda_version"):
            words = _UNASKED if level is None else f"{level // 1000}.{level % 1000 // 10}"
            self._set(plain, "/smi/cuda_version", words)

    @staticmethod
    def _set(plain: Any, pointer: str, value: Any, *, lists: bool = False) -> bool:
        """Put a value at a pointer; ``lists``: a record that the other side lacks is taken out."""
        *path, last = pointer.split("/")[1:]
        here = plain
        for part in path:
            here = here[int(part)] if isinstance(here, list) else here.get(part) if isinstance(here, dict) else None
            if here is None or (isinstance(here, dict) and here.get("kind") == "unread"):
                return False
        if isinstance(here, list):
            if lists:
                del here[int(last)]
            else:
                here[int(last)] = value
        elif isinstance(here.get(last), list) and isinstance(value, dict) and value.get("kind") != "unread":
            here[last].append(value)  # the pointer is the list's: the record stands on the other side only
        else:
            here[last] = value
        return True


def _get(plain: Any, pointer: str) -> bool:
    """Is a value told at this pointer of the plain form?"""
    here = plain
    for part in pointer.split("/")[1:]:
        here = here.get(part) if isinstance(here, dict) else None
    return here is not None and not (isinstance(here, dict) and here.get("kind") == "unread")
