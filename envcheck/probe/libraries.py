"""Copies of shared libraries that must exist once: along LD_LIBRARY_PATH and in the environment's own folders."""

import os
import sys

from .interest import LIBRARIES


def copies(path):
    """One record per library and folder: torch's, those of the nvidia wheels, of *.libs folders, and conda's lib."""
    found = []
    for folder in folders(path):
        found.extend(in_folder(folder))
    return found


def folders(path):
    seen = set()
    for folder in candidates(path):
        real = os.path.realpath(folder)
        if real not in seen and os.path.isdir(folder):
            seen.add(real)
            yield folder


def candidates(path):
    # In the order of the loader's search, which looks here before the cache; an empty entry is the working directory.
    for entry in os.environ.get("LD_LIBRARY_PATH", "").replace(";", ":").split(":"):
        if entry and sys.platform.startswith("linux"):
            yield entry
    if os.path.isdir(os.path.join(sys.prefix, "conda-meta")):
        yield os.path.join(sys.prefix, "lib")
        yield os.path.join(sys.prefix, "Library", "bin")
    for entry in path:
        try:
            names = os.listdir(entry) if os.path.basename(entry) in ("site-packages", "dist-packages") else []
        except OSError:
            continue
        for name in sorted(names):
            if name == "torch":
                yield os.path.join(entry, name, "lib")
            elif name.endswith(".libs"):
                yield os.path.join(entry, name)
            elif sys.platform == "darwin":
                yield os.path.join(entry, name, ".dylibs")
            elif name == "nvidia":
                for part in sorted(os.listdir(os.path.join(entry, name))):
                    yield os.path.join(entry, name, part, "lib")
                    yield os.path.join(entry, name, part, "bin")


def in_folder(folder):
    """The libraries of interest in one folder, links to one file taken together."""
    real = {}
    try:
        names = sorted(os.listdir(folder))
    except OSError:  # a folder of LD_LIBRARY_PATH that this user may not list: the loader finds nothing there either
        return []
    for name in names:
        if family(name) not in LIBRARIES:
            continue
        path = os.path.realpath(os.path.join(folder, name))
        # libcudnn.so, libcudnn.so.9 and libcudnn.so.9.1.0 are one file: the middle one is its soname
        if path not in real or name.partition(".so")[2].count(".") == 1:
            real[path] = name
    return [{"soname": name, "path": path, "version": version(path)} for path, name in sorted(real.items())]


def family(name):
    """The table's name of a library's file: libcudnn for libcudnn_ops.so.9, cudnn64_9.dll and libcudnn.9.dylib."""
    if name.endswith(".dll"):
        stem = name[: -len(".dll")]
        return stem if stem in LIBRARIES else "lib" + stem.partition("64_")[0]
    stem = name.partition(".dylib" if ".dylib" in name else ".so")[0]
    if stem == name:
        return None
    return stem if stem in LIBRARIES else stem.partition("-")[0].partition("_")[0].partition(".")[0]


def version(path):
    """The version at the end of a library's real name; None where it has none: libcublas.so.12."""
    tail = os.path.basename(path).partition(".so.")[2]
    return tail if "." in tail else None
