"""The file system as the collectors see it: the machine's own, or a tree below a prefix.

Every read goes through :class:`Root`, which turns what the system says into a fact: the content, ``None``
(there is no such file) or :class:`~envcheck.facts.Unread` with the reason.  Nothing here raises for what
stands, or does not stand, on the disk.
"""

# A diagnosis reads several hundred small files; a pathlib object for each would double the time.
# ruff: noqa: PTH115, PTH116, PTH119, PTH208

from __future__ import annotations

import errno
import os
import stat as modes
from collections.abc import Iterable

from envcheck.facts import Fact, Unread

VALUE_BYTES = 4096
"""Enough for any file that holds one value: sysfs never gives more than a page."""
TEXT_BYTES = 1 << 20
"""Enough for the tables of /proc and for configuration files."""

_ABSENT = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
_REFUSED = frozenset({errno.EACCES, errno.EPERM})
_WRONG_KIND = frozenset({errno.EISDIR, errno.ELOOP})
_LINKS_MAX = 40  # MAXSYMLINKS of the Linux kernel
# O_NONBLOCK: opening a FIFO that somebody put in a file's place must not wait for a writer.
_FLAGS = os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)


class Root:
    """A file tree to read from.

    ``prefix`` is put before every path and bounds symbolic links (an absolute link below the prefix leads to a
    place below the prefix), as it is for a host's tree that is mounted into a container.  An empty prefix is the
    machine itself.  All paths that methods take and give are those inside the tree.
    """

    __slots__ = ("_mounted", "prefix")

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix.rstrip("/")
        self._mounted: dict[str, bool] = {}

    # --- content -------------------------------------------------------------------------------------------

    def read(self, path: str, limit: int = TEXT_BYTES, offset: int = 0) -> Fact[bytes]:
        """Up to ``limit`` bytes of a file.

        ``None`` if there is no such file, unless its whole file system (/sys, /proc) is not mounted.
        """
        try:
            descriptor = os.open(self._locate(path), _FLAGS)
            try:
                if offset:
                    os.lseek(descriptor, offset, os.SEEK_SET)
                chunks = []
                while limit > 0:
                    chunk = os.read(descriptor, min(limit, TEXT_BYTES))
                    if not chunk:
                        break
                    chunks.append(chunk)
                    limit -= len(chunk)
                return b"".join(chunks)
            finally:
                os.close(descriptor)
        except OSError as error:
            return self._why(path, error)
        except ValueError:  # a NUL in the name: no such file can exist
            return None

    def text(self, path: str) -> Fact[str]:
        """The one value that a file holds, without surrounding blanks.  An empty file is garbled."""
        raw = self.read(path, VALUE_BYTES)
        if raw is None or isinstance(raw, Unread):
            return raw
        try:
            value = raw.decode().strip(" \t\r\n\0")
        except UnicodeDecodeError:
            return Unread("garbled", f"{printable(path)}: not UTF-8: {raw[:32]!r}")
        return value or Unread("garbled", f"{printable(path)}: empty")

    def number(self, path: str, base: int = 10) -> Fact[int]:
        """The one integer that a file holds."""
        value = self.text(path)
        if value is None or isinstance(value, Unread):
            return value
        number = to_int(value, base)
        return Unread("garbled", f"{printable(path)}: {value[:64]!r}") if number is None else number

    def flag(self, path: str) -> Fact[bool]:
        """The one truth value (0 or 1) that a file holds."""
        value = self.text(path)
        if value is None or isinstance(value, Unread):
            return value
        if value in ("0", "1"):
            return value == "1"
        return Unread("garbled", f"{printable(path)}: {value[:64]!r}")

    def lines(self, path: str, limit: int = TEXT_BYTES) -> Fact[list[str]]:
        """The lines of a text; bytes that are not UTF-8 are shown as escapes."""
        raw = self.read(path, limit)
        if raw is None or isinstance(raw, Unread):
            return raw
        return raw.decode("utf-8", "backslashreplace").split("\n")

    # --- the tree ------------------------------------------------------------------------------------------

    def names(self, path: str) -> Fact[list[str]]:
        """The sorted names in a folder."""
        try:
            return sorted(os.listdir(self._locate(path)))
        except OSError as error:
            return self._why(path, error)
        except ValueError:
            return None

    def listing(self, path: str) -> list[str]:
        """As :meth:`names`, but empty where the folder cannot be listed: for optional places."""
        found = self.names(path)
        return found if isinstance(found, list) else []

    def folders(self, path: str, limit: int = 512) -> Fact[list[tuple[str, bool]]]:
        """The names in a folder, sorted, each with "is a folder itself" (a link is not).

        At most ``limit`` of them: whoever walks a tree must not be led into an endless one.
        """
        found: list[tuple[str, bool]] = []
        try:
            with os.scandir(self._locate(path)) as entries:
                for entry in entries:
                    found.append((entry.name, entry.is_dir(follow_symlinks=False)))
                    if len(found) >= limit:
                        break
        except OSError as error:
            return self._why(path, error)
        except ValueError:
            return None
        return sorted(found)

    def exists(self, path: str) -> bool | Unread:
        """True if the path leads somewhere, links followed."""
        found = self.status(path)
        return found if isinstance(found, Unread) else found is not None

    def is_folder(self, path: str) -> bool:
        """True if the path leads to a folder, as far as one may see."""
        found = self.status(path)
        return isinstance(found, os.stat_result) and modes.S_ISDIR(found.st_mode)

    def status(self, path: str) -> Fact[os.stat_result]:
        """The ``stat`` of the path, links followed."""
        try:
            return os.stat(self._locate(path))
        except OSError as error:
            return self._why(path, error)
        except ValueError:
            return None

    def has_entry(self, path: str) -> bool | Unread:
        """True if the name stands in its folder, be it a dangling link."""
        try:
            os.lstat(self._entry(path))
        except OSError as error:
            why = self._why(path, error)
            return why if isinstance(why, Unread) else False
        except ValueError:
            return False
        return True

    def link(self, path: str) -> Fact[str]:
        """The last name that a symbolic link points to (``nvidia`` for a PCI device's ``driver``)."""
        try:
            return printable(os.path.basename(os.readlink(self._entry(path))))
        except OSError as error:
            if error.errno == errno.EINVAL:
                return Unread("garbled", f"{printable(path)}: not a link")
            return self._why(path, error)
        except ValueError:
            return None

    def accessible(self, path: str, mode: int) -> bool:
        """``os.access``: what the mode bits allow this user.  ``mode`` as in ``os.R_OK | os.W_OK``."""
        try:
            return os.access(self._locate(path), mode)
        except (OSError, ValueError):
            return False

    def real_path(self, path: str) -> str:
        """The path with all links resolved; what does not exist is kept as it stands."""
        try:
            return self._resolve(path) if self.prefix else os.path.realpath(path)
        except (OSError, ValueError):
            return path

    def which(self, program: str, folders: Iterable[str]) -> str | None:
        """The first executable file of that name in ``folders``."""
        for folder in folders:
            path = f"{folder.rstrip('/')}/{program}"
            found = self.status(path)
            if isinstance(found, os.stat_result) and modes.S_ISREG(found.st_mode) and self.accessible(path, os.X_OK):
                return path
        return None

    def place(self, path: str) -> str:
        """Where a path of the tree stands on this machine, to hand it to a program."""
        try:
            return self._locate(path)
        except OSError:
            return self.prefix + path

    # --- inside --------------------------------------------------------------------------------------------

    def _locate(self, path: str) -> str:
        return self.prefix + self._resolve(path) if self.prefix else path

    def _entry(self, path: str) -> str:
        """As :meth:`_locate`, but a link in the last component is not followed."""
        folder, _, name = path.rpartition("/")
        return f"{self._locate(folder or '/')}/{name}"

    def _resolve(self, path: str) -> str:
        done: list[str] = []
        rest = [part for part in reversed(path.split("/")) if part]
        links = 0
        while rest:
            part = rest.pop()
            if part == ".":
                continue
            if part == "..":
                del done[-1:]
                continue
            try:
                target = os.readlink("/".join([self.prefix, *done, part]))
            except (OSError, ValueError):  # no link, or nothing there: the open will say
                done.append(part)
                continue
            links += 1
            if links > _LINKS_MAX:
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            if target.startswith("/"):
                done.clear()
            rest += [piece for piece in reversed(target.split("/")) if piece]
        return "/" + "/".join(done)

    def _why(self, path: str, error: OSError) -> Unread | None:
        shown = printable(path)
        if error.errno in _ABSENT:
            top = "/".join(path.split("/")[:2])
            if top in ("/sys", "/proc") and not self._is_mounted(top):
                return Unread("missing", f"{top} is not mounted")
            return None
        words = f"{shown}: {error.strerror or error}"
        if error.errno in _REFUSED:
            return Unread("refused", words)
        return Unread("garbled" if error.errno in _WRONG_KIND else "unsupported", words)

    def _is_mounted(self, top: str) -> bool:
        """An unmounted /sys or /proc is an empty folder, or none: its files then say nothing by being absent."""
        if top not in self._mounted:
            try:
                with os.scandir(self._locate(top)) as entries:
                    self._mounted[top] = next(entries, None) is not None
            except OSError:
                self._mounted[top] = False
        return self._mounted[top]


def to_int(text: str, base: int = 10) -> int | None:
    """An integer of at most 63 bits in plain digits; ``None`` for everything else that ``int`` would take."""
    digits = text[2:] if base == 16 and text[:2] in ("0x", "0X") else text[text[:1] == "-" :]
    if not 0 < len(digits) <= 19 or not digits.isascii() or not digits.isalnum():
        return None
    try:
        number = int(text, base)
    except ValueError:
        return None
    return number if -(1 << 63) < number < 1 << 63 else None


def printable(text: str) -> str:
    """The text with what UTF-8 cannot carry (undecodable bytes of file names) as escapes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
