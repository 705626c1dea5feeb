"""Reading what a child says, with a cap and without ever waiting for more than its end or a moment in time."""

from __future__ import annotations

import os
import selectors
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import IO

HELD_OPEN_S = 0.3
"""How long the pipes of a child that has ended may stay open: a descendant of it holds them."""

_CHUNK = 1 << 16
_TICK_S = 0.05


class Reader(ABC):
    """What a child has said so far."""

    def __init__(self, child: subprocess.Popen[bytes], cap_bytes: int, has_ended: Callable[[], bool]) -> None:
        assert child.stdout is not None
        assert child.stderr is not None
        self.has_ended = has_ended
        self.room = cap_bytes
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.pipes: dict[IO[bytes], bytearray] = {child.stdout: self.stdout, child.stderr: self.stderr}
        self.truncated = False
        self.held_open = False  # the child ended, but a descendant holds its output open
        self.hear: Callable[[bytes], None] | None = None  # told of what comes on standard error, as it comes

    def take(self, pipe: IO[bytes], data: bytes) -> None:
        self.pipes[pipe] += data[: self.room]
        self.truncated = self.truncated or len(data) > self.room
        self.room = max(0, self.room - len(data))
        if self.hear is not None and self.pipes[pipe] is self.stderr:
            self.hear(data)

    @abstractmethod
    def read_until(self, moment: float) -> None:
        """Read until the child has ended and closed its pipes, ``moment`` (monotonic) comes, or the cap is reached."""

    @abstractmethod
    def read_rest(self) -> None:
        """Take what stands in the pipes now, without waiting for more."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the pipes."""


class SelectorReader(Reader):
    """Reads both pipes in the calling thread."""

    def __init__(self, child: subprocess.Popen[bytes], cap_bytes: int, has_ended: Callable[[], bool]) -> None:
        super().__init__(child, cap_bytes, has_ended)
        self.selector = selectors.DefaultSelector()
        for pipe in self.pipes:
            os.set_blocking(pipe.fileno(), False)
            self.selector.register(pipe, selectors.EVENT_READ)

    def read_until(self, moment: float) -> None:
        ended_at: float | None = None
        pause = 0.0005
        while not self.truncated:
            left = moment - time.monotonic()
            if left <= 0:
                return
            if not self.selector.get_map():
                if self.has_ended():
                    return
                time.sleep(min(left, pause))
                pause = min(2 * pause, _TICK_S)
                continue
            if self._read_some(min(left, _TICK_S)):
                continue
            if ended_at is None and self.has_ended():
                ended_at = time.monotonic()
            if ended_at is not None and time.monotonic() - ended_at > HELD_OPEN_S:
                self.held_open = True
                return

    def read_rest(self) -> None:
        while not self.truncated and self.selector.get_map() and self._read_some(0):
            pass

    def _read_some(self, timeout: float) -> bool:
        events = self.selector.select(timeout)
        for key, _ in events:
            pipe: IO[bytes] = key.fileobj  # type: ignore[assignment]
            try:
                data = os.read(pipe.fileno(), _CHUNK)
            except BlockingIOError:
                continue
            if data:
                self.take(pipe, data)
            else:
                self.selector.unregister(pipe)
        return bool(events)

    def close(self) -> None:
        self.selector.close()
        for pipe in self.pipes:
            pipe.close()


class ThreadReader(Reader):
    """Reads each pipe in a thread of its own: Windows cannot select on pipes."""

    def __init__(self, child: subprocess.Popen[bytes], cap_bytes: int, has_ended: Callable[[], bool]) -> None:
        super().__init__(child, cap_bytes, has_ended)
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._drain, args=(pipe,), daemon=True) for pipe in self.pipes]
        for thread in self.threads:
            thread.start()

    def _drain(self, pipe: IO[bytes]) -> None:
        with pipe:
            while not self.truncated:
                try:
                    data = pipe.read(_CHUNK)
                except (OSError, ValueError):  # closed under the reader
                    return
                if not data:
                    return
                with self.lock:
                    self.take(pipe, data)

    def read_until(self, moment: float) -> None:
        ended_at: float | None = None
        while not self.truncated and time.monotonic() < moment:
            now = time.monotonic()
            if ended_at is None and self.has_ended():
                ended_at = now
            alive = [thread for thread in self.threads if thread.is_alive()]
            if ended_at is not None and (not alive or now - ended_at > HELD_OPEN_S):
                self.held_open = bool(alive)
                return
            if alive and ended_at is None:
                alive[0].join(min(_TICK_S, max(0.0, moment - now)))
            else:
                time.sleep(0.002)

    def read_rest(self) -> None:
        for thread in self.threads:
            thread.join(_TICK_S)

    def close(self) -> None:
        """Nothing to do: each thread closes its own pipe."""
