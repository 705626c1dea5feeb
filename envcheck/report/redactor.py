"""The names that a redaction has met, and what stands for each, in any text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from . import secrets as s

HIDDEN = "<redacted>"
_SHORTEST_NAME, _SHORTEST_SECRET = 3, 6
_WITHIN_A_WORD = 5
"""Names of so many letters are found in ``torchinductor_alice`` too; shorter ones would be found everywhere."""
_VERSION_KEYS = frozenset(
    {"version", "metadata_version", "tag_version", "requires", "folder", "wheel_tag", "driver_version", "nvml_version"}
    | {
        "soname",
        "build",
        "libc",
        "kernel_release",
        "proc_banner",
        "vbios",
        "video_bios",
        "gsp_firmware",
        "driver_packages",
    }
)
_WRITTEN = frozenset({"command", "verify", "summary", "cause", "note", "title", "why", "text", "detail", "witness"})
"""Fields that begin with a path at times and are none."""
_NAMED_AFTER_FOLDERS = frozenset({"name", "display_name", "chosen_by", "disagreements", "found_by", "group_names"})
_NAMED = re.compile(
    r"(?P<head>(?:--(?:env|name|prefix)|(?<!\S)-[np]|\b(?:env|environment|kernel|kernelspec|venv|activate))[ =][\"'`]?)"
    r"(?P<name>[\w.+-]{1,64})"
)
"""Where prose or a command calls an environment by its name."""
_TOKEN = re.compile(r"(?<![\w/\\+-])[\w+-]+(?![\w/\\+-])")


class Redactor:
    """The names that were met, and what stands for each."""

    def __init__(self, users: Iterable[str], hosts: Iterable[str], homes: Iterable[str] = ()) -> None:
        self._learned: set[str] = set()
        self.users: dict[str, str] = {}
        self.hosts: dict[str, str] = {}
        self.folders: dict[str, str] = {}
        self.named: dict[str, str] = {}  # environments, kernels and packages that are called as their folder is
        self.literals: dict[str, str] = {}
        self.home: re.Pattern[str] | None = None
        self._words: re.Pattern[str] | None = None
        for name in users:
            self._meet(self.users, "user", name)
        for name in hosts:
            self._meet(self.hosts, "host", name)
            self._meet(self.hosts, "host", name.partition(".")[0])
        unusual = [home.rstrip("/") for home in homes if home.count("/") >= 2 and not re.match(s.HOMES, home)]
        for home in unusual:  # /scratch/alice
            self._meet(self.users, "user", home.rpartition("/")[2])
        if unusual:
            self.home = re.compile(rf"(?:{'|'.join(map(re.escape, unusual))})(?=/|$|[\s:\"'])")

    # -- learning ------------------------------------------------------------------------------------

    def learn(self, text: str, *, whole: bool) -> None:
        """Meet the users and hosts that a text names.  ``whole``: the text may be one path, with blanks in it."""
        if text in self._learned:
            return
        self._learned.add(text)
        for number in s.SERIAL.finditer(text):
            self.learn_secret(number[2], "<serial>")
        text = without_secrets(text)
        if whole and is_path(text) and (path := re.match(rf"{s.HOMES}([^/\\]{{1,64}})[/\\]", text)):
            self._meet(self.users, "user", path[1])
        for pattern in (s.PATH_BELOW_HOME, s.PATH_BELOW_WINDOWS_HOME):
            for path in pattern.finditer(text):
                if path["user"]:
                    self._meet(self.users, "user", path["user"])
        for prompt in s.PROMPT.finditer(text):
            self._meet(self.users, "user", prompt[1])
            self._meet(self.hosts, "host", prompt[2])
        for pattern in (s.SYSLOG, s.UNAME, s.HOST_NAMED):
            for line in pattern.finditer(text):
                self._meet_host(line[1])
        for line in s.USER_NAMED.finditer(text):
            self._meet(self.users, "user", line[1] or line[2])
        self._words = None

    def learn_variable(self, name: str, value: str) -> None:
        """Meet what a variable tells of people and machines, and remember a secret wherever it is quoted."""
        self.learn(f"{name}={value}", whole=False)
        if s.SECRET_NAME.search(name):
            self.learn_secret(value, HIDDEN)

    def learn_secret(self, value: str, instead: str) -> None:
        """A value that is hidden in its own field is hidden where a text quotes it."""
        if len(value) >= _SHORTEST_SECRET and "<" not in value:
            self.literals[value] = instead

    def _meet_host(self, name: str) -> None:
        if not re.fullmatch(r"[\d.]+", name):
            self._meet(self.hosts, "host", name)

    def _meet(self, known: dict[str, str], stem: str, name: str) -> None:
        if (
            name in known
            or name in s.COMMON_NAMES
            or re.fullmatch(rf"{stem}\d*|<\w+>", name)
            or not re.search(r"\w", name)
        ):
            return
        known[name] = stem if not known else f"{stem}{len(known) + 1}"

    # -- replacing -----------------------------------------------------------------------------------

    def field(self, text: str, key: str) -> str:
        """The string of one field."""
        if key in _NAMED_AFTER_FOLDERS:
            if text in self.folders:
                return self.named.setdefault(text, self.folders[text])
            if text in self.users:
                return self.users[text]
            first, _, last = text.rpartition(" ")
            if last in self.folders:  # "--env study", "kernelspec study"
                return f"{first} {self.folders[last]}".strip()
        if key in ("name", "command", "verify"):  # "distributions.study.version", "kernelspec remove study"
            text = _TOKEN.sub(lambda found: self.named.get(found[0], found[0]), text)
        if key == "kernel_cmdline":
            return self.parameters(text)
        return self.text(text, addresses=key not in _VERSION_KEYS, path=key not in _WRITTEN and is_path(text))

    def free(self, text: str) -> str:
        """A string of which nothing is known: it may be a name as a whole."""
        known = self.users.get(text) or self.hosts.get(text) or self.folders.get(text)
        return known or self.text(text, path=is_path(text), mentions=True)

    def text(self, text: str, *, addresses: bool = True, path: bool = False, mentions: bool = False) -> str:
        """Any text.  A single word is a fact, not a mention of the user or the host, unless ``mentions``."""
        text = without_secrets(text, addresses=addresses)
        for secret, instead in self.literals.items():
            text = text.replace(secret, instead)
        if self.home is not None:
            text = self.home.sub("/home/user", text)
        if mentions or re.search(r"[\s/\\@:=,]", text):
            text = self._mentions().sub(self._pseudonym, text)
        if path:
            text = self._path(text)
        else:
            text = s.QUOTED_PATH.sub(lambda found: found[1] + self._path(found[2]), text)
            text = s.PATH_BELOW_HOME.sub(self._below_home, text)
            text = s.PATH_BELOW_WINDOWS_HOME.sub(self._below_home, text)
        text = s.PATH_BELOW_ROOT.sub(lambda found: found["head"] + self._folders(found["rest"]), text)
        return _NAMED.sub(lambda found: found["head"] + self.folders.get(found["name"], found["name"]), text)

    def variable(self, name: str, value: str) -> str:
        """A variable's value, where its name is on the allow-list."""
        if not value or value == HIDDEN:
            return value
        if s.SECRET_NAME.search(name) or not s.SHOWN_VARIABLES.match(name):
            return HIDDEN
        return self.free(value)

    def parameters(self, text: str) -> str:
        """The kernel's command line: of a parameter that is not on the allow-list only the name."""
        shown = []
        for parameter in text.split(" "):
            name, given, value = parameter.partition("=")
            hidden = bool(given) and value not in ("", HIDDEN) and not s.SHOWN_PARAMETERS.fullmatch(name)
            shown.append(f"{name}={HIDDEN}" if hidden else parameter)
        return self.text(" ".join(shown))

    def _mentions(self) -> re.Pattern[str]:
        """User and host names where they stand as words of their own."""
        if self._words is None:
            self._words = _mentions(name for name in {**self.users, **self.hosts} if len(name) >= _SHORTEST_NAME)
        return self._words

    def _pseudonym(self, found: re.Match[str]) -> str:
        return self.users.get(found[0]) or self.hosts[found[0]]

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
        parts = re.split(r"(/+|\\+(?! ))", rest)
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


def is_path(text: str) -> bool:
    """Is the text one path as a whole?"""
    return bool(re.match(r"/|[A-Za-z]:\\", text)) and ":" not in text[2:] and "\n" not in text and "//" not in text


def _mentions(names: Iterable[str]) -> re.Pattern[str]:
    """Names as they stand in a text, the longest first."""
    patterns = []
    for name in sorted(names, key=len, reverse=True):
        word = re.escape(name)
        if name in s.WORDS:
            patterns.append(rf"(?<=[/\\@=~_\"'`(]){word}(?![\w-])|(?<![\w.-]){word}(?=[@/\\])")
        elif len(name) >= _WITHIN_A_WORD:
            patterns.append(rf"(?<![A-Za-z0-9]){word}(?![A-Za-z0-9])")
        else:
            patterns.append(rf"(?<![\w.-]){word}(?![\w-])")
    return re.compile("|".join(patterns) or r"(?!)")


@lru_cache(maxsize=4096)
def without_secrets(text: str, *, addresses: bool = True) -> str:
    """The text without what needs no name to be known: credentials, addresses, numbers of boards, programs."""
    text = s.URL_LOGIN.sub(rf"\1{HIDDEN}@", text)
    for pattern in s.SECRETS:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    text = s.EMAIL.sub("<email>", s.TOKENS.sub(HIDDEN, text))
    if addresses:
        text = s.IPV4.sub(_hide_address, text)
    text = s.HOST_OF_AN_ADDRESS.sub("<ip>", s.IPV6.sub("<ip>", s.MAC.sub("<mac>", text)))
    text = s.UUID.sub(r"\1-0000-0000-0000-000000000000", text)
    return s.PROCESS_NAME.sub(r"\1<process>", s.SERIAL.sub(r"\1<serial>", text))


def _hide_address(found: re.Match[str]) -> str:
    if found[0] in s.LOCAL or s.A_VERSION_BEFORE.search(found.string[max(0, found.start() - 60) : found.start()]):
        return found[0]
    return "<ip>"
