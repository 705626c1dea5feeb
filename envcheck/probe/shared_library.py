"""Load a driver library as any program would, and say which file the loader took."""

import ctypes
import os
import sys


def load(names):
    """``(library, None)`` for the first of ``names`` that loads, or ``(None, the loader's own words)`` of the first."""
    said = None
    for name in names:
        try:
            return ctypes.CDLL(name), None
        except OSError as error:
            said = said or str(error)
    return None, said


def path(library, symbol, stem):
    """The real file of a loaded library, or None where the system does not tell.

    ``symbol`` is a function of the library, ``stem`` the beginning of its file name ("libcuda.so").
    """
    if sys.platform == "win32":
        buffer = ctypes.create_unicode_buffer(32768)
        ctypes.windll.kernel32.GetModuleFileNameW(ctypes.c_void_p(library._handle), buffer, len(buffer))
        return buffer.value or None
    found = mapped(stem)
    if len(found) > 1:  # compat and driver copies can both be mapped: take the one that holds the symbol
        holder = os.path.realpath(holding(library, symbol) or "")
        return holder if holder in found else found[0]
    return found[0] if found else holding(library, symbol)


def mapped(stem):
    """Files of this process's memory map whose name begins with ``stem``, in the order of the map."""
    found = []
    try:
        with open("/proc/self/maps", "rb") as file:
            lines = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return found
    for line in lines:
        name = line[line.find("/") :] if "/" in line else ""
        if os.path.basename(name).startswith(stem) and name not in found:
            found.append(name)
    return found


class Dl_info(ctypes.Structure):
    _fields_ = [
        ("dli_fname", ctypes.c_char_p),
        ("dli_fbase", ctypes.c_void_p),
        ("dli_sname", ctypes.c_char_p),
        ("dli_saddr", ctypes.c_void_p),
    ]


def holding(library, symbol):
    """The file that dladdr names for a function of the library; None where it cannot tell."""
    try:
        dladdr = ctypes.CDLL(None).dladdr
        address = ctypes.cast(getattr(library, symbol), ctypes.c_void_p)
    except (OSError, AttributeError):
        return None
    info = Dl_info()
    if not dladdr(address, ctypes.byref(info)) or not info.dli_fname:
        return None
    return info.dli_fname.decode("utf-8", "replace")


def plain(text):
    """A C string as text: ctypes gives bytes, some structures of pynvml give str."""
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text


def bus_id(text):
    """A PCI address as sysfs writes it: NVML pads the domain to eight digits, CUDA writes capitals."""
    text = plain(text)
    domain, colon, rest = text.strip().lower().partition(":")
    return "%04x:%s" % (int(domain, 16), rest) if colon and rest.count(":") == 1 else text.strip().lower()
