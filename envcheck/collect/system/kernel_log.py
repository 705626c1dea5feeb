"""The kernel's messages about the driver, as far as an ordinary user may read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from envcheck.facts import Fact, Unread
from envcheck.read.kernel_log import select_records

from .packages import path_folders
from .programs import Run, bounded
from .root import Root

if TYPE_CHECKING:
    from envcheck.collect.process import ProcessResult

PROGRAM_DEADLINE_S = 5.0
"""dmesg answers at once; journalctl may have a large journal to go through."""

_CAP_BYTES = 16 << 20
_FOLDERS = ("/usr/bin", "/bin", "/usr/sbin", "/sbin", "/run/current-system/sw/bin")
_REFUSALS = ("operation not permitted", "permission denied", "insufficient permissions", "not seeing messages")


def collect_kernel_log(
    root: Root, platform: str, environ: Mapping[str, str], *, run: Run | None = None
) -> Fact[list[str]]:
    """Records of this boot that concern the driver, the newest last; the fact ``driver.recovery_log``.

    Asks ``dmesg``; where that is refused, ``journalctl``, which members of adm, wheel or systemd-journal may read.
    ``run`` starts a program, by default through the process wall.
    """
    if platform != "linux":
        return Unread("unsupported", "no kernel log of the Linux kind")
    run = run or bounded(environ, deadline=PROGRAM_DEADLINE_S, cap_bytes=_CAP_BYTES)
    folders = [*path_folders(platform, environ), *_FOLDERS]
    answers = []
    for question in (["dmesg"], ["journalctl", "-k", "-b", "--no-pager", "-o", "short-monotonic"]):
        program = root.which(question[0], folders)
        if program is None:
            answers.append(Unread("missing", f"no {question[0]}"))
            continue
        text = _answer(run([root.place(program), *question[1:]]), question[0])
        if isinstance(text, str):
            return select_records(text)
        answers.append(text)
    # A refusal is worth more to the user than "journalctl is not installed": sudo would settle it.
    return next((answer for answer in answers if answer.why != "missing"), answers[0])


def _answer(result: ProcessResult, program: str) -> str | Unread:
    unread = result.unread()
    if unread is not None and not result.stdout:
        return unread
    said = result.stderr.decode("utf-8", "backslashreplace").strip().removeprefix(f"{program}: ")
    # journalctl succeeds with an empty or partial answer where it may not look; the hint stands on stderr.
    if any(words in said.lower() for words in _REFUSALS):
        return Unread("refused", f"{program}: {said.splitlines()[0][:160]}; sudo dmesg would show it")
    if result.exit_code not in (0, None):
        return Unread("unsupported", f"{program}: {said[:160] or f'exit code {result.exit_code}'}")
    text = result.stdout.decode("utf-8", "backslashreplace")
    # Every kernel has said something since it started.  "-- No entries --" and "-- Logs begin at …" are journalctl's.
    if not any(line.strip() and not line.startswith("-- ") for line in text.split("\n")):
        return Unread("missing", f"{program}: {said[:160] or 'no messages of the kernel'}")
    return text
