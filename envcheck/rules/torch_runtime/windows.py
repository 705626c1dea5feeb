"""What stopped a program on Windows?  Only its message tells."""

from __future__ import annotations

from envcheck.judge import Case, Fix, Rule, Step, by_message


class WindowsPagingFileSmall(Rule):
    """The paging file is too small for the processes that were started.

    What it looks at
        The message WinError 1455.
    Why it matters
        Every spawned worker loads the CUDA libraries anew and reserves gigabytes that it may never touch; Windows
        must be able to back them.
    How to mend it
        Fewer workers, or a larger paging file.
    Cannot tell when
        No message was seen.
    References
        Windows system error codes, 1455 (ERROR_COMMITMENT_LIMIT).
    """

    code, name, rung = "WIN104", "windows-paging-file-small", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Start fewer workers, or enlarge the paging file",
            steps=[
                Step(where="env", command="DataLoader(…, num_workers=2)", note="in the program"),
                Step(
                    where="windows",
                    command="SystemPropertiesPerformance.exe",
                    root=True,
                    reboot=True,
                    note="Advanced, Virtual memory: system managed size",
                ),
            ],
            safety="careful",
            verify="run the failing program again",
        )


class WindowsSpawnGuard(Rule):
    """A program starts worker processes without the guard that Windows and macOS need.

    What it looks at
        The message about the bootstrapping phase.
    Why it matters
        Workers are started by running the main file again: without the guard each would start workers of its own.
    How to mend it
        Put the start under `if __name__ == "__main__":`; from a notebook, move the dataset class into a file.
    Cannot tell when
        No message was seen.
    References
        Python documentation, multiprocessing, programming guidelines.
    """

    code, name, rung = "WIN105", "windows-spawn-guard", "torch_runtime"

    @staticmethod
    def mend(case: Case) -> Fix:
        return Fix(
            title="Guard the start of the program",
            steps=[
                Step(where="env", command='if __name__ == "__main__": main()', note="at the end of the program"),
                Step(where="env", command="DataLoader(…, num_workers=0)", note="instead, in a notebook"),
            ],
            verify="run the failing program again",
        )


what_stopped_the_program_on_windows = by_message(
    "what_stopped_the_program_on_windows", "host", WindowsPagingFileSmall, WindowsSpawnGuard
)
