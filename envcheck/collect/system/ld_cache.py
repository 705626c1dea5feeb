"""The loader's cache, /etc/ld.so.cache, read as the loader reads it: ``ldconfig`` is often not on PATH.

The layout is struct cache_file_new of glibc's sysdeps/generic/dl-cache.h: a head of 48 bytes, entries of 24, and
strings at offsets from the head.  Caches of glibc before 2.32 carry the older table in front of it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from envcheck.facts import Fact, Unread

from .root import Root, printable

PATH = "/etc/ld.so.cache"

_BYTES = 16 << 20
_MAGIC = b"glibc-ld.so.cache1.1"
_OLD_MAGIC = b"ld.so-1.7.0"
_HEAD = 48
_ENTRY = struct.Struct("<iIIIQ")  # flags, offset of the name, offset of the path, oldest kernel, hardware
_ENTRY_BIG = struct.Struct(">iIIIQ")
_BIG_ENDIAN = 3  # cache_file_new_flags_endian_big
_PATH_MAX = 4096

_FLAGS = {"x86_64": 0x0303, "aarch64": 0x0A03, "ppc64le": 0x0503}
"""FLAG_ELF_LIBC6 with the architecture's bits (elf/cache.c, sysdeps/generic/ldconfig.h)."""


def find_in_cache(root: Root, names: Iterable[str], machine: Fact[str]) -> Fact[list[tuple[str, str]]]:
    """(name, path) of every entry for ``names`` that suits the machine, in the loader's order.

    ``None`` if there is no cache (musl, NixOS, minimal images).
    """
    raw = root.read(PATH, _BYTES)
    if raw is None or isinstance(raw, Unread):
        return raw
    start = raw.find(_MAGIC)
    if start < 0 or (start > 0 and not raw.startswith(_OLD_MAGIC)) or len(raw) < start + _HEAD:
        return Unread("garbled", f"{PATH}: not a cache of glibc")
    wanted = {name.encode(): name for name in names}
    if not any(name + b"\0" in raw for name in wanted):
        return []
    table = raw[start:]
    entry = _ENTRY_BIG if table[28] & 3 == _BIG_ENDIAN else _ENTRY
    count = int.from_bytes(table[20:24], "big" if entry is _ENTRY_BIG else "little")
    end = _HEAD + count * entry.size
    if end > len(table):
        return Unread("garbled", f"{PATH}: {count} entries do not fit into {len(table)} bytes")
    suits = _FLAGS.get(machine) if isinstance(machine, str) else None
    found = []
    for flags, key, value, _, _ in entry.iter_unpack(table[_HEAD:end]):
        name = wanted.get(_string(table, key, 64))
        if name is not None and (suits is None or flags == suits):
            path = _string(table, value, _PATH_MAX)
            if path.startswith(b"/"):
                found.append((name, printable(path.decode("utf-8", "surrogateescape"))))
    return found


def _string(table: bytes, offset: int, limit: int) -> bytes:
    end = table.find(b"\0", offset, offset + limit)
    return table[offset:end] if end >= 0 else b""
