"""The Pythons of this machine: the one that is judged, asked twice; the others, by what their files tell."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from envcheck.facts import NOT_ASKED, Interpreter, Unread

from . import children
from .pool import describe as describe_error
from .pythons import find_interpreters, meanings, own_environment
from .pythons.layout import describe, identity_of, manager_of, name_of, read_cfg, site_folders
from .shell import Shell
from .system.root import printable

AT_ONCE = min(4, os.cpu_count() or 1)
"""Interpreters that are asked side by side: each imports torch, which takes a processor and some hundred MiB."""


def ask_target(executable: Path, found_by: str, shell: Shell, deadline: float) -> Interpreter:
    """The interpreter that is judged: as its user would start it and isolated, side by side.

    Always a record: where the interpreter cannot be asked, ``probe`` says why and its files have to do.
    """
    known = describe(executable, [found_by])
    isolated: list[children.Reply] = []

    def ask_isolated() -> None:
        isolated.append(children.ask_interpreter_isolated(executable, shell, deadline, whole=False))

    thread = threading.Thread(target=ask_isolated, daemon=True)
    thread.start()
    user = children.ask_interpreter(executable, shell, deadline)
    thread.join()
    alone = isolated[0]
    if isinstance(user.answer, Unread) and isinstance(alone.answer, Interpreter):
        # The user's own start fails, the isolated one works: let that one tell everything.
        alone = children.ask_interpreter_isolated(executable, shell, deadline, whole=True)
    answer = children.join_interpreter(user.answer, alone.answer)
    # A PYTHONHOME can keep it from starting as the user would; then the environment itself is whole.
    starts = alone.starts if alone.starts is True else user.starts
    if isinstance(answer, Unread):
        return _by_files(msgspec.structs.replace(known, probe=answer, starts=starts), executable)
    record = msgspec.structs.replace(_with_place(answer, known), starts=starts)
    return _by_files(record, executable) if record.torch == NOT_ASKED else record


def _by_files(record: Interpreter, executable: Path) -> Interpreter:
    """What the files tell of an interpreter that could not be asked, or is too old to be."""
    from .pythons.glance import glance

    return glance(record, executable, packages=True)


def _with_place(answer: Interpreter, known: Interpreter) -> Interpreter:
    """The probe's answer under the name and by the way that the interpreter was found."""
    manager, name = known.manager, known.name
    if isinstance(answer.prefix, str) and answer.prefix != known.prefix:
        prefix = Path(answer.prefix)  # a shim or a wrapper led elsewhere than where it stands
        manager = manager_of(prefix, read_cfg(prefix))
        name = name_of(prefix, manager)
    return msgspec.structs.replace(
        answer,
        executable=known.executable,
        found_by=known.found_by,
        manager=manager,
        name=name,
        cfg_version=known.cfg_version if isinstance(answer.cfg_version, Unread) else answer.cfg_version,
        home_missing=known.home_missing if isinstance(answer.home_missing, Unread) else answer.home_missing,
    )


def has_torch_folder(executable: Path) -> bool:
    """Whether torch lies in the environment's own site-packages: then its import need not wait for the probe."""
    return any((folder / "torch" / "version.py").is_file() for folder in site_folders(executable))


class Others(msgspec.Struct, frozen=True):
    """What a search found beside the target."""

    target_found_by: list[str]  # every way that led to the target
    target_means: list[str]  # the shell's commands that lead to it now
    records: list[Interpreter]


Ask = Callable[[Path, Interpreter], Interpreter]
"""How to probe one environment that was found: its record by its files in, its own answer out."""


def find_others(shell: Shell, target: Path | None, packages: bool, ask: Ask | None = None) -> Others:
    """Every other environment on this machine and the torch in its files, without running any.

    ``packages`` also lists what else is installed in each.  ``ask`` is put to each interpreter, a few at a time.
    """
    from .jupyter import kernelspec_sightings
    from .pythons.glance import glance

    means = meanings(shell, own_environment())
    mine = identity_of(target) if target is not None else None
    ways: list[str] = []
    found: list[tuple[Path, Interpreter]] = []
    for item in find_interpreters(shell, kernelspec_sightings(shell)):
        identity = identity_of(item.executable)
        if identity == mine:
            ways = [printable(way) for way in item.found_by]
            continue
        record = msgspec.structs.replace(describe(item.executable, item.found_by), means=means.of(identity))
        found.append((item.executable, glance(record, item.executable, packages=packages)))
    records = [record for _, record in found] if ask is None else _ask_all(found, ask)
    return Others(ways, means.of(mine) if mine is not None else [], records)


def _ask_all(found: list[tuple[Path, Interpreter]], ask: Ask) -> list[Interpreter]:
    """The records with what each interpreter says of itself, in the same order."""
    records = [record for _, record in found]
    waiting = iter(range(len(found)))
    lock = threading.Lock()

    def work() -> None:
        while True:
            with lock:
                at = next(waiting, None)
            if at is None:
                return
            executable, record = found[at]
            try:
                records[at] = ask(executable, record)
            except Exception as error:  # noqa: BLE001  the wall: what was caught is why this one was not asked
                records[at] = msgspec.structs.replace(record, probe=Unread("crashed", describe_error(error)))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(min(AT_ONCE, len(found)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return records
