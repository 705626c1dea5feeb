"""``python -m envcheck`` and the command ``envcheck``: the outermost wall.

``--version`` is answered before anything heavy is imported.  Whatever happens, the exit code is one of the
contract (0, 1, 2, 3, 70, 130) and no raw traceback is shown.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from envcheck import __version__

BROKEN, INTERRUPTED = 70, 130  # judge.gate has these numbers too, and costs an import


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return the exit code; without arguments, run ``sys.argv`` and end the process."""
    if argv is not None:
        return _run(list(argv))
    code = _run(sys.argv[1:])
    if sys.getprofile() is None and sys.gettrace() is None:
        _leave(code)
    return code


def _run(args: list[str]) -> int:
    try:
        _occupy_closed_streams()
        if args in (["--version"], ["-V"]):
            return _say_version()
        from envcheck.cli.app import run

        return run(args)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  what was caught is reported whole, and the exit code says so
        from envcheck.cli.crash import show

        show(error, args)
        return BROKEN


def _leave(code: int) -> None:
    """End at once: nothing of ours is left to clean up, and Python's own teardown takes some 20 ms.

    It would also fail where an abandoned collector's thread is holding a lock.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except (OSError, ValueError):  # nobody reads it
            pass
    os._exit(code)


def _occupy_closed_streams() -> None:
    """Give descriptors 0 to 2 to the null device where they are closed (``>&-``).

    Otherwise the next file or pipe that is opened gets the number, and a child's output ends up in it.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _say_version() -> int:
    try:
        if sys.stdout is not None:
            sys.stdout.write(f"envcheck {__version__}\n")
            sys.stdout.flush()
    except OSError:  # nobody reads on: close the stream now, so that Python's end does not complain about it
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
