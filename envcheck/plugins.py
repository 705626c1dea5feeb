"""Plugins: entry points of other distributions that bring rules, collectors, renderers and engines.

Groups: ``envcheck.rules`` (a Question, several, or a module with ``QUESTIONS``), ``envcheck.collectors`` (a function
without arguments that returns a dictionary of plain values, readable at ``/plugins/collectors.NAME/facts/values/…``),
``envcheck.renderers`` (``render(report, page) -> str``) and ``envcheck.engines`` (for ``envcheck fleet``).

A plugin that is broken never takes a run down with it: what happened becomes a fact, and a rule reports it.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from envcheck.facts import Plugin, PluginFacts, Snapshot, Unread

if TYPE_CHECKING:
    from envcheck.judge import Question

GROUPS = ("rules", "collectors", "renderers", "engines")
PREFIX = "envcheck."
COLLECTOR_DEADLINE_S = 10.0
"""How long a plugin's collector may take before it is abandoned."""


@dataclass(frozen=True)
class EntryPoint:
    """One line of an entry_points.txt."""

    group: str
    name: str
    target: str
    distribution: str

    @property
    def key(self) -> str:
        """The plugin's name in the snapshot: ``rules.acme``."""
        return f"{self.group}.{self.name}"


def discover(path: Sequence[str] | None = None) -> list[EntryPoint]:
    """Every entry point of our groups along ``sys.path``, sorted; nothing is imported.

    importlib.metadata would read every distribution's files for that (some 20 ms); here a file is read, and parsed
    only if our prefix stands in it.
    """
    found: dict[tuple[str, str, str], EntryPoint] = {}
    for folder in dict.fromkeys(sys.path if path is None else path):
        for distribution, raw in _tables(folder or "."):
            for point in _points(distribution, raw):
                found.setdefault((point.group, point.name, point.distribution), point)
    return sorted(found.values(), key=lambda point: (point.group, point.name, point.distribution))


def _tables(folder: str) -> Iterable[tuple[str, bytes]]:
    """(distribution, entry_points.txt) of the distributions of a folder that name one of our groups."""
    try:
        names = sorted(os.listdir(folder))  # noqa: PTH208  some 1 ms of a start
    except OSError:
        return
    for name in names:
        if not name.endswith((".dist-info", ".egg-info")):
            continue
        try:
            with open(f"{folder}/{name}/entry_points.txt", "rb") as file:  # noqa: PTH123
                raw = file.read()
        except OSError:
            continue
        if f"[{PREFIX}".encode() in raw.replace(b" ", b""):
            yield name.rsplit(".", 1)[0].replace("-", " ", 1).replace("_", "-"), raw


def _points(distribution: str, raw: bytes) -> Iterable[EntryPoint]:
    import configparser

    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    try:
        parser.read_string(raw.decode("utf-8", "replace"))
    except configparser.Error as error:
        yield EntryPoint("rules", "entry_points.txt", f"unreadable: {error}".splitlines()[0], distribution)
        return
    for section in parser.sections():
        group = section.strip().removeprefix(PREFIX)
        if section.strip().startswith(PREFIX) and group in GROUPS:
            for name, target in parser[section].items():
                yield EntryPoint(group, name, target.split("[")[0].strip(), distribution)


def load(point: EntryPoint) -> object:
    """The object that an entry point names.  Raises :class:`Broken`."""
    module, _, attribute = point.target.partition(":")
    try:
        found: object = import_module(module.strip())
        for part in filter(None, attribute.strip().split(".")):
            found = getattr(found, part)
    except (Exception, SystemExit) as error:  # a plugin's wall: what it caught becomes the plugin's problem
        raise Broken(_said(error)) from error
    return found


class Broken(Exception):
    """A plugin cannot be used.  The message is one line for the user."""


def with_plugins(
    snapshot: Snapshot, questions: Sequence[Question], *, live: bool = False, path: Sequence[str] | None = None
) -> tuple[Snapshot, tuple[Question, ...]]:
    """The snapshot with what became of each plugin, and the questions with those of the plugins.

    ``live``: collectors run.  In a recorded snapshot what they saw there stays, and so do plugins that are not here.
    Without plugins both come back as they are.
    """
    points = discover(path)
    if not points:
        return snapshot, tuple(questions)
    from msgspec.structs import replace

    asked = list(questions)
    recorded = snapshot.plugins or {} if not live else {}
    plugins: dict[str, Plugin] = {}
    for point in points:
        plugin = Plugin(group=point.group, name=point.name, target=point.target, distribution=point.distribution)
        try:
            if point.key in plugins:
                raise Broken(f"{plugins[point.key].distribution} offers one of the same name")
            found = load(point)
            if point.group == "rules":
                asked += _questions(found, asked)
            elif point.group != "engines" and not callable(getattr(found, "render", found)):
                raise Broken(f"{point.target} is no function")
            plugin = replace(plugin, problem=None)
            if point.group == "collectors":
                seen = recorded.get(point.key)
                facts = _collected(found) if live else seen.facts if seen is not None else plugin.facts
                plugin = replace(plugin, facts=facts)
        except Broken as error:
            plugin = replace(plugin, problem=str(error))
        plugins[point.key if point.key not in plugins else f"{point.key} of {point.distribution}"] = plugin
    return replace(snapshot, plugins={**recorded, **plugins}), tuple(asked)


def renderer(name: str, path: Sequence[str] | None = None) -> Callable[[Any, Any], str] | None:
    """The voice of that name that a plugin brings, or ``None``.  Raises :class:`Broken` where it cannot be used."""
    point = next((point for point in discover(path) if point.group == "renderers" and point.name == name), None)
    if point is None:
        return None
    found = load(point)
    voice = getattr(found, "render", found)
    if not callable(voice):
        raise Broken(f"{point.target} is no function")

    def speak(report: Any, page: Any) -> str:
        try:
            text = voice(report, page)
        except Exception as error:
            raise Broken(_said(error)) from error
        if not isinstance(text, str):
            raise Broken(f"it returned {type(text).__name__} instead of a text")
        return text

    return speak


def renderers(path: Sequence[str] | None = None) -> list[str]:
    """The names of the voices that plugins bring."""
    return [point.name for point in discover(path) if point.group == "renderers"]


def _questions(found: object, known: Iterable[Question]) -> list[Question]:
    """The questions of a rules plugin, if every one of them is fit to be asked.  Raises :class:`Broken`."""
    from envcheck.judge import Question
    from envcheck.judge.flaw import flaw

    given = getattr(found, "QUESTIONS", found)
    questions = [given] if isinstance(given, Question) else list(given) if isinstance(given, Iterable) else []
    if not questions or not all(isinstance(question, Question) for question in questions):
        raise Broken("it names no Question")
    taken: list[Question] = list(known)
    for question in questions:
        why = flaw(question, taken)
        if why:
            raise Broken(why)
        taken.append(question)
    return questions


def _collected(collect: Any) -> PluginFacts | Unread | None:
    """What a collector answers within its deadline: plain values by name, or why there are none."""
    answers: list[PluginFacts | Unread | None] = []

    def work() -> None:
        try:
            answers.append(_plain(collect()))
        except (Exception, SystemExit) as error:  # noqa: BLE001  a plugin's wall: what it caught becomes the fact
            answers.append(Unread("crashed", _said(error)))

    thread = threading.Thread(target=work, name="plugin", daemon=True)
    thread.start()
    thread.join(COLLECTOR_DEADLINE_S)
    return answers[0] if answers else Unread("timeout", f"no answer in {COLLECTOR_DEADLINE_S:g} s")


def _plain(answer: object) -> PluginFacts | Unread | None:
    import msgspec

    if answer is None:
        return None
    try:
        return PluginFacts(values=msgspec.json.decode(msgspec.json.encode(answer), type=dict[str, Any]))
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        return Unread("garbled", f"no dictionary of plain values: {_said(error)}")


def _said(error: BaseException) -> str:
    words = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
