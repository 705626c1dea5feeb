"""What the files of one environment ask for, while they are being read."""

from __future__ import annotations

from dataclasses import dataclass, field

from envcheck.compat.declared.indexes import clean_url
from envcheck.facts import DeclaredImage, DeclaredIndex, DeclaredVariable

from .requirement import Ask


@dataclass(frozen=True)
class Told:
    """A word and the place where it stands: ``3.11`` in ``Dockerfile:1``."""

    text: str
    place: str


@dataclass
class Problem:
    """A line that could not be understood."""

    file: str
    line: int
    why: str


@dataclass
class Recipe:
    """Collects what one environment is made of, line by line."""

    name: str
    file: str
    line: int = 0
    tool: str = "pip"
    lock: str = ""
    asks: list[Ask] = field(default_factory=list)
    constraints: list[Ask] = field(default_factory=list)
    beside_lock: list[Ask] = field(default_factory=list)
    builds: list[Ask] = field(default_factory=list)
    indexes: list[DeclaredIndex] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)
    variables: list[DeclaredVariable] = field(default_factory=list)
    system_packages: list[str] = field(default_factory=list)
    image: DeclaredImage | None = None
    python: Told | None = None
    requires_python: Told | None = None
    system: str = ""  # a Dockerfile is Linux whatever the question says
    machine: str = ""
    used: set[str] = field(default_factory=set)  # the other files that it reads

    def index(self, kind: str, url: str, file: str, line: int, scope: str = "") -> None:
        """Add an index, a page of links or a backend."""
        self.indexes.append(DeclaredIndex(url=clean_url(url), kind=kind, scope=scope, file=file, line=line))

    def copy(self, name: str) -> Recipe:
        """The same so far, under another name, to be continued independently."""
        from copy import copy

        twin = copy(self)
        twin.name = name
        for attribute, value in vars(self).items():
            if isinstance(value, (list, set)):
                setattr(twin, attribute, copy(value))
        return twin
