"""Markdown is made to be posted: it goes without names, paths below home, addresses and credentials."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from envcheck.report.page import Page


def own_names() -> tuple[list[str], list[str]]:
    """Names of the user who asks and of this host, as far as they are told."""
    import platform
    from contextlib import suppress

    users = [os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")]
    with suppress(ImportError, KeyError):  # Windows has no pwd; a container's user may have no name
        import pwd

        users.append(pwd.getpwuid(os.getuid()).pw_name)
    return [name for name in dict.fromkeys(users) if name], [name for name in [platform.node()] if name]


def fit_to_share(render: Callable[[str, Page], str], *, whole: bool) -> Callable[[str, Page], str]:
    """The same voice, with what identifies people and machines taken out of its Markdown; ``whole`` leaves it in.

    The other formats stay on the machine, and programs look for the paths in them.
    """

    def voice(name: str, page: Page) -> str:
        text = render(name, page)
        if whole or name != "markdown":
            return text
        from envcheck.report.redact import redact_text

        return redact_text(text, *own_names())

    return voice
