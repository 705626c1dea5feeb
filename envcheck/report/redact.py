"""A report fit to share: user and host names, paths below home, addresses and credentials taken out.

What stands in their place is stable within one snapshot, so that two mentions of one thing still match, and is left
alone by a second redaction.  Pure: names that the data do not show (of the user who asks, of this host) are given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from envcheck.facts import Snapshot, Unread

from . import secrets as s

HIDDEN = "<redacted>"
_SHORTEST_NAME = 3
_MOST_PASSES = 8
"""What stands in one thing's place may make another recognisable: it ends when a pass finds nothing more to do."""
_PLAIN_KEYS = frozenset({"kind", "why", "outcome", "schema", "system", "machine", "engine"})
"""Fields of closed vocabularies: nothing in them is anybody's."""
_VERSION_KEYS = frozenset(
    {"version", "metadata_version", "tag_version", "requires", "folder", "wheel_tag", "driver_version", "nvml_version"}
    | {"soname", "build", "libc", "proc_banner", "vbios", "video_bios", "gsp_firmware", "driver_packages"}
)
_NAMED_AFTER_FOLDERS = frozenset({"name", "display_name", "chosen_by", "disagreements", "found_by", "group_names"})


def redact(snapshot: Snapshot, users: Iterable[str] = (), hosts: Iterable[str] = ()) -> Snapshot:
    """The snapshot without what identifies people and machines.

    GPU UUIDs keep their first eight digits, environment variables outside an allow-list only their names, and of
    processes that are not known to be the asking user's own only pid and memory stay.  ``users`` and ``hosts`` are
    further names that the data need not show.
    """
    plain: Any = msgspec.to_builtins(snapshot)
    home = None if isinstance(snapshot.environment, Unread) else snapshot.environment.home
    known = (tuple(users), tuple(hosts), home if isinstance(home, str) else "")
    for _ in range(_MOST_PASSES):
        redactor = _Redactor(*known)
        for key, text in _strings(plain):
            redactor.learn(text, whole=key not in ("text", "source", "detail"))
        _walk(plain, redactor, "")  # meets every folder, so that an environment named after one is known by then
        before, plain = plain, _walk(plain, redactor, "")
        if plain == before:
            break
    return msgspec.convert(plain, Snapshot)


def redact_text(text: str, users: Iterable[str] = (), hosts: Iterable[str] = ()) -> str:
    """The text without what identifies people and machines, by the same rules."""
    known = (tuple(users), tuple(hosts))
    for _ in range(_MOST_PASSES):
        redactor = _Redactor(*known)
        redactor.learn(text, whole=False)
        before, text = text, redactor.text(text)
        if text == before:
            break
    return text


def _strings(plain: Any, key: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(plain, str):
        yield key, plain
    elif isinstance(plain, dict):
        for name, value in plain.items():
            yield from _strings(value, name)
    elif isinstance(plain, list):
        for item in plain:
            yield from _strings(item, key)


def _walk(plain: Any, redactor: _Redactor, key: str) -> Any:
    if isinstance(plain, str):
        return plain if key in _PLAIN_KEYS else redactor.field(plain, key)
    if isinstance(plain, list):
        if key == "variables":
            return [_variable(item, redactor) for item in plain]
        return [_walk(item, redactor, key) for item in plain]
    if not isinstance(plain, dict):
        return plain
    walked = {name: _walk(value, redactor, name) for name, value in plain.items()}
    if isinstance(walked.get("serial"), str):
        walked["serial"] = _unread("a serial number")
    if "pid" in walked and walked.get("own") is not True and isinstance(walked.get("name"), str):
        walked["name"] = _unread("a process that is not known to be the user's own")
    if _is_origin_of_process(walked):
        walked["source"] = walked["source"].split(":", 1)[0]
    return walked


def _unread(what: str) -> dict[str, str]:
    return {"kind": "unread", "why": "refused", "detail": f"redacted: {what}"}


def _is_origin_of_process(record: dict[str, Any]) -> bool:
    pointer = record.get("pointer")
    return isinstance(pointer, str) and "/processes" in pointer and isinstance(record.get("source"), str)


def _variable(item: Any, redactor: _Redactor) -> Any:
    """A variable as a record, or as ``NAME=value`` of a kernelspec."""
    if isinstance(item, str):
        name, _, value = item.partition("=")
        return f"{name}={redactor.variable(name, value)}"
    return {**item, "value": redactor.variable(item["name"], item["value"])}


class _Redactor:
    """The names that were met, and what stands for each."""

    def __init__(self, users: Iterable[str], hosts: Iterable[str], home: str = "") -> None:
        self.users: dict[str, str] = {}
        self.hosts: dict[str, str] = {}
        self.folders: dict[str, str] = {}
        self.home: re.Pattern[str] | None = None
        self._words: re.Pattern[str] | None = None
        for name in users:
            self._meet(self.users, "user", name)
        for name in hosts:
            self._meet(self.hosts, "host", name)
            self._meet(self.hosts, "host", name.partition(".")[0])
        if home.count("/") >= 2 and not re.match(s.HOMES, home):  # /scratch/alice
            self._meet(self.users, "user", home.rstrip("/").rpartition("/")[2])
            self.home = re.compile(re.escape(home.rstrip("/")) + r"(?=/|$|[\s:\"'])")

    # -- learning ------------------------------------------------------------------------------------

    def learn(self, text: str, *, whole: bool) -> None:
        """Meet the users and hosts that a text names.  ``whole``: the text may be one path, with blanks in it."""
        text = _without_secrets(text, addresses=True)
        if whole and _is_path(text) and (path := re.match(rf"{s.HOMES}([^/\\]{{1,64}})[/\\]", text)):
            self._meet(self.users, "user", path[1])
        for pattern in (s.PATH_BELOW_HOME, s.PATH_BELOW_WINDOWS_HOME):
            for path in pattern.finditer(text):
                if path["user"]:
                    self._meet(self.users, "user", path["user"])
        for prompt in s.PROMPT.finditer(text):
            self._meet(self.users, "user", prompt[1])
            self._meet(self.hosts, "host", prompt[2])
        for line in s.SYSLOG.finditer(text):
            self._meet(self.hosts, "host", line[1])
        self._words = None

    def _meet(self, known: dict[str, str], stem: str, name: str) -> None:
        if name in known or name in s.COMMON_NAMES or re.fullmatch(rf"{stem}\d*|<\w+>", name) or not name.strip(".-"):
            return
        known[name] = stem if not known else f"{stem}{len(known) + 1}"

    # -- replacing -----------------------------------------------------------------------------------

    def field(self, text: str, key: str) -> str:
        """The string of one field."""
        if key in _NAMED_AFTER_FOLDERS:
            if text in self.folders or text in self.users:
                return self.folders.get(text) or self.users[text]
            first, _, last = text.rpartition(" ")
            if last in self.folders:  # "--env study", "kernelspec study"
                return f"{first} {self.folders[last]}".strip()
        return self.text(text, addresses=key not in _VERSION_KEYS, path=_is_path(text))

    def text(self, text: str, *, addresses: bool = True, path: bool = False) -> str:
        """Any text."""
        text = _without_secrets(text, addresses=addresses)
        if self.home is not None:
            text = self.home.sub("/home/user", text)
        text = self._names(text)
        if path:
            text = self._path(text)
        else:
            text = s.PATH_BELOW_HOME.sub(self._below_home, text)
            text = s.PATH_BELOW_WINDOWS_HOME.sub(self._below_home, text)
        return s.PATH_BELOW_ROOT.sub(lambda found: found["head"] + self._folders(found["rest"]), text)

    def variable(self, name: str, value: str) -> str:
        """A variable's value, where its name is on the allow-list."""
        if not value or value == HIDDEN:
            return value
        if s.SECRET_NAME.search(name) or not s.SHOWN_VARIABLES.match(name):
            return HIDDEN
        return self.text(value, path=_is_path(value))

    def _names(self, text: str) -> str:
        """User and host names that stand in the text as words of their own; a single word is a fact, not a mention."""
        if not re.search(r"[\s/\\@:=,]", text):
            return text
        if self._words is None:
            known = [name for name in {**self.users, **self.hosts} if len(name) >= _SHORTEST_NAME]
            known.sort(key=len, reverse=True)
            pattern = "|".join(map(re.escape, known)) or r"(?!)"
            self._words = re.compile(rf"(?<![\w.-])(?:{pattern})(?![\w-])")
        return self._words.sub(lambda found: self.users.get(found[0]) or self.hosts[found[0]], text)

    def _path(self, text: str) -> str:
        """A text that is one path as a whole, blanks included."""
        found = re.match(rf"({s.HOMES})([^/\\]+)(.*)$", text, re.DOTALL)
        if found is None:
            return text
        return found[1] + self.users.get(found[2], found[2]) + self._folders(found[3])

    def _below_home(self, found: re.Match[str]) -> str:
        if "tilde" in found.re.groupindex and found["tilde"]:
            return found["tilde"] + self._folders(found["below"])
        return found["head"] + self.users.get(found["user"], found["user"]) + self._folders(found["rest"])

    def _folders(self, rest: str) -> str:
        """The folders below a home: those that tools make stay, all others get a number."""
        parts = re.split(r"([/\\]+)", rest)
        for i in range(0, len(parts), 2):
            part = parts[i]
            if s.PUBLIC_BELOW.fullmatch(part) or (
                i > 1 and parts[i - 2] in s.LIBRARIES and s.OF_PYTHON.fullmatch(part)
            ):
                break
            if part and part not in s.KEPT and not s.KEPT_FORMS.fullmatch(part):
                parts[i] = self._number(part)
        return "".join(parts)

    def _number(self, folder: str) -> str:
        if folder not in self.folders:
            stem, dot, suffix = folder.rpartition(".")
            ending = f".{suffix}" if dot and stem and re.fullmatch(r"\w{1,8}", suffix) else ""
            self.folders[folder] = f"dir{len(self.folders) + 1}{ending}"
        return self.folders[folder]


def _without_secrets(text: str, *, addresses: bool) -> str:
    """The text without what needs no name to be known: credentials, addresses, numbers of boards, programs."""
    text = s.URL_LOGIN.sub(rf"\1{HIDDEN}@", text)
    for pattern in s.SECRETS:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    text = s.EMAIL.sub("<email>", s.TOKENS.sub(HIDDEN, text))
    if addresses:
        text = s.IPV4.sub(_hide_address, text)
    text = s.IPV6.sub("<ip>", s.MAC.sub("<mac>", text))
    text = s.UUID.sub(r"\1-0000-0000-0000-000000000000", text)
    return s.PROCESS_NAME.sub(r"\1<process>", s.SERIAL.sub(r"\1<serial>", text))


def _is_path(text: str) -> bool:
    return bool(re.match(r"/|[A-Za-z]:\\", text)) and ":" not in text[2:] and "\n" not in text and "//" not in text


def _hide_address(found: re.Match[str]) -> str:
    if found[0] in s.LOCAL or s.A_VERSION_BEFORE.search(found.string[max(0, found.start() - 60) : found.start()]):
        return found[0]
    return "<ip>"
