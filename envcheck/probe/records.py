"""Files of torch and of its libraries' wheels whose size is not what their RECORD says.

A library cut to nine tenths still imports: only the size gives it away.
"""

import os
import sys

from .answer import unread
from .conda import recorded_sizes

CONDA_PACKAGES = ("pytorch", "libtorch")
LIBRARY_MARKS = (".so", ".dll", ".dylib", ".pyd")


def damage(folder, owner, distributions):
    """The damaged files of the torch in ``folder``, whose metadata folder is ``owner`` (None: nobody knows it)."""
    if owner is not None and owner.get("installer") != "conda":
        sizes = recorded(owner, everything)
        if sizes is None:
            return unread("missing", "%s has no RECORD" % owner["folder"])
        for item in distributions:
            if item["name"].startswith(("nvidia-", "cuda-")) and item["location"] == owner["location"]:
                sizes.extend(recorded(item, libraries_only) or [])
        return compare(sizes)
    if os.path.isdir(os.path.join(sys.prefix, "conda-meta")):
        lists = [recorded_sizes(sys.prefix, name) for name in CONDA_PACKAGES]
        if any(lists):
            return compare([pair for pairs in lists for pair in pairs or ()])
    return unread("missing", "no metadata tells the sizes of the files in %s" % folder)


def everything(name):
    return True


def libraries_only(name):
    return any(mark in name for mark in LIBRARY_MARKS)


def recorded(item, wanted):
    """``[(path, size)]`` of a distribution's RECORD; None where it has none.  Files without a size are left out."""
    path = os.path.join(item["location"], item["folder"], "RECORD")
    if not os.path.isfile(path):
        return None
    sizes = []
    with open(path, "rb") as file:
        for line in file.read().decode("utf-8", "replace").splitlines():
            rest, _, size = line.rpartition(",")
            name = rest.rpartition(",")[0]
            if size.isdigit() and wanted(name):
                if name.startswith('"'):
                    name = name[1:-1].replace('""', '"')
                sizes.append((os.path.join(item["location"], name), int(size)))
    return sizes


def compare(sizes):
    found = []
    for path, expected in sizes:
        try:
            actual = os.stat(path).st_size
        except OSError as error:
            actual = None if error.errno in (2, 20) else unread("refused", str(error))
        if actual != expected:
            found.append({"path": path, "expected_bytes": expected, "actual_bytes": actual})
    return found
