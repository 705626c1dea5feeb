"""A report fit to share: user and host names, paths below home, addresses and credentials taken out.

What stands in their place is stable within one result, so that two mentions of one thing still match, and is left
alone by a second redaction.  Pure: names that the data do not show (of the user who asks, of this host) are given.

A result is redacted as data, before it is text: what a field means tells more than how its value looks, and every
format of it is then fit to share.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from envcheck.facts import Snapshot
from envcheck.judge import subjects

from . import secrets as s
from .redactor import HIDDEN, Redactor, without_secrets

R = TypeVar("R", bound=msgspec.Struct)

_MOST_PASSES = 8
"""What stands in one thing's place may make another recognisable: it ends when a pass finds nothing more to do."""
_PLAIN_KEYS = frozenset(
    {"kind", "why", "outcome", "schema", "system", "machine", "engine"}
    | {"rule", "code", "severity", "rung", "because", "weight", "confidence", "safety", "links"}
)
"""Fields of closed vocabularies: nothing in them is anybody's.  A verdict's ``why`` is prose, a fact's is a word."""
_PROSE = re.compile(r"\s")
_OF_THE_PROJECT = re.compile(r"(?![-.]{2}|~)[^\s:/\\][^\s:]*(?::\d+)?(?=$|:|\s)")
"""A file of the project, relative to where envcheck runs, perhaps with a line: CI formats point there."""


def redact(result: R, users: Iterable[str] = (), hosts: Iterable[str] = ()) -> R:
    """A snapshot, a report, or anything that is made of them, without what identifies people and machines.

    GPU UUIDs keep their first eight digits, environment variables outside an allow-list only their names, and of
    processes that are not known to be the asking user's own only pid and memory stay.  Verdicts, rules and files
    of the project stay as they are.  ``users`` and ``hosts`` are further names that the data need not show.
    """
    whole: Any = msgspec.to_builtins(result)
    known = (tuple(users), tuple(hosts), [home for home in map(_home, _snapshots(whole)) if home])
    plain = whole
    for _ in range(_MOST_PASSES):
        redactor = Redactor(*known)
        _learn(plain, redactor, "")
        for snapshot in _snapshots(plain):  # meets every folder: an environment named after one is known by then
            _walk(_judged(snapshot), redactor, "")
            _walk(snapshot, redactor, "")
        before, plain = plain, _walk(plain, redactor, "")
        if plain == before:
            break
    _quote_anew(whole, plain)
    without_secrets.cache_clear()  # what was taken out is kept nowhere
    return msgspec.convert(plain, type(result))


def redact_text(text: str, users: Iterable[str] = (), hosts: Iterable[str] = ()) -> str:
    """The text without what identifies people and machines, by the same rules."""
    known = (tuple(users), tuple(hosts))
    for _ in range(_MOST_PASSES):
        redactor = Redactor(*known)
        redactor.learn(text, whole=False)
        before, text = text, redactor.text(text)
        if text == before:
            break
    without_secrets.cache_clear()
    return text


def _snapshots(plain: Any) -> list[Any]:
    """Every snapshot in a result."""
    if not isinstance(plain, dict):
        return []
    if "taken_at" in plain or "interpreters" in plain:
        return [plain]
    return [found for part in plain.values() for found in _snapshots(part)]


def _home(snapshot: Any) -> str:
    environment = snapshot.get("environment")
    home = environment.get("home") if isinstance(environment, dict) else None
    return home if isinstance(home, str) else ""


def _judged(snapshot: Any) -> Any:
    """The environment that is judged: it is met first, so that its pseudonym is the same from run to run.

    CI systems know a finding again by its subject.
    """
    target, interpreters = snapshot.get("target"), snapshot.get("interpreters")
    at = target.get("interpreter") if isinstance(target, dict) else None
    if not isinstance(at, int) or not isinstance(interpreters, list) or at >= len(interpreters):
        return None
    return {name: interpreters[at].get(name) for name in ("prefix", "executable")}


# -- learning --------------------------------------------------------------------------------------------------


def _learn(plain: Any, redactor: Redactor, key: str) -> None:
    if isinstance(plain, str):
        redactor.learn(plain, whole=key not in ("text", "source", "detail"))
        if key == "serial":
            redactor.learn_secret(plain, "<serial>")
    elif isinstance(plain, list):
        for item in plain:
            if key == "variables" and isinstance(item, str):
                redactor.learn_variable(*item.partition("=")[::2])
            _learn(item, redactor, key)
    elif isinstance(plain, dict):
        if set(plain) >= {"name", "value"} and isinstance(plain["value"], str):
            redactor.learn_variable(plain["name"], plain["value"])
        for name, value in plain.items():
            _learn(value, redactor, name)


# -- replacing -------------------------------------------------------------------------------------------------


def _walk(plain: Any, redactor: Redactor, key: str) -> Any:
    if isinstance(plain, str):
        is_a_word = key in _PLAIN_KEYS and not _PROSE.search(plain)
        return plain if is_a_word or _is_of_the_project(plain, key) else redactor.field(plain, key)
    if isinstance(plain, list):
        if key == "variables":
            return [_variable(item, redactor) for item in plain]
        return [_walk(item, redactor, key) for item in plain]
    if not isinstance(plain, dict):
        return plain
    if key == "values":  # a plugin names its facts itself
        return _of_a_plugin(plain, redactor)
    walked = {name: _walk(value, redactor, name) for name, value in plain.items()}
    if isinstance(walked.get("serial"), str):
        walked["serial"] = _unread("a serial number")
    if "pid" in walked and walked.get("own") is not True and isinstance(walked.get("name"), str):
        walked["name"] = _unread("a process that is not known to be the user's own")
    if isinstance(plain.get("source"), str):
        walked["source"] = _source(plain, walked["source"], redactor)
    return walked


def _unread(what: str) -> dict[str, str]:
    return {"kind": "unread", "why": "refused", "detail": f"redacted: {what}"}


def _is_of_the_project(text: str, key: str) -> bool:
    return key == "file" and _OF_THE_PROJECT.fullmatch(text) is not None


def _source(record: dict[str, Any], walked: str, redactor: Redactor) -> str:
    """Where something came from: a line of a paste, a file and a line of a project, or the policy's file."""
    pointer, source = record.get("pointer"), str(record["source"])
    if isinstance(pointer, str) and "/processes" in pointer:
        return walked.split(":", 1)[0]
    found = _OF_THE_PROJECT.match(source)
    if found is not None and (":" in found[0] or ("source_line" in record or "fail_on" in record)):
        return found[0] + redactor.field(source[found.end() :], "source")
    return walked


def _variable(item: Any, redactor: Redactor) -> Any:
    """A variable as a record, or as ``NAME=value`` of a kernelspec."""
    if isinstance(item, str):
        name, _, value = item.partition("=")
        return f"{name}={redactor.variable(name, value)}"
    return {**item, "value": redactor.variable(item["name"], item["value"])}


def _of_a_plugin(plain: Any, redactor: Redactor, name: str = "") -> Any:
    """Values whose meaning only the plugin knows: any string may be a name, and what its key calls secret is hidden."""
    if isinstance(plain, dict):
        return {redactor.free(str(key)): _of_a_plugin(value, redactor, str(key)) for key, value in plain.items()}
    if isinstance(plain, list):
        return [_of_a_plugin(item, redactor, name) for item in plain]
    if not isinstance(plain, str):
        return plain
    return HIDDEN if plain and s.SECRET_NAME.search(name) else redactor.free(plain)


# -- quoting anew ----------------------------------------------------------------------------------------------


def _quote_anew(whole: Any, plain: Any) -> None:
    """Let everything that quotes a snapshot quote the redacted one: the values of evidence, and who is judged."""
    for old, new in _reports(whole, plain):
        told = _Told(old["snapshot"], new["snapshot"])
        _requote(old, new, told)
    if isinstance(whole, dict) and "differences" in whole:
        sides = {side: _Told(whole[side]["snapshot"], plain[side]["snapshot"]) for side in ("a", "b")}
        for old, new in zip(whole["differences"], plain["differences"], strict=True):
            for side, told in sides.items():
                new[side] = told.value(old, new, f"pointer_{side}", side)


def _reports(whole: Any, plain: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(whole, dict) and "verdicts" in whole:
        yield whole, plain
    elif isinstance(whole, dict) and "differences" in whole:
        yield from ((whole[side], plain[side]) for side in ("a", "b"))


class _Told:
    """What a snapshot says, before and after."""

    def __init__(self, whole: Any, plain: Any) -> None:
        self.whole, self.plain = whole, plain
        before, after = (subjects(msgspec.convert(one, Snapshot), all_envs=True) for one in (whole, plain))
        self.subjects = {old.key: new.key for old, new in zip(before, after, strict=False)}

    def value(self, old: Any, new: Any, pointer: str, key: str) -> Any:
        """The redacted fact, where the old value is the fact itself; else the new one, redacted for itself."""
        is_quoted = _at(self.whole, old[pointer], _NOWHERE) == old[key]
        return _at(self.plain, new[pointer], new[key]) if is_quoted else new[key]


_NOWHERE = object()


def _at(plain: Any, pointer: str, default: Any) -> Any:
    here = plain
    for part in pointer.split("/")[1:]:
        if isinstance(here, list) and part.isdigit() and int(part) < len(here):
            here = here[int(part)]
        elif isinstance(here, dict) and part in here:
            here = here[part]
        else:
            return default
    return here


def _requote(old: Any, new: Any, told: _Told) -> None:
    if isinstance(old, list):
        for one, other in zip(old, new, strict=True):
            _requote(one, other, told)
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in ("subject", "because_subject"):
            if old.get(key) in told.subjects:
                new[key] = told.subjects[old[key]]
        if old.get("fingerprint", "").endswith(f"/{old.get('subject')}"):
            new["fingerprint"] = old["fingerprint"].removesuffix(old["subject"]) + new["subject"]
        if set(old) == {"pointer", "value", "witness"}:
            new["value"] = told.value(old, new, "pointer", "value")
            return
        for key, value in old.items():
            if key != "snapshot":
                _requote(value, new.get(key), told)
