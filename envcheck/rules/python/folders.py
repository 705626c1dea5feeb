"""Folders and interpreters as texts: what lies below what, and which interpreter belongs to which environment."""

from __future__ import annotations

from envcheck.judge import Case

BIN = ("bin", "Scripts", "")
"""Where an environment keeps its interpreter, below its prefix."""


def plain(path: str) -> str:
    """One spelling for comparisons: forward slashes, no slash at the end."""
    return path.replace("\\", "/").rstrip("/") or "/"


def below(path: str, folder: str) -> bool:
    """Does ``path`` lie in ``folder``, or is it that folder?"""
    inner, outer = plain(path), plain(folder)
    return inner == outer or inner.startswith(outer if outer == "/" else outer + "/")


def belongs_to(case: Case, env: str, interpreter: str) -> bool:
    """Is this interpreter the one of the environment at pointer ``env``?

    It is where it has the environment's name, or stands where the environment keeps its interpreter.  A venv's
    interpreter is a link to its base: the two are different environments in spite of it.
    """
    wanted = plain(interpreter)
    executable = case.present(f"{env}/executable", str)
    if wanted == plain(executable):
        return True
    prefix = plain(case.present(f"{env}/prefix", str))
    folder = wanted.rpartition("/")[0]
    return any(folder == (f"{prefix}/{name}" if name else prefix) for name in BIN)
