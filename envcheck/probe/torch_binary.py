"""Facts that stand only in torch's compiled libraries, found by searching their bytes."""

import mmap
import struct
import sys

from .answer import unread

LONGEST = 512  # bytes of the longest architecture list worth believing


def scan(path, archs):
    """``arch_list`` and ``needs_numpy1`` of torch's Python binding, libtorch_python.

    Raises OSError, or ValueError for a file that is empty or not whole: what is missing there proves nothing.
    """
    with open(path, "rb") as file:
        view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        try:
            check_whole(view, path)
            return {"arch_list": arch_list(view) if archs else [], "needs_numpy1": needs_numpy1(view)}
        finally:
            view.close()


def check_whole(view, path):
    """Raise ValueError where an ELF file ends before its section table, which linkers put last."""
    if sys.platform in ("win32", "darwin"):
        return
    if view[:6] != b"\x7fELF\2\1":
        raise ValueError("%s is no 64-bit little-endian ELF file" % path)
    table, size, count = struct.unpack_from("<40xQ10xHH", view[:64])
    if table + size * count > len(view):
        raise ValueError("%s is cut short: %d bytes of at least %d" % (path, len(view), table + size * count))


def arch_list(view):
    """The architectures compiled in: the literal behind torch.cuda.get_arch_list(), the build's CUDA_ARCH_FLAGS.

    The longest run of ``sm_90`` and ``compute_90`` words that ends a C string counts.  It need not begin one: in
    torch 2.8.0 the compiler has put another literal's bytes right before it.  A single word must, though, since the
    ends of other names (``asm_80``) look like it.
    """
    best = []
    for mark in (b"sm_", b"compute_"):
        at = view.find(mark)
        while at >= 0:
            number = at + len(mark)
            if view[number : number + 1].isdigit():
                end = view.find(b"\0", at, at + LONGEST)
                words = view[at:end].decode("latin-1").split() if end > 0 else []
                alone = len(words) == 1 and view[at - 1 : at] != b"\0"
                if len(words) > len(best) and not alone and all(is_arch(word) for word in words):
                    best = words
            at = view.find(mark, number)
    return best or unread("missing", "libtorch_python holds no list of architectures")


def is_arch(word):
    head, _, number = word.partition("_")
    return head in ("sm", "compute") and number.rstrip("af").isdigit()


def needs_numpy1(view):
    """True for a build whose NumPy loader knows ``numpy.core`` alone: it cannot talk to NumPy 2."""
    if view.find(b"numpy._core") >= 0:
        return False
    if view.find(b"numpy.core") >= 0:
        return True
    return None  # built without NumPy


def abi(path):
    """True where libc10's own symbols take ``std::__cxx11::string``: the C++ ABI that extensions must match."""
    if sys.platform in ("win32", "darwin"):
        return None  # libstdc++ alone has two ABIs
    with open(path, "rb") as file:
        raw = file.read()
    check_whole(raw, path)
    at = raw.find(b"_ZN3c10")
    if at < 0:
        return unread("missing", "libc10 holds no symbol of c10")
    while at >= 0:
        end = raw.find(b"\0", at)
        if raw.find(b"__cxx11", at, end) >= 0:
            return True
        at = raw.find(b"_ZN3c10", end) if end > 0 else -1
    return False
