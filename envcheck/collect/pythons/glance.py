"""What an environment's files tell of its torch and its packages, for interpreters that are not run."""

from __future__ import annotations

from pathlib import Path

import msgspec

from envcheck.collect.answers import TYPES, decode_answer
from envcheck.collect.system.root import printable
from envcheck.facts import Distribution, Interpreter, TorchInstall, Unread

from .layout import site_folders


def glance(interpreter: Interpreter, executable: Path, *, packages: bool) -> Interpreter:
    """The record with its site-packages and the torch in them; with ``packages`` every other distribution too.

    Only the environment's own folders are looked at: PYTHONPATH, the user site and ``.pth`` files need the
    interpreter itself.
    """
    folders = site_folders(executable)
    if not folders:
        why = Unread("missing", "no site-packages folder was found beside the interpreter")
        return msgspec.structs.replace(interpreter, site_packages=why, distributions=why, torch=why)
    names = [str(folder) for folder in folders]
    return msgspec.structs.replace(
        interpreter,
        site_packages=[printable(name) for name in names],
        torch=_torch(names),
        distributions=_records(names) if packages else interpreter.distributions,
        has_pip=any((folder / "pip").is_dir() for folder in folders),
    )


def _records(folders: list[str]) -> list[Distribution] | Unread:
    from envcheck.probe import answer, distributions

    try:
        # By way of the probe's own JSON, which also makes undecodable file names presentable.
        found = answer.encode(distributions.scan(folders))
        with TYPES:
            return msgspec.json.decode(found, type=list[Distribution])
    except msgspec.ValidationError as error:
        return Unread("garbled", str(error))


def _torch(folders: list[str]) -> TorchInstall | Unread | None:
    from envcheck.probe import answer, torch_files

    for folder in folders:
        place = Path(folder, "torch")
        if place.is_dir():
            facts = torch_files.version_facts(str(place))
            facts.update(
                location=str(place), in_site_packages=True, extension_tags=torch_files.extension_tags(str(place))
            )
            return decode_answer(answer.encode(facts).encode("utf-8"), TorchInstall)
    return None
