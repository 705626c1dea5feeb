"""A bar on an interactive stderr while a benchmark runs; nothing anywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, TextIO

from .page import is_interactive, shows_colour
from .words import clean, shorten

LONGEST_WORDS = 40


class Bar:
    """``with Bar(sys.stderr, os.environ) as bar: measure(..., bar.tell)``."""

    def __init__(self, stream: TextIO | None, environ: Mapping[str, str]) -> None:
        self._progress: Any = None
        self._task: Any = None
        if stream is None or not is_interactive(stream, environ):
            return
        # Imported here: a benchmark takes seconds, and a run that nobody watches needs no picture.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = Console(file=stream, no_color=not shows_colour(stream, environ), highlight=False)
        columns = [TextColumn("{task.fields[device]}"), BarColumn(bar_width=20), TimeElapsedColumn()]
        columns += [TextColumn("{task.fields[words]}", markup=False)]
        spinner = [SpinnerColumn()] if (stream.encoding or "").lower().startswith("utf") else []
        self._progress = Progress(*spinner, *columns, console=console, transient=True)

    def __enter__(self) -> Bar:
        if self._progress is not None:
            self._progress.start()
            self._task = self._progress.add_task("", total=None, device="", words="starting")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._progress is not None:
            self._progress.stop()

    def tell(self, device: str, done: int, steps: int, words: str) -> None:
        """Where the benchmark stands."""
        if self._progress is not None:
            text = shorten(clean(words), LONGEST_WORDS)
            self._progress.update(
                self._task, completed=done, total=steps if steps > 1 else None, device=clean(device), words=text
            )
