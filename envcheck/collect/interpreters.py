"""The Pythons of this machine: the one that is judged, asked twice; the others, by what their files tell."""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec

from envcheck.facts import NOT_ASKED, Interpreter, Unread

from . import children
from .pythons import find_interpreters
from .pythons.layout import describe, identity_of, manager_of, name_of, read_cfg, site_folders
from .shell import Shell
from .system.root import printable


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
    records: list[Interpreter]


def find_others(shell: Shell, target: Path | None, packages: bool) -> Others:
    """Every other environment on this machine and the torch in its files, without running any.

    ``packages`` also lists what else is installed in each.
    """
    from .jupyter import kernelspec_sightings
    from .pythons.glance import glance

    mine = identity_of(target) if target is not None else None
    ways: list[str] = []
    records = []
    for item in find_interpreters(shell, kernelspec_sightings(shell)):
        if identity_of(item.executable) == mine:
            ways = [printable(way) for way in item.found_by]
            continue
        records.append(glance(describe(item.executable, item.found_by), item.executable, packages=packages))
    return Others(ways, records)
