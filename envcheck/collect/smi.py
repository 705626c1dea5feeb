"""nvidia-smi as a witness: its XML report, asked for once and within bounds."""

from __future__ import annotations

import msgspec

from envcheck.facts import Smi

from .answers import fill
from .process import clean_environment, run_bounded
from .shell import Shell
from .system.root import printable


def collect_smi(shell: Shell, deadline: float) -> Smi:
    """Run ``nvidia-smi -q -x`` for at most ``deadline`` seconds.

    Its own words in place of a report ("Failed to initialize NVML: Driver/library version mismatch") are kept in
    ``error``; a hang, a flood or a crash is in every fact that the report would have given.
    """
    program = next(shell.programs("nvidia-smi"), None)
    if program is None:
        return Smi(path=None)
    path = printable(str(program))
    result = run_bounded([str(program), "-q", "-x"], deadline=deadline, environ=clean_environment(shell.environ))
    unread = result.unread()
    if unread is not None:
        return fill(Smi(path=path), unread, keep=("pairs",))
    from envcheck.read.nvidia_smi_xml import parse_xml

    # Some failures are told on stderr only.
    text = (result.stdout if result.stdout.strip() else result.stderr).decode("utf-8", "backslashreplace")
    return msgspec.structs.replace(parse_xml(text), path=path, exit_code=result.exit_code)
