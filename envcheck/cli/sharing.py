"""What is made to be shown to others goes without names, paths below home, addresses and credentials.

The one place that decides it, for every command.  A result is redacted as data and rendered then, so that every format
of it is alike; exit codes are those of the whole result.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

if TYPE_CHECKING:
    import msgspec

T = TypeVar("T")

FOR_OTHERS = frozenset({"markdown", "html", "junit", "sarif", "github", "gitlab"})
"""Formats that are posted, mailed or uploaded.  The others stay here, and programs look for the paths in them."""


def is_redacted(name: str, redact: bool | None) -> bool:
    """Does a result in the format of that name go without?  ``redact``: what the call says; ``None``: nothing."""
    return name in FOR_OTHERS if redact is None else redact


def fit(result: T, redact: bool | None) -> Callable[[str], T]:
    """Format -> the result as that format is given it: a snapshot, a report, a text, or a tuple of such."""
    made: list[T] = []

    def of(name: str) -> T:
        if not is_redacted(name, redact):
            return result
        if not made:
            made.append(cast("T", _redacted(result, *own_names())))
        return made[0]

    return of


def _redacted(result: object, users: list[str], hosts: list[str]) -> object:
    from envcheck.report import redact

    if isinstance(result, tuple):
        return tuple(_redacted(item, users, hosts) for item in result)
    if isinstance(result, str):
        return redact.redact_text(result, users, hosts)
    return redact.redact(cast("msgspec.Struct", result), users, hosts)


def own_names() -> tuple[list[str], list[str]]:
    """Names of the user who asks and of this host, as far as they are told."""
    import platform
    from contextlib import suppress

    users = [os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")]
    with suppress(ImportError, KeyError):  # Windows has no pwd; a container's user may have no name
        import pwd

        users.append(pwd.getpwuid(os.getuid()).pw_name)
    return [name for name in dict.fromkeys(users) if name], [name for name in [platform.node()] if name]
