"""What ``modinfo`` says of compressed kernel modules, which take too long to decompress on every look."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from envcheck.facts import Fact, ModuleFile, Unread

from .packages import path_folders
from .programs import Run, bounded
from .root import Root

PROGRAM_DEADLINE_S = 5.0
"""It decompresses the whole module, some 100 MB of it."""

_CAP_BYTES = 1 << 20
_FOLDERS = ("/usr/sbin", "/sbin", "/usr/bin", "/bin", "/run/current-system/sw/bin")  # often not on a user's PATH


def read_compressed(
    files: list[ModuleFile], release: str, root: Root, environ: Mapping[str, str], run: Run | None = None
) -> list[ModuleFile]:
    """The same files; those of the kernel ``release`` that nobody could read are asked of ``modinfo``."""
    wanted = [file for file in files if file.kernel_release == release and isinstance(file.version, Unread)]
    program = root.which("modinfo", [*path_folders("linux", environ), *_FOLDERS]) if wanted else None
    if program is None:
        return files
    run = run or bounded(environ, deadline=PROGRAM_DEADLINE_S, cap_bytes=_CAP_BYTES)
    return [_ask(file, root, program, run) if file in wanted else file for file in files]


def _ask(file: ModuleFile, root: Root, program: str, run: Run) -> ModuleFile:
    answer = run([root.place(program), root.place(file.path)])
    text = answer.stdout.decode("utf-8", "backslashreplace")
    values: dict[str, str] = {}
    for line in text.split("\n"):
        key, colon, value = line.partition(":")
        if colon:
            values.setdefault(key.strip(), value.strip())
    if not values.keys() & {"license", "version"}:
        said = answer.stderr[:160].decode("utf-8", "backslashreplace").strip()
        why = answer.unread() or Unread("garbled", f"modinfo: {said or 'no output'}")
        return msgspec.structs.replace(file, version=why, license=why, signed=why)
    version: Fact[str] = values.get("version") or None
    licence: Fact[str] = values.get("license") or None
    # "signer" names the certificate; "sig_id" stands there even where the name is unknown.
    return msgspec.structs.replace(
        file, version=version, license=licence, signed="signer" in values or "sig_id" in values
    )
