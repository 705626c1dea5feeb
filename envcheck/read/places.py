"""Where the environment lies: the folders that tracebacks and warnings name."""

from __future__ import annotations

import re

from .draft import PYTHON, Draft
from .lines import Text

SIGNS = ("site-packages", "dist-packages", "Python3")

_UNIX = re.compile(r"(?P<prefix>/[^\s'\"<>|:*]{1,200}?)/lib/python(?P<version>\d\.\d{1,2})/(?:site|dist)-packages/")
_WINDOWS = re.compile(r"(?P<prefix>[A-Za-z]:\\[^'\"<>|*?]{1,200}?)\\[Ll]ib\\site-packages\\")
_CONDA = re.compile(r"(?:mini|ana|mamba|micro)?(?:conda|forge|mamba)\d?|/opt/conda|\\envs\\|/envs/", re.IGNORECASE)
_BUILD = re.compile(r"pip-build-env|/overlay/|builds-v0|\.tmp\w{6}")
"""Folders that an installer builds packages in: not the environment that is meant."""


def read(lines: Text, draft: Draft) -> None:
    """The first environment that is named."""
    for line in lines.holding("-packages", once=True):
        found = _UNIX.search(line.text) or _WINDOWS.search(line.text)
        if found is None or _BUILD.search(line.text):
            continue
        prefix = found["prefix"]
        windows = "\\" in prefix
        draft.note(f"{PYTHON}/prefix", prefix, line)
        draft.note(f"{PYTHON}/executable", prefix + ("\\python.exe" if windows else "/bin/python"), line)
        mac = prefix.startswith(("/Users/", "/opt/homebrew", "/Library/"))
        draft.note("/host/system", "Windows" if windows else "Darwin" if mac else "Linux", line, by_hand=True)
        if not windows:
            draft.note(f"{PYTHON}/version", found["version"], line, by_hand=True)
        if _CONDA.search(prefix):
            draft.note(f"{PYTHON}/manager", "conda", line, by_hand=True)
        return
